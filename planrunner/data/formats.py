"""The file formats of data sources: one record each, which plans and runs read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planrunner.data.avro_files import AVRO
from planrunner.data.csv_files import CSV
from planrunner.data.data_format import DataFormat
from planrunner.data.json_files import JSON, JSON_LINES
from planrunner.data.layout import PLAIN, Layout
from planrunner.data.parquet_files import PARQUET

__all__ = ["DATA_FORMATS", "format_of"]

_FORMATS: Final = (CSV, JSON, JSON_LINES, PARQUET, AVRO)

DATA_FORMATS: Final[Mapping[str, DataFormat]] = {each.key: each for each in _FORMATS}
"""By key, in the order of the reference."""


def format_of(key: str, layout: Layout) -> DataFormat:
    """Return the format `key` of files with that layout, which is the plain one for most."""
    found = DATA_FORMATS[key]
    return found if found.laid_out is None or layout == PLAIN else found.laid_out(layout)
