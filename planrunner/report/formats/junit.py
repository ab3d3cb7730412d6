"""junit.xml: each threshold is a test case; the run and each request are cases that inform.

A broken threshold is one failure, so a trend of failures over builds is one of thresholds. The case
of the run fails where no threshold says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

from planrunner.report.findings import (
    place_of,
    requests_of,
    verdict_of,
    verdict_word,
)
from planrunner.report.plain import plain
from planrunner.results.exit_codes import ExitCode
from planrunner.results.model import Judgement, Row, RunResult, ValidityLevel, Verdict
from planrunner.units import format_duration, format_percent
from planrunner.values import dataclass

__all__ = ["write_junit"]


@dataclass(frozen=True, slots=True)
class _Case:
    """A test case.

    Attributes:
        fault: What failed, a line; empty when it passed.
        skipped: Why it was not run; empty when it was.
        said: What else there is to know.
    """

    name: str
    seconds: float
    fault: str = ""
    skipped: str = ""
    said: str = ""
    place: tuple[str, int] | None = None


def write_junit(result: RunResult, out: TextIO) -> None:
    """Write the verdict as CI servers read it; a run that passes has no failed case."""
    thresholds = [_threshold_case(one) for one in result.judgements]
    validity = list(_validity_cases(result))
    is_explained = any(case.fault for case in (*thresholds, *validity))
    suites = [
        ("run", [_run_case(result, is_explained=is_explained), *validity]),
        ("thresholds", thresholds),
        ("requests", [_request_case(row) for row in requests_of(result)]),
    ]
    cases = [case for _, found in suites for case in found]
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(f"<testsuites{_counts(cases)} time={_seconds(result.duration_seconds)}>\n")
    for name, found in suites:
        if found:
            out.writelines(_suite(result, name, found))
    out.write("</testsuites>\n")


def _suite(result: RunResult, name: str, cases: Sequence[_Case]) -> Iterator[str]:
    seconds = result.duration_seconds if name == "run" else 0.0
    attributes = f"name={_attribute(f'{result.plan}: {name}')}{_counts(cases)} errors='0'"
    yield f"  <testsuite {attributes} time={_seconds(seconds)} "
    yield f"timestamp={_attribute(result.started[:19])}>\n"
    for case in cases:
        where = f" classname={_attribute(f'planrunner.{name}')}"
        if case.place is not None:
            where += f" file={_attribute(case.place[0])} line='{case.place[1]}'"
        yield f"    <testcase name={_attribute(case.name)}{where} time={_seconds(case.seconds)}"
        inside = list(_inside(case))
        yield "/>\n" if not inside else ">\n"
        if inside:
            yield from (f"      {line}\n" for line in inside)
            yield "    </testcase>\n"
    yield "  </testsuite>\n"


def _inside(case: _Case) -> Iterator[str]:
    if case.fault:
        yield f"<failure message={_attribute(case.fault)}>{_text(case.fault)}</failure>"
    if case.skipped:
        yield f"<skipped message={_attribute(case.skipped)}/>"
    if case.said:
        yield f"<system-out>{_text(case.said)}</system-out>"


def _run_case(result: RunResult, *, is_explained: bool) -> _Case:
    """Return the case that fails with the run, unless another case says why it did."""
    reason = "" if result.ended_because == "finished" else f": {result.ended_because}"
    ending = f"{verdict_word(result)}{reason}"
    fails = verdict_of(result) is Verdict.FAIL and not is_explained
    said = [ending, f"run {result.run_id}, seed {result.seed}, plan {result.plan_path}"]
    said += (f"{name}={value}" for name, value in result.labels.items())
    if result.validity.level is not ValidityLevel.VALID:
        said.append(_validity_words(result))
    fault = ending if fails else ""
    return _Case("the run as a whole", result.duration_seconds, fault, said="; ".join(said))


def _validity_cases(result: RunResult) -> Iterator[_Case]:
    """Yield a case about invalid numbers; it fails where `--strict` makes it one."""
    if result.validity.level is ValidityLevel.INVALID:
        fault = _validity_words(result) if result.exit_code == ExitCode.NOT_VALID else ""
        yield _Case("the numbers can be trusted", 0.0, fault, said=_validity_words(result))


def _validity_words(result: RunResult) -> str:
    return f"the numbers are {result.validity.level.value}: {'; '.join(result.validity.reasons)}"


def _threshold_case(judgement: Judgement) -> _Case:
    name = judgement.threshold
    if judgement.pair:
        name = f"{judgement.level}: {name}"
    seen = f"observed {judgement.observed or 'nothing'}, limit {judgement.limit}"
    said = f"{seen}; {judgement.reason}" if judgement.reason else seen
    word = judgement.verdict.value.replace("_", " ")
    place = place_of(judgement)
    found = None if place is None else place[:2]
    match judgement.verdict:
        case Verdict.FAIL | Verdict.NO_DATA if not _only_warns(judgement):
            return _Case(name, 0.0, f"{word}: {said}", place=found)
        case Verdict.NOT_APPLICABLE:
            return _Case(name, 0.0, skipped=f"{word}: {judgement.reason}", place=found)
        case _:
            return _Case(name, 0.0, said=f"{word}: {said}", place=found)


def _only_warns(judgement: Judgement) -> bool:
    """Whether another judgement of the same threshold fails in its place."""
    return bool(judgement.pair) and judgement.level == "warn"


def _request_case(row: Row) -> _Case:
    rate = row.failed / row.count if row.count else 0.0
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in row.failures.items())
    said = f"{row.failed:,} of {row.count:,} failed ({format_percent(rate)})"
    said += f": {kinds}" if kinds else ""
    if row.has_latency:
        said += f"; p95 {format_duration(row.latency_ns['p95'])}"
    seconds = row.latency_ns.get("avg", 0) / 1e9
    return _Case(row.name, seconds, said=said)


def _counts(cases: Sequence[_Case]) -> str:
    failed = sum(bool(case.fault) for case in cases)
    skipped = sum(bool(case.skipped) for case in cases)
    return f" tests='{len(cases)}' failures='{failed}' skipped='{skipped}'"


def _seconds(seconds: float) -> str:
    return f"'{seconds:.6f}'"


def _attribute(text: str) -> str:
    return quoteattr(_legal(text))


def _text(text: str) -> str:
    return escape(_legal(text))


def _legal(text: str) -> str:
    """Return what an XML 1.0 document may hold."""
    return plain(text).replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
