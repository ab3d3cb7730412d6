"""Writes pages with prometheus_client, which is asked for each line once: then numbers are renewed.

Most of what a line costs is its labels, and these don't change. 500 requests with five statuses are
12,500 lines, which take the library ten times as long; the buckets of a histogram differ in their
bounds alone, so that it is asked for one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, cast

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString

from planrunner.outputs.labelled import LabelTexts
from planrunner.outputs.prometheus.families import BOUND, Family, numbers
from planrunner.outputs.slices import paced

__all__ = ["Encoder", "PageWriter"]

Encoder = Callable[[Collector], bytes]

_LABEL_OF_BOUND: Final = (f'{{le="{BOUND}"', f',le="{BOUND}"')
"""Nothing else can look like it: within a label a quotation mark has a backslash before it."""


class PageWriter:
    """Writes pages of one format for one run; only one thread at a time may use it.

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

    def learn(self, families: Iterable[Family]) -> None:
        """Get ready for a page with these families; call it from a thread that isn't the load's."""
        for family in families:
            known = self._lines.setdefault(family.name, {})
            new = [values for values in family.series if values not in known]
            if new or family.name not in self._heads:
                self._ask(family, new)

    def page(self, families: Sequence[Family]) -> bytes:
        """Write a page; call it from a thread that isn't the load's."""
        self.learn(families)
        written: list[str] = []
        for family in families:
            known = self._lines[family.name]
            written.append(self._heads[family.name])
            for values, found in paced(family.series.items()):
                for line, number in zip(known[values], numbers(found), strict=True):
                    written.append(f"{line} {_text(number)}\n")
        written.append(self._end)
        return "".join(written).encode()

    def _ask(self, family: Family, new: Sequence[LabelTexts]) -> None:
        """Have the library write series that are new, and keep the lines without their numbers."""
        name = f"{self._prefix}_{family.name}"
        rows = family.rows
        metric = Metric(name.removesuffix("_total"), family.documentation, family.kind)
        samples = (
            Sample(name + suffix, {**dict(zip(family.names, values, strict=True)), **more}, 0)
            for values in new
            for suffix, more in rows
        )
        metric.samples = cast("list[Sample]", paced(samples))  # it only iterates
        registry = CollectorRegistry()
        registry.register(_Single(metric))
        text = self._encoder(registry).decode().removesuffix(self._end)
        lines = text.removesuffix("\n").split("\n")
        head = [line for line in lines if line.startswith("#")]
        self._heads[family.name] = "".join(f"{line}\n" for line in head)
        kept = (line.rpartition(" ")[0] for line in lines[len(head) :])
        for values in paced(new):
            first, *others = (next(kept) for _ in rows)
            self._lines[family.name][values] = [*_of_buckets(first, family.bounds), *others]


def _of_buckets(line: str, bounds: Sequence[float]) -> Sequence[str]:
    """Return the line of each bucket; a line that has no bound is its own."""
    for label in _LABEL_OF_BOUND:
        before, found, after = line.partition(label)
        if found:
            start = before + label.removesuffix(f'{BOUND}"')
            return [f'{start}{bound}"{after}' for bound in (*map(repr, bounds), "+Inf")]
    return [line]


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
