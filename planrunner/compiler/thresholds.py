"""Thresholds: sentences to values, and every name in them held against the plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.graph import PhaseNode
from planrunner.compiler.steps import Flows
from planrunner.language.diagnostics import Code, suggest
from planrunner.metrics.selector import Kind, Term
from planrunner.metrics.threshold import (
    DEFAULT_SENTENCE,
    Agg,
    Level,
    OnNoData,
    Threshold,
    ThresholdSyntaxError,
    parse_threshold,
)
from planrunner.plan.document import PlanPath
from planrunner.plan.steps import StepModel
from planrunner.plan.thresholds import ThresholdModel
from planrunner.plan.users import UserModel, request_name
from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.compile import default_name

__all__ = ["Names", "add_phases", "compile_thresholds"]

_LATER_AGGS: Final = frozenset({Agg.ACHIEVED_RATE, Agg.DROPPED, Agg.LATE, Agg.MAX_SUSTAINABLE})


@dataclass(slots=True)
class Names:
    """Everything in the plan that a threshold may name, by kind.

    Attributes:
        methods: Actions that a bare name takes as a whole, such as `etcd.put`.
        selected: The phases of this run; the others are known, but `n/a`.
    """

    known: dict[Kind, dict[str, None]] = field(default_factory=dict)
    methods: set[str] = field(default_factory=set)
    selected: frozenset[str] = frozenset()
    profile: str = ""

    def add(self, kind: Kind, name: str) -> None:
        self.known.setdefault(kind, {})[name] = None

    def of(self, kind: Kind) -> list[str]:
        return list(self.known.get(kind, ()))

    def add_users(self, users: Mapping[str, UserModel], flows: Flows) -> None:
        """Take in what the user classes send and are called."""
        for name, user in users.items():
            self.add(Kind.USER, name)
            self._add_tags(user.tags)
            for task in user.tasks or ():
                self.add(Kind.TASK, task.name)
                self._add_tags(task.tags)
                self._add_steps(task.steps, flows)
            self._add_steps(user.steps or (), flows)

    def _add_steps(self, steps: Sequence[StepModel], flows: Flows) -> None:
        for step in _walk(steps, flows, ()):
            if step.group is not None:
                self.add(Kind.GROUP, step.group)
            elif step.is_request:
                self.add(Kind.REQUEST, request_name(step))
                self.methods.add(step.action)
                self._add_tags(step.tags)
            elif step.poll is not None:
                name = step.name or default_name(step.poll)
                self.add(Kind.REQUEST, name)
                self.add(Kind.GROUP, name)

    def _add_tags(self, tags: Iterable[str] | None) -> None:
        for key in tags or ():
            self.add(Kind.TAG, key)


def _walk(
    steps: Sequence[StepModel], flows: Flows, calling: tuple[str, ...]
) -> Iterator[StepModel]:
    """Yield every step, those inside others and in called flows included."""
    for step in steps:
        yield step
        for inner in (step.do, step.then, step.else_, step.parallel):
            yield from _walk(inner or (), flows, calling)
        if step.call is not None and step.call not in calling:
            called = flows.models.get(step.call, ())
            yield from _walk(called, flows, (*calling, step.call))


def compile_thresholds(
    work: Compilation, models: Sequence[tuple[ThresholdModel, PlanPath]], names: Names
) -> tuple[Threshold, ...]:
    """Compile the plan's thresholds; the default one when it has none."""
    found: list[Threshold] = []
    pair = 0
    for model, path in models:
        sentences = list(model.sentences())
        pair += len(sentences) > 1
        for level, key, text in sentences:
            where = (*path, key) if key else path
            threshold = _threshold(work, text, where, names)
            if threshold is not None:
                found.append(
                    replace(
                        threshold,
                        level=Level(level),
                        pair=pair if len(sentences) > 1 else 0,
                        on_no_data=OnNoData(model.on_no_data or "fail"),
                    )
                )
    if not models:
        return (parse_threshold(DEFAULT_SENTENCE),)
    return tuple(found)


def _threshold(work: Compilation, text: str, path: PlanPath, names: Names) -> Threshold | None:
    settled = work.template(text, path)
    if settled is None:
        return None
    try:
        threshold = parse_threshold(settled)
    except ThresholdSyntaxError as error:
        inside = (error.offset, error.length) if settled == text else None
        work.fault(path, Code.THRESHOLD_SYNTAX, error.message, hint=error.hint, inside=inside)
        return None
    for term in threshold.selectors:
        _check(work, term, path, names, exact=settled == text)
    _check_available(work, threshold, path)
    return replace(
        threshold, place=str(work.span(path)), not_applicable=_not_applicable(threshold, names)
    )


def _check(work: Compilation, term: Term, path: PlanPath, names: Names, *, exact: bool) -> None:
    known = _choices(term, names)
    if known is None or term.name in known:
        return
    if not term.exact and term.name in names.methods:
        return
    word = {Kind.USER: "user class", Kind.ERROR: "failure kind"}.get(term.kind, str(term.kind))
    shown = ", ".join(f"`{name}`" for name in known[:8]) + (" …" if len(known) > 8 else "")
    hint = suggest(term.name, known) or (f"the plan has {shown}" if known else "it has none")
    inside = (term.offset, max(1, term.end - term.offset)) if exact else None
    work.fault(
        path,
        Code.UNKNOWN_SELECTOR,
        f"no {word} of the plan is called `{term.name}`",
        hint=hint,
        inside=inside,
    )


def _choices(term: Term, names: Names) -> list[str] | None:
    """Return what the term may name; None when any name will do."""
    match term.kind:
        case Kind.STATUS:
            return None
        case Kind.ERROR:
            return [kind.value for kind in FailureKind]
        case Kind.ITERATION:
            return names.of(Kind.USER) if term.name else None
        case Kind.SERVICE | Kind.MONITOR | Kind.GENERATOR:
            return None
        case _:
            return names.of(term.kind)


def _check_available(work: Compilation, threshold: Threshold, path: PlanPath) -> None:
    """Note what this version can't judge yet."""
    if threshold.value.of_baseline:
        work.not_available(path, "`of baseline` in a threshold")
    for metric in threshold.metrics:
        if metric.agg in _LATER_AGGS:
            work.not_available(path, f"`{metric.agg}` in a threshold")
        elif metric.gauge is not None and metric.gauge.kind is not Kind.GENERATOR:
            work.not_available(path, f"`{metric.gauge.kind}.` in a threshold")


def _not_applicable(threshold: Threshold, names: Names) -> str:
    """Return why this run doesn't select what the threshold looks at; empty when it does."""
    for term in threshold.selectors:
        if term.kind is Kind.PROFILE and term.name != names.profile:
            return f"profile {term.name} does not run"
        if term.kind is Kind.PHASE and term.name not in names.selected:
            return f"phase {term.name} does not run"
    return ""


def add_phases(
    names: Names, phases: Sequence[PhaseNode], every: Mapping[str, Sequence[str]]
) -> None:
    """Take in the phases of this run, and those of the plan's other profiles by name."""
    names.selected = frozenset(phase.name for phase in phases)
    for profile, phase_names in every.items():
        if profile:
            names.add(Kind.PROFILE, profile)
        for name in phase_names:
            names.add(Kind.PHASE, name)
    for phase in phases:
        for stage in phase.load.stages:
            names.add(Kind.STAGE, stage.name)
