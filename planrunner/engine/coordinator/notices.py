"""What the user should know about a run that no figure says, each a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from planrunner.engine.coordinator.worker_pool import WorkerPool
from planrunner.engine.recording.counters import Counters
from planrunner.units import NS_PER_MS, format_count, format_duration

__all__ = ["counter_notices", "overtime", "pool_notices", "start_failures"]

_MOST_SPREAD_NS: Final = 5 * NS_PER_MS
"""Between the first and the last worker at the begin of a phase, while processors are free."""


def pool_notices(pool: WorkerPool) -> Iterator[str]:
    """Say what only the workers know at the end of the run."""
    if pool.start_spread_ns > _MOST_SPREAD_NS:
        yield (
            f"workers began a phase {format_duration(pool.start_spread_ns)} apart: the host is "
            "busy; use fewer workers than it has processors"
        )
    if pool.overflowed:
        yield (
            "more than 500 request names; the rest are counted together as `__overflow__`: "
            "give requests with many URLs a `name`"
        )
    if pool.sampling_stopped:
        yield pool.sampling_stopped


def start_failures(counters: Counters) -> Iterator[str]:
    """Say which users stopped before their first iteration: the load is not what the plan says."""
    for (phase, name), failed in counters.start_failures.items():
        yield (
            f"{failed} of {counters.started[phase, name]} users `{name}` of phase `{phase}` "
            f"stopped because their `on_start` failed: {counters.start_reasons[phase, name]}"
        )


def overtime(counters: Counters) -> Iterator[str]:
    """Say which phases of a number of iterations did not get through them."""
    for phase in counters.overtime:
        yield (
            f"phase `{phase}` reached its `max_duration` with iterations left; "
            "give it more time, more users, or fewer iterations"
        )


def _data_notices(counters: Counters) -> Iterator[str]:
    for name, users in counters.rows_ended.items():
        short = format_count(users, "user") if users > 1 else "a user"
        yield f"the data source `{name}` had no row left for {short}"


def counter_notices(counters: Counters) -> tuple[str, ...]:
    """Say what users did that a reader of the result would not expect."""
    notices = []
    for name, times in counters.soft_failures.items():
        notices.append(f"a soft expectation of `{name}` failed {format_count(times, 'time')}")
    for reason, times in counters.ended_early.most_common():
        notices.append(f"{format_count(times, 'iteration')} ended early: {reason}")
    for condition, times in counters.endless.items():
        many = format_count(times, "time")
        notices.append(f"`while: {condition}` was still true after its last round ({many})")
    if counters.retries:
        many = format_count(counters.retries, "time")
        notices.append(f"blocks with `on_fail: retry` were retried {many}")
    if counters.aborted:
        many = format_count(counters.aborted, "iteration")
        were = "was" if counters.aborted == 1 else "were"
        notices.append(f"{many} {were} aborted at the end of the graceful stop")
    if counters.backoffs:
        many = format_count(counters.backoffs, "time")
        notices.append(f"users paused {many} because they could not connect")
    if counters.stop_failures:
        notices.append(f"`on_stop` failed for {format_count(counters.stop_failures, 'user')}")
    return (*notices, *_data_notices(counters))
