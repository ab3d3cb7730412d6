"""Which load tools there are: the built-in ones, and those that other packages bring."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from planrunner.errors import UsageError
from planrunner.guests import OwnEntry, Registry
from planrunner.late_pattern import late_pattern
from planrunner.tools.contract import GROUP, Tool

__all__ = ["KNOWN", "all_tools", "find_tool", "forget_packages", "named_tool"]

KNOWN: Final = ("k6", "locust", "jmeter", "ab", "wrk", "hey", "artillery")
"""The built-in ones, each a module of `tools/known`; plans that name none import none of them."""

_NAME: Final = late_pattern(r"[a-z][a-z0-9_-]*")


def _faults(tool: Tool) -> Iterator[str]:
    """Yield what keeps a record from being usable, each a sentence."""
    if not _NAME.fullmatch(tool.name):
        yield f"`{tool.name}` can't be the name of a tool"
    if not tool.programs:
        yield "it names no program to start"


_TOOLS: Final = Registry(
    GROUP,
    Tool,
    "tool",
    _faults,
    lambda: [OwnEntry(name, f"planrunner.tools.known.{name}", "TOOL") for name in KNOWN],
)

all_tools: Final = _TOOLS.all
find_tool: Final = _TOOLS.find
forget_packages: Final = _TOOLS.forget_packages


def named_tool(name: str) -> Tool:
    """Return a tool by name.

    Raises:
        UsageError: There is none.
    """
    found = find_tool(name)
    if found is None:
        raise UsageError(f"no tool is called `{name}`", hint="tools: " + ", ".join(all_tools()))
    return found
