"""Scenarios of the engine `socketio` → `ws.*` steps that speak Socket.IO's frames."""

from __future__ import annotations

import json
from dataclasses import field
from fractions import Fraction
from typing import Final
from urllib.parse import urlencode, urlsplit

from planrunner.importers.draft import DraftStep, Keys
from planrunner.importers.formats.artillery.config.settings import handshake
from planrunner.importers.formats.artillery.script import ArtilleryTest
from planrunner.importers.formats.artillery.steps.flows import FlowReader, total_think
from planrunner.importers.nodes import SourceEntry, SourceNode
from planrunner.importers.reading.documents import leave_out, suspect
from planrunner.importers.reading.expressions import computes, expression_of, inline
from planrunner.importers.reading.quantities import read_seconds, seconds
from planrunner.loss.ledger import Construct
from planrunner.values import dataclass

__all__ = ["SocketIoOptions", "SocketIoReader", "json_text"]

_POLLING: Final = "it is a WebSocket from the start, without the requests of long-polling before"
_TEXT: Final = "the message is text here: take the value with `extract: {NAME: {regex: …}}`"
_BESIDE: Final = "Artillery reads it beside `emit`, not in it, and does nothing with it here"
_QUIET: Final = 20
"""Seconds after which the heartbeat is sent; servers ask every 25, and wait for 20 more."""

_HEARTBEAT: Final = "3"
_WITHOUT_EFFECT: Final = frozenset(
    {
        "rememberUpgrade",
        "reconnection",
        "reconnectionAttempts",
        "reconnectionDelay",
        "timeout",
        "forceNew",
        "upgrade",
    }
)


@dataclass(slots=True)
class SocketIoOptions:
    """What the client of Socket.IO is told.

    Attributes:
        is_direct: No long-polling comes before the WebSocket.
    """

    path: str = "/socket.io"
    query: dict[str, object] = field(default_factory=dict)
    headers: Keys = field(default_factory=dict)
    auth: object = None
    is_direct: bool = False

    def read(self, node: SourceNode, reader: FlowReader) -> None:
        """Take options of the plan, or of a scenario."""
        for one in node.entries or []:
            value = reader.expressions.value(one.node, one.construct)
            one.construct.translated()
            if not self._take(one.key, value) and one.key not in _WITHOUT_EFFECT:
                leave_out(one, "set it under `ws:` or `http:` if planrunner knows it")

    def _take(self, key: str, value: object) -> bool:
        """Keep an option; say whether it is known."""
        if key == "transports":
            self.is_direct = value in (["websocket"], "websocket")
        elif key == "path":
            self.path = str(value)
        elif key == "query":
            pairs = (pair.partition("=")[::2] for pair in str(value).split("&") if pair)
            self.query.update(value if isinstance(value, dict) else pairs)
        elif key == "extraHeaders" and isinstance(value, dict):
            self.headers.update(value)
        elif key == "auth":
            self.auth = value
        else:
            return False
        return True


class SocketIoReader(FlowReader):
    """Reads flows of which each is one connection, with its namespaces."""

    def __init__(self, test: ArtilleryTest) -> None:
        super().__init__(test)
        self.options = SocketIoOptions()
        self.joined: set[str] = set()
        self.asked = 0
        self.quiet = Fraction(0)

    def scenario(
        self, flow: SourceEntry, options: list[SourceNode], engine: SourceEntry
    ) -> list[DraftStep]:
        """Return the steps of a whole scenario, the connection first."""
        for node in options:
            self.options.read(node, self)
        if not self.options.is_direct:
            engine.construct.changed(_POLLING)
        waits = self.test.draft.extra.setdefault("ws", {})
        assert isinstance(waits, dict), "settings are a mapping"
        waits.setdefault("max_queue", 100_000)
        url, namespace = self._url()
        connect: Keys = {"url": url}
        if self.options.headers:
            connect.update(handshake({"headers": self.options.headers}))
        place = flow.construct.place
        first = [
            DraftStep({"ws.connect": connect}, origin=place),
            *self._join(namespace, place_of=flow.construct),
        ]
        return [*first, *self.steps(flow.node), DraftStep({"ws.send": "41"})]

    def _url(self) -> tuple[str, str]:
        """Return where the handshake goes, and the namespace that the target's path is."""
        query: dict[str, object] = {"EIO": 4, "transport": "websocket", **self.options.query}
        words = urlencode({key: str(one) for key, one in query.items()}, safe="${}() ,'|[]")
        path = f"{self.options.path.rstrip('/')}/?{words}"
        target = urlsplit(str(self.test.draft.http.get("base_url", "")))
        if target.path.strip("/") and "${" not in target.geturl():
            scheme = {"https": "wss", "http": "ws"}[target.scheme]
            return f"{scheme}://{target.netloc}{path}", target.path.rstrip("/")
        return path, ""

    def _join(self, namespace: str, place_of: Construct) -> list[DraftStep]:
        """Return what joins a namespace, the first time that it is used."""
        if namespace in self.joined:
            return []
        self.joined.add(namespace)
        comma = f"{namespace}," if namespace not in ("", "/") else ""
        auth = json_text(self.options.auth) if self.options.auth is not None else ""
        answer: Keys = {"name": f"join {namespace or '/'}", "until": _begins(f"40{comma}")}
        return [
            DraftStep({"ws.send": f"40{comma}{auth}"}, origin=place_of.place),
            DraftStep({"ws.receive": {**answer, "timeout": "20s"}}, origin=place_of.place),
        ]

    def step(self, node: SourceNode) -> list[DraftStep]:
        """Return what one item of a flow becomes."""
        emit = node.entry("emit")
        if emit is not None:
            return self._emit(emit, node)
        think, loop = node.entry("think"), node.entry("loop")
        if think is not None:
            return self.think(think, node)
        return self.loop(loop, node) if loop is not None else super().step(node)

    def _emit(self, emit: SourceEntry, node: SourceNode) -> list[DraftStep]:
        emit.construct.translated()
        place = emit.construct.place
        named = node.take("namespace")
        namespace = self.expressions.text(named.text(), emit.construct) if named else ""
        steps = self._join(namespace, emit.construct)
        comma = f"{namespace}," if namespace not in ("", "/") else ""
        answer, asked = node.entry("response"), node.entry("acknowledge")
        number = ""
        if asked is not None and answer is None:
            number, self.asked = str(self.asked), self.asked + 1
        words = ",".join(map(json_text, self._arguments(emit)))
        steps.append(DraftStep({"ws.send": f"42{comma}{number}[{words}]"}, origin=place))
        if answer is not None:
            steps.append(self._answered(answer, comma))
        elif asked is not None:
            until = _begins(f"43{comma}{number}[")
            steps.append(self._received(asked, until, f"acknowledge {self._channel(emit)}"))
        if answer is not None and asked is not None:
            suspect(asked, "beside `response` Artillery asks for no acknowledgement")
        return steps

    def _channel(self, emit: SourceEntry) -> str:
        node = emit.node.get("channel") or (emit.node.items or [emit.node])[0]
        return node.text() or "emit"

    def _arguments(self, emit: SourceEntry) -> list[object]:
        if emit.node.is_list:
            return [self.expressions.sent(one, emit.construct) for one in emit.node.each()]
        channel, data = emit.node.entry("channel"), emit.node.entry("data")
        found: list[object] = []
        for one in (channel, data):
            if one is not None:
                one.construct.translated()
                found.append(self.expressions.sent(one.node, one.construct))
        for one in emit.node.entries or []:
            if one is not channel and one is not data:
                suspect(one, _BESIDE)
        return found if data is not None else [*found, None]

    def _answered(self, answer: SourceEntry, comma: str) -> DraftStep:
        answer.construct.translated()
        node = answer.node
        channel = node.take("channel") or node.take("on")
        name = self.expressions.text(channel.text() if channel else "", answer.construct)
        until = _begins(f"42{comma}[{json_text(name)}")
        return self._received(answer, until, name)

    def _received(self, answer: SourceEntry, until: str, name: str) -> DraftStep:
        answer.construct.translated()
        for one in answer.node.entries or []:
            if one.key in ("data", "args") and isinstance(one.node.scalar, str):
                one.construct.translated()
                text = self.expressions.text(one.node.text(), one.construct)
                until = f"{until} and {expression_of(text)} in body"
            elif one.construct.fate is None:
                leave_out(one, _TEXT)
                for each in one.node.each():
                    captured = each.get("as") if each.is_mapping else None
                    if captured is not None:
                        self.test.names.param(captured.text(), {"type": "str", "default": ""})
        timeout = self.test.draft.http.get("timeout", "10s")
        body: Keys = {"name": name, "until": until, "timeout": timeout}
        return DraftStep({"ws.receive": body}, origin=answer.construct.place)

    def think(self, entry: SourceEntry, node: SourceNode) -> list[DraftStep]:
        """Return a pause; the heartbeat is sent where nothing has been for long."""
        steps = super().think(entry, node)
        if not steps:
            return steps
        said = str(steps[0].body["think"])
        longest = read_seconds(said.rpartition("..")[2]) or Fraction(0)
        if ".." not in said and longest > _QUIET:
            whole, rest = divmod(longest, _QUIET)
            beat = [DraftStep({"think": f"{_QUIET}s"}), DraftStep({"ws.send": _HEARTBEAT})]
            self.quiet = rest
            part = DraftStep({"repeat": int(whole), "do": beat}, origin=steps[0].origin)
            return [part, *([DraftStep({"think": seconds(rest)})] if rest else [])]
        self.quiet += longest
        if self.quiet < _QUIET:
            return steps
        self.quiet = Fraction(0)
        return [*steps, DraftStep({"ws.send": _HEARTBEAT})]

    def loop(self, entry: SourceEntry, node: SourceNode) -> list[DraftStep]:
        """Return a loop; one that pauses ends each pass with the heartbeat."""
        steps = super().loop(entry, node)
        if steps and total_think(entry.node) > 0:
            body = steps[-1].body["do"]
            assert isinstance(body, list), "the steps of a loop"
            if {"ws.send": _HEARTBEAT} not in [one.body for one in body]:
                body.append(DraftStep({"ws.send": _HEARTBEAT}))
            self.quiet = Fraction(0)
        return steps


def _begins(text: str) -> str:
    """Return the condition that a message begins with some text."""
    if not computes(text):
        return f"body[:{len(text)}] == {inline(text)}"
    said = expression_of(text)
    return f"body[:({said}) | length] == {said}"


def json_text(value: object) -> str:
    """Return a value of a plan as text of JSON; templates give JSON when it is sent."""
    if isinstance(value, dict):
        pairs = (
            f"{json.dumps(key, ensure_ascii=False)}:{json_text(one)}" for key, one in value.items()
        )
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    if isinstance(value, str) and computes(value):
        return f"${{({expression_of(value)}) | json}}"
    return json.dumps(value, ensure_ascii=False)
