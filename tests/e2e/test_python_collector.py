"""Collectors: what a program measures itself becomes an ordinary run."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import planrunner
from tests.support.doc_pages import ROOT
from tests.support.plans import PlanProject


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are written below the current directory."""
    monkeypatch.chdir(tmp_path)


def test_what_is_recorded_is_a_run() -> None:
    """With exact counts and durations, failures and their reasons."""
    with planrunner.Collector("nightly", "r", labels={"build": 3}) as c:
        for n in range(1, 101):
            c.record("query", seconds=n / 1000)
        c.record("load", seconds=2)
        c.error("query", "timeout", reason="no answer")
        c.error("query", "refused", seconds=5)

    result = planrunner.load("r")

    query = result.requests["query"]
    assert (query.count, query.failed, query.failures) == (102, 2, {"refused": 1, "timeout": 1})
    assert (query.min.ms, query.max.s) == (1, 5)
    assert query.p50.ms == pytest.approx(51, rel=0.004)
    assert result.requests["load"].p95.s == 2
    assert [(one.kind, one.count, one.reason) for one in result.failures] == [
        ("refused", 1, "refused"),
        ("timeout", 1, "no answer"),
    ]
    assert (result.plan, result.labels, result.passed) == ("nightly", {"build": "3"}, True)
    assert c.close().raw == result.raw
    assert (Path("r") / "report.html").exists()


def test_a_failure_without_a_time_has_no_part_in_latencies() -> None:
    """Zero would be the best of all."""
    with planrunner.Collector("n", formats=[]) as c:
        c.record("a", 0.5)
        c.error("a", "timeout")

    figures = c.close().requests["a"]

    assert (figures.count, figures.min.s, figures.error_rate) == (2, 0.5, 50)


@pytest.mark.parametrize(
    ("threshold", "passed"),
    [
        ("p95 of query < 1s", True),
        ("p95 of query < 1ms", False),
        ('max of "a query" < 1s', False),
        ("p95 of each request < 1ms", False),
        ("error_rate < 1%", True),
    ],
)
def test_thresholds_are_judged(threshold: str, *, passed: bool) -> None:
    """No data is a failure, as everywhere."""
    with planrunner.Collector("n", formats=[], thresholds=[threshold]) as c:
        c.record("query", 0.2)

    assert c.close().passed is passed


def test_blocks_functions_and_coroutines_are_measured() -> None:
    """Exceptions go on, and are failures."""
    with planrunner.Collector("n", formats=[]) as c:
        with c.measure("block"):
            pass

        @c.measure("function")
        def double(n: int) -> int:
            return 2 * n

        @c.measure("coroutine")
        async def sleep() -> str:
            await asyncio.sleep(0.02)
            return "slept"

        assert double(4) == 8
        assert asyncio.run(sleep()) == "slept"
        with pytest.raises(ZeroDivisionError), c.measure("broken"):
            _ = 1 / 0

    result = c.close()

    assert {name: (one.count, one.failed) for name, one in result.requests.items()} == {
        "block": (1, 0),
        "broken": (1, 1),
        "coroutine": (1, 0),
        "function": (1, 0),
    }
    assert result.requests["coroutine"].min.ms >= 19
    assert result.failures[0].reason == "ZeroDivisionError: division by zero"


class Sleeper:
    async def __call__(self) -> str:
        await asyncio.sleep(0.02)
        return "slept"


def test_a_call_is_measured_until_it_is_through() -> None:
    """Also where it returns what is to be awaited; what works later can't be."""
    with planrunner.Collector("n", formats=[]) as c:
        for call in (Sleeper(), partial(asyncio.sleep, 0.02, "slept")):
            assert asyncio.run(c.measure("later")(call)()) == "slept"
        with pytest.raises(TypeError):
            asyncio.run(c.measure("broken")(partial(asyncio.sleep, "x"))())

        def rows() -> Iterator[int]:
            yield 1

        async def lines() -> AsyncIterator[int]:
            yield 1

        for function in (rows, lines):
            with pytest.raises(planrunner.UsageError, match="is a generator"):
                c.measure("rows")(function)
        for call in (partial(rows), contextmanager(rows)):
            with pytest.raises(planrunner.UsageError, match=r'hint: .* `with c.measure\("rows"\)'):
                c.measure("rows")(call)()

    found = c.close().requests
    assert [(name, one.count, one.failed) for name, one in found.items()] == [
        ("broken", 1, 1),
        ("later", 2, 0),
    ]
    assert found["later"].min.ms >= 19


def test_work_is_recorded_beside_time() -> None:
    """Of each name and unit, and thresholds judge its rate and sum."""
    judged = ["work_rate of load > 1/s", "sum work of load >= 2010.5", "sum work of check == 21"]
    with planrunner.Collector("n", "r", formats=[], thresholds=judged) as c:
        for rows in (1000, 10.5, 1000):
            c.record("load", seconds=0.5, work=rows, unit="rows")
        c.record("plain", 0.5)

        @c.measure("check", work=7)
        def check() -> None: ...

        for _ in range(3):
            check()

    result = planrunner.load("r")
    assert result.passed, result.explain()
    assert (result.requests["load"].count, result.requests["load"].p50.s) == (3, 0.5)
    units = {one.labels.request: one.labels.work_unit for one in result.series}
    assert units == {"load": "rows", "plain": "", "check": ""}


def test_what_was_recorded_so_far_can_be_looked_at() -> None:
    """While more is recorded, and afterwards."""
    with planrunner.Collector("n", formats=[]) as c:
        c.record("a", 0.5)
        first = c.total
        c.error("a", "timeout")
        second, open_for = c.total, c.duration

    assert (first.count, second.count, second.failed) == (1, 2, 1)
    assert c.total.count == 2
    assert open_for <= c.duration == c.close().duration


@pytest.mark.slow
def test_a_million_records_take_the_memory_of_a_tenth_of_a_second() -> None:
    """Two millions take no more than that."""
    with planrunner.Collector("n", formats=[]) as c:
        tracemalloc.start()
        for _ in range(2_000_000):
            c.record("query", 0.001)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert c.close().total.count == 2_000_000
    assert peak < 60_000_000  # both millions would be over 66 MB


@pytest.mark.slow
def test_threads_lose_nothing_and_memory_stays_flat() -> None:
    """However much is recorded."""
    with planrunner.Collector("n", formats=[]) as c:
        tracemalloc.start()

        def work() -> None:
            for _ in range(100_000):
                c.record("query", 0.001)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert c.close().requests["query"].count == 400_000
    assert peak < 20_000_000


@pytest.mark.slow
def test_more_names_than_figures_share_one() -> None:
    """And the run says so."""
    with planrunner.Collector("n", formats=[]) as c:
        for n in range(600):
            c.record(f"query {n}", 0.001)

    result = c.close()

    assert result.total.count == 600
    assert result.requests["__overflow__"].count == 100
    assert "more than 500 names" in result.notices[0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda c: c.record("a", -1), "seconds: `-1` is not a duration"),
        (lambda c: c.record("a", float("nan")), "seconds: `nan` is not a duration"),
        (lambda c: c.record("a", 1, work=-1), "work: `-1` is not an amount"),
        (lambda c: c.record("a", 1, work=float("nan")), "work: `nan` is not an amount"),
        (lambda c: c.error("a", ""), "kind: `` says nothing"),
        (lambda c: c.error("a", 3), "kind: `3` says nothing"),
        (lambda c: c.error("", "timeout"), "name: `` says nothing"),
        (lambda c: c.record(3, 1), "name: `3` says nothing"),
        (lambda c: c.record(3, 1, work=2), "name: `3` says nothing"),
        (lambda c: c.record("a", 1, work=2, unit=3), "unit: `3` says nothing"),
        (lambda c: c.error("a", "aborted"), "kind: `aborted` is not a kind"),
    ],
)
def test_what_cannot_be_recorded_is_refused(call: Any, words: str) -> None:
    """At once, where it is."""
    with planrunner.Collector("n", formats=[]) as c, pytest.raises(planrunner.UsageError) as failed:
        call(c)

    assert words in str(failed.value)


def test_nothing_recorded_is_lost_for_its_type() -> None:
    """What would stop the reports at the end is understood, or refused when it is given."""
    with pytest.raises(planrunner.UsageError, match="name: `3` says nothing"):
        planrunner.Collector(3)  # type: ignore[arg-type]
    labels: dict[Any, object] = {"build": 3, 4: None}

    with planrunner.Collector("n", labels=labels, thresholds="error_rate == 0") as c:
        c.error("a", "timeout", reason=ValueError("late"))  # type: ignore[arg-type]

    result = c.close()
    assert [one.reason for one in result.failures] == ["late"]
    assert result.labels == {"build": "3", "4": "None"}
    assert [one.threshold for one in result.thresholds] == ["error_rate == 0"]


def test_a_closed_collector_records_nothing() -> None:
    """And says so."""
    with planrunner.Collector("n", formats=[]) as c:
        c.record("a", 1)

    with pytest.raises(planrunner.UsageError, match="closed"):
        c.record("a", 1)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"formats": "results.csv"}, "made of raw samples"),
        ({"formats": "report.htm"}, "no report format"),
        ({"thresholds": ["p95 <"]}, r"thresholds\[0\]: "),
    ],
)
def test_what_a_collector_cannot_write_is_refused(keywords: dict[str, Any], words: str) -> None:
    """Before anything is recorded."""
    with pytest.raises(planrunner.UsageError, match=words):
        planrunner.Collector("n", **keywords)

    assert not Path("reports").exists()


def test_never_writes_over_an_earlier_run() -> None:
    """As no run does."""
    planrunner.Collector("n", "r", formats=[]).close()

    with pytest.raises(planrunner.CannotRun, match="not empty"):
        planrunner.Collector("n", "r")


@pytest.mark.slow
def test_a_program_that_just_ends_keeps_its_run() -> None:
    """As it may be stopped by an exception."""
    code = "import planrunner; planrunner.Collector('n', 'r', formats=[]).record('a', 1); 1 / 0"

    subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )

    assert planrunner.load("r").requests["a"].count == 1


def test_the_commands_take_it_as_any_run(project: PlanProject) -> None:
    """`report`, `compare`, `baseline` and `history`."""
    for name in ("first", "second"):
        with planrunner.Collector("nightly", f"reports/nightly/{name}", formats=[]) as c:
            c.record("query", 0.1)

    assert project.run("report", "reports/nightly/first").code == 0
    assert project.run("compare", "reports/nightly/first", "reports/nightly/second").code == 0
    assert project.run("baseline", "promote", "reports/nightly/first").code == 0
    assert project.run("history", "reports/nightly").out.count(" pass ") == 2


def test_a_promoted_baseline_is_what_thresholds_mean(project: PlanProject) -> None:
    """Of the collector's name, as for a plan."""
    with planrunner.Collector("nightly", "reports/nightly/first", formats=[]) as c:
        c.record("query", 0.1)
    assert project.run("baseline", "promote", "reports/nightly/first").code == 0

    with planrunner.Collector("nightly", formats=[], thresholds=["med < 110% of baseline"]) as c:
        c.record("query", 0.2)

    result = c.close()
    assert not result.passed
    assert result.thresholds[0].limit.startswith("110 ms")
