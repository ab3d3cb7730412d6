"""Runs that were killed."""

from __future__ import annotations

import pytest

from planrunner.metrics.book import SeriesBook
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.measures import STREAMED
from planrunner.metrics.series import Labels
from planrunner.results.files.recover import recover
from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.files.samples import SampleWriter, pack_row, pack_stream, pack_values
from planrunner.results.model import ValidityLevel
from planrunner.results.record import RecordedMeasure, Stretch, read_series
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.results import make_result


@pytest.fixture
def reader(tmp_path):
    """Ten seconds of two requests a second, the second of which is slow and fails."""
    book = SeriesBook(0)
    good = Labels("GET /a", "GET", "main", "hold", "U", "T", status=200)
    bad = Labels("GET /b", "GET", "main", "hold", "U", "T", status=500, failure="status")
    fine, broken = book.series(good), book.series(bad)
    writer = SampleWriter(tmp_path / "samples.bin", started_unix_ns=0)
    for second in range(10):
        start_ns = second * NS_PER_S
        fast, slow = 5 * NS_PER_MS, 50 * NS_PER_MS
        writer.append(pack_row(fine.index, start_ns, fast, fast, 1, 0, 100, 0))
        writer.append(pack_row(broken.index, start_ns, slow, slow, 1, 9, 10, writer.message("no")))
    writer.flush(book.opened)
    writer.close()
    return SampleReader(tmp_path / "samples.bin")


def test_what_the_samples_say_is_a_result_that_says_what_is_missing(reader):
    """Counts, latencies and points are there; the verdict is not."""
    unfinished = make_result(rows=(), points=(), judgements=(), task_mix=(), notices=())

    result = recover(unfinished, reader)

    assert result.totals.total_requests == 20
    assert result.totals.failed_requests == 10
    assert {row.name for row in result.rows if row.by == "request"} == {"GET /a", "GET /b"}
    assert len(result.points) == 10
    assert "killed" in result.ended_because
    assert result.validity.level is ValidityLevel.INVALID
    assert any("thresholds were not judged" in notice for notice in result.notices)


@pytest.mark.parametrize(("counted", "rate"), [((), 10 / 9.05), (("main",), 20.0)])
def test_phases_that_count_iterations_are_known(tmp_path, counted, rate):
    """There, work is divided by the time of the samples: 10 of 50 ms each."""
    labels = Labels("f", "python", "main", "hold", "U", "T", records=("work",))
    book = SeriesBook(0)
    series = book.series(labels)
    writer = SampleWriter(tmp_path / "samples.bin", started_unix_ns=0)
    took_ns = 50 * NS_PER_MS
    for second in range(10):
        writer.append(
            pack_row(series.index, second * NS_PER_S, took_ns, took_ns, 0, 0, 0, 0)
            + pack_values(series.index, second * NS_PER_S, took_ns, [(1_000_000, False)])
        )
    writer.flush(book.opened)
    writer.close()
    begun = tuple(Stretch(phase, "", 0, 0, is_counted=True) for phase in counted)

    result = recover(
        make_result(rows=(), points=(), measured=begun), SampleReader(tmp_path / "samples.bin")
    )

    [row] = (row for row in result.rows if row.by == "request" and not row.phase)
    assert row.work_per_second == pytest.approx(rate)
    assert {part.is_counted for part in result.measured} == {bool(counted)}


def test_samples_of_all_workers_count_and_no_expectation_does(tmp_path):
    """Each worker has its own number for the same labels; what held of them no file says."""
    labels = Labels("GET /a", "GET", "main", "hold", "U", "T", status=200, expectations=2)
    for name in ("samples.bin", "samples-1.bin"):
        book = SeriesBook(0)
        series = book.series(labels)
        writer = SampleWriter(tmp_path / name, started_unix_ns=0)
        took_ns = 5 * NS_PER_MS
        writer.append(pack_row(series.index, 0, took_ns, took_ns, 1, 0, 100, 0))
        writer.flush(book.opened)
        writer.close()

    result = recover(make_result(rows=(), points=()), SampleReader(tmp_path / "samples.bin"))

    assert result.totals.total_requests == 2
    assert [one.expectations for one in result.series] == [0]


def test_streams_have_their_first_event_and_their_number(tmp_path):
    """As far as somebody asked for them; single gaps are in no file of an older version."""
    labels = Labels("GET /a", "GET", "main", "hold", "U", "T", status=200, protocol="http")
    book = SeriesBook(0)
    series = book.series(labels)
    writer = SampleWriter(tmp_path / "samples.bin", started_unix_ns=0)
    writer.expect_streams()
    for start_ns, facts in ((0, (70, 3, 9)), (1, (0, 0, 0))):
        writer.append(
            pack_row(series.index, start_ns, 100, 100, 1, 0, 100, 0)
            + pack_stream(series.index, start_ns, 100, facts)
        )
    writer.flush(book.opened)
    writer.close()
    asked = tuple(RecordedMeasure(one.word, "", ("http",)) for one in STREAMED)

    result = recover(
        make_result(rows=(), points=(), measures=asked), SampleReader(tmp_path / "samples.bin")
    )

    [found] = [one.measures for one in read_series(result.series).values()]
    assert found == {"first_event": Histogram([70]), "events": Histogram([3, 0])}
    assert "bytes sent, `gap` and how often" in result.notices[-1]
