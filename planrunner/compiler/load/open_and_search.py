"""Loads that arrive at a rate, and searches for the highest level: the plan's words to numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Final, cast

from planrunner.compiler.compilation import Compilation
from planrunner.graph.loads import OpenLoad, SearchLoad
from planrunner.language.diagnostics import Code, suggest
from planrunner.language.fields.text import Text
from planrunner.language.fields.types import Deferred
from planrunner.plan.models.load.level import LoadLevel
from planrunner.plan.models.load.workload import PhaseModel
from planrunner.plan.yaml.document import PlanPath
from planrunner.schedule.arrivals import ArrivalKind, RateStage
from planrunner.schedule.search import SearchSteps, grain_of
from planrunner.units import NS_PER_S, Rate

if TYPE_CHECKING:  # see `language.fields.mapping.later`
    from planrunner.plan.models.load.search import SearchModel

__all__ = ["Classes", "begins", "compile_open", "compile_search", "lacks_users"]

Classes = Mapping[str, int | None]
"""User classes in file order, each with its `count` if it has one."""

MAX_USERS: Final = 1000
"""Of an open load, unless the plan says otherwise."""

_NO_RATE: Final = Rate(0, NS_PER_S)


def compile_open(
    work: Compilation, phase: PhaseModel, path: PlanPath, classes: Classes, known: Classes
) -> OpenLoad | None:
    """Compile a phase whose iterations arrive at a rate; None after a fault.

    `classes` are those that run in the phase, `known` all that the plan has.
    """
    before = len(work.faults)
    exact: tuple[tuple[str, Rate], ...] = ()
    if phase.stages is not None:
        stages = tuple(_rate_stages(work, phase, path))
    else:
        exact = _exact_rates(work, phase, path, classes, known)
        rate = _sum_of(rate for _, rate in exact)
        if not isinstance(phase.rate, Mapping):
            rate = work.settle(phase.rate, (*path, "rate"), _NO_RATE)
        hold_ns = work.settle(phase.hold, (*path, "hold"), 0)
        # A stage moves from the level before it, so the rate first jumps to its own.
        stages = (RateStage("hold", 0, rate), RateStage("hold", hold_ns, rate))
    load = OpenLoad(
        stages,
        exact,
        ArrivalKind(phase.arrivals or "uniform"),
        work.settle(phase.max_users, (*path, "max_users"), MAX_USERS),
    )
    if len(work.faults) > before:
        return None  # what follows from a faulty value is no finding of its own
    key = "rate" if phase.stages is None else "stages"
    if not any(stage.rate.count for stage in stages):
        work.fault(
            (*path, key), Code.NO_LOAD, "nothing ever arrives", hint="write a rate such as `10/s`"
        )
    elif not any(stage.duration_ns for stage in stages):
        work.fault(
            (*path, key), Code.NO_LOAD, "the phase takes no time", hint="write a longer `hold`"
        )
    else:
        refuse_counts(work, classes, (*path, key))
    return load if len(work.faults) == before else None


def refuse_counts(work: Compilation, classes: Classes, path: PlanPath) -> None:
    """Note a fault for each class with an exact number of users where arrivals decide that."""
    for name, count in classes.items():
        if count is not None:
            work.fault(
                ("users", name, "count"),
                Code.CONFLICTING_KEYS,
                f"`count` can't be combined with a rate: `{name}` runs in a phase with arrivals "
                f"({work.position(path)})",
                hint="give the class a `weight`, or leave it out with `skip: {users: …}`",
                part="key",
            )


def lacks_users(work: Compilation, users: int, classes: Classes, path: PlanPath) -> bool:
    """Note a fault when a phase never has as many users as its classes' `count`s add up to."""
    counts = {name: count for name, count in classes.items() if count is not None}
    needed = sum(counts.values())
    if users >= needed:
        return False
    added = " + ".join(f"{count:,} `{name}`" for name, count in counts.items())
    what = (
        f"{needed:,} users ({added})"
        if len(counts) > 1
        else f"{needed:,} users `{next(iter(counts))}`"
    )
    work.fault(
        path,
        Code.INVALID_VALUE,
        f"`count` asks for exactly {what}, and the phase has {users:,}",
        hint=f"write at least {needed:,} users, a lower `count`, or a `weight` in its place",
    )
    return True


def level_of(work: Compilation, value: LoadLevel, path: PlanPath, kind: str) -> int | Rate:
    """Return a level of `users`, or of arrivals (`rate`)."""
    if isinstance(value, Text):
        deferred = Deferred(value, "count" if kind == "users" else "rate")
        return work.settle(deferred, path, 0 if kind == "users" else _NO_RATE)
    return value


def begins(
    work: Compilation, phase: PhaseModel, path: PlanPath, kind: str
) -> Mapping[int, int | Rate]:
    """Return the levels that stages begin at, by their index; a stage's own over the phase's."""
    found: dict[int, int | Rate] = {}
    if phase.from_ is not None:
        found[0] = level_of(work, phase.from_, (*path, "from"), kind)
    for index, stage in enumerate(phase.stages or ()):
        if stage.from_ is not None:
            where = (*path, "stages", index, "from")
            found[index] = level_of(work, stage.from_, where, kind)
    return found


def _rate_stages(work: Compilation, phase: PhaseModel, path: PlanPath) -> Iterator[RateStage]:
    begin = begins(work, phase, path, "rate")
    path = (*path, "stages")
    for index, stage in enumerate(phase.stages or ()):
        if (level := begin.get(index)) is not None:
            yield RateStage(stage.name or str(index + 1), 0, cast("Rate", level))
        yield RateStage(
            stage.name or str(index + 1),
            work.settle(stage.duration, (*path, index, "duration"), 0),
            work.settle(stage.rate, (*path, index, "rate"), _NO_RATE),
        )


def _exact_rates(
    work: Compilation, phase: PhaseModel, path: PlanPath, classes: Classes, known: Classes
) -> tuple[tuple[str, Rate], ...]:
    if not isinstance(phase.rate, Mapping):
        return ()
    rates: dict[str, Rate] = {}
    for name, level in phase.rate.items():
        where = (*path, "rate", name)
        if name not in known:
            hint = suggest(name, list(known)) or "classes: " + ", ".join(known)
            work.fault(
                where, Code.UNKNOWN_NAME, f"unknown user class `{name}`", hint=hint, part="key"
            )
            continue
        rates[name] = work.settle(level, where, _NO_RATE)
    return tuple((name, rates[name]) for name in classes if name in rates)


def _sum_of(rates: Iterator[Rate]) -> Rate:
    total = sum((Fraction(rate.count, rate.per_ns) for rate in rates), Fraction(0))
    return Rate(total.numerator, total.denominator)


def compile_search(
    work: Compilation, phase: PhaseModel, path: PlanPath, classes: Classes
) -> SearchLoad | None:
    """Compile a phase that looks for its highest level; its `slo` is compiled with thresholds."""
    model = phase.search
    assert model is not None  # what makes the phase a search
    before, path = len(work.faults), (*path, "search")
    hold_ns = work.settle(model.hold, (*path, "hold"), 0)
    settle_ns = work.settle(model.settle, (*path, "settle"), 0)
    steps = _steps(work, model, path)
    cooldown_ns = work.settle(model.cooldown, (*path, "cooldown"), 0)
    if len(work.faults) > before:
        return None
    if settle_ns >= hold_ns:
        work.fault(
            (*path, "settle" if settle_ns else "hold"),
            Code.NO_LOAD,
            "no part of a level is left to judge",
            hint="`settle` is the first part of `hold`: make `hold` longer",
        )
    if steps.first <= 0 or steps.last < steps.first:
        work.fault(
            (*path, "to" if steps.first > 0 else "from"),
            Code.NO_LOAD,
            "there is no level to try",
            hint="`from` must be above 0 and not above `to`",
        )
    if model.vary == "rate":
        refuse_counts(work, classes, path)
    elif steps.last >= steps.first > 0:
        lacks_users(work, int(steps.last), classes, (*path, "to"))
    if len(work.faults) > before:
        return None
    return SearchLoad(model.vary, steps, hold_ns, settle_ns, (), cooldown_ns, MAX_USERS)


def _steps(work: Compilation, model: SearchModel, path: PlanPath) -> SearchSteps:
    def level(value: LoadLevel | None, *key: str) -> Fraction:
        return _level(work, value, (*path, *key), model.vary)

    first = level(model.from_, "from")
    step = model.step
    return SearchSteps(
        first=first,
        last=level(model.to, "to"),
        plus=level(step.plus, "step"),
        times=Fraction(str(work.settle(step.times, (*path, "step"), 0.0))),
        grain=Fraction(1) if model.vary == "users" else grain_of(first),
        refine=work.settle(model.refine, (*path, "refine"), 0),
        confirm=work.settle(model.confirm, (*path, "confirm"), 0),
    )


def _level(work: Compilation, value: LoadLevel | None, path: PlanPath, vary: str) -> Fraction:
    """Return users, or arrivals a second."""
    if value is None:
        return Fraction(0)
    level = level_of(work, value, path, vary)
    if isinstance(level, Rate):
        return Fraction(level.count * NS_PER_S, level.per_ns)
    return Fraction(level)
