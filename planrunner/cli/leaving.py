"""How the process ends at a signal.

| what it does          | the first signal           | the second one                         |
|-----------------------|----------------------------|----------------------------------------|
| has begun nothing yet | ends it                    |                                        |
| a brief command       | raises KeyboardInterrupt   | ends it                                |
| a run                 | ends the run gracefully    | cuts iterations; ends it ½ s later     |
| reports, the summary  | waits for them             | ends it ½ s later                      |
| a page that stays     | raises KeyboardInterrupt   | ends it                                |
| code that spins in C  | is heard when that returns | is killed by `last_resort` 0.9 s later |

The exit code is 130, unless a result is kept: then it is the one that metrics.json states.
"""

from __future__ import annotations

import atexit
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from planrunner.cli.last_resort import LastResort, start_last_resort

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from types import FrameType

    from planrunner.engine.stop import Stop

__all__ = ["SIGNALS", "Leaving"]

SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Those that ask a process to end; the last one comes when its terminal or connection closes."""

_INTERRUPTED: Final = 130
"""`ExitCode.INTERRUPTED`, which is imported later."""

_FORCE_S: Final = 0.55
_TICK_S: Final = 0.05
_HUNG_S: Final = 5.0
"""How long the event loop may stand still after the graceful stop, for a step that hangs …"""

_HUNG_AT_ONCE_S: Final = 0.25
"""… and after the second signal."""

_STEPS: Final = "planrunner.engine.steps."


class Leaving:
    """The signal handlers of a process.

    Attributes:
        exit_code: What a process that is ended now ends with.
    """

    def __init__(self) -> None:
        self.exit_code = _INTERRUPTED
        self._count = 0
        self._forced_s = float("inf")
        self._raises = self._is_settled = False
        self._run: _AskedRun | None = None
        self._stop: Stop | None = None
        self._last_resort: LastResort | None = None

    def listen(self) -> None:
        """Take the signals from now on."""
        for number in SIGNALS:
            # `nohup` has asked to go on when the terminal closes.
            if number != getattr(signal, "SIGHUP", None) or (
                signal.getsignal(number) is not signal.SIG_IGN
            ):
                signal.signal(number, self._hear)
        atexit.register(self._ignore)  # the first that registers is the last that is called

    def take_last_resort(self) -> None:
        """Let a process beside this one see to its end; takes as long as two forks."""
        self._last_resort = start_last_resort(SIGNALS)
        if self._last_resort is not None:
            self._last_resort.listen()

    def _ignore(self) -> None:
        """Let nothing change the exit code while the interpreter is taken down."""
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        if self._last_resort is not None:
            self._last_resort.dismiss()

    def raise_from_now_on(self) -> None:
        """Let the first signal raise: what was begun has to be cleaned up."""
        self._raises = True

    @property
    def was_asked(self) -> bool:
        """Whether a signal has come."""
        return self._count > 0

    @contextmanager
    def waiting(self, exit_code: int) -> Iterator[None]:
        """Let the first signal raise in this block: all is done, and it waits for a person."""
        self._run = self._stop = None
        self._raises, self._count, self.exit_code = True, 0, exit_code
        yield

    def settle(self, exit_code: int) -> None:
        """Know how the command has ended: no signal changes that any more."""
        self.exit_code = exit_code
        self._stop = None
        self._is_settled = True

    @contextmanager
    def asking(self, stop: Stop, *, patience_s: float) -> Iterator[None]:
        """Let signals ask for the end as long as the running event loop is in this block.

        What comes later waits for what is still written.

        Args:
            stop: Of the run.
            patience_s: How long iterations may take to end gracefully.
        """
        from asyncio import get_running_loop  # noqa: PLC0415 - the early handlers can't wait for it

        loop, last_resort = get_running_loop(), self._last_resort
        self._stop, self._run = stop, _AskedRun(loop, stop, patience_s)
        if last_resort is None:
            yield
            return
        before = signal.set_wakeup_fd(-1)
        last_resort.listen()
        loop.add_reader(last_resort.passed_on, last_resort.drain)
        try:
            yield
        finally:
            loop.remove_reader(last_resort.passed_on)
            signal.set_wakeup_fd(before)

    def _hear(self, number: int, _: FrameType | None) -> None:
        self._count += 1
        if self._run is None and not self._is_settled:
            if not self._raises or self._count > 1:
                self._end()
            raise KeyboardInterrupt
        if self._count == 2:
            self._forced_s = time.monotonic() + _FORCE_S
        if self._run is not None and not self._is_settled:
            self._run.ask(signal.Signals(number).name, self._count)
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, self._tick)
            signal.setitimer(signal.ITIMER_REAL, _TICK_S, _TICK_S)

    def _tick(self, _: int, frame: FrameType | None) -> None:
        """See whether the end that was asked for comes."""
        if time.monotonic() >= self._forced_s:
            self._end()
        if self._run is not None and self._run.hangs() and _is_in_step(frame):
            from asyncio import CancelledError  # noqa: PLC0415 - as above

            from planrunner.protocols.base import CUT  # noqa: PLC0415 - as above

            self._run.lose_patience()  # with the next user, who hangs in the same step
            raise CancelledError(CUT)  # as a cancelled iteration has it

    def _end(self) -> None:
        """End the process: whatever it was doing, what it started notices and ends too."""
        code = self.exit_code if self._stop is None else self._stop.last_code(self.exit_code)
        with suppress(OSError):
            os.write(2, b"interrupted\n")
        os._exit(code)


class _AskedRun:
    """A run in an event loop, and whether that still answers."""

    def __init__(self, loop: AbstractEventLoop, stop: Stop, patience_s: float) -> None:
        self._loop = loop
        self._stop = stop
        self._patience_s = patience_s
        self._hung_s = _HUNG_S
        self._since_s = float("inf")
        self._answered_s = 0.0
        self._is_asked = False

    def ask(self, name: str, count: int) -> None:
        self._call(self._stop.request, f"interrupted by {name}")
        now_s = time.monotonic()
        if count == 1:
            self._since_s = now_s + self._patience_s
        else:
            self._since_s = now_s
            self.lose_patience()
        self._answered_s = max(self._answered_s, now_s)

    def lose_patience(self) -> None:
        self._hung_s = _HUNG_AT_ONCE_S

    def hangs(self) -> bool:
        """Whether the loop has not moved for longer than anything of ours takes."""
        now_s = time.monotonic()
        if not self._is_asked:
            self._is_asked = True
            self._answered_s = now_s
            self._call(self._answer)
        return now_s - max(self._answered_s, self._since_s) >= self._hung_s

    def _answer(self) -> None:
        self._is_asked = False
        self._answered_s = time.monotonic()

    def _call(self, function: Any, *arguments: object) -> None:  # noqa: ANN401 - any callback
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(function, *arguments)


def _is_in_step(frame: FrameType | None) -> bool:
    """Whether a step of some user is what runs: nothing of the coordinator's may be torn."""
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(_STEPS):
            return True
        frame = frame.f_back
    return False
