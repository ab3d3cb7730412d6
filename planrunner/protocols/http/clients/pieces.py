"""Bytes that are put together once a request, of as few pieces as possible."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from planrunner.language.fields.pieces import merge_constants
from planrunner.protocols.base import Scope

__all__ = ["BytesPiece", "RenderBytes", "compose"]

BytesPiece = bytes | Callable[[Scope], bytes]
RenderBytes = Callable[[Scope], bytes]


def compose(pieces: Iterable[BytesPiece]) -> tuple[bytes | None, RenderBytes]:
    """Merge constant neighbours; specialise what most requests are: no or one closure."""
    merged = merge_constants(pieces, bytes)
    match merged:
        case [bytes() as data]:
            return data, lambda _: data
        case [bytes() as before, Callable() as make, bytes() as after]:
            return None, lambda scope: before + make(scope) + after
        case [bytes() as before, Callable() as make]:
            return None, lambda scope: before + make(scope)
        case _:
            return None, _filling(merged)


def _filling(pieces: Sequence[BytesPiece]) -> RenderBytes:
    """Return what puts the variable pieces between the constant ones."""
    form = [piece if isinstance(piece, bytes) else b"" for piece in pieces]
    gaps = [(place, piece) for place, piece in enumerate(pieces) if not isinstance(piece, bytes)]

    def fill(scope: Scope) -> bytes:
        filled = form.copy()
        for place, make in gaps:
            filled[place] = make(scope)
        return b"".join(filled)

    return fill
