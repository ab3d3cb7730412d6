"""The standard streams: there from the first line on, and nothing that they refuse ends a command.

A command may be started with any of them closed, as cron and supervisors do, or with one that takes
nothing: a full disk, a terminal that is gone. What can't be printed is dropped.
"""

from __future__ import annotations

import errno
import json
import os
import select
import sys
from contextlib import AbstractContextManager, redirect_stdout
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import TYPE_CHECKING, BinaryIO, TextIO, cast

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = [
    "forgive_streams",
    "kept_for_results",
    "never_refuse",
    "print_json",
    "refusal_of_stdout",
    "reserve_descriptors",
    "stdout_for_bytes",
    "stdout_for_documents",
]


def reserve_descriptors() -> None:
    """Open what is closed of the standard streams on the null device.

    Before anything else is opened: a socket that took the number of one would be printed into, and
    libuv aborts when it has to close such a number.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
            os.set_inheritable(opened, True)  # noqa: FBT003 - its only parameter


class _Forgiving(FileIO):
    """An open descriptor that says it has written what it could not.

    Attributes:
        refusal: Why it takes nothing any more; None while it does.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self.refusal: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        size = memoryview(data).nbytes
        if self.refusal is not None:
            return size
        try:
            while (written := super().write(data)) is None:  # a pipe that does not block is full
                select.select([], [self], [])
        except OSError as error:
            self.refusal = error
            return size
        return written


def forgive_streams() -> None:
    """Let stdout and stderr drop what they can't print, and stand for those that were closed."""
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False, encoding="utf-8")  # noqa: SIM115 - for good
    sys.stdout = _forgiving(sys.stdout, 1)
    sys.stderr = _forgiving(sys.stderr, 2)


def _forgiving(stream: TextIO | None, descriptor: int) -> TextIO:
    if not isinstance(stream, TextIOWrapper | None):
        return stream  # a test or a debugger has put its own in this place
    return TextIOWrapper(
        BufferedWriter(_Forgiving(descriptor)),
        encoding="utf-8" if stream is None else stream.encoding,
        errors="backslashreplace" if stream is None else stream.errors,
        line_buffering=stream is not None and stream.line_buffering,
        write_through=stream is not None and stream.write_through,
    )


def refusal_of_stdout() -> str:
    """Return why a part of what was printed is lost; nothing when it was all taken.

    A reader that went away has seen what it wanted.
    """
    if not isinstance(sys.stdout, TextIOWrapper) or sys.stdout.closed:
        return ""  # a server of editors closes what it has spoken over
    sys.stdout.flush()
    raw = getattr(sys.stdout.buffer, "raw", None)
    if not isinstance(raw, _Forgiving) or raw.refusal is None or raw.refusal.errno == errno.EPIPE:
        return ""
    return raw.refusal.strerror or str(raw.refusal)


def never_refuse() -> None:
    """Let no letter that the terminal lacks, nor half a surrogate pair in a name, end a command."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def stdout_for_documents() -> TextIO:
    r"""Return stdout for JSON and reports: UTF-8, line ends as written, `\ud83d` spelt out."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")
    return sys.stdout


def print_json(document: object) -> None:
    """Print what a command has to say as one JSON document."""
    print(json.dumps(document, indent=2, ensure_ascii=False), file=stdout_for_documents())


def kept_for_results() -> AbstractContextManager[object]:
    """Let what functions of a plan print go to stderr, so that stdout has results alone."""
    return redirect_stdout(sys.stderr)


def stdout_for_bytes() -> BinaryIO:
    """Return stdout for UTF-8 bytes without end: its `write` raises once nobody takes them."""
    return cast("BinaryIO", _ByteStream(stdout_for_documents()))


class _ByteStream:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:
        """Write all of it.

        Raises:
            OSError: The descriptor has refused something.
        """
        self._stream.write(data.decode())
        raw = getattr(getattr(self._stream, "buffer", None), "raw", None)
        if isinstance(raw, _Forgiving) and raw.refusal is not None:
            raise raw.refusal
        return len(data)
