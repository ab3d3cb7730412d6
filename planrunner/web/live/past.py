"""The past of a run as columns, in bounded memory: a long run has longer intervals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from planrunner.web.feed.messages import ARRIVAL_WORDS
from planrunner.web.live.interval import LiveInterval

__all__ = ["MOST_COLUMNS", "LivePast"]

MOST_COLUMNS: Final = 600
"""As many as a chart has room for; then intervals are twice as long. It has to be even."""

_MOST_REQUESTS: Final = 100
_MOST_KINDS: Final = 20
_OTHER: Final = "other"

_COUNTS: Final = ("requests", "failed")
_FIGURES: Final = ("p50", "p95", "p99", "asked_users", "asked_rate", "lag", "cpu")
_OF_REQUEST: Final = ("requests", "failed", "p50", "p95", "p99")

ColumnFigures = dict[str, Any]


class _PastLevel:
    """Intervals of one length; whole ones also make up the level above.

    A level is there from the first second, so none has to be computed from another's figures:
    percentiles of a longer interval are of its histogram, and only that of the last is kept.
    """

    def __init__(self, step: int) -> None:
        self.step = step
        self.columns: list[ColumnFigures] = []
        self.open: LiveInterval | None = None

    def place(self, second: int) -> int:
        return (second - 1) // self.step


class LivePast:
    """The columns of a run.

    Args:
        limit: The most that there are; an even number.

    Attributes:
        at: Where the last one is.
    """

    def __init__(self, limit: int = MOST_COLUMNS) -> None:
        self._limit = limit
        self._levels = [_PastLevel(1)]
        self._names: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        self.at = -1
        self.last: ColumnFigures = {}
        self._last_of: LiveInterval | None = None

    @property
    def step(self) -> int:
        """How many seconds a column stands for."""
        return self._levels[0].step

    def add(self, second: LiveInterval) -> bool:
        """Take in a second; returns whether all columns have changed, and not only the last."""
        self._name(second)
        has_folded = False
        while self._levels[0].place(second.end) >= self._limit:
            self._close(0)
            self._have(1)
            del self._levels[0]
            has_folded = True
        self._add(0, second)
        level = self._levels[0]
        assert level.open is not None
        self.at, self.last = len(level.columns), self._column(level.open)
        self._last_of = level.open
        return has_folded

    def _have(self, number: int) -> _PastLevel:
        if number == len(self._levels):
            self._levels.append(_PastLevel(self._levels[-1].step * 2))
        return self._levels[number]

    def _add(self, number: int, part: LiveInterval) -> None:
        level = self._have(number)
        if level.open is not None and level.place(level.open.end) != level.place(part.end):
            self._close(number)
        if level.open is None:
            level.open = LiveInterval(part.end)
        level.open.add(part)

    def _close(self, number: int) -> None:
        """Make a column of what is open, and a part of what is open above."""
        level = self._levels[number]
        if level.open is None:
            return
        whole, level.open = level.open, None
        level.columns.append(self.last if whole is self._last_of else self._column(whole))
        self._add(number + 1, whole)

    def _name(self, second: LiveInterval) -> None:
        """Give what is new columns of its own as long as there is room."""
        for name in second.requests:
            if name and len(self._names) < _MOST_REQUESTS:
                self._names.setdefault(name, name)
        for kind in second.failures:
            room = len(self._kinds) < _MOST_KINDS
            self._kinds.setdefault(kind, kind if room else _OTHER)

    def _column(self, interval: LiveInterval) -> ColumnFigures:
        return interval.column(self._names, self._kinds)

    def as_json(self) -> dict[str, Any]:
        """Return everything as one list for each figure."""
        level = self._levels[0]
        columns = [*level.columns, *([self.last] if level.open is not None else [])]
        arrivals = any("due" in one for one in columns)
        return {
            "step": level.step,
            "t": [one["t"] for one in columns],
            **{word: [one[word] for one in columns] for word in (*_COUNTS, *_FIGURES)},
            **{
                word: [one.get(word, 0) for one in columns] if arrivals else []
                for word in ARRIVAL_WORDS
            },
            "users": _by_name(columns, "users", 0),
            "failures": _by_name(columns, "failures", 0),
            "gauges": _by_name(columns, "gauges", None),
            "thresholds": _by_place([one["thresholds"] for one in columns]),
            "by_request": dict(_requests(columns)),
        }


def _by_name(columns: list[ColumnFigures], word: str, without: int | None) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for one in columns for name in one[word])
    return {name: [one[word].get(name, without) for one in columns] for name in names}


def _by_place(rows: list[list[float | None]]) -> list[list[float | None]]:
    width = max(map(len, rows), default=0)
    return [[row[place] if place < len(row) else None for row in rows] for place in range(width)]


def _requests(columns: list[ColumnFigures]) -> Iterator[tuple[str, dict[str, list[Any]]]]:
    nothing = (0, 0, None, None, None)
    for name in dict.fromkeys(name for one in columns for name in one["by_request"]):
        rows = [one["by_request"].get(name, nothing) for one in columns]
        yield name, dict(zip(_OF_REQUEST, map(list, zip(*rows, strict=True)), strict=True))
