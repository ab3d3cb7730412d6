"""Metrics of a script: values that are recorded, or tags of the requests that they are about."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.k6.code.calls import NativeCall
from planrunner.importers.formats.k6.state.machine import NoStepSays
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsConst,
    JsMetric,
    JsOp,
    JsPart,
    JsReply,
    JsUnknown,
    JsValue,
)
from planrunner.importers.formats.k6.terms.texts import expression
from planrunner.importers.templates import identifier

__all__ = ["METRICS", "tag_of"]

_VERBS: Final = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})


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
    """Read `metric.add(value)`."""
    metric, value = call.of, call.argument(0)
    assert isinstance(metric, JsMetric), "a method of a metric"
    if call.machine.trial:
        return UNDEFINED
    request = _request_of(value) or call.machine.last
    if request is None or not _VERBS & request.step.body.keys():
        raise NoStepSays("a value of something else than a reply: `record` it at a request")
    if _is_time(value):
        _tag(call, request, metric, "timed")
        call.machine.metric_uses.setdefault(metric.name, set()).add("time")
        return UNDEFINED
    if isinstance(value, JsUnknown):
        raise NoStepSays(value.why)
    checked = _checked(value)
    if checked is not None:
        _tag(call, request, metric, "checked")
        call.machine.metric_uses.setdefault(metric.name, set()).add(checked)
        return UNDEFINED
    _record(call, request, metric, value)
    return UNDEFINED


def _request_of(value: JsValue) -> JsReply | None:
    match value:
        case JsPart(reply=reply):
            return reply
        case JsOp(operands=below):
            return next((found for one in below if (found := _request_of(one))), None)
        case _:
            return None


def _is_time(value: JsValue) -> bool:
    """Say whether a value is how long a request took: of the reply, or of two clocks."""
    match value:
        case JsPart(kind="time" | "ttfb" | "other_time"):
            return True
        case _:
            return False


def _checked(value: JsValue) -> str | None:
    """Return how a metric counts checks: `held`, or `broken`; None where it counts else."""
    match value:
        case JsOp(sign="checked"):
            return "held"
        case JsOp(sign="not", operands=[JsOp(sign="checked")]):
            return "broken"
        case JsOp(sign="?", operands=[JsOp(sign="checked"), JsConst(value=1), JsConst(value=0)]):
            return "held"
        case JsOp(sign="?", operands=[JsOp(sign="checked"), JsConst(value=0), JsConst(value=1)]):
            return "broken"
        case _:
            return None


def _tag(call: NativeCall, request: JsReply, metric: JsMetric, said: str) -> None:
    tags = request.step.body.setdefault("tags", {})
    assert isinstance(tags, dict), "tags are a mapping"
    tags[tag_of(metric.name)] = said
    call.machine.tags.setdefault(tag_of(metric.name), set()).add(said)


def _record(call: NativeCall, request: JsReply, metric: JsMetric, value: JsValue) -> None:
    if request is not call.machine.last:
        raise NoStepSays("a value of an earlier reply: `record` it at its request")
    if isinstance(value, JsConst) and isinstance(value.value, str):
        raise NoStepSays("a text as the value of a metric")
    record: Keys = {}
    said = (
        str(value.value or 0).lower()
        if isinstance(value, JsConst)
        else expression(value, call.machine)
    )
    before = request.step.body.get("record")
    if isinstance(before, dict):
        record = dict(before)
    name = tag_of(metric.name)
    is_beside = request.steps is call.machine.lists[-1]
    if not is_beside:
        raise NoStepSays("a value under a condition: `record` it with `… if … else …`")
    record[name] = _numeric(said)
    request.step.body["record"] = record
    call.machine.metric_uses.setdefault(metric.name, set()).add("record")


def _numeric(said: str) -> object:
    return float(said) if re.fullmatch(r"-?\d+\.\d+", said) else said


METRICS: Final[dict[str, Callable[[NativeCall], JsValue]]] = {
    **{f"metrics.{kind}": _new for kind in ("Trend", "Rate", "Counter", "Gauge")},
    "Metric.add": _add,
}
