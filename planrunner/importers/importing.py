"""Import: files of another tool → the text of a plan, what stands beside it, and a ledger."""

from __future__ import annotations

import filecmp
import os
import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from planrunner.compiler import compile_plan
from planrunner.extras import need
from planrunner.importers.contract import Importer, ImportOptions, ImportRequest, Reader
from planrunner.importers.draft import DraftPlan
from planrunner.importers.plan_text import plan_text
from planrunner.importers.refused import Refusals
from planrunner.importers.registry import mains_first, named_importer, recognize
from planrunner.importers.shaping.load import give_load
from planrunner.importers.shaping.shape import shape
from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.language.diagnostics import Diagnostic, PlanError
from planrunner.loss.ledger import Ledger
from planrunner.plan.formatting import format_plan
from planrunner.plan.loader import load
from planrunner.plan.yaml.document import parse
from planrunner.plan.yaml.files import MAX_BYTES
from planrunner.values import dataclass

__all__ = ["Imported", "check", "import_files", "import_valid", "overwritten", "write"]

_FOREIGN: Final = "they are read as Latin-1: where that is wrong, convert the file to UTF-8"
_PLAN: Final = "plan.yaml"
"""What a plan is called while it is checked."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import gives.

    Attributes:
        text: Of the plan.
        files: What stands beside it, by relative path: bytes, or the file to copy.
        ledger: Closed.
        copies_code: Among the files is code of the original.
    """

    importer: Importer
    text: str
    files: dict[str, bytes | Path]
    ledger: Ledger
    copies_code: bool = False


def import_valid(
    files: Sequence[SourceFile], *, format_name: str | None = None, options: ImportOptions
) -> Imported:
    """Make a plan as `import_files` does, one that validates.

    What the plan language refuses of it is left out, and named.

    Raises:
        ImportFault: Nothing is left then, or the files can't be read as what they should be.
    """
    importer, draft, ledger = _read(files, format_name, options)
    refusals = Refusals(draft, ledger)
    while faults := check(imported := _written(importer, draft, ledger)):
        if not refusals.take_out(parse(imported.text, _PLAN), faults):
            raise ImportFault(
                files[0].name,
                f"nothing is left of it that a plan can say: {faults[0].message}",
                hint="`--from` says which format it has",
            )
        give_load(draft)
    return imported


def import_files(
    files: Sequence[SourceFile], *, format_name: str | None = None, options: ImportOptions
) -> Imported:
    """Make a plan of files that belong together; writes nothing, runs nothing, fetches nothing.

    It says what readers made of the files, whether a plan can say it or not.

    Args:
        files: All of one test.
        options: What was asked for.
        format_name: Of their format; None to recognize it.

    Raises:
        UsageError: They can't be read as any format, or as that one.
        PackageMissing: The format needs an extra that isn't installed.
    """
    return _written(*_read(files, format_name, options))


def _read(
    files: Sequence[SourceFile], format_name: str | None, options: ImportOptions
) -> tuple[Importer, DraftPlan, Ledger]:
    mains = tuple(files)
    if format_name is None:
        importer, mains = recognize(mains)
    else:
        importer = named_importer(format_name)
        mains = mains_first(importer, mains)
    for package in importer.packages:
        need(package, f"importing {importer.title}")
    ledger = Ledger()
    draft = _reader(importer)(ImportRequest(mains, options, ledger))
    for file in mains:
        if (place := file.foreign()) is not None:
            ledger.add("text", "bytes that are not UTF-8", place).suspicious(_FOREIGN)
    shape(draft, ledger)
    ledger.close()
    return importer, draft, ledger


def _written(importer: Importer, draft: DraftPlan, ledger: Ledger) -> Imported:
    text = plan_text(draft, ledger)
    if (size := len(text.encode("utf-8", "replace"))) > MAX_BYTES:
        raise ImportFault(
            ledger.constructs[0].place.file if ledger.constructs else "the plan",
            f"the plan would have {size / 1e6:,.1f} MB; one can be at most 1 MB",
            hint="import a part of it",
        )
    text = format_plan(text, "the imported plan")
    return Imported(importer, text, _files(draft), ledger, draft.copies_code)


def overwritten(imported: Imported, plan: Path) -> list[Path]:
    """Return the files that `write` would make others of: not those that are the same."""
    beside = [(plan.parent / name, content) for name, content in imported.files.items()]
    return [path for path, content in beside if path.exists() and not _is_same(path, content)]


def _is_same(path: Path, content: bytes | Path) -> bool:
    """Say whether a file is, or holds, what an import writes there."""
    if isinstance(content, Path):
        return path.samefile(content) or filecmp.cmp(path, content, shallow=False)
    return path.is_file() and path.read_bytes() == content


def write(imported: Imported, plan: Path) -> list[Path]:
    """Write a plan and what stands beside it; returns the files, the plan first."""
    plan.parent.mkdir(parents=True, exist_ok=True)
    _write_whole(plan, imported.text)
    written = [plan]
    for name, content in imported.files.items():
        path = plan.parent / name
        if path.exists() and _is_same(path, content):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
        written.append(path)
    return written


def _write_whole(path: Path, text: str) -> None:
    """Write a file that is there whole or not at all; what is no file is written to."""
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def check(imported: Imported) -> Sequence[Diagnostic]:
    """Return what is wrong with the plan of an import; a fault is one of the importer."""
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / _PLAN
        write(imported, plan)
        try:
            compile_plan(load(plan, environ={}, defaults="none"))
        except PlanError as error:
            return error.diagnostics
    return ()


def _reader(importer: Importer) -> Reader:
    module, _, name = importer.reader.partition(":")
    found: Reader = getattr(import_module(module), name)
    return found


def _files(draft: DraftPlan) -> dict[str, bytes | Path]:
    """Return the files of a draft; none may leave the plan's folder."""
    for name in draft.files:
        path = Path(name)
        assert not path.is_absolute(), name
        assert ".." not in path.parts, name
    return draft.files
