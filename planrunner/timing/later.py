"""What a call returned that does its work later, when nobody measures any more."""

from __future__ import annotations

from inspect import isasyncgen, isgenerator

__all__ = ["works_later"]


def works_later(returned: object) -> bool:
    """Say whether it is a generator, or a context manager that is one."""
    if type(returned).__module__ == "contextlib":
        returned = getattr(returned, "gen", None)
    return isgenerator(returned) or isasyncgen(returned)
