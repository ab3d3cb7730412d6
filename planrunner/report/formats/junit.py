"""junit.xml: each threshold is a test case; the run, requests, components and expectations inform.

A broken threshold is one failure, so a trend of failures over builds is one of thresholds. The case
of the run fails where no threshold says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

from planrunner.report.components import (
    call_words,
    component_names,
    middle_words,
    noisy_first,
    stability_words,
)
from planrunner.report.findings import (
    EXPECT,
    broken_first,
    expectation_words,
    failed_expectations,
    place_of,
    requests_of,
    verdict_of,
    verdict_word,
)
from planrunner.report.load_facts import spoken_words
from planrunner.report.own_metrics import figures_words
from planrunner.report.plain import plain
from planrunner.results.exit_codes import ExitCode
from planrunner.results.model import Judgement, Row, RunResult, ValidityLevel, Verdict
from planrunner.results.record import CallFacts, ComponentFigures, ExpectationCount
from planrunner.units import format_count, format_duration, format_percent
from planrunner.values import dataclass

__all__ = ["JunitCase", "JunitSuite", "threshold_case", "write_junit", "write_suites"]


@dataclass(frozen=True, slots=True)
class JunitCase:
    """A test case.

    Attributes:
        fault: What failed, a line; empty when it passed.
        skipped: Why it was not run; empty when it was.
        said: What else there is to know.
        place: The file and the line that it is about.
    """

    name: str
    seconds: float
    fault: str = ""
    skipped: str = ""
    said: str = ""
    place: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class JunitSuite:
    """Test cases about one thing.

    Attributes:
        kind: What the cases are, as the last part of their class name.
        started: ISO 8601; empty if it never was.
    """

    name: str
    kind: str
    cases: Sequence[JunitCase]
    started: str
    seconds: float = 0.0


def write_junit(result: RunResult, out: TextIO) -> None:
    """Write the verdict as CI servers read it; a run that passes has no failed case."""
    thresholds = [threshold_case(one) for one in result.judgements]
    validity = list(_validity_cases(result))
    is_explained = any(case.fault for case in (*thresholds, *validity))
    found = {
        "run": [_run_case(result, is_explained=is_explained), *validity],
        "thresholds": thresholds,
        "requests": list(_request_cases(result)),
        "components": list(_component_cases(noisy_first(result), result.calls)),
        "expectations": [_expectation_case(one) for one in broken_first(result.expectations)],
    }
    suites = [
        JunitSuite(
            f"{result.plan}: {kind}",
            kind,
            cases,
            result.started,
            result.duration_seconds if kind == "run" else 0.0,
        )
        for kind, cases in found.items()
    ]
    write_suites(suites, result.duration_seconds, out)


def write_suites(suites: Iterable[JunitSuite], seconds: float, out: TextIO) -> None:
    """Write those suites that have cases."""
    shown = [suite for suite in suites if suite.cases]
    cases = [case for suite in shown for case in suite.cases]
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(f"<testsuites{_counts(cases)} time={_seconds(seconds)}>\n")
    for suite in shown:
        out.writelines(_suite(suite))
    out.write("</testsuites>\n")


def _suite(suite: JunitSuite) -> Iterator[str]:
    attributes = f"name={_attribute(suite.name)}{_counts(suite.cases)} errors='0'"
    stamp = f" timestamp={_attribute(suite.started[:19])}" if suite.started else ""
    yield f"  <testsuite {attributes} time={_seconds(suite.seconds)}{stamp}>\n"
    for case in suite.cases:
        where = f" classname={_attribute(f'planrunner.{suite.kind}')}"
        if case.place is not None:
            where += f" file={_attribute(case.place[0])} line='{case.place[1]}'"
        yield f"    <testcase name={_attribute(case.name)}{where} time={_seconds(case.seconds)}"
        inside = list(_inside(case))
        yield "/>\n" if not inside else ">\n"
        if inside:
            yield from (f"      {line}\n" for line in inside)
            yield "    </testcase>\n"
    yield "  </testsuite>\n"


def _inside(case: JunitCase) -> Iterator[str]:
    if case.fault:
        yield f"<failure message={_attribute(case.fault)}>{_text(case.fault)}</failure>"
    if case.skipped:
        yield f"<skipped message={_attribute(case.skipped)}/>"
    if case.said:
        yield f"<system-out>{_text(case.said)}</system-out>"


def _run_case(result: RunResult, *, is_explained: bool) -> JunitCase:
    """Return the case that fails with the run, unless another case says why it did."""
    reason = "" if result.ended_because == "finished" else f": {result.ended_because}"
    ending = f"{verdict_word(result)}{reason}"
    fails = verdict_of(result) is Verdict.FAIL and not is_explained
    said = [ending, f"run {result.run_id}, seed {result.seed}, plan {result.plan_path}"]
    said += filter(None, [spoken_words(result)])
    said += (f"{name}={value}" for name, value in result.labels.items())
    if result.validity.level is not ValidityLevel.VALID:
        said.append(_validity_words(result))
    fault = ending if fails else ""
    return JunitCase("the run as a whole", result.duration_seconds, fault, said="; ".join(said))


def _validity_cases(result: RunResult) -> Iterator[JunitCase]:
    """Yield a case about invalid numbers; it fails where `--strict` makes it one."""
    if result.validity.level is ValidityLevel.INVALID:
        fault = _validity_words(result) if result.exit_code == ExitCode.NOT_VALID else ""
        yield JunitCase("the numbers can be trusted", 0.0, fault, said=_validity_words(result))


def _validity_words(result: RunResult) -> str:
    return f"the numbers are {result.validity.level.value}: {'; '.join(result.validity.reasons)}"


def threshold_case(judgement: Judgement) -> JunitCase:
    """Return the case of a threshold; it fails if that was broken."""
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
            return JunitCase(name, 0.0, f"{word}: {said}", place=found)
        case Verdict.NOT_APPLICABLE:
            return JunitCase(name, 0.0, skipped=f"{word}: {judgement.reason}", place=found)
        case _:
            return JunitCase(name, 0.0, said=f"{word}: {said}", place=found)


def _only_warns(judgement: Judgement) -> bool:
    """Whether another judgement of the same threshold fails in its place."""
    return bool(judgement.pair) and judgement.level == "warn"


def _request_cases(result: RunResult) -> Iterator[JunitCase]:
    expected = failed_expectations(result)
    for row in requests_of(result):
        yield _request_case(row, expectation_words(expected.get(("", row.name), {})))


def _request_case(row: Row, which: str) -> JunitCase:
    rate = row.failed / row.count if row.count else 0.0
    kinds = ", ".join(
        f"{count:,} {kind} ({which})" if which and kind == EXPECT else f"{count:,} {kind}"
        for kind, count in row.failures.items()
    )
    said = f"{row.failed:,} of {row.count:,} failed ({format_percent(rate)})"
    said += f": {kinds}" if kinds else ""
    if row.has_latency:
        said += f"; p95 {format_duration(row.latency_ns['p95'])}"
    said = "; ".join((said, *figures_words(row)))
    seconds = row.latency_ns.get("avg", 0) / 1e9
    return JunitCase(row.name, seconds, said=said)


def _component_cases(
    found: Sequence[ComponentFigures], calls: Sequence[CallFacts]
) -> Iterator[JunitCase]:
    """Yield what each component took; whether it is stable informs, and fails no build."""
    called = {one.request: f"; {call_words(one)}" for one in calls}
    for one, name in zip(found, component_names(found), strict=True):
        said = f"{middle_words(one)} (median ± MAD), {stability_words(one)}"
        yield JunitCase(name, one.median_ns / 1e9, said=said + called.get(one.name, ""))


def _expectation_case(found: ExpectationCount) -> JunitCase:
    """Return the case of an expectation; whether breaking it matters is said by thresholds."""
    asked = found.held + found.broken
    said = f"held {found.held:,} of {format_count(asked, 'time')}"
    if found.broken:
        said += f", broken {found.broken:,} ({format_percent(found.broken / asked)})"
    if found.is_soft:
        said += "; soft: breaking it is not a failure"
    return JunitCase(f"{found.request}: {found.expected}", 0.0, said=said)


def _counts(cases: Sequence[JunitCase]) -> str:
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
