"""Configurations beside each other: the figures of each, and which is the best."""

from __future__ import annotations

from collections.abc import Mapping

from planrunner.values import dataclass

__all__ = ["Configuration", "ConfigurationFigure", "ConfigurationTable"]


@dataclass(frozen=True, slots=True)
class Configuration:
    """One of those compared.

    Attributes:
        name: Told apart from the others by it.
        values: What it was made with where others were made with something else, by param or label.
    """

    name: str
    run_id: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ConfigurationFigure:
    """One figure of one request; the sequences have an entry for each configuration.

    Attributes:
        request: Empty for all together.
        figure: As in `FigureChange`.
        values: In base units: seconds, per second, a share.
        low: Of the 95 % interval of each value by itself; null where there is none.
        high: Likewise.
        worse: The places of those that each is better than.
        leading: The places of those that no other is better than; empty where nothing is known.
        best: The place of the one that is better than every other; null where none is.
        is_same: Whether all that lead are the same, within the tolerance.
    """

    request: str
    figure: str
    values: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    worse: tuple[tuple[int, ...], ...]
    leading: tuple[int, ...] = ()
    best: int | None = None
    is_same: bool = False


@dataclass(frozen=True, slots=True)
class ConfigurationTable:
    """Configurations compared.

    Attributes:
        best: The place of the best one of all: better than each other in a figure of all requests
            together, and none better in any figure of any request. Null where there is none.
        figures: Of all requests together first, then of each request that all have.
        differences: How the load differs, each a sentence; with any of them nothing is called best.
        remarks: What else to know, each a sentence.
    """

    configurations: tuple[Configuration, ...]
    tolerance: float
    figures: tuple[ConfigurationFigure, ...]
    best: int | None = None
    differences: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def requests(self) -> tuple[str, ...]:
        """Of the figures, in order; the empty name stands for all together."""
        return tuple(dict.fromkeys(figure.request for figure in self.figures))

    @property
    def nothing_compared(self) -> str:
        """Why nothing can be called best in anything; empty if something might be."""
        if self.differences:
            return "the load differs"
        if not any(figure.leading for figure in self.figures):
            return "no figure of these could be compared"
        return ""

    @property
    def unbeaten(self) -> tuple[int, ...]:
        """The places of those that no other is better than in anything."""
        judged = [figure for figure in self.figures if figure.leading]
        places = range(len(self.configurations)) if judged else ()
        return tuple(place for place in places if all(place in one.leading for one in judged))

    def named(self, places: tuple[int, ...]) -> list[str]:
        """Return the names of the configurations at these places."""
        return [self.configurations[place].name for place in places]
