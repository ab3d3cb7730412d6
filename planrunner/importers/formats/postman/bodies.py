"""The body of a request: JSON, text, form, multipart, file, GraphQL."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePath, PurePosixPath
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.postman.variables import PostmanVariables
from planrunner.importers.nodes import SourceNode
from planrunner.importers.sources import SourceFile
from planrunner.importers.templates import BRACES
from planrunner.loss.ledger import SourcePlace

__all__ = ["PostmanBodies"]

_TYPES: Final = {
    "json": "application/json",
    "xml": "application/xml",
    "html": "text/html",
    "javascript": "application/javascript",
    "text": "text/plain",
}
_WHOLE: Final = re.compile(r"\s*\{\{\s*([^{}]*?)\s*\}\}\s*")


class PostmanBodies:
    """Reads bodies.

    Attributes:
        files: What bodies send, by its path beside the plan: a file to copy, or an empty stand-in.
    """

    def __init__(self, file: SourceFile, variables: PostmanVariables) -> None:
        self.files: dict[str, bytes | Path] = {}
        self._folder = file.path.parent if file.path is not None else None
        self._variables = variables

    def read(self, request: SourceNode, headers: Keys) -> Keys:
        """Return the key of a step that holds the body; may set `Content-Type` of its headers."""
        body = request.take("body")
        if body is None or not body.is_mapping or body.take_whole("disabled") is True:
            return {}
        mode = body.take("mode")
        name = mode.text() if mode is not None else ""
        for other in ("raw", "urlencoded", "formdata", "file", "graphql", "options"):
            if other != name:
                body.take_whole(other)  # what an editor keeps of modes that aren't chosen
        readers = {
            "raw": self._raw,
            "urlencoded": self._form,
            "formdata": self._multipart,
            "file": self._file,
            "graphql": self._graphql,
        }
        return readers[name](body, headers) if name in readers else {}

    def _raw(self, body: SourceNode, headers: Keys) -> Keys:
        raw = body.take("raw")
        text = raw.text() if raw is not None else ""
        if not text.strip() or raw is None:
            return {}
        declared = _header(headers, "content-type")
        language = _language(body)
        is_json = "json" in declared.lower() if declared else language == "json"
        document = self._document(text, raw.place) if is_json else None
        if document is not None:
            if declared.lower().replace(" ", "") in (
                "application/json",
                "application/json;charset=utf-8",
            ):
                _drop(headers, "content-type")
            return {"json": document[0]}
        if not declared and language in _TYPES:
            headers["Content-Type"] = _TYPES[language]
        return {"body": self._variables.text(text, raw.place)}

    def _document(self, text: str, place: SourcePlace) -> tuple[object] | None:
        """Return a JSON body as values; None where its templates make it text."""
        try:
            value = json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError):
            return None
        return (self._filled(value, place),)

    def _filled(self, value: object, place: SourcePlace) -> object:
        if isinstance(value, dict):
            return {
                self._variables.text(key, place): self._filled(one, place)
                for key, one in value.items()
            }
        if isinstance(value, list):
            return [self._filled(one, place) for one in value]
        if not isinstance(value, str):
            return value
        text = self._variables.text(value, place)
        whole = _WHOLE.fullmatch(value)
        if whole is None or value != value.strip() or not text.startswith("${"):
            return text
        is_text = self._variables.is_text(whole[1]) and not text.startswith(("${now", "${rand.int"))
        return text if is_text else f"${{{_in_parentheses(text[2:-1])} | string}}"

    def _form(self, body: SourceNode, headers: Keys) -> Keys:
        _drop(headers, "content-type", "application/x-www-form-urlencoded")
        found = self._fields(body.take("urlencoded"), with_files=False)
        return {"form": found} if found else {}

    def _multipart(self, body: SourceNode, headers: Keys) -> Keys:
        _drop(headers, "content-type", "multipart/form-data")
        found = self._fields(body.take("formdata"), with_files=True)
        return {"multipart": found} if found else {}

    def _fields(self, listed: SourceNode | None, *, with_files: bool) -> Keys:
        found: dict[str, object] = {}
        for one in listed.each() if listed is not None and listed.is_list else ():
            for extra in (
                "description",
                "enabled",
                "uuid",
                "id",
                "fileNotInWorkingDirectoryWarning",
            ):
                one.take_whole(extra)
            is_off, kind = one.take_whole("disabled"), one.take_whole("type")
            key, value, source = one.take("key"), one.take("value"), one.take("src")
            media = one.take_whole("contentType")
            if is_off is True or key is None:
                continue
            name = self._variables.text(key.text(), one.place)
            text = self._variables.text(value.text() if value is not None else "", one.place)
            part: object = text
            if with_files and kind == "file":
                part = {"file": self._path(source, one)}
            elif with_files and media:
                part = {"text": text}
            if isinstance(part, dict) and media:
                part["type"] = str(media)
            found[name] = _more(found[name], part) if name in found else part
        return found

    def _file(self, body: SourceNode, headers: Keys) -> Keys:
        del headers
        file = body.take("file")
        if file is None or not file.is_mapping:
            return {}
        content = file.take("content")
        if content is not None and content.text():
            return {"body": self._variables.text(content.text(), content.place)}
        source = file.take("src")
        return {"body_file": self._path(source, file)}

    def _path(self, source: SourceNode | None, owner: SourceNode) -> str:
        """Return the path of a file beside the plan; one that isn't here is an empty stand-in."""
        first = source.each()[0] if source is not None and source.each() else None
        given = first.text() if first is not None else ""
        name = PurePath(given.replace("\\", "/")).name or "upload.bin"
        inside = PurePosixPath(given.replace("\\", "/"))
        if self._folder is not None and given and not inside.is_absolute():
            path = self._folder / inside
            if ".." not in inside.parts and path.is_file():
                self.files[str(inside)] = path
                return str(inside)
        entry = owner.entry("src") or (owner.entry("key") if owner.entries else None)
        if entry is not None:
            entry.construct.needs_you(f"put the file to send at `{name}` beside the plan")
        self.files.setdefault(name, b"")
        return name

    def _graphql(self, body: SourceNode, headers: Keys) -> Keys:
        found = body.take("graphql")
        if found is None or not found.is_mapping:
            return {}
        query, variables, operation = (
            found.take(key) for key in ("query", "variables", "operationName")
        )
        _drop(headers, "content-type", "application/json")
        text = query.text() if query is not None else ""
        if not text.strip():
            return {}
        graphql: Keys = {"query": self._variables.text(text, found.place)}
        if operation is not None and operation.text():
            graphql["operation"] = operation.text()
        if "${" in str(graphql["query"]):
            return self._graphql_text(text, variables, headers)
        if variables is not None and variables.is_mapping:
            graphql["variables"] = self._filled(variables.whole(), found.place)
        elif variables is not None and variables.text().strip():
            given = self._document(variables.text(), variables.place)
            if given is None or not isinstance(given[0], dict):
                return self._graphql_text(text, variables, headers)
            graphql["variables"] = given[0]
        return {"graphql": graphql}

    def _graphql_text(self, query: str, variables: SourceNode | None, headers: Keys) -> Keys:
        """Return the body as text, where templates stand in the query or make up the variables."""
        headers["Content-Type"] = "application/json"
        place = variables.place if variables is not None else SourcePlace("", 1)
        written = self._variables.text(json.dumps(query, ensure_ascii=False), place)
        if variables is None or not variables.text().strip():
            return {"body": f'{{"query": {written}}}'}
        filled = self._variables.text(variables.text(), place)
        return {"body": f'{{"query": {written}, "variables": {filled}}}'}


def _refuse(word: str) -> object:
    raise ValueError(word)


def _language(body: SourceNode) -> str:
    options = body.take("options")
    if options is None or not options.is_mapping:
        return ""
    found = options.whole()
    raw = found.get("raw") if isinstance(found, dict) else None
    return str(raw.get("language", "")) if isinstance(raw, dict) else ""


def _header(headers: Keys, name: str) -> str:
    return next((str(value) for key, value in headers.items() if key.lower() == name), "")


def _drop(headers: Keys, name: str, value: str = "") -> None:
    """Take a header away that the client writes itself."""
    for key in [*headers]:
        if key.lower() == name and str(headers[key]).lower().startswith(value):
            del headers[key]


def _in_parentheses(expression: str) -> str:
    return (
        expression if BRACES.search(expression) or expression.isidentifier() else f"({expression})"
    )


def _more(before: object, part: object) -> list[object]:
    return [*before, part] if isinstance(before, list) else [before, part]
