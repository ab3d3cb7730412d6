"""Many samples go through columns of Arrow, and come out as they would one by one."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.metrics.book import SeriesBook
from planrunner.metrics.series import Labels
from planrunner.report.formats.samples import results_csv, row_columns
from planrunner.report.formats.samples.results_csv import write_csv
from planrunner.results.files import sample_blocks
from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.files.samples import SampleWriter, pack_row
from tests.support.mutations import damaged

pyarrow = pytest.importorskip("pyarrow.compute").pa

few = settings(max_examples=15, deadline=None)  # each writes a handful of files

MOST_PIECES = 11
"""The moment in two, three times, texts around all of these, and what stands between pieces."""

DAY_NS = 86_400 * 10**9

times = st.one_of(
    st.just(0),
    st.integers(0, 2_000).map(lambda n: 500 * n),  # halves of a microsecond are rounded by a float
    st.integers(0, 20 * 10**9),
    st.integers(0, 3 * DAY_NS),
)
labels = st.builds(
    Labels,
    *[st.sampled_from(["GET /a", "100 %", "=1+1", 'a "b", c', "\udc80"])] * 2,
    *[st.just("main")] * 4,
    status=st.sampled_from([0, 200]),
    failure=st.sampled_from(["", "status"]),
    measured=st.sampled_from([True, True, True, False]),
    unknown=st.sampled_from([(), (), ("connects", "received", "service_time", "status")]),
)
samples = st.tuples(labels, st.sampled_from(["", "no luck", "half \udc80"]), *[times] * 6)


def write(path: Path, workers: Sequence[Sequence[tuple[Any, ...]]]) -> None:
    """Write the samples of each worker, the first of them by the coordinator."""
    own = SampleWriter(path, started_unix_ns=1_700_000_000_123_456_789)
    files = [own, *(own.beside(number).open() for number in range(1, len(workers)))]
    for writer, rows in zip(files, workers, strict=True):
        book = SeriesBook()
        for one, words, *numbers in rows:
            message = writer.message(words)
            writer.append(pack_row(book.series(one).index, *numbers, message))  # type: ignore[call-arg]
        writer.flush(book.opened)
        writer.close()


def lines(path: Path, many: int, patch: pytest.MonkeyPatch) -> tuple[bytes, int]:
    """Return results.csv as a file has it, and how many lines it is said to have."""
    patch.setattr(results_csv, "MANY_ROWS", many)
    out = io.BytesIO()
    count = write_csv(SampleReader(path), out)
    return out.getvalue(), count


@few
@given(st.lists(st.lists(samples, max_size=12), min_size=1, max_size=3), st.data())
def test_lines_are_those_of_rows(workers: Any, data: Any) -> None:
    """Of one worker or several, whole or damaged, in groups of any size."""
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr(row_columns, "_GROUP", data.draw(st.integers(1, 5)))
        patch.setattr(sample_blocks, "ROWS_IN_BLOCK", 2)
        path = Path(folder) / "samples.bin"
        write(path, workers)
        if data.draw(st.booleans()):
            path.write_bytes(data.draw(damaged([path.read_bytes()])))
        by_column = lines(path, 0, patch)
        assert by_column == lines(path, 10**9, patch)


def test_lines_of_a_quiet_run_are_joined_of_few_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Joining takes a third of the time: what all rows share, and `0.` of times, is no piece."""
    ok = Labels("GET /", "GET", "main", "hold", "A", "t", status=200)
    write(tmp_path / "samples.bin", [[(ok, "", n, 10 + n, 10 + n, 5 + n, 0, 51) for n in range(9)]])
    joined: list[int] = []
    join = pyarrow.compute.binary_join_element_wise

    def note(*pieces: object) -> object:
        joined.append(len(pieces))
        return join(*pieces)

    monkeypatch.setattr(pyarrow.compute, "binary_join_element_wise", note)
    lines(tmp_path / "samples.bin", 0, monkeypatch)

    assert joined[-1] == max(joined) == MOST_PIECES


@few
@given(st.lists(st.lists(samples, max_size=12), min_size=1, max_size=4), st.integers(1, 5))
def test_tables_have_the_rows_in_their_order(workers: Any, group: int) -> None:
    """Those of all workers are merged as rows are, although some stand out of order."""
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr(row_columns, "_GROUP", group)
        patch.setattr(sample_blocks, "ROWS_IN_BLOCK", 3)
        path = Path(folder) / "samples.bin"
        write(path, workers)
        reader = SampleReader(path)
        tables = [table.to_pydict() for table in row_columns.row_columns(reader)]

        rows = [row for table in tables for row in zip(*table.values(), strict=True)]
        assert rows == list(reader.tuples())
