"""The finding that an option asks for something that the plan doesn't have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from planrunner.language.diagnostics import Code, Diagnostic, suggest
from planrunner.plan.yaml.edits import typed

__all__ = ["list_of", "unknown_choice"]


def unknown_choice(option: str, kind: str, name: str, exists: Sequence[str]) -> Diagnostic:
    """Return the finding that an option asks for something that the plan doesn't have."""
    hint = suggest(name, list(exists)) or list_of(kind, exists)
    return typed(f"{option} {name}").fault(
        Code.EMPTY_SELECTION,
        f"no {kind} is called `{name}`",
        at=(len(option) + 1, len(option) + 1 + len(name)),
        hint=hint,
    )


_PLURALS: Final = {"user class": "user classes"}


def list_of(kind: str, names: Sequence[str]) -> str:
    """Return what the plan has of a kind, the first of many."""
    shown = ", ".join(f"`{name}`" for name in names[:12]) + (" …" if len(names) > 12 else "")
    kinds = _PLURALS.get(kind, f"{kind}s")
    return f"the plan has the {kinds} {shown}" if names else f"the plan has no {kinds}"
