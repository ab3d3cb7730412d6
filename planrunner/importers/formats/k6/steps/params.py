"""Parameters of requests: headers, tags, time limits, and what replies are accepted."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.k6.code.calls import NativeCall
from planrunner.importers.formats.k6.state.machine import NoStepSays
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsArray,
    JsConst,
    JsExpr,
    JsObject,
    JsOp,
    JsUnknown,
    JsValue,
    plain,
)
from planrunner.importers.formats.k6.terms.texts import is_text, plan_text, plan_value
from planrunner.importers.reading.quantities import read_seconds, seconds

__all__ = [
    "add_params",
    "handshake",
    "name_of_tags",
    "plain_text",
    "statuses_of",
    "take_params",
]


_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NO_BODY: Final = "a text instead of parameters: k6 ignores it, as `http.get` has no body"


def plain_text(value: JsValue) -> object:
    """Return a text that is known beforehand."""
    try:
        return plain(value, unset=True)
    except LookupError:
        raise NoStepSays("a method that is known only when the plan runs") from None


def name_of_tags(keys: Keys) -> None:
    """Make the tag `name` the name of a request."""
    tags = keys.get("tags")
    if isinstance(tags, dict):
        name = tags.pop("name", None)
        if name is not None:
            keys["name"] = str(name)
        if not tags:
            del keys["tags"]


def take_params(call: NativeCall, keys: Keys, params: JsValue) -> None:
    """Add the parameters of a request to its keys."""
    if isinstance(params, JsConst) or is_text(params) or isinstance(params, JsOp):
        if isinstance(params, JsOp) or is_text(params):
            place = call.scope.module.place(call.node)
            call.machine.finding("argument", "parameters", place, "suspicious", _NO_BODY)
        return
    if isinstance(params, JsUnknown):
        raise NoStepSays(params.why)
    if not isinstance(params, JsObject) or params.name:
        raise NoStepSays("parameters of a request that only the run knows")
    for name, value in params.entries.items():
        take = _PARAMS.get(name)
        if take is None:
            call.change(f"`{name}` of a request has no counterpart")
        elif not (
            isinstance(value, JsConst) and value.value is None and name != "responseCallback"
        ):
            take(call, keys, value)


def handshake(call: NativeCall, keys: Keys, more: list[JsValue]) -> None:
    """Add what a WebSocket is opened with: subprotocols and parameters."""
    protocols, params = [*more, UNDEFINED, UNDEFINED][:2]
    if isinstance(protocols, JsArray):
        keys["subprotocols"] = plan_value(protocols, call.machine)
    elif isinstance(protocols, JsConst) and protocols.value:
        keys["subprotocols"] = [plan_text(protocols, call.machine)]
    if isinstance(params, JsObject):
        shown = {name: one for name, one in params.entries.items() if name != "compression"}
        add_params(call, keys, JsObject(shown))


def add_params(call: NativeCall, keys: Keys, params: JsObject) -> None:
    """Add tags, headers, the time limit and the name of a call."""
    take_params(call, keys, params)
    name_of_tags(keys)


def _headers(call: NativeCall, keys: Keys, value: JsValue) -> None:
    if not isinstance(value, JsObject) or value.name:
        raise NoStepSays("headers that only the run knows")
    if not all(_HEADER.fullmatch(name) for name in value.entries):
        raise NoStepSays("a header whose name is not one")
    keys["headers"] = {
        name: plan_text(one, call.machine)
        for name, one in value.entries.items()
        if not (isinstance(one, JsConst) and one.value is None)
    }
    if not keys["headers"]:
        del keys["headers"]


def _tags(call: NativeCall, keys: Keys, value: JsValue) -> None:
    if not isinstance(value, JsObject):
        raise NoStepSays("tags that only the run knows")
    tags: Keys = {}
    for name, one in value.entries.items():
        tags[name] = plan_text(one, call.machine)
        call.machine.tags.setdefault(name, set()).add(str(tags[name]))
    keys["tags"] = tags


def _timeout(call: NativeCall, keys: Keys, value: JsValue) -> None:
    try:
        known = plain(value, unset=True)
    except LookupError:
        call.change("its timeout is not in the plan: only the run knows it")
        return
    time = read_seconds(known) if isinstance(known, str) and not known.isdigit() else None
    if time is None and isinstance(known, str | int | float):
        time = Fraction(str(known)) / 1000
    if time is None or time <= 0:
        call.change("its timeout is not in the plan")
        return
    keys["timeout"] = seconds(time)


def _redirects(call: NativeCall, keys: Keys, value: JsValue) -> None:
    if isinstance(value, JsConst) and value.value == 0:
        keys["follow_redirects"] = False
    elif isinstance(value, JsConst) and int(value.value or 0) < 10:
        call.change("redirects are followed without this limit")


def _cookies(call: NativeCall, keys: Keys, value: JsValue) -> None:
    if not isinstance(value, JsObject):
        raise NoStepSays("cookies that only the run knows")
    pairs = []
    for name, one in value.entries.items():
        inner = one.entries.get("value", one) if isinstance(one, JsObject) else one
        pairs.append(f"{name}={plan_text(inner, call.machine)}")
    headers = keys.setdefault("headers", {})
    assert isinstance(headers, dict), "headers are a mapping"
    headers["Cookie"] = "; ".join(pairs)


def _callback(call: NativeCall, keys: Keys, value: JsValue) -> None:
    if isinstance(value, JsConst):
        keys["expect"] = {"status": ["2xx", "3xx", "4xx", "5xx"]}
    elif isinstance(value, JsExpr) and value.kind == "statuses":
        keys["expect"] = {"status": statuses_of(value.text)}
    else:
        call.change("its `responseCallback` is not in the plan")


def statuses_of(text: str) -> object:
    """Return statuses as `expect` has them."""
    found = [int(one) if one.isdigit() else one for one in text.split()]
    return found[0] if len(found) == 1 else found


def _nothing(call: NativeCall, keys: Keys, value: JsValue) -> None:
    """What is about how k6 keeps a reply, or its cookies, which a user of a plan has too."""
    del call, keys, value


def _auth(call: NativeCall, keys: Keys, value: JsValue) -> None:
    del keys, value
    call.change("`auth` is not in the plan: write `auth: {basic: {username, password}}`")


_TakeParam = Callable[[NativeCall, Keys, JsValue], None]
_PARAMS: Final[dict[str, _TakeParam]] = {
    "headers": _headers,
    "tags": _tags,
    "timeout": _timeout,
    "redirects": _redirects,
    "cookies": _cookies,
    "responseCallback": _callback,
    "jar": _nothing,
    "responseType": _nothing,
    "auth": _auth,
}
