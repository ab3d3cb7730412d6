"""Results as tables for pandas and polars: names, units and one row for each thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final, Literal, TypeAlias

from planrunner.errors import PackageMissing, UsageError
from planrunner.language.diagnostics import suggest
from planrunner.python.results.figures import Figures, series_of
from planrunner.results.model import Row, RunResult
from planrunner.units import NS_PER_S

__all__ = ["TableName", "dataframe"]

TableName: TypeAlias = Literal["requests", "phases", "seconds", "thresholds", "series"]
"""The tables of a result."""

TableRow = Mapping[str, object]

_LATENCIES: Final = ("min", "mean", "p50", "p90", "p95", "p99", "p999", "max")
_LIBRARIES: Final = ("pandas", "polars")


def dataframe(result: RunResult, table: str, library: str | None) -> Any:  # noqa: ANN401 - as installed
    """Return a table as a DataFrame; durations are in seconds.

    Raises:
        UsageError: There is no such table.
        PackageMissing: The library is not installed.
    """
    if table not in _ROWS:
        hint = suggest(table, tuple(_ROWS)) or f"tables: {', '.join(_ROWS)}"
        raise UsageError(f"table: a result has no table `{table}`", hint=hint)
    return _library(library).DataFrame([dict(row) for row in _ROWS[table](result)])


def _library(wanted: str | None) -> Any:  # noqa: ANN401 - a module
    if wanted is not None and wanted not in _LIBRARIES:
        hint = 'give "pandas" or "polars"'
        raise UsageError(f"library: `{wanted}` makes no DataFrame", hint=hint)
    for name in (wanted,) if wanted else _LIBRARIES:
        try:
            return import_module(name)
        except ImportError:
            continue
    what = wanted or "pandas or polars"
    raise PackageMissing(f"a DataFrame needs {what}", hint=f"pip install {wanted or 'pandas'}")


def _requests(result: RunResult) -> Iterable[TableRow]:
    rows = [row for row in result.rows if row.by == "request"]
    recorded = _recorded(rows)
    return (
        {"phase": row.phase, "request": row.name, **_cells(Figures(row)), **more}
        for row, more in zip(rows, recorded, strict=True)
    )


def _phases(result: RunResult) -> Iterable[TableRow]:
    rows = [row for row in result.rows if row.by == "phase"]
    recorded = _recorded(rows)
    return (
        {"phase": row.name, **_cells(Figures(row)), **more}
        for row, more in zip(rows, recorded, strict=True)
    )


def _recorded(rows: Sequence[Row]) -> list[TableRow]:
    """Return the columns that only plans with `work` or `record` have: a metric by its average."""
    names = sorted({name for row in rows for name in row.metrics})
    has_work = any(row.work is not None for row in rows)
    return [
        {
            **({"work": row.work, "work_rate": row.work_per_second} if has_work else {}),
            **{
                f"metric.{name}": row.metrics[name].avg if name in row.metrics else None
                for name in names
            },
        }
        for row in rows
    ]


def _cells(figures: Figures) -> TableRow:
    return {
        "count": figures.count,
        "failed": figures.failed,
        "error_rate": figures.error_rate,
        "per_second": figures.per_second,
        **{name: getattr(figures, name).s for name in _LATENCIES},
        "received_bytes": figures.received_bytes,
        "sent_bytes": figures.sent_bytes,
    }


def _seconds(result: RunResult) -> Iterable[TableRow]:
    return (
        {
            "second": point.second,
            "seconds": point.seconds,
            "phase": point.phase,
            "warmup": point.warmup,
            "users": point.users,
            "count": point.requests,
            "failed": point.failed,
            "p50": point.p50_ns / NS_PER_S,
            "p95": point.p95_ns / NS_PER_S,
            "p99": point.p99_ns / NS_PER_S,
        }
        for point in result.points
    )


def _thresholds(result: RunResult) -> Iterable[TableRow]:
    return (
        {
            "threshold": one.threshold,
            "verdict": one.verdict.value,
            "observed": one.observed,
            "limit": one.limit,
            "reason": one.reason,
        }
        for one in result.judgements
    )


def _series(result: RunResult) -> Iterable[TableRow]:
    return (
        {
            "kind": one.labels.kind,
            "request": one.labels.request,
            "phase": one.labels.phase,
            "stage": one.labels.stage,
            "user": one.labels.user,
            "task": one.labels.task,
            "status": one.labels.status_text,
            "failure": one.labels.failure,
            "warmup": one.labels.warmup,
            "count": one.count,
            "min": one.min.s,
            "mean": one.mean.s,
            **{f"p{percent:g}": one.percentile(percent).s for percent in (50, 90, 95, 99)},
            "max": one.max.s,
        }
        for one in series_of(result.series)
    )


_ROWS: Final[Mapping[str, Callable[[RunResult], Iterable[TableRow]]]] = {
    "requests": _requests,
    "phases": _phases,
    "seconds": _seconds,
    "thresholds": _thresholds,
    "series": _series,
}
