"""Which kinds of outputs there are: the built-in ones, and those that other packages bring.

The built-in ones lie in a layer above this one, so they are found by their files and named by text.
They go through the same door as the others (`planrunner.guests`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from planrunner.errors import UsageError
from planrunner.guests import installed_guests, load_guests
from planrunner.language.diagnostics import suggest
from planrunner.plan.output_kinds.kind import GROUP, OutputKind
from planrunner.values import dataclass

__all__ = ["all_kinds", "find_kind", "forget_packages", "known_kinds", "named_kind"]

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_TAKEN: Final = frozenset({"none"})
"""Words that mean something else in `--output`."""


@dataclass(frozen=True, slots=True)
class _OwnEntry:
    """The entry point of a built-in output, which no installation has to know of."""

    name: str

    def load(self) -> object:
        return import_module(f"planrunner.outputs.{self.name}.kind").KIND


@cache
def _builtin() -> Mapping[str, OutputKind]:
    spec = find_spec("planrunner.outputs")
    folders = () if spec is None else spec.submodule_search_locations or ()
    files = (file for folder in folders for file in Path(folder).glob("*/kind.py"))
    entries = [_OwnEntry(name) for name in sorted(file.parent.name for file in files)]
    return load_guests(entries, OutputKind, "output", _faults)


@cache
def _foreign() -> Mapping[str, OutputKind]:
    return installed_guests(GROUP, OutputKind, "output", _faults, _builtin())


def _faults(kind: OutputKind) -> Iterator[str]:
    """Yield what keeps a record from being usable, each a sentence."""
    if not _NAME.fullmatch(kind.name) or kind.name in _TAKEN:
        yield f"`{kind.name}` can't be the name of an output"
    for name in (kind.model, kind.make):
        if not re.fullmatch(r"[\w.]+:\w+", name):
            yield f"`{name}` is not a name to import: write `package.module:attribute`"


def all_kinds() -> Mapping[str, OutputKind]:
    """Return every kind that can be used here, by name; asks all installed packages.

    Raises:
        UsageError: One of an installed package can't be used.
    """
    return {**_builtin(), **_foreign()}


def known_kinds() -> Mapping[str, OutputKind]:
    """Return the kinds that have been found so far; asks no other package."""
    return all_kinds() if _foreign.cache_info().currsize else _builtin()


def find_kind(name: str) -> OutputKind | None:
    """Return a kind by name; installed packages are asked for what is not built in."""
    found = _builtin().get(name)
    if found is None and _NAME.fullmatch(name) and name not in _TAKEN:
        found = _foreign().get(name)
    return found


def named_kind(name: str) -> OutputKind:
    """Return a kind by name.

    Raises:
        UsageError: There is none.
    """
    found = find_kind(name)
    if found is None:
        known = [*known_kinds()]
        hint = suggest(name, known) or "outputs: " + ", ".join(known)
        raise UsageError(f"no output is called `{name}`", hint=hint)
    return found


def forget_packages() -> None:
    """Look again at installed packages when next asked; one may have come or gone since."""
    _foreign.cache_clear()
