"""How a comparison is told."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace

from planrunner.report.configurations.console import print_configurations
from planrunner.report.formats.compare import print_comparison, write_history_html
from planrunner.report.terminal.console import open_console
from planrunner.results.changes import ChangeOutcome, Comparison, FigureChange
from planrunner.results.configurations.model import (
    Configuration,
    ConfigurationFigure,
    ConfigurationTable,
)
from tests.support.results import RESULTS


def test_a_figure_that_a_run_lacks_is_no_change_of_nothing():
    """A step that fails at once has no latency: 0 ns and +0.0 % would be made up."""
    unclear, worse = ChangeOutcome.UNCLEAR, ChangeOutcome.WORSE
    changes = (
        FigureChange("", "typical_p50", 0.002, 0.0, 0, 0, 0, unclear),
        FigureChange("", "error_rate", 0.0, 1.0, 1.0, 0.9, 1.0, worse),
    )
    out = io.StringIO()

    print_comparison(Comparison("a", "b", 0.05, changes, (), (), ()), open_console(out, width=100))

    text = out.getvalue()
    assert re.search(r"typical p50 +2 ms +– +– ", text)
    assert re.search(r"error rate +0 % +100 % +\+100.00 points", text)


def history(runs, **more):
    out = io.StringIO()
    write_history_html(runs, out, bundle="window.vegaEmbed = 1;", **more)
    return out.getvalue()


def charts_of(text):
    data = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)[1]
    return json.loads(data)


def test_a_history_keeps_plans_and_profiles_apart():
    """Each has its heading, its charts and its table."""
    run = RESULTS["passing"]
    others = [replace(run, plan="cart"), replace(run, plan="cart", profile="soak")]
    text = history([run, run, *others, *others])

    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", text)
    assert headings == ["shop stress", "cart", "cart, profile soak"]
    assert len(charts_of(text)["charts"]) == 9
    assert len(set(re.findall(r'id="(chart-[^"]*)"', text))) == 9


def test_a_history_has_verdicts_and_limits():
    """A dot for each run by its verdict, a line for each level of what the plan limits."""
    runs = [RESULTS["passing"], RESULTS["failing"]]
    page = charts_of(history(runs))

    p95 = next(chart for chart in page["charts"] if chart["id"] == "p95")
    assert page["datasets"][p95["data"]["runs"]]["word"] == ["pass", "fail"]
    assert page["datasets"][p95["data"]["limits"]]["limit"] == [250]


def test_a_history_leads_to_the_reports():
    """By their addresses from the page; a run without one is only named."""
    run = RESULTS["passing"]
    text = history([run, replace(run, run_id="gone")], reports={run.run_id: "a%20b/report.html"})

    assert re.findall(r'href="([^#"]*)"', text) == ["a%20b/report.html"]


def test_a_single_run_has_no_trend():
    """Its table says all."""
    assert charts_of(history([RESULTS["passing"]]))["charts"] == []


def figure(request, name, *values):
    nothing = (None,) * len(values)
    return ConfigurationFigure(request, name, values, nothing, nothing, ((),) * len(values), (0,))


def test_figures_that_some_requests_lack_leave_their_place_free():
    """Work and expectations are of some requests only, and components have a median each."""
    table = ConfigurationTable(
        (Configuration("a", "1", {}), Configuration("b", "2", {})),
        0.05,
        (
            figure("", "error_rate", 0.0, 0.5),
            figure("load", "p50", 0.001, 0.002),
            figure("load", "error_rate", 0.0, 1.0),
            figure("load", "work_rate", 5.0, 7.0),
        ),
    )
    out = io.StringIO()

    print_configurations(table, open_console(out, width=100))

    lines = [line.split() for line in out.getvalue().splitlines() if " %" in line]
    assert lines == [
        ["all", "requests", "a", "0", "%", "≈"],
        ["b", "50", "%"],
        ["load", "a", "5/s", "≈", "1", "ms", "≈", "0", "%", "≈"],
        ["b", "7/s", "2", "ms", "100", "%"],
    ]
