"""Files of generated rows for components: made once in a session, the same for the same seed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from planrunner.compiler import compile_plan
from planrunner.data.tables import RowFault
from planrunner.data.writing.formats import FILE_FORMATS
from planrunner.errors import UsageError
from planrunner.graph.run_graph import RunGraph
from planrunner.language.diagnostics import suggest
from planrunner.python.plans import Plan
from planrunner.runner.data.rows import RowsToWrite, write_rows

__all__ = ["data_file"]

_FILES: Final = pytest.StashKey[dict[tuple[object, ...], Path]]()
_NAME: Final = "rows"
_NOTHING_ELSE: Final = {
    "users": {"Reader": {"steps": [{"think": "1s"}]}},
    "phases": [{"users": 1, "iterations": 1}],
}
"""What a plan needs beside its data."""


def data_file(
    request: pytest.FixtureRequest,
    source: str | Mapping[str, object],
    *,
    plan: RunGraph | None,
    rows: int,
    form: str,
    seed: int | None,
) -> Path:
    """Return a file of rows; it is written unless an earlier test asked for the same.

    Args:
        request: The test's.
        source: Fields, or the name of a data source of the plan.
        plan: None if the ini file names none.
        rows: How many.
        form: A key of `FILE_FORMATS`.
        seed: None for the plan's, or 0.

    Raises:
        UsageError: There is no such source or format, or the number of rows can't be.
        PlanError: A field is not an expression, or the plan is invalid.
        PackageMissing: What writes the format is not installed.
        CannotRun: A row can't be had.
    """
    __tracebackhide__ = True
    if form not in FILE_FORMATS:
        hint = suggest(form, [*FILE_FORMATS]) or f"choose one of {', '.join(FILE_FORMATS)}"
        raise UsageError(f"format: there is no `{form}`", hint=hint)
    _check(source, rows)
    files = request.config.stash.setdefault(_FILES, {})
    key = (json.dumps(source, sort_keys=True, default=str), rows, form, seed)
    if key not in files or not files[key].exists():  # a component may have moved it away
        factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
        name = source if isinstance(source, str) else _NAME
        path = factory.mktemp("perf-data") / f"{name}-{rows}.{form}"
        graph = _made_of(source, rows) if not isinstance(source, str) else plan
        if graph is None:
            hint = "write `perf_plan = plans/components.yaml` into the ini file, or give fields"
            raise UsageError(f"there is no plan with a data source `{source}`", hint=hint)
        graph = graph if seed is None else replace(graph, seed=seed)
        _write(path, graph, name, rows=rows, form=form)
        files[key] = path
    return files[key]


def _check(source: object, rows: object) -> None:
    """Refuse what no caller whose types are checked gives."""
    if not isinstance(source, str | Mapping):
        hint = 'give fields such as `{"id": "rand.uuid()"}`, or the name of a data source'
        raise UsageError(f"source: `{source!r}` is neither fields nor a name", hint=hint)
    if not isinstance(rows, int) or rows < 1:
        raise UsageError(f"rows: `{rows}` is not a number of rows", hint="give a number from 1")


def _made_of(fields: Mapping[str, object], rows: int) -> RunGraph:
    generated = {"generate": {"rows": rows, "fields": dict(fields)}}
    plan = Plan(name="data", data={_NAME: generated}, **_NOTHING_ELSE)
    checked = plan.source.checked({}, need_secrets=False)
    with plan.source.named():
        return compile_plan(checked, seed=0)


def _write(path: Path, graph: RunGraph, name: str, *, rows: int, form: str) -> None:
    nodes = {node.name: node for node in graph.data}
    if name not in nodes:
        hint = suggest(name, [*nodes]) or f"it has {', '.join(f'`{one}`' for one in nodes)}"
        raise UsageError(f"the plan has no data source `{name}`", hint=hint)
    try:
        FILE_FORMATS[form].check(nodes[name].columns)
    except RowFault as fault:
        raise UsageError(fault.message, hint=fault.hint) from fault
    scope = {
        "run": {"id": "", "dir": "", "seed": graph.seed},
        "now": lambda: datetime.now(UTC).timestamp(),
    }
    try:
        with path.open("wb") as file:
            write_rows(file, form, RowsToWrite(nodes[name], rows, seed=graph.seed, scope=scope))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
