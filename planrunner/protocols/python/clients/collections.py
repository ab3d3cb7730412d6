"""How many garbage collections there have been in this process."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from contextlib import suppress

__all__ = ["CollectionCount"]


class CollectionCount:
    """Counts while it is open; a look at `number` before and after a call costs next to nothing."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 0
        gc.callbacks.append(self)

    def __call__(self, phase: str, info: Mapping[str, int]) -> None:
        if phase == "stop":
            self.number += 1

    def close(self) -> None:
        with suppress(ValueError):
            gc.callbacks.remove(self)
