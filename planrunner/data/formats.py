"""The file formats of data sources: one record each, which plans and runs read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planrunner.data.csv_files import CSV
from planrunner.data.data_format import DataFormat
from planrunner.data.json_files import JSON, JSON_LINES

__all__ = ["DATA_FORMATS"]

_FORMATS: Final = (CSV, JSON, JSON_LINES)

DATA_FORMATS: Final[Mapping[str, DataFormat]] = {each.key: each for each in _FORMATS}
"""By key, in the order of the reference."""
