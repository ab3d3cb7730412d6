"""Calls of a Locust client → request steps."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Final

from planrunner.importers.draft import DraftStep, Keys
from planrunner.importers.formats.locust.code.expressions import (
    expression,
    mapping_by_key,
    text_of,
    value,
)
from planrunner.importers.formats.locust.code.mappings import known_keys, source_of
from planrunner.importers.formats.locust.code.module import dotted
from planrunner.importers.formats.locust.code.names import LocustNames, Unsayable
from planrunner.importers.formats.locust.steps.uploads import multipart

__all__ = ["client_call", "request_step"]

_VERBS: Final = ("get", "post", "put", "patch", "delete", "head", "options")
_CLIENTS: Final = ("client", "user.client", "parent.client", "locust.client")


def client_call(node: ast.expr, names: LocustNames) -> ast.Call | None:
    """Return code that sends a request, with the user's client or another, else None."""
    if isinstance(node, ast.Await):
        node = node.value
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return None
    if node.func.attr not in (*_VERBS, "request"):
        return None
    clients = {f"{names.own}.{client}" for client in _CLIENTS} | {"client"}
    is_client = dotted(node.func.value) in clients or _is_other(node.func, names)
    return node if is_client else None


def _is_other(func: ast.Attribute, names: LocustNames) -> bool:
    """Say whether code calls a client that is no user's: its requests are in no report."""
    return names.module.full_name(func.value) in ("requests", "httpx")


def request_step(node: ast.Call, names: LocustNames) -> DraftStep:
    """Return the step that a call sends.

    Raises:
        Unsayable: Something of it can't be said.
    """
    assert isinstance(node.func, ast.Attribute), "`client_call` has looked"
    arguments = list(node.args)
    verb = node.func.attr
    given = {one.arg: one.value for one in node.keywords if one.arg}
    if verb == "request":
        method = arguments.pop(0) if arguments else given.pop("method", None)
        verb = text_of(method, names).lower()
        if verb not in _VERBS:
            raise Unsayable(node, f"planrunner has no method `{verb}`")
    url = arguments.pop(0) if arguments else given.pop("url", None) or given.pop("path", None)
    for position, argument in enumerate(arguments):  # post(url, data, json), get(url, params)
        usual = ("data", "json") if verb in ("post", "put", "patch") else ("params",)
        if position < len(usual):
            given.setdefault(usual[position], argument)
    body: Keys = {verb: _path(text_of(url, names))}
    _take_keywords(body, given, node, names)
    if names.has_user and _is_other(node.func, names):
        body["measure"] = False
        how = "it has the user's cookies and headers, which another client has not"
        names.module.change_once(how, node)
    if any(one.arg is None for one in node.keywords):
        names.module.change("what `**` adds to the request is not in the plan", node)
    return DraftStep(body, origin=names.module.place(node))


def _take_keywords(
    body: Keys, given: dict[str, ast.expr], node: ast.Call, names: LocustNames
) -> None:
    verb = next(iter(body))
    for name, argument in sorted(given.items(), key=lambda one: one[0] == "files"):
        take = _KEYWORDS.get(name)
        if take is None:
            names.module.change(f"`{name}` of a request is not in the plan", node)
        elif not (isinstance(argument, ast.Constant) and argument.value is None):
            take(body, argument, names, verb)


def _path(url: str) -> str:
    return url if url.startswith(("/", "http://", "https://", "$")) else f"/{url}"


_TakeKeyword = Callable[[Keys, ast.expr, LocustNames, str], None]


def _key(key: str) -> _TakeKeyword:
    def take(body: Keys, node: ast.expr, names: LocustNames, _: str) -> None:
        body[key] = value(node, names)

    return take


def _name(body: Keys, node: ast.expr, names: LocustNames, verb: str) -> None:
    body["name"] = f"{verb.upper()} {text_of(node, names)}"


def _data(body: Keys, node: ast.expr, names: LocustNames, _: str) -> None:
    found = value(node, names)
    if isinstance(found, dict):
        body["form"] = _as_python_says(found)
    else:
        body["body"] = found


def _as_python_says(values: dict[str, object]) -> Keys:
    """Return values as Python writes them into text: `True`, and nothing for None."""
    return {
        name: str(one) if isinstance(one, bool) else one
        for name, one in values.items()
        if one is not None
    }


def _timeout(body: Keys, node: ast.expr, names: LocustNames, _: str) -> None:
    if isinstance(node, ast.Tuple) and node.elts:
        names.module.change("of two timeouts the longer one is kept", node)
        node = node.elts[-1]
    seconds = source_of(node, names)
    if isinstance(seconds, ast.Constant) and isinstance(seconds.value, int | float):
        body["timeout"] = f"{seconds.value:g}s"
        return
    said = text_of(node, names)
    if re.fullmatch(r"\$\{(\w+)\}", said) and said[2:-1] in names.params:
        body["timeout"] = said
    else:
        names.module.change("a timeout that is computed while it runs is not in the plan", node)


def _auth(body: Keys, node: ast.expr, names: LocustNames, _: str) -> None:
    match node:
        case ast.Tuple(elts=[user, password]):
            pair = {"username": text_of(user, names), "password": text_of(password, names)}
            body["auth"] = {"basic": pair}
        case _:
            raise Unsayable(node, "an `auth` object; see `auth:` of a request")


def _redirects(body: Keys, node: ast.expr, _: LocustNames, __: str) -> None:
    if isinstance(node, ast.Constant) and node.value is False:
        body["follow_redirects"] = False


def _cookies(body: Keys, node: ast.expr, names: LocustNames, _: str) -> None:
    cookies = value(node, names)
    if not isinstance(cookies, dict):
        raise Unsayable(node, "cookies that are computed")
    headers = body.setdefault("headers", {})
    assert isinstance(headers, dict), "headers are a mapping"
    headers["Cookie"] = "; ".join(f"{name}={one}" for name, one in cookies.items())


def _files(body: Keys, node: ast.expr, names: LocustNames, _: str) -> None:
    parts = multipart(node, names)
    form = body.pop("form", {})
    assert isinstance(form, dict), "`_data` makes it"
    body["multipart"] = {**form, **parts}


def _headers(body: Keys, node: ast.expr, names: LocustNames, _: str) -> None:
    found = _entries(node, names)
    if found is None:
        raise Unsayable(node, "headers that are computed as a whole")
    headers = body.setdefault("headers", {})
    assert isinstance(headers, dict), "headers are a mapping"
    headers.update({str(name): one if one is None else str(one) for name, one in found.items()})


def _entries(node: ast.expr, names: LocustNames) -> Keys | None:
    """Return a mapping by its keys, where the code says which these are."""
    source = source_of(node, names)
    if isinstance(source, ast.Dict):
        found = value(source, names)
        return found if isinstance(found, dict) else None
    if isinstance(source, ast.BoolOp) and isinstance(source.op, ast.Or):
        names.module.change("of `or` the first mapping is taken", node)
        return _entries(source.values[0], names)
    known = known_keys(source, names)
    return None if known is None else mapping_by_key(source, known, names)


def _params(body: Keys, node: ast.expr, names: LocustNames, verb: str) -> None:
    known = known_keys(node, names)
    found = _entries(node, names) if known is None or all(known.values()) else None
    if found is not None:
        body["query"] = _as_python_says(found)
        return
    url = str(body[verb])
    body.setdefault("name", f"{verb.upper()} {url}")
    body[verb] = f"{url}{'&' if '?' in url else '?'}${{{expression(node, names)} | urlencode}}"


def _nothing(_: Keys, __: ast.expr, ___: LocustNames, ____: str) -> None:
    """What is read elsewhere, or is about how Python gets the reply."""


def _verify(_: Keys, node: ast.expr, names: LocustNames, __: str) -> None:
    if isinstance(node, ast.Constant) and node.value is False:
        names.unverified = True


_KEYWORDS: Final[dict[str, _TakeKeyword]] = {
    "name": _name,
    "params": _params,
    "json": _key("json"),
    "data": _data,
    "headers": _headers,
    "timeout": _timeout,
    "auth": _auth,
    "allow_redirects": _redirects,
    "cookies": _cookies,
    "files": _files,
    "verify": _verify,
    "catch_response": _nothing,
    "stream": _nothing,
}
