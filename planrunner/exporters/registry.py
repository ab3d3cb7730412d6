"""Which tools plans can be exported to: the built-in ones, and those that other packages bring."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from planrunner.errors import UsageError
from planrunner.exporters.contract import GROUP, Exporter
from planrunner.guests import OwnEntry, Registry
from planrunner.language.diagnostics import suggest

__all__ = ["BUILT_IN", "all_exporters", "named_exporter"]

BUILT_IN: Final = ("k6", "locust", "jmeter", "wrk", "ab", "curl")
"""Each a module of `exporters/tools`."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*")


def _faults(exporter: Exporter) -> Iterator[str]:
    """Yield what keeps a record from being usable, each a sentence."""
    if not _NAME.fullmatch(exporter.name):
        yield f"`{exporter.name}` can't be the name of a tool"
    if not re.fullmatch(r"[\w.]+:\w+", exporter.writer):
        yield f"`{exporter.writer}` is not a name to import: write `package.module:attribute`"


_EXPORTERS: Final = Registry(
    GROUP,
    Exporter,
    "exporter",
    _faults,
    lambda: [OwnEntry(name, f"planrunner.exporters.tools.{name}", "EXPORTER") for name in BUILT_IN],
)

all_exporters: Final = _EXPORTERS.all


def named_exporter(name: str) -> Exporter:
    """Return a tool by name.

    Raises:
        UsageError: There is none.
    """
    found = _EXPORTERS.find(name)
    if found is None:
        hint = suggest(name, [*all_exporters()]) or "tools: " + ", ".join(all_exporters())
        raise UsageError(f"plans can't be exported to `{name}`", hint=hint)
    return found
