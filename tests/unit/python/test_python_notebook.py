"""What notebooks show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import planrunner
from planrunner.python.results.compared import RunComparison
from planrunner.python.results.result import Result
from planrunner.results.changes import ChangeOutcome, Comparison, FigureChange
from tests.support.long_run import make_long_run


def test_a_comparison_shows_its_changes() -> None:
    """A row for each, with what it was and is, and names that can't break out."""
    worse = FigureChange("GET <b>", "typical_p95", 0.1, 0.2, 1.0, 0.9, 1.1, ChangeOutcome.WORSE)

    shown = RunComparison(Comparison("a", "b", 0.05, (worse,), (), (), ()))._repr_html_()

    heads = ("request", "figure", "before", "after", "change", "interval", "outcome")
    row = ("GET &lt;b&gt;", "typical p95", "100 ms", "200 ms", "+100.0 %")
    assert "".join(f"<th>{name}</th>" for name in heads) in shown
    assert "".join(f"<td>{cell}</td>" for cell in row) in shown


def test_configurations_show_their_figures(tmp_path: Path) -> None:
    """By name, with the best one's mark; `planrunner.compare` of three runs gives them."""
    runs = [
        Result(
            replace(make_long_run(seconds=48, requests=1, seed=seed, slower=slower), run_id="x"),
            tmp_path / name,
        )
        for seed, (name, slower) in enumerate((("<b>", 1.0), ("slow", 4.0), ("slower", 9.0)))
    ]
    compared = planrunner.compare(*runs)

    assert isinstance(compared, planrunner.ComparedRuns)
    assert (compared.names, compared.best) == (("<b>", "slow", "slower"), "<b>")
    assert compared.differences == compared.remarks == ()
    assert compared.explain().startswith(" BEST  <b> of 3 configurations")
    shown = compared._repr_html_()
    assert "<td>&lt;b&gt; ★</td>" in shown
    assert "<th>typical p95</th>" in shown
    assert repr(compared) == "<ComparedRuns <b>, slow, slower: best <b>>"
