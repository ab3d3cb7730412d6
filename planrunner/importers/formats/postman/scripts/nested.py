"""`pm.sendRequest({…}, (error, reply) => { … })`: a request that a script sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.postman.scripts.values import ValueReader, as_text
from planrunner.importers.javascript.chains import bare, chain_of
from planrunner.importers.javascript.constants import NOT_CONSTANT
from planrunner.importers.javascript.script import text_of
from planrunner.importers.shaping.requests import VERBS
from planrunner.importers.templates import literal

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["nested_request"]

_KNOWN: Final = frozenset({"url", "method", "header", "headers", "body"})


def nested_request(node: Node, values: ValueReader) -> Keys | None:
    """Return the request of a script; None where a plan can't say all of it."""
    asked = _Plain(values).read(values.condition(bare(node)))
    if isinstance(asked, str):
        return {"get": asked}
    if not isinstance(asked, dict) or not set(asked) <= _KNOWN:
        return None
    verb, url = str(asked.get("method", "GET")).lower(), asked.get("url")
    headers, body = _pairs(asked.get("headers", asked.get("header", {}))), asked.get("body")
    if verb not in VERBS or not isinstance(url, str) or headers is None:
        return None
    sent = _body(body, headers)
    if sent is None:
        return None
    return {verb: url, **({"headers": headers} if headers else {}), **sent}


class _Plain:
    """Reads an object as a plan has it: mappings, lists, texts with `${…}`."""

    def __init__(self, values: ValueReader) -> None:
        self._values = values

    def read(self, node: Node) -> object:
        """Return a value; `NOT_CONSTANT` where an expression in it is none of a plan."""
        node = bare(node)
        constant = self._values.constant(node)
        if constant is not NOT_CONSTANT:
            return _escaped(constant)
        if node.type == "object":
            return self._object(node)
        if node.type == "array":
            items = [self.read(one) for one in node.named_children if one.type != "comment"]
            return NOT_CONSTANT if NOT_CONSTANT in items else items
        if node.type == "call_expression" and chain_of(node).path == "JSON.stringify":
            inner = self.read(chain_of(node).arguments[0]) if chain_of(node).arguments else None
            if isinstance(inner, dict | list):
                return {"": inner}
        value = self._values.value(node)
        text = as_text(value) if value is not None else None
        return NOT_CONSTANT if text is None else text

    def _object(self, node: Node) -> object:
        found: dict[str, object] = {}
        for pair in node.named_children:
            key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
            if pair.type == "comment":
                continue
            if pair.type != "pair" or key is None or value is None:
                return NOT_CONSTANT
            found[text_of(key).strip("'\"`")] = self.read(value)
        return NOT_CONSTANT if NOT_CONSTANT in found.values() else found


def _escaped(value: object) -> object:
    if isinstance(value, dict):
        return {key: _escaped(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_escaped(one) for one in value]
    return literal(value) if isinstance(value, str) else value


def _pairs(listed: object) -> Keys | None:
    """Return headers or fields: a mapping, or a list of `{key, value}` or of `A: b`."""
    if isinstance(listed, str):
        listed = [listed]
    if isinstance(listed, dict):
        return {str(key): str(value) for key, value in listed.items()}
    found: Keys = {}
    for one in listed if isinstance(listed, list) else [None]:
        if isinstance(one, str) and ":" in one:
            name, _, value = one.partition(":")
            found[name.strip()] = value.strip()
        elif isinstance(one, dict) and "key" in one and not one.get("disabled"):
            found[str(one["key"])] = str(one.get("value", ""))
        elif not isinstance(one, dict):
            return None
    return found


def _body(body: object, headers: Keys) -> Keys | None:
    if body is None:
        return {}
    if isinstance(body, str):
        body = {"mode": "raw", "raw": body}
    mode = body.get("mode", "raw") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not set(body) <= {"mode", "options", str(mode)}:
        return None
    given = body.get(str(mode), "")
    if mode == "urlencoded":
        fields = _pairs(given) if not isinstance(given, str) else None
        return {"form": fields} if fields is not None else None
    if mode != "raw":
        return None
    if isinstance(given, dict) and set(given) == {""}:  # what `JSON.stringify` was given
        kind = next((name for name in headers if name.lower() == "content-type"), None)
        if kind is not None and str(headers[kind]).startswith("application/json"):
            del headers[kind]
        return {"json": given[""]}
    return {"body": given} if isinstance(given, str) else None
