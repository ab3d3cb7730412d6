"""results.csv: any names and words keep to their cells, and what is left of a file can be data."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from planrunner.data.csv_files import CSV
from planrunner.data.data_format import open_table, survey
from planrunner.data.tables import RowFault
from planrunner.language.files import FileFault
from planrunner.metrics.book import SeriesBook
from planrunner.metrics.series import Labels
from planrunner.report.formats.samples.results_csv import CSV_COLUMNS, write_csv
from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.files.samples import SampleWriter, pack_row
from tests.support.fuzzing import bounded, fuzz
from tests.support.hostile import HOSTILE_TEXTS
from tests.support.mutations import damaged, mutated_text
from tests.support.run_directories import HOSTILE_NAMES

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = [path.read_bytes() for path in sorted((ROOT / "tests" / "golden" / "run").rglob("*.csv"))]
TEXTS = [data.decode()[:3_000] for data in GOLDEN]
FORMULAS = ("=", "+", "-", "@", "\t", "\r")

MOST_OF_A_CELL = 60_000
"""Python's own reader takes twice as much, and a tag is two texts in a cell."""

texts = st.one_of(
    st.sampled_from([text[:MOST_OF_A_CELL] for text in (*HOSTILE_NAMES, *HOSTILE_TEXTS)]),
    st.text(st.sampled_from("ab ,\"'\r\n\t=+-@%;{}\u2028\0\ufeff"), max_size=8),
    st.text(max_size=8),
)
labels = st.builds(
    Labels,
    *[texts] * 6,
    tags=st.lists(st.tuples(texts, texts), max_size=2).map(tuple),
    status=st.integers(0, 999),
    failure=st.sampled_from(["", "status", "extract"]),
    status_name=st.just("") | texts,
)


@fuzz(st.lists(st.tuples(labels, texts), max_size=6), examples=40)
def test_any_words_keep_to_their_cells(samples: list[tuple[Labels, str]], folder: Path) -> None:
    """A reader gets a line for each sample, every column, and no formula."""
    path = folder / "samples.bin"
    book, writer = SeriesBook(), SampleWriter(path, started_unix_ns=0)
    for number, (one, words) in enumerate(samples):
        writer.append(
            pack_row(book.series(one).index, number, 1, 1, 0, 0, 0, writer.message(words))
        )
    writer.flush(book.opened)
    writer.close()
    out = io.BytesIO()

    assert write_csv(SampleReader(path), out) == len(samples)

    header, *lines = csv.reader(io.StringIO(out.getvalue().decode(), newline=""))
    assert tuple(header) == CSV_COLUMNS
    assert [len(line) for line in lines] == [len(header)] * len(samples)
    assert not any(cell.startswith(FORMULAS) for line in lines for cell in line)


PIECES = [*",\"'\n\r\t\0 ;", "\r\n", '""', "\ufeff", "1", "x" * 200, "\u2028", '"\n', "a,b\n"]
WHAT_IS_LEFT = mutated_text(TEXTS, PIECES).map(str.encode) | damaged(GOLDEN)


@fuzz(WHAT_IS_LEFT, examples=60)
def test_what_is_left_of_a_file_is_rows_or_a_fault(data: bytes, folder: Path) -> None:
    """As test data: in order and by place it has the same rows, as many as were counted."""
    path = folder / "rows.csv"
    path.write_bytes(data)

    with bounded(2):
        try:
            found = survey(path, CSV)
            in_order = list(open_table(path, CSV, found.columns).stream())
        except (RowFault, FileFault) as fault:
            assert fault.message
            return
        by_place = all_by_place(path, found.columns)

    assert len(in_order) == found.rows
    assert by_place == in_order


def all_by_place(path: Path, columns: tuple[str, ...]) -> list[Any]:
    table = CSV.open_rows(path, columns)
    try:
        return [table.at(place) for place in table.places()]
    finally:
        table.close()
