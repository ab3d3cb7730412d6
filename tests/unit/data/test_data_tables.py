"""Rows of data files: in order, by place, and what is said about broken ones."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.data import data_format
from planrunner.data.csv_files import CSV, CsvTable
from planrunner.data.data_format import open_table, survey
from planrunner.data.formats import format_of
from planrunner.data.json_files import JSON_LINES, JsonLinesTable
from planrunner.data.layout import Layout
from planrunner.data.tables import MemoryTable, RowFault

COLUMNS = ("name", "note")
LAYOUTS = [
    Layout(columns, delimiter, comment)
    for columns in ((), COLUMNS)
    for delimiter in (",", ";", "\t", "|", "^", "é")
    for comment in ("", "#", "//")
]
# A writer that ends lines with LF leaves a bare CR without quotes (until Python 3.13).
STYLES = (
    {"lineterminator": "\r\n", "quoting": csv.QUOTE_MINIMAL},
    {"lineterminator": "\n", "quoting": csv.QUOTE_ALL},
)
cells = st.text(alphabet='ab,;" \n\r\té', max_size=6)
rows_of_cells = st.lists(st.tuples(cells.filter(bool), cells), min_size=1, max_size=8)


def table_of(folder: Path, text: str | bytes, columns=COLUMNS) -> CsvTable:
    path = folder / "rows.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return CsvTable(path, columns)


def by_place(table) -> list[object]:
    try:
        return [table.at(place) for place in table.places()]
    finally:
        table.close()


class TestCsv:
    @given(rows_of_cells, st.booleans(), st.sampled_from(STYLES))
    def test_what_a_csv_writer_writes_is_read_back_both_ways(self, rows, bom, style):
        """Quotes, commas and line ends in values; with and without a byte order mark."""
        out = io.StringIO(newline="")
        csv.writer(out, **style).writerows([COLUMNS, *rows])
        text = out.getvalue().encode("utf-8-sig" if bom else "utf-8")
        quotes_all = style["quoting"] == csv.QUOTE_ALL
        read = [
            [value if quotes_all or set(value) & set(',"\r\n') else value.strip() for value in row]
            for row in rows
        ]
        expected = [dict(zip(COLUMNS, row, strict=True)) for row in read]

        with TemporaryDirectory() as folder:
            table = table_of(Path(folder), text)

            assert list(table.stream()) == expected
            assert by_place(table) == expected

    def test_spaces_around_values_belong_to_quoted_ones_only(self, tmp_path):
        """In the header and below it, on either side of the quotes, in rows of several lines."""
        table = table_of(
            tmp_path, ' name , "note" \n alice ,  "  two\n lines " \n"bob" ,\tb \nc, "d ""e"" "\n'
        )
        expected = [
            {"name": "alice", "note": "  two\n lines "},
            {"name": "bob", "note": "b"},
            {"name": "c", "note": 'd "e" '},
        ]

        assert list(table.stream()) == expected
        assert by_place(table) == expected

    def test_a_short_row_gets_a_hint(self, tmp_path):
        """It lacks a value, so the hint is about writing none."""
        table = table_of(tmp_path, "name,note\na\n")

        with pytest.raises(RowFault, match="1 value, but the header names 2") as caught:
            list(table.stream())
        assert (caught.value.line, "`a,,c`" in caught.value.hint) == (2, True)

    @given(rows_of_cells, st.booleans(), st.sampled_from(STYLES), st.sampled_from(LAYOUTS))
    def test_a_layout_reads_what_was_written_so(self, rows, bom, style, layout):
        """Other delimiters, no header, and comments before, between and after the rows."""
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=layout.delimiter, **style)
        for row in [*([] if layout.columns else [COLUMNS]), *rows]:
            if layout.comment:
                out.write(f'{layout.comment} no "row{style["lineterminator"]}')
            writer.writerow(row)
        text = out.getvalue().encode("utf-8-sig" if bom else "utf-8")
        quotes_all = style["quoting"] == csv.QUOTE_ALL
        special = set(layout.delimiter + '"\r\n')
        expected = [
            {
                name: value if quotes_all or set(value) & special else value.strip()
                for name, value in zip(COLUMNS, row, strict=True)
            }
            for row in rows
        ]

        with TemporaryDirectory() as folder:
            path = Path(folder) / "rows.csv"
            path.write_bytes(text)
            laid_out = format_of("csv", layout)
            found = survey(path, laid_out)
            table = laid_out.open_rows(path, found.columns)

            assert (found.columns, found.rows) == (COLUMNS, len(rows))
            assert list(table.stream()) == expected
            assert by_place(table) == expected

    def test_a_comment_is_no_comment_inside_a_value(self, tmp_path):
        """Only a line that begins a row is one; the lines of comments count."""
        layout = Layout(COLUMNS, ";", "#")
        path = tmp_path / "rows.csv"
        path.write_text('# made by hand\n\na;"1\n# two"\n#b;3\n;#4\nc\n')
        table = CsvTable(path, COLUMNS, layout)

        with pytest.raises(RowFault, match="1 value, but `columns` names 2") as caught:
            survey(path, format_of("csv", layout))

        assert caught.value.line == 7
        assert [table.at(place) for place in table.places()[:2]] == [
            {"name": "a", "note": "1\n# two"},
            {"name": "", "note": "#4"},
        ]
        table.close()

    def test_empty_lines_are_no_rows(self, tmp_path):
        """Before the header, between rows and at the end."""
        table = table_of(tmp_path, "\n\nname,note\n\na,1\r\n\r\nb,2\n\n")

        expected = [{"name": "a", "note": "1"}, {"name": "b", "note": "2"}]
        assert list(table.stream()) == expected
        assert by_place(table) == expected

    @pytest.mark.parametrize("blank", ["\r", "\r\r\n", "\n\r"])
    def test_a_line_of_line_ends_is_no_row(self, tmp_path, blank):
        """Neither in order nor by place, at the end of the file or before it."""
        for text in (f"name,note\na,1\n{blank}", f"name,note\na,1\n{blank}\nb,2\n"):
            table = table_of(tmp_path, text)

            assert by_place(table) == list(table.stream())

    def test_a_quote_inside_a_plain_value_is_text(self, tmp_path):
        """As in `5" pipe`: only a quote that opens a value has a meaning."""
        table = table_of(tmp_path, 'name,note\n5" pipe,x\nb,y\n')

        assert [row["name"] for row in table.stream()] == ['5" pipe', "b"]
        assert [row["name"] for row in by_place(table)] == ['5" pipe', "b"]

    def test_the_rows_may_be_read_again(self, tmp_path):
        """Each stream begins at the first row."""
        table = table_of(tmp_path, "name,note\na,1\nb,2\n")

        assert list(table.stream()) == list(table.stream())

    def test_a_place_takes_eight_bytes(self, tmp_path):
        """Whatever the length of the rows."""
        table = table_of(tmp_path, "name,note\n" + "x" * 1000 + ",1\n" + "y,2\n")

        places = table.places()

        assert (places.itemsize, len(places)) == (8, 2)

    @pytest.mark.parametrize(
        ("text", "line", "message"),
        [
            ("name,note\na,1\nb,2,3\n", 3, "the row has 3 values, but the header names 2"),
            ('name,note\n"a\nb",1\nc\n', 4, "the row has 1 value, but the header names 2"),
            ('name,note\n"a",1\n"b,2\n', 3, 'a `"` that opens a value is never closed'),
            ('name,note\n"a"x,1\n', 2, 'text follows the `"` that closes a value'),
            ("name,note\na,1\rb,2\n", 2, "a line ends in a bare carriage return"),
            (b"name,note\n\xff,1\n", 0, "byte 0xff is not UTF-8"),
        ],
    )
    def test_a_broken_row_is_named_when_it_is_reached(self, tmp_path, text, line, message):
        """A file may change after it was checked, and a large one isn't checked to its end."""
        with pytest.raises(RowFault) as caught:
            list(table_of(tmp_path, text).stream())

        assert (caught.value.line, caught.value.message) == (line, message)

    @pytest.mark.parametrize(
        "text", ["name,note\nb,2,3\n", b"name,note\n\xff,1\n", 'name,note\n"b']
    )
    def test_a_broken_row_is_a_fault_by_place_too(self, tmp_path, text):
        """Never a traceback."""
        with pytest.raises(RowFault):
            by_place(table_of(tmp_path, text))


class TestJsonLines:
    def test_values_of_every_kind_are_read_both_ways(self, tmp_path):
        """With a byte order mark, empty lines and no line end at the end."""
        path = tmp_path / "rows.jsonl"
        path.write_bytes(b'\xef\xbb\xbf{"a": 1}\n\n[2, "\xc3\xa9"]\r\nnull')
        table = JsonLinesTable(path)

        assert list(table.stream()) == [{"a": 1}, [2, "é"], None]
        assert by_place(table) == [{"a": 1}, [2, "é"], None]

    @pytest.mark.parametrize("space", ["\N{NO-BREAK SPACE}", "\u2028", "\x1c"])
    def test_what_is_space_to_others_is_no_empty_line(self, tmp_path, space):
        """What the run can't read is refused before it."""
        path = tmp_path / "rows.jsonl"
        path.write_text(f"1\n{space}\n2\n", "utf-8")

        with pytest.raises(RowFault, match="not JSON") as caught:
            survey(path, JSON_LINES)

        assert caught.value.line == 2

    def test_what_is_no_json_is_named_with_its_line(self, tmp_path):
        """The line of the file, not of the value."""
        path = tmp_path / "rows.jsonl"
        path.write_text("1\n\n{a: 1}\n")

        with pytest.raises(RowFault) as caught:
            list(JsonLinesTable(path).stream())

        assert caught.value.line == 3
        assert caught.value.said_of("rows.jsonl").startswith("rows.jsonl:3: this is not JSON: ")


def test_small_files_are_kept_and_large_ones_are_not(tmp_path, monkeypatch):
    """The limit is in bytes of the file."""
    path = tmp_path / "rows.csv"
    path.write_text("name,note\na,1\n")

    small = open_table(path, CSV, COLUMNS)
    monkeypatch.setattr(data_format, "_MAX_IN_MEMORY", 5)
    large = open_table(path, CSV, COLUMNS)

    assert isinstance(small, MemoryTable)
    assert isinstance(large, CsvTable)
    assert list(small.stream()) == list(large.stream())


def test_rows_without_a_file_have_places_too():
    """One contract for all tables."""
    table = MemoryTable([5, 6, 7])

    assert list(table.stream()) == [5, 6, 7]
    assert by_place(table) == [5, 6, 7]
