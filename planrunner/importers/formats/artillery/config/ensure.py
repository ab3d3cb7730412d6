"""`ensure` of Artillery → thresholds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from planrunner.importers.draft import DraftThreshold
from planrunner.importers.nodes import SourceEntry, SourceNode
from planrunner.importers.reading.documents import suspect
from planrunner.importers.reading.quantities import per_second

__all__ = ["ensured"]

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
    "apdex": "apdex(500ms)",
    "vusers.failed": "errors of iteration",
}
_INSTEAD: Final = "write a sentence in `thresholds` for it, such as `p95 < 500ms`"
_LIST: Final = "Artillery reads a mapping here, and checks nothing of a list; here it is checked"
_UNKNOWN: Final = "Artillery's `ensure` reads no such key, and checks nothing"


def ensured(entry: SourceEntry, endpoints: dict[str, str]) -> Iterator[DraftThreshold]:
    """Yield the thresholds of a mapping `ensure`.

    Args:
        entry: The mapping.
        endpoints: SourceNames of requests in Artillery's metrics → selectors.
    """
    entry.construct.translated()
    if entry.node.is_list:
        entry.construct.suspicious(_LIST)
    for node in entry.node.each():
        for one in node.entries or []:
            yield from _one(one, endpoints)


def _one(one: SourceEntry, endpoints: dict[str, str]) -> Iterator[DraftThreshold]:
    if one.key in ("thresholds", "conditions"):
        one.construct.translated()
        for item in one.node.each():
            read = _threshold if one.key == "thresholds" else _condition
            yield from read(item, endpoints)
    elif one.key in _OLD:
        yield from _metric(one, f"http.response_time.{one.key}", endpoints)
    elif one.key == "maxErrorRate" and _is_number(one.node.text()):
        one.construct.translated()
        yield DraftThreshold(
            f"error_rate of iteration <= {one.node.text()}%", origin=one.construct.place
        )
    elif one.key.startswith("p") and one.key[1:].isdigit():
        one.construct.suspicious("Artillery's `ensure` checks `p95` and `p99` only")
        yield from _metric(one, f"http.response_time.{one.key}", endpoints)
    elif one.key == "maxErrorRate":
        one.construct.left_out(_INSTEAD)
    elif _sentence(one.key, "<", "1", endpoints) is None:
        suspect(one, _UNKNOWN)
    else:
        one.construct.suspicious(f"{_UNKNOWN}; here it is checked")
        yield from _metric(one, one.key, endpoints)


def _threshold(item: SourceNode, endpoints: dict[str, str]) -> Iterator[DraftThreshold]:
    for number, one in enumerate(item.entries or []):
        if number:
            one.construct.suspicious("Artillery reads one metric of each item, the first")
        yield from _metric(one, one.key, endpoints)


def _metric(one: SourceEntry, metric: str, endpoints: dict[str, str]) -> Iterator[DraftThreshold]:
    value = one.node.text()
    is_there = bool(endpoints) or not metric.startswith("http.")
    known = is_there and _is_number(value)
    sentence = _sentence(metric, "<", value, endpoints) if known else None
    if sentence is None:
        one.construct.left_out(_INSTEAD)
        for below in one.node.below():
            below.construct.left_out(_INSTEAD)
        return
    one.construct.translated()
    yield DraftThreshold(sentence, origin=one.construct.place)


def _condition(item: SourceNode, endpoints: dict[str, str]) -> Iterator[DraftThreshold]:
    expression = item.entry("expression")
    if expression is None:
        return
    strict = item.take_whole("strict")
    text = expression.node.text()
    is_there = bool(endpoints) or "http." not in text
    sentences = _sentences(text, endpoints) if is_there else None
    if sentences is None:
        expression.construct.left_out(_INSTEAD)
        return
    expression.construct.translated()
    for sentence in sentences:
        threshold: object = {"warn": sentence} if strict is False else sentence
        yield DraftThreshold(threshold, origin=expression.construct.place)


def _sentences(expression: str, endpoints: dict[str, str]) -> list[str] | None:
    share = _SHARE.fullmatch(expression)
    if share is not None:
        return _of_share(share)
    found = []
    for clause in re.split(r"\s+and\s+", expression.strip()):
        parts = _CLAUSE.fullmatch(clause)
        sentence = _sentence(parts[1].strip(), parts[2], parts[3], endpoints) if parts else None
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


def _sentence(metric: str, sign: str, value: str, endpoints: dict[str, str]) -> str | None:
    if times := _TIMES.fullmatch(metric):
        return f"{_time(times[1], times[2])} {sign} {value}ms"
    if found := _ENDPOINT.fullmatch(metric):
        selector = endpoints.get(found[1])
        return f"{_agg(found[2])} ttfb of {selector} {sign} {value}ms" if selector else None
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
