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
_MARKS: Final = re.compile(r"\$\{(.*)\}", re.DOTALL)


def tag_of(name: str) -> str:
    """Return the tag of requests whose times a metric collects."""
    return identifier(name)


def _new(call: NativeCall) -> JsValue:
    name = call.argument(0)
    if not isinstance(name, JsConst):
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
    if isinstance(value, JsUnknown):
        raise NoStepSays(value.why)
    if isinstance(value, JsSpan):
        _group(call, metric, value)
    else:
        _keep(call, metric, value)
    return UNDEFINED


def _keep(call: NativeCall, metric: JsMetric, value: JsValue) -> None:
    """Write a value at the request that has been sent, or a constant one at the next."""
    machine = call.machine
    request = _request_of(value) or machine.last
    why = _NO_REQUEST
    if request is not None:
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
        text = plan_text(one, call.machine)
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
    held, broken, test = mark
    tag, tags = tag_of(metric.name), _tags(request)
    try:
        said = _said(call, request, when, mark)
    except NoStepSays:
        checked = _checked(test)
        if checked is None or when or tag in tags:
            raise
        tags[tag] = "checked"
        _note(call, metric, checked, "checked")
        return
    before = tags.get(tag)
    if before is not None:
        said = _both(call, request, metric, when, said)
    tags[tag] = said
    request.marks.setdefault(tag, []).append(when)
    use = "time" if held == "timed" else "marked"
    _note(call, metric, use, held, broken)
    if "${" in said:
        call.machine.computed.add(metric.name)


def _note(call: NativeCall, metric: JsMetric, use: str, *values: str) -> None:
    machine = call.machine
    machine.metric_uses.setdefault(metric.name, set()).add(use)
    machine.tags.setdefault(tag_of(metric.name), set()).update(one for one in values if one)


def _said(
    call: NativeCall, request: JsReply, when: list[JsBranch], mark: tuple[str, str, JsValue]
) -> str:
    """Return the value of a tag: a word, or an expression that gives one."""
    held, broken, test = mark
    known = truth(test)
    if known is not None:
        word = held if known else broken or "none"
        found = f"'{word}'"
    else:
        text = reply_expression(test, request, call.machine)
        found = f"'{held}' if {text} else '{broken or 'none'}'"
        word = ""
    if not when:
        return word or f"${{{found}}}"
    tests = _tests(call, request, when)
    inner = found if word else f"({found})"
    return f"${{{inner} if {' and '.join(tests)} else 'none'}}"


def _tests(call: NativeCall, request: JsReply, when: list[JsBranch]) -> list[str]:
    """Return conditions as expressions; those of which an `if` says already what is missing."""
    machine = call.machine
    return [f"({reply_expression(one.test, request, machine, partly=True)})" for one in when]


def _both(
    call: NativeCall, request: JsReply, metric: JsMetric, when: list[JsBranch], said: str
) -> str:
    """Return a tag that several branches set, of which only one runs."""
    tag = tag_of(metric.name)
    for other in request.marks.get(tag, [[]]):
        if not any(
            one.statement == each.statement and one.test is not each.test
            for one in when
            for each in other
        ):
            raise NoStepSays("a second value for one request: `record` it under another name")
    inner = _MARKS.fullmatch(said)
    before = _MARKS.fullmatch(str(_tags(request)[tag]))
    if inner is None or before is None or not before[1].endswith(" else 'none'"):
        raise NoStepSays("a second value for one request: `record` it under another name")
    del call
    return f"${{{before[1].removesuffix(chr(39) + 'none' + chr(39))}({inner[1]})}}"


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
        raise NoStepSays("a second value for one request: `record` it under another name")
    record[name] = float(said) if re.fullmatch(r"-?\d+\.\d+", said) else said
    call.machine.metric_uses.setdefault(metric.name, set()).add("record")


METRICS: Final[dict[str, Callable[[NativeCall], JsValue]]] = {
    **{f"metrics.{kind}": _new for kind in ("Trend", "Rate", "Counter", "Gauge")},
    "Metric.add": _add,
}
