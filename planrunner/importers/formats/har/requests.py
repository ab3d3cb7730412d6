"""An entry as a request of a plan; what an earlier reply gave is read from there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from planrunner.importers.draft import Keys
from planrunner.importers.formats.har.entries import RecordedEntry, parsed_json
from planrunner.importers.templates import literal
from planrunner.loss.ledger import Ledger

__all__ = ["RequestMaker"]

_DROPPED: Final = frozenset(
    {
        *(
            "host",
            "connection",
            "proxy-connection",
            "keep-alive",
            "content-length",
            "te",
            "upgrade",
        ),
        *("transfer-encoding", "accept-encoding", "cookie", "if-none-match", "if-modified-since"),
        *("expect", "trailer"),
    }
)
"""What the client writes itself, its cookie jar, and what a browser's cache adds."""

_BROWSERS_OWN: Final = re.compile(
    r"sec-.*|dnt|priority|upgrade-insecure-requests|x-client-data|x-devtools-.*|purpose"
)
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SCHEME: Final = re.compile(r"(\w+) (\S+)")
_TRACKING_COOKIES: Final = re.compile(
    r"_ga.*|_gid|_gat.*|_fbp|__utm.*|_hj.*|Optanon.*|AMP_.*", re.IGNORECASE
)
Find = Callable[[str], "str | None"]


@dataclass
class RequestMaker:
    """Makes requests.

    Attributes:
        find: Returns the name of a value that an earlier reply gave.
        files: Stand-ins for what the recording says nothing about but its name.
        cookies: Names of the cookies that replies have set so far.
    """

    ledger: Ledger
    find: Find
    files: dict[str, bytes] = field(default_factory=dict)
    cookies: set[str] = field(default_factory=set)
    _told: set[str] = field(default_factory=set)

    def keys(self, entry: RecordedEntry) -> Keys:
        """Return the verb, headers and body of an entry."""
        keys: Keys = {entry.method.lower(): self._url(entry.url)}
        headers = self._headers(entry)
        body = self._body(entry, headers)
        if headers:
            keys["headers"] = headers
        self.cookies |= entry.cookies
        return keys | body

    def _url(self, url: str) -> str:
        base, mark, query = url.partition("?")
        scheme, _, rest = base.partition("://")
        host, *segments = rest.split("/")
        path = "/".join([f"{scheme}://{literal(host)}", *map(self._segment, segments)])
        pairs = [self._pair(pair) for pair in query.split("&")]
        return path + mark + "&".join(pairs)

    def _segment(self, segment: str) -> str:
        name = self.find(unquote(segment)) if segment else None
        return f"${{{name}}}" if name else literal(segment)

    def _pair(self, pair: str) -> str:
        key, sign, value = pair.partition("=")
        name = self.find(unquote(value.replace("+", " "))) if value else None
        return f"{literal(key)}{sign}{f'${{{name} | urlencode}}' if name else literal(value)}"

    def _headers(self, entry: RecordedEntry) -> Keys:
        headers: dict[str, object] = {}
        for name, value in entry.headers:
            low = name.lower()
            if low == "cookie":
                self._cookie(entry, value)
            elif not name.startswith(":") and not _NAME.fullmatch(name):
                self.ledger.part("header", name[:80], entry.place).left_out(
                    "no header can have this name: write what was meant"
                )
            elif name.startswith(":") or low in _DROPPED:
                continue
            elif _BROWSERS_OWN.fullmatch(low):
                self._tell(
                    entry, "browser", f"header `{name}`",
                    "what a browser says of itself (`Sec-…`, `DNT`, `Priority`) is not sent",
                )  # fmt: skip
            else:
                before = next((had for had in headers if had.lower() == low), None)
                text = self._header(" ".join(value.split("\n")).strip())
                headers[before or name] = f"{headers[before]}, {text}" if before else text
        return headers

    def _header(self, value: str) -> str:
        scheme = _SCHEME.fullmatch(value)
        name = self.find(scheme[2] if scheme else value)
        if name is None:
            return literal(value)
        return f"{scheme[1]} ${{{name}}}" if scheme else f"${{{name}}}"

    def _tell(self, entry: RecordedEntry, topic: str, words: str, how: str) -> None:
        """Say once what is true of all requests."""
        if topic not in self._told:
            self._told.add(topic)
            self.ledger.part("header", words, entry.place).changed(how)

    def _cookie(self, entry: RecordedEntry, value: str) -> None:
        names = {pair.partition("=")[0].strip() for pair in value.split(";")}
        unknown = sorted(
            name
            for name in names - self.cookies
            if name and name not in self._told and not _TRACKING_COOKIES.fullmatch(name)
        )
        if unknown:
            self._told |= set(unknown)
            shown = ", ".join(unknown[:8]) + (" …" if len(unknown) > 8 else "")
            self.ledger.part("cookie", shown, entry.place).needs_you(
                "the recording begins with these cookies: log in in `on_start`, or send them"
            )

    def _body(self, entry: RecordedEntry, headers: Keys) -> Keys:
        mime = str(entry.post.get("mimeType") or "").lower()
        text = entry.post.get("text")
        text = text if isinstance(text, str) else ""
        params = entry.post.get("params")
        params = (
            [one for one in params if isinstance(one, dict)] if isinstance(params, list) else []
        )
        if not text and not params:
            return {}
        if "multipart/form-data" in mime and params:
            _drop_type(headers)
            return {"multipart": self._fields(params, entry)}
        if "x-www-form-urlencoded" in mime or (params and not text):
            pairs = (
                parse_qsl(text, keep_blank_values=True)
                if text
                else [
                    (
                        unquote(str(one.get("name", "")).replace("+", " ")),
                        unquote(str(one.get("value") or "").replace("+", " ")),
                    )
                    for one in params
                ]
            )
            if pairs:
                _drop_type(headers)
                return {"form": self._form(pairs)}
        return self._text(entry, mime, text, headers)

    def _text(self, entry: RecordedEntry, mime: str, text: str, headers: Keys) -> Keys:
        document = parsed_json(text) if "json" in mime or text[:1] in "{[" else None
        if isinstance(document, dict | list) and "json" in (mime or "json"):
            if mime.replace(" ", "") in ("application/json", "application/json;charset=utf-8"):
                _drop_type(headers)
            return {"json": self._value(document)}
        if "�" in text or any(ord(char) < 9 for char in text[:1000]):
            self.ledger.part("body", f"{len(text):,} bytes", entry.place).needs_you(
                "a binary body, which recordings don't keep: put it into the file"
            )
            name = f"body-{len(self.files) + 1}.bin"
            self.files[name] = b""
            return {"body_file": name}
        return {"body": literal(text)}

    def _value(self, value: object) -> object:
        if isinstance(value, dict):
            return {literal(key): self._value(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._value(one) for one in value]
        if isinstance(value, bool) or not isinstance(value, str | int):
            return value
        name = self.find(str(value))
        if name is not None:
            return f"${{{name}}}"
        return literal(value) if isinstance(value, str) else value

    def _form(self, pairs: list[tuple[str, str]]) -> Keys:
        found: dict[str, object] = {}
        for key, value in pairs:
            name = self.find(value)
            _add(found, literal(key), f"${{{name}}}" if name else literal(value))
        return found

    def _fields(self, params: list[dict[str, Any]], entry: RecordedEntry) -> Keys:
        found: dict[str, object] = {}
        for one in params:
            key, value = literal(str(one.get("name", ""))), str(one.get("value") or "")
            file = one.get("fileName")
            if not isinstance(file, str) or not file:
                name = self.find(value)
                _add(found, key, f"${{{name}}}" if name else literal(value))
                continue
            path = (
                re.sub(r"[^\w.-]+", "_", file.replace("\\", "/").rpartition("/")[2]) or "upload.bin"
            )
            path = path.lstrip(".") or "upload.bin"
            self.files.setdefault(path, b"")
            self.ledger.part("file", file, entry.place).needs_you(
                f"put the file to send at `{path}` beside the plan"
            )
            kind = one.get("contentType")
            _add(
                found,
                key,
                {"file": path, "type": kind} if isinstance(kind, str) and kind else {"file": path},
            )
        return found


def _add(found: dict[str, object], key: str, value: object) -> None:
    if key in found:
        before = found[key]
        found[key] = [*before, value] if isinstance(before, list) else [before, value]
    else:
        found[key] = value


def _drop_type(headers: Keys) -> None:
    for name in [one for one in headers if one.lower() == "content-type"]:
        del headers[name]
