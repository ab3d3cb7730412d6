"""Compile `http.source_addresses`: what users connect from."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Final

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import to_text
from planrunner.language.fields.text import Text
from planrunner.protocols.lowering import Lowering, SpecPath

__all__ = ["compile_sources"]

_KEY: Final = "source_addresses"
_HINT: Final = "write one of the machine that sends, such as `10.0.0.7` or `::1`"


def compile_sources(
    written: Sequence[Text] | Text | None, lowering: Lowering
) -> dict[str, SpecPath]:
    """Return the addresses with their places; none leaves it to the system."""
    found: dict[str, SpecPath] = {}
    for path, text in _texts(written, lowering):
        address = _address(text, path, lowering)
        if address in found:
            message = f"`{address}` is there twice"
            lowering.fault(path, Code.INVALID_VALUE, message, "write each address once")
        elif address:
            found[address] = path
    return found


def _texts(
    written: Sequence[Text] | Text | None, lowering: Lowering
) -> Iterator[tuple[SpecPath, str]]:
    """Yield each address with its place; an expression may be a list of them."""
    if written is None:
        return
    items = (
        [((_KEY,), written)]
        if isinstance(written, Text)
        else [((_KEY, place), text) for place, text in enumerate(written)]
    )
    for path, text in items:
        lowered = lowering.text(text, path)
        if not lowered.is_constant:
            lowering.constant(text, path)  # which says so
            continue
        values = lowered.value if isinstance(lowered.value, list | tuple) else (lowered.value,)
        for value in values:
            if value is not None:
                yield path, to_text(value)


def _address(text: str, path: SpecPath, lowering: Lowering) -> str:
    try:
        address = ipaddress.ip_address(text.strip().strip("[]"))
    except ValueError:
        lowering.fault(path, Code.INVALID_VALUE, f"`{text}` is not an IP address", _HINT)
        return ""
    if address.is_unspecified or address.is_multicast:
        message = f"`{text}` is not the address of one machine"
        lowering.fault(path, Code.INVALID_VALUE, message, _HINT)
        return ""
    return str(address)
