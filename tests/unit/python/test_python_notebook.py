"""What notebooks show."""

from __future__ import annotations

from planrunner.python.results.compared import RunComparison
from planrunner.results.changes import ChangeOutcome, Comparison, FigureChange


def test_a_comparison_shows_its_changes() -> None:
    """A row for each, with what it was and is, and names that can't break out."""
    worse = FigureChange("GET <b>", "typical_p95", 0.1, 0.2, 1.0, 0.9, 1.1, ChangeOutcome.WORSE)

    shown = RunComparison(Comparison("a", "b", 0.05, (worse,), (), (), ()))._repr_html_()

    heads = ("request", "figure", "before", "after", "change", "interval", "outcome")
    row = ("GET &lt;b&gt;", "typical p95", "100 ms", "200 ms", "+100.0 %")
    assert "".join(f"<th>{name}</th>" for name in heads) in shown
    assert "".join(f"<td>{cell}</td>" for cell in row) in shown
