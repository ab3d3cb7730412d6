"""What a run graph is made from, as a value: workers make their own, as closures don't pickle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path

from planrunner.compiler.compile import compile_plan
from planrunner.compiler.load.selection import PlanSelection
from planrunner.graph.run_graph import RunGraph
from planrunner.plan.bundle import Bundle
from planrunner.plan.host_files import HostFiles
from planrunner.plan.loader import load_bundle
from planrunner.plan.params.resolve import ParamSources
from planrunner.values import dataclass

__all__ = ["GraphSource"]


@dataclass(frozen=True, slots=True)
class GraphSource:
    """All that decides what a plan becomes.

    Attributes:
        bundle: The plan's texts; nothing of them is read again.
        seed: Of the run, wherever it came from.
        ports: Of services, chosen for this run.
        scratch: Where services get a directory of their own.
        shows_named: As in the graph.
    """

    bundle: Bundle
    sources: ParamSources = field(repr=False)
    selection: PlanSelection
    seed: int
    ports: Mapping[str, int]
    scratch: Path
    shows_named: bool = False

    def on(self, host: HostFiles) -> GraphSource:
        """Return it for another host, which has the files that the plan names.

        Of the environment variables it gets those whose names stand in the plan.
        """
        texts = "\0".join(self.bundle.texts.values())
        environ = {name: value for name, value in self.sources.environ.items() if name in texts}
        sources = replace(self.sources, environ=environ)
        return replace(self, bundle=self.bundle.on(host), sources=sources)

    def compile(self) -> RunGraph:
        """Compile the plan.

        Raises:
            PlanError: It can't be; of a plan that was compiled before, only if a file that it
                names has changed.
        """
        plan = load_bundle(self.bundle, self.sources)
        graph = compile_plan(
            plan,
            seed=self.seed,
            ports=self.ports,
            selection=self.selection,
            scratch=self.scratch,
        )
        return replace(graph, seed=self.seed, shows_named=self.shows_named)
