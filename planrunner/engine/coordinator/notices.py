"""What the user should know about a run that no figure says, each a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from planrunner.engine.coordinator.worker_pool import WorkerPool
from planrunner.engine.recording.counters import Counters, TaskKey
from planrunner.graph.run_graph import PhaseNode, RunGraph, TaskProgram, UserProgram
from planrunner.metrics.limited_words import MOST_NAMES_OF_A_TEMPLATE, MOST_TAG_VALUES, OTHER
from planrunner.units import NS_PER_MS, format_count, format_duration

__all__ = ["counter_notices", "idle_notices", "overtime", "pool_notices", "quits", "start_failures"]

_MOST_SPREAD_NS: Final = 5 * NS_PER_MS
"""Between the first and the last worker at the begin of a phase, while processors are free."""

_SKIPPED_SHARE: Final = 0.1
"""Of a class's picks: what came to nothing is then a part of the load that is missed."""


_LONG_BLOCK_NS: Final = 500 * NS_PER_MS
"""Of a call in the event loop: everybody would notice."""


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
    for kind, key in pool.crowded:
        what = (
            f"the name `{key}` came to more than {MOST_NAMES_OF_A_TEMPLATE} names"
            if kind == "name"
            else f"the tag `{key}` had more than {MOST_TAG_VALUES} values"
        )
        yield f"{what}; the rest are counted together as `{OTHER}`"
    if pool.sampling_stopped:
        yield pool.sampling_stopped


def start_failures(counters: Counters) -> Iterator[str]:
    """Say which users or iterations did not begin: the load is not what the plan says."""
    for (phase, name), failed in counters.start_failures.items():
        yield (
            f"{failed} of {counters.started[phase, name]} users `{name}` of phase `{phase}` "
            f"stopped because their `on_start` failed: {counters.start_reasons[phase, name]}"
        )
    for (phase, name), failed in counters.visit_failures.items():
        yield (
            f"{format_count(failed, 'iteration')} of users `{name}` of phase `{phase}` did not run "
            f"because their `on_start` failed: {counters.start_reasons[phase, name]}"
        )


def quits(counters: Counters) -> Iterator[str]:
    """Say which users stopped because the plan lets them stop: fewer were left for the load."""
    for (phase, name), users in counters.quits.items():
        yield (
            f"{users} of {counters.started[phase, name]} users `{name}` of phase `{phase}` "
            "stopped because a request failed, as `on_error: stop_user` says"
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


def _pool_notices(counters: Counters) -> Iterator[str]:
    for pool, times in counters.pool_drops.items():
        if times:
            were = "was" if times == 1 else "were"
            yield (
                f"the pool `{pool}` was full: {format_count(times, 'pushed value')} {were} "
                "dropped; give it a greater `max`, or take more out of it"
            )


def _call_notices(counters: Counters) -> Iterator[str]:
    """Say which functions kept everything else waiting, and which nobody could stop."""
    for name, longest_ns in counters.longest_block_ns.items():
        if longest_ns >= _LONG_BLOCK_NS:
            yield (
                f"`{name}` blocked everything else for up to {format_duration(longest_ns)} at a "
                "time: it is called in the event loop, as `async def` functions are, and those "
                "with `inline: true`; a plain `def` has a thread"
            )
    for name, times in counters.left_running.items():
        yield (
            f"{format_count(times, 'call')} of `{name}` went on after the time was up: a thread "
            "can't be stopped; `isolate: process` can"
        )


def _function_notices(counters: Counters) -> Iterator[str]:
    for name, times in counters.forced.items():
        yield (
            f"`{name}` went on when it was cancelled, and was ended by force "
            f"({format_count(times, 'time')}); let `asyncio.CancelledError` through"
        )
    for name, requests in counters.too_late.items():
        yield (
            f"`{name}` asked for {format_count(requests, 'request')} after its iteration had "
            "ended, so they were not sent; await the tasks that it makes"
        )


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
    more = (_call_notices, _function_notices, _data_notices, _pool_notices)
    return (*notices, *(notice for find in more for notice in find(counters)))


def idle_notices(
    graph: RunGraph, began: Sequence[str], counters: Counters, runs: Counter[TaskKey]
) -> Iterator[str]:
    """Say which classes no user ran of, phase by phase, and which tasks never ran.

    A class that can't get a user is a notice of the graph already.

    Args:
        graph: What should have run.
        began: The phases that did begin.
        counters: What users did.
        runs: Iterations of each task, those of warm-ups left out.
    """
    iterations: Counter[tuple[str, str]] = Counter()
    for (phase_name, user, _), times in counters.picks.items():
        iterations[phase_name, user] += times
    for phase in graph.phases:
        if phase.name in began:
            for name in _with_users(graph, phase):
                if not iterations[phase.name, name] + _skipped(counters, phase.name, name):
                    yield f"no user of class `{name}` began an iteration in phase `{phase.name}`"
    for program in graph.users:
        of_class = sum(times for key, times in runs.items() if key[1] == program.name)
        if of_class:
            yield from _idle_tasks(program, runs, counters)
            yield from _skipped_picks(program, of_class, counters)


def _with_users(graph: RunGraph, phase: PhaseNode) -> list[str]:
    shares = [program.share for program in graph.programs_of(phase)]
    wanted = phase.load.classes_asked_for(shares) & phase.load.classes_with_users(shares)
    return [share.name for share in shares if share.name in wanted]


def _skipped(counters: Counters, phase: str, user: str) -> int:
    return sum(times for key, times in counters.skips.items() if key[:2] == (phase, user))


def _idle_tasks(program: UserProgram, runs: Counter[TaskKey], counters: Counters) -> Iterator[str]:
    iterations = sum(times for key, times in runs.items() if key[1] == program.name)
    for task in program.tasks:
        if _of_task(runs, program, task):
            continue
        refused = _of_task(counters.skips, program, task)
        refused += _of_task(counters.substitutions, program, task)
        in_how_many = f"in {format_count(iterations, 'iteration')} of its class"
        why = (
            f"its `needs` were met in none of {format_count(refused, 'pick')}"
            if refused
            else "it was never picked"
        )
        yield f"the task `{task.name}` of `{program.name}` never ran {in_how_many}: {why}"


def _of_task(counts: Counter[TaskKey], program: UserProgram, task: TaskProgram) -> int:
    return sum(times for key, times in counts.items() if key[1:] == (program.name, task.name))


def _skipped_picks(program: UserProgram, iterations: int, counters: Counters) -> Iterator[str]:
    """Say how many picks came to nothing; another task in their place is what the plan says."""
    skipped: Counter[str] = Counter()
    for task in program.tasks:
        if task.needs is not None and task.needs.otherwise == "skip":
            skipped[task.name] = _of_task(counters.skips, program, task)
    picks = iterations + skipped.total()
    if skipped.total() <= picks * _SKIPPED_SHARE:
        return
    tasks = ", ".join(f"`{name}` {times:,}" for name, times in skipped.most_common(4) if times)
    yield (
        f"{skipped.total():,} of {picks:,} picks of `{program.name}` were skipped because `needs` "
        f"were not met ({tasks}); `else: repick` draws another task in their place"
    )
