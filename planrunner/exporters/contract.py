"""The contract of an exporter: one record for each tool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Final

from planrunner.exporters.plan_nodes import PlanTree
from planrunner.graph.run_graph import PhaseNode, RunGraph, UserProgram
from planrunner.loss.ledger import Ledger
from planrunner.plan.loader import CheckedPlan
from planrunner.values import dataclass

__all__ = ["GROUP", "ExportRequest", "ExportWriter", "Exporter", "WrittenTest"]

GROUP: Final = "planrunner.exporters"
"""The entry-point group under which other packages bring tools."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What a writer gets.

    Attributes:
        plan: Where names, weights and expressions stand as they are written.
        graph: Where the loads of the phases are settled.
        tree: The keys of the plan; what a writer takes is translated.
        ledger: Where every key is judged.
        folder: What files that the script reads are relative to, as the script names them.
        headers: Of every request, beside those of the plan.
        environ: What the script takes from its environment, with the values that the plan has; a
            writer puts it here.
    """

    plan: CheckedPlan
    graph: RunGraph
    tree: PlanTree
    ledger: Ledger
    folder: str
    headers: Mapping[str, str] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def phases(self) -> tuple[PhaseNode, ...]:
        """Those that run."""
        return self.graph.phases

    @property
    def classes(self) -> tuple[UserProgram, ...]:
        """Those that any phase has, in the order of the plan."""
        used = {name for phase in self.phases for name in phase.classes}
        return tuple(one for one in self.graph.users if one.name in used)


@dataclass(frozen=True, slots=True)
class WrittenTest:
    """What a writer gives.

    Attributes:
        text: Of the script.
        commands: How it is run, one command after the other, with `FILE` for the script.
    """

    text: str
    commands: tuple[str, ...]


ExportWriter = Callable[[ExportRequest], WrittenTest]
"""Writes a script, and judges what it takes."""


@dataclass(frozen=True, slots=True)
class Exporter:
    """A tool that plans can be exported to.

    Attributes:
        name: As `--to` takes it.
        title: What comes out, in a sentence: `a k6 script`.
        comment: What begins a comment in it.
        writer: `package.module:function`, an `ExportWriter`, imported when a plan is exported.
    """

    name: str
    title: str
    comment: str
    writer: str
