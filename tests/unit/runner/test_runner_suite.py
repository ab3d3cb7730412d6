"""Suites that no command line asked for: what runs, in which order, and with which seed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from planrunner.engine.stop import Stop
from planrunner.errors import CannotRun, UsageError
from planrunner.language.diagnostics import PlanError
from planrunner.outputs.base import Output
from planrunner.results.suites.model import SuiteResult, SuiteRun
from planrunner.results.suites.suite_json import read_suite
from planrunner.runner.request import PreparedRun, RunRequest
from planrunner.runner.suite.api import RunPlace, run_suite
from planrunner.runner.suite.request import SuiteEntry, SuiteRequest, prepare_suite
from tests.support.http_servers import HttpServer, Request, Wire, always, closed_port, reply, serve
from tests.support.plans import loaded, plan_text

COUNTED = "phases: [{users: 2, iterations: 6}]"
BROKEN = f"{COUNTED}\nthresholds: [count < 1]"


class Face:
    """Notes what it is shown, and may do something when a run begins."""

    def __init__(self, at_begin: Callable[[RunPlace], object] = lambda _: None) -> None:
        self.begun: list[RunPlace] = []
        self.seeds: list[int] = []
        self.ended_runs: list[SuiteRun] = []
        self.bugs: list[Exception] = []
        self._at_begin = at_begin

    async def begins(self, run: PreparedRun, place: RunPlace) -> Sequence[Output]:
        self.begun.append(place)
        self.seeds.append(run.graph.seed)
        self._at_begin(place)
        return ()

    def ended(self, run: SuiteRun, entry: SuiteEntry) -> None:
        del entry
        self.ended_runs.append(run)

    def has_bug(self, error: Exception, entry: SuiteEntry) -> None:
        del entry
        self.bugs.append(error)


def plan(name: str, *sections: str, server: HttpServer | None = None) -> RunRequest:
    url = server.url if server else f"http://127.0.0.1:{closed_port()}"
    named = f"name: {name}\nhttp: {{base_url: {url!r}}}"
    return RunRequest(loaded(named, *sections), formats=())  # the reports have tests of their own


def suite_of(
    tmp_path: Path,
    plans: Callable[[HttpServer], Sequence[RunRequest]],
    face: Face | None = None,
    **more: Any,
) -> SuiteResult:
    """Run a suite against a server that answers everything."""

    async def inside() -> SuiteResult:
        async with serve(always(reply(200, b"ok"))) as server:
            request = SuiteRequest(tuple(plans(server)), directory=tmp_path / "suite", **more)
            return await run_suite(prepare_suite(request), face or Face())

    return asyncio.run(inside())


def codes(suite: SuiteResult) -> list[int | None]:
    return [plan.exit_code for plan in suite.plans]


@pytest.mark.slow
def test_plans_run_in_their_order_each_in_its_directory(tmp_path: Path) -> None:
    """The same plan twice, and plans with one name, have directories of their own."""
    suite = suite_of(
        tmp_path,
        lambda server: [
            plan("shop", COUNTED, server=server),
            plan("cart", COUNTED, server=server),
            plan("shop", COUNTED, server=server),
        ],
    )

    assert codes(suite) == [0, 0, 0]
    assert [plan.directory for plan in suite.plans] == ["shop", "cart", "shop-2"]
    for one in suite.plans:
        assert (tmp_path / "suite" / one.directory / "metrics.json").exists()
    assert suite.exit_code == 0
    assert {"suite.json", "junit.xml", "index.html"} <= {
        path.name for path in (tmp_path / "suite").iterdir()
    }


@pytest.mark.slow
def test_the_first_failure_ends_a_suite(tmp_path: Path) -> None:
    """It is said which plans were not run."""
    suite = suite_of(
        tmp_path,
        lambda server: [
            plan("a", BROKEN, server=server),
            plan("b", COUNTED, server=server),
        ],
    )

    assert codes(suite) == [1, None]
    assert suite.plans[1].verdict == "not run"
    assert suite.ended_because == "`a` came to fail; --keep-going runs the others too"
    assert suite.exit_code == 1


@pytest.mark.slow
def test_a_suite_that_keeps_going_has_the_worst_code(tmp_path: Path) -> None:
    suite = suite_of(
        tmp_path,
        lambda server: [
            plan("a", BROKEN, server=server),
            plan("door", COUNTED),
            plan("b", COUNTED, server=server),
        ],
        keep_going=True,
    )

    assert codes(suite) == [1, 3, 0]
    assert suite.plans[1].verdict == "could not run"
    assert "connection refused" in suite.plans[1].reason
    assert (suite.exit_code, suite.ended_because) == (3, "finished")
    assert not (tmp_path / "suite" / "door").exists()


@pytest.mark.slow
def test_repeats_are_judged_by_their_median(tmp_path: Path) -> None:
    """Each run keeps its directory and its verdict; plans are repeated one after the other."""
    face = Face()
    suite = suite_of(
        tmp_path,
        lambda server: [plan("a", BROKEN, server=server), plan("b", COUNTED, server=server)],
        face,
        repeat=3,
        keep_going=True,
    )

    first, second = suite.plans
    assert [run.directory for run in first.runs] == ["a/1", "a/2", "a/3"]
    assert [(place.plan, place.run) for place in face.begun] == [
        *((1, run) for run in (1, 2, 3)),
        *((2, run) for run in (1, 2, 3)),
    ]
    [broken] = first.judgements
    assert broken.amounts == (6.0, 6.0, 6.0)
    assert (first.exit_code, second.exit_code, suite.exit_code) == (1, 0, 1)
    requests = next(one for one in second.figures if one.figure == "requests" and not one.request)
    assert (requests.median, requests.mad) == (6.0, 0.0)


@pytest.mark.slow
def test_a_run_that_is_broken_alone_breaks_nothing(tmp_path: Path) -> None:
    """The second of three runs has failing requests, and no limit on the median is broken."""
    count = 0

    async def answer(_: Request, wire: Wire) -> None:
        nonlocal count
        count += 1
        await wire.send(reply(500 if 6 < count <= 12 else 200, b"ok"))

    async def inside() -> SuiteResult:
        async with serve(answer) as server:
            request = SuiteRequest(
                (plan("a", COUNTED, server=server),), repeat=3, directory=tmp_path / "suite"
            )
            return await run_suite(prepare_suite(request), Face())

    suite = asyncio.run(inside())

    [only] = suite.plans
    assert [run.exit_code for run in only.runs] == [0, 1, 0]
    assert (only.exit_code, only.verdict) == (0, "pass")
    assert only.judgements[0].amounts == (0.0, 1.0, 0.0)


@pytest.mark.slow
def test_a_run_that_cannot_start_ends_the_repetition(tmp_path: Path) -> None:
    suite = suite_of(tmp_path, lambda _: [plan("door", COUNTED)], repeat=4)

    [door] = suite.plans
    assert len(door.runs) == 1
    assert door.reason.endswith("; 3 of 4 runs not made")
    assert (door.exit_code, suite.exit_code) == (3, 3)


@pytest.mark.slow
def test_a_stop_ends_the_run_and_the_suite(tmp_path: Path) -> None:
    """What has been measured is kept; the rest is named as not run."""
    stop = Stop()
    face = Face(lambda place: stop.request("enough") if place.plan == 2 else None)
    suite = suite_of(
        tmp_path,
        lambda server: [
            plan(name, "phases: [{users: 1, iterations: 3}]", server=server) for name in "abc"
        ],
        face,
        stop=stop,
    )

    assert codes(suite) == [0, 130, None]
    assert suite.plans[2].reason == "enough"
    assert (suite.exit_code, suite.ended_because) == (130, "enough")
    assert read_suite(tmp_path / "suite").exit_code == 130


@pytest.mark.slow
def test_a_stop_between_repeats_leaves_the_others_out(tmp_path: Path) -> None:
    """The plan has what its first run measured."""
    stop = Stop()

    class Stopping(Face):
        def ended(self, run: SuiteRun, entry: SuiteEntry) -> None:
            super().ended(run, entry)
            stop.request("enough")

    face = Stopping()
    suite = suite_of(
        tmp_path, lambda server: [plan("a", COUNTED, server=server)], face, repeat=3, stop=stop
    )

    [only] = suite.plans
    assert (len(only.runs), only.exit_code, suite.exit_code) == (1, 130, 130)
    assert only.reason == "2 of 3 runs not made"


@pytest.mark.slow
def test_a_bug_in_one_run_costs_only_that_run(tmp_path: Path) -> None:
    def fail(place: RunPlace) -> None:
        if place.plan == 1:
            raise ZeroDivisionError("a slip")

    face = Face(fail)
    suite = suite_of(
        tmp_path,
        lambda server: [plan("a", COUNTED, server=server), plan("b", COUNTED, server=server)],
        face,
        keep_going=True,
    )

    assert codes(suite) == [70, 0]
    assert [str(error) for error in face.bugs] == ["a slip"]
    assert suite.plans[0].reason == "a bug in planrunner: ZeroDivisionError"


@pytest.mark.slow
def test_all_runs_have_the_seed_of_the_suite(tmp_path: Path) -> None:
    """But for a plan with a seed of its own, unless the caller gave one."""
    drawn, given = Face(), Face()

    def plans(server: HttpServer) -> list[RunRequest]:
        return [
            plan("a", COUNTED, server=server),
            plan("b", COUNTED, "seed: 5", server=server),
        ]

    suite = suite_of(tmp_path, plans, drawn, repeat=2)
    suite_of(tmp_path / "again", plans, given, seed=9)

    assert drawn.seeds == [suite.seed, suite.seed, 5, 5]
    assert given.seeds == [9, 9]


def test_every_plan_is_checked_before_the_first_runs() -> None:
    """With the faults of all of them."""
    first = RunRequest(loaded("thresholds: [count < 1]"))
    broken = RunRequest(loaded('thresholds: ["p95 of nothing < 1s"]'))
    missing = PlanError([])

    with pytest.raises(PlanError) as failed:
        prepare_suite(SuiteRequest((first, broken)), [missing])

    assert failed.value.message == "2 of 3 plans invalid: nothing was sent"
    assert len(failed.value.diagnostics) == 1


def test_a_suite_without_plans_is_refused() -> None:
    with pytest.raises(UsageError):
        prepare_suite(SuiteRequest(()))


def test_a_directory_with_files_is_refused(tmp_path: Path) -> None:
    """No suite writes over another."""
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "suite.json").write_text("{}")

    with pytest.raises(CannotRun):
        suite_of(tmp_path, lambda server: [plan("a", COUNTED, server=server)])


@pytest.mark.slow
def test_a_plan_that_becomes_invalid_meanwhile_is_one_of_the_results(tmp_path: Path) -> None:
    """A file that it names has gone since the suite began."""
    (tmp_path / "rows.csv").write_text("a\n1\n")
    sections = ("data: {rows: {csv: rows.csv}}", "users: {A: {tasks: [{get: '/${rows.a}'}]}}")

    async def inside() -> SuiteResult:
        async with serve(always(reply(200, b"ok"))) as server:
            file = tmp_path / "plan.yaml"
            file.write_text(plan_text(*sections, COUNTED, url=server.url))
            request = SuiteRequest((RunRequest(file),), directory=tmp_path / "suite")
            prepared = prepare_suite(request)
            (tmp_path / "rows.csv").unlink()
            return await run_suite(prepared, Face())

    suite = asyncio.run(inside())

    assert codes(suite) == [2]
    assert suite.plans[0].verdict == "invalid plan"


@pytest.mark.slow
def test_what_is_kept_meanwhile_says_that_it_is_not_over(tmp_path: Path) -> None:
    """A process that is killed leaves it behind."""
    seen: list[tuple[int, str, list[int | None]]] = []

    def look(place: RunPlace) -> None:
        if place.plan == 2:
            suite = read_suite(tmp_path / "suite")
            seen.append((suite.exit_code, suite.ended_because, codes(suite)))

    suite_of(
        tmp_path,
        lambda server: [plan(name, COUNTED, server=server) for name in "ab"],
        Face(look),
    )

    assert seen == [(130, "not ended", [0, None])]
