"""How a comparison is told."""

from __future__ import annotations

import io
import re

from planrunner.report.formats.compare import print_comparison
from planrunner.report.terminal.console import open_console
from planrunner.results.changes import ChangeOutcome, Comparison, FigureChange


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
