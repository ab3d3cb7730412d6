"""Sessions of httpx: requests that begin with the same URL, headers and tags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from planrunner.importers.formats.k6.code.calls import NativeCall
from planrunner.importers.formats.k6.code.expressions import text_value
from planrunner.importers.formats.k6.state.objects import JsSession
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsConst,
    JsObject,
    JsReply,
    JsUnknown,
    JsValue,
)
from planrunner.importers.formats.k6.steps.params import plain_text
from planrunner.importers.formats.k6.steps.requests import send, send_all

__all__ = ["SESSIONS"]

_VERBS: Final = ("get", "post", "put", "patch", "delete", "del", "head", "options")


def _new(call: NativeCall) -> JsValue:
    given = call.argument(0)
    entries = dict(given.entries) if isinstance(given, JsObject) else {}
    base = entries.pop("baseURL", UNDEFINED)
    return JsSession(base, JsObject(entries))


def _own(call: NativeCall) -> JsSession:
    assert isinstance(call.of, JsSession), "a method of a session"
    return call.of


def _request(call: NativeCall) -> JsValue:
    """Read `session.get(path, body, params)`."""
    given = list(call.arguments)
    verb = call.name
    if verb in ("request", "asyncRequest"):
        verb = str(plain_text(given.pop(0) if given else UNDEFINED)).lower()
    url, body, params = [*given, UNDEFINED, UNDEFINED, UNDEFINED][:3]
    return _send(call, {"del": "delete"}.get(verb, verb), url, body, params)


def _send(call: NativeCall, verb: str, url: JsValue, body: JsValue, params: JsValue) -> JsReply:
    session = _own(call)
    is_whole = isinstance(url, JsConst) and str(url.value).startswith(("http://", "https://"))
    has_base = not (isinstance(session.base, JsConst) and session.base.value is None)
    if has_base and not is_whole and not isinstance(url, JsUnknown):
        url = text_value([session.base, url])
    entries = dict(session.params.entries)
    for name, one in params.entries.items() if isinstance(params, JsObject) else ():
        before = entries.get(name)
        if isinstance(before, JsObject) and isinstance(one, JsObject):
            entries[name] = JsObject({**before.entries, **one.entries})
        else:
            entries[name] = one
    return send(call, verb, url, body, JsObject(entries))


def _batch(call: NativeCall) -> JsValue:
    return send_all(call, call.argument(0), _send)


def _prepared(call: NativeCall) -> JsValue:
    """Read `new Get(path, body, params)`, which a batch sends."""
    url, body, params = (call.argument(number) for number in range(3))
    verb = JsConst(call.name.lower())
    return JsObject({"method": verb, "url": url, "body": body, "params": params})


def _add(call: NativeCall) -> JsValue:
    """Read `addHeader`, `addHeaders`, `addTag`, `addTags`."""
    params = _own(call).params.entries
    kind = "headers" if "Header" in call.name else "tags"
    before = params.get(kind)
    entries = dict(before.entries) if isinstance(before, JsObject) else {}
    first = call.argument(0)
    if isinstance(first, JsObject):
        entries.update(first.entries)
    else:
        entries[str(plain_text(first))] = call.argument(1)
    params[kind] = JsObject(entries)
    return UNDEFINED


def _clear(call: NativeCall) -> JsValue:
    before = _own(call).params.entries.get("headers")
    if isinstance(before, JsObject):
        before.entries.pop(str(plain_text(call.argument(0))), None)
    return UNDEFINED


def _base(call: NativeCall) -> JsValue:
    _own(call).base = call.argument(0)
    return UNDEFINED


SESSIONS: Final[dict[str, Callable[[NativeCall], JsValue]]] = {
    "httpx.Httpx": _new,
    **{f"httpx.{verb.capitalize()}": _prepared for verb in _VERBS},
    **{f"Session.{verb}": _request for verb in (*_VERBS, "request", "asyncRequest")},
    "Session.batch": _batch,
    **{f"Session.{name}": _add for name in ("addHeader", "addHeaders", "addTag", "addTags")},
    "Session.clearHeader": _clear,
    "Session.setBaseUrl": _base,
}
