"""What is said about patterns, wherever they stand."""

from __future__ import annotations

from typing import Final

from planrunner.language.patterns.pattern import LIMIT_MS, Pattern, PatternError

__all__ = ["broken_pattern", "slow_pattern", "took_too_long"]

_SHOWN: Final = 60


def broken_pattern(shown: str, error: PatternError) -> tuple[str, str]:
    """Return message and hint of a fault."""
    return (
        f"`{_short(shown)}` is not a regular expression: {error.message}",
        "use Python's syntax; in double quotes YAML needs `\\\\` for `\\`",
    )


def slow_pattern(shown: str, pattern: Pattern) -> str:
    """Return the notice of a pattern that the linear engine can't match."""
    return (
        f"the pattern `{_short(shown)}` has {pattern.lacks}, so it runs on the slower engine, "
        f"which gives up on a text after {LIMIT_MS} ms"
    )


def took_too_long(shown: str) -> str:
    """Return what failed when a pattern took too long for a text."""
    return f"looking for `{_short(shown)}` took over {LIMIT_MS} ms"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
