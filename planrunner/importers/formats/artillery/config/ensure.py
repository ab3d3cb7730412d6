"""`ensure` of Artillery → thresholds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from planrunner.importers.draft import DraftThreshold
from planrunner.importers.formats.artillery.script import ArtilleryTest
from planrunner.importers.nodes import SourceEntry, SourceNode
from planrunner.importers.reading.documents import suspect
from planrunner.importers.reading.quantities import per_second

__all__ = ["MeasuredNames", "ensured", "reported_apdex"]

_OLD: Final = {"min": "min", "max": "max", "median": "med", "p95": "p95", "p99": "p99"}
_CLAUSE: Final = re.compile(
    r"\s*\(?\s*([A-Za-z][\w./:@ -]*?)\s*(<=|>=|==|<|>)\s*(\d{1,9}(?:\.\d+)?)\s*\)?\s*"
)
_SHARE: Final = re.compile(
    r"\s*\(*\s*([\w.]+)\s*/\s*([\w.]+)\s*\)*\s*(\*\s*100)?\s*\)*\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s*"
)
_TIMES: Final = re.compile(
    r"(http\.response_time|vusers\.session_length|http\.response_time\.[2345]xx)"
    r"\.(min|max|mean|median|p\d{2,4})"
)
_ENDPOINT: Final = re.compile(
    r"plugins\.metrics-by-endpoint\.response_time\.(.+)\.(min|max|mean|median|p\d{2,4})"
)
_AGGREGATIONS: Final = {"mean": "avg", "median": "med", "p999": "p99.9", "p9999": "p99.99"}
_COUNTS: Final = {
    "http.requests": "count",
    "http.responses": "count",
    "vusers.created": "count of iteration",
    "vusers.completed": "count of iteration",
    "vusers.skipped": "dropped",
    "vusers.failed": "errors of iteration",
}
_INSTEAD: Final = "write a sentence in `thresholds` for it, such as `p95 < 500ms`"
_LIST: Final = "Artillery reads a mapping here, and checks nothing of a list; here it is checked"
_NO_TEXT: Final = "Artillery reads `METRIC: LIMIT` here, and checks nothing of a text"
_ALL_OF_CODE: Final = re.compile(
    r"\s*http\.codes\.(\d{3})\s*(?:==|>=)\s*http\.(?:requests|responses)\s*"
)
_UNKNOWN: Final = "Artillery's `ensure` reads no such key, and checks nothing"


@dataclass(slots=True)
class MeasuredNames:
    """What Artillery's metrics are called in a plan.

    Attributes:
        endpoints: Names of requests → selectors; empty where the plan sends none.
        apdex: The score.
    """

    endpoints: dict[str, str]
    apdex: str = "apdex(500ms)"


def reported_apdex(test: ArtilleryTest, names: MeasuredNames) -> Iterator[DraftThreshold]:
    """Yield the score that the plug-in `apdex` reports, as a threshold that always holds."""
    entries = [test.config("apdex"), test.config("plugins", "apdex")]
    found = [one for one in entries if one is not None]
    texts = [one.node.take("threshold") for one in found if one.node.is_mapping]
    limits = [text.text() for text in texts if text is not None and _is_number(text.text())]
    if entries[1] is None:
        for one in found:
            suspect(one, "the plug-in `apdex` is not in `config.plugins`: nothing is reported")
        return
    names.apdex = f"apdex({limits[0] if limits else 500}ms)"
    if not names.endpoints:
        return
    yield DraftThreshold(
        {"warn": f"{names.apdex} >= 0"},
        origin=entries[1].construct.place,
        notes=["Artillery reports the score, and judges nothing: choose a limit"],
    )


def ensured(entry: SourceEntry, names: MeasuredNames) -> Iterator[DraftThreshold]:
    """Yield the thresholds of a mapping `ensure`.

    Args:
        entry: The mapping.
        names: What Artillery's metrics are called in the plan.
    """
    entry.construct.translated()
    if entry.node.is_list:
        entry.construct.suspicious(_LIST)
    for node in entry.node.each():
        for one in node.entries or []:
            yield from _one(one, names)


def _one(one: SourceEntry, names: MeasuredNames) -> Iterator[DraftThreshold]:
    if one.key in ("thresholds", "conditions"):
        yield from _listed(one, names)
    elif one.key in _OLD:
        yield from _metric(one, f"http.response_time.{one.key}", names)
    elif one.key == "maxErrorRate" and _is_number(one.node.text()):
        one.construct.translated()
        yield DraftThreshold(
            f"error_rate of iteration <= {one.node.text()}%", origin=one.construct.place
        )
    elif one.key.startswith("p") and one.key[1:].isdigit():
        one.construct.suspicious("Artillery's `ensure` checks `p95` and `p99` only")
        yield from _metric(one, f"http.response_time.{one.key}", names)
    elif one.key == "maxErrorRate":
        one.construct.left_out(_INSTEAD)
    elif _sentence(one.key, "<", "1", names) is None:
        suspect(one, _UNKNOWN)
    else:
        one.construct.suspicious(f"{_UNKNOWN}; here it is checked")
        yield from _metric(one, one.key, names)


def _listed(one: SourceEntry, names: MeasuredNames) -> Iterator[DraftThreshold]:
    one.construct.translated()
    for item in one.node.each():
        if one.key == "conditions":
            yield from _condition(item, names)
        elif item.is_mapping:
            yield from _threshold(item, names)
        else:
            yield from _written(item, one, names)


def _written(item: SourceNode, one: SourceEntry, names: MeasuredNames) -> Iterator[DraftThreshold]:
    """Yield what a text in the list of thresholds says, which Artillery does not read."""
    is_there = bool(names.endpoints) or "http." not in item.text()
    sentences = _sentences(item.text(), names) if is_there else None
    one.construct.suspicious(_NO_TEXT if sentences else f"{_NO_TEXT}: `{item.text()}`")
    for sentence in sentences or []:
        yield DraftThreshold(sentence, origin=one.construct.place)


def _threshold(item: SourceNode, names: MeasuredNames) -> Iterator[DraftThreshold]:
    for number, one in enumerate(item.entries or []):
        if number:
            one.construct.suspicious("Artillery reads one metric of each item, the first")
        yield from _metric(one, one.key, names)


def _metric(one: SourceEntry, metric: str, names: MeasuredNames) -> Iterator[DraftThreshold]:
    value = one.node.text()
    is_there = bool(names.endpoints) or not metric.startswith("http.")
    known = is_there and _is_number(value)
    sentence = _sentence(metric, "<", value, names) if known else None
    if sentence is None:
        one.construct.left_out(_INSTEAD)
        for below in one.node.below():
            below.construct.left_out(_INSTEAD)
        return
    one.construct.translated()
    yield DraftThreshold(sentence, origin=one.construct.place)


def _condition(item: SourceNode, names: MeasuredNames) -> Iterator[DraftThreshold]:
    expression = item.entry("expression")
    if expression is None:
        return
    strict = item.take_whole("strict")
    text = expression.node.text()
    is_there = bool(names.endpoints) or "http." not in text
    sentences = _sentences(text, names) if is_there else None
    if sentences is None:
        expression.construct.left_out(_INSTEAD)
        return
    expression.construct.translated()
    for sentence in sentences:
        threshold: object = {"warn": sentence} if strict is False else sentence
        yield DraftThreshold(threshold, origin=expression.construct.place)


def _sentences(expression: str, names: MeasuredNames) -> list[str] | None:
    share = _SHARE.fullmatch(expression)
    if share is not None:
        return _of_share(share)
    if every := _ALL_OF_CODE.fullmatch(expression):
        return [f"rate of status:{every[1]} >= 100%"]
    found = []
    for clause in re.split(r"\s+and\s+", expression.strip()):
        parts = _CLAUSE.fullmatch(clause)
        sentence = _sentence(parts[1].strip(), parts[2], parts[3], names) if parts else None
        if sentence is None:
            return None
        found.append(sentence)
    return found


def _of_share(share: re.Match[str]) -> list[str] | None:
    """Return the sentence for a share of all replies or users."""
    first, second, percent, sign, value = share.groups()
    number = Fraction(value) if percent else Fraction(value) * 100
    limit = f"{float(number):g}%"
    code = re.fullmatch(r"http\.codes\.(\d{3})", first)
    if code and second in ("http.requests", "http.responses"):
        return [f"rate of status:{code[1]} {sign} {limit}"]
    if first == "vusers.failed" and second.startswith("vusers."):
        return [f"error_rate of iteration {sign} {limit}"]
    return None


def _sentence(metric: str, sign: str, value: str, names: MeasuredNames) -> str | None:
    if times := _TIMES.fullmatch(metric):
        return f"{_time(times[1], times[2])} {sign} {value}ms"
    if found := _ENDPOINT.fullmatch(metric):
        selector = names.endpoints.get(found[1])
        return f"{_agg(found[2])} ttfb of {selector} {sign} {value}ms" if selector else None
    if metric == "apdex":
        return f"{names.apdex} {sign} {value}"
    return _counted(metric, sign, value)


def _counted(metric: str, sign: str, value: str) -> str | None:
    if metric == "http.request_rate":
        return f"throughput {sign} {per_second(Fraction(value))}"
    if code := re.fullmatch(r"http\.codes\.(\d{3})", metric):
        return f"count of status:{code[1]} {sign} {value}"
    if error := re.fullmatch(r"errors\.(ETIMEDOUT|ECONNREFUSED|ECONNRESET)", metric):
        return f"count of error:{_ERRORS[error[1]]} {sign} {value}"
    if metric == "plugins.expect.failed":
        return "checks == 100%" if _allows_none(sign, value) else None
    counted = _COUNTS.get(metric)
    return f"{counted} {sign} {value}" if counted else None


def _allows_none(sign: str, value: str) -> bool:
    """Say whether a limit of a number lets it be 0 only."""
    return (sign == "<" and Fraction(value) <= 1) or (sign in ("<=", "==") and not Fraction(value))


_ERRORS: Final = {"ETIMEDOUT": "timeout", "ECONNREFUSED": "connect", "ECONNRESET": "reset"}


def _time(metric: str, aggregation: str) -> str:
    agg = _agg(aggregation)
    if metric == "vusers.session_length":
        return f"{agg} of iteration"
    family = metric.rpartition(".")[2]
    return f"{agg} ttfb of status:{family}" if family.endswith("xx") else f"{agg} ttfb"


def _agg(aggregation: str) -> str:
    return _AGGREGATIONS.get(aggregation, aggregation)


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\d{1,9}(?:\.\d{1,6})?", text) is not None
