"""Suites for the tests of their reports and files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from planrunner.metrics.judging.verdict import Verdict
from planrunner.results.model import Judgement
from planrunner.results.suites.model import SuitePlan, SuiteResult, SuiteRun
from planrunner.results.suites.repeats import figures_of, judged, spreads
from tests.support.results import RESULTS

__all__ = ["make_judgement", "make_plan", "make_repeated", "make_run", "make_suite"]


def make_judgement(
    amount: float | None, *, limit: float = 100.0, operator: str = "<", level: str = "fail"
) -> Judgement:
    """Make what a run came to by a threshold on a number; None for no data."""
    holds = amount is not None and (amount < limit if operator == "<" else amount > limit)
    broken = Verdict.WARN if level == "warn" else Verdict.FAIL
    verdict = Verdict.NO_DATA if amount is None else Verdict.PASS if holds else broken
    return Judgement(
        threshold=f"count {operator} {limit:g}",
        verdict=verdict,
        observed="no samples" if amount is None else f"{amount:g}",
        limit=f"{limit:g}",
        place="plans/shop.yaml:9:5",
        level=level,
        amount=None if amount is None else float(amount),
        operator=operator,
        limit_amount=None if amount is None else limit,
        unit="number",
    )


def make_run(directory: str = "shop", *, exit_code: int = 0, verdict: str = "pass") -> SuiteRun:
    result = RESULTS["passing"]
    return SuiteRun(
        directory=directory,
        run_id="a1b2c3",
        exit_code=exit_code,
        verdict=verdict,
        started=result.started,
        duration_seconds=12.5,
        totals=result.totals,
        validity="valid",
        reports=("metrics.json", "report.html"),
        judgements=(make_judgement(50 if exit_code == 0 else 150),),
    )


def make_plan(name: str = "shop", *, exit_code: int = 0, verdict: str = "pass") -> SuitePlan:
    run = make_run(name, exit_code=exit_code, verdict=verdict)
    return SuitePlan(
        plan=name,
        path=f"plans/{name}.yaml",
        profile="",
        directory=name,
        exit_code=exit_code,
        verdict=verdict,
        runs=(run,),
    )


def make_repeated(amounts: Sequence[float | None]) -> SuitePlan:
    """Make a plan whose runs observed these amounts."""
    figures = figures_of(RESULTS["passing"])
    runs = [
        replace(make_run(f"shop/{number}"), judgements=(make_judgement(amount),))
        for number, amount in enumerate(amounts, 1)
    ]
    return replace(
        make_plan(),
        wanted=len(runs),
        runs=tuple(runs),
        figures=spreads([figures] * len(runs)),
        judgements=judged([run.judgements for run in runs]),
    )


def make_suite(
    *plans: SuitePlan, exit_code: int = 0, ended_because: str = "finished"
) -> SuiteResult:
    return SuiteResult(
        started="2026-11-30T12:00:00Z",
        duration_seconds=75.0,
        seed=7,
        exit_code=exit_code,
        ended_because=ended_because,
        planrunner="1.0",
        plans=plans,
        labels={"build": "1.4"},
    )
