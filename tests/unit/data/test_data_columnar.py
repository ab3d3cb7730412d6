"""Parquet and Avro files as data sources: types, and faults with their places."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import fastavro
import pyarrow
import pyarrow.parquet
import pytest

from planrunner.data import data_format
from planrunner.data.data_format import open_table, survey
from planrunner.data.formats import DATA_FORMATS
from planrunner.data.spooled import StreamedTable
from planrunner.data.survey import Survey
from planrunner.data.tables import MemoryTable, RowFault
from planrunner.errors import PackageMissing

ROWS = [{"id": n, "name": f"n{n}", "is_new": n % 2 == 0, "price": n / 4} for n in range(300)]
SCHEMA = {
    "type": "record",
    "name": "rows",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "name", "type": "string"},
        {"name": "is_new", "type": "boolean"},
        {"name": "price", "type": "double"},
    ],
}


def write_parquet(path, rows=ROWS, group=100):
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path, row_group_size=group)


def write_avro(path, rows=ROWS, schema=SCHEMA):
    with path.open("wb") as file:
        fastavro.writer(file, schema, rows, sync_interval=500)


WRITE = {"parquet": write_parquet, "avro": write_avro}


@pytest.mark.parametrize("kind", WRITE)
class TestBoth:
    def test_columns_and_rows_are_known_before_the_run(self, tmp_path, kind):
        """As of any data file."""
        path = tmp_path / f"rows.{kind}"
        WRITE[kind](path)

        assert survey(path, DATA_FORMATS[kind]) == Survey(tuple(ROWS[0]), 300)

    def test_values_keep_their_types(self, tmp_path, kind):
        """Numbers are numbers, and nothing is text that was not."""
        path = tmp_path / f"rows.{kind}"
        WRITE[kind](path)

        table = open_table(path, DATA_FORMATS[kind], tuple(ROWS[0]))

        assert isinstance(table, MemoryTable)
        assert list(table.stream()) == ROWS

    def test_rows_of_a_large_file_are_read_by_place_and_in_order(self, tmp_path, kind, monkeypatch):
        """Without being held in memory."""
        path = tmp_path / f"rows.{kind}"
        WRITE[kind](path)
        monkeypatch.setattr(data_format, "_MAX_IN_MEMORY", 5)

        table = open_table(path, DATA_FORMATS[kind], tuple(ROWS[0]))
        places = table.places()

        assert isinstance(table, StreamedTable)
        assert list(table.stream()) == ROWS
        assert [table.at(place) for place in reversed(places)] == ROWS[::-1]
        table.close()

    @pytest.mark.parametrize("content", [b"", b"id,name\n1,a\n", b"PAR1", b"Obj\x01\x00"])
    def test_another_file_is_a_fault(self, tmp_path, kind, content):
        """Whatever it is: its name says nothing, so no other name is advised."""
        path = tmp_path / f"rows.{kind}"
        path.write_bytes(content)

        with pytest.raises(RowFault) as caught:
            survey(path, DATA_FORMATS[kind])

        assert "make it again" in caught.value.hint

    def test_a_damaged_file_is_a_fault_with_the_row(self, tmp_path, kind):
        """Its head is sound."""
        path = tmp_path / f"rows.{kind}"
        WRITE[kind](path)
        content = bytearray(path.read_bytes())
        middle = len(content) // 3
        content[middle : middle + 400] = b"\xff" * 400
        path.write_bytes(content)

        with pytest.raises(RowFault, match=r"row.* can't be read: \S") as caught:
            survey(path, DATA_FORMATS[kind])

        assert caught.value.hint == "the file is damaged: make it again"

    def test_a_missing_package_is_named(self, tmp_path, monkeypatch, kind):
        """With the line that installs it."""
        path = tmp_path / f"rows.{kind}"
        WRITE[kind](path)
        module = {"parquet": "pyarrow", "avro": "fastavro"}[kind]

        monkeypatch.setitem(sys.modules, module, None)

        with pytest.raises(PackageMissing) as caught:
            survey(path, DATA_FORMATS[kind])

        assert caught.value.message == f"`{kind}` needs the package {module}"
        assert caught.value.hint.startswith("pip install ")


class TestParquet:
    def test_what_expressions_have_not_becomes_text_or_a_number(self, tmp_path):
        """Dates in ISO 8601, decimals as numbers."""
        path = tmp_path / "rows.parquet"
        row = {
            "day": date(2026, 1, 2),
            "at": datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
            "price": Decimal("1.25"),
            "nested": {"days": [date(2026, 1, 2)]},
            "none": None,
        }
        write_parquet(path, [row])

        [found] = open_table(path, DATA_FORMATS["parquet"], tuple(row)).stream()

        assert found == {
            "day": "2026-01-02",
            "at": "2026-01-02T03:04:00+00:00",
            "price": 1.25,
            "nested": {"days": ["2026-01-02"]},
            "none": None,
        }

    def test_rows_that_take_no_room_in_the_file_are_not_kept(self, tmp_path):
        """A million equal ones are a few hundred bytes on the disk."""
        path = tmp_path / "rows.parquet"
        column = pyarrow.array([7]).take(pyarrow.array([0] * 1_000_000))
        pyarrow.parquet.write_table(pyarrow.table({"id": column}), path)

        table = open_table(path, DATA_FORMATS["parquet"], ("id",))

        assert path.stat().st_size < 100_000
        assert isinstance(table, StreamedTable)
        assert survey(path, DATA_FORMATS["parquet"]).rows == 1_000_000

    def test_columns_of_one_name_are_a_fault(self, tmp_path):
        """No expression could tell which was meant."""
        path = tmp_path / "rows.parquet"
        table = pyarrow.Table.from_arrays([pyarrow.array([1])] * 2, names=["id", "id"])
        pyarrow.parquet.write_table(table, path)

        with pytest.raises(RowFault, match="two columns are called `id`"):
            survey(path, DATA_FORMATS["parquet"])


class TestAvro:
    def test_plain_values_have_no_columns(self, tmp_path):
        """As those of a list."""
        path = tmp_path / "rows.avro"
        write_avro(path, ["a", "b"], "string")

        assert survey(path, DATA_FORMATS["avro"]) == Survey((), 2)

    def test_only_the_begin_of_a_large_file_is_checked(self, tmp_path, monkeypatch):
        """So that validating takes no minutes."""
        path = tmp_path / "rows.avro"
        write_avro(path)
        monkeypatch.setattr(data_format, "_LARGE", 100)

        found = survey(path, DATA_FORMATS["avro"], most=10)

        assert (found.rows, found.is_complete) == (10, False)
