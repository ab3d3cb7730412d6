"""The names of another tool's test, and what a plan calls them at each place."""

from __future__ import annotations

from typing import Final

from planrunner.importers.draft import DraftParam
from planrunner.importers.templates import identifier

__all__ = ["SourceNames"]

_LONGEST: Final = 80


class SourceNames:
    """What names mean: in the whole plan, and within the user class that is being read.

    Attributes:
        params: Of the plan, in the order in which they were declared.
    """

    def __init__(self) -> None:
        self.params: dict[str, DraftParam] = {}
        self._plan: dict[str, str] = {}
        self._class: dict[str, str] = {}
        self._own: dict[str, str] = {}
        self._taken: set[str] = set()

    def begin_class(self) -> None:
        """Forget what the class before has set and extracted."""
        self._class = {}

    def find(self, name: str) -> str | None:
        """Return the expression for a name of the original here; None if nobody sets it."""
        return self._class.get(name) or self._plan.get(name)

    def mean(self, name: str, expression: str) -> None:
        """Give a name of the original an expression in the whole plan."""
        self._plan[name] = expression

    def reserve(self, name: str) -> str:
        """Return a name of the plan that nothing else has."""
        found = identifier(name[:_LONGEST], self._taken)
        self._taken.add(found)
        return found

    def param(self, name: str, spec: object, *, notes: list[str] | None = None) -> str:
        """Declare a param that stands for a name of the original; returns its name."""
        found = self.reserve(name)
        self.params[found] = DraftParam(spec, notes=notes or [])
        self._plan[name] = found
        return found

    def assign(self, name: str, reserved: str = "") -> str:
        """Return the name that a step of this class sets or extracts from now on.

        Args:
            name: Of the original.
            reserved: A name of the plan that it has already.
        """
        if reserved:
            self._class[name] = reserved
            return reserved
        if name not in self._own:
            self._own[name] = self.reserve(name)
        self._class[name] = self._own[name]
        return self._own[name]

    def set_so_far(self) -> dict[str, str]:
        """Return what the class has set and extracted up to here."""
        return dict(self._class)

    def go_back(self, to: dict[str, str]) -> None:
        """Forget what the class has set and extracted since `set_so_far`."""
        self._class = dict(to)

    def publish(self) -> None:
        """Let the whole plan know what has been set so far: it happened in `setup`."""
        self._plan.update(self._class)
