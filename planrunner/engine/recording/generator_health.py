"""Whether the generator keeps up: how late the event loop is, and how busy its processor."""

from __future__ import annotations

import gc
import os
import sys
import time
from array import array
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from planrunner.engine.recording.starvation import Starvation
from planrunner.results.loads import GeneratorFacts
from planrunner.timing.run_queue import Waits
from planrunner.units import NS_PER_MS, NS_PER_S, format_duration
from planrunner.values import dataclass

__all__ = ["Health", "HealthLog", "HealthProbe", "open_files_limit"]

BUSY_SHARE: Final = 0.9
"""Of one processor: above it, replies wait for the generator before their end is seen."""

LATE_NS: Final = 50 * NS_PER_MS
"""A loop this late adds to every latency what a person would notice in a report."""

_INVALID_SHARE: Final = 0.5
_LEAST_SECONDS: Final = 5  # fewer are soon all busy: a run starts with the opening of connections
_LEAST_BUSY: Final = 3  # seconds, for the same reason
_FULL_GENERATION: Final = 2
_JUDGED_SHARE: Final = 0.1  # of the seconds: one hiccup is no finding


@dataclass(frozen=True, slots=True)
class Health:
    """One interval of one worker.

    Attributes:
        loop_lag_ns: The latest that a timer of the engine fired.
        cpu_share: Of one processor, user and system time of this process.
        collections: Full garbage collections, the longest of which took `collection_ns`.
        open_files: How many there are, or nearly; 0 where unknown.
        waits: For a processor, in the interval; None where nobody asked.
    """

    loop_lag_ns: int
    cpu_share: float
    collections: int = 0
    collection_ns: int = 0
    open_files: int = 0
    waits: Waits | None = None


class HealthProbe:
    """Collects between two readings."""

    def __init__(
        self,
        now_ns: int,
        *,
        cpu_ns: Callable[[], int] = time.process_time_ns,
        waits: Callable[[], Waits] | None = None,
    ) -> None:
        self._cpu_ns = cpu_ns
        self._waits = waits
        self._waits_read = waits() if waits else None
        self._lag_ns = 0
        self._read_ns = now_ns
        self._cpu_read_ns = cpu_ns()
        self._collections = self._collection_ns = self._collection_began_ns = 0
        gc.callbacks.append(self._collected)

    def close(self) -> None:
        """Take notice of no more garbage collections."""
        with suppress(ValueError):
            gc.callbacks.remove(self._collected)

    def _collected(self, phase: str, info: Mapping[str, int]) -> None:
        if info["generation"] < _FULL_GENERATION:
            return  # short, and many a second
        now_ns = time.perf_counter_ns()
        if phase == "start":
            self._collection_began_ns = now_ns
        elif self._collection_began_ns:
            self._collections += 1
            took_ns = now_ns - self._collection_began_ns
            self._collection_ns = max(self._collection_ns, took_ns)

    def woke(self, *, due_ns: int, now_ns: int) -> None:
        """Note when a timer fired that was due at `due_ns`."""
        self._lag_ns = max(self._lag_ns, now_ns - due_ns)

    def read(self, now_ns: int) -> Health:
        """Return the interval since the last reading, and begin another."""
        cpu_ns = self._cpu_ns()
        took_ns = max(1, now_ns - self._read_ns)
        health = Health(
            self._lag_ns,
            (cpu_ns - self._cpu_read_ns) / took_ns,
            self._collections,
            self._collection_ns,
            _open_files(),
            self._new_waits(),
        )
        self._lag_ns, self._read_ns, self._cpu_read_ns = 0, now_ns, cpu_ns
        self._collections = self._collection_ns = 0
        return health

    def _new_waits(self) -> Waits | None:
        before, now = self._waits_read, self._waits() if self._waits else None
        self._waits_read = now
        return now.since(before) if now and before else None


def _open_files() -> int:
    """Return the lowest free descriptor: the number of open files, but for gaps.

    Listing them takes milliseconds where there are thousands, and the loop would stand still.
    """
    try:
        descriptor = os.open(os.devnull, os.O_RDONLY)
    except OSError:
        return 0
    os.close(descriptor)
    return descriptor


def open_files_limit() -> int:
    """Return how many open files the process may have; 0 where there is no limit to know."""
    if sys.platform == "win32":
        return 0
    import resource  # noqa: PLC0415 - not on Windows

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 0 if soft == resource.RLIM_INFINITY else soft


class HealthLog:
    """What the coordinator keeps of each second, and what follows from it.

    Attributes:
        counted_collection_ns: The longest garbage collection of the seconds that count.
    """

    def __init__(self) -> None:
        self.seconds = 0
        self.busy_seconds = 0
        self.late_seconds = 0
        self._short_seconds = 0  # busy ones in which the load itself may have been too low
        self.worst_lag_ns = self._worst_counted_ns = 0
        self.counted_collection_ns = 0
        self.peak_cpu_share = 0.0
        self.collections = self.collection_ns = self.open_files = 0
        self.starvation = Starvation()
        # Eight bytes a value: a week of seconds stays small.
        self._at_ns = array("q")
        self._lags_s = array("d")
        self._cpu_shares = array("d")

    def add(
        self, at_ns: int, health: Health, *, is_on_time: bool = False, is_measured: bool = True
    ) -> None:
        """Take in a second.

        `is_on_time` says that arrivals were due in it and started on time: a busy processor only
        delayed replies then, so the load was the one asked for. What isn't measured, such as a
        warm-up, is shown and makes no doubt.
        """
        self._at_ns.append(at_ns)
        self._lags_s.append(health.loop_lag_ns / NS_PER_S)
        self._cpu_shares.append(health.cpu_share)
        if is_measured:
            self._count(health, is_on_time=is_on_time)
        self.worst_lag_ns = max(self.worst_lag_ns, health.loop_lag_ns)
        self.peak_cpu_share = max(self.peak_cpu_share, health.cpu_share)
        self.collections += health.collections
        self.collection_ns = max(self.collection_ns, health.collection_ns)
        self.open_files = max(self.open_files, health.open_files)

    def _count(self, health: Health, *, is_on_time: bool) -> None:
        self.seconds += 1
        is_busy = health.cpu_share > BUSY_SHARE
        self.busy_seconds += is_busy
        self._short_seconds += is_busy and not is_on_time
        self.late_seconds += health.loop_lag_ns > LATE_NS
        self._worst_counted_ns = max(self._worst_counted_ns, health.loop_lag_ns)
        self.counted_collection_ns = max(self.counted_collection_ns, health.collection_ns)

    def gauges(self) -> dict[str, list[tuple[int, float]]]:
        """What thresholds can ask of the generator, in order of time."""
        return {
            "generator.loop_lag": list(zip(self._at_ns, self._lags_s, strict=True)),
            "generator.cpu": list(zip(self._at_ns, self._cpu_shares, strict=True)),
        }

    def facts(self) -> GeneratorFacts:
        """Return the worst of all seconds."""
        return GeneratorFacts(
            loop_lag_ns=self.worst_lag_ns,
            cpu_share=self.peak_cpu_share,
            collections=self.collections,
            collection_ns=self.collection_ns,
            open_files=self.open_files,
            open_files_limit=open_files_limit(),
            wait_share=self.starvation.wait_share if self.starvation.is_known else None,
            turn_wait_ns=self.starvation.turn_wait_ns,
        )

    @property
    def was_saturated(self) -> bool:
        """Whether it was late, or busy and behind, most of the time: its numbers are its own."""
        return self.is_saturated(least_seconds=_LEAST_SECONDS)

    def is_saturated(self, *, least_seconds: int) -> bool:
        """Do as `was_saturated`, for a time that may be shorter than a run."""
        most = self.seconds * _INVALID_SHARE
        return self.seconds >= least_seconds and max(self._short_seconds, self.late_seconds) > most

    def saturation(self) -> str:
        """Say of a saturated generator what was worse, in a few words."""
        if self.late_seconds > self._short_seconds:
            worst = format_duration(self._worst_counted_ns)
            return f"it was up to {worst} late in {self.late_seconds} of {self.seconds} seconds"
        return (
            f"its processor was over {BUSY_SHARE:.0%} busy in {self._short_seconds} of "
            f"{self.seconds} seconds"
        )

    def reasons(self) -> tuple[str, ...]:
        """Return why the run's latencies are the generator's as well as the target's."""
        reasons = []
        if self.busy_seconds > self.seconds * _JUDGED_SHARE and (
            self.busy_seconds >= min(_LEAST_BUSY, self.seconds)
        ):
            reasons.append(
                f"the generator's processor was over {BUSY_SHARE:.0%} busy in {self.busy_seconds} "
                f"of {self.seconds} seconds: it noticed replies late, and latencies include "
                "the delay; share the load among `--workers`, lower it, or add pauses"
            )
        if self.late_seconds > self.seconds * _JUDGED_SHARE:
            reasons.append(
                f"the generator was up to {format_duration(self._worst_counted_ns)} late in "
                f"{self.late_seconds} of {self.seconds} seconds; lower the load, or free its host"
            )
        return tuple(reasons)
