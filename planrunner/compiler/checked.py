"""What a check of a plan found: faults, or what its runs would give notice and warn of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Final

from planrunner.compiler.names.known_names import Known
from planrunner.graph.run_graph import RunGraph
from planrunner.language.diagnostics import Diagnostic
from planrunner.late_pattern import late_pattern
from planrunner.plan.loader import CheckedPlan
from planrunner.plan.yaml.document import PlanPath
from planrunner.values import dataclass

__all__ = ["Checked", "Examined", "PlacedNotice", "placed"]

_PLACED: Final = late_pattern(r"(.+?):(\d+):(\d+): (.+)", re.DOTALL)
"""A notice that begins with its place."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The faults of a plan; when it has none, what its runs would give notice and warn of."""

    faults: Sequence[Diagnostic]
    notices: Sequence[str] = ()
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Examined:
    """What a check found, and what it made of the plan on the way; nothing where it didn't get.

    Attributes:
        known: The names that are known at each place of the plan.
    """

    checked: Checked
    plan: CheckedPlan | None = None
    graph: RunGraph | None = None
    known: Mapping[PlanPath, Known] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlacedNotice:
    """A notice and where it belongs."""

    file: str
    line: int
    column: int
    message: str


def placed(notice: str, plan: str) -> PlacedNotice:
    """Return a notice and its place; one without a place is about the whole plan."""
    found = _PLACED.fullmatch(notice)
    if found is None:
        return PlacedNotice(plan, 1, 1, notice)
    file, line, column, message = found.groups()
    return PlacedNotice(file, int(line), int(column), message)
