"""results.jtl."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from planrunner.metrics.book import SeriesBook
from planrunner.metrics.series import Labels
from planrunner.report.formats.samples.results_jtl import write_jtl, write_results_jtl
from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.files.samples import SampleWriter, pack_row
from planrunner.results.model import Point
from planrunner.units import NS_PER_MS
from tests.support.results import make_result

COLUMNS = (
    "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,"
    "failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect"
)


@pytest.fixture
def reader(tmp_path):
    """A success, a failure with an evil name, one in the warm-up and one cut."""
    book = SeriesBook(0)
    writer = SampleWriter(tmp_path / "samples.bin", started_unix_ns=1_700_000_000_123_456_789)
    for number, changes in enumerate(
        (
            {"status": 200},
            {"request": '=cmd|"/c"!A1,\n50%', "failure": "timeout"},
            {"warmup": True},
            {"failure": "aborted"},
        )
    ):
        labels = Labels(
            **{"request": "GET /a", "method": "GET", "phase": "main", "stage": "hold"}
            | {"user": "U", "task": "T"}
            | changes
        )
        words = writer.message("no reply, in 1 s" if labels.failure else "")
        times = (number * 1_000 * NS_PER_MS, 25 * NS_PER_MS, 24 * NS_PER_MS, 7 * NS_PER_MS)
        writer.append(pack_row(book.series(labels).index, *times, 3 * NS_PER_MS, 512, words))
    writer.flush(book.opened)
    writer.close()
    return SampleReader(tmp_path / "samples.bin")


def test_it_is_what_jmeter_writes(reader):
    """Its columns, milliseconds, and only samples that are results."""
    out = io.StringIO()

    written = write_jtl(reader, out, users_at={0: 5, 1: 9}.get)

    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert out.getvalue().splitlines()[0] == COLUMNS
    assert written == len(rows) == 2
    assert rows[0] == {
        "timeStamp": "1700000000123",
        "elapsed": "25",
        "label": "GET /a",
        "responseCode": "200",
        "responseMessage": "OK",
        "threadName": "main U 1-1",
        "dataType": "text",
        "success": "true",
        "failureMessage": "",
        "bytes": "512",
        "sentBytes": "0",
        "grpThreads": "5",
        "allThreads": "5",
        "URL": "null",
        "Latency": "7",
        "IdleTime": "0",
        "Connect": "3",
    }
    assert rows[1]["label"] == '\'=cmd|"/c"!A1,\n50%'
    assert (rows[1]["responseCode"], rows[1]["success"]) == ("timeout", "false")
    assert (rows[1]["failureMessage"], rows[1]["allThreads"]) == ("no reply, in 1 s", "9")


POINT = Point(
    second=1,
    phase="main",
    warmup=False,
    users=1,
    requests=0,
    failed=0,
    p50_ns=0,
    p95_ns=0,
    p99_ns=0,
)


def test_a_point_may_stand_for_any_time(reader):
    """A hand that edits metrics.json makes no table as long as that."""
    points = tuple(
        replace(POINT, second=second, users=users, seconds=seconds)
        for second, users, seconds in ((1, 5, 10**15), (10**15, 9, 10**15 - 1))
    )
    out = io.StringIO()

    write_results_jtl(make_result(points=points), reader, out)

    rows = csv.DictReader(io.StringIO(out.getvalue()))
    assert [row["allThreads"] for row in rows] == ["5", "9"]
