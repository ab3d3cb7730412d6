"""Where in the plan a function is called: its labels, and one level for each group it opens."""

from __future__ import annotations

from collections.abc import Callable

from planrunner.engine.steps.functions.shapes import CallShapes
from planrunner.engine.steps.step_services import LogLines
from planrunner.engine.users.user_context import Step
from planrunner.graph.function_steps import FunctionNode
from planrunner.graph.run_graph import RequestNode
from planrunner.values import dataclass

__all__ = ["FunctionPlace", "Groups", "SharedByPlaces"]

Groups = tuple[str, ...]
"""Those that a function has opened, outermost first."""

RecordGroup = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class SharedByPlaces:
    """What a function has at all of its places.

    Attributes:
        user_class: Whose users call it.
        bind: Binds a request in groups.
        open_record: Gives what records the innermost of groups.
        admit: Gives the name to use for one that came up.
    """

    node: FunctionNode
    user_class: str
    bind: Callable[[RequestNode, Groups], Step]
    open_record: Callable[[Groups], RecordGroup]
    admit: Callable[[str, str], str]
    log: LogLines


class FunctionPlace:
    """A function at one place of the plan, in the groups that it has opened there.

    Attributes:
        shapes: Its requests.
        record: Records the innermost group.
    """

    def __init__(self, shared: SharedByPlaces, groups: Groups = ()) -> None:
        self.shared = shared
        self._groups = groups
        self._inside: dict[str, FunctionPlace] = {}
        self.shapes = CallShapes(
            shared.node, lambda request: shared.bind(request, groups), shared.admit
        )
        self.record = shared.open_record(groups) if groups else _record_nothing

    def inside(self, group: str) -> FunctionPlace:
        """Return the place in a group that the function opens here."""
        place = self._inside.get(group)
        if place is None:
            place = self._inside[group] = FunctionPlace(self.shared, (*self._groups, group))
        return place


def _record_nothing(began_ns: int, took_ns: int, failure: str) -> None:
    """Do nothing: outside of groups there is none to record."""
