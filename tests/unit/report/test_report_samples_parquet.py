"""results.parquet: the same rows as results.csv, in columns with types."""

from __future__ import annotations

import csv
import io
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from planrunner.metrics.book import SeriesBook
from planrunner.metrics.series import Labels
from planrunner.report.formats.samples import results_parquet, row_columns
from planrunner.report.formats.samples.results_csv import CSV_COLUMNS, write_csv
from planrunner.report.formats.samples.results_parquet import write_results_parquet
from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.files.samples import SampleWriter, pack_row

parquet = pytest.importorskip("pyarrow.parquet")

STARTED = 1_700_000_000_000_001_000  # 2023-11-14T22:13:20.000001Z
RESULT: Any = None
"""No figure of the result is in the file."""

READ = Labels(
    "GET /kv/${key}", "GET", "main", "hold", "Visitor", "read",
    tags=(("area", "kv"), ("hot", "")), status=200, warmup=True, protocol="http",
)  # fmt: skip
REFUSED = Labels("=1+1", "GET", "main", "hold", "V", "t", failure="connect", after=True)
LOGIN = Labels("POST /login", "POST", "main", "hold", "V", "", status=200, measured=False)


def written(folder: Path, samples: list[tuple[Labels, str, tuple[int, ...]]]) -> SampleReader:
    book = SeriesBook()
    writer = SampleWriter(folder / "samples.bin", started_unix_ns=STARTED)
    for labels, message, numbers in samples:
        series = book.series(labels)
        writer.append(pack_row(series.index, *numbers, writer.message(message)))  # type: ignore[call-arg]
    writer.flush(book.opened)
    writer.close()
    return SampleReader(folder / "samples.bin")


def table_of(reader: SampleReader) -> Any:
    out = io.BytesIO()
    write_results_parquet(RESULT, reader, out)
    return parquet.ParquetFile(io.BytesIO(out.getvalue()))


SAMPLES = [
    (READ, "", (61_000_000_499, 3_000_500, 2_000_000, 1_500_000, 500_000, 51)),
    (LOGIN, "", (0, 1, 1, 1, 0, 0)),
    (REFUSED, "refused, twice \udc80", (2_000_000, 5_000, 5_000, 0, 5_000, 0)),
    (READ, "", (62_000_000_000, 1_000_000, 1_000_000, 1_000_000, 0, 7)),
]


def test_rows_have_the_columns_of_the_csv_file_with_types(tmp_path: Path) -> None:
    """Times are seconds, a moment is a moment, and what has no value is null."""
    table = table_of(written(tmp_path, SAMPLES)).read()

    assert tuple(table.column_names) == CSV_COLUMNS
    assert {name: str(table.schema.field(name).type) for name in CSV_COLUMNS} == {
        **dict.fromkeys(CSV_COLUMNS, "string"),
        "timestamp": "timestamp[us, tz=UTC]",
        **dict.fromkeys(
            ("response_time", "service_time", "ttfb", "connect", "work", "first_event"), "double"
        ),
        **dict.fromkeys(("success", "warmup", "after"), "bool"),
        **dict.fromkeys(("response_size", "worker", "events"), "int64"),
    }
    lacking = {field.name for field in table.schema if field.nullable}
    assert lacking == {"ttfb", "first_event", "events", "work"}
    first, refused, last = table.to_pylist()
    assert first == {
        "timestamp": datetime(2023, 11, 14, 22, 14, 21, 1, UTC),
        "endpoint": "GET /kv/${key}",
        "method": "GET",
        "status_code": "200",
        "response_time": 0.0030005,
        "success": True,
        "error_message": "",
        "response_size": 51,
        "phase": "main",
        "stage": "hold",
        "user": "Visitor",
        "task": "read",
        "tags": "area=kv;hot",
        "warmup": True,
        "service_time": 0.002,
        "ttfb": 0.0015,
        "connect": 0.0005,
        "kind": "",
        "protocol": "http/1.1",
        "worker": 1,
        "first_event": None,
        "events": None,
        "work": None,
        "after": False,
    }
    assert (refused["endpoint"], refused["kind"], refused["ttfb"]) == ("=1+1", "connect", None)
    assert refused["error_message"] == "refused, twice ?"
    assert (last["response_size"], last["connect"]) == (7, 0)


def test_rows_are_those_of_the_csv_file(tmp_path: Path) -> None:
    """In the same order, whatever they are, over several row groups."""
    reader = written(tmp_path, SAMPLES * 50)
    text = io.BytesIO()
    write_csv(reader, text)

    rows = table_of(reader).read().to_pylist()

    lines = list(csv.DictReader(text.getvalue().decode().splitlines()))
    assert len(rows) == len(lines) == 150
    for row, line in zip(rows, lines, strict=True):
        assert f"{row['timestamp']:%Y-%m-%dT%H:%M:%S.%fZ}" == line["timestamp"]
        assert f"{row['response_time']:.6f}" == line["response_time"]
        assert [row["endpoint"], row["kind"], row["tags"]] == [
            line["endpoint"].removeprefix("'"),
            line["kind"],
            line["tags"],
        ]


def test_rows_are_written_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that memory holds one of them, however many samples there are."""
    monkeypatch.setattr(results_parquet, "_GROUP", 40)

    file = table_of(written(tmp_path, [SAMPLES[0]] * 100))

    groups = [file.metadata.row_group(n).num_rows for n in range(file.metadata.num_row_groups)]
    assert groups == [40, 40, 20]


def test_no_samples_are_a_file_without_rows(tmp_path: Path) -> None:
    """Which any reader can open."""
    table = table_of(written(tmp_path, [SAMPLES[1]])).read()

    assert (table.num_rows, tuple(table.column_names)) == (0, CSV_COLUMNS)


def test_memory_does_not_grow_with_the_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of five times as many, it holds no more than a few row groups either."""
    monkeypatch.setattr(row_columns, "_GROUP", 500)
    peaks = []
    for times in (1, 5):
        folder = tmp_path / str(times)
        folder.mkdir()
        reader = written(folder, [SAMPLES[0]] * 2_000 * times)
        with (folder / "results.parquet").open("wb") as out:
            tracemalloc.start()
            write_results_parquet(RESULT, reader, out)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()

    assert peaks[1] < 1.2 * peaks[0]


def test_what_another_tool_does_not_tell_is_null(tmp_path: Path) -> None:
    """Beside samples of which it is known."""
    unknown = ("connects", "received", "sent", "service_time")
    foreign = Labels("GET /", "GET", "main", "hold", "", "", unknown=unknown)
    samples = [*SAMPLES, (foreign, "", (1, 7_000_000, 7_000_000, 0, 0, 0))]

    rows = table_of(written(tmp_path, samples)).read().to_pylist()

    told = [(row["response_size"], row["service_time"], row["connect"]) for row in rows]
    assert told[-1] == (None, None, None)
    assert told[0] == (51, 0.002, 0.0005)
    assert rows[-1]["response_time"] == 0.007
