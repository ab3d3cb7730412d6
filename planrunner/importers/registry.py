"""Which formats can be imported: the built-in ones, and those that other packages bring."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from planrunner.errors import UsageError
from planrunner.guests import OwnEntry, Registry
from planrunner.importers import formats
from planrunner.importers.contract import GROUP, Claim, Importer
from planrunner.importers.sources import SourceFile
from planrunner.language.diagnostics import suggest

__all__ = ["all_importers", "named_importer", "recognize"]

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*")


def _faults(importer: Importer) -> Iterator[str]:
    """Yield what keeps a record from being usable, each a sentence."""
    if not _NAME.fullmatch(importer.name):
        yield f"`{importer.name}` can't be the name of a format"
    if not re.fullmatch(r"[\w.]+:\w+", importer.reader):
        yield f"`{importer.reader}` is not a name to import: write `package.module:attribute`"


def _own_formats() -> Iterator[OwnEntry]:
    """Yield the packages of `importers/formats`, by alphabet."""
    files = (file for path in formats.__path__ for file in Path(path).glob("*/importer.py"))
    for folder in sorted(file.parent.name for file in files):
        name = folder.replace("_", "-")
        yield OwnEntry(name, f"{formats.__name__}.{folder}.importer", "IMPORTER")


_IMPORTERS: Final = Registry(GROUP, Importer, "importer", _faults, _own_formats)

all_importers: Final = _IMPORTERS.all


def named_importer(name: str) -> Importer:
    """Return a format by name.

    Raises:
        UsageError: There is none.
    """
    found = _IMPORTERS.find(name)
    if found is None:
        hint = suggest(name, [*all_importers()]) or "formats: " + ", ".join(all_importers())
        raise UsageError(f"no format to import is called `{name}`", hint=hint)
    return found


def recognize(files: tuple[SourceFile, ...]) -> tuple[Importer, tuple[SourceFile, ...]]:
    """Return the format that reads files which belong together, and the files, mains first.

    Raises:
        UsageError: No format knows them, or several do.
    """
    claims = {
        importer.name: [importer.claim(file) for file in files]
        for importer in all_importers().values()
    }
    best = max(max(of_files) for of_files in claims.values())
    if best <= Claim.COMPANION:
        names = ", ".join(file.name for file in files)
        raise UsageError(
            f"{names}: not a test that planrunner knows",
            hint="say what it is with `--from`: " + ", ".join(all_importers()),
        )
    surest = [name for name, of_files in claims.items() if max(of_files) == best]
    if len(surest) > 1:
        raise UsageError(
            f"{files[0].name}: may be {' or '.join(f'`{name}`' for name in surest)}",
            hint=f"say which with `--from {surest[0]}`",
        )
    importer = all_importers()[surest[0]]
    _refuse_strangers(importer, files)
    return importer, mains_first(importer, files)


def mains_first(importer: Importer, files: tuple[SourceFile, ...]) -> tuple[SourceFile, ...]:
    """Return files with those first that the format is surest of."""
    return tuple(sorted(files, key=lambda file: -importer.claim(file)))


def _refuse_strangers(importer: Importer, files: tuple[SourceFile, ...]) -> None:
    for file in files:
        if importer.claim(file) is Claim.NO:
            raise UsageError(
                f"{file.name}: does not belong to {importer.title}",
                hint=f"import it by itself, or say what all of them are with `--from "
                f"{importer.name}`",
            )
