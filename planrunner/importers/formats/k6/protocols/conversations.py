"""A socket whose handlers are known → a conversation of `ws.*` steps, in the order of time."""

from __future__ import annotations

from dataclasses import field
from typing import Final

from planrunner.importers.draft import DraftStep, Keys
from planrunner.importers.formats.k6.code.calls import NativeCall, invoke
from planrunner.importers.formats.k6.code.scoping import assigned_names, promote_all
from planrunner.importers.formats.k6.state.machine import K6Machine, NoStepSays
from planrunner.importers.formats.k6.state.objects import JsSocket
from planrunner.importers.formats.k6.state.values import (
    JsFunction,
    JsObject,
    JsPart,
    JsReply,
    JsUnknown,
    JsValue,
)
from planrunner.importers.javascript.script import text_of, walk
from planrunner.values import dataclass

__all__ = ["hold", "run_sockets"]

_MOST_EVENTS: Final = 60
_MOST_WAITING: Final = 100_000
"""Messages that may come while nobody awaits them; 1000 by default."""
_UNREAD: Final = (
    "messages that the plan does not await are counted as `unmatched`: await one with `ws.receive`"
)
_FIRST: Final = "the first message is checked, and awaited; others are counted as `unmatched`"
_UNANSWERED: Final = "answers at any time: await each message with `ws.receive`, then send"
_OPEN_END: Final = (
    "the server ends this connection, or the end of the test: write how long it lasts with `think`"
)
_LATE: Final = "a message that does not come in this time is a failure"
_FAILED: Final = "what runs when a connection fails: the step is a failure of its own"
_PINGS: Final = "planrunner pings by itself, every 30 s: see `ws.ping`"
_LOGS: Final = ("console.", "JSON.stringify(")


def run_sockets(machine: K6Machine, call: NativeCall) -> None:
    """Write what the sockets of a function do that has ended."""
    while machine.sockets:
        hold(machine.sockets[0], call)
        machine.sockets.pop(0)


@dataclass(slots=True)
class _Conversation:
    """A socket whose steps are being written."""

    socket: JsSocket
    call: NativeCall
    late: list[NativeCall] = field(default_factory=list)

    @property
    def machine(self) -> K6Machine:
        """The state of reading."""
        return self.call.machine

    def written(self, function: JsValue, *arguments: JsValue) -> tuple[list[DraftStep], bool]:
        """Return the steps of a handler, and whether it closes the socket."""
        self.socket.is_closed = False
        with self.machine.branch() as steps:
            invoke(function, list(arguments), self.call.node, self.call.scope, self.machine)
        return steps, self.socket.is_closed

    def add(self, steps: list[DraftStep]) -> None:
        """Write steps of a handler."""
        self.machine.lists[-1].extend(steps)

    def think(self, milliseconds: float) -> None:
        """Write a pause."""
        if milliseconds > 0:
            length = f"{milliseconds / 1000:g}s" if milliseconds >= 1000 else f"{milliseconds:g}ms"
            self.machine.lists[-1].append(DraftStep({"think": length}))

    def close(self) -> None:
        """Close the socket."""
        self.machine.lists[-1].append(DraftStep({"ws.close": self.keys({})}))

    def keys(self, keys: Keys) -> Keys:
        """Return the keys of a step, with the name of the connection."""
        return {**keys, "on": self.socket.name} if self.socket.name else keys


def hold(socket: JsSocket, call: NativeCall) -> None:
    """Write a conversation: what is sent at first, what is awaited, what is sent later."""
    talk = _Conversation(socket, call)
    is_closed = False
    for one in socket.handlers.get("open", []):
        steps, closes = talk.written(one, JsObject())
        talk.add(steps)
        is_closed = is_closed or closes
    if not is_closed:
        is_closed = _messages(talk)
    if not is_closed:
        is_closed = _timeline(talk)
    for late in talk.late:
        late.change(_LATE)
    if not is_closed:
        talk.close()
        call.change(_OPEN_END)
    _ended(talk)


def _ended(talk: _Conversation) -> None:
    socket, machine = talk.socket, talk.machine
    for one in socket.pings:
        one.change(_PINGS)
    for one in socket.handlers.get("close", []):
        talk.add(talk.written(one, JsObject())[0])
    for name in ("error", "ping", "pong"):
        for one in socket.handlers.get(name, []):
            for construct in one.scope.module.within(one.node):
                if construct.words.startswith(_LOGS):
                    construct.translated()
                else:
                    construct.left_out(_FAILED)
    machine.last = None


def _messages(talk: _Conversation) -> bool:
    """Write what waits for messages; returns whether one of them closes the socket."""
    handlers = [
        *talk.socket.handlers.get("message", []),
        *talk.socket.handlers.get("binaryMessage", []),
    ]
    acting = [one for one in handlers if _calls(one, "close")]
    for one in handlers:
        if one in acting:
            continue
        if _calls(one, "send"):
            talk.machine.leave_out(one.scope.module, _UNANSWERED, one.node)
        elif _calls(one, "check", "expect"):
            talk.add(_awaited(talk, one)[0])
            _change_calls(talk, one)
        else:
            talk.machine.leave_out(one.scope.module, _UNREAD, one.node)
            talk.machine.ws["max_queue"] = _MOST_WAITING
        _forget(one)
    if len(acting) != 1 or any(kind == "setInterval" for kind, *_ in talk.socket.timers):
        for one in acting:
            talk.machine.leave_out(one.scope.module, _UNANSWERED, one.node)
            _forget(one)
        return False
    _conversation(talk, acting[0])
    return True


def _change_calls(talk: _Conversation, handler: JsFunction) -> None:
    del talk
    for construct in handler.scope.module.within(handler.node):
        if construct.words.startswith(("check(", "expect(")):
            construct.changed(_FIRST)


def _calls(function: JsFunction, *names: str, depth: int = 0) -> bool:
    """Say whether code calls something of these names, itself or in functions that it calls."""
    for one in walk(function.node):
        if one.type != "call_expression":
            continue
        callee = one.child_by_field_name("function")
        name = text_of(callee).rpartition(".")[2] if callee is not None else ""
        if name in names:
            return True
        known = function.scope.find(name) if depth < 4 else None
        value = known.value if known is not None else None
        if isinstance(value, JsFunction) and _calls(value, *names, depth=depth + 1):
            return True
    return False


def _forget(handler: JsFunction) -> None:
    """Make names unknown that only code sets which is not in the plan."""
    for name in assigned_names([handler.node]):
        found = handler.scope.find(name)
        if found is not None:
            found.value, found.name = JsUnknown("it is set when messages come"), ""


def _awaited(talk: _Conversation, handler: JsFunction) -> tuple[list[DraftStep], bool]:
    """Return the steps of one message: that it is awaited, and what is done with it."""
    machine = talk.machine
    step = DraftStep({"ws.receive": talk.keys({})}, origin=handler.scope.module.place(handler.node))
    talk.socket.is_closed = False
    with machine.branch() as steps:
        steps.append(step)
        reply = machine.last = JsReply(step, steps, action="ws.receive")
        body = JsPart(reply, "body")
        event = JsObject({"data": body}) if talk.socket.gives_events else body
        invoke(handler, [event], talk.call.node, talk.call.scope, machine)
    machine.last = None
    return steps, talk.socket.is_closed


def _conversation(talk: _Conversation, handler: JsFunction) -> None:
    """Write the messages up to the one that closes: one, or a loop where a condition decides."""
    machine = talk.machine
    code = [handler.node]
    is_plain = not any(
        one.type in ("if_statement", "ternary_expression", "switch_statement", "binary_expression")
        and _closes_within(one)
        for one in walk(handler.node)
    )
    limit = _limit(talk)
    if is_plain:
        steps, _ = _awaited(talk, handler)
        _timed(steps, limit)
        talk.add(steps)
        return
    promote_all(code, handler.node, handler.scope, machine)
    name = machine.name("is_open")
    machine.lists[-1].append(DraftStep({"set": {name: True}}))
    with machine.branch(None) as loop:
        steps, _ = _awaited(talk, handler)
        _mark_closed(steps, name)
        loop.extend(steps)
    _timed(loop, limit)
    body: Keys = {"while": name, "do": loop}
    machine.lists[-1].append(
        DraftStep(
            {"group": "messages", "on_error": "stop_iteration", "do": [DraftStep(body)]},
            origin=handler.scope.module.place(handler.node),
        )
    )


def _closes_within(node: object) -> bool:
    return any(
        one.type == "call_expression"
        and text_of(one.child_by_field_name("function")).endswith(".close")
        for one in walk(node)  # type: ignore[arg-type]
    )


def _mark_closed(steps: list[DraftStep], name: str) -> None:
    """Set a name behind each `ws.close`, deep inside too."""
    for number in range(len(steps) - 1, -1, -1):
        body = steps[number].body
        if "ws.close" in body:
            steps.insert(number + 1, DraftStep({"set": {name: False}}))
        for below in body.values():
            if isinstance(below, list) and all(isinstance(one, DraftStep) for one in below):
                _mark_closed(below, name)


def _timed(steps: list[DraftStep], limit: float) -> None:
    for one in steps:
        keys = one.body.get("ws.receive")
        if isinstance(keys, dict) and limit:
            keys["timeout"] = f"{limit / 1000:g}s"


def _limit(talk: _Conversation) -> float:
    """Return after how many milliseconds a timer closes the socket; 0 if none does."""
    limits = []
    for kind, after, function, call in talk.socket.timers:
        if kind == "setTimeout" and isinstance(function, JsFunction) and _calls(function, "close"):
            limits.append(after)
            talk.machine.accept(function.scope.module, function.node)
            talk.late.append(call)
    return min(limits, default=0)


def _timeline(talk: _Conversation) -> bool:  # noqa: C901, PLR0912 - a table
    """Write what timers do, in the order of time; returns whether one closes the socket."""
    events: list[tuple[float, list[DraftStep]]] = []
    intervals: list[tuple[float, list[DraftStep], NativeCall]] = []
    ends: list[float] = []
    for kind, after, function, call in list(talk.socket.timers):
        if kind == "setInterval" and after <= 0:
            raise NoStepSays("an interval without a length")
        steps, closes = talk.written(function)
        if kind == "setInterval" and talk.socket.pings:
            talk.machine.ws["ping"] = f"{after / 1000:g}s"
            talk.socket.pings.clear()
        if kind == "setTimeout":
            events.append((after, steps))
            if closes:
                ends.append(after)
        else:
            intervals.append((after, steps, call))
    end = min(ends, default=0.0)
    if intervals and not ends:
        for _, steps, call in intervals:
            if steps:
                call.change("it is sent once: write `repeat` with how often")
                events.append((intervals[0][0], steps))
        intervals = []
    _write_timeline(talk, events, [one for one in intervals if one[1]], end)
    return bool(ends)


def _write_timeline(
    talk: _Conversation,
    events: list[tuple[float, list[DraftStep]]],
    intervals: list[tuple[float, list[DraftStep], NativeCall]],
    end: float,
) -> None:
    before = [one for one in events if not end or one[0] <= end]
    if len(intervals) == 1 and all(at == end for at, _ in before):
        every, steps, _ = intervals[0]
        times = int(-(-end // every)) - 1
        if times > 0:
            with talk.machine.branch() as inner:
                talk.think(every)
                talk.add(steps)
            talk.machine.lists[-1].append(DraftStep({"repeat": times, "do": inner}))
        talk.think(end - times * every)
        intervals = []
        now = end
    else:
        now = 0.0
    for every, steps, _ in intervals:
        times = int(-(-end // every)) - 1
        before += [(every * (number + 1), steps) for number in range(min(times, _MOST_EVENTS))]
        if times > _MOST_EVENTS:
            raise NoStepSays("several timers: write the messages with `repeat` and `think`")
    for at, steps in sorted(before, key=lambda one: one[0]):
        talk.think(at - now)
        now = max(now, at)
        talk.add(steps)
