"""What a request records beside its times: `record`, `work` and `unit`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from planrunner.compiler.steps.walk import StepWalk, reads_of_reply
from planrunner.graph.steps import RecordedNode
from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import Expression
from planrunner.language.expressions.given_kinds import BOOLEAN
from planrunner.language.expressions.values import kind_of
from planrunner.metrics.measures import OWN_PREFIX, WORK
from planrunner.metrics.recorded_values import MOST, to_millionths
from planrunner.plan.yaml.document import PlanPath
from planrunner.protocols import registry
from planrunner.protocols.base import Exchange

__all__ = [
    "MOST_METRICS",
    "compile_records",
    "reads_of_records",
    "usual_unit",
    "with_counts",
    "work_unit_of",
]

MOST_METRICS: Final = 50
"""Of a plan: each has a histogram a series, and a column in every table."""


def reads_of_records(spec: object) -> frozenset[str]:
    """Return which names of its reply a request reads to record something."""
    return reads_of_reply([_record(spec), _work(spec)])


def compile_records(walk: StepWalk, spec: object, inside: PlanPath) -> tuple[RecordedNode, ...]:
    """Compile what a request records, its work first; all names of the reply are known here."""
    return tuple(_compiled(walk, spec, inside))


def with_counts(records: tuple[RecordedNode, ...], exchange: Exchange) -> tuple[RecordedNode, ...]:
    """Return what a request records, with what its replies do where the plan doesn't say it."""
    given = {one.word for one in records}
    counted = (
        RecordedNode(word, what, of_reply=count)
        for word, what, count in exchange.counts
        if word not in given
    )
    return (*counted, *records)


def usual_unit(exchange: Exchange) -> str:
    """Return what its protocol counts the work of a request in; empty where it doesn't."""
    return next((what for word, what, _ in exchange.counts if word == WORK.word), "")


def work_unit_of(walk: StepWalk, spec: object, inside: PlanPath) -> str:
    """Return what the work of a request is counted in; empty where the plan doesn't say."""
    unit = getattr(spec, "unit", None)
    return walk.work.constant_text(unit, (*inside, "unit"), walk.known) or ""


def _compiled(walk: StepWalk, spec: object, inside: PlanPath) -> Iterator[RecordedNode]:
    if (work := _work(spec)) is not None:
        path = (*inside, "work")
        yield _node(walk, WORK.word, work, path)
        if work.kind == BOOLEAN:
            message = "`work` is how much was done, and this is true or false"
            walk.work.fault(path, Code.INVALID_VALUE, message, hint="record it: `record: {ok: …}`")
    for name, expression in _record(spec).items():
        path = (*inside, "record", name)
        _check_name(walk, name, path)
        _check_kind(walk, name, expression, path)
        yield _node(walk, f"{OWN_PREFIX}{name}", expression, path)


def _node(walk: StepWalk, word: str, expression: Expression, path: PlanPath) -> RecordedNode:
    before = len(walk.work.faults)
    lowered = walk.work.expression(expression, path, walk.known)
    is_sound = len(walk.work.faults) == before
    if is_sound and lowered.is_constant and (message := _unfit(word, expression, lowered.value)):
        walk.work.fault(path, Code.INVALID_VALUE, message, hint="write a name such as `json.rows`")
    return RecordedNode(word, expression.source, lowered.evaluate)


def _unfit(word: str, expression: Expression, value: object) -> str:
    """Return why a value can't be recorded; empty if it can."""
    kept = to_millionths(value)
    if kept is None:
        if isinstance(value, int | float):
            return f"a value that is recorded is at most {MOST:,}"
        return f"`{expression.source}` is {kind_of(value)}, not a number"
    return "`work` is a number from 0" if word == WORK.word and kept < 0 else ""


def _check_name(walk: StepWalk, name: str, path: PlanPath) -> None:
    metrics = walk.shared.metrics
    if name in registry.measures():
        hint = "choose another name"
        if name == WORK.word:
            hint = "write `work:` beside `record:`"
        message = f"`{name}` is a measure of samples already"
        walk.work.fault(path, Code.RESERVED_NAME, message, hint=hint, part="key")
    elif name not in metrics and len(metrics) == MOST_METRICS:
        message = f"a plan records at most {MOST_METRICS} metrics, and `{name}` is one more"
        hint = "use tags for what differs between samples of one kind"
        walk.work.fault(path, Code.TOO_COMPLEX, message, hint=hint, part="key")
    metrics.setdefault(name, "")


def _check_kind(walk: StepWalk, name: str, expression: Expression, path: PlanPath) -> None:
    """Refuse a metric that is a number in one place and true or false in another."""
    metrics, kind = walk.shared.metrics, expression.kind
    before = metrics.get(name)
    if before and kind and before != kind:
        message = f"`{OWN_PREFIX}{name}` is {kind} here, and {before} where it is recorded first"
        walk.work.fault(path, Code.WRONG_TYPE, message, hint="give one of them another name")
    elif not before:
        metrics[name] = kind


def _record(spec: object) -> Mapping[str, Expression]:
    # Models of other packages' protocols need not have it.
    return getattr(spec, "record", None) or {}


def _work(spec: object) -> Any:  # noqa: ANN401 - an `Expression`, or None
    return getattr(spec, "work", None)
