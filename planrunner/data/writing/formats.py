"""The formats that rows are written in: one record each, which plans and commands read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planrunner.data.writing.avro_writer import AVRO_FILE
from planrunner.data.writing.csv_writer import CSV_FILE
from planrunner.data.writing.json_writer import JSON_FILE, JSON_LINES_FILE
from planrunner.data.writing.parquet_writer import PARQUET_FILE
from planrunner.data.writing.rows import FileFormat

__all__ = ["FILE_FORMATS"]

_FORMATS: Final = (CSV_FILE, JSON_FILE, JSON_LINES_FILE, PARQUET_FILE, AVRO_FILE)

FILE_FORMATS: Final[Mapping[str, FileFormat]] = {each.key: each for each in _FORMATS}
"""By key; the first is the default."""
