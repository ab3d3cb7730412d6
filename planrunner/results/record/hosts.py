"""The machines that generated the load, and the workers on each: how they did, what was lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Protocol, TypeVar

from planrunner.units import NS_PER_MS, format_duration
from planrunner.values import dataclass

__all__ = [
    "HostFigures",
    "MissingLoad",
    "PacedWorker",
    "WorkerFigures",
    "health_words",
    "slowest",
    "slowest_words",
    "workers_of_hosts",
]

_LATE_NS: Final = 50 * NS_PER_MS
"""Of timers: less is what any busy machine has for once."""


@dataclass(frozen=True, slots=True)
class MissingLoad:
    """What a lost worker had, or would have had, of the load of a user class in a phase.

    Attributes:
        from_ns: From the run's start: since when it was missing.
        unit: `users`, or `arrivals/s` at the highest rate of the phase.
        missing: Of the whole that `of` says.
    """

    phase: str
    user_class: str
    from_ns: int
    unit: str
    missing: float
    of: float


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """One of several workers, over the whole run; warm-ups are included.

    Attributes:
        number: From 1; `worker` in results.csv.
        first_arrival_ns: When its load began, from the begin that all of them had in common; null
            if it never did.
        most_users: That it had at a time.
        requests: That have ended.
        requests_per_second: From its begin to its end.
        arrivals: Of phases that say when iterations start: those that were due here.
        dropped: Arrivals that found all users busy.
        lateness_p99_ns: Of those that started.
        loop_lag_ns: The latest that a timer fired.
        cpu_share: Of one processor, on average, and `peak_cpu_share` in the busiest second.
        open_files: The most at a time; 0 where unknown.
        received_bytes: Of replies, as `received_bytes` of rows; `sent_bytes` likewise.
        lost: How it ended before the run did, in words; empty if it was there to the end.
        lost_ns: From the run's start: up to when its numbers are in the result; null if it was not
            lost.
        tolerated: Whether the run went on without it.
        missing: What the run lacked without it.
    """

    number: int
    name: str
    first_arrival_ns: int | None
    most_users: int
    requests: int
    requests_per_second: float
    arrivals: int
    dropped: int
    lateness_p99_ns: int
    loop_lag_ns: int
    cpu_share: float
    peak_cpu_share: float
    open_files: int
    received_bytes: int
    sent_bytes: int
    lost: str = ""
    lost_ns: int | None = None
    tolerated: bool = False
    missing: tuple[MissingLoad, ...] = ()


@dataclass(frozen=True, slots=True)
class HostFigures:
    """A machine that had workers; sums of theirs, of what is late or begins the worst.

    Attributes:
        clock_offset_ns: What is added to its time to get the coordinator's.
        clock_error_ns: How far off that may be; 0 on the coordinator's own host.
        first_arrival_ns: Of the worker whose load began last; null if none did.
        cpu_share: The processors that its workers had on average.
    """

    name: str
    clock_offset_ns: int
    clock_error_ns: int
    first_arrival_ns: int | None
    most_users: int
    requests: int
    requests_per_second: float
    arrivals: int
    dropped: int
    lateness_p99_ns: int
    loop_lag_ns: int
    cpu_share: float
    open_files: int
    received_bytes: int
    sent_bytes: int
    workers: tuple[WorkerFigures, ...]


class PacedWorker(Protocol):
    """What says how well a worker kept up."""

    @property
    def lateness_p99_ns(self) -> int: ...
    @property
    def loop_lag_ns(self) -> int: ...
    @property
    def cpu_share(self) -> float: ...


_Paced = TypeVar("_Paced", bound=PacedWorker)


def slowest(workers: Iterable[_Paced]) -> _Paced | None:
    """Return the worker that kept up worst: whose arrivals or timers were latest, or the busiest.

    None if there is only one.
    """
    found = list(workers)
    return max(found, key=_slowness) if len(found) > 1 else None


def _slowness(worker: PacedWorker) -> tuple[int, float]:
    lag_ns = worker.loop_lag_ns if worker.loop_lag_ns >= _LATE_NS else 0
    return max(worker.lateness_p99_ns, lag_ns), worker.cpu_share


def health_words(worker: PacedWorker) -> str:
    """Return how well a worker kept up."""
    late = worker.lateness_p99_ns
    words = [f"{worker.cpu_share:.0%} of a processor"]
    words += [f"arrivals {format_duration(late)} late (p99)"] if late else []
    return ", ".join((*words, f"timers up to {format_duration(worker.loop_lag_ns)} late"))


def workers_of_hosts(hosts: Iterable[HostFigures]) -> Iterator[tuple[HostFigures, WorkerFigures]]:
    """Yield the workers of all hosts in their order."""
    pairs = ((host, worker) for host in hosts for worker in host.workers)
    return iter(sorted(pairs, key=lambda pair: pair[1].number))


def slowest_words(hosts: Iterable[HostFigures]) -> str:
    """Name the slowest of several workers; empty when there is only one."""
    on = {worker: host.name for host, worker in workers_of_hosts(hosts)}
    found = slowest(on)
    if found is None:
        return ""
    return f"worker {found.number} on {on[found]} was the slowest: {health_words(found)}"
