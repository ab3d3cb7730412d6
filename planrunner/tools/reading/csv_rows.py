"""Rows of CSV that arrive in pieces, of which the last may be half a row."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator
from typing import Final

__all__ = ["CsvRows"]

_LONGEST: Final = 1 << 20
"""A row that is longer, in characters, has a quote that nobody closes."""


class CsvRows:
    """Takes bytes, and gives whole rows.

    Attributes:
        unread: Rows that were given up.
    """

    def __init__(self, delimiter: str = ",") -> None:
        self.unread = 0
        self._delimiter = delimiter
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._begun = ""
        self._pending = ""

    def feed(self, data: bytes) -> Iterator[list[str]]:
        """Yield the rows that these bytes complete."""
        text = self._begun + self._decode(data)
        whole, newline, self._begun = text.rpartition("\n")
        if newline:
            yield from self._rows(whole.split("\n"))
        if len(self._begun) > _LONGEST:
            self._begun, self.unread = "", self.unread + 1

    def end(self) -> Iterator[list[str]]:
        """Yield the last row, if nothing ended its line."""
        begun, self._begun = self._pending + self._begun, ""
        if begun:
            yield from self._parsed([begun])

    def _rows(self, lines: Iterable[str]) -> Iterator[list[str]]:
        whole: list[str] = []
        for line in lines:
            text = self._pending + line if self._pending else line
            if text.count('"') % 2 == 0:
                whole.append(text.removesuffix("\r"))
                self._pending = ""
            elif len(text) > _LONGEST:
                self._pending, self.unread = "", self.unread + 1
            else:
                self._pending = text + "\n"
        yield from self._parsed(whole)

    def _parsed(self, rows: Iterable[str]) -> Iterator[list[str]]:
        for row in rows:
            try:
                yield from csv.reader([row], delimiter=self._delimiter)
            except csv.Error:
                self.unread += 1
