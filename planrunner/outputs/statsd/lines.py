"""An interval of a run as lines of StatsD.

Source: https://github.com/statsd/statsd/blob/master/docs/metric_types.md, and for tags
https://docs.datadoghq.com/developers/dogstatsd/datagram_shell/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from planrunner.metrics.histogram import Histogram
from planrunner.outputs.labelled import LabelTexts
from planrunner.outputs.totals import RequestTotals
from planrunner.units import NS_PER_S

__all__ = ["StatsdLines", "packed"]

_OF_TAGS: Final = re.compile(r"[,|#\x00-\x1f\x7f]")
_NOT_OF_NAMES: Final = re.compile(r"[^A-Za-z0-9_-]+")

_PERCENTILES: Final = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0}

_MOST_BYTES: Final = 1432
"""Of a datagram: what a usual network carries in one piece."""


_NameAndTags = tuple[str, str]
"""What stands behind a name and behind a value: without tags, or with them."""


class StatsdLines:
    """Writes lines; without tags, the request and its status are part of the name.

    Args:
        names: Of the labels of requests.
        run: Labels of everything.
    """

    def __init__(
        self, prefix: str, names: tuple[str, ...], run: Mapping[str, str], *, has_tags: bool
    ) -> None:
        self._prefix = prefix
        self._names = names
        self._run = run
        self._has_tags = has_tags
        self._users: dict[str, int] = {}
        self._places: dict[tuple[object, ...], _NameAndTags] = {}

    def run_began(self) -> str:
        return self._line("runs", self._place({}, ()), "1|c")

    def users(self, users: Mapping[str, int]) -> Iterator[str]:
        """Yield how many there are of each class; of one that has gone, 0."""
        self._users = {**dict.fromkeys(self._users, 0), **users}
        for name, count in self._users.items():
            yield self._line("users", self._place({"user": name}, (name,)), f"{count}|g")

    def requests(self, values: LabelTexts, found: RequestTotals) -> Iterator[str]:
        """Yield what the requests with these labels came to."""
        place = self._place_of(values)
        yield self._line("requests", place, f"{found.count}|c")
        for name, size in (("bytes_received", found.received), ("bytes_sent", found.sent)):
            if size is not None:
                yield self._line(name, place, f"{size}|c")
        for kind, count in found.failures.items():
            yield self._line("errors", self._place_of(values, kind=kind), f"{count}|c")
        for name, value in _seconds(found.latency):
            yield self._line(f"request.{name}", place, f"{value:.6g}|g")

    def _line(self, name: str, place: _NameAndTags, value: str) -> str:
        inner, tags = place
        return f"{self._prefix}.{name}{inner}:{value}{tags}"

    def _place_of(self, values: LabelTexts, **more: str) -> _NameAndTags:
        """Return the place of requests; made once, as it takes longer than a line."""
        key = (values, *more.values())
        place = self._places.get(key)
        if place is None:
            labels = {**dict(zip(self._names, values, strict=True)), **more}
            parts = (labels["request"], labels["status"], *more.values())
            place = self._places[key] = self._place(labels, parts)
        return place

    def _place(self, labels: Mapping[str, str], parts: Iterable[str]) -> _NameAndTags:
        if not self._has_tags:
            return "".join("." + _NOT_OF_NAMES.sub("_", part).strip("_") for part in parts), ""
        tags = {**self._run, **labels}
        written = ",".join(f"{key}:{_OF_TAGS.sub('_', text)}" for key, text in tags.items() if text)
        return "", f"|#{written}"


def _seconds(latency: Histogram) -> Iterator[tuple[str, float]]:
    if latency.count:
        percentiles = latency.percentiles([*_PERCENTILES.values()])
        figures = {**dict(zip(_PERCENTILES, percentiles, strict=True)), "max": latency.max,
                   "avg": latency.mean}  # fmt: skip
        for name, value in figures.items():
            yield name, value / NS_PER_S


def packed(lines: list[str]) -> Iterator[bytes]:
    """Yield datagrams, each with as many lines as fit."""
    waiting, size = list[bytes](), 0
    for line in lines:
        data = line.encode("utf-8", "replace")
        if waiting and size + 1 + len(data) > _MOST_BYTES:
            yield b"\n".join(waiting)
            waiting, size = [], 0
        waiting.append(data)
        size += 1 + len(data)
    if waiting:
        yield b"\n".join(waiting)
