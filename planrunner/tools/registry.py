"""Which load tools there are: the built-in ones, and those that other packages bring."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Final

from planrunner.errors import UsageError
from planrunner.guests import installed_guests, load_guests
from planrunner.tools.contract import GROUP, Tool
from planrunner.values import dataclass

__all__ = ["KNOWN", "all_tools", "find_tool", "forget_packages", "named_tool"]

KNOWN: Final = ("k6", "locust", "jmeter", "ab", "wrk", "hey", "artillery")
"""The built-in ones, each a module of `tools/known`; plans that name none import none of them."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class _KnownEntry:
    """The entry point of a built-in tool, which no installation has to know of."""

    name: str

    def load(self) -> object:
        return import_module(f"planrunner.tools.known.{self.name}").TOOL


@cache
def _builtin(name: str) -> Tool:
    return load_guests([_KnownEntry(name)], Tool, "tool", _faults)[name]


@cache
def _foreign() -> Mapping[str, Tool]:
    return installed_guests(GROUP, Tool, "tool", _faults, KNOWN)


def _faults(tool: Tool) -> Iterator[str]:
    """Yield what keeps a record from being usable, each a sentence."""
    if not _NAME.fullmatch(tool.name):
        yield f"`{tool.name}` can't be the name of a tool"
    if not tool.programs:
        yield "it names no program to start"


def all_tools() -> Mapping[str, Tool]:
    """Return every tool, by name; asks all installed packages.

    Raises:
        UsageError: One of an installed package can't be used.
    """
    return {**{name: _builtin(name) for name in KNOWN}, **_foreign()}


def find_tool(name: str) -> Tool | None:
    """Return a tool by name; installed packages are asked for what is not built in."""
    return _builtin(name) if name in KNOWN else _foreign().get(name)


def named_tool(name: str) -> Tool:
    """Return a tool by name.

    Raises:
        UsageError: There is none.
    """
    found = find_tool(name)
    if found is None:
        raise UsageError(f"no tool is called `{name}`", hint="tools: " + ", ".join(all_tools()))
    return found


def forget_packages() -> None:
    """Look again at installed packages when next asked; one may have come or gone since."""
    _foreign.cache_clear()
