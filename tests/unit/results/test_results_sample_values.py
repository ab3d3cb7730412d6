"""Values of the plan's own in raw samples: written after their samples, read with them."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.metrics.arrivals import PooledValues
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.recorded_values import MOST
from planrunner.report.formats.samples.results_csv import write_csv
from planrunner.report.formats.samples.results_parquet import write_results_parquet
from planrunner.results.aggregate import make_totals
from planrunner.results.files.recover import recover
from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.files.sample_values import (
    joined_values,
    measure_rows,
    stream_row,
    value_rows,
    value_text,
)
from planrunner.results.files.samples import ROW, SampleWriter, parse_keep
from planrunner.results.record import read_series
from tests.support.graphs import Answer, closed, make_graph, request, run_graph, task, user_class
from tests.support.results import make_result
from tests.unit.engine.test_engine_records import record, taking

values = st.tuples(st.integers(-MOST * 1_000_000, MOST * 1_000_000), st.booleans())
streams = st.just(()) | st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**32))
samples = st.lists(
    st.tuples(st.integers(0, 3), st.lists(values, max_size=8), streams), min_size=1, max_size=8
)


@given(samples)
def test_each_sample_has_its_own_values(
    written: list[tuple[int, list[tuple[int, bool]], tuple[int, int]]],
) -> None:
    """However many there are of each; the fields fit into a row."""
    rows: list[tuple[int, ...]] = []
    for n, (series, kept, stream) in enumerate(written):
        rows.append((series, n, 10, 10, 0, 0, 0, 0))
        if stream:
            rows.append(ROW.unpack(ROW.pack(*stream_row(series, n, 10, *stream, 7))))
        rows += [ROW.unpack(ROW.pack(*row)) for row in value_rows(series, n, 10, kept)]

    found = [(row[0], list(read), stream) for row, read, stream, _ in joined_values(rows)]

    assert found == written


NAMES = {0: "cpu", 3: "gap", 4: "size"}
measured = st.dictionaries(
    st.sampled_from(sorted(NAMES)), st.lists(st.integers(0, 10**12), max_size=40), max_size=3
)


def pooled(numbers: Iterable[int], counted: int) -> PooledValues:
    values = PooledValues()
    values += list(numbers)[counted:]
    values.counted.record_many(list(numbers)[:counted])
    return values


@given(measured, st.integers(0, 3), st.sets(st.integers(0, 40)))
def test_what_a_sample_has_of_measures_is_what_it_had(
    written: dict[int, list[int]], counted: int, lost: set[int]
) -> None:
    """Few values one by one, many or pooled ones as a histogram; lost rows make no wrong values."""
    given = [(number, pooled(values, counted)) for number, values in written.items()]
    rows = [ROW.unpack(ROW.pack(*row)) for row in measure_rows(1, 5, 9, given)]

    def read(kept: list[tuple[int, ...]]) -> dict[str, Histogram]:
        [(*_, found)] = joined_values([(1, 5, 9, 9, 0, 0, 0, 0), *kept], NAMES)
        gathered: dict[str, Histogram] = {}
        for word, value in found:
            whole = value if isinstance(value, Histogram) else Histogram([value])
            gathered.setdefault(word, Histogram()).merge(whole)
        return gathered

    expected = {NAMES[number]: Histogram(values) for number, values in written.items() if values}
    assert read(rows) == expected
    for word, found in read([row for n, row in enumerate(rows) if n not in lost]).items():
        assert found.count <= 3 or found == expected[word]


def test_values_without_their_sample_are_nobodys() -> None:
    """A damaged block may have taken the sample with it."""
    lost = list(value_rows(1, 5, 10, [(7, False)]))
    sample = (1, 6, 10, 10, 0, 0, 0, 0)

    assert list(joined_values([*lost, sample, *lost])) == [(sample, (), (), ())]


@pytest.mark.parametrize(
    ("value", "is_boolean", "text"),
    [(12_000_000, False, "12"), (-250_000, False, "-0.25"), (333_333, False, "0.333333"),
     (0, False, "0"), (100_000_000, False, "100"), (1_000_000, True, "true"), (0, True, "false")],
)  # fmt: skip
def test_a_value_is_written_as_it_was(value: int, is_boolean: bool, text: str) -> None:  # noqa: FBT001 - a parameter of a test
    """As a plan and JSON write it."""
    assert value_text(value, is_boolean=is_boolean) == text


def run_into(path: Path, keep: str = "all"):
    answers = taking(
        Answer(), Answer(status=500), n=[1.5, 2, -3, 4, 5], hit=[True, False, True, 0, 1]
    )
    step = request(
        records=(record("work", "7"), record("metric.n", "n"), record("metric.hit", "hit == 1"),
                 record("metric.zero", "0"), record("metric.last", "n")),
        operation=answers,
    )  # fmt: skip
    graph = make_graph(user_class(task("get", step, request("other"))), closed(1, 0.1))
    with_samples = SampleWriter(path, started_unix_ns=0, keep=parse_keep(keep))
    outcome = run_graph(graph, samples=with_samples).outcome
    with_samples.close()
    return outcome


def test_a_killed_run_has_them_too(tmp_path: Path) -> None:
    """Sum, last value, booleans: the raw samples hold what it takes."""
    outcome = run_into(tmp_path / "samples.bin")

    result = recover(make_result(rows=(), series=()), SampleReader(tmp_path / "samples.bin"))

    read = {labels: delta.measures for labels, delta in read_series(result.series).items()}
    taken = {
        labels: total.measures
        for labels, total in outcome.total.totals.items()
        if labels.kind == "request"
    }
    assert {labels: set(found) for labels, found in read.items()} == {
        labels: set(found) for labels, found in taken.items()
    }
    for labels, found in read.items():
        for word, kept in found.items():
            expected = taken[labels][word]
            assert (kept.total, kept.last, kept.min) == (
                expected.total, expected.last, expected.min
            )  # fmt: skip
            assert kept.booleans == expected.booleans  # type: ignore[attr-defined]  # recorded
    assert result.totals.total_requests == make_totals(outcome.total, ()).total_requests


def test_a_damaged_line_loses_no_values(tmp_path: Path) -> None:
    """Rows of values are no samples without a message."""
    run_into(tmp_path / "samples.bin")
    lines = tmp_path / "samples.jsonl"
    lines.write_bytes(lines.read_bytes().replace(b'{"end"', b'{"and"'))

    loss = SampleReader(tmp_path / "samples.bin").loss(is_over=True)

    assert loss
    assert loss.rows == 0


def test_rows_that_are_lost_may_be_values(tmp_path: Path) -> None:
    """What a lost block held nobody knows, so its rows are not called samples."""
    run_into(tmp_path / "samples.bin")
    (tmp_path / "samples.bin").write_bytes(b"")

    loss = SampleReader(tmp_path / "samples.bin").loss(is_over=True)

    assert f"of {loss.total} rows of samples and their values are lost" in str(loss)


def test_what_a_lost_worker_had_not_reported_is_counted_in_samples(tmp_path: Path) -> None:
    """Values are parts of them."""
    run_into(tmp_path / "samples.bin")
    path = tmp_path / "samples.bin"

    assert SampleReader(path, most=0).left_out() == sum(1 for _ in SampleReader(path))


@pytest.mark.parametrize("keep", ["all", "failures"])
def test_results_csv_has_a_column_for_each(tmp_path: Path, keep: str) -> None:
    """Work stands among the columns of every plan, metrics behind them; failures have none."""
    run_into(tmp_path / "samples.bin", keep)
    out = BytesIO()

    write_csv(SampleReader(tmp_path / "samples.bin"), out)

    header, *lines = (line.split(",") for line in out.getvalue().decode().splitlines())
    assert header[-6:] == ["work", "after", "metric.hit", "metric.last", "metric.n", "metric.zero"]
    of_request = [line[-6:] for line in lines if line[1] == "GET /"]
    success = ["7", "false", "true", "1.5", "1.5", "0"]
    failure = ["", "false", "", "", "", ""]
    assert of_request[:2] == ([success, failure] if keep == "all" else [failure, failure])
    assert {tuple(line[-6:]) for line in lines if line[1] == "other"} <= {("", "false", *[""] * 4)}


def test_results_parquet_has_the_same_columns(tmp_path: Path) -> None:
    """As numbers; true is 1, and what a sample lacks is null."""
    parquet = pytest.importorskip("pyarrow.parquet")
    run_into(tmp_path / "samples.bin")
    with (tmp_path / "results.parquet").open("wb") as out:
        write_results_parquet(make_result(), SampleReader(tmp_path / "samples.bin"), out)

    table = parquet.read_table(tmp_path / "results.parquet")

    first, second, third = table.slice(0, 3).to_pylist()
    assert table.column_names[-6:] == [
        *("work", "after"),
        *("metric.hit", "metric.last", "metric.n", "metric.zero"),
    ]
    assert (first["work"], first["metric.n"], first["metric.hit"]) == (7.0, 1.5, 1.0)
    assert (second["work"], third["metric.n"]) == (None, None)
