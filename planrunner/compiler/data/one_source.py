"""One data source: its file surveyed, its columns known."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from planrunner.compiler.compilation import Compilation
from planrunner.data.csv_files import column_fault
from planrunner.data.data_format import survey
from planrunner.data.formats import format_of
from planrunner.data.layout import Layout, LayoutFault, comment_of, delimiter_of
from planrunner.data.survey import Survey, columns_of
from planrunner.data.tables import RowFault
from planrunner.errors import PackageMissing
from planrunner.graph.data import DataNode, OnEnd, Order
from planrunner.language.diagnostics import Code, suggest
from planrunner.language.expressions.expression import RESERVED
from planrunner.language.expressions.values import Scope
from planrunner.language.fields.text import Text
from planrunner.language.files import FileFault
from planrunner.plan.yaml.document import PlanPath

if TYPE_CHECKING:  # see `language.fields.mapping.later`
    from planrunner.plan.models.data_sources import DataFile, DataModel, GenerateModel

__all__ = ["DataFiles", "compile_source"]


class DataFiles(Protocol):
    """The files that a plan names."""

    def table(self, name: str) -> Path:
        """Return where a file of rows is; raises FileFault when it can't be used."""

    def found(self, name: str, question: Hashable, find: Callable[[], Survey]) -> Survey:
        """Return what `find` returns about the file; asks once for the whole plan."""

    def workers(self, name: str) -> tuple[int, ...]:
        """Return the workers whose rows are in the file; none when it has those of all."""


def compile_source(
    work: Compilation, name: str, model: DataModel, files_at: Callable[[PlanPath], DataFiles]
) -> DataNode | None:
    """Compile one source; None when it is faulty."""
    return _DataCompiler(work, name, model, files_at(("data", name))).compile()


class _DataCompiler:
    def __init__(self, work: Compilation, name: str, model: DataModel, files: DataFiles) -> None:
        self._work = work
        self._name = name
        self._model = model
        self._files = files
        self._path: PlanPath = ("data", name)

    def compile(self) -> DataNode | None:
        self._check_name()
        model = self._model
        unique = self._work.settle(model.unique, (*self._path, "unique"), default=False)
        if unique:
            self._check_promises()
        if model.list_ is not None:
            node = self._list(model.list_)
        elif model.generate is not None:
            node = self._made(model.generate)
        else:
            node = self._file(model.file) if model.file is not None else None
        if node is None:
            return None
        secret, is_secret = self._secret(node.columns)
        return replace(
            node,
            secret=secret,
            is_secret=is_secret,
            per_user=model.per == "user",
            order=Order(model.order),
            unique=unique,
            on_end=OnEnd(model.on_end),
        )

    def _secret(self, columns: Sequence[str]) -> tuple[tuple[str, ...], bool]:
        """Return which columns are secret, and whether rows without columns are."""
        given, where = self._model.secret, (*self._path, "secret")
        if isinstance(given, bool) or given is None:
            return (tuple(columns), not columns) if given else ((), False)
        for index, column in enumerate(given):
            if column in columns:
                continue
            message = f"`{self._name}` has no column `{column}`"
            hint = suggest(column, columns) or f"columns: {', '.join(columns)}"
            if not columns:
                hint = "its rows are plain values: write `secret: true` to mask them"
            self._work.fault((*where, index), Code.UNKNOWN_NAME, message, hint=hint)
        return tuple(given), False

    def _check_name(self) -> None:
        name, work = self._name, self._work
        hint = "choose another name for the data"
        if name in RESERVED:
            message = f"`{name}` is reserved"
            work.fault(self._path, Code.RESERVED_NAME, message, hint=hint, part="key")
        elif name in work.constant_names.params:
            message = f"`{name}` is already a param"
            work.fault(self._path, Code.DUPLICATE_NAME, message, hint=hint, part="key")

    def _check_promises(self) -> None:
        model = self._model
        written = model.on_end if "on_end" in model.model_fields_set else None
        if model.per == "iteration" and written == "cycle":
            self._work.fault(
                (*self._path, "on_end"),
                Code.CONFLICTING_KEYS,
                "rows that are used once per run can't be repeated",
                hint="write `stop_user`, `stop_plan` or `error`, or leave out `unique`",
            )

    def _list(self, items: Sequence[object]) -> DataNode | None:
        work, where = self._work, (*self._path, "list")
        rows = []
        for index, item in enumerate(items):
            before = len(work.faults)
            lowered = work.value(item, (*where, index), work.constant_names)
            if not lowered.is_constant and len(work.faults) == before:
                work.must_be_constant((*where, index))
            rows.append(lowered.value)
        try:
            return DataNode(self._name, "list", columns_of(rows), len(rows), rows=tuple(rows))
        except RowFault as fault:
            work.fault(where, Code.INVALID_DATA, fault.message, hint=fault.hint)
            return None

    def _made(self, model: GenerateModel) -> DataNode:
        work, where = self._work, (*self._path, "generate")
        fields: dict[str, Callable[[Scope], object]] = {
            column: work.expression(
                expression, (*where, "fields", column), work.constant_names
            ).evaluate
            for column, expression in model.fields.items()
        }
        count = work.settle(model.rows, (*where, "rows"), 1)
        return DataNode(self._name, "generate", tuple(fields), count, fields=fields)

    def _file(self, source: DataFile) -> DataNode | None:
        key = source.format.key
        where = (*self._path, key)
        file = self._work.constant_text(source.name, where, self._work.constant_names)
        layout = self._layout()
        if file is None or layout is None:
            return None
        try:
            path = self._files.table(file)
            of = format_of(key, layout)
            found = self._files.found(file, (key, layout), lambda: survey(path, of))
        except RowFault as fault:
            message = fault.said_of(file)
            self._work.fault(where, Code.INVALID_DATA, message, hint=fault.hint)
        except FileFault as fault:
            message = f"`{file}` {fault.message}"
            self._work.fault(where, fault.code, message, hint=fault.hint)
        except PackageMissing as missing:
            self._work.fault(where, Code.NOT_AVAILABLE, missing.message, hint=missing.hint)
        except OSError as error:  # while it was read
            message = f"`{file}` can't be read: {(error.strerror or str(error)).lower()}"
            self._work.fault(where, Code.UNREADABLE_FILE, message)
        else:
            node = self._surveyed(key, file, path, found)
            return replace(node, layout=layout)
        return None

    def _surveyed(self, kind: str, file: str, path: Path, found: Survey) -> DataNode:
        return DataNode(
            self._name,
            kind,
            found.columns,
            found.rows,
            file=file,
            path=str(path),
            workers=self._files.workers(file),
            is_counted=found.is_complete,
        )

    def _layout(self) -> Layout | None:
        """Return how the file is laid out; None when that is a fault."""
        work, model = self._work, self._model
        before = len(work.faults)
        if fault := column_fault(model.columns or ()):
            index, message, hint = fault
            where = (*self._path, "columns", index)
            work.fault(where, Code.INVALID_VALUE, message, hint=hint)
        delimiter = self._mark("delimiter", model.delimiter, delimiter_of) or ","
        comment = self._mark("comment", model.comment, lambda text: comment_of(text, delimiter))
        if len(work.faults) > before:
            return None
        return Layout(tuple(model.columns or ()), delimiter, comment)

    def _mark(self, key: str, written: Text | None, read: Callable[[str], str]) -> str:
        where = (*self._path, key)
        text = self._work.constant_text(written, where, self._work.constant_names)
        try:
            return "" if text is None else read(text)
        except LayoutFault as fault:
            self._work.fault(where, Code.INVALID_VALUE, fault.message, hint=fault.hint)
            return ""
