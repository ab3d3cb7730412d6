from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.metrics.book import SeriesBook
from planrunner.metrics.series import Labels
from planrunner.report.formats.samples.results_csv import CSV_COLUMNS, write_cell, write_csv
from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.files.samples import SampleWriter, pack_row

STARTED = 1_700_000_000_000_001_000  # 2023-11-14T22:13:20.000001Z


def export(tmp_path, samples):
    """Write (labels, message, numbers) triples as samples, and return the CSV text."""
    book = SeriesBook()
    writer = SampleWriter(tmp_path / "samples.bin", started_unix_ns=STARTED)
    for labels, message, numbers in samples:
        series = book.series(labels)
        writer.append(pack_row(series.index, *numbers, writer.message(message)))
    writer.flush(book.opened)
    writer.close()
    out = io.BytesIO()
    measured = sum(labels.measured for labels, *_ in samples)
    assert write_csv(SampleReader(tmp_path / "samples.bin"), out) == measured
    return out.getvalue().decode()


def test_a_row_has_the_documented_columns(tmp_path):
    """Every column of the plan language's §5, in its order, in its units."""
    labels = Labels(
        "GET /kv/${key}",
        "GET",
        "main",
        "hold",
        "Visitor",
        "read",
        tags=(("area", "kv"), ("hot", "")),
        status=200,
        warmup=True,
        protocol="http",
    )

    text = export(
        tmp_path, [(labels, "", (61_000_000_499, 3_000_500, 2_000_000, 1_500_000, 500_000, 51))]
    )

    assert text == (
        "timestamp,endpoint,method,status_code,response_time,success,error_message,response_size,"
        "phase,stage,user,task,tags,warmup,service_time,ttfb,connect,kind,"
        "protocol,worker,first_event,events,work,after\n"
        "2023-11-14T22:14:21.000001Z,GET /kv/${key},GET,200,0.003001,true,,51,"
        "main,hold,Visitor,read,area=kv;hot,true,0.002000,0.001500,0.000500,,"
        "http/1.1,1,,,,false\n"
    )


def test_a_failure_says_its_kind_and_words(tmp_path):
    """A request without a reply has status 0, no first byte, its kind and its message."""
    labels = Labels("GET /", "GET", "main", "hold", "V", "t", failure="connect")

    text = export(tmp_path, [(labels, "refused, twice", (0, 5_000, 5_000, 0, 5_000, 0))])

    [line] = csv.DictReader(io.StringIO(text))
    assert (line["success"], line["kind"], line["error_message"]) == (
        "false",
        "connect",
        "refused, twice",
    )
    assert (line["status_code"], line["ttfb"], line["response_time"]) == ("0", "", "0.000005")


def test_what_the_plan_does_not_measure_is_no_row(tmp_path):
    """Rows without warm-up and aborted requests are exactly what the totals count."""
    login = Labels("POST /login", "POST", "main", "hold", "V", "", status=200, measured=False)
    labels = Labels("GET /", "GET", "main", "hold", "V", "t", status=200)

    text = export(tmp_path, [(one, "", (0, 1, 1, 1, 0, 0)) for one in (login, labels, login)])

    assert [line["endpoint"] for line in csv.DictReader(io.StringIO(text))] == ["GET /"]


def test_timestamps_follow_the_samples_through_seconds(tmp_path):
    """Each row has its own second, forwards and backwards, to the microsecond."""
    labels = Labels("GET /", "GET", "main", "hold", "V", "t")
    starts = [0, 999_998_999, 999_999_000, 86_400_000_000_000, 5]

    text = export(tmp_path, [(labels, "", (start, 1, 1, 1, 0, 0)) for start in starts])

    assert [line.split(",")[0] for line in text.splitlines()[1:]] == [
        "2023-11-14T22:13:20.000001Z",
        "2023-11-14T22:13:20.999999Z",
        "2023-11-14T22:13:21.000000Z",
        "2023-11-15T22:13:20.000001Z",
        "2023-11-14T22:13:20.000001Z",
    ]


nasty = st.text(st.sampled_from("ab ,\"'\r\n\t=+-@%;{}"), max_size=8)


@given(nasty)
def test_any_text_comes_back_through_a_csv_reader(text):
    """Commas, quotes, line breaks and percent signs stay in their cell, formulas excepted."""
    [[cell, end]] = csv.reader(io.StringIO(write_cell(text) + ",end\n", newline=""))

    assert cell in (text, "'" + text)
    assert end == "end"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula_to_a_spreadsheet(start):
    """Text from a reply can't run in the reader's spreadsheet."""
    assert write_cell(start + "cmd|' /C calc'!A0").lstrip('"').startswith("'" + start)


def test_nasty_names_reach_every_text_column(tmp_path):
    """Names with commas, quotes, percents and formulas keep the columns apart."""
    nasty_name = '=1,"%s%d"\n'
    labels = Labels(*[nasty_name] * 6, tags=((nasty_name, nasty_name),), failure="expect")

    text = export(tmp_path, [(labels, nasty_name, (0, 1, 1, 1, 0, 7))])

    [line] = csv.DictReader(io.StringIO(text, newline=""))
    for column in ("endpoint", "method", "phase", "stage", "user", "task", "error_message"):
        assert line[column] == "'" + nasty_name
    assert line["tags"] == f"'{nasty_name}={nasty_name}"
    assert line["response_size"] == "7"


def test_many_rows_are_all_written(tmp_path):
    """Writing in blocks loses no line."""
    labels = Labels("GET /", "GET", "main", "hold", "V", "t")

    text = export(tmp_path, [(labels, "", (0, 1, 1, 1, 0, i)) for i in range(4_001)])

    assert [line.split(",")[7] for line in text.splitlines()[1:]] == [str(i) for i in range(4_001)]


def test_the_columns_have_distinct_names():
    """A reader by name finds each column."""
    assert len(set(CSV_COLUMNS)) == len(CSV_COLUMNS) == 24
