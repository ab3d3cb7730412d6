"""Every name that is read inside a piece of the plan's model, with the place of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Final

from planrunner.language.expressions.expression import Expression, Reference
from planrunner.language.fields.mapping import PlanMapping
from planrunner.language.fields.rows import RowsOf
from planrunner.language.fields.text import Text
from planrunner.language.fields.types import Deferred
from planrunner.plan.models.actions import FlowCall, Foreach

__all__ = ["references_in"]

Path = tuple[str | int, ...]

_FoundReferences = list[tuple[Path, Reference]]

# What most pieces are, and what reads no name.
_LEAVES: Final = frozenset({bool, bytes, float, int, str, type(None)})


def references_in(piece: object, path: Path = ()) -> _FoundReferences:
    """Return each reference below `piece` with the path of its scalar.

    Offsets count from the start of the scalar.
    """
    found: _FoundReferences = []
    _collect(piece, path, found)
    return found


def _collect(piece: object, path: Path, found: _FoundReferences) -> None:
    kind = piece.__class__
    if kind in _LEAVES:
        return
    if kind is Text or kind is Expression or kind is RowsOf:
        found += [(path, reference) for reference in piece.references]  # type: ignore[attr-defined]  # `is` doesn't narrow
    elif kind is FlowCall:
        _collect(piece.arguments, path, found)  # type: ignore[attr-defined]  # as above
    elif kind is Foreach or kind is Deferred:
        _collect_offset(piece, path, found)  # type: ignore[arg-type]  # `is` doesn't narrow
    else:
        for key, value in _parts(piece):
            _collect(value, (*path, key), found)


def _collect_offset(piece: Foreach | Deferred, path: Path, found: _FoundReferences) -> None:
    if isinstance(piece, Deferred):
        _collect(piece.text, path, found)
        return
    for reference in piece.items.references:
        found.append((path, replace(reference, offset=reference.offset + piece.offset)))


def _parts(piece: object) -> Iterable[tuple[str | int, object]]:
    """Return what a mapping, list or model holds, under the plan's own keys."""
    if isinstance(piece, PlanMapping):
        keys = _keys(type(piece))
        return [(keys[name], getattr(piece, name)) for name in piece.model_fields_set]
    if isinstance(piece, (list, tuple)):
        return enumerate(piece)
    return piece.items() if isinstance(piece, (dict, Mapping)) else ()


@cache
def _keys(model: type[PlanMapping]) -> Mapping[str, str]:
    """Return the plan's own key of each field."""
    return {name: field.alias or name for name, field in model.model_fields.items()}
