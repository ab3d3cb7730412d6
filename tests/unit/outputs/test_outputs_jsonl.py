"""JSON Lines: what the lines say, that they are whole, and that they are all there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from planrunner.metrics.book import SeriesBook
from planrunner.metrics.series import Labels
from planrunner.outputs.jsonl.line_file import LineFile
from planrunner.outputs.jsonl.records import seconds_schema
from planrunner.outputs.jsonl.samples import SampleLines
from planrunner.outputs.totals import RequestTotals
from planrunner.results.files.sample_tail import SampleTail
from planrunner.results.files.samples import SampleWriter, pack_row, pack_values
from tests.support.seconds import delta_of, labels_of

SCHEMA_FILE = Path(__file__).resolve().parents[3] / "schema" / "seconds.schema.json"


def test_the_schema_file_is_fresh() -> None:
    """`make schema` was run."""
    assert json.loads(SCHEMA_FILE.read_text("utf-8")) == json.loads(json.dumps(seconds_schema()))


def test_a_line_is_in_the_file_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full in the middle of one leaves no half behind."""
    path = tmp_path / "new" / "x.jsonl"
    file = LineFile(path)
    write, room = os.write, [4, 100]

    def until_full(descriptor: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(28, "No space left on device")
        taken = write(descriptor, data[: room[0]])
        room[0] = 0
        return taken

    file.append("one\n")
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", until_full)
        with pytest.raises(OSError, match="No space left"):
            file.append("two is long\n")
    file.append("three\n")
    file.close()

    assert path.read_text() == "one\nthree\n"


def test_each_sample_is_read_once_while_the_files_grow(tmp_path: Path) -> None:
    """However little of a write there is to be seen; values stay with their sample."""
    written = tmp_path / "samples.bin"
    book = SeriesBook()
    plain = book.series(Labels("GET /", "GET", "main", "hold", "User", "task"))
    recording = book.series(
        Labels("GET /r", "GET", "main", "hold", "User", "task", records=("metric.x",))
    )
    writer = SampleWriter(written, started_unix_ns=10**18)
    for n in range(300):
        writer.append(pack_row(plain.index, n, 5, 5, 1, 0, 9, 0))
        writer.append(pack_row(recording.index, n, 5, 5, 1, 0, 9, 0))
        writer.append(pack_values(recording.index, n, 5, [(n * 10**6, False)]))
    writer.flush(book.opened)
    writer.close()
    names, rows = written.with_suffix(".jsonl").read_bytes(), written.read_bytes()

    seen = tmp_path / "seen"
    seen.mkdir()
    tail = SampleTail(seen / "samples.bin")
    found = list(tail.read())
    for share in range(1, 8):  # names are written first
        (seen / "samples.jsonl").write_bytes(names[: len(names) * share // 3])
        (seen / "samples.bin").write_bytes(rows[: len(rows) * max(share - 3, 0) // 4])
        found += tail.read()
    found += tail.rest()
    tail.close()

    assert len(found) == 600
    values = [sample.values for sample in found if sample.labels.request == "GET /r"]
    assert values == [((n * 10**6, False),) for n in range(300)]


def test_what_another_tool_does_not_tell_is_null(tmp_path: Path) -> None:
    """Neither its sizes nor its times are 0."""
    book, path = SeriesBook(), tmp_path / "samples.bin"
    unknown = ("connects", "received", "sent", "service_time")
    series = book.series(Labels("GET /", "GET", "main", "hold", "", "", unknown=unknown))
    writer = SampleWriter(path, started_unix_ns=10**18)
    writer.append(pack_row(series.index, 0, 5_000_000, 5_000_000, 0, 0, 0, 0))
    writer.flush(book.opened)
    writer.close()
    tail = SampleTail(path)
    [sample] = [*tail.read(), *tail.rest()]
    tail.close()

    line = json.loads(SampleLines("r1", lambda text: text).line(sample))

    assert line["latency"] == 0.005
    told = [line[name] for name in ("service_time", "ttfb", "connect", "bytes_received")]
    assert told == [None] * 4


def test_sizes_are_summed_where_they_are_told() -> None:
    """A sum of nothing that is known is nothing."""
    totals, told, silent = RequestTotals(), labels_of(), labels_of(unknown=("received", "sent"))

    totals.add(silent, delta_of(1, received=0))
    before = (totals.received, totals.sent)
    totals.add(told, delta_of(1, received=7))
    totals.add(silent, delta_of(1, received=0))

    assert before == (None, None)
    assert (totals.received, totals.count) == (7, 3)
