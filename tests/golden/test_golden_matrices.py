"""The report of a matrix, as those will read it who ask how a component scales.

After a deliberate change: `pytest --update-golden`, then read the diff.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import pytest

from planrunner.report.charts.charts import PAPER, charts_of, standalone
from planrunner.report.formats.html import write_html
from planrunner.report.formats.markdown import write_markdown
from planrunner.report.terminal.console import open_console, print_summary
from planrunner.results.model import RunResult
from tests.support.golden import check_golden
from tests.support.matrices import make_load_run, make_matrix_run

RUN = make_matrix_run(limit="< 1.3")
LOADS = make_load_run({"1": 10, "10": 15, "100": 40})


def summary(result: RunResult) -> str:
    out = io.StringIO()
    print_summary(result, open_console(out, width=100, color=False))
    return out.getvalue()


def written(write: Callable[..., None], result: RunResult = RUN, **more: str) -> str:
    out = io.StringIO()
    write(result, out, **more)
    return out.getvalue()


def test_a_matrix_in_the_summary_is_what_was_reviewed(*, update_golden: bool) -> None:
    """A table for each request, sizes from top to bottom."""
    check_golden("run/matrix/summary.txt", summary(RUN), update=update_golden)


def test_a_matrix_as_markdown_is_what_was_reviewed(*, update_golden: bool) -> None:
    """The same, with everything of a cell in it."""
    check_golden("run/matrix/summary.md", written(write_markdown), update=update_golden)


def test_a_matrix_as_a_page_is_what_was_reviewed(*, update_golden: bool) -> None:
    """Tables, and both charts with what they show in words."""
    page = written(write_html, bundle="/* Vega */")

    assert 'id="chart-sizes"' in page
    assert 'id="chart-work"' in page
    check_golden("run/matrix/report.html", page, update=update_golden)


def test_a_matrix_over_users_is_what_was_reviewed(*, update_golden: bool) -> None:
    """One table of configurations, with the best marked."""
    page = written(write_html, LOADS, bundle="/* Vega */")

    check_golden("run/loads/summary.txt", summary(LOADS), update=update_golden)
    check_golden("run/loads/summary.md", written(write_markdown, LOADS), update=update_golden)
    check_golden("run/loads/report.html", page, update=update_golden)
    assert 'id="chart-dots-typical_p95-1"' in page


@pytest.mark.slow
def test_charts_against_size_are_what_was_reviewed(*, update_golden: bool) -> None:
    """As SVG, with legends of their own, and with the limits of the scalability."""
    vl_convert = pytest.importorskip("vl_convert")
    charts = {chart.id: chart for chart in charts_of(RUN, PAPER)}

    assert [row["upto"] for row in charts["sizes"].data["limits"]] == pytest.approx(
        [130, 1300], rel=0.01
    )
    for name in ("sizes", "work"):
        spec = json.dumps(standalone(charts[name], PAPER))
        svg = vl_convert.vegalite_to_svg(spec)
        check_golden(f"run/matrix/{name}.svg", svg, update=update_golden)
