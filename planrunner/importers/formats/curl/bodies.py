"""What commands of curl send: data of its several kinds, forms, files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qsl, urlencode

from planrunner.importers.draft import Keys
from planrunner.importers.formats.curl.shell import ShellCommand, ShellWord
from planrunner.importers.reading.kept_files import KeptFiles
from planrunner.importers.sources import SourceFile
from planrunner.importers.templates import literal
from planrunner.loss.ledger import Construct
from planrunner.values import dataclass

__all__ = ["CurlBody"]

_FORM: Final = "application/x-www-form-urlencoded"
_LINE_ENDS: Final = re.compile(r"[\r\n\0]")
_PART_KEYS: Final = re.compile(
    r";\s*(type|filename|encoder|headers)=(\"(?:[^\"\\]|\\.)*\"|[^;]*(?:;\s*charset=[^;]*)?)"
)


@dataclass(frozen=True, slots=True)
class _FileOfData:
    """A file whose content is data; it may not be there.

    Attributes:
        is_one_line: Whether its line ends are not sent.
    """

    name: str
    source: SourceFile | None
    construct: Construct
    is_one_line: bool

    @property
    def text(self) -> str:
        """It, as text of a plan."""
        if self.source is None:
            self.construct.needs_you(f"write what `{self.name}` holds into `body`")
            return ""
        text = self.source.content.decode("utf-8", "replace")
        return literal(_LINE_ENDS.sub("", text) if self.is_one_line else text)


class CurlBody:
    """What one command sends.

    Attributes:
        verb: That it asks for; empty for none.
        is_query: It goes into the URL, as with `-G`.
    """

    def __init__(
        self, files: KeptFiles, stdin: ShellCommand | None, read: Callable[[ShellWord], str]
    ) -> None:
        self.verb = ""
        self.is_query = False
        self._files, self._stdin, self._read = files, stdin, read
        self._pieces: list[str | _FileOfData] = []
        self._parts: Keys = {}
        self._upload = ""
        self._is_json = False

    def add_data(self, kind: str, text: str, construct: Construct) -> None:
        """Take the value of `-d` or one of its kin."""
        self.verb = "POST"
        self._is_json |= kind == "json"
        if kind == "data-urlencode":
            self._pieces.append(self.encoded(text, construct))
        elif text.startswith("@") and kind != "data-raw":
            is_one_line = kind in ("data", "data-ascii")
            self._pieces.append(self._content(text[1:], construct, is_one_line=is_one_line))
        else:
            self._pieces.append(text)

    def add_part(self, text: str, construct: Construct, *, is_text: bool) -> None:
        """Take a part of a form: `name=value`, `name=@file;type=text/csv`, `name=<file`."""
        self.verb = "POST"
        name, _, value = text.partition("=")
        keys = (
            {}
            if is_text
            else {found[1]: _unquoted(found[2]) for found in _PART_KEYS.finditer(value)}
        )
        if not is_text:
            value = _unquoted(_PART_KEYS.sub("", value))
        if "headers" in keys or "encoder" in keys:
            construct.changed("a part has a `filename` and a `type`; its own headers are not sent")
        about = {key: keys[key] for key in ("filename", "type") if key in keys}
        if value.startswith("@") and not is_text:
            for path in value[1:].split(","):
                self._add_part(name, {"file": self._files.keep(path, construct), **about})
            return
        if value.startswith("<") and not is_text:
            content = self._content(value[1:], construct)
            value = content if isinstance(content, str) else content.text
        self._add_part(name, {"text": value, **about} if about else value)

    def _add_part(self, name: str, part: object) -> None:
        if name in self._parts:
            before = self._parts[name]
            part = [*before, part] if isinstance(before, list) else [before, part]
        self._parts[name] = part

    def upload(self, name: str, construct: Construct) -> str:
        """Take a file that is sent as it is; returns its name, which ends a URL with a slash."""
        self.verb = "PUT"
        content = self._content(name, construct)
        if isinstance(content, str):
            self._pieces.append(content)
            return ""
        self._upload = self._files.keep(content.name, construct)
        return content.name.replace("\\", "/").rpartition("/")[2]

    def _content(
        self, name: str, construct: Construct, *, is_one_line: bool = False
    ) -> str | _FileOfData:
        """Return what a file or `-`, the input, holds."""
        if name in ("-", "."):
            if self._stdin is None or self._stdin.stdin is None:
                return _FileOfData("stdin", None, construct, is_one_line)
            text = self._read(self._stdin.stdin)
            if not self._stdin.stdin_is_file:
                return _LINE_ENDS.sub("", text) if is_one_line else text
            name = text
        found = self._files.find(name) if "${" not in name else None
        return _FileOfData(name, found, construct, is_one_line)

    def encoded(self, text: str, construct: Construct) -> str:
        """Return data as `--data-urlencode` writes it: a name before `=` or `@` stays."""
        marked = re.match(r"([^=@]*)([=@])", text, re.DOTALL)
        if marked is None:
            return _quoted(text)
        lead = f"{marked[1]}=" if marked[1] else ""
        value = text[marked.end() :]
        if marked[2] == "@":
            content = self._content(value, construct)
            value = content if isinstance(content, str) else content.text
        return lead + _quoted(value)

    def query(self) -> str:
        """Return what goes into the URL."""
        return self._text("&") if self.is_query and self._pieces else ""

    def keys(self, headers: Keys) -> Keys:
        """Return the body of a request; headers that it makes needless are taken out."""
        if self._parts:
            _drop_header(headers, "content-type", "multipart/form-data")
            return {"multipart": self._parts}
        if self._upload:
            return {"body_file": self._upload}
        if not self._pieces or self.is_query:
            return {}
        kind = next((str(v) for k, v in headers.items() if k.lower() == "content-type"), "")
        is_json = self._is_json or "json" in kind
        if self._is_json:
            headers.setdefault("Accept", "application/json")
            if not kind:
                headers["Content-Type"] = "application/json"
        only = self._pieces[0] if len(self._pieces) == 1 else None
        if isinstance(only, _FileOfData):
            if not kind and not is_json:
                headers["Content-Type"] = _FORM
            return {"body_file": self._body_file(only, is_json=is_json)}
        text = self._text("" if self._is_json else "&")
        return self._as_json(text, headers) if is_json else self._as_form(text, kind, headers)

    def _body_file(self, file: _FileOfData, *, is_json: bool) -> str:
        """Return the path of a file beside the plan; line ends say nothing in JSON."""
        if file.source is None or not file.is_one_line or is_json:
            return self._files.keep(file.name, file.construct)
        content = re.sub(rb"[\r\n\0]", b"", file.source.content)
        if content == file.source.content:
            return self._files.keep(file.name, file.construct)
        name = file.name.replace("\\", "/").rpartition("/")[2]
        return self._files.write(f"one-line/{name}", content)

    def _text(self, between: str) -> str:
        return between.join(one if isinstance(one, str) else one.text for one in self._pieces)

    def _as_form(self, text: str, kind: str, headers: Keys) -> Keys:
        pairs = parse_qsl(text, keep_blank_values=True)
        names = [name for name, _ in pairs]
        is_form = kind in ("", _FORM) and len(set(names)) == len(names) and urlencode(pairs) == text
        if is_form and pairs and "$" not in text:
            _drop_header(headers, "content-type")
            return {"form": dict(pairs)}
        if not kind:
            headers["Content-Type"] = _FORM
        return {"body": text}

    def _as_json(self, text: str, headers: Keys) -> Keys:
        """Return JSON as values of the plan where that says the same."""
        try:
            value = json.loads(text, object_pairs_hook=_only_once)
        except (ValueError, RecursionError):
            return {"body": text}
        if not isinstance(value, dict | list):
            return {"body": text}
        _drop_header(headers, "content-type", "application/json")
        return {"json": value}


def _only_once(pairs: list[tuple[str, object]]) -> Keys:
    """Return a mapping.

    Raises:
        ValueError: It has a name twice, which a plan can't say.
    """
    if len(found := dict(pairs)) != len(pairs):
        raise ValueError
    return found


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _quoted(text: str) -> str:
    """Return text as it stands in a form; what has expressions is encoded when it is sent."""
    parts = re.split(r"(\$\{\w+\})", text)
    return "".join(
        f"{part[:-1]} | urlencode}}"
        if number % 2
        else urlencode({"": part.replace("$${", "${")})[1:]
        for number, part in enumerate(parts)
    )


def _drop_header(headers: Keys, name: str, value: str | None = None) -> None:
    for key in [key for key in headers if key.lower() == name]:
        if value is None or headers[key] == value:
            del headers[key]
