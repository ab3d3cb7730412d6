"""What tables say of a matrix: a row for each size, the other axes side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from planrunner.report.findings import is_rough
from planrunner.report.own_metrics import work_rate_words
from planrunner.report.plain import plain
from planrunner.results.matrices.tables import MatrixLine, MatrixTable, SizeRow
from planrunner.results.model import Row
from planrunner.results.record import ScalingFit
from planrunner.units import NS_PER_S, format_duration, format_percent, format_size
from planrunner.values import dataclass

__all__ = [
    "ScalingColumn",
    "ScalingSection",
    "SizeCell",
    "axes_words",
    "exponent_words",
    "interval_words",
    "line_words",
    "scaling_sections",
    "size_words",
]

_NONE = "–"


@dataclass(frozen=True, slots=True)
class SizeCell:
    """What came of a request at one size.

    Attributes:
        rate: Of its work; empty where it doesn't say how much it did.
        raw: Its median in nanoseconds.
    """

    median: str
    p95: str
    failed: str
    rate: str
    raw: int = -1


@dataclass(frozen=True, slots=True)
class ScalingColumn:
    """A request with one value of each other axis, at all sizes."""

    title: str
    cells: tuple[SizeCell, ...]
    exponent: str
    interval: str


@dataclass(frozen=True, slots=True)
class ScalingSection:
    """A request in a matrix.

    Attributes:
        over: What the sizes are.
        sizes: What each row is called.
        raws: Each size as a number.
    """

    matrix: str
    request: str
    over: str
    sizes: tuple[str, ...]
    raws: tuple[float, ...]
    columns: tuple[ScalingColumn, ...]

    @property
    def title(self) -> str:
        return f"{plain(self.request) or '(no name)'} in {plain(self.matrix)}"

    @property
    def has_failed(self) -> bool:
        """Whether anything failed, so that it takes room in tables."""
        return any(cell.failed for column in self.columns for cell in column.cells)

    @property
    def has_work(self) -> bool:
        """Whether anything says how much it did, likewise."""
        return any(cell.rate for column in self.columns for cell in column.cells)

    @property
    def has_exponents(self) -> bool:
        return any(column.exponent for column in self.columns)


def scaling_sections(table: MatrixTable) -> Iterator[ScalingSection]:
    """Yield each request of a matrix."""
    for request in table.requests:
        yield ScalingSection(
            matrix=table.name,
            request=request,
            over=table.over,
            sizes=tuple(map(size_words, table.rows)),
            raws=tuple(row.size for row in table.rows),
            columns=tuple(map(_column, table.lines_of(request))),
        )


def size_words(row: SizeRow) -> str:
    """Return a size, after its case where it has one."""
    size = _size(row)
    return f"{plain(row.name)} ({size})" if row.name else size


def _size(row: SizeRow) -> str:
    match row.unit:
        case "duration":
            return format_duration(row.size * NS_PER_S)
        case "size":
            return format_size(row.size)
        case "percent":
            return format_percent(row.size)
        case _:
            number = f"{row.size:,.0f}" if row.size == int(row.size) else f"{row.size:,g}"
            return f"{number}/s" if row.unit == "rate" else number


def line_words(line: MatrixLine) -> str:
    """Return the request of a line with the values of its axes."""
    return " ".join(filter(None, (plain(line.request) or "(no name)", axes_words(line.axes))))


def axes_words(axes: Mapping[str, str]) -> str:
    """Return the values of axes; a name is needed only where a value is a number."""
    return ", ".join(
        plain(value) if value[:1].isalpha() else f"{plain(axis)} {plain(value)}"
        for axis, value in axes.items()
    )


def exponent_words(fit: ScalingFit | None) -> str:
    """Return how time grows; empty where that isn't known."""
    return "" if fit is None else f"{plain(fit.over)}^{_number(fit.exponent)}"


def interval_words(fit: ScalingFit | None) -> str:
    """Return the interval of the exponent; empty with fewer than three sizes."""
    if fit is None or fit.low is None or fit.high is None:
        return ""
    return f"{_number(fit.low)} … {_number(fit.high)}"


def _number(exponent: float) -> str:
    return f"{exponent + 0.0:.2f}"


def _column(line: MatrixLine) -> ScalingColumn:
    return ScalingColumn(
        title=axes_words(line.axes),
        cells=tuple(map(_cell, line.cells)),
        exponent=exponent_words(line.fit),
        interval=interval_words(line.fit),
    )


def _cell(row: Row | None) -> SizeCell:
    if row is None:
        return SizeCell(_NONE, _NONE, "", "")
    rough = "*" if is_rough("p95", row.count) else ""
    has_latency = row.has_latency
    return SizeCell(
        median=format_duration(row.latency_ns["p50"]) if has_latency else _NONE,
        p95=f"{format_duration(row.latency_ns['p95'])}{rough}" if has_latency else _NONE,
        failed=format_percent(row.failed / row.count) if row.failed and row.count else "",
        rate=work_rate_words(row),
        raw=row.latency_ns["p50"] if has_latency else -1,
    )
