"""A list that users share: who comes first is served first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from planrunner.engine.sharing.claimants import Claimant
from planrunner.graph.shared_steps import TakenEnd

__all__ = ["NOTHING", "ValuePool"]

NOTHING: Final = object()
"""What an empty pool gives."""


class ValuePool:
    """The list itself, wherever it is kept.

    Args:
        most: How many elements it holds.

    Attributes:
        dropped: Elements that found it full.
    """

    __slots__ = ("_items", "_most", "_shown", "_waiting", "dropped")

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: list[object] = []
        self._waiting: dict[Claimant, None] = {}
        self._shown: tuple[object, ...] | None = ()
        self.dropped = 0

    def push(self, value: object) -> None:
        """Give a value to whoever waits for one, or add it to the end; a full pool drops it."""
        if self._waiting:
            self._serve(value)
        elif len(self._items) < self._most:
            self._items.append(value)
            self._shown = None
        else:
            self.dropped += 1

    def put_back(self, value: object) -> None:
        """Take back a value that nobody got: it is the first again."""
        if self._waiting:
            self._serve(value)
        else:
            self._items.insert(0, value)
            self._shown = None

    def take(self, which: TakenEnd, draw: float) -> object:
        """Take an element out; `NOTHING` if there is none.

        Args:
            which: The one that came first or last, or any.
            draw: Which one at random: a number of the user's stream from 0 to below 1.
        """
        items = self._items
        if not items:
            return NOTHING
        self._shown = None
        if which == "last":
            return items.pop()
        return items.pop(0 if which == "first" else int(draw * len(items)))

    def wait(self, waiter: Claimant) -> None:
        """Give the waiter the next value that nobody before it waits for."""
        self._waiting[waiter] = None

    def withdraw(self, waiter: Claimant) -> None:
        """Forget a waiter, if it still waits."""
        self._waiting.pop(waiter, None)

    def take_all(self) -> Iterable[object]:
        """Take all elements out, in their order."""
        items, self._items, self._shown = self._items, [], ()
        return items

    @property
    def shown(self) -> tuple[object, ...]:
        """Its elements as expressions see them: what they keep doesn't change with it."""
        if self._shown is None:
            self._shown = tuple(self._items)
        return self._shown

    def _serve(self, value: object) -> None:
        waiter = next(iter(self._waiting))
        del self._waiting[waiter]
        waiter.give(value)
