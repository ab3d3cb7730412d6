"""Rooms in which people talk, over WebSocket; what one says comes to all when a seed says so."""

from __future__ import annotations

import asyncio
import json
import random
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from planrunner.demo.http_server import Request, Response
from planrunner.demo.web_socket import ServedSocket
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["SUBPROTOCOL", "Rooms", "SaidWords"]

SUBPROTOCOL: Final = "chat.v1"

_TYPICAL_MS: Final = 5.0
_SPREAD: Final = 0.35
_MOST_LOGGED: Final = 20_000
_MOST_ROOMS: Final = 1_000
_MOST_WAITING: Final = 1_000
"""Messages of one talker that are not out yet."""


@dataclass(slots=True)
class SaidWords:
    """When something was said, and when it went out to its talker: 0 where it did not yet."""

    talker: str
    number: int
    asked_ns: int
    sent_ns: int = 0


class Rooms:
    """The state of `/chat`.

    Attributes:
        said: The log of the latest messages, oldest first.
    """

    def __init__(self, seed: int, now_ns: Callable[[], int]) -> None:
        self.seed = seed
        self.now_ns = now_ns
        self.said: deque[SaidWords] = deque(maxlen=_MOST_LOGGED)
        self._count = 0
        self._rooms: dict[str, set[Talker]] = {}

    def enter(self, request: Request, socket: ServedSocket) -> Talker:
        """Let somebody in, and greet them."""
        self._count += 1
        name = request.query.get("room", "1")[:100]
        if name not in self._rooms and len(self._rooms) >= _MOST_ROOMS:
            name = "1"
        talker = Talker(self, socket, self._count, name)
        self._rooms.setdefault(name, set()).add(talker)
        talker.tell({"type": "welcome", "id": talker.id, "room": name})
        return talker

    def leave(self, talker: Talker) -> None:
        there = self._rooms.get(talker.room, set())
        there.discard(talker)
        if not there:
            self._rooms.pop(talker.room, None)

    def tell_all(self, talker: Talker, message: dict[str, Any], entry: SaidWords) -> None:
        """Send to everybody in the room of a talker, who comes first."""
        entry.sent_ns = self.now_ns()
        talker.tell(message)
        for other in self._rooms.get(talker.room, ()):
            if other is not talker:
                other.tell(message)

    def log(self, request: Request) -> Response:
        """Answer with when messages came and went out, by the clock of the machine."""
        wanted = request.query.get("id")
        return Response(
            [
                {
                    "id": one.talker,
                    "number": one.number,
                    "asked_ns": one.asked_ns,
                    "sent_ns": one.sent_ns,
                }
                for one in self.said
                if wanted in (None, one.talker)
            ]
        )


class Talker:
    """One connection to a room."""

    def __init__(self, rooms: Rooms, socket: ServedSocket, number: int, room: str) -> None:
        self.id = f"user-{number}"
        self.room = room
        self._rooms = rooms
        self._socket = socket
        self._rng = random.Random(f"chat {rooms.seed} {number}")
        self._count = self._waiting = 0
        self._out_ns = 0

    def tell(self, message: dict[str, Any]) -> None:
        self._socket.send(json.dumps(message, separators=(",", ":")))

    def on_text(self, text: str) -> None:
        asked_ns = self._rooms.now_ns()
        try:
            given = json.loads(text)
        except ValueError:
            given = None
        if not isinstance(given, dict) or given.get("type") != "say":
            self.tell({"type": "error", "message": 'send {"type": "say", "text": …}'})
            return
        if self._waiting >= _MOST_WAITING:
            self._socket.close(1008)
            return
        self._count += 1
        self._waiting += 1
        entry = SaidWords(self.id, self._count, asked_ns)
        self._rooms.said.append(entry)
        delay_s = self._rng.lognormvariate(0.0, _SPREAD) * _TYPICAL_MS / 1000
        # One after the other, as they were said.
        self._out_ns = max(self._out_ns, asked_ns + round(delay_s * NS_PER_S))
        words = {"type": "said", "from": self.id, "number": self._count, "text": given.get("text")}
        left_s = (self._out_ns - asked_ns) / NS_PER_S
        asyncio.get_running_loop().call_later(left_s, self._say, words, entry)

    def _say(self, words: dict[str, Any], entry: SaidWords) -> None:
        self._waiting -= 1
        self._rooms.tell_all(self, words, entry)

    def on_end(self) -> None:
        self._rooms.leave(self)
