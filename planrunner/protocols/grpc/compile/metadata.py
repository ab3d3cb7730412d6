"""Metadata of calls: names and values that HTTP/2 may carry."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Final

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import EvaluationError
from planrunner.language.fields.text import Text
from planrunner.protocols.base import TextParts
from planrunner.protocols.lowering import Lowering

__all__ = ["metadata_value", "read_constant_metadata", "read_metadata"]

_NAME: Final = re.compile(r"[0-9a-z_.-]+")
_VALUE: Final = re.compile(r"[ -~]*")
_BINARY: Final = "-bin"


def read_metadata(
    given: Mapping[str, Text], lowering: Lowering
) -> tuple[tuple[str, TextParts], ...]:
    """Return the names and values of a call's own metadata; constant ones are checked."""
    found = []
    for name, text in _named(given, lowering):
        path = ("metadata", name)
        parts = lowering.parts(text, path)
        if all(isinstance(part, str) for part in parts):
            with lowering.at(path):
                metadata_value(name.lower(), "".join(map(str, parts)))
        found.append((name.lower(), parts))
    return tuple(found)


def read_constant_metadata(
    given: Mapping[str, Text], lowering: Lowering
) -> tuple[tuple[str, str | bytes], ...]:
    """Return the names and values of what all calls have."""
    found = []
    for name, text in _named(given, lowering):
        value = lowering.constant(text, ("metadata", name))
        if value is not None:
            with lowering.at(("metadata", name)):
                found.append((name.lower(), metadata_value(name.lower(), value)))
    return tuple(found)


def _named(given: Mapping[str, Text], lowering: Lowering) -> Iterator[tuple[str, Text]]:
    for name, text in given.items():
        lower = name.lower()
        if not _NAME.fullmatch(lower) or lower.startswith("grpc-"):
            why = "gRPC keeps names that begin with `grpc-`" if lower.startswith("grpc-") else ""
            hint = why or "letters, digits, `-`, `_` and `.` make a name"
            message = f"`{name}` can't be the name of metadata"
            lowering.fault(("metadata", name), Code.INVALID_VALUE, message, hint, is_key=True)
        else:
            yield name, text


def metadata_value(name: str, text: str) -> str | bytes:
    """Return a value as gRPC takes it: bytes for names that end in `-bin`.

    Raises:
        EvaluationError: It can't be sent.
    """
    if not name.endswith(_BINARY):
        if not _VALUE.fullmatch(text):
            hint = f"send bytes as base64, under a name such as `{name}-bin`"
            what = "characters beyond ASCII" if text.isprintable() else "a control character"
            raise EvaluationError(f"metadata `{name}` has {what}", hint=hint)
        return text
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise EvaluationError(f"metadata `{name}` is bytes, and the text is not base64") from None
