"""How long this thread was ready to run while its processor did something else."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from planrunner.units import NS_PER_S, NS_PER_US

__all__ = ["RunQueue", "Waits"]

_SCHEDSTAT: Final = Path("/proc/thread-self/schedstat")
_PRESSURES: Final = (Path("/sys/fs/cgroup/cpu.pressure"), Path("/proc/pressure/cpu"))
_STAT: Final = Path("/proc/stat")
_STEAL: Final = 8  # the column of the first line of /proc/stat, see proc_stat(5)


class Waits(NamedTuple):
    """Totals since some moment in the past.

    Attributes:
        waited_ns: Ready to run, and not running; None where the system doesn't say.
        turns: How often it got the processor; 0 where unknown.
        stolen_ns: What the hypervisor took, of each processor on average; 0 where unknown.
    """

    waited_ns: int | None
    turns: int
    stolen_ns: int

    def since(self, before: Waits) -> Waits:
        """Return what came to totals that were `before`."""
        return self._plus(before, -1)

    def plus(self, later: Waits) -> Waits:
        """Return what both intervals had."""
        return self._plus(later, 1)

    def _plus(self, other: Waits, sign: int) -> Waits:
        mine, others = self.waited_ns, other.waited_ns
        return Waits(
            None if mine is None or others is None else mine + sign * others,
            self.turns + sign * other.turns,
            self.stolen_ns + sign * other.stolen_ns,
        )


class RunQueue:
    """Reads what Linux knows of the thread that first asks; elsewhere there is nothing to know.

    The kernel counts, for each thread, the nanoseconds that it spent on a run queue and the turns
    that it got (/proc/PID/schedstat, sched-stats.rst). A limit on processor time (`cpu.max`) counts
    as waiting there. Kernels without that say how long any task of the control group or of the
    machine waited (/proc/pressure/cpu), which is never less.
    """

    def __init__(
        self,
        schedstat: Path = _SCHEDSTAT,
        pressures: tuple[Path, ...] = _PRESSURES,
        stat: Path = _STAT,
    ) -> None:
        self._schedstat, self._pressures, self._stat = schedstat, pressures, stat
        self._descriptor: int | None = None

    def read(self) -> Waits:
        """Return the totals until now; takes some microseconds."""
        stolen_ns = self._stolen_ns()
        if self._descriptor is None:
            self._descriptor = _opened(self._schedstat)
        # A kernel that doesn't count has zeros there.
        if self._descriptor >= 0:
            with suppress(OSError, ValueError):
                _ran_ns, waited_ns, turns = map(int, os.pread(self._descriptor, 100, 0).split())
                if turns:
                    return Waits(waited_ns, turns, stolen_ns)
        return Waits(self._pressure_ns(), 0, stolen_ns)

    def close(self) -> None:
        if self._descriptor is not None and self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = None

    def _pressure_ns(self) -> int | None:
        """Return the total of the first line: `some avg10=0.00 … total=MICROSECONDS`."""
        for path in self._pressures:
            with suppress(OSError, ValueError, IndexError):
                some = path.read_text("ascii").splitlines()[0]
                return int(some.rpartition("total=")[2]) * NS_PER_US
        return None

    def _stolen_ns(self) -> int:
        with suppress(OSError, ValueError, IndexError):
            lines = self._stat.read_text("ascii").splitlines()
            processors = sum(line.startswith("cpu") for line in lines) - 1
            ticks = int(lines[0].split()[_STEAL])
            return ticks * NS_PER_S // os.sysconf("SC_CLK_TCK") // max(processors, 1)
        return 0


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return -1
