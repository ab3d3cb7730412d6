"""Rows in files: what is written reads back equal, and always has the same bytes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.data.data_format import open_table, survey
from planrunner.data.formats import DATA_FORMATS
from planrunner.data.tables import RowFault
from planrunner.data.writing import avro_writer, parquet_writer
from planrunner.data.writing.formats import FILE_FORMATS
from planrunner.data.writing.rows import WrittenRows
from planrunner.errors import PackageMissing
from planrunner.language.expressions.values import to_text

MARKER = bytes(range(16))
TYPED = [key for key in FILE_FORMATS if key != "csv"]


def written(path, key, columns, rows, block=3):
    blocks = (rows[at : at + block] for at in range(0, len(rows), block))
    with path.open("wb") as file:
        FILE_FORMATS[key].write(file, WrittenRows("orders", columns, blocks, MARKER))


def read_back(path, key):
    columns = survey(path, DATA_FORMATS[key]).columns
    return columns, list(open_table(path, DATA_FORMATS[key], columns).stream())


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
SCALARS = st.sampled_from([TEXTS, FLOATS, INTEGERS, st.booleans()])
NESTED = SCALARS.flatmap(
    lambda kind: st.sampled_from(
        [
            st.none() | kind,
            st.lists(kind, max_size=3),
            st.fixed_dictionaries({"a": st.none() | kind, "b": st.lists(kind, max_size=2)}),
        ]
    )
)


@st.composite
def tables(draw, kinds):
    """Draw the names of some columns, and rows with values of one kind in each."""
    names = draw(
        st.lists(
            st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True),
            min_size=1,
            max_size=4,
            unique=True,
        )
    )
    values = [draw(kinds) for _ in names]
    rows = draw(st.lists(st.tuples(*values), min_size=1, max_size=10))
    return tuple(names), [list(row) for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize("key", TYPED)
@given(table=tables(NESTED))
@settings(max_examples=60, deadline=None)
def test_typed_values_read_back_equal(key, table):
    """Null, texts of all letters, lists and mappings too."""
    columns, rows = table
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"rows.{key}"
        written(path, key, columns, rows)

        found = read_back(path, key)

    assert found == (columns, [dict(zip(columns, row, strict=True)) for row in rows])


@pytest.mark.slow
@given(table=tables(NESTED))
@settings(max_examples=150, deadline=None)
def test_csv_reads_back_as_text(table):
    """The text that a plan would insert; nothing where there is no value."""
    columns, rows = table
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        written(path, "csv", columns, rows)

        found = read_back(path, "csv")

    texts = [["" if value is None else to_text(value) for value in row] for row in rows]
    assert found == (columns, [dict(zip(columns, row, strict=True)) for row in texts])


@pytest.mark.slow
@pytest.mark.parametrize("key", FILE_FORMATS)
def test_the_same_rows_give_the_same_bytes(tmp_path, key):
    """However they come in blocks."""
    rows = [[n, f"n{n}", n / 8, n % 2 == 0] for n in range(1000)]
    for name, block in (("a", 7), ("b", 1000)):
        written(tmp_path / name, key, ("id", "name", "price", "is_new"), rows, block)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_people_can_read_json_line_by_line(tmp_path):
    """An array with a row in each line; without brackets and commas in `jsonl`."""
    rows = [[1, "å"], [2, None]]
    for key in ("json", "jsonl"):
        written(tmp_path / key, key, ("id", "name"), rows, block=1)

    lines = ['{"id":1,"name":"å"}', '{"id":2,"name":null}']
    assert (tmp_path / "json").read_text("utf-8") == "[\n" + ",\n".join(lines) + "\n]\n"
    assert (tmp_path / "jsonl").read_text("utf-8") == "\n".join(lines) + "\n"
    assert len(json.loads((tmp_path / "json").read_text("utf-8"))) == 2


def test_the_marker_of_avro_is_the_one_that_was_given(tmp_path):
    """fastavro would draw one."""
    written(tmp_path / "rows", "avro", ("id",), [[1]])

    assert (tmp_path / "rows").read_bytes().endswith(MARKER)


@pytest.mark.parametrize("key", ["parquet", "avro"])
@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        ([1, "a"], {"whole numbers", "text"}),
        ([[1], ["a"]], {"whole numbers", "text"}),
        ([True, 2], {"true or false", "whole numbers"}),
        ([{"a": 1}, [1]], {"mappings", "lists"}),
    ],
)
def test_a_column_of_several_kinds_is_a_fault(tmp_path, key, values, kinds):
    """A typed file can't have it."""
    with pytest.raises(RowFault) as caught:
        written(tmp_path / "rows", key, ("id",), [[value] for value in values])

    said = caught.value.message.removeprefix("the column `id` has ")
    assert set(said.split(" as well as ")) == kinds
    assert "of one kind" in caught.value.hint


@pytest.mark.parametrize("key", ["parquet", "avro"])
@pytest.mark.parametrize("value", [2**70, "\ud83d"])
def test_what_no_type_can_hold_is_a_fault(tmp_path, key, value):
    """More than 64 bits, half a letter."""
    with pytest.raises(RowFault, match="can't be written"):
        written(tmp_path / "rows", key, ("id",), [[value]])


@pytest.mark.parametrize("key", ["parquet", "avro"])
def test_a_kind_that_changes_late_is_a_fault_with_the_rows(tmp_path, key, monkeypatch):
    """The types of a file are those of its first rows."""
    monkeypatch.setattr(parquet_writer, "_GROUP", 4)
    monkeypatch.setattr(avro_writer, "_FIRST", 4)

    with pytest.raises(RowFault, match=r"rows? 9") as caught:
        written(tmp_path / "rows", key, ("id",), [[1]] * 8 + [["a"]], block=4)

    assert "| string" in caught.value.hint


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"\xff", "\ud83d"])
@pytest.mark.parametrize("key", ["csv", "json", "jsonl"])
def test_what_no_text_can_hold_is_a_fault_with_the_rows(tmp_path, key, value):
    """Not a number, bytes that are no text, half a letter."""
    with pytest.raises(RowFault, match="rows 4 to 6 can't be written"):
        written(tmp_path / "rows", key, ("id",), [[1]] * 3 + [[2], [value], [3]])


def test_a_name_that_avro_can_not_have_is_a_fault():
    """Before anything is written."""
    with pytest.raises(RowFault, match="can't have a column `order-id`"):
        FILE_FORMATS["avro"].check(("id", "order-id"))


@pytest.mark.parametrize(("key", "module"), [("parquet", "pyarrow"), ("avro", "fastavro")])
def test_a_missing_package_is_named(monkeypatch, key, module):
    """Before anything is written."""
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(PackageMissing, match=f"needs the package {module}"):
        FILE_FORMATS[key].check(("id",))
