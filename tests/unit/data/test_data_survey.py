"""What is found out about a data file before the run."""

from __future__ import annotations

import json

import pytest

from planrunner.data import data_format
from planrunner.data.data_format import survey
from planrunner.data.formats import DATA_FORMATS, format_of
from planrunner.data.layout import Layout
from planrunner.data.survey import Survey, columns_of
from planrunner.data.tables import RowFault
from planrunner.language.files import FileFault


def surveyed(folder, text, kind="csv"):
    path = folder / f"rows.{kind}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return survey(path, DATA_FORMATS[kind])


class TestCsv:
    def test_columns_and_rows_are_counted(self, tmp_path):
        """Line ends in quotes end no row; blanks around a column's name don't belong to it."""
        found = surveyed(tmp_path, '\ufeffname, note \n"a\nb",1\n\nc,2\n')

        assert found == Survey(("name", "note"), 2)

    @pytest.mark.parametrize(
        ("text", "line", "message"),
        [
            ("", 1, "the file is empty"),
            ("\n\n", 1, "the file is empty"),
            ("name,note\n", 1, "there are no rows below the header"),
            ("name,note\na,1\nb\n", 3, "the row has 1 value, but the header names 2"),
            ('name,note\n"a\n\nb",1\nc,2,3\n', 5, "the row has 3 values, but the header names 2"),
            ("name,name\na,1\n", 1, "two columns are called `name`"),
            ("name,\na,1\n", 1, "column 2 has no name"),
            ("ann,17\nbob,18\n", 1, "`17` can't be a column's name"),
            ("name;note\na;1\n", 1, "the columns are not separated by commas"),
            (b"name,note\na,1\n\xe9,2\n", 3, "byte 0xe9 is not UTF-8"),
            ('name,note\na,"1\n', 2, 'a `"` that opens a value is never closed'),
        ],
    )
    def test_a_fault_has_the_line_of_the_file(self, tmp_path, text, line, message):
        """So that an editor can jump to it."""
        with pytest.raises(RowFault) as caught:
            surveyed(tmp_path, text)

        assert (caught.value.line, caught.value.message) == (line, message)

    @pytest.mark.parametrize(
        ("layout", "text", "line", "said"),
        [
            (Layout(("a", "b")), "", 1, "there are no rows"),
            (Layout(("a", "b")), "a,b\n1,2\n", 1, "leave out `columns`"),
            (Layout(("a", "b")), "1,2\n3\n", 2, "but `columns` names 2"),
            (Layout(("a", "b")), "1;2\n", 1, 'write `delimiter: ";"`'),
            (Layout(delimiter=";"), "a,b\n1,2\n", 1, 'write `delimiter: ","`'),
            (
                Layout(delimiter=";"),
                "a;b\n1;2;3\n",
                2,
                'a value with a `;` in it is written "like; this"',
            ),
            (Layout(delimiter="\t"), "a\tb\n1\n", 2, "nothing between two tabs where"),
            (Layout(comment="#"), "# a\n#\na,a\n", 3, "two columns are called `a`"),
            (Layout(comment="#"), "#a,b\n", 1, "the file is empty"),
            (
                Layout(),
                "# made\na,b\n",
                2,
                'lines that begin with `#` are skipped with `comment: "#"`',
            ),
            (Layout(), "a\tb\n1\t2\n", 1, "write `delimiter: tab`"),
            (Layout(), "1,2,3,4,5\n", 1, "`columns: [c1, c2, c3, c4, …]`"),
        ],
    )
    def test_a_fault_knows_the_layout(self, tmp_path, layout, text, line, said):
        """It says which keys of the plan would read the file."""
        path = tmp_path / "rows.csv"
        path.write_text(text)

        with pytest.raises(RowFault) as caught:
            survey(path, format_of("csv", layout))

        assert caught.value.line == line
        assert said in f"{caught.value.message}; {caught.value.hint}"

    def test_of_a_large_file_the_first_rows_are_checked(self, tmp_path, monkeypatch):
        """The fault in row 4 is left to the run."""
        monkeypatch.setattr(data_format, "_LARGE", 10)
        path = tmp_path / "rows.csv"
        path.write_text("name\na\nb\nc\nd,d\n")

        assert survey(path, DATA_FORMATS["csv"], most=3) == Survey(("name",), 3, is_complete=False)
        with pytest.raises(RowFault):
            survey(path, DATA_FORMATS["csv"], most=4)


class TestJson:
    def test_columns_are_those_of_all_rows(self, tmp_path):
        """A row may leave one out."""
        rows = [{"a": 1}, {"a": 2, "b": 3}]
        lines = "\n".join(map(json.dumps, rows))

        assert surveyed(tmp_path, json.dumps(rows), "json") == Survey(("a", "b"), 2)
        assert surveyed(tmp_path, lines, "jsonl") == Survey(("a", "b"), 2)

    def test_plain_values_have_no_columns(self, tmp_path):
        """Each row is the value itself."""
        assert surveyed(tmp_path, '["a", 2, null]', "json") == Survey((), 3)
        assert surveyed(tmp_path, '"a"\n2\n', "jsonl") == Survey((), 2)

    @pytest.mark.parametrize(
        ("text", "kind", "line", "message"),
        [
            ("{}", "json", 1, "the file must hold a list"),
            ("[]", "json", 0, "there are no rows"),
            ("", "jsonl", 0, "there are no rows"),
            (
                '[1,\n{"a": 2}]',
                "json",
                0,
                "row 2 has columns, but the rows before have a plain value",
            ),
            (
                '{"a": 1}\n2',
                "jsonl",
                2,
                "the row has a plain value, but the rows before have columns",
            ),
            ("1\n\n{", "jsonl", 3, "this is not JSON"),
            ("[1,\n2,,]", "json", 2, "this is not JSON"),
            ("[" * 100_000, "json", 1, "this JSON can't be read"),
            (b"\xff", "jsonl", 1, "byte 0xff is not UTF-8"),
        ],
    )
    def test_a_fault_says_where_it_is(self, tmp_path, text, kind, line, message):
        """In a list, a row has its number."""
        with pytest.raises(RowFault) as caught:
            surveyed(tmp_path, text, kind)

        assert caught.value.line == line
        assert caught.value.message.startswith(message)

    def test_a_large_list_is_refused(self, tmp_path, monkeypatch):
        """It could only be read whole."""
        monkeypatch.setattr(data_format, "_LARGE", 5)

        with pytest.raises(RowFault) as caught:
            surveyed(tmp_path, "[1, 2, 3]", "json")

        assert "jsonl" in caught.value.hint


def test_a_directory_is_no_file(tmp_path):
    """A fault, and no error of the system."""
    with pytest.raises(FileFault, match="is a directory"):
        survey(tmp_path, DATA_FORMATS["csv"])


def test_columns_keep_the_order_of_their_first_rows():
    """As people would write them into a table."""
    assert columns_of([{"b": 1}, {"a": 1, "b": 2}]) == ("b", "a")
