"""Which plan of one suite is compared with which of another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from planrunner.results.exit_codes import WHOLE
from planrunner.results.suites.model import SuitePlan, SuiteResult
from planrunner.values import dataclass

__all__ = ["PlanPairs", "pair_plans", "typical_run"]


@dataclass(frozen=True, slots=True)
class PlanPairs:
    """The plans that both suites have runs of, and the others."""

    pairs: tuple[tuple[SuitePlan, SuitePlan], ...]
    gone: tuple[SuitePlan, ...]
    new: tuple[SuitePlan, ...]


def pair_plans(before: SuiteResult, after: SuiteResult) -> PlanPairs:
    """Pair plans by their names and profiles; several of the same in their order."""
    waiting: dict[tuple[str, str], list[SuitePlan]] = defaultdict(list)
    for plan in _with_runs(before.plans):
        waiting[plan.plan, plan.profile].append(plan)
    pairs, new = [], []
    for plan in _with_runs(after.plans):
        same = waiting[plan.plan, plan.profile]
        if same:
            pairs.append((same.pop(0), plan))
        else:
            new.append(plan)
    gone = tuple(plan for plans in waiting.values() for plan in plans)
    return PlanPairs(tuple(pairs), gone, tuple(new))


def _with_runs(plans: Iterable[SuitePlan]) -> list[SuitePlan]:
    return [plan for plan in plans if typical_run(plan)]


def typical_run(plan: SuitePlan) -> str:
    """Return the directory of the run in the middle by its p95; empty without a whole one."""
    whole = [run for run in plan.runs if run.exit_code in WHOLE]
    by_p95 = sorted(whole, key=lambda run: run.totals.p95_response_time)
    return by_p95[(len(by_p95) - 1) // 2].directory if by_p95 else ""
