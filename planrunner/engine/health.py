"""Whether the generator keeps up: how late the event loop is, and how busy its processor."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable
from typing import Final

from planrunner.units import NS_PER_MS, NS_PER_S, format_duration
from planrunner.values import dataclass

__all__ = ["Health", "HealthLog", "HealthProbe"]

BUSY_SHARE: Final = 0.9
"""Of one processor: above it, replies wait for the generator before their end is seen."""

LATE_NS: Final = 50 * NS_PER_MS
"""A loop this late adds to every latency what a person would notice in a report."""

_JUDGED_SHARE: Final = 0.1  # of the seconds: one hiccup is no finding


@dataclass(frozen=True, slots=True)
class Health:
    """One interval of one worker.

    Attributes:
        loop_lag_ns: The latest that a timer of the engine fired.
        cpu_share: Of one processor, user and system time of this process.
    """

    loop_lag_ns: int
    cpu_share: float


class HealthProbe:
    """Collects between two readings."""

    def __init__(self, now_ns: int, *, cpu_ns: Callable[[], int] = time.process_time_ns) -> None:
        self._cpu_ns = cpu_ns
        self._lag_ns = 0
        self._read_ns = now_ns
        self._cpu_read_ns = cpu_ns()

    def woke(self, *, due_ns: int, now_ns: int) -> None:
        """Note when a timer fired that was due at `due_ns`."""
        self._lag_ns = max(self._lag_ns, now_ns - due_ns)

    def read(self, now_ns: int) -> Health:
        """Return the interval since the last reading, and begin another."""
        cpu_ns = self._cpu_ns()
        took_ns = max(1, now_ns - self._read_ns)
        health = Health(self._lag_ns, (cpu_ns - self._cpu_read_ns) / took_ns)
        self._lag_ns, self._read_ns, self._cpu_read_ns = 0, now_ns, cpu_ns
        return health


class HealthLog:
    """What the coordinator keeps of each second, and what follows from it."""

    def __init__(self) -> None:
        self.seconds = 0
        self.busy_seconds = 0
        self.late_seconds = 0
        self.worst_lag_ns = 0
        self.peak_cpu_share = 0.0
        # Eight bytes a value: a week of seconds stays small.
        self._at_ns = array("q")
        self._lags_s = array("d")
        self._cpu_shares = array("d")

    def add(self, at_ns: int, health: Health) -> None:
        self._at_ns.append(at_ns)
        self._lags_s.append(health.loop_lag_ns / NS_PER_S)
        self._cpu_shares.append(health.cpu_share)
        self.seconds += 1
        self.busy_seconds += health.cpu_share > BUSY_SHARE
        self.late_seconds += health.loop_lag_ns > LATE_NS
        self.worst_lag_ns = max(self.worst_lag_ns, health.loop_lag_ns)
        self.peak_cpu_share = max(self.peak_cpu_share, health.cpu_share)

    def gauges(self) -> dict[str, list[tuple[int, float]]]:
        """What thresholds can ask of the generator, in order of time."""
        return {
            "generator.loop_lag": list(zip(self._at_ns, self._lags_s, strict=True)),
            "generator.cpu": list(zip(self._at_ns, self._cpu_shares, strict=True)),
        }

    def reasons(self) -> tuple[str, ...]:
        """Return why the run's latencies are the generator's as well as the target's."""
        reasons = []
        if self.busy_seconds > self.seconds * _JUDGED_SHARE:
            reasons.append(
                f"the generator's processor was busy in {self.busy_seconds} of {self.seconds} "
                "seconds, so latencies include its own queue; lower the load or add pauses"
            )
        if self.late_seconds > self.seconds * _JUDGED_SHARE:
            reasons.append(
                f"the generator was up to {format_duration(self.worst_lag_ns)} late in "
                f"{self.late_seconds} of {self.seconds} seconds; lower the load, or free its host"
            )
        return tuple(reasons)
