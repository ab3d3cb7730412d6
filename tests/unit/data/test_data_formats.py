"""The table of data formats, which plans, the schema and runs read."""

from __future__ import annotations

from pathlib import Path

import pytest

from planrunner.data.data_format import DataFormat
from planrunner.data.formats import DATA_FORMATS
from planrunner.plan.models.data_sources import DataModel
from planrunner.plan.schema.json_schema import plan_schema

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "data.md"


@pytest.mark.parametrize("each", DATA_FORMATS.values(), ids=DATA_FORMATS)
def test_a_plan_names_a_file_under_the_key_of_its_format(each: DataFormat) -> None:
    """The record is what compiler and engine then ask."""
    model = DataModel.model_validate({each.key: each.example})

    assert model.file is not None
    assert model.file.format is each


def test_rows_of_the_plan_itself_are_in_no_file() -> None:
    """A list, and rows that are made up."""
    assert DataModel.model_validate({"list": [1, 2]}).file is None


def test_editors_describe_every_format() -> None:
    """In the words of the record, before the other sources of rows."""
    keys = plan_schema()["definitions"]["Data"]["properties"]

    described = {key: keys[key]["markdownDescription"].split("\n")[0] for key in DATA_FORMATS}

    assert [*keys][: len(DATA_FORMATS)] == [*DATA_FORMATS]
    assert described == {key: each.description for key, each in DATA_FORMATS.items()}


@pytest.mark.parametrize("key", DATA_FORMATS)
def test_the_guide_shows_every_format(key: str) -> None:
    """With the key that a plan writes."""
    assert f"{key}: " in GUIDE.read_text("utf-8")
