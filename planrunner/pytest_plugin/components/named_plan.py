"""The plan that the ini file names for components: its data sources, and its thresholds."""

from __future__ import annotations

import os
from typing import Final

import pytest

from planrunner.compiler import compile_plan
from planrunner.graph.run_graph import RunGraph
from planrunner.pytest_plugin.plans.options import cases_of
from planrunner.python.arguments import selection_of
from planrunner.python.faults import named_as_arguments
from planrunner.python.keywords import PlanKeywords
from planrunner.python.plans import Plan

__all__ = ["graph_of_plan"]

_GRAPHS: Final = pytest.StashKey[dict[tuple[str, ...], RunGraph]]()
_OPTION: Final = "perf_plan"


def graph_of_plan(config: pytest.Config, sizes: tuple[str, ...]) -> RunGraph | None:
    """Return the plan as it would run for some sizes; None if the ini file names no plan.

    Raises:
        PlanError: It is invalid, or has no case of that name though a matrix has cases.
    """
    given = config.getini(_OPTION)
    if not given:
        return None
    graphs = config.stash.setdefault(_GRAPHS, {})
    if sizes not in graphs:
        home = config.rootpath if config.inipath is None else config.inipath.parent
        path = os.path.relpath(home / given)
        cases = cases_of(path, sizes)
        keywords: PlanKeywords = {"case": cases} if cases else {}
        plan = Plan.from_yaml(path)
        checked = plan.source.checked(keywords, need_secrets=False)
        with plan.source.named(), named_as_arguments():
            graphs[sizes] = compile_plan(checked, seed=0, selection=selection_of(keywords))
    return graphs[sizes]
