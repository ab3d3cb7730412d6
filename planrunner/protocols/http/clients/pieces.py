"""Bytes with gaps: constant pieces, and closures that make the others for each request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from planrunner.language.expressions.values import evaluation_error
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
        case [bytes() as before, Callable() as make]:
            return None, _surrounding(before, make, b"")
        case [bytes() as before, Callable() as make, bytes() as after]:
            return None, _surrounding(before, make, after)
        case _:
            return None, _filling(merged)


# Both are a boundary: what a value makes them raise is that the request can't be sent.
def _surrounding(before: bytes, make: RenderBytes, after: bytes) -> RenderBytes:
    def surround(scope: Scope) -> bytes:
        try:
            return before + make(scope) + after
        except Exception as error:
            raise evaluation_error(error, "a value of the request") from error

    return surround


def _filling(pieces: Sequence[BytesPiece]) -> RenderBytes:
    """Return what puts the variable pieces between the constant ones."""
    form = [piece if isinstance(piece, bytes) else b"" for piece in pieces]
    gaps = [(place, piece) for place, piece in enumerate(pieces) if not isinstance(piece, bytes)]

    def fill(scope: Scope) -> bytes:
        filled = form.copy()
        try:
            for place, make in gaps:
                filled[place] = make(scope)
        except Exception as error:
            raise evaluation_error(error, "a value of the request") from error
        return b"".join(filled)

    return fill
