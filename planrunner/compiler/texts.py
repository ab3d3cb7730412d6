"""Every name that is read inside a piece of the plan's model, with the place of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pydantic import BaseModel

from planrunner.language.expressions import Expression, Reference
from planrunner.language.fields import Deferred
from planrunner.language.text import Text
from planrunner.plan.actions import Foreach

__all__ = ["references_in"]

Path = tuple[str | int, ...]


def references_in(piece: object, path: Path = ()) -> Iterator[tuple[Path, Reference]]:
    """Yield each reference below `piece` with the path of its scalar.

    Offsets count from the start of the scalar.
    """
    if isinstance(piece, Text | Expression):
        yield from ((path, reference) for reference in piece.references)
    elif isinstance(piece, Foreach):
        for reference in piece.items.references:
            yield path, replace(reference, offset=reference.offset + piece.offset)
    elif isinstance(piece, Deferred):
        yield from references_in(piece.text, path)
    else:
        for key, value in _parts(piece):
            yield from references_in(value, (*path, key))


def _parts(piece: object) -> Iterator[tuple[str | int, object]]:
    """Yield what a mapping, list or model holds, under the plan's own keys."""
    if isinstance(piece, BaseModel):
        for name in piece.model_fields_set:
            yield type(piece).model_fields[name].alias or name, getattr(piece, name)
    elif isinstance(piece, Mapping):
        yield from piece.items()
    elif isinstance(piece, list | tuple):
        yield from enumerate(piece)
