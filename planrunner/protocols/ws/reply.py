"""What comes of a WebSocket step: the message, and how many came that were not it."""

from __future__ import annotations

from typing import Final

from planrunner.protocols.base import FailureKind, Reply

__all__ = ["ABNORMAL", "MESSAGE", "STATUSES", "WsReply", "status_text", "write_unmatched"]

MESSAGE: Final = 0
"""The status of whatever went well and has no code of its own: a message, the end."""

ABNORMAL: Final = 1006
"""The close code that nobody sends: the connection ended without one."""

STATUSES: Final = ("OK", "101", "1000", "1001", "1002", "1006", "1009", "1011", "4000")


def status_text(status: int) -> str:
    """Return `OK`, the status of a handshake, or a close code."""
    return str(status) if status else "OK"


class WsReply(Reply):
    """A reply of one step; a session uses one for all.

    Attributes:
        unmatched: Messages that did not fit, of a `ws.receive`; -1 for other steps.
    """

    __slots__ = ("_beside", "_ends", "unmatched")

    def __init__(self) -> None:
        super().__init__()
        self.unmatched = -1
        self._beside = b""
        self._ends = self.is_dirty = False

    @property
    def ends_iteration(self) -> bool:
        return self._ends

    @property
    def beside(self) -> bytes:
        """The last message that did not fit, where none did."""
        return self._beside if self.failure is not None and self.unmatched > 0 else b""

    def set_aside(self) -> None:
        """Take what came last for no reply."""
        self._beside = self.body or b""
        self.body = None

    def begin(self, asked_ns: int) -> None:
        """Forget the step before."""
        self.failure = None
        self.detail = ""
        self.status = self.first_byte_ns = self.connect_ns = self.received = 0
        self.sent = self.connects = 0
        self.body = None
        self.head = b""
        self.unmatched = -1
        self._ends = False
        self.is_dirty = True
        self.asked_ns = self.sent_ns = self.ended_ns = asked_ns

    def await_message(self, now_ns: int) -> None:
        """Forget the step before, and be what a message overwrites."""
        self.begin(now_ns)
        self.unmatched = 0
        self.is_dirty = False

    def fail(self, kind: FailureKind, words: str, *, status: int = 0, ends: bool = False) -> None:
        """Be a failure; with `ends`, what comes after it has nothing to go on with."""
        self.is_dirty = True
        self.failure, self.status, self._ends = kind, status, ends
        # A server may say anything, and have it shown.
        self.detail = words if words.isprintable() else _printable(words)


def _printable(words: str) -> str:
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in words)


def write_unmatched(reply: WsReply, values: list[int]) -> None:
    if reply.unmatched >= 0:
        values.append(reply.unmatched)
