"""The summary as Markdown: what GitHub shows on a job's page, and chats understand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TextIO

from planrunner.report.components import (
    CALL_NOTE,
    component_names,
    middle_words,
    noisy_first,
    stability_words,
)
from planrunner.report.distinct import shorten_each
from planrunner.report.findings import (
    ROUGH_NOTE,
    ResultFinding,
    broken_first,
    find,
    is_default,
    is_rough,
    mark_of,
    phases_of,
    requests_of,
    verdict_phrase,
)
from planrunner.report.load_facts import missed_loads, service_p95_ns, spoken_words
from planrunner.report.markdown_text import markdown_table, markdown_text
from planrunner.report.matrices.markdown import matrix_markdown
from planrunner.report.own_metrics import (
    OWN_COLUMNS,
    OwnMetricRow,
    has_work,
    own_metric_rows,
    work_rate_words,
)
from planrunner.report.plain import plain
from planrunner.report.workers import crew_words
from planrunner.results.model import Row, RunResult, ValidityLevel, Verdict, WrittenFile
from planrunner.results.record import CallFacts, ComponentFigures, ExpectationCount
from planrunner.units import format_count, format_duration, format_percent, format_rate, format_size

__all__ = ["write_markdown"]

_MARKS: Final = {
    Verdict.PASS: "✅",
    Verdict.WARN: "⚠️",
    Verdict.FAIL: "❌",
    Verdict.NO_DATA: "❌",
    Verdict.NOT_APPLICABLE: "⚪",
}
_PERCENTILES: Final = ("p50", "p95", "p99")
_MOST_ROWS: Final = 20
_LONGEST: Final = 160


def write_markdown(result: RunResult, out: TextIO) -> None:
    """Write verdict, thresholds and the worst requests; a screen or two of text."""
    words = markdown_text(f"{verdict_phrase(result)}: {result.plan}")
    out.write(f"## {_MARKS[mark_of(result)]} {words}\n\n")
    out.write(" · ".join(_facts(result)) + "\n")
    if result.ended_because != "finished":
        out.write(f"\n**Ended early:** {markdown_text(result.ended_because)}\n")
    if result.validity.level is not ValidityLevel.VALID:
        out.write(f"\n**The numbers are {result.validity.level.value}:**\n\n")
        out.writelines(f"- {markdown_text(reason)}\n" for reason in result.validity.reasons)
    out.writelines(f"\n**Load:** {markdown_text(missed)}\n" for missed in missed_loads(result))
    if workers := crew_words(result.hosts):
        out.write(f"\n**Workers:** {markdown_text(workers)}\n")
    out.writelines(_thresholds(result))
    out.writelines(matrix_markdown(result))
    phases = phases_of(result)
    if len(phases) < 2:
        out.writelines(_requests("Requests", requests_of(result)))
    else:
        for phase in phases:
            title = f"Phase {markdown_text(phase.name)}"
            out.writelines(_requests(title, [phase, *requests_of(result, phase.name)]))
    out.writelines(_components(noisy_first(result)))
    out.writelines(_calls(result.calls))
    out.writelines(_expectations(broken_first(result.expectations)))
    out.writelines(_own_metrics(own_metric_rows(result)))
    out.writelines(_test_data(result.files))
    if result.notices:
        out.write("\n### Notices\n\n")
        out.writelines(f"- {markdown_text(notice)}\n" for notice in result.notices)
    labels = "".join(
        f", {markdown_text(f'{name}={value}')}" for name, value in result.labels.items()
    )
    out.write(
        f"\nRun {markdown_text(result.run_id)}, seed {result.seed}, "
        f"{_spoken(result)}"
        f"plan {markdown_text(result.plan_path)}{labels}\n"
    )


def _spoken(result: RunResult) -> str:
    words = spoken_words(result)
    return f"{markdown_text(words)}, " if words else ""


def _test_data(files: Sequence[WrittenFile]) -> Iterator[str]:
    if not files:
        return
    yield "\n### Test data\n\n| file | format | rows | size |\n|---|---|---:|---:|\n"
    for file in files:
        name = markdown_text(file.file)
        yield f"| {name} | {file.format} | {file.rows:,} | {format_size(file.bytes)} |\n"


def _facts(result: RunResult) -> Iterator[str]:
    totals, is_one = result.totals, len(phases_of(result)) < 2
    yield format_count(totals.total_requests, "request")
    if is_one:  # phases have rates and latencies of their own
        yield format_rate(totals.requests_per_second)
    if totals.total_requests:
        yield f"{format_percent(totals.error_rate / 100)} failed"
    if totals.has_latency and is_one:
        yield f"p95 {format_duration(round(totals.p95_response_time * 1e9))}"
        if service_ns := service_p95_ns(result):
            yield f"service p95 {format_duration(service_ns)}"
    yield f"took {format_duration(round(result.duration_seconds * 1e9))}"


def _thresholds(result: RunResult) -> Iterator[str]:
    findings = find(result.judgements)
    if not findings:
        return
    yield "\n### Thresholds\n\n"
    if is_default(result.judgements):
        yield "The plan has no thresholds, so this one was applied.\n\n"
    yield from markdown_table(
        ("", "Threshold", "Observed", "Limit", "Where"),
        [_finding_cells(finding) for finding in findings],
    )


def _finding_cells(finding: ResultFinding) -> tuple[str, ...]:
    reason = f" ({markdown_text(finding.reason)})" if finding.reason else ""
    return (
        f"{_MARKS[finding.verdict]} {finding.word}",
        f"{markdown_text(finding.threshold)}{reason}",
        markdown_text(finding.observed),
        " / ".join(map(markdown_text, finding.limits)),
        markdown_text(finding.place),
    )


def _requests(title: str, rows: Sequence[Row]) -> Iterator[str]:
    if not rows:
        return
    yield f"\n### {title}, worst first\n\n"
    names = shorten_each([plain(row.name) for row in rows[:_MOST_ROWS]], _LONGEST)
    work = has_work(rows)
    yield from markdown_table(
        ("Request", "Count", "Failed", "Per second", *(("Work",) if work else ()), *_PERCENTILES),
        [_row_cells(row, name, with_work=work) for row, name in zip(rows, names, strict=False)],
        numbers=1,
    )
    if any(row.has_latency and is_rough(_PERCENTILES[-1], row.count) for row in rows[:_MOST_ROWS]):
        yield f"\n\\* {ROUGH_NOTE}\n"
    if len(rows) > _MOST_ROWS:
        yield f"\n… {len(rows) - _MOST_ROWS:,} more in the report\n"


def _components(found: Sequence[ComponentFigures]) -> Iterator[str]:
    if not found:
        return
    yield "\n### Components, noisy ones first\n\n"
    rows = [
        (
            markdown_text(name),
            f"{one.samples:,}",
            middle_words(one),
            "; ".join(map(markdown_text, stability_words(one).split("; "))),
        )
        for one, name in zip(found[:_MOST_ROWS], component_names(found), strict=False)
    ]
    yield from markdown_table(("Component", "Samples", "Median ± MAD", "Stability"), rows)
    if len(found) > _MOST_ROWS:
        yield f"\n… {len(found) - _MOST_ROWS:,} more in the report\n"


def _calls(facts: Sequence[CallFacts]) -> Iterator[str]:
    if not facts:
        return
    yield "\n### Calls of components\n\n"
    is_isolated = any(one.cpu_ns is not None for one in facts)
    names = ["Component", "Called", "Empty call", "Calls", "Collections"]
    names += ["Avg cpu", "Peak rss"] if is_isolated else []
    rows = [
        (
            markdown_text(one.request) or "(no name)",
            one.how,
            format_duration(one.empty_ns),
            f"{one.calls:,}",
            "-" if one.collections is None else f"{one.collections:,}",
            "-" if one.cpu_ns is None else format_duration(one.cpu_ns),
            "-" if one.peak_rss is None else format_size(one.peak_rss),
        )[: len(names)]
        for one in facts[:_MOST_ROWS]
    ]
    yield from markdown_table(tuple(names), rows, numbers=2)
    yield f"\n{CALL_NOTE}\n"
    if len(facts) > _MOST_ROWS:
        yield f"\n… {len(facts) - _MOST_ROWS:,} more in the report\n"


def _expectations(counts: Sequence[ExpectationCount]) -> Iterator[str]:
    if not counts:
        return
    yield "\n### Expectations, most often broken first\n\n"
    rows = [
        (
            markdown_text(one.request) or "(no name)",
            markdown_text(one.expected) + (" (soft)" if one.is_soft else ""),
            f"{one.held:,}",
            f"{one.broken:,}",
        )
        for one in counts[:_MOST_ROWS]
    ]
    yield from markdown_table(("Request", "Expected", "Held", "Broken"), rows, numbers=2)
    if len(counts) > _MOST_ROWS:
        yield f"\n… {len(counts) - _MOST_ROWS:,} more in the report\n"


def _own_metrics(rows: Sequence[OwnMetricRow]) -> Iterator[str]:
    if not rows:
        return
    yield "\n### Metrics\n\n"
    cells = [
        (
            markdown_text(row.metric),
            markdown_text(row.request) or "(no name)",
            markdown_text(row.phase) or "all",
            *row.cells,
        )
        for row in rows[:_MOST_ROWS]
    ]
    titles = ("Metric", "Request", "Phase", *OWN_COLUMNS)
    yield from markdown_table(titles, cells, numbers=3)
    if len(rows) > _MOST_ROWS:
        yield f"\n… {len(rows) - _MOST_ROWS:,} more in the report\n"


def _row_cells(row: Row, name: str, *, with_work: bool) -> tuple[str, ...]:
    share = f" ({format_percent(row.failed / row.count)})" if row.failed and row.count else ""
    latencies = [
        format_duration(row.latency_ns[p]) + ("\\*" if is_rough(p, row.count) else "")
        for p in _PERCENTILES
        if row.has_latency
    ]
    return (
        "all requests" if row.by == "phase" else markdown_text(name) or "(no name)",
        f"{row.count:,}",
        f"{row.failed:,}{share}",
        f"{row.requests_per_second:,.1f}",
        *((markdown_text(work_rate_words(row)),) if with_work else ()),
        *(latencies or ["–"] * 3),
    )
