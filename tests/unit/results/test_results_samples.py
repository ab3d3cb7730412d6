from __future__ import annotations

import json
import os
import resource
import sys
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from planrunner.errors import CannotRun, UsageError
from planrunner.metrics.book import SeriesBook
from planrunner.metrics.series import Labels
from planrunner.results.files.sample_blocks import HEAD_BYTES, ROWS_IN_BLOCK
from planrunner.results.files.sample_reader import SampleLoss, SampleReader
from planrunner.results.files.samples import Keep, SampleRow, SampleWriter, pack_row, parse_keep

OK = Labels(
    "GET /", "GET", "main", "hold", "V", "t", groups=("g",), tags=(("k", "v"), ("plain", ""))
)
FAILED = Labels("GET /", "GET", "main", "hold", "V", "t", failure="status", status=503)

ROW_BYTES = len(pack_row(0, 0, 0, 0, 0, 0, 0, 0))


@pytest.fixture
def book():
    book = SeriesBook()
    book.series(OK)
    book.series(FAILED)
    return book


@pytest.fixture
def path(tmp_path):
    return tmp_path / "samples.bin"


def row(series=0, start_ns=0, message=0):
    return SampleRow(series, start_ns, 3_000_000, 2_000_000, 1_000_000, 500_000, 1234, message)


@contextmanager
def file_size_limit(limit):
    """Make the kernel refuse to let any file grow beyond `limit` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    writes_none = sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # or Python would cut off a module that it compiles now
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        sys.dont_write_bytecode = writes_none


def test_what_was_written_is_read_back(book, path):
    """Rows, labels, messages and the start of the run survive the way through the files."""
    writer = SampleWriter(path, started_unix_ns=1_700_000_000_000_000_000)
    rows = [row(), row(series=1, start_ns=2**40, message=writer.message("got 503"))]

    for one in rows:
        writer.append(pack_row(*one))
    writer.flush(book.opened)
    writer.close()
    reader = SampleReader(path)

    assert list(reader) == rows
    assert reader.labels == {0: OK, 1: FAILED}
    assert reader.messages == {0: "", 1: "got 503"}
    assert reader.started_unix_ns == 1_700_000_000_000_000_000


def test_a_file_is_readable_while_it_is_written(book, path):
    """Whatever was flushed is there, as after a crash, with later series and messages."""
    writer = SampleWriter(path, started_unix_ns=0)
    writer.append(pack_row(*row()))
    writer.flush(book.opened)
    late = book.series(Labels("late", "GET", "main", "hold", "V", "t"))
    writer.append(pack_row(*row(series=late.index, message=writer.message("why"))))
    writer.flush(book.opened)
    writer.append(pack_row(*row()))

    reader = SampleReader(path)

    assert [one.series for one in reader] == [0, late.index]
    assert reader.labels[late.index].request == "late"
    writer.close()


@pytest.mark.parametrize("torn", [1, ROW_BYTES - 1])
def test_a_torn_last_row_costs_its_block(book, path, torn):
    """What a crash cut can't be told from what a disk spoilt, so no row of it is believed."""
    writer = SampleWriter(path, started_unix_ns=0)
    writer.append(pack_row(*row()))
    writer.flush(book.opened)
    writer.append(pack_row(*row(start_ns=7)))
    writer.append(pack_row(*row(start_ns=8)))
    writer.flush(book.opened)
    writer.close()
    path.write_bytes(path.read_bytes()[:-torn])

    reader = SampleReader(path)

    assert [one.start_ns for one in reader] == [0]
    assert reader.loss(is_over=True) == SampleLoss(2, 3, ("samples.bin",))


def test_a_torn_last_line_ends_the_rows_that_need_it(book, path):
    """Rows of a series whose line was not written whole are not guessed at."""
    writer = SampleWriter(path, started_unix_ns=0)
    writer.append(pack_row(*row()))
    writer.append(pack_row(*row(series=1)))
    writer.flush(book.opened)
    writer.close()
    lines = path.with_suffix(".jsonl")
    header, first, _, _ = lines.read_bytes().splitlines(keepends=True)
    lines.write_bytes(header + first + b'{"series": 1, "req')

    reader = SampleReader(path)

    assert [one.series for one in reader] == [0]
    assert reader.loss(is_over=False) == SampleLoss(1, 2, ("samples.jsonl",), is_exact=False)


def test_many_rows_stream_over_chunk_borders(book, path):
    """Reading in chunks loses and repeats nothing."""
    writer = SampleWriter(path, started_unix_ns=0)
    for i in range(20_000):
        writer.append(pack_row(*row(start_ns=i)))
    writer.flush(book.opened)
    writer.close()

    assert [one[1] for one in SampleReader(path).tuples()] == list(range(20_000))


def test_a_full_disk_stops_sampling_with_a_notice_and_keeps_whole_rows(book, path):
    """The load goes on: later appends and flushes are harmless, and the buffer stays empty."""
    writer = SampleWriter(path, started_unix_ns=0)
    writer.append(pack_row(*row()))
    writer.flush(book.opened)
    with file_size_limit(64 * 1024):
        for i in range(5_000):
            writer.append(pack_row(*row(start_ns=i)))
        writer.flush(book.opened)

    writer.append(pack_row(*row()))
    writer.flush(book.opened)
    writer.close()

    assert "sampling stopped" in writer.notice
    assert str(path) in writer.notice
    reader = SampleReader(path)
    kept = list(reader)
    assert 64 * 1024 - path.stat().st_size < ROWS_IN_BLOCK * ROW_BYTES + HEAD_BYTES
    assert len(kept) == writer.written == 1 + 4 * ROWS_IN_BLOCK
    assert not reader.loss(is_over=True)


def test_sampling_stops_before_the_disk_is_full(book, path, monkeypatch):
    """The last 500 MB are left to others; what was written by then is whole."""
    free = os.fstatvfs
    writer = SampleWriter(path, started_unix_ns=0)
    writer.append(pack_row(*row()))
    writer.flush(book.opened)
    monkeypatch.setattr(
        os, "fstatvfs", lambda file: SimpleNamespace(f_bavail=499_999, f_frsize=1_000)
    )
    writer.append(pack_row(*row(start_ns=7)))
    writer.flush(book.opened)
    monkeypatch.setattr(os, "fstatvfs", free)
    writer.append(pack_row(*row(start_ns=8)))
    writer.flush(book.opened)
    writer.close()

    assert writer.notice.startswith("sampling stopped: less than 500 MB is free")
    assert [one.start_ns for one in SampleReader(path)] == [0]


def test_a_disk_that_is_full_from_the_start_gives_a_notice(book, tmp_path):
    """Opening succeeds on a full disk; the first write tells."""
    path = tmp_path / "samples.bin"
    path.symlink_to("/dev/full")
    writer = SampleWriter(path, started_unix_ns=0)

    writer.append(pack_row(*row()))
    writer.flush(book.opened)
    writer.close()

    assert "No space left on device" in writer.notice


def test_a_place_that_cannot_be_written_is_known_before_load(tmp_path):
    """Creating the writer fails, so the run can end before it sends anything."""
    with pytest.raises(CannotRun, match="No such file"):
        SampleWriter(tmp_path / "missing" / "samples.bin", started_unix_ns=0)


def test_only_failures_are_kept_when_asked(book, path):
    """`samples: failures` drops each success and no failure."""
    writer = SampleWriter(path, started_unix_ns=0, keep=Keep(0.0))
    for i in range(100):
        writer.append(pack_row(*row(series=i % 2, start_ns=i)))
    writer.flush(book.opened)
    writer.close()

    assert [one.start_ns for one in SampleReader(path)] == list(range(1, 100, 2))


def test_a_share_keeps_all_failures_and_repeats_with_the_seed(book, tmp_path):
    """The same seed keeps the same successes, about as many as asked; another keeps others."""

    def kept(name, seed):
        path = tmp_path / name
        writer = SampleWriter(path, started_unix_ns=0, keep=Keep(0.25), seed=seed)
        for i in range(4_000):
            writer.append(pack_row(*row(series=i % 2, start_ns=i)))
        writer.flush(book.opened)
        writer.close()
        return [(one.series, one.start_ns) for one in SampleReader(path)]

    first, again, other = kept("a.bin", 1), kept("b.bin", 1), kept("c.bin", 2)

    assert first == again != other
    assert sum(series == 1 for series, _ in first) == 2_000
    assert 400 < sum(series == 0 for series, _ in first) < 600


def test_messages_are_shared_short_and_capped(book, path):
    """An error text per request can't eat the memory: 1,000 texts of 200 characters at most."""
    writer = SampleWriter(path, started_unix_ns=0)

    numbers = [writer.message(f"error {i} " + "x" * 500) for i in range(2_000)]
    writer.flush(book.opened)
    writer.close()
    messages = SampleReader(path).messages

    assert writer.message(f"error 0 {'x' * 500}") == numbers[0] == 1
    assert set(numbers) == set(range(1, 1_001))
    assert len(messages) == 1_001
    assert max(map(len, messages.values())) == 200
    assert "different messages" in messages[1_000]
    assert len(path.with_suffix(".jsonl").read_text("ascii").splitlines()) == 1 + 2 + 1_000 + 1


def test_a_message_with_half_a_surrogate_pair_stays_writable(book, path):
    """Text that a broken reply smuggled in can't stop a report."""
    writer = SampleWriter(path, started_unix_ns=0)
    writer.message("bad \ud800 text\nsecond line")
    writer.flush(book.opened)
    writer.close()

    assert SampleReader(path).messages[1] == "bad ? text\nsecond line"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all", Keep(1.0)),
        ("failures", Keep(0.0)),
        ("none", None),
        ("10%", Keep(0.1)),
        ("0.5%", Keep(0.005)),
    ],
)
def test_the_words_for_what_to_keep(text, expected):
    """`samples:` has three words and a percentage."""
    assert parse_keep(text) == expected


@pytest.mark.parametrize("text", ["", "some", "10", "101%", "-1%", "nan%", "%"])
def test_other_words_for_what_to_keep_are_refused(text):
    """A typo can't silently keep nothing."""
    with pytest.raises(UsageError, match="cannot keep"):
        parse_keep(text)


@pytest.mark.parametrize(
    "header",
    ["", "garbage\n", "[]\n", "{}\n", '{"planrunner_samples": 2, "started_unix_ns": 0}\n'],
)
def test_a_broken_header_is_an_error_in_words(path, header):
    """A file that isn't ours is named, without a traceback."""
    path.write_bytes(b"")
    path.with_suffix(".jsonl").write_text(header)

    with pytest.raises(CannotRun, match="samples"):
        SampleReader(path)


@pytest.mark.parametrize("version", [1, 4])
def test_another_format_is_an_error_with_a_way_out(path, version):
    """Rows of another layout are refused instead of misread."""
    header = {"planrunner_samples": version, "started_unix_ns": 0}
    path.with_suffix(".jsonl").write_text(json.dumps(header) + "\n")

    with pytest.raises(UsageError, match=f"format {version}, expected 3") as caught:
        SampleReader(path)

    assert caught.value.hint


def test_the_format_before_is_read(path, book, monkeypatch):
    """It lacks rows of measures, and is the same otherwise."""
    monkeypatch.setattr("planrunner.results.files.samples.SAMPLES_VERSION", 2)
    writer = SampleWriter(path, started_unix_ns=0)
    writer.append(pack_row(book.series(OK).index, 1, 2, 3, 4, 5, 6, 0))
    writer.flush(book.opened)
    writer.close()

    reader = SampleReader(path)

    assert [row.latency_ns for row in reader] == [2]
    assert not reader.loss(is_over=True)


def test_missing_files_are_an_error_in_words(path):
    """No samples in a directory is the caller's mistake."""
    with pytest.raises(UsageError, match="cannot read"):
        SampleReader(path)
