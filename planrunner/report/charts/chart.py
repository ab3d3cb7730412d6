"""A chart as reports show it: a spec, its data, and what can be said of it without looking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from planrunner.values import dataclass

__all__ = ["Chart", "ChartEntry", "ChartPlace", "Rows", "Spec"]

Spec = dict[str, Any]
Rows = Sequence[Mapping[str, object]]


class ChartPlace(StrEnum):
    """The part of a page that a chart belongs to."""

    TIME = "time"
    SIZES = "sizes"
    CONFIGURATIONS = "configurations"
    SHAPE = "shape"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class ChartEntry:
    """One entry of a legend: what can be hidden, and read where the cursor is.

    Attributes:
        series: In the rows of the chart.
        is_dashed: Its line is: an earlier run's.
        unit: Of its values, where it differs from that of the chart.
    """

    series: str
    color: str
    is_dashed: bool = False
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart.

    Attributes:
        id: Of its element, and the name of its file.
        words: What it shows, for those who don't see it.
        spec: Without data, width and colours of the page.
        data: By the names that `spec` uses.
        wide: It takes the whole width of a page.
        entries: Its legend.
        unit: Of its values over time, `ms`, `/s`, `percent` …; empty for charts without time.
        follows: It can show a single request.
        group: Sets the charts of one table apart from those of another on the same page.
    """

    id: str
    title: str
    words: str
    spec: Spec
    data: Mapping[str, Rows]
    wide: bool = False
    entries: tuple[ChartEntry, ...] = ()
    unit: str = ""
    follows: bool = False
    place: ChartPlace = ChartPlace.TIME
    group: str = ""
