"""A request of Insomnia as a step, and what its templates read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Final

from planrunner.importers.draft import DraftParam, DraftStep, Keys
from planrunner.importers.nodes import SourceNode
from planrunner.importers.shaping.requests import VERBS
from planrunner.importers.shaping.secrets import is_secret_name, secret_param
from planrunner.importers.templates import identifier, translate
from planrunner.loss.ledger import Ledger, SourcePlace

__all__ = ["InsomniaRequests"]

_BOTH: Final = re.compile(r"(\{\{\s*.*?\s*\}\}|\{%.*?%\})", re.DOTALL)
_NAME: Final = re.compile(r"(?:_\.)?([A-Za-z_][\w.-]*)|_\[['\"]([^'\"]+)['\"]\]")
_TAGS: Final = (
    (re.compile(r"uuid\b.*"), "rand.uuid()"),
    (re.compile(r"now 'unix'.*"), "now() | int"),
    (re.compile(r"now 'millis'.*|timestamp\b.*"), "(now() * 1000) | int"),
    (re.compile(r"now\b.*"), "date('%Y-%m-%dT%H:%M:%S.000Z')"),
)
_CLIENTS_OWN: Final = frozenset({"content-length", "transfer-encoding", "connection"})


@dataclass
class InsomniaRequests:
    """Makes steps, and params of what they read.

    Attributes:
        values: The variables of the environments, by their dotted name: text and place.
        files: Stand-ins for files to send.
    """

    ledger: Ledger
    values: dict[str, tuple[str, SourcePlace]]
    params: dict[str, DraftParam] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def step(self, node: SourceNode) -> DraftStep | None:
        """Return a request as a step; None where planrunner can't send it."""
        method = node.take("method")
        verb = (method.text() if method else "").lower() or "get"
        url = self._text(node.take("url")).strip()
        if verb not in VERBS or not url:
            entry = node.entry("method") or node.entry("url")
            if entry is not None:
                entry.construct.left_out("planrunner can't send such a request")
            return None
        if not re.match(r"[a-zA-Z][\w+.-]*://|\$\{|/", url):
            url = f"http://{url}"
        query = self._pairs(node.take("parameters"))
        if query:
            mark = "&" if "?" in url else "?"
            url += mark + "&".join(f"{key}={_escaped(str(value))}" for key, value in query)
        headers: Keys = {
            key: value
            for key, value in self._pairs(node.take("headers"))
            if key.lower() not in _CLIENTS_OWN
        }
        body = self._body(node.take("body"), headers)
        keys: Keys = {verb: url}
        name = " ".join(self._text(node.take("name")).split())
        if name:
            keys["name"] = name
        if headers:
            keys["headers"] = headers
        keys |= body | self._auth(node)
        follow = node.take("settingFollowRedirects")
        if follow is not None and follow.scalar == "off":
            keys["follow_redirects"] = False
        return DraftStep(keys, origin=node.place)

    def _text(self, node: SourceNode | None) -> str:
        if node is None or node.is_mapping or node.is_list:
            return ""
        return translate(node.text(), _BOTH, lambda inside: self._resolve(inside, node.place))

    def _resolve(self, template: str, place: SourcePlace) -> str:
        inside = template[2:-2].strip()
        if template.startswith("{%"):
            for pattern, expression in _TAGS:
                if pattern.fullmatch(inside):
                    return f"${{{expression}}}"
            self.ledger.add("template", template[:80], place).left_out(
                "write `extract` at the request whose reply it reads, and `${name}` here"
            )
            return "unknown"
        found = _NAME.fullmatch(inside)
        if found is None:
            self.ledger.add("template", template[:80], place).left_out("write it as an expression")
            return "unknown"
        return f"${{{self._param(found[1] or found[2], place)}}}"

    def _param(self, name: str, place: SourcePlace) -> str:
        if name in self._names:
            return self._names[name]
        plain = self._names[name] = identifier(name, {*self._names.values()})
        value, where = self.values.get(name, ("", place))
        if is_secret_name(name) or name not in self.values:
            finding = self.ledger.add("variable", f"{{{{ {name} }}}}", where)
            finding.needs_you(f"give it a value: `--set {plain}=…`, or a default in the plan")
        if is_secret_name(name):
            self.params[plain] = secret_param(f"`{name}` of the environment", where)
            return plain
        if not value and re.search(r"(?i)(url|host)$", name):
            value = "http://localhost"
        made = translate(value, _BOTH, lambda inside: self._resolve(inside, where))
        self.params[plain] = DraftParam({"type": "str", "default": made}, origin=where)
        return plain

    def _pairs(self, listed: SourceNode | None) -> list[tuple[str, object]]:
        found: list[tuple[str, object]] = []
        for one in listed.each() if listed is not None and listed.is_list else ():
            is_off, name, value = one.get("disabled"), one.get("name"), one.get("value")
            one.whole()
            if (is_off is None or is_off.scalar is not True) and name is not None and name.text():
                found.append((self._text(name), self._text(value)))
        return found

    def _body(self, body: SourceNode | None, headers: Keys) -> Keys:
        if body is None or not body.is_mapping:
            return {}
        kind = body.get("mimeType")
        mime = kind.text().lower() if kind is not None else ""
        text, params, file = body.get("text"), body.get("params"), body.get("fileName")
        body.whole()
        if "urlencoded" in mime or "form-data" in mime:
            _drop(headers)
            form = self._form(params, is_multipart="form-data" in mime)
            return {"multipart" if "form-data" in mime else "form": form} if form else {}
        if file is not None and file.text():
            return {"body_file": self._file(file)}
        if text is None or not text.text().strip():
            return {}
        filled = self._text(text)
        if mime == "application/graphql" or "json" in mime:
            document = _json(filled)
            if document is not None:
                _drop(headers)
                return {"json": document}
            headers.setdefault("Content-Type", "application/json")
        return {"body": filled}

    def _form(self, params: SourceNode | None, *, is_multipart: bool) -> Keys:
        found: dict[str, object] = {}
        for one in params.each() if params is not None and params.is_list else ():
            is_off, name, file = one.get("disabled"), one.get("name"), one.get("fileName")
            if name is None or (is_off is not None and is_off.scalar is True):
                continue
            value: object = self._text(one.get("value"))
            kind = one.get("type")
            if is_multipart and file is not None and kind is not None and kind.scalar == "file":
                value = {"file": self._file(file)}
            key = self._text(name)
            before = found.get(key)
            many = [*before, value] if isinstance(before, list) else [before, value]
            found[key] = many if key in found else value
        return found

    def _file(self, node: SourceNode) -> str:
        name = re.split(r"[\\/]", node.text())[-1] or "upload.bin"
        self.files.setdefault(name, b"")
        finding = self.ledger.add("file", node.text()[:80] or "a file", node.place)
        finding.needs_you(f"put the file to send at `{name}` beside the plan")
        return name

    def _auth(self, node: SourceNode) -> Keys:
        auth, entry = node.take("authentication"), node.entry("authentication")
        if auth is None or entry is None or not auth.is_mapping:
            return {}
        values = {one.key: self._text(one.node) for one in auth.entries or ()}
        kind, is_off = values.get("type", ""), values.get("disabled") == "true"
        auth.whole()
        if not kind or is_off or kind == "none":
            return {}
        if kind in ("basic", "digest"):
            user = {key: values.get(key, "") for key in ("username", "password")}
            return {"auth": {kind: user}}
        if kind == "bearer" and values.get("token"):
            prefix = values.get("prefix") or "Bearer"
            if prefix == "Bearer":
                return {"auth": {"bearer": values["token"]}}
        if kind == "apikey" and values.get("key"):
            where = "query" if values.get("addTo") == "queryParams" else "header"
            return {"auth": {"api_key": {where: values["key"], "value": values.get("value", "")}}}
        entry.construct.left_out(f"planrunner has no such `{kind}`: write `auth` or `headers`")
        return {}


def _json(text: str) -> object:
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict | list) else None


def _escaped(value: str) -> str:
    parts = re.split(r"(\$\{[^}]*\})", value)
    escape = {"&": "%26", "#": "%23", " ": "%20"}
    return "".join(
        one if one.startswith("${") else "".join(escape.get(char, char) for char in one)
        for one in parts
    )


def _drop(headers: Keys) -> None:
    for key in [one for one in headers if one.lower() == "content-type"]:
        del headers[key]
