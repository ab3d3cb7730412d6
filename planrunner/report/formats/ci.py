"""What CI servers read line by line: GitHub's annotations and GitLab's metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TextIO

from planrunner.report.findings import place_of, requests_of, verdict_of
from planrunner.report.own_metrics import has_work
from planrunner.report.plain import plain
from planrunner.results.exit_codes import ExitCode
from planrunner.results.model import Judgement, Row, RunResult, Validity, ValidityLevel, Verdict
from planrunner.results.record import checks_held

__all__ = ["write_annotations", "write_openmetrics"]

_LONGEST_LABEL: Final = 200
_QUANTILES: Final = {"p50": "0.5", "p95": "0.95", "p99": "0.99"}


def write_annotations(result: RunResult, out: TextIO) -> None:
    """Write a workflow command of GitHub Actions for each broken threshold, at its line."""
    for judgement in result.judgements:
        if judgement.verdict in (Verdict.FAIL, Verdict.NO_DATA, Verdict.WARN):
            out.write(_annotation(judgement))
    if result.ended_because != "finished" and verdict_of(result) is Verdict.FAIL:
        out.write(f"::error title=planrunner::{_data(result.ended_because)}\n")
    is_failure = result.exit_code == ExitCode.NOT_VALID
    out.writelines(_validity(result.validity, "error" if is_failure else "warning"))


def _annotation(judgement: Judgement) -> str:
    level = "warning" if judgement.verdict is Verdict.WARN else "error"
    word = judgement.verdict.value.replace("_", " ")
    properties = [f"title={_property(f'threshold: {word}')}"]
    place = place_of(judgement)
    if place is not None:
        file, line, column = place
        properties[:0] = [f"file={_property(file)}", f"line={line}", f"col={column}"]
    reason = f" ({judgement.reason})" if judgement.reason else ""
    observed = judgement.observed or "nothing"
    said = f"{judgement.threshold}: observed {observed}, limit {judgement.limit}{reason}"
    return f"::{level} {','.join(properties)}::{_data(said)}\n"


def _validity(validity: Validity, level: str) -> Iterator[str]:
    if validity.level is not ValidityLevel.VALID:
        for reason in validity.reasons:
            title = _property(f"the numbers are {validity.level.value}")
            yield f"::{level} title={title}::{_data(reason)}\n"


def _data(text: str) -> str:
    return plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def write_openmetrics(result: RunResult, out: TextIO) -> None:
    """Write the main numbers in the OpenMetrics text format, as GitLab's metrics reports want."""
    totals = result.totals
    out.write("# TYPE planrunner_passed gauge\n")
    out.write(f"planrunner_passed {int(verdict_of(result) is not Verdict.FAIL)}\n")
    out.write("# TYPE planrunner_valid gauge\n")
    out.write(f"planrunner_valid {int(result.validity.level is not ValidityLevel.INVALID)}\n")
    figures = {
        "requests": totals.total_requests,
        "failed_requests": totals.failed_requests,
        "requests_per_second": totals.requests_per_second,
        "error_rate_percent": totals.error_rate,
        "latency_seconds_avg": totals.average_response_time,
        "latency_seconds_p95": totals.p95_response_time,
    }
    if (checks := checks_held(result.series)) is not None:
        figures["checks_percent"] = 100 * checks
    for name, value in figures.items():
        gauge = f"planrunner_{name}"
        out.write(f"# TYPE {gauge} gauge\n{gauge} {value:.9g}\n")
    rows = requests_of(result)
    out.write("# TYPE planrunner_request_latency_seconds gauge\n")
    for row in rows:
        out.writelines(_latencies(row))
    out.write("# TYPE planrunner_request_error_rate_percent gauge\n")
    for row in rows:
        rate = 100 * row.failed / row.count if row.count else 0.0
        out.write(f"planrunner_request_error_rate_percent{{{_label(row)}}} {rate:.9g}\n")
    out.writelines(_own_metrics(rows))
    out.write("# EOF\n")


def _latencies(row: Row) -> Iterator[str]:
    if row.has_latency:
        for name, quantile in _QUANTILES.items():
            labels = f'{_label(row)},quantile="{quantile}"'
            seconds = row.latency_ns[name] / 1e9
            yield f"planrunner_request_latency_seconds{{{labels}}} {seconds:.9g}\n"


def _own_metrics(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the averages of a plan's own metrics, shares of true from 0 to 1, and work rates."""
    if any(row.metrics for row in rows):
        yield "# TYPE planrunner_request_metric_avg gauge\n"
    for row in rows:
        for name, found in row.metrics.items():
            labels = f'{_label(row)},metric="{_quotable(name)}"'
            yield f"planrunner_request_metric_avg{{{labels}}} {found.avg:.9g}\n"
    if has_work(rows):
        yield "# TYPE planrunner_request_work_rate gauge\n"
    for row in rows:
        if row.work_per_second is not None:
            yield f"planrunner_request_work_rate{{{_label(row)}}} {row.work_per_second:.9g}\n"


def _label(row: Row) -> str:
    return f'request="{_quotable(row.name)}"'


def _quotable(text: str) -> str:
    return plain(text)[:_LONGEST_LABEL].replace("\\", "\\\\").replace('"', '\\"')
