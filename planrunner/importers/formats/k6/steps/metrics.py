"""Metrics of a script: values that are recorded, or tags of the requests that they are about."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Final

from planrunner.importers.draft import DraftStep, Keys
from planrunner.importers.formats.k6.code.calls import NativeCall
from planrunner.importers.formats.k6.state.machine import K6Machine, NoStepSays, PendingMark
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsBranch,
    JsConst,
    JsMark,
    JsMetric,
    JsObject,
    JsOp,
    JsPart,
    JsReply,
    JsSpan,
    JsUnknown,
    JsValue,
)
from planrunner.importers.formats.k6.terms.operators import negated, truth
from planrunner.importers.formats.k6.terms.replies import reply_expression
from planrunner.importers.formats.k6.terms.texts import expression, plan_text
from planrunner.importers.templates import identifier

__all__ = ["METRICS", "tag_of", "take_pending"]

_NO_REQUEST: Final = "a value of something else than a reply: `record` it at a request"
_ELSEWHERE: Final = "a value that is recorded under other conditions than its request is sent"
_ALWAYS: Final = JsConst(value=True)
_NO_WORD: Final = "'none'"
_SECOND: Final = "a second value for one request: `record` it under another name"


def tag_of(name: str) -> str:
    """Return the tag of requests whose times a metric collects."""
    return identifier(name)


def _new(call: NativeCall) -> JsValue:
    name = call.argument(0)
    if not isinstance(name, JsConst) or name.value is None:
        raise NoStepSays("a metric whose name is computed")
    made = JsMetric(call.name, str(name.value))
    call.machine.metrics[made.name] = made
    return made


def _add(call: NativeCall) -> JsValue:
    """Read `metric.add(value, tags)`."""
    metric, value = call.of, call.argument(0)
    assert isinstance(metric, JsMetric), "a method of a metric"
    machine = call.machine
    if machine.trial:
        return UNDEFINED
    if isinstance(value, JsUnknown) or not machine.lists:
        raise NoStepSays(value.why if isinstance(value, JsUnknown) else _NO_REQUEST)
    if isinstance(value, JsSpan):
        _group(call, metric, value)
    else:
        _keep(call, metric, value)
    return UNDEFINED


def _keep(call: NativeCall, metric: JsMetric, value: JsValue) -> None:
    """Write a value at the request that has been sent, or a constant one at the next."""
    machine = call.machine
    why = _NO_REQUEST
    for request in _candidates(call, value):
        try:
            _put(call, request, metric, value)
        except NoStepSays as fault:
            why = fault.why
        else:
            return
    if not isinstance(value, JsConst) or not machine.lists:
        raise NoStepSays(why)
    steps = machine.lists[-1]
    construct = call.scope.module.construct(call.node)
    put = partial(_put, call, metric=metric, value=value, steps=steps)
    machine.pending.append(PendingMark(steps, construct, put, why))


def _candidates(call: NativeCall, value: JsValue) -> list[JsReply]:
    """Return the requests that a value may be about, the likeliest first."""
    own = _request_of(value)
    if own is not None:
        return [own]
    machine = call.machine
    ways = machine.way_to(machine.lists[-1]) if machine.lists else []
    asked = [_request_of(when.test) for _, when in reversed(ways) if when is not None]
    listed = [machine.last, *asked, machine.recent]
    return list(dict.fromkeys(one for one in listed if one is not None))


def take_pending(machine: K6Machine, reply: JsReply) -> None:
    """Give a request the values that were recorded before it, in the same steps."""
    pending, machine.pending = machine.pending, []
    for one in pending:
        if one.steps is not reply.steps:
            machine.pending.append(one)
            continue
        try:
            one.put(reply)
        except NoStepSays as fault:
            if one.construct is not None:
                one.construct.left_out(fault.why)


def _put(
    call: NativeCall,
    request: JsReply,
    metric: JsMetric,
    value: JsValue,
    steps: list[DraftStep] | None = None,
) -> None:
    """Write a value of a metric at a request: as a tag where it is a mark, else as `record`."""
    when = _when(call, request, steps if steps is not None else call.machine.lists[-1])
    _own_tags(call, request, when)
    mark = _mark(metric, value)
    if mark is not None:
        _tag(call, request, metric, when, mark)
        return
    _record(call, request, metric, value, when)


def _request_of(value: JsValue) -> JsReply | None:
    match value:
        case JsPart(reply=reply):
            return reply
        case JsOp(operands=below):
            return next((found for one in below if (found := _request_of(one))), None)
        case _:
            return None


def _when(call: NativeCall, request: JsReply, steps: list[DraftStep]) -> list[JsBranch]:
    """Return under which conditions, beside those of the request, a value is recorded."""
    machine = call.machine
    here, there = machine.way_to(steps), machine.way_to(request.steps)
    shared = 0
    while shared < min(len(here), len(there)) and here[shared][0] == there[shared][0]:
        shared += 1
    for _, when in there[shared:]:
        if when is None or truth(when.test) is not True:
            raise NoStepSays(_ELSEWHERE)
    found: list[JsBranch] = []
    for _, when in here[shared:]:
        if when is None:
            raise NoStepSays("a value that a loop records: `record` it at its request")
        if truth(when.test) is not True:
            found.append(when)
    return found


def _own_tags(call: NativeCall, request: JsReply, when: list[JsBranch]) -> None:
    tags = call.argument(1)
    if not isinstance(tags, JsObject):
        return
    if when:
        call.change("its tags are not in the plan")
        return
    for name, one in tags.entries.items():
        try:
            text = plan_text(one, call.machine)
        except NoStepSays:
            call.change(f"its tag `{name}` is not in the plan")
            continue
        _tags(request).setdefault(name, text)
        call.machine.tags.setdefault(name, set()).add(text)


def _tags(request: JsReply) -> Keys:
    tags = request.body.setdefault("tags", {})
    assert isinstance(tags, dict), "tags are a mapping"
    return tags


def _mark(metric: JsMetric, value: JsValue) -> tuple[str, str, JsValue] | None:
    """Return the words of a tag for what a value says if a condition holds, and if it doesn't."""
    if isinstance(value, JsPart) and value.kind in ("time", "ttfb", "other_time"):
        return "timed", "", _ALWAYS
    if metric.kind == "Rate":
        return "true", "false", _condition(value)
    if metric.kind == "Counter" and isinstance(value, JsConst) and value.value in (1, True):
        return "counted", "", _ALWAYS
    if metric.kind == "Counter" and isinstance(value, JsOp) and value.sign == "?":
        test, then, other = value.operands
        if isinstance(then, JsConst) and isinstance(other, JsConst):
            if (then.value, other.value) == (1, 0):
                return "counted", "", test
            if (then.value, other.value) == (0, 1):
                return "counted", "", negated(test)
    return None


def _condition(value: JsValue) -> JsValue:
    if isinstance(value, JsOp) and value.sign == "?":
        test, then, other = value.operands
        if truth(then) is True and truth(other) is False:
            return test
        if truth(then) is False and truth(other) is True:
            return negated(test)
    return value


def _tag(
    call: NativeCall,
    request: JsReply,
    metric: JsMetric,
    when: list[JsBranch],
    mark: tuple[str, str, JsValue],
) -> None:
    held, _, test = mark
    tag, tags = tag_of(metric.name), _tags(request)
    made = request.marks.get(tag, [])
    try:
        said, words = _said(call, request, mark)
        tests = _tests(call, request, when)
    except NoStepSays:
        checked = _checked(test)
        if checked is None or when or tag in tags:
            raise
        tags[tag] = "checked"
        _note(call, metric, checked, "checked")
        return
    if tag in tags and not made:
        raise NoStepSays(_SECOND)
    for other in made:
        _judge_branches(when, other.when)
    request.marks[tag] = made = [*made, JsMark(when, tests, said)]
    tags[tag] = _joined(made)
    _note(call, metric, "time" if held == "timed" else "marked", *words)
    if "${" in str(tags[tag]):
        call.machine.computed.add(metric.name)


def _joined(marks: list[JsMark]) -> str:
    """Return a tag that one of several branches sets."""
    if not marks[0].tests and re.fullmatch(r"'\w+'", marks[0].said):
        return marks[0].said.strip("'")
    found = ""
    for one in reversed(marks):
        if not one.tests:
            found = one.said
            continue
        said = one.said if " if " not in one.said else f"({one.said})"
        other = found if " if " not in found else f"({found})"
        found = f"{said} if {' and '.join(one.tests)} else {other or _NO_WORD}"
    return f"${{{found}}}"


def _judge_branches(when: list[JsBranch], other: list[JsBranch]) -> None:
    """Refuse a second value for a request unless only one of both branches runs."""
    for one in when:
        for each in other:
            if one.statement == each.statement and one.test is not each.test:
                return
    raise NoStepSays(_SECOND)


def _note(call: NativeCall, metric: JsMetric, use: str, *values: str) -> None:
    machine = call.machine
    machine.metric_uses.setdefault(metric.name, set()).add(use)
    machine.tags.setdefault(tag_of(metric.name), set()).update(one for one in values if one)


def _said(
    call: NativeCall, request: JsReply, mark: tuple[str, str, JsValue]
) -> tuple[str, list[str]]:
    """Return the expression of a tag, and the words that it may give."""
    held, broken, test = mark
    known = truth(test)
    if known is not None:
        word = held if known else broken or "none"
        return f"'{word}'", [word]
    text = reply_expression(test, request, call.machine)
    return f"'{held}' if {text} else '{broken or 'none'}'", [held, broken]


def _tests(call: NativeCall, request: JsReply, when: list[JsBranch]) -> list[str]:
    """Return conditions as expressions; those of which an `if` says already what is missing."""
    machine = call.machine
    return [f"({reply_expression(one.test, request, machine, partly=True)})" for one in when]


def _checked(test: JsValue) -> str | None:
    """Return how a metric counts checks: `held`, or `broken`; None where it counts else."""
    match test:
        case JsOp(sign="checked"):
            return "held"
        case JsOp(sign="not", operands=[JsOp(sign="checked")]):
            return "broken"
        case _:
            return None


def _group(call: NativeCall, metric: JsMetric, span: JsSpan) -> None:
    """Put the steps that a metric times into a group."""
    machine = call.machine
    steps, inner = span.steps, span.steps[span.first : span.last]
    if steps is not machine.lists[-1] or not inner or len(steps) < span.last:
        raise NoStepSays("the time of several requests: put them into a `group`, which is timed")
    if any("think" in one.body for one in inner):
        call.change("a group is timed without its pauses")
    name = tag_of(metric.name)
    step = DraftStep({"group": name, "do": inner}, origin=inner[0].origin)
    steps[span.first : span.last] = [step]
    machine.branches[id(inner)] = inner, steps, JsBranch(_ALWAYS)
    machine.moved.append((steps, inner))
    machine.groups.add(name)
    machine.metric_uses.setdefault(metric.name, set()).add("group")


def _record(
    call: NativeCall, request: JsReply, metric: JsMetric, value: JsValue, when: list[JsBranch]
) -> None:
    if isinstance(value, JsConst) and isinstance(value.value, str):
        raise NoStepSays("a text as the value of a metric")
    if isinstance(value, JsConst):
        said = str(value.value or 0).lower()
    elif request is call.machine.last:
        said = expression(value, call.machine)
    else:
        said = reply_expression(value, request, call.machine)
    if when and metric.kind != "Counter":
        raise NoStepSays("a value under a condition: `record` it with `… if … else …`")
    if when:
        tests = _tests(call, request, when)
        said = f"({said}) if {' and '.join(tests)} else 0"
    record = request.body.setdefault("record", {})
    assert isinstance(record, dict), "written here"
    name = tag_of(metric.name)
    if name in record:
        raise NoStepSays(_SECOND)
    record[name] = float(said) if re.fullmatch(r"-?\d+\.\d+", said) else said
    call.machine.metric_uses.setdefault(metric.name, set()).add("record")


METRICS: Final[dict[str, Callable[[NativeCall], JsValue]]] = {
    **{f"metrics.{kind}": _new for kind in ("Trend", "Rate", "Counter", "Gauge")},
    "Metric.add": _add,
}
