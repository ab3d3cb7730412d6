"""Results as notebooks show them: plain HTML and SVG, which need no script and load nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Final

from planrunner.report.changes import cells_of, left_words, shown_changes
from planrunner.report.charts.palette import PAPER
from planrunner.report.configurations.rows import headline, legend, sections_of
from planrunner.report.findings import find, mark_of, verdict_phrase, worst_first
from planrunner.report.plain import plain
from planrunner.results.changes import Comparison
from planrunner.results.configurations.model import ConfigurationTable
from planrunner.results.model import Point, Row, RunResult, Verdict
from planrunner.units import (
    NS_PER_S,
    format_count,
    format_duration,
    format_percent,
    format_rate,
)

__all__ = ["benchmark_html", "comparison_html", "configurations_html", "result_html"]

_COLORS: Final = {Verdict.PASS: PAPER.passed, Verdict.WARN: PAPER.series[2]}
_SHOWN: Final = ("request", "figure", "before", "after", "change", "interval", "outcome")
"""What is shown of a change."""
_MOST_ROWS: Final = 12
_WIDTH: Final = 460
_HEIGHT: Final = 120


def result_html(raw: RunResult, directory: Path) -> str:
    """Return the verdict, thresholds, requests and charts of a run."""
    color = _COLORS.get(mark_of(raw), PAPER.failures[0])
    requests = worst_first([row for row in raw.rows if row.by == "request" and not row.phase])
    parts = [
        f"<p>{_badge(color, verdict_phrase(raw))} <b>{_text(raw.plan)}</b> "
        f"{_text(_facts(raw))}</p>",
        _table(
            ("threshold", "observed", "verdict"),
            ((one.threshold, one.observed, one.word) for one in find(raw.judgements)),
        ),
        _table(
            ("request", "count", "failed", "per second", "p50", "p95", "p99"),
            map(_cells, requests[:_MOST_ROWS]),
        ),
        f"<p>{len(requests) - _MOST_ROWS} more requests</p>" if len(requests) > _MOST_ROWS else "",
        _charts(raw.points),
        f"<p>{_text(str(directory))}</p>",
    ]
    return f"<div>{''.join(parts)}</div>"


def comparison_html(comparison: Comparison) -> str:
    """Return what changed between two runs."""
    words = f"{comparison.outcome.value}: {comparison.after} against {comparison.before}"
    remarks = "".join(f"<li>{_text(remark)}</li>" for remark in comparison.remarks)
    rows = [[row[key] for key in _SHOWN] for row in cells_of(shown_changes(comparison))]
    left = left_words(comparison)
    return (
        f"<div><p><b>{_text(words)}</b></p><ul>{remarks}</ul>{_table(_SHOWN, rows)}"
        f"<p>{_text(left and f'other requests: {left}')}</p></div>"
    )


def configurations_html(table: ConfigurationTable) -> str:
    """Return who is best of several runs, and the figures of each."""
    word, words = headline(table)
    notes = "".join(f"<li>{_text(one)}</li>" for one in (*table.differences, *table.remarks))
    parts = [f"<p><b>{_text(f'{word} {words}')}</b></p><ul>{notes}</ul>"]
    for section in sections_of(table):
        rows = (
            (f"{row.name} {row.mark}".rstrip(), row.values, *(one.marked for one in row.cells))
            for row in section.rows
        )
        parts.append(f"<p>{_text(section.title)}</p>")
        parts.append(_table(("configuration", "with", *section.titles), rows))
    parts += [f"<p>{_text(one)}</p>" for one in legend(table)]
    return f"<div>{''.join(parts)}</div>"


def benchmark_html(name: str, noisy_because: str, facts: Mapping[str, str]) -> str:
    """Return what measuring a function came to.

    Args:
        name: What was called.
        noisy_because: Why the figures are not stable; empty when they are.
        facts: The figures, by what they are about.
    """
    color, word = (PAPER.series[2], "noisy") if noisy_because else (PAPER.passed, "stable")
    return (
        f"<div>{_badge(color, word)} <b>{_text(name)}</b><p>{_text(noisy_because)}</p>"
        f"{_table(('about', 'measured'), facts.items())}</div>"
    )


def _badge(color: str, words: str) -> str:
    return f'<b style="background:{color};color:#fff;padding:2px 6px">{_text(words.upper())}</b>'


def _facts(raw: RunResult) -> str:
    totals = raw.totals
    facts = [
        format_count(totals.total_requests, "request"),
        format_rate(totals.requests_per_second),
        f"{format_percent(totals.error_rate / 100)} failed",
        f"p95 {format_duration(totals.p95_response_time * NS_PER_S)}",
    ]
    return " · ".join(facts)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        f"{row.count:,}",
        f"{row.failed:,}",
        format_rate(row.requests_per_second),
        *(format_duration(row.latency_ns[name]) for name in ("p50", "p95", "p99")),
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    body = "".join(
        f"<tr>{''.join(f'<td>{_text(str(cell))}</td>' for cell in row)}</tr>" for row in rows
    )
    head = "".join(f"<th>{_text(name)}</th>" for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if body else ""


def _charts(points: Sequence[Point]) -> str:
    if len({point.second for point in points}) < 2:
        return ""
    blue, green, red = PAPER.series[0], PAPER.passed, PAPER.failures[0]
    amber = PAPER.series[2]
    rates = [
        ("requests/s", green, [(p.second, p.requests / p.seconds) for p in points]),
        ("failed/s", red, [(p.second, p.failed / p.seconds) for p in points]),
    ]
    latencies = [
        (name, color, [(p.second, getattr(p, f"{name}_ns") / 1e6) for p in points])
        for name, color in (("p50", blue), ("p95", amber), ("p99", red))
    ]
    return _chart(rates, "/s") + _chart(latencies, " ms")


_ChartLine = tuple[str, str, list[tuple[int, float]]]
"""Name, color, and the points by second."""


def _chart(lines: Sequence[_ChartLine], unit: str) -> str:
    """Draw lines over the time of the run, with the highest value beside the legend."""
    last = max(second for _, _, points in lines for second, _ in points)
    most = max((value for _, _, points in lines for _, value in points), default=0) or 1
    drawn = "".join(
        f'<polyline fill="none" stroke="{color}" stroke-width="1.5" points="'
        + " ".join(
            f"{second / last * _WIDTH:.1f},{_HEIGHT - value / most * _HEIGHT:.1f}"
            for second, value in points
        )
        + '"/>'
        for _, color, points in lines
    )
    legend = " ".join(f'<span style="color:{color}">— {name}</span>' for name, color, _ in lines)
    frame = f'<path d="M0 {_HEIGHT}H{_WIDTH}" stroke="{PAPER.line}"/>'
    return (
        f'<div style="display:inline-block;margin-right:16px"><div>{legend}, at most '
        f"{most:,.4g}{unit} in {last} s</div>"
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{" and ".join(name for name, _, _ in lines)} over time">{frame}{drawn}</svg>'
        "</div>"
    )


def _text(text: str) -> str:
    return escape(plain(text))
