"""Which kinds of outputs there are: the built-in ones, and those that other packages bring.

The built-in ones lie in a layer above this one, so they are found by their files and named by text.
They go through the same door as the others (`planrunner.guests`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from planrunner.errors import UsageError
from planrunner.guests import OwnEntry, Registry
from planrunner.language.diagnostics import suggest
from planrunner.plan.output_kinds.kind import GROUP, OutputKind

__all__ = ["all_kinds", "find_kind", "forget_packages", "known_kinds", "named_kind"]

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_TAKEN: Final = frozenset({"none"})
"""Words that mean something else in `--output`."""


def _faults(kind: OutputKind) -> Iterator[str]:
    """Yield what keeps a record from being usable, each a sentence."""
    if not _NAME.fullmatch(kind.name) or kind.name in _TAKEN:
        yield f"`{kind.name}` can't be the name of an output"
    for name in (kind.model, kind.make):
        if not re.fullmatch(r"[\w.]+:\w+", name):
            yield f"`{name}` is not a name to import: write `package.module:attribute`"


def _own_kinds() -> Iterator[OwnEntry]:
    """Yield the packages of `outputs`, by alphabet."""
    spec = find_spec("planrunner.outputs")
    folders = () if spec is None else spec.submodule_search_locations or ()
    files = (file for folder in folders for file in Path(folder).glob("*/kind.py"))
    for name in sorted(file.parent.name for file in files):
        yield OwnEntry(name, f"planrunner.outputs.{name}.kind", "KIND")


_KINDS: Final = Registry(GROUP, OutputKind, "output", _faults, _own_kinds)

all_kinds: Final = _KINDS.all
known_kinds: Final = _KINDS.known
forget_packages: Final = _KINDS.forget_packages


def find_kind(name: str) -> OutputKind | None:
    """Return a kind by name; installed packages are asked for what is not built in."""
    return _KINDS.find(name) if _NAME.fullmatch(name) and name not in _TAKEN else None


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
