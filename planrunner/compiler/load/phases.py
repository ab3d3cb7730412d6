"""Phases: which model of load, which classes, how long; the plan's words to exact numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, cast

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.load.open_and_search import (
    Classes,
    begins,
    compile_open,
    compile_search,
    lacks_users,
)
from planrunner.graph.loads import ClosedLoad, CountedLoad, Load
from planrunner.graph.run_graph import PhaseNode
from planrunner.language.diagnostics import Code, suggest
from planrunner.plan.models.load.warmup import WarmIterations
from planrunner.plan.models.load.workload import LoadKind, PhaseModel
from planrunner.plan.yaml.document import PlanPath
from planrunner.plan.yaml.edits import COMMAND_LINE
from planrunner.schedule.population import Stage
from planrunner.units import NS_PER_MINUTE, NS_PER_S, Rate, format_count, write_duration

__all__ = ["compile_phase"]

_GRACEFUL_STOP_NS: Final = 30 * NS_PER_S
_MAX_DURATION_NS: Final = 10 * NS_PER_MINUTE
# Each has connections of its own; seats and timers are worked out for all before the start.
_MOST_USERS: Final = 1_000_000
_NO_RATE: Final = Rate(1, NS_PER_S)


def compile_phase(
    work: Compilation,
    phase: PhaseModel,
    path: PlanPath,
    name: str,
    classes: tuple[Classes, Classes],
) -> PhaseNode | None:
    """Compile a phase; what can't be leaves a fault and gives None.

    `classes` are those that run in the phase, and all that the plan has.
    """
    running, known = classes
    load = _load(work, phase, path, running, known)
    if load is None or _is_too_much(work, phase, path, load):
        return None
    warmup = _warmup(work, phase, (*path, "warmup"), load)
    taking_part = tuple(name for name, _ in load.exact) or tuple(running)
    if load.is_foreign:
        taking_part = ()
    return PhaseNode(
        name=name,
        load=load,
        classes=taking_part,
        start_at_ns=(
            None if phase.start_at is None else work.settle(phase.start_at, (*path, "start_at"), 0)
        ),
        warmup_ns=0 if isinstance(warmup, WarmIterations) else warmup,
        warmup_iterations=warmup.count if isinstance(warmup, WarmIterations) else 0,
        graceful_stop_ns=work.settle(
            phase.graceful_stop, (*path, "graceful_stop"), _GRACEFUL_STOP_NS
        ),
    )


def _is_too_much(work: Compilation, phase: PhaseModel, path: PlanPath, load: Load) -> bool:
    if load.most_users <= _MOST_USERS:
        return False
    keys = {LoadKind.OPEN: ("max_users",), LoadKind.SEARCH: ("search", "to")}
    where = keys.get(phase.kind, ("users" if phase.stages is None else "stages",))
    message = f"{load.most_users:,} users are more than a machine can run"
    hint = f"write at most {_MOST_USERS:,}, or a `rate`"
    work.fault((*path, *where), Code.INVALID_VALUE, message, hint=hint)
    return True


def _warmup(
    work: Compilation, phase: PhaseModel, path: PlanPath, load: Load
) -> int | WarmIterations:
    """Return how long the warm-up is, or how many iterations of the phase or of each user."""
    hint = "`warmup` is the first part of the phase: make it shorter"
    if isinstance(phase.warmup, WarmIterations):
        most, whose = load.counted
        if phase.warmup.count >= most:
            ends = f"{whose or 'the phase'} ends after {format_count(most, 'iteration')}"
            message = f"{ends}: none of them is left to judge"
            work.fault(path, Code.NO_LOAD, message, hint=hint)
        return phase.warmup
    warmup_ns, lasts_ns = work.settle(phase.warmup, path, 0), load.planned_ns
    if warmup_ns >= lasts_ns:
        message = f"the phase ends after {write_duration(lasts_ns)}: no part of it is left to judge"
        if any(source.file == COMMAND_LINE for source in work.document.imported):
            hint += f", such as with `--override {'.'.join(map(str, path))}=0s`"
        work.fault(path, Code.NO_LOAD, message, hint=hint)
    return warmup_ns


def _load(
    work: Compilation, phase: PhaseModel, path: PlanPath, classes: Classes, known: Classes
) -> Load | None:
    match phase.kind:
        case LoadKind.CLOSED:
            return _closed(work, phase, path, classes, known)
        case LoadKind.OPEN:
            return compile_open(work, phase, path, classes, known)
        case LoadKind.COUNTED:
            return _counted(work, phase, path, classes, known)
        case LoadKind.SEARCH:
            return compile_search(work, phase, path, classes)
        case LoadKind.TOOL:
            from planrunner.compiler.load.tool_phases import compile_tool  # noqa: PLC0415 - few phases are other tools

            return compile_tool(work, phase, path)


def _closed(
    work: Compilation, phase: PhaseModel, path: PlanPath, classes: Classes, known: Classes
) -> ClosedLoad | None:
    before = len(work.faults)
    if phase.stages is not None:
        load = ClosedLoad(tuple(_stages(work, phase, path)))
    else:
        exact = _exact(work, phase, path, classes, known)
        users = sum(count for _, count in exact)
        if not isinstance(phase.users, Mapping):
            users = work.settle(phase.users, (*path, "users"), 0)
        first = cast("int", begins(work, phase, path, "users").get(0, 0))
        hold = Stage("hold", work.settle(phase.hold, (*path, "hold"), 0), users)
        ramp = Stage("ramp", _ramp_ns(work, phase, path, abs(users - first)), users)
        begin = (Stage("ramp", 0, first),) if first else ()
        load = ClosedLoad((*begin, ramp, hold), exact)
    load = replace(load, throttle=_throttle(work, phase, path))
    path = (*path, "users" if phase.stages is None else "stages")
    if len(classes) < len(known):
        load = _within_counts(load, classes)
    # What follows from a faulty value is no finding of its own.
    return load if len(work.faults) == before and _is_load(work, load, path, classes) else None


def _throttle(work: Compilation, phase: PhaseModel, path: PlanPath) -> Rate | None:
    if phase.throttle is None:
        return None
    where = (*path, "throttle")
    rate = work.settle(phase.throttle, where, _NO_RATE)
    if not rate.count:
        work.fault(where, Code.NO_LOAD, "no request is ever sent", hint="write at least `1/m`")
    return rate


def _counted(
    work: Compilation, phase: PhaseModel, path: PlanPath, classes: Classes, known: Classes
) -> CountedLoad | None:
    before = len(work.faults)
    exact = _exact(work, phase, path, classes, known)
    users = sum(count for _, count in exact)
    if not isinstance(phase.users, Mapping):
        users = work.settle(phase.users, (*path, "users"), 0)
    load = CountedLoad(
        users=users,
        exact=exact,
        iterations=work.settle(phase.iterations, (*path, "iterations"), 0),
        per_user=work.settle(phase.iterations_per_user, (*path, "iterations_per_user"), 0),
        max_duration_ns=work.settle(phase.max_duration, (*path, "max_duration"), _MAX_DURATION_NS),
        ramp_ns=_ramp_ns(work, phase, path, users),
        throttle=_throttle(work, phase, path),
    )
    if not load.max_duration_ns:
        work.fault(
            (*path, "max_duration"),
            Code.NO_LOAD,
            "the phase takes no time",
            hint="write a longer `max_duration`",
        )
    elif load.ramp_ns > load.max_duration_ns:
        work.fault(
            (*path, "ramp_up" if phase.spawn_rate is None else "spawn_rate"),
            Code.NO_LOAD,
            f"the ramp takes {write_duration(load.ramp_ns)}, and the phase ends after "
            f"{write_duration(load.max_duration_ns)}",
            hint="write a longer `max_duration`, or a shorter ramp",
        )
    if len(classes) < len(known) and not exact:
        kept = _within_counts(ClosedLoad(load.population), classes)
        load = replace(load, users=kept.most_users)
    path = (*path, "users")
    return load if len(work.faults) == before and _is_load(work, load, path, classes) else None


def _stages(work: Compilation, phase: PhaseModel, path: PlanPath) -> Iterator[Stage]:
    begin = begins(work, phase, path, "users")
    path = (*path, "stages")
    for index, stage in enumerate(phase.stages or ()):
        if (level := begin.get(index)) is not None:
            yield Stage(stage.name or str(index + 1), 0, cast("int", level))
        yield Stage(
            stage.name or str(index + 1),
            work.settle(stage.duration, (*path, index, "duration"), 0),
            work.settle(stage.users, (*path, index, "users"), 0),
        )


def _ramp_ns(work: Compilation, phase: PhaseModel, path: PlanPath, users: int) -> int:
    """Return how long the ramp takes: user k starts at k / spawn_rate, or k × ramp_up / users."""
    if phase.spawn_rate is not None:
        where = (*path, "spawn_rate")
        rate = work.settle(phase.spawn_rate, where, _NO_RATE)
        if not rate.count:
            work.fault(where, Code.NO_LOAD, "no user ever starts", hint="write at least `1/m`")
            return 0
        # Up to the next ns: the ramp must not end before the last user has started.
        return -(-users * rate.per_ns // rate.count)
    return work.settle(phase.ramp_up, (*path, "ramp_up"), 0)


def _within_counts(load: ClosedLoad, classes: Classes) -> ClosedLoad:
    """Return the load without the users of classes that are left out, if no class takes them."""
    counts = [count for count in classes.values() if count is not None]
    if load.exact or len(counts) < len(classes):
        return load
    most = sum(counts)
    stages = (replace(stage, level=min(stage.level, most)) for stage in load.stages)
    return replace(load, stages=tuple(stages))


def _exact(
    work: Compilation, phase: PhaseModel, path: PlanPath, classes: Classes, known: Classes
) -> tuple[tuple[str, int], ...]:
    if not isinstance(phase.users, Mapping):
        return ()
    counts: dict[str, int] = {}
    for name, level in phase.users.items():
        if name not in known:
            hint = suggest(name, list(known)) or "classes: " + ", ".join(known)
            where = (*path, "users", name)
            work.fault(
                where, Code.UNKNOWN_NAME, f"unknown user class `{name}`", hint=hint, part="key"
            )
            continue
        counts[name] = work.settle(level, (*path, "users", name), 0)
    return tuple((name, counts[name]) for name in classes if name in counts)


def _is_load(
    work: Compilation, load: ClosedLoad | CountedLoad, path: PlanPath, classes: Classes
) -> bool:
    """Note a fault when the load starts no user, takes no time, or has users without a class."""
    if not load.most_users:
        work.fault(path, Code.NO_LOAD, "no user ever starts", hint="write at least one user")
        return False
    if not any(stage.duration_ns for stage in load.population):
        work.fault(path, Code.NO_LOAD, "the phase takes no time", hint="write a longer `hold`")
        return False
    if not load.exact and lacks_users(work, load.most_users, classes, path):
        return False
    counts = [count for count in classes.values() if count is not None]
    rest = load.most_users - sum(counts)
    if not load.exact and rest > 0 and len(counts) == len(classes):
        work.fault(
            path,
            Code.NO_LOAD,
            f"{rest:,} of {load.most_users:,} users belong to no class: "
            "every class has its own `count`",
            hint=f"write `users: {sum(counts)}`, or give a class a `weight`",
        )
        return False
    return True
