"""Locust's CSV files: what tools that read them find, of a run and of each of its phases."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from planrunner.errors import UsageError
from planrunner.formats import REPORT_FORMATS
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import Accumulated, SeriesDelta, Snapshot
from planrunner.report.formats.writers import produced_files
from planrunner.results.aggregate import make_totals
from planrunner.results.history import RunningTotals
from planrunner.results.model import RunResult
from planrunner.results.record import FailingSample, make_series, make_stretches
from tests.support.results import make_result

S = 10**9
MS = 10**6
Deltas = dict[Labels, SeriesDelta]

# The header lines of the files that `locust --csv` 2.47 writes.
PERCENTILES = "50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%"
HEADERS = {
    "stats": "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,"
    "Min Response Time,Max Response Time,Average Content Size,Requests/s,Failures/s," + PERCENTILES,
    "stats_history": f"Timestamp,User Count,Type,Name,Requests/s,Failures/s,{PERCENTILES},"
    "Total Request Count,Total Failure Count,Total Median Response Time,"
    "Total Average Response Time,Total Min Response Time,Total Max Response Time,"
    "Total Average Content Size",
    "failures": "Method,Name,Error,Occurrences,First Seen,Last Seen",
    "exceptions": "Count,Message,Traceback,Nodes",
}


def labels(request: str, phase: str = "low", **others: object) -> Labels:
    given = {"method": "GET", "stage": "hold", "user": "U", "task": "t", "status": 200} | others
    return Labels(request=request, phase=phase, **given)  # type: ignore[arg-type]  # by name


def delta(*latencies_ms: int, received: int = 0) -> SeriesDelta:
    latency = Histogram([value * MS for value in latencies_ms])
    return SeriesDelta(latency, latency, received)


def result_of(*seconds: Deltas) -> RunResult:
    """Return a run of these seconds, with 3 users; phases lasted while they had requests."""
    total, running = Accumulated(), RunningTotals(0)
    extents: dict[str, list[int]] = {}
    for number, deltas in enumerate(seconds):
        snapshot = Snapshot(number * S, (number + 1) * S, {"U": 3}, deltas)
        total.add(snapshot)
        running.add(snapshot)
        for found in deltas:
            extents.setdefault(found.phase, []).append(number)
    measured = [
        MeasuredTime(phase, "hold", ran[0] * S, (ran[-1] + 1) * S) for phase, ran in extents.items()
    ]
    return replace(
        make_result(),
        totals=make_totals(total, measured),
        measured=make_stretches(measured, started_ns=0),
        series=make_series(total.totals, started_ns=0),
        progress=running.progress(),
    )


def files_of(result: RunResult) -> dict[str, list[dict[str, str]]]:
    """Return the rows of each file by its name, without `locust_` and `.csv`."""
    files = {}
    for name, produce in produced_files(REPORT_FORMATS["locust-csv"], result, Path("none")):
        out = io.StringIO()
        produce(out)
        header = out.getvalue().splitlines()[0]
        assert header == HEADERS[max((t for t in HEADERS if name.endswith(f"_{t}.csv")), key=len)]
        short = name.removeprefix("locust_").removesuffix(".csv")
        files[short] = list(csv.DictReader(io.StringIO(out.getvalue())))
    return files


LOW_AND_HIGH = (
    {
        labels("GET /kv/:key"): delta(10, 20, received=100),
        labels("POST /kv", method="POST"): delta(30),
    },
    {
        labels("GET /kv/:key"): delta(20, received=50),
        labels("GET /kv/:key", status=500, failure="status"): delta(40),
    },
    {
        labels("GET /kv/:key", "high"): delta(100),
        labels("GET /kv/:key", "high", status=500, failure="status"): delta(50, 50),
    },
    {labels("GET /kv/:key", "high"): delta(100)},
)


def test_a_run_with_several_phases_has_the_files_of_each_beside_its_own() -> None:
    """As one run of Locust for each, with another `--csv` prefix."""
    both = files_of(result_of(*LOW_AND_HIGH))
    one = files_of(result_of(*LOW_AND_HIGH[:2]))

    assert list(both) == [*HEADERS, *(f"{p}_{t}" for p in ("low", "high") for t in HEADERS)]
    assert list(one) == list(HEADERS)
    counts = [rows[-1]["Request Count"] for name, rows in both.items() if name.endswith("stats")]
    assert counts == ["9", "5", "4"]
    assert both["low_stats"] == one["stats"]
    assert both["low_failures"] == one["failures"]


def test_names_do_not_repeat_the_verb_and_stand_in_the_order_of_locust() -> None:
    """By name, then by type; the action of another protocol is a verb too."""
    put = labels("etcd.put /perf/:n", method="put", protocol="etcd")
    found = result_of({
        put: delta(1), labels("POST /b", method="POST"): delta(1), labels("GET /b"): delta(1),
        labels("search"): delta(1), labels("GET"): delta(1), labels("GET =1+1"): delta(1),
    })  # fmt: skip

    entries = [(row["Type"], row["Name"]) for row in files_of(found)["stats"]]

    assert entries == [
        ("GET", "/b"), ("POST", "/b"), ("put", "/perf/:n"), ("GET", "'=1+1"), ("GET", "GET"),
        ("GET", "search"), ("", "Aggregated"),
    ]  # fmt: skip


def test_the_aggregated_row_is_made_of_all_samples() -> None:
    """Counts, rates, size and each time, whole milliseconds where Locust has them."""
    result = result_of(*LOW_AND_HIGH[:2])

    *_, row = files_of(result)["stats"]

    assert (row["Request Count"], row["Failure Count"]) == ("5", "1")
    assert float(row["Average Response Time"]) == pytest.approx(24)
    assert [float(row[f"{which} Response Time"]) for which in ("Min", "Max")] == [10, 40]
    assert [int(row[name]) for name in ("Median Response Time", "50%", "80%", "100%")] == [
        20, 20, 30, 40,
    ]  # fmt: skip
    assert float(row["Average Content Size"]) == 30
    assert [float(row["Requests/s"]), float(row["Failures/s"])] == [2.5, 0.5]
    assert float(row["Average Response Time"]) == result.totals.average_response_time * 1000


def test_what_failed_before_it_did_its_work_counts_without_a_latency() -> None:
    """In Locust such a request has a response time of None; the totals agree."""
    broken = labels("GET /cart", status=0, failure="extract")
    result = result_of({labels("GET /"): delta(10, 10), broken: delta(0, 0, 0)})

    files = files_of(replace(result, failing_samples=(reason_of(broken, "`id` is undefined"),)))

    *_, row = files["stats"]
    assert (row["Request Count"], row["Failure Count"], row["50%"]) == ("5", "3", "10")
    assert files["stats"][0]["50%"] == "10"
    assert files["stats"][1] | {"50%": "N/A", "Median Response Time": "0"} == files["stats"][1]
    assert files["exceptions"] == [
        {"Count": "3", "Message": "`id` is undefined", "Traceback": "U, task t: GET /cart",
         "Nodes": "local"}
    ]  # fmt: skip
    assert files["failures"][0]["Occurrences"] == "3"


def test_a_value_that_a_reply_lacks_is_an_exception_with_a_latency() -> None:
    """The reply arrived, so its time counts; other failures end no iteration."""
    lacking = labels("GET /cart", failure="extract")
    late = labels("GET /", failure="timeout", status=0)

    files = files_of(result_of({lacking: delta(30), late: delta(90)}))

    assert [row["Message"] for row in files["exceptions"]] == ["extract"]
    assert [row["50%"] for row in files["stats"]] == ["90", "30", "30"]
    assert [row["Error"] for row in files["failures"]] == ["timeout", "extract 200"]


def reason_of(found: Labels, reason: str) -> FailingSample:
    return FailingSample(
        request=found.request, phase=found.phase, kind=found.failure, reason=reason,
        method=found.method, status=0, second=0.5, latency_ns=0,
    )  # fmt: skip


def test_failures_say_when_they_were_first_and_last_seen() -> None:
    """UTC, to the second; in all phases and in each."""
    files = files_of(result_of(*LOW_AND_HIGH))

    seen = {
        name: [(row["Name"], row["Error"], row["Occurrences"], row["First Seen"], row["Last Seen"])
               for row in rows]
        for name, rows in files.items() if name.endswith("failures")
    }  # fmt: skip
    low, high = "2026-11-21T12:00:02Z", "2026-11-21T12:00:03Z"
    assert seen == {
        "failures": [("/kv/:key", "status 500", "3", low, high)],
        "low_failures": [("/kv/:key", "status 500", "1", low, low)],
        "high_failures": [("/kv/:key", "status 500", "2", high, high)],
    }


def test_the_history_has_rates_of_each_second_and_all_else_since_the_start() -> None:
    """Unix time, users, and in the last line what the row Aggregated says."""
    files = files_of(result_of(*LOW_AND_HIGH))
    rows, high = files["stats_history"], files["high_stats_history"]

    began = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
    assert [int(row["Timestamp"]) - began for row in rows] == [1, 2, 3, 4]
    assert {row["User Count"] for row in rows} == {"3"}
    assert [float(row["Requests/s"]) for row in rows] == [3, 2, 3, 1]
    assert [float(row["Failures/s"]) for row in high] == [2, 0]
    assert [int(row["Total Request Count"]) for row in high] == [3, 4]
    last, total = rows[-1], files["stats"][-1]
    assert [last[f"{p}%"] for p in (50, 95, 100)] == [total[f"{p}%"] for p in (50, 95, 100)]
    assert last["Total Average Response Time"] == total["Average Response Time"]
    assert last["Total Average Content Size"] == total["Average Content Size"]


def test_a_phase_without_a_request_has_no_history() -> None:
    """And not that of all phases."""
    result = result_of(*LOW_AND_HIGH)
    idle = replace(result.measured[0], phase="idle")

    files = files_of(replace(result, measured=(*result.measured, idle)))

    assert files["idle_stats_history"] == []
    assert len(files["stats_history"]) == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"started": "finished"},
        {"started": "0001-01-01T00:00:00+23:00"},
        {"series": "first_second"},
        {"progress": "requests"},
    ],
    ids=str,
)
def test_times_that_cannot_be_are_refused_in_words(changes: dict[str, str]) -> None:
    """A metrics.json may have been edited."""
    result = result_of(*LOW_AND_HIGH)
    series = [replace(one, first_second=1e300, last_second=1e300) for one in result.series]
    progress = [replace(one, requests=(10**400,) * 4) for one in result.progress[:1]]
    broken = {"series": tuple(series), "progress": tuple(progress)}

    with pytest.raises(UsageError, match=r"in metrics\.json (is|are) broken"):
        files_of(replace(result, **{key: broken.get(key, text) for key, text in changes.items()}))  # type: ignore[arg-type]  # by name


def test_a_run_without_a_request_has_the_rows_that_locust_writes() -> None:
    """Zeros, and percentiles that are not there."""
    files = files_of(result_of())

    [row] = files["stats"]
    assert (row["Request Count"], row["50%"], row["Requests/s"]) == ("0", "N/A", "0.0")
    assert [files[name] for name in ("stats_history", "failures", "exceptions")] == [[], [], []]


@pytest.mark.parametrize(
    ("phases", "names"),
    [
        (["low", "high"], ["low", "high"]),
        (["a/b", "A b", "a b"], ["a-b", "A-b-2", "a-b-3"]),
        (["../..", "語" * 90], ["..-..", "語" * 50]),
        (["//", "[x=1,y=2]"], ["phase", "x-1-y-2"]),
    ],
)
def test_phases_are_named_so_that_every_system_can_have_the_files(
    phases: list[str], names: list[str]
) -> None:
    """One file for each, in the run directory."""
    result = result_of(*({labels("GET /", phase): delta(1)} for phase in phases))

    assert [name for name in files_of(result) if name.endswith("_stats")] == [
        f"{name}_stats" for name in names
    ]
