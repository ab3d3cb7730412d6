"""Samples of a JTL that is XML, as rows with the columns of one that is CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from xml.etree import ElementTree as ET

__all__ = ["JtlXml"]

_COLUMNS: Final = {
    "t": "elapsed",
    "ts": "timeStamp",
    "lb": "label",
    "rc": "responseCode",
    "rm": "responseMessage",
    "tn": "threadName",
    "s": "success",
    "by": "bytes",
    "sby": "sentBytes",
    "ct": "Connect",
    "na": "allThreads",
}
_SAMPLES: Final = ("httpSample", "sample")
_TRANSACTION: Final = "Number of samples in transaction"


class JtlXml:
    """Takes bytes, and gives a row for each sample that is no part of another one.

    A transaction that has its requests inside gives these in its place.

    Attributes:
        unread: Places where it was no such XML; nothing behind one is read.
    """

    def __init__(self) -> None:
        self.unread = 0
        self._parser: Any = ET.XMLPullParser(("start", "end"))  # typeshed has two shapes of events
        self._open: list[ET.Element] = []

    def feed(self, data: bytes) -> Iterator[dict[str, str]]:
        """Yield the samples that these bytes complete."""
        if self.unread:
            return
        try:
            self._parser.feed(data)
        except (ET.ParseError, LookupError):  # of an encoding that nobody knows
            self.unread += 1
        yield from self._rows()

    def end(self) -> None:
        """Count an end in the middle of a sample, or before that of the whole."""
        if self._open and not self.unread:
            self.unread += 1

    def _rows(self) -> Iterator[dict[str, str]]:
        try:
            for event, found in self._parser.read_events():
                if event == "start":
                    self._open.append(found)
                    continue
                self._open.pop()
                if len(self._open) == 1 and found.tag in _SAMPLES:
                    yield from _row_of(found)
                if len(self._open) == 1:
                    self._open[0].clear()  # or a long run would be kept whole
        except ET.ParseError:
            self.unread += 1


def _row_of(sample: ET.Element) -> Iterator[dict[str, str]]:
    inside = [one for one in sample if one.tag in _SAMPLES]
    yield {
        **{column: sample.get(short, "") for short, column in _COLUMNS.items()},
        "failureMessage": _failure(sample),
    }
    if sample.get("rm", "").startswith(_TRANSACTION):
        for one in inside:
            yield from _row_of(one)


def _failure(sample: ET.Element) -> str:
    """Return what the first assertion says that did not hold."""
    for one in sample.iterfind("assertionResult"):
        if "true" in (one.findtext("failure"), one.findtext("error")):
            return one.findtext("failureMessage") or one.findtext("name") or ""
    return ""
