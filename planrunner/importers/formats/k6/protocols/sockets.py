"""WebSockets of a script: how they are opened, and their methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.k6.code.calls import NativeCall
from planrunner.importers.formats.k6.protocols.conversations import hold
from planrunner.importers.formats.k6.state.machine import NoStepSays
from planrunner.importers.formats.k6.state.objects import JsSocket
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsConst,
    JsFile,
    JsFunction,
    JsOp,
    JsReply,
    JsUnknown,
    JsValue,
    plain,
)
from planrunner.importers.formats.k6.steps.params import handshake
from planrunner.importers.formats.k6.steps.requests import unset_hosts, with_scheme
from planrunner.importers.formats.k6.terms.texts import env_param, plan_text, plan_value

__all__ = ["SOCKETS"]


def _connect(call: NativeCall) -> JsValue:
    """Read `ws.connect(url, params, function)` of k6/ws, which lasts until the socket is closed."""
    given = list(call.arguments)
    function = given.pop() if isinstance(given[-1] if given else None, JsFunction) else UNDEFINED
    socket, reply = _opened(call, given[0] if given else UNDEFINED, [UNDEFINED, *given[1:]])
    if isinstance(function, JsFunction):
        call.run(function, [socket])
    hold(socket, call)
    return reply


def _new(call: NativeCall) -> JsValue:
    """Read `new WebSocket(url)`: its handlers run when the function has ended."""
    socket, _ = _opened(call, call.argument(0), call.arguments[1:])
    socket.gives_events = True
    call.machine.sockets.append(socket)
    return socket


def _opened(call: NativeCall, url: JsValue, more: list[JsValue]) -> tuple[JsSocket, JsReply]:
    machine = call.machine
    if isinstance(url, JsUnknown):
        raise NoStepSays(url.why)
    for env, default in unset_hosts(url, "ws"):
        env_param(env.name, default, machine)
        machine.unset_hosts[env.name] = call.scope.module.place(call.node)
    keys: Keys = {"url": with_scheme(call, plan_text(url, machine), "ws")}
    socket = JsSocket()
    if machine.sockets:
        socket.name = machine.name("socket")
        keys["on"] = socket.name
    handshake(call, keys, more)
    step = machine.emit({"ws.connect": keys}, call.node, call.scope)
    reply = JsReply(step, machine.lists[-1], action="ws.connect")
    machine.last = None
    machine.sent += 1
    return socket, reply


def _socket(call: NativeCall) -> JsSocket:
    assert isinstance(call.of, JsSocket), "a method of a socket"
    return call.of


def _on(call: NativeCall) -> JsValue:
    """Read `socket.on(event, function)` and `addEventListener`."""
    event, function = call.argument(0), call.argument(1)
    if not isinstance(event, JsConst) or not isinstance(function, JsFunction):
        raise NoStepSays("a handler that only the run knows")
    socket = _socket(call)
    socket.handlers.setdefault(str(event.value), []).append(function)
    return UNDEFINED


def _send(call: NativeCall) -> JsValue:
    value = call.argument(0)
    if isinstance(value, JsUnknown):
        raise NoStepSays(value.why)
    keys: Keys
    if isinstance(value, JsOp) and value.sign == "json":
        keys = {"json": plan_value(value.operands[0], call.machine)}
    elif isinstance(value, JsFile):
        keys = {"file": value.name}
    else:
        keys = {"text": plan_text(value, call.machine)}
    name = _socket(call).name
    said: object = {**keys, "on": name} if name else keys.get("text", keys)
    call.machine.emit({"ws.send": said}, call.node, call.scope)
    return UNDEFINED


def _close(call: NativeCall) -> JsValue:
    socket = _socket(call)
    if socket.is_closed and not call.machine.lists[-1]:
        return UNDEFINED
    keys: Keys = {"on": socket.name} if socket.name else {}
    code = call.argument(0)
    if isinstance(code, JsConst) and isinstance(code.value, int) and code.value != 1000:
        keys["code"] = code.value
    call.machine.emit({"ws.close": keys}, call.node, call.scope)
    socket.is_closed = True
    return UNDEFINED


def _timer(call: NativeCall) -> JsValue:
    """Read `socket.setInterval(function, milliseconds)` and `setTimeout`, those of all too."""
    machine = call.machine
    socket = call.of if isinstance(call.of, JsSocket) else None
    if socket is None and machine.sockets:
        socket = machine.sockets[-1]
    function, after = call.argument(0), call.argument(1)
    try:
        length = plain(after, unset=True)
    except LookupError:
        length = None
    if isinstance(length, bool) or not isinstance(length, int | float):
        raise NoStepSays("a timer whose length only the run knows: write `think` and the steps")
    if socket is not None:
        socket.timers.append((call.name, float(length), function, call))
        return UNDEFINED
    if call.name == "setInterval":
        raise NoStepSays("a timer without an end: write `repeat` with `think`")
    if length > 0:
        machine.emit({"think": f"{length / 1000:g}s"}, call.node, call.scope)
    return call.run(function, [])


def _ping(call: NativeCall) -> JsValue:
    _socket(call).pings.append(call)
    return UNDEFINED


def _nothing(call: NativeCall) -> JsValue:
    """What ends with the connection."""
    del call
    return UNDEFINED


SOCKETS: Final[dict[str, Callable[[NativeCall], JsValue]]] = {
    "ws.connect": _connect,
    "websockets.WebSocket": _new,
    "Socket.on": _on,
    "Socket.addEventListener": _on,
    "Socket.send": _send,
    "Socket.sendBinary": _send,
    "Socket.close": _close,
    "Socket.ping": _ping,
    "Socket.setInterval": _timer,
    "Socket.setTimeout": _timer,
    "setInterval": _timer,
    "setTimeout": _timer,
    "timers.setTimeout": _timer,
    "timers.setInterval": _timer,
    **dict.fromkeys(("clearTimeout", "clearInterval", "timers.clearTimeout"), _nothing),
    "timers.clearInterval": _nothing,
}
