"""The part of a run graph about outputs: who receives the run while it lasts."""

from __future__ import annotations

from collections.abc import Mapping

from planrunner.graph.steps import Evaluate
from planrunner.values import dataclass

__all__ = ["OutputNode"]


@dataclass(frozen=True, slots=True)
class OutputNode:
    """An output that the plan, or the command line, asks for.

    Attributes:
        kind: Its name in the registry.
        settings: What its key says, by key; expressions read `run`. Those of all outputs are below.
        labels: Keys of tags that become labels.
        is_optional: The load begins without it when it can't be reached.
        is_required: A run that it did not get all of ends with an exit code of its own.
        place: File and line: `plan.yaml:12`.
    """

    kind: str
    settings: Mapping[str, Evaluate]
    labels: tuple[str, ...] = ()
    is_optional: bool = False
    is_required: bool = False
    place: str = ""

    @property
    def summary(self) -> str:
        """What it is, for people; no setting is in it, as that may be a secret."""
        labels = f", labels {', '.join(self.labels)}" if self.labels else ""
        need = ", optional" if self.is_optional else ", required" if self.is_required else ""
        return f"{self.kind}{labels}{need} ({self.place})"
