"""JSON files: an array with a row in each line, or a row in each line and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO, Final

from planrunner.data.writing.rows import FileFormat, WrittenRows, plain_value, unfit
from planrunner.language.expressions.values import kind_of

__all__ = ["JSON_FILE", "JSON_LINES_FILE"]


def _other(value: object) -> object:
    plain = plain_value(value)
    if plain is value:
        raise TypeError(f"{kind_of(value)} can't be written as JSON")
    return plain


_encode: Final[Callable[[object], str]] = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_other
).encode


def _texts(rows: WrittenRows) -> Iterator[list[str]]:
    columns, first = rows.columns, 1
    for block in rows.blocks:
        try:
            yield [_encode(dict(zip(columns, row, strict=True))) for row in block]
        except (TypeError, ValueError, RecursionError) as error:
            raise unfit(first, len(block), error) from None
        first += len(block)


def _write(file: BinaryIO, rows: WrittenRows, *, begin: str, between: str, end: str) -> None:
    before, first = begin, 1
    for texts in _texts(rows):
        try:
            file.write((before + between.join(texts)).encode())
        except UnicodeError as error:
            raise unfit(first, len(texts), error) from None
        before, first = between, first + len(texts)
    file.write(end.encode())


JSON_FILE: Final = FileFormat(
    "json", is_text=True, write=partial(_write, begin="[\n", between=",\n", end="\n]\n")
)
JSON_LINES_FILE: Final = FileFormat(
    "jsonl", is_text=True, write=partial(_write, begin="", between="\n", end="\n")
)
