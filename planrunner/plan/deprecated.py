"""Deprecated keys of a plan, each at its place."""

from __future__ import annotations

from collections.abc import Sequence

from planrunner.language import deprecations
from planrunner.language.diagnostics import Span
from planrunner.plan.yaml.document import Document
from planrunner.values import dataclass

__all__ = ["DeprecatedKey", "deprecated_keys"]


@dataclass(frozen=True, slots=True)
class DeprecatedKey:
    """A key of a plan that will go, and what to write instead."""

    span: Span
    message: str

    def __str__(self) -> str:
        return f"{self.span}: {self.message}"


def deprecated_keys(document: Document) -> Sequence[DeprecatedKey]:
    """Return the deprecated keys that a plan uses, imports included."""
    return [
        DeprecatedKey(document.span(path, "key"), str(one))
        for path, one in deprecations.keys_in(document.data, deprecations.KEYS)
    ]
