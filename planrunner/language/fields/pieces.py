"""Texts and bodies as pieces: what is constant is put together before the run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

__all__ = ["merge_constants"]

T = TypeVar("T")


def merge_constants(pieces: Iterable[T], kind: type[str | bytes]) -> tuple[T, ...]:
    """Return `pieces` with neighbours of the type `kind` put together."""
    merged: list[T] = []
    for piece in pieces:
        if isinstance(piece, kind) and merged and isinstance(merged[-1], kind):
            merged[-1] = merged[-1] + piece  # type: ignore[assignment, operator]  # of one `kind`
        else:
            merged.append(piece)
    return tuple(merged)
