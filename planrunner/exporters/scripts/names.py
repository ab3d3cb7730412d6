"""What the names of a plan are in a script: params, rows, state, and what steps set."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from planrunner.exporters.contract import ExportRequest
from planrunner.graph.run_graph import UserProgram

__all__ = ["PlanNames"]


class PlanNames(ABC):
    """Knows where the value of each name is kept.

    Attributes:
        of_class: The class that is written.
        in_setup: Whether the steps are those before the load.
        rows: Data sources, and whether a user keeps its row.
        renamed: Arguments of the flow that is written whose names mean something else around it.
    """

    def __init__(self, request: ExportRequest) -> None:
        self.params = request.plan.params
        setup = request.graph.setup
        self.shared = frozenset(setup.names if setup is not None else ())
        self.in_setup = False
        self.rows: dict[str, bool] = {}
        self.renamed: dict[str, str] = {}
        self.of_class: UserProgram | None = None

    @property
    def state(self) -> frozenset[str]:
        """Names that live as long as the user."""
        one = self.of_class
        if one is None:
            return frozenset()
        return frozenset((*(name for name, _ in one.state), *one.start_names))

    def __call__(self, dotted: str) -> str:
        """Return code for a name, or for a name and what stands behind it; empty for neither."""
        root, _, rest = dotted.partition(".")
        if root in ("iteration", "user", "run", "phase"):
            return self.provided(dotted)
        if root == "services":
            name, _, what = rest.partition(".")
            return self.service(name, what) if what else ""
        if rest:
            return ""
        root = self.renamed.get(root, root)
        if root in self.params:
            return self.kept("params", root)
        return self.kept(self.place_of(root), root)

    @contextmanager
    def inside(self, flow: str, arguments: Iterable[str]) -> Iterator[None]:
        """Give arguments names that nothing around the flow has."""
        outer, prefix = self.renamed, re.sub(r"\W", "_", flow)
        own = () if self.of_class is None else self.of_class.iteration_names
        self.renamed = outer | {
            name: f"{prefix}_{name}"
            for name in arguments
            if name in self.params or name in own or name in outer or self.place_of(name) != "v"
        }
        try:
            yield
        finally:
            self.renamed = outer

    def place_of(self, name: str) -> str:
        """Return where steps keep a name: `state`, `shared` or `v`, for one iteration."""
        if self.in_setup:
            return "v"
        if name in self.state or self.rows.get(name):
            return "state"
        if name in self.shared and (
            self.of_class is None or name not in self.of_class.hidden_names
        ):
            return "shared"
        return "v"

    @abstractmethod
    def kept(self, place: str, name: str) -> str:
        """Return code for a name in its place."""

    @abstractmethod
    def provided(self, dotted: str) -> str:
        """Return what is known of the user and the run; empty where nothing is."""

    @abstractmethod
    def service(self, name: str, what: str) -> str:
        """Return where a service of the plan answers."""
