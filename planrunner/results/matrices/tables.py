"""The combinations of a matrix as tables: sizes from top to bottom, other axes side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from planrunner.results.matrices.fits import fit_exponent
from planrunner.results.model import Judgement, Row, RunResult
from planrunner.results.record import PhaseCombination, ScalingFit
from planrunner.values import dataclass

__all__ = [
    "CASE",
    "MatrixLine",
    "MatrixTable",
    "SizeRow",
    "combinations_by_matrix",
    "make_scaling",
    "matrix_tables",
    "other_axes",
    "size_of",
]

CASE: Final = "case"
_LOADS: Final = frozenset({"users", "rate"})
"""They make configurations of the load, not more to do for one request."""

_AMOUNTS: Final = frozenset({"", "size"})
"""What there is more of to do. Times are limits, and rates paces, unless a plan says otherwise."""

_Axes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SizeRow:
    """A size; `name` is its case, where a case gives it, and `unit` as in `SizeValue`."""

    name: str
    size: float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class MatrixLine:
    """A request in the combinations that differ in their size only.

    Attributes:
        axes: The other axes, with their values.
        cells: What came of it at each size of the table; None where it was not sent.
        fit: How its time grows; None with fewer than two sizes.
    """

    request: str
    axes: Mapping[str, str]
    cells: tuple[Row | None, ...]
    fit: ScalingFit | None


@dataclass(frozen=True, slots=True)
class MatrixTable:
    """A matrix over sizes.

    Attributes:
        name: The phase of the plan.
        over: What its sizes are: `rows`.
        rows: The sizes, the smallest first.
        lines: By request, then by the other axes, in the plan's order.
    """

    name: str
    over: str
    rows: tuple[SizeRow, ...]
    lines: tuple[MatrixLine, ...]

    @property
    def requests(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(line.request for line in self.lines))

    def lines_of(self, request: str) -> tuple[MatrixLine, ...]:
        """Return those of a request, which have the same sizes side by side."""
        return tuple(line for line in self.lines if line.request == request)


def combinations_by_matrix(
    combinations: Iterable[PhaseCombination],
) -> Mapping[str, Sequence[PhaseCombination]]:
    """Return the combinations of each matrix, in order."""
    found: dict[str, list[PhaseCombination]] = {}
    for one in combinations:
        found.setdefault(one.matrix, []).append(one)
    return found


def size_of(members: Sequence[PhaseCombination], judgements: Iterable[Judgement]) -> str:
    """Return which param is the size: one that scalability is judged over, else the first amount.

    Empty where no param has several sizes.
    """
    judged = {one.sizes.over for one in judgements}
    units = {size.name: size.unit for one in members for size in one.sizes}
    several = [
        name
        for name, unit in units.items()
        if (unit in _AMOUNTS or name in judged)
        and name not in _LOADS
        and all(one.size(name) > 0 for one in members)
        and len({one.size(name) for one in members}) > 1
    ]
    return next((name for name in several if name in judged), several[0] if several else "")


def other_axes(one: PhaseCombination, over: str) -> _Axes:
    """Return the axes of a combination but that which gives the size."""
    axes = [(choice.axis, choice.value) for choice in one.axes]
    by = over if over in dict(axes) else CASE
    return tuple((axis, value) for axis, value in axes if axis != by)


def make_scaling(
    rows: Iterable[Row],
    combinations: Iterable[PhaseCombination],
    judgements: Sequence[Judgement] = (),
) -> tuple[ScalingFit, ...]:
    """Return how the time of each request grows with the sizes of each matrix."""
    found = _by_phase(rows)
    return tuple(
        fit
        for name, members in combinations_by_matrix(combinations).items()
        if (over := size_of(members, judgements))
        for fit in _fits(name, over, members, found)
    )


def matrix_tables(result: RunResult) -> list[MatrixTable]:
    """Return the matrices of a run that have sizes."""
    found = _by_phase(result.rows)
    return [
        _table(name, over, members, found, result.scaling)
        for name, members in combinations_by_matrix(result.combinations).items()
        if (over := size_of(members, result.judgements))
        and any(one.phase in found for one in members)
    ]


def _by_phase(rows: Iterable[Row]) -> Mapping[str, Mapping[str, Row]]:
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        if row.by == "request" and row.phase:
            found.setdefault(row.phase, {})[row.name] = row
    return found


def _fits(
    name: str,
    over: str,
    members: Sequence[PhaseCombination],
    found: Mapping[str, Mapping[str, Row]],
) -> Iterator[ScalingFit]:
    for request, axes in _lines(over, members, found):
        sizes: dict[float, int] = {}
        for one in members:
            row = found.get(one.phase, {}).get(request)
            if other_axes(one, over) == axes and row is not None and row.latency_ns["p50"] > 0:
                sizes[one.size(over)] = row.latency_ns["p50"]
        if len(sizes) > 1:
            points = sorted(sizes.items())
            numbers, medians = (tuple(column) for column in zip(*points, strict=True))
            exponent, low, high = fit_exponent(numbers, medians)
            yield ScalingFit(name, request, dict(axes), over, numbers, medians, exponent, low, high)


def _lines(
    over: str, members: Sequence[PhaseCombination], found: Mapping[str, Mapping[str, object]]
) -> list[tuple[str, _Axes]]:
    requests = dict.fromkeys(name for one in members for name in found.get(one.phase, {}))
    axes = dict.fromkeys(other_axes(one, over) for one in members)
    return [
        (request, which)
        for request in requests
        for which in axes
        if any(
            request in found.get(one.phase, {}) for one in members if other_axes(one, over) == which
        )
    ]


def _table(
    name: str,
    over: str,
    members: Sequence[PhaseCombination],
    found: Mapping[str, Mapping[str, Row]],
    scaling: Iterable[ScalingFit],
) -> MatrixTable:
    rows = tuple(sorted(dict.fromkeys(_row(one, over) for one in members), key=_by_size))
    fits = {
        (fit.request, frozenset(fit.axes.items())): fit
        for fit in scaling
        if (fit.matrix, fit.over) == (name, over)
    }
    lines = []
    for request, axes in _lines(over, members, found):
        phases = {_row(one, over): one.phase for one in members if other_axes(one, over) == axes}
        cells = tuple(found.get(phases.get(row, ""), {}).get(request) for row in rows)
        lines.append(MatrixLine(request, dict(axes), cells, fits.get((request, frozenset(axes)))))
    return MatrixTable(name, over, rows, tuple(lines))


def _row(one: PhaseCombination, over: str) -> SizeRow:
    case = next((choice.value for choice in one.axes if choice.axis == CASE), "")
    is_axis = any(choice.axis == over for choice in one.axes)
    unit = next((size.unit for size in one.sizes if size.name == over), "")
    return SizeRow("" if is_axis else case, one.size(over), unit)


def _by_size(row: SizeRow) -> float:
    return row.size
