"""Writes pages with prometheus_client, which is asked for each line once: then numbers are renewed.

Most of what a line costs is its labels, and these don't change. 500 requests with five statuses are
12,500 lines, which take the library ten times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, cast

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString

from planrunner.outputs.beside import paced
from planrunner.outputs.labelled import LabelTexts
from planrunner.outputs.prometheus.families import Family, numbers

__all__ = ["Encoder", "PageWriter"]

Encoder = Callable[[Collector], bytes]

_KNOWN: Final = 60
"""Series whose numbers are renewed in one go, which takes 0.3 ms."""


class PageWriter:
    """Writes pages of one format for one run.

    Args:
        prefix: What the name of each metric begins with.
        encoder: That of the format, from prometheus_client.
    """

    def __init__(self, prefix: str, encoder: Encoder) -> None:
        self._prefix = prefix
        self._encoder = encoder
        self._heads: dict[str, str] = {}
        self._lines: dict[str, dict[LabelTexts, Sequence[str]]] = {}
        self._end = encoder(CollectorRegistry()).decode()

    def page(self, families: Iterable[Family]) -> bytes:
        """Write a page; call it from a thread that is not the load's."""
        written: list[str] = []
        for family in families:
            known = self._lines.setdefault(family.name, {})
            new = [values for values in family.series if values not in known]
            if new or family.name not in self._heads:
                self._ask(family, new)
            written.append(self._heads[family.name])
            for values, found in paced(family.series.items(), _KNOWN):
                for line, number in zip(known[values], numbers(found), strict=True):
                    written.append(f"{line} {_text(number)}\n")
        written.append(self._end)
        return "".join(written).encode()

    def _ask(self, family: Family, new: Sequence[LabelTexts]) -> None:
        """Have the library write series that are new, and keep the lines without their numbers."""
        name = f"{self._prefix}_{family.name}"
        lines = tuple(family.lines())
        metric = Metric(name.removesuffix("_total"), family.documentation, family.kind)
        samples = (
            Sample(name + suffix, {**dict(zip(family.names, values, strict=True)), **more}, 0)
            for values in new
            for suffix, more in lines
        )
        metric.samples = cast("list[Sample]", paced(samples))  # it only iterates
        registry = CollectorRegistry()
        registry.register(_Single(metric))
        text = self._encoder(registry).decode().removesuffix(self._end)
        rows = text.removesuffix("\n").split("\n")
        head = [row for row in rows if row.startswith("#")]
        self._heads[family.name] = "".join(f"{row}\n" for row in head)
        kept = (row.rpartition(" ")[0] for row in rows[len(head) :])
        for values in new:
            self._lines[family.name][values] = [next(kept) for _ in lines]


class _Single(Collector):
    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def describe(self) -> Iterable[Metric]:
        """Say that nothing has to be collected to know the names."""
        return ()

    def collect(self) -> Iterable[Metric]:
        return (self._metric,)


def _text(number: float) -> str:
    return cast("str", floatToGoString(number))  # type: ignore[no-untyped-call]  # of the library
