"""Which tools plans can be exported to: the built-in ones, and those that other packages bring."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Final

from planrunner.errors import UsageError
from planrunner.exporters.contract import GROUP, Exporter
from planrunner.guests import installed_guests, load_guests
from planrunner.language.diagnostics import suggest
from planrunner.values import dataclass

__all__ = ["BUILT_IN", "all_exporters", "named_exporter"]

BUILT_IN: Final = ("k6", "locust", "wrk", "ab", "curl")
"""Each a module of `exporters/tools`."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class _OwnTool:
    """The entry point of a built-in tool, which no installation has to know of."""

    name: str

    def load(self) -> object:
        return import_module(f"planrunner.exporters.tools.{self.name}").EXPORTER


@cache
def all_exporters() -> Mapping[str, Exporter]:
    """Return every tool by name; asks all installed packages.

    Raises:
        UsageError: One of an installed package can't be used.
    """
    own = load_guests([_OwnTool(name) for name in BUILT_IN], Exporter, "exporter", _faults)
    return {**own, **installed_guests(GROUP, Exporter, "exporter", _faults, own)}


def named_exporter(name: str) -> Exporter:
    """Return a tool by name.

    Raises:
        UsageError: There is none.
    """
    found = all_exporters().get(name)
    if found is None:
        hint = suggest(name, [*all_exporters()]) or "tools: " + ", ".join(all_exporters())
        raise UsageError(f"plans can't be exported to `{name}`", hint=hint)
    return found


def _faults(exporter: Exporter) -> Iterator[str]:
    """Yield what keeps a record from being usable, each a sentence."""
    if not _NAME.fullmatch(exporter.name):
        yield f"`{exporter.name}` can't be the name of a tool"
    if not re.fullmatch(r"[\w.]+:\w+", exporter.writer):
        yield f"`{exporter.writer}` is not a name to import: write `package.module:attribute`"
