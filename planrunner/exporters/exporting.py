"""Export: a checked plan → the text of another tool's test, and a ledger."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field
from importlib import import_module
from pathlib import Path
from typing import Final

from planrunner.compiler import compile_plan
from planrunner.compiler.load.selection import PlanSelection
from planrunner.exporters.contract import Exporter, ExportRequest, ExportWriter, WrittenTest
from planrunner.exporters.plan_nodes import PlanTree, plan_tree
from planrunner.graph.run_graph import RunGraph
from planrunner.loss.ledger import Ledger
from planrunner.plan.loader import CheckedPlan
from planrunner.values import dataclass

__all__ = ["Exported", "export_plan"]

_ELSEWHERE: Final = {
    "report": "the tool writes its own reports",
    "outputs": "send the tool's samples with an option of its own",
    "notify": "notify people from the job that runs the tool",
    "monitors": "watch the machines by other means",
    "baseline": "compare runs by other means",
    "teardown": "run these steps yourself when the test has ended",
    "preflight": "look whether the target answers before you start",
    "files": "write these files with `planrunner data` first",
    "hooks": "write its functions in the language of the tool",
}
_NO_MEANING: Final = ("name", "description", "planrunner", "imports", "environments", "cases")
"""Keys that are in what is exported by being resolved, or as a comment."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export gives.

    Attributes:
        test: What the writer gave.
        ledger: Closed.
        environ: Secrets that the script takes from its environment, by variable.
    """

    exporter: Exporter
    test: WrittenTest
    ledger: Ledger
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)


def export_plan(
    plan: CheckedPlan,
    exporter: Exporter,
    *,
    selection: PlanSelection,
    folder: Path,
    headers: Mapping[str, str] | None = None,
) -> Exported:
    """Make another tool's test of a plan; writes and sends nothing.

    Args:
        plan: Loaded; secrets need no values.
        exporter: Of the tool.
        selection: Which phases, classes and tasks are exported.
        folder: Where the script will lie.
        headers: Of every request, beside those of the plan.

    Raises:
        PlanError: The plan doesn't compile.
    """
    graph = compile_plan(plan, selection=selection)
    ledger = Ledger()
    tree = plan_tree(plan.document, ledger, _unselected(plan, graph))
    _judge_what_all_lack(tree)
    shown = os.path.relpath(Path(plan.bundle.file).parent, folder)
    request = ExportRequest(plan, graph, tree, ledger, shown, headers or {})
    test = _writer(exporter)(request)
    ledger.close()
    return Exported(exporter, test, ledger, request.environ)


def _unselected(plan: CheckedPlan, graph: RunGraph) -> frozenset[int]:
    """Return the numbers of the phases that nobody asked for."""
    names = {phase.matrix or phase.name for phase in graph.phases}
    return frozenset(
        number
        for number, phase in enumerate(plan.model.phases or ())
        if phase.name is not None and phase.name not in names
    )


def _judge_what_all_lack(tree: PlanTree) -> None:
    for key in _NO_MEANING:
        tree.root.take(key) if key in ("name", "description") else _take_whole(tree, key)
    for key, instead in _ELSEWHERE.items():
        found = tree.root.entry(key)
        if found is not None:
            found.construct.left_out(instead)
            for one in found.node.below():
                one.construct.left_out(instead)
    services = tree.root.entry("services")
    if services is not None:
        services.construct.needs_you("start them before the test")
        services.node.whole()


def _take_whole(tree: PlanTree, key: str) -> None:
    tree.root.take_whole(key)


def _writer(exporter: Exporter) -> ExportWriter:
    module, _, name = exporter.writer.partition(":")
    found: ExportWriter = getattr(import_module(module), name)
    return found
