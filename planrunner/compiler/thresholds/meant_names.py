"""Which of a plan's names a word of a threshold means."""

from __future__ import annotations

from collections.abc import Collection

from planrunner.metrics.thresholds.selector import Term

__all__ = ["meant_of"]


def meant_of(term: Term, names: Collection[str]) -> list[str]:
    """Return those of the names that the term means; of a tag with a value its key."""
    if term.value is None and term.form.is_pattern:
        return [name for name in names if term.means(name)]
    return [term.name] if term.name in names else []
