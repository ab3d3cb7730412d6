"""Metrics of the plan's own and work in every report, and in what Python programs read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from planrunner.metrics.recorded_values import RecordedValues
from planrunner.python.results.figures import Figures
from planrunner.report.formats.html import write_html
from planrunner.report.formats.markdown import write_markdown
from planrunner.report.own_metrics import amount_words, own_metric_rows
from planrunner.report.terminal.console import print_summary
from planrunner.results.model import RunResult
from planrunner.results.record import own_figures
from tests.support.results import make_result, make_row

TOKENS = own_figures(RecordedValues([100_000_000, 250_500_000, -40_000_000]), 2.0)
HITS = own_figures(RecordedValues([1_000_000, 0, 1_000_000, 1_000_000], booleans=4), 2.0)


def result_with_metrics() -> RunResult:
    chat = replace(
        make_row("POST /chat"),
        work=1_500.0,
        work_per_second=750.25,
        work_unit="rows",
        metrics={"tokens": TOKENS, "hit": HITS},
    )
    return make_result(rows=(chat, make_row("GET /")))


def on_console(result: RunResult) -> str:
    out = StringIO()
    print_summary(result, Console(file=out, width=160, force_terminal=False), files=())
    return out.getvalue()


def as_markdown(result: RunResult) -> str:
    out = StringIO()
    write_markdown(result, out)
    return out.getvalue()


def as_page(result: RunResult) -> str:
    out = StringIO()
    write_html(result, out)
    return out.getvalue()


@pytest.mark.parametrize("write", [on_console, as_markdown, as_page])
def test_a_report_shows_them(write: Callable[[RunResult], str]) -> None:
    """Work rate with its unit beside requests per second; numbers, and shares of true."""
    text = write(result_with_metrics()).replace("\\", "")

    for words in ("750.2 rows/s", "metric.tokens", "103.5", "250.5", "metric.hit", "75 %"):
        assert words in text


@pytest.mark.parametrize("write", [on_console, as_markdown, as_page])
def test_a_report_without_any_has_no_column_for_them(write: Callable[[RunResult], str]) -> None:
    """Most plans have neither."""
    text = write(make_result(rows=(make_row("GET /"),)))

    assert "metric." not in text
    assert "rows/s" not in text
    assert "Work<" not in text


def test_true_is_counted_and_false_is_the_rest() -> None:
    """What has no meaning of a boolean stays empty."""
    hit, tokens = own_metric_rows(result_with_metrics())

    assert hit.cells == ("4", "3 true", "", "75 %", "", "", "", "", "true")
    assert tokens.cells == ("3", "310.5", "155.2", "103.5", "-40", "99.88", "250.1", "250.5", "-40")


def test_phases_stand_below_the_run_and_figures_below_each_other() -> None:
    """A phase of a matrix has a long name, and a metric has many of them."""
    chat = result_with_metrics().rows[0]
    phases = [f"ingestion[case={case},format={form}]" for case in "sl" for form in ("csv", "avro")]
    rows = [replace(chat, phase=phase) for phase in ("", *phases)]
    once = replace(make_row("GET /once", phase=phases[2]), metrics={"tokens": TOKENS})

    lines = on_console(make_result(rows=(*rows, replace(once, phase=""), once))).splitlines()

    at = next(n for n, line in enumerate(lines) if line.startswith(" metric, phase"))
    table = lines[at : at + 12]
    assert [line[:33].rstrip() for line in table] == [
        " metric, phase",
        " metric.hit of POST /chat",
        *(f"   {phase}" for phase in phases),
        " metric.tokens of GET /once",
        " metric.tokens of POST /chat",
        *(f"   {phase}" for phase in phases),
    ]
    assert len({line.index("103.5") for line in table if "103.5" in line}) == 1


@pytest.mark.parametrize(
    ("amount", "words"),
    [(0, "0"), (12, "12"), (12.345678, "12.35"), (1234.5678, "1,235"), (0.00002, "2e-05"),
     (-0.25, "-0.25"), (1e12, "1,000,000,000,000")],
)  # fmt: skip
def test_amounts_are_short(amount: float, words: str) -> None:
    """Four digits tell two values apart."""
    assert amount_words(amount) == words


def test_programs_read_them_by_name() -> None:
    """Of a request, as of a phase."""
    chat, front = map(Figures, result_with_metrics().rows)

    assert (chat.work, chat.work_rate, chat.work_unit) == (1_500.0, 750.25, "rows")
    assert chat.metrics["tokens"].max == 250.5
    assert chat.metrics["hit"].are_booleans
    assert (front.work, front.work_rate, dict(front.metrics)) == (None, None, {})
