"""Several workers in reports: how each did, and which kept up worst."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planrunner.engine.workers.worker_state import WorkerStanding
from planrunner.report.workers import crew_table, crew_words, standings_words
from planrunner.results.record.hosts import HostFigures, WorkerFigures
from planrunner.units import NS_PER_MS, NS_PER_S

WORKER = WorkerFigures(
    number=1,
    name="worker 1 of 3 (process 11)",
    first_arrival_ns=200_000,
    most_users=3,
    requests=1000,
    requests_per_second=100.0,
    arrivals=0,
    dropped=0,
    lateness_p99_ns=0,
    loop_lag_ns=2 * NS_PER_MS,
    cpu_share=0.25,
    peak_cpu_share=0.5,
    open_files=20,
    received_bytes=5000,
    sent_bytes=400,
)
LOST = replace(WORKER, number=2, lost="was killed", lost_ns=3 * NS_PER_S, tolerated=True)
BUSY = replace(WORKER, number=3, cpu_share=0.9)


def host(name: str, *workers: WorkerFigures, clock_error_ns: int = 0) -> HostFigures:
    return HostFigures(
        name=name,
        clock_offset_ns=0,
        clock_error_ns=clock_error_ns,
        first_arrival_ns=200_000,
        most_users=sum(one.most_users for one in workers),
        requests=sum(one.requests for one in workers),
        requests_per_second=100.0 * len(workers),
        arrivals=0,
        dropped=0,
        lateness_p99_ns=0,
        loop_lag_ns=2 * NS_PER_MS,
        cpu_share=sum(one.cpu_share for one in workers),
        open_files=20,
        received_bytes=5000,
        sent_bytes=400,
        workers=workers,
    )


HOSTS = (host("a", WORKER, BUSY), host("b", LOST, clock_error_ns=300_000))


def test_each_worker_has_a_line_below_its_host() -> None:
    """What nobody has takes no column."""
    table = crew_table(HOSTS)

    assert table is not None
    assert [row.name for row in table.rows] == ["a", "worker 1", "worker 3", "b", "worker 2"]
    assert table.rows[4].lost == "lost after 3.0 s: was killed"
    assert "Arrivals" not in table.columns
    cpu = table.columns.index("CPU")
    assert [row.cells[cpu] for row in table.rows] == ["115%", "25%", "90%", "25%", "25%"]
    off = table.columns.index("Clock off by at most")
    assert [row.cells[off] for row in table.rows] == ["", "", "", "300 us", ""]


def test_one_host_has_no_line_of_its_own() -> None:
    """Nor has a run of one worker a table."""
    table = crew_table([host("a", WORKER, BUSY)])

    assert table is not None
    assert [row.name for row in table.rows] == ["worker 1", "worker 3"]
    assert crew_table([]) is None
    assert crew_words([]) == ""


@pytest.mark.parametrize(
    ("worse", "number"),
    [
        ({}, 3),
        ({"lateness_p99_ns": 7 * NS_PER_MS}, 1),
        ({"loop_lag_ns": 49 * NS_PER_MS}, 3),
        ({"loop_lag_ns": 51 * NS_PER_MS}, 1),
    ],
    ids=["busiest", "late arrivals", "a hiccup", "late timers"],
)
def test_the_slowest_is_named(worse: dict[str, int], number: int) -> None:
    """The latest, else the busiest."""
    words = crew_words([host("a", replace(WORKER, **worse), BUSY), host("b", LOST)])  # type: ignore[arg-type]  # ints

    assert words.startswith(f"3 workers on a, b, 1 of them lost; worker {number} on a was the slow")


def test_a_live_view_says_who_is_silent_and_who_is_lost() -> None:
    """The slowest of those that are left has its host where there are several."""
    standings = [
        WorkerStanding("1", 3, 0.2, host="a", number=1),
        WorkerStanding("2", 0, 0.0, "was killed", host="a", number=2),
        WorkerStanding("3", 3, 0.4, host="b", number=3, is_silent=True),
    ]

    assert standings_words(standings) == (
        "2 workers · worker 2 is lost · worker 3 is silent · "
        "slowest: worker 3 on b, 40% of a processor, timers up to 0 ns late",
        True,
    )
    assert standings_words(standings[:1]) == ("1 worker", False)
    assert standings_words([]) == ("", False)
