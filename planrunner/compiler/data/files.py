"""Files of test data: which are read, with which params, and so which are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.data.plan_data import PlanData
from planrunner.compiler.data.sources import references_reached
from planrunner.compiler.names.known_names import Known
from planrunner.compiler.names.references import references_in
from planrunner.errors import PackageMissing
from planrunner.graph.data import DataNode, FileNode, OnEnd
from planrunner.language.diagnostics import Code, suggest
from planrunner.language.expressions.expression import Reference
from planrunner.plan.models.plan import PlanModel
from planrunner.plan.yaml.document import PlanPath
from planrunner.units import format_count

if TYPE_CHECKING:  # see `language.fields.mapping.later`
    from planrunner.data.writing.rows import FileFormat
    from planrunner.plan.models.data_sources import FileModel

__all__ = ["PlanFiles", "files_read"]


def _formats() -> Mapping[str, FileFormat]:
    from planrunner.data.writing.formats import FILE_FORMATS  # noqa: PLC0415 - few plans have files

    return FILE_FORMATS


def files_read(references: Iterable[Reference]) -> tuple[str, ...]:
    """Return the names of the files that are read."""
    found = (each.path[0] for each in references if each.root == "files" and each.path)
    return tuple(dict.fromkeys(map(str, found)))


class PlanFiles:
    """The plan's `files:`, compiled as phases want them.

    Two phases whose params make no difference to a file share it.
    """

    def __init__(self, work: Compilation, model: PlanModel, data: PlanData) -> None:
        self._model, self._data = model, data
        self._nodes: dict[tuple[str, int, str, str], FileNode] = {}
        self._names: set[str] = set()
        for name in model.files or ():
            self._compile(work, name)
        self._nodes.clear()  # the names are for those that are written
        self._names.clear()

    def known(self, known: Known) -> Known:
        """Return what is known where steps may read files."""
        return replace(known, files=tuple(self._model.files or ()))

    def of(self, work: Compilation, names: Iterable[str]) -> tuple[FileNode, ...]:
        """Return the files `names` as they are with the constants of `work`."""
        known = self._model.files or {}
        nodes = (self._compile(work, name) for name in dict.fromkeys(names) if name in known)
        return tuple(node for node in nodes if node is not None)

    def of_blocks(self, work: Compilation) -> tuple[FileNode, ...]:
        """Return what steps read that belong to no phase."""
        if not self._model.files:
            return ()
        model = self._model
        blocks = (model.preflight, model.setup, model.teardown)
        return self.of(work, files_read(references_reached(blocks, model.flows or {})))

    def notices(self, work: Compilation) -> Iterator[str]:
        """Yield which files nothing reads, and which hold secrets, once all are compiled."""
        if not self._model.files:
            return
        self.of_blocks(work)
        read = files_read(reference for _, reference in references_in(self._model))
        for name in self._model.files:
            if name not in read:
                span = work.span(("files", name))
                yield f"{span}: no step reads the file `{name}`, so it is not written"
        for node in self._nodes.values():
            if node.has_secrets:
                yield f"`files/{node.file}` of the run has secret values of `{node.source.name}`"

    def _compile(self, work: Compilation, name: str) -> FileNode | None:
        model, where = (self._model.files or {})[name], ("files", name)
        source = self._source(work, model, where)
        form = self._format(work, model, where)
        if source is None or form is None:
            return None
        before = len(work.faults)
        rows = work.settle(model.rows, (*where, "rows"), source.count)
        self._check_rows(work, source, rows, where)
        self._check_columns(work, form, source, (*where, "format" if model.format else "from"))
        if len(work.faults) > before:
            return None
        key = (name, rows, form, self._data.values(work, model.source))
        if key not in self._nodes:
            secret = bool(source.secret or source.is_secret or self._reads_secrets(work, model))
            file = self._unused(f"{name}-{rows}", form)
            self._nodes[key] = FileNode(name, file, source, rows, form, has_secrets=secret)
        return self._nodes[key]

    def _source(
        self, work: Compilation, model: FileModel, where: tuple[str, str]
    ) -> DataNode | None:
        name = model.source
        if name not in self._data:
            listed = ", ".join(f"`{each}`" for each in self._data.names)
            hint = suggest(name, self._data.names) or (
                f"data sources: {listed}" if listed else "add it under `data:`"
            )
            message = f"there is no data source `{name}`"
            work.fault((*where, "from"), Code.UNKNOWN_NAME, message, hint=hint)
            return None
        return self._data.source(work, name)

    def _reads_secrets(self, work: Compilation, model: FileModel) -> bool:
        return any(each.root in work.secrets for each in self._data.references(model.source))

    def _format(self, work: Compilation, model: FileModel, where: tuple[str, str]) -> str | None:
        if model.format is None:
            return next(iter(_formats()))
        path = (*where, "format")
        found, formats = work.constant_text(model.format, path, work.constant_names), _formats()
        if found is None or found in formats:
            return found
        listed = ", ".join(f"`{form}`" for form in formats)
        hint = suggest(found, [*formats]) or f"formats: {listed}"
        work.fault(path, Code.INVALID_VALUE, f"there is no format `{found}`", hint=hint)
        return None

    def _check_rows(
        self, work: Compilation, source: DataNode, rows: int, where: tuple[str, str]
    ) -> None:
        if source.fields or source.on_end is OnEnd.CYCLE or not source.is_counted:
            return
        if rows > source.count:
            has = format_count(source.count, "row")
            message = f"`{source.name}` has {has}, and does not begin again (`on_end`)"
            hint = f"write `rows: {source.count}` at most, or `on_end: cycle` in the data"
            work.fault((*where, "rows"), Code.INVALID_DATA, message, hint=hint)

    def _check_columns(
        self, work: Compilation, form: str, source: DataNode, path: PlanPath
    ) -> None:
        from planrunner.data.tables import RowFault  # noqa: PLC0415 - as above

        try:
            _formats()[form].check(source.columns)
        except RowFault as fault:
            work.fault(path, Code.INVALID_VALUE, fault.message, hint=fault.hint)
        except PackageMissing as missing:
            work.fault(path, Code.NOT_AVAILABLE, missing.message, hint=missing.hint)

    def _unused(self, stem: str, form: str) -> str:
        """Return a file name that no other file has."""
        name, number = f"{stem}.{form}", 1
        while name in self._names:
            number += 1
            name = f"{stem}-{number}.{form}"
        self._names.add(name)
        return name
