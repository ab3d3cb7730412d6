"""CSV files, written so that the reader of data sources gets the same texts back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, Final

from planrunner.data.writing.rows import FileFormat, RowBlock, WrittenRows, unfit
from planrunner.language.expressions.values import EvaluationError, to_text

__all__ = ["CSV_FILE"]

_WRITTEN_AS_THEY_ARE: Final = frozenset({int, float, str, type(None)})
_NO_TEXTS: Final = frozenset({int, float, type(None)})


def _write(file: BinaryIO, rows: WrittenRows) -> None:
    file.write(_block_text([rows.columns]).encode())
    first = 1
    for block in rows.blocks:
        try:
            file.write(_block_text(block).encode())
        except (EvaluationError, UnicodeError) as error:
            raise unfit(first, len(block), error) from None
        first += len(block)


def _block_text(block: RowBlock) -> str:
    columns = [*zip(*block, strict=True)]
    kinds = [frozenset(map(type, column)) for column in columns]
    if all(kind <= _WRITTEN_AS_THEY_ARE for kind in kinds):
        texts = [c for c, kind in zip(columns, kinds, strict=True) if not kind <= _NO_TEXTS]
        if not any(map(_has_odd_text, texts)) and not any(map(_is_odd_number, columns, kinds)):
            buffer = io.StringIO(newline="")
            csv.writer(buffer, lineterminator="\n").writerows(block)
            return buffer.getvalue()
    return "".join(_line(row) for row in block)


def _has_odd_text(column: Sequence[object]) -> bool:
    """Say whether some text loses something without quotes that `csv` would not write."""
    texts = [value for value in column if value.__class__ is str]
    together = "\n".join(texts)
    return "\r" in together or [*map(str.strip, texts)] != texts


def _is_odd_number(column: Iterable[object], kinds: frozenset[type]) -> bool:
    """Say whether some number has no text that reads back: NaN is not equal to itself."""
    if float not in kinds:
        return False
    return any(value.__class__ is float and value - value != 0 for value in column)


def _line(row: Sequence[object]) -> str:
    texts = [*_texts(row)]
    if texts == [""]:
        return '""\n'  # an empty line is no row
    return ",".join(map(_quoted, texts)) + "\n"


def _texts(row: Sequence[object]) -> Iterator[str]:
    for value in row:
        yield "" if value is None else to_text(value)


def _quoted(text: str) -> str:
    if text == text.strip() and not any(mark in text for mark in ',"\r\n'):
        return text
    return '"' + text.replace('"', '""') + '"'


CSV_FILE: Final = FileFormat("csv", is_text=True, write=_write)
