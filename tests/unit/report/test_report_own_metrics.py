"""Metrics of the plan's own and work in every report, and in what Python programs read."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from planrunner.metrics.recorded_values import RecordedValues
from planrunner.python.results.figures import Figures
from planrunner.report.charts.charts import charts_of
from planrunner.report.charts.palette import SCREEN
from planrunner.report.charts.trend_charts import trends
from planrunner.report.formats.ci import write_openmetrics
from planrunner.report.formats.compare import print_history
from planrunner.report.formats.html import write_html
from planrunner.report.formats.junit import write_junit
from planrunner.report.formats.markdown import write_markdown
from planrunner.report.formats.timeseries import write_timeseries
from planrunner.report.own_metrics import amount_words, own_metric_rows
from planrunner.report.terminal.console import print_summary
from planrunner.results.model import Judgement, RunResult, Verdict
from planrunner.results.record import MetricPoints, RequestPoints, own_figures
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


def test_a_ci_server_reads_them() -> None:
    """Beside the latencies of the request, and as gauges."""
    junit, gauges = StringIO(), StringIO()

    write_junit(result_with_metrics(), junit)
    write_openmetrics(result_with_metrics(), gauges)

    assert "; work 750.2 rows/s; metric.hit 75 % true; metric.tokens 103.5<" in junit.getvalue()
    chat = 'request="POST /chat"'
    assert f'planrunner_request_metric_avg{{{chat},metric="hit"}} 0.75\n' in gauges.getvalue()
    assert f"planrunner_request_work_rate{{{chat}}} 750.25\n" in gauges.getvalue()
    assert gauges.getvalue().count("# TYPE planrunner_request_metric_avg") == 1


def over_time() -> RunResult:
    """Return a run of three seconds; in the second one, nothing was recorded."""
    tokens = MetricPoints((2, 0, 1), (250.0, 0.0, -5.0))
    columns = ((1, 2, 3), (2, 1, 1), (0, 1, 0), (1, 1, 1), (2, 2, 2), (3, 3, 3))
    chat = RequestPoints("POST /chat", 1, *columns, work=(7.5, 0, 3), metrics={"tokens": tokens})
    return replace(result_with_metrics(), request_points=(replace(chat, name=""), chat))


def test_timeseries_has_averages_of_intervals() -> None:
    """A line for each interval with a value; work stands beside the requests."""
    out = StringIO()
    write_timeseries(over_time(), out)

    rows = list(csv.DictReader(StringIO(out.getvalue())))

    found = [
        (row["second"], row["name"], row["requests"], row["value"])
        for row in rows
        if row["by"] == "metric"
    ]
    assert found == [
        ("1", "metric.tokens", "2", "125"),
        ("3", "metric.tokens", "1", "-5"),
        ("1", "metric.tokens of POST /chat", "2", "125"),
        ("3", "metric.tokens of POST /chat", "1", "-5"),
    ]
    assert [row["work"] for row in rows if row["by"] == "request"] == ["7.5", "0", "3"]


def test_a_page_draws_each_metric_over_time() -> None:
    """A chart for each, since their units differ; a gap where nothing was recorded."""
    [chart] = [one for one in charts_of(over_time(), SCREEN) if one.id.startswith("metric")]

    assert chart.title == "metric.tokens over time"
    assert [(row["t"], row["v"]) for row in chart.data["points"]] == [(1, 125), (3, -5)]


def runs_in_a_row() -> list[RunResult]:
    """Return a run without metrics, then two with them."""
    first = make_result(rows=(make_row("POST /chat"),))
    later = result_with_metrics()
    chat = replace(later.rows[0], work_per_second=900.0, metrics={"tokens": TOKENS})
    last = replace(later, rows=(chat, later.rows[1]))
    return [replace(run, run_id=f"run-{n}") for n, run in enumerate((first, later, last))]


def test_the_chart_of_a_metric_draws_the_limits_of_its_values() -> None:
    """One of a sum is none of any value; requests are named, as all are drawn."""
    judgements = tuple(
        Judgement(text, Verdict.PASS, "1", "300", "a:1:1", limit_amount=300)
        for text in (
            "p95 of metric.tokens < 300",
            'last of metric.tokens of "POST /chat" < 300',
            "sum of metric.tokens < 300",
            "stddev of metric.tokens < 300",
        )
    )

    charts = charts_of(replace(over_time(), judgements=judgements), SCREEN)

    (tokens,) = (chart for chart in charts if chart.id == "metric-1")
    assert [(row["v"], row["request"], row["label"]) for row in tokens.data["limits"]] == [
        (300, "", "p95 of metric.tokens < 300"),
        (300, "", 'last of metric.tokens of "POST /chat" < 300'),
    ]


def test_history_follows_them_from_run_to_run() -> None:
    """As lines below the table, and as charts; a run without them is left out."""
    out = StringIO()
    print_history(runs_in_a_row(), Console(file=out, width=160, force_terminal=False))

    charts = {one.title: one for one in trends(runs_in_a_row(), SCREEN)}

    assert " work rate of POST /chat ▇█ 750.2 rows/s to 900 rows/s\n" in out.getvalue()
    assert " metric.hit of POST /chat █ 75 % true\n" in out.getvalue()
    rate = charts["work rate of POST /chat"]
    assert [(row["n"], row["v"]) for row in rate.data["runs"]] == [(2, 750.25), (3, 900.0)]
    assert rate.words == "From – to 900 rows/s in 3 runs."


def test_a_history_without_any_has_no_line_of_them() -> None:
    """Most plans have none."""
    out = StringIO()
    print_history([make_result()] * 3, Console(file=out, width=160, force_terminal=False))

    assert " of " not in out.getvalue().splitlines()[-2]


def test_true_is_counted_and_false_is_the_rest() -> None:
    """What has no meaning of a boolean stays empty."""
    hit, tokens = own_metric_rows(result_with_metrics())

    assert hit.cells == ("4", "3 true", "", "75 %", "", "", "", "", "true")
    assert tokens.cells == ("3", "310.5", "155.2", "103.5", "-40", "99.9", "250", "250.5", "-40")


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
