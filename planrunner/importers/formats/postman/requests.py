"""A request of a collection as a step: its method, URL, headers, body."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.postman.bodies import PostmanBodies
from planrunner.importers.formats.postman.variables import PostmanVariables
from planrunner.importers.nodes import SourceNode
from planrunner.importers.shaping.requests import VERBS
from planrunner.importers.templates import BRACES
from planrunner.loss.ledger import SourcePlace

__all__ = ["read_request"]

_CLIENTS_OWN: Final = frozenset({"content-length", "transfer-encoding", "connection"})
_SCHEME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_WHOLE_ORIGIN: Final = re.compile(r"\$\{[\w.]+\}(?=[/:?#]|$)")
_HOST: Final = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)
_GOOD_HOST: Final = re.compile(r"(?:[^@]*@)?(?:[\w.-]+|\[[\da-fA-F:.]+\])(?::\w+)?")
_EXPRESSION: Final = re.compile(r"\$\{[^}]*\}")


def read_request(
    node: SourceNode, variables: PostmanVariables, bodies: PostmanBodies
) -> tuple[Keys, str] | None:
    """Return the keys of a step and its verb; None where planrunner can't send such a request."""
    for key in ("description", "name"):
        node.take(key)
    if not node.is_mapping:  # a URL alone
        return {"get": _address(variables.text(node.text(), node.place), node, variables)}, "get"
    url = _url(node, variables)
    if url is None:
        return None
    method, entry = node.take("method"), node.entry("method")
    verb = (method.text() if method else "GET").strip().lower() or "get"
    if verb not in VERBS:
        if entry is not None:
            entry.construct.left_out(
                "planrunner sends GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"
            )
        return None
    keys: Keys = {verb: url}
    headers = _headers(node.take("header"), variables)
    body = bodies.read(node, headers)
    if headers:
        keys["headers"] = headers
    return keys | body, verb


def _url(node: SourceNode, variables: PostmanVariables) -> str | None:
    url = node.take("url")
    if url is None:
        return _address("", node, variables)
    if not url.is_mapping:
        return _address(variables.text(url.text(), url.place), url, variables)
    for key in ("protocol", "host", "port", "path", "hash", "auth"):
        url.take_whole(key)
    raw = url.take("raw")
    text = raw.text() if raw is not None and raw.text() else _joined(url)
    base, _, query = text.partition("#")[0].partition("?")
    listed = url.take("query")
    if listed is not None and listed.is_list:
        query = "&".join(_pairs(listed, variables))
    base = variables.text(_with_path_variables(base, url), url.place)
    address = _address(base, url, variables)
    host = _HOST.match(address)
    if host is not None and not _GOOD_HOST.fullmatch(_EXPRESSION.sub("x", host[1])):
        entry = node.entry("url")
        if entry is not None:
            entry.construct.left_out("this is not a URL: write the request yourself")
        return None
    return address + (f"?{_query(query, listed, variables, url)}" if query else "")


def _query(
    query: str, listed: SourceNode | None, variables: PostmanVariables, url: SourceNode
) -> str:
    return query if listed is not None and listed.is_list else variables.text(query, url.place)


def _joined(url: SourceNode) -> str:
    protocol = url.get("protocol")
    before = f"{protocol.text()}://" if protocol and protocol.text() else ""
    port = url.get("port")
    after = f":{port.text()}" if port and port.text() else ""
    path = _part(url.get("path"), "/")
    return f"{before}{_part(url.get('host'), '.')}{after}{'/' if path else ''}{path}"


def _part(node: SourceNode | None, between: str) -> str:
    if node is None:
        return ""
    parts = (one.get("value") or one if one.is_mapping else one for one in node.each())
    return between.join(one.text() for one in parts).lstrip("/")


def _pairs(listed: SourceNode, variables: PostmanVariables) -> Iterator[str]:
    for one in listed.each():
        one.take("description")
        is_off = one.take_whole("disabled")
        key, value = one.take("key"), one.take("value")
        for extra in ("equals", "type", "name", "enabled", "id", "uuid"):
            one.take_whole(extra)
        if is_off is True or key is None:
            continue
        name = variables.text(key.text(), one.place)
        if value is None or value.scalar is None:
            yield name
        else:
            yield f"{name}={_escaped(variables.text(value.text(), one.place))}"


def _escaped(value: str) -> str:
    """Escape what would end a value of a query; Postman does the same."""
    parts = re.split(r"(\$\{[^}]*\})", value)
    escape = {"&": "%26", "#": "%23", " ": "%20"}
    return "".join(
        one if one.startswith("${") else "".join(escape.get(char, char) for char in one)
        for one in parts
    )


def _with_path_variables(base: str, url: SourceNode) -> str:
    """Put the values of `:id` into a path; one without a value stays as it is written."""
    values: dict[str, str] = {}
    listed = url.take("variable")
    for one in listed.each() if listed is not None and listed.is_list else ():
        for extra in ("description", "type", "disabled", "name"):
            one.take_whole(extra)
        key, identity, value = one.take("key"), one.take("id"), one.take("value")
        key = key or identity
        if key is not None and value is not None and value.text():
            values[key.text()] = value.text()

    def put(found: re.Match[str]) -> str:
        return f"/{values.get(found[1], found[0][1:])}"

    return re.sub(r"/:([\w.-]+)(?=/|$)", put, base)


def _address(url: str, node: SourceNode, variables: PostmanVariables) -> str:
    """Return a URL as Postman completes it: `http://` where it says nothing."""
    raw = node.get("raw") if node.is_mapping else node
    text = raw.text() if raw is not None else ""
    url = re.sub(r"^https?:///?(?=/|$)", "", url.strip())
    whole = _WHOLE_ORIGIN.match(url)
    given = BRACES.match(text.strip())
    if not url or url.startswith("/"):
        words = "the URL of a request"
        variables.ledger.add("host", words, node.place).needs_you("it names no server: write one")
        return f"http://localhost{url or '/'}"
    if _SCHEME.match(url):
        return url
    if whole is not None and given is not None:
        value = variables.value_of(given[1].strip())
        if variables.names_no_host(given[1].strip()):
            return url
        if (value or "").startswith("/") and not (value or "").startswith("//"):
            variables.ledger.add("host", "the URL of a request", node.place).needs_you(
                "it names no server: write one"
            )
            return f"http://localhost{url}"
        if value in (None, "") or _SCHEME.match(value or "") or (value or "")[:2] == "{{":
            return url
    return f"http://{url}"


def _headers(listed: SourceNode | None, variables: PostmanVariables) -> Keys:
    if listed is None:
        return {}
    if not listed.is_list:
        return dict(_header_lines(listed.text(), listed.place, variables))
    found: dict[str, object] = {}
    for one in listed.each():
        for extra in ("description", "name", "type", "enabled", "system", "uuid", "warning", "id"):
            one.take_whole(extra)
        is_off = one.take_whole("disabled")
        key, value = one.take("key"), one.take("value")
        name = variables.text(key.text().strip(), one.place) if key is not None else ""
        if is_off is True or not name or name.lower() in _CLIENTS_OWN:
            continue
        text = variables.text(value.text() if value is not None else "", one.place)
        text = " ".join(text.split("\n")).strip()
        before = next((had for had in found if had.lower() == name.lower()), None)
        found[before or name] = f"{found[before]}, {text}" if before else text
    return found


def _header_lines(
    text: str, place: SourcePlace, variables: PostmanVariables
) -> Iterator[tuple[str, object]]:
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip().lower() not in _CLIENTS_OWN:
            yield name.strip(), variables.text(value.strip(), place)
