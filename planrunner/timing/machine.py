"""What the machine did during a stretch: frequency, load beside this process, waits."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from time import perf_counter_ns, process_time_ns
from types import TracebackType
from typing import Final, Self

from planrunner.errors import Misuse
from planrunner.timing.run_queue import RunQueue, Waits
from planrunner.units import NS_PER_MS, format_percent
from planrunner.values import dataclass

__all__ = ["Conditions", "MachineWatch", "format_ghz"]

_OFTEN_NS: Final = 50 * NS_PER_MS
"""Between two looks at the frequency, which take some 20 µs each."""

_LOAD_AVERAGES: Final = getattr(os, "getloadavg", None)  # not on Windows
_CPU_OF_STAT: Final = 36  # of those after the command's name, see proc_pid_stat(5): field 39


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is known of the machine during a stretch of measuring.

    Attributes:
        elapsed_ns: How long the stretch was.
        processors: How many this process may use.
        load: Runnable tasks beside this process: the load average of the last minute, less the
            processors that this process used; None where the system doesn't say.
        waited_ns: How long the thread was ready to run while others ran; None where the system
            doesn't say.
        stolen_ns: What the hypervisor took of a processor; 0 where the system doesn't say.
        frequencies_khz: The lowest and the highest that was seen of the processor that the thread
            ran on; None where the system doesn't say, as in most virtual machines.
        governor: What chooses the frequency; empty where the system doesn't say.
        tracer: What traces the thread's Python code, such as coverage; empty if nothing does.
    """

    elapsed_ns: int
    processors: int
    load: float | None
    waited_ns: int | None
    stolen_ns: int
    frequencies_khz: tuple[int, int] | None
    governor: str
    tracer: str = ""

    @property
    def words(self) -> str:
        """What is known, and what is not, for people."""
        said = []
        if self.load is not None:
            said.append(f"load {self.load:.1f} beside this on {self.processors} processors")
        if self.waited_ns is not None:
            waiting = format_percent(self.waited_ns / self.elapsed_ns)
            said.append(f"waited for a processor {waiting} of the time")
        if self.frequencies_khz is not None:
            lowest, highest = (format_ghz(khz) for khz in self.frequencies_khz)
            governor = f" ({self.governor})" if self.governor else ""
            said.append(f"{lowest} to {highest}{governor}")
        if self.tracer:
            said.append(f"traced by {self.tracer}")
        if self.unknown:
            said.append(f"the system doesn't say: {', '.join(self.unknown)}")
        return " · ".join(said)

    @property
    def unknown(self) -> tuple[str, ...]:
        """What the system doesn't say, in words."""
        said = {
            "processor frequency": self.frequencies_khz,
            "load average": self.load,
            "waits for a processor": self.waited_ns,
        }
        return tuple(words for words, value in said.items() if value is None)


class MachineWatch:
    """Watches the machine for the thread that enters it.

    Args:
        devices: Where Linux keeps the processors.
        stat: Where Linux says which processor the thread runs on.
        load: What returns load averages; raises OSError where there are none.
        run_queue: What knows waits.
        now_ns: What reads the clock.
        used_ns: What reads the processor time of this process.
    """

    def __init__(
        self,
        *,
        devices: Path = Path("/sys/devices/system/cpu"),
        stat: Path = Path("/proc/thread-self/stat"),
        load: Callable[[], tuple[float, float, float]] | None = _LOAD_AVERAGES,
        run_queue: RunQueue | None = None,
        now_ns: Callable[[], int] = perf_counter_ns,
        used_ns: Callable[[], int] = process_time_ns,
    ) -> None:
        self._now_ns, self._used_ns = now_ns, used_ns
        self._devices, self._stat, self._load = devices, stat, load
        self._run_queue = run_queue or RunQueue()
        self._seen_khz: list[int] = []
        self._governor = ""
        self._next_ns = self._began_ns = self._began_used_ns = 0
        self._waits: Waits | None = None

    def __enter__(self) -> Self:
        self._waits = self._run_queue.read()
        self._began_ns, self._began_used_ns = self._now_ns(), self._used_ns()
        self.look()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with closing(self._run_queue):
            self._waits = None

    def look(self) -> None:
        """Look at the frequency, unless that was a moment ago: between batches, never in one."""
        now_ns = self._now_ns()
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + _OFTEN_NS
        with suppress(OSError, ValueError, IndexError):
            folder = self._devices / f"cpu{self._processor()}" / "cpufreq"
            self._seen_khz.append(int((folder / "scaling_cur_freq").read_text("ascii")))
            if not self._governor:
                self._governor = (folder / "scaling_governor").read_text("ascii").strip()

    def conditions(self) -> Conditions:
        """Return what is known of the stretch from entering until now.

        Raises:
            Misuse: It isn't entered.
        """
        if self._waits is None:
            raise Misuse("the machine is watched only inside `with`")
        self._next_ns = 0
        self.look()
        elapsed_ns = max(self._now_ns() - self._began_ns, 1)
        waits = self._run_queue.read().since(self._waits)
        seen = self._seen_khz
        return Conditions(
            elapsed_ns=elapsed_ns,
            processors=_processors(),
            load=self._load_beside((self._used_ns() - self._began_used_ns) / elapsed_ns),
            # pressure is counted in steps, which can be longer than the stretch
            waited_ns=None if waits.waited_ns is None else min(waits.waited_ns, elapsed_ns),
            stolen_ns=waits.stolen_ns,
            frequencies_khz=(min(seen), max(seen)) if seen else None,
            governor=self._governor,
            tracer=_tracer(),
        )

    def _load_beside(self, own: float) -> float | None:
        if self._load is None:
            return None
        with suppress(OSError):
            return max(self._load()[0] - own, 0.0)
        return None

    def _processor(self) -> int:
        return int(self._stat.read_text("ascii").rpartition(")")[2].split()[_CPU_OF_STAT])


def format_ghz(khz: int) -> str:
    """Return a frequency for people."""
    return f"{khz / 1e6:.2f} GHz"


def _tracer() -> str:
    """Return the package of what traces this thread; a call of it goes with each line, or call."""
    function: object = sys.gettrace() or sys.getprofile()
    if function is not None:
        home = getattr(function, "__module__", None) or type(function).__module__
        return str(home).partition(".")[0]
    monitoring = getattr(sys, "monitoring", None)  # from Python 3.12
    tools = () if monitoring is None else map(monitoring.get_tool, range(6))
    return ", ".join(filter(None, tools))


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):  # not everywhere
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
