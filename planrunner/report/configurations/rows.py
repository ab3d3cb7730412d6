"""What tables say of configurations: their figures in words, who is best, and what else to know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from planrunner.metrics.measures import OWN_PREFIX
from planrunner.report.changes import figure_amount, figure_interval
from planrunner.report.plain import plain
from planrunner.results.configurations.model import ConfigurationFigure, ConfigurationTable
from planrunner.units import format_percent
from planrunner.values import dataclass

__all__ = [
    "BEST",
    "TOGETHER",
    "ConfigurationCell",
    "ConfigurationRow",
    "ConfigurationSection",
    "figure_words",
    "headline",
    "left_requests",
    "legend",
    "sections_of",
    "values_words",
]

BEST: Final = "★"
TOGETHER: Final = "≈"
_MOST_COMPONENTS: Final = 40
_COLUMNS: Final = (
    *("throughput", "work_rate"),
    *("p50", "typical_p50", "typical_p95", "typical_p99", "error_rate", "checks"),
)
"""In this order where there are these; what else there is comes after them."""


@dataclass(frozen=True, slots=True)
class ConfigurationCell:
    """A figure of a configuration.

    Attributes:
        mark: `BEST`, `TOGETHER`, or nothing.
        raw: The figure as a number.
        interval: Of 95 %, in words; empty where there is none.
    """

    text: str
    mark: str
    raw: float
    interval: str

    @property
    def marked(self) -> str:
        return f"{self.text} {self.mark}".rstrip()


@dataclass(frozen=True, slots=True)
class ConfigurationRow:
    """A configuration with its figures; `mark` is `BEST` for the best of all."""

    name: str
    values: str
    mark: str
    cells: tuple[ConfigurationCell, ...]


@dataclass(frozen=True, slots=True)
class ConfigurationSection:
    """The figures of a request; an empty name stands for all together."""

    request: str
    titles: tuple[str, ...]
    rows: tuple[ConfigurationRow, ...]

    @property
    def title(self) -> str:
        return plain(self.request) or "all requests"


def headline(table: ConfigurationTable) -> tuple[str, str]:
    """Return the word for what came of it, and what there is to say beside it."""
    count = len(table.configurations)
    if table.best is not None:
        return "best", f"{plain(table.configurations[table.best].name)} of {count} configurations"
    if reason := table.nothing_compared:
        return "no best", f"of {count} configurations: {reason}"
    if 0 < len(unbeaten := table.unbeaten) < count:
        names = " and ".join(map(plain, table.named(unbeaten)))
        return "no best", f"of {count} configurations: none is better than {names}"
    if any(figure.best is not None for figure in table.figures):
        return "no best", f"of {count} configurations: it depends on the figure which is best"
    return "no best", f"of {count} configurations: their differences may be noise"


def sections_of(table: ConfigurationTable) -> list[ConfigurationSection]:
    """Return all requests together, and each request in which some lead and others don't.

    Components, which have no median together, are all there.
    """
    medians = {one.request for one in table.figures if one.figure == "p50"}
    components = medians if "" not in medians and len(medians) <= _MOST_COMPONENTS else frozenset()
    return [
        _section(table, request)
        for request in table.requests
        if not request or request in components or _tells(table, request)
    ]


def left_requests(table: ConfigurationTable) -> int:
    """Return how many requests `sections_of` leaves out."""
    return len(table.requests) - len(sections_of(table))


def legend(table: ConfigurationTable) -> list[str]:
    """Return what the marks of the sections mean; nothing for those that there aren't."""
    marks = {cell.mark for one in sections_of(table) for row in one.rows for cell in row.cells}
    words = []
    if BEST in marks:
        by = format_percent(table.tolerance)
        words.append(f"{BEST} better than every other, by more than noise and {by}")
    if TOGETHER in marks:
        words.append(f"{TOGETHER} none is better than these, which can't be distinguished")
    return words


def figure_words(figure: str) -> str:
    """Return what a figure is called."""
    return f"avg {figure}" if figure.startswith(OWN_PREFIX) else figure.replace("_", " ")


def values_words(values: Mapping[str, str]) -> str:
    """Return params with their values."""
    return ", ".join(f"{plain(name)}={plain(value)}" for name, value in values.items())


def _tells(table: ConfigurationTable, request: str) -> bool:
    count = len(table.configurations)
    return any(0 < len(one.leading) < count for one in table.figures if one.request == request)


def _section(table: ConfigurationTable, request: str) -> ConfigurationSection:
    found = {one.figure: one for one in table.figures if one.request == request}
    figures = [
        found[name]
        for name in (*_COLUMNS, *(name for name in found if name not in _COLUMNS))
        if name in found
    ]
    return ConfigurationSection(
        request,
        tuple(figure_words(one.figure) for one in figures),
        tuple(_rows(table, figures, is_whole=not request)),
    )


def _rows(
    table: ConfigurationTable, figures: Sequence[ConfigurationFigure], *, is_whole: bool
) -> Iterator[ConfigurationRow]:
    for place, one in enumerate(table.configurations):
        values = values_words(one.values)
        yield ConfigurationRow(
            name=plain(one.name),
            values="" if values == plain(one.name) else values,
            mark=BEST if is_whole and table.best == place else "",
            cells=tuple(_cell(figure, place) for figure in figures),
        )


def _cell(figure: ConfigurationFigure, place: int) -> ConfigurationCell:
    return ConfigurationCell(
        text=figure_amount(figure.figure, figure.values[place]),
        mark=_mark(figure, place),
        raw=figure.values[place],
        interval=figure_interval(figure.figure, figure.low[place], figure.high[place]),
    )


def _mark(figure: ConfigurationFigure, place: int) -> str:
    if figure.best == place:
        return BEST
    leads = place in figure.leading and len(figure.leading) < len(figure.values)
    return TOGETHER if leads else ""
