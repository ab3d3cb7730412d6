"""Two suites for `planrunner compare`: plan by plan."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from planrunner.cli.streams import stdout_for_documents
from planrunner.errors import UsageError
from planrunner.formats import SUITE_JSON
from planrunner.report.formats.compare import print_comparison
from planrunner.report.plain import plain
from planrunner.report.terminal.console import open_console
from planrunner.results.changes import Comparison
from planrunner.results.comparison import compare
from planrunner.results.files.codec import encode
from planrunner.results.files.directory import METRICS, read_run
from planrunner.results.suites.model import SuitePlan
from planrunner.results.suites.pairs import PlanPairs, pair_plans, typical_run
from planrunner.results.suites.suite_json import read_suite

__all__ = ["compare_suites", "comparison_document", "is_suite"]


def is_suite(path: Path) -> bool:
    """Whether a path is the directory of a suite."""
    return (path / SUITE_JSON).is_file() and not (path / METRICS).exists()


def compare_suites(
    before: Path, after: Path, *, tolerance: float, as_json: bool
) -> list[Comparison]:
    """Compare the plans that two suites have in common, and print what changed.

    Raises:
        UsageError: One of the two isn't a suite, or they have no plan in common.
    """
    for path, other in ((before, after), (after, before)):
        if not is_suite(path):
            hint = f"name a run of `{other}`, or a suite in place of `{path}`"
            raise UsageError(f"`{other}` is a suite, and `{path}` is not", hint=hint)
    found = pair_plans(read_suite(before), read_suite(after))
    if not found.pairs:
        raise UsageError("the two suites have runs of no plan in common")
    comparisons = [
        compare(
            read_run(before / typical_run(one)),
            read_run(after / typical_run(other)),
            tolerance=tolerance,
        )
        for one, other in found.pairs
    ]
    if as_json:
        text = json.dumps(_document(found, comparisons), indent=2, ensure_ascii=False)
        click.echo(text, file=stdout_for_documents())
    else:
        _print(found, comparisons)
    return comparisons


def _print(found: PlanPairs, comparisons: list[Comparison]) -> None:
    console = open_console(sys.stdout)
    for (_, plan), comparison in zip(found.pairs, comparisons, strict=True):
        console.print()
        console.print(plain(_title(plan)), style="bold", soft_wrap=True)
        print_comparison(comparison, console)
    for word, plans in (("gone", found.gone), ("new", found.new)):
        if plans:
            names = ", ".join(map(_title, plans))
            console.print(f"{word}: {plain(names)}", soft_wrap=True)


def _title(plan: SuitePlan) -> str:
    return f"{plan.plan} ({plan.profile})" if plan.profile else plan.plan


def _document(found: PlanPairs, comparisons: list[Comparison]) -> dict[str, object]:
    return {
        "plans": [
            {"plan": plan.plan, "profile": plan.profile, **comparison_document(comparison)}
            for (_, plan), comparison in zip(found.pairs, comparisons, strict=True)
        ],
        "gone": [_title(plan) for plan in found.gone],
        "new": [_title(plan) for plan in found.new],
    }


def comparison_document(comparison: Comparison) -> dict[str, object]:
    """Return a comparison as JSON data."""
    data = encode(comparison)
    assert isinstance(data, dict)
    return {
        "outcome": comparison.outcome.value,
        "nothing_compared": comparison.nothing_compared,
        **data,
    }
