"""Runs that no command line asked for: in one process, one after the other and side by side."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TextIO, TypeVar

import pytest

from planrunner.engine import Stop
from planrunner.engine.debug.trace_events import TraceEvent
from planrunner.errors import CannotRun, Interrupted, UsageError
from planrunner.language.diagnostics import PlanError
from planrunner.outputs.base import RunInfo, Second
from planrunner.results.exit_codes import ExitCode
from planrunner.results.files.directory import read_run
from planrunner.results.model import RunResult
from planrunner.runner import ResultLost, RunRequest, dry_run, prepare, run
from planrunner.runner.event_loop import run_on_fast_loop
from tests.support.http_servers import HttpServer, Request, Wire, always, closed_port, reply, serve
from tests.support.plans import loaded, plan_text

T = TypeVar("T")

OK = always(reply(200, b"ok"))
COUNTED = "phases: [{users: 3, iterations: 30}]"
LONG = "phases: [{users: 2, hold: 60s, graceful_stop: 5s}]"


class Counted:
    """An output that counts the requests it sees, and may do something at the first second."""

    name = "counted"

    def __init__(self, at_once: Callable[[], object] = lambda: None) -> None:
        self.requests: Counter[str] = Counter()
        self.runs: list[RunInfo] = []
        self.is_stopped = False
        self._at_once = at_once

    async def start(self, run: RunInfo) -> None:
        self.runs.append(run)

    async def add(self, second: Second) -> None:
        self._at_once()
        for labels, delta in second.snapshot.deltas.items():
            if labels.kind == "request":
                self.requests[labels.request] += delta.count

    async def stop(self) -> None:
        self.is_stopped = True


class Broken(Counted):
    name = "broken"

    async def add(self, second: Second) -> None:
        raise ValueError("no such table")


def served(main: Callable[[HttpServer], Coroutine[Any, Any, T]]) -> T:
    """Run `main` in an event loop with a server that answers everything."""

    async def inside() -> T:
        async with serve(OK) as server:
            return await main(server)

    return asyncio.run(inside())


def request_for(
    server: HttpServer, directory: Path, *sections: str, path: str = "/", **more: Any
) -> RunRequest:
    users = f"users: {{A: {{tasks: [{{get: {path}}}]}}}}"
    plan = loaded(f'http: {{base_url: "{server.url}"}}', users, *(sections or (COUNTED,)))
    return RunRequest(plan, directory=directory, **{"formats": (), **more})


def test_a_run_returns_the_result_that_it_keeps(tmp_path: Path) -> None:
    """With every request that the server saw, under the labels and the seed of the request."""

    async def main(server: HttpServer) -> tuple[RunResult, int]:
        wanted = request_for(server, tmp_path / "run", labels={"build": "7"}, seed=11)
        return await run(wanted), len(server.requests)

    result, arrived = served(main)

    assert result.totals.total_requests == arrived == 30
    assert (result.exit_code, result.seed, result.labels) == (ExitCode.OK, 11, {"build": "7"})
    assert read_run(tmp_path / "run") == result


def test_a_run_takes_a_plan_by_its_path(tmp_path: Path) -> None:
    """With values for its params and an environment of its own; faults are raised."""
    file = tmp_path / "plan.yaml"
    params = "params: {path: {type: str, env: WHERE}, times: {type: int, default: 5}}"
    users = 'users: {A: {tasks: [{get: "${path}"}]}}'

    async def main(server: HttpServer) -> list[str]:
        load = 'phases: [{users: 1, iterations: "${times}"}]'
        file.write_text(plan_text(params, users, load, url=server.url))
        await run(
            RunRequest(
                file, params={"times": "4"}, environ={"WHERE": "/here"}, directory=tmp_path / "run"
            )
        )
        return [request.target for request in server.requests]

    assert served(main) == ["/here"] * 4
    with pytest.raises(PlanError):
        prepare(RunRequest(file, environ={}))
    with pytest.raises(UsageError, match="no report format `junit`"):
        prepare(RunRequest(file, environ={"WHERE": "/"}, formats=("junit",)))


def test_runs_side_by_side_count_their_own_requests(tmp_path: Path) -> None:
    """Two in one event loop, each with a server, a directory and an output."""

    async def main() -> tuple[list[RunResult], list[int]]:
        async with serve(OK) as first, serve(OK) as second:
            results = await asyncio.gather(
                run(request_for(first, tmp_path / "a", path="/a"), [outputs[0]]),
                run(
                    request_for(
                        second, tmp_path / "b", "phases: [{users: 5, iterations: 70}]", path="/b"
                    ),
                    [outputs[1]],
                ),
            )
            return results, [len(first.requests), len(second.requests)]

    outputs = [Counted(), Counted()]
    results, arrived = run_on_fast_loop(main())

    assert arrived == [30, 70]
    assert [result.totals.total_requests for result in results] == arrived
    assert [output.requests for output in outputs] == [{"GET /a": 30}, {"GET /b": 70}]
    assert len({result.run_id for result in results}) == 2
    assert [output.runs[0].directory.name for output in outputs] == ["a", "b"]


def test_runs_one_after_the_other_leave_the_process_as_it_was(tmp_path: Path) -> None:
    """Each has what its server saw; garbage collector and signals remain the caller's."""

    async def main(server: HttpServer) -> list[int]:
        totals = []
        for number in range(2):
            before = len(server.requests)
            result = await run(request_for(server, tmp_path / str(number)))
            totals.append((result.totals.total_requests, len(server.requests) - before))
        return totals

    def facts() -> tuple[object, ...]:
        handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        return gc.get_threshold(), len(gc.callbacks), handlers

    before, frozen = facts(), gc.get_freeze_count()
    totals = served(main)

    assert totals == [(30, 30), (30, 30)]
    assert facts() == before
    # Objects that were frozen before may die during the run: few, and none join them.
    assert frozen - 100 <= gc.get_freeze_count() <= frozen


def test_a_prepared_run_says_where_its_files_will_be(tmp_path: Path) -> None:
    """Before anything is sent or written."""

    async def main(server: HttpServer) -> tuple[Path, bool, RunResult]:
        prepared = prepare(request_for(server, tmp_path / "run", formats=("junit.xml",)))
        was_there = prepared.directory.exists()
        return prepared.directory, was_there, await run(prepared)

    directory, was_there, result = served(main)

    assert not was_there
    assert {file.name for file in directory.iterdir()} == {"metrics.json", "junit.xml"}
    assert read_run(directory).run_id == result.run_id


@pytest.mark.slow
def test_a_stop_ends_a_run_that_keeps_its_result(tmp_path: Path) -> None:
    """Another run in the loop goes on."""
    stop = Stop()

    async def main(server: HttpServer) -> list[RunResult]:
        asking = Counted(lambda: stop.request("the page was closed"))
        return await asyncio.gather(
            run(request_for(server, tmp_path / "a", LONG, stop=stop), [asking]),
            run(request_for(server, tmp_path / "b", "phases: [{users: 1, hold: 2s}]")),
        )

    stopped, other = served(main)

    assert (stopped.exit_code, stopped.ended_because) == (
        ExitCode.INTERRUPTED,
        "the page was closed",
    )
    assert 1 <= stopped.duration_seconds < 2
    assert stopped.totals.total_requests > 0
    assert read_run(tmp_path / "a").ended_because == "the page was closed"
    assert (other.exit_code, other.ended_because) == (ExitCode.OK, "finished")


@pytest.mark.parametrize("is_asked_before", [True, False])
def test_a_stop_before_the_load_leaves_nothing(tmp_path: Path, *, is_asked_before: bool) -> None:
    """Neither a directory nor a request, nor a cancelled task."""
    stop = Stop()

    async def main(server: HttpServer) -> int:
        wanted = request_for(server, tmp_path / "run", LONG, stop=stop)
        waiting = Waiting(stop)
        if is_asked_before:
            stop.request("never mind")
        with pytest.raises(Interrupted):
            await run(wanted, [waiting])
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        return len(server.requests)

    assert served(main) == 0
    assert list(tmp_path.iterdir()) == []


class Waiting(Counted):
    """An output that never gets ready, and asks for the end while it waits."""

    def __init__(self, stop: Stop) -> None:
        super().__init__()
        self._stop = stop

    async def start(self, run: RunInfo) -> None:
        asyncio.get_running_loop().call_soon(self._stop.request, "never mind")
        await asyncio.sleep(60)


def test_a_target_that_is_not_there_leaves_nothing(tmp_path: Path) -> None:
    """The outputs have not been started."""
    output = Counted()
    plan = loaded(f'http: {{base_url: "http://127.0.0.1:{closed_port()}"}}')

    with pytest.raises(CannotRun):
        asyncio.run(run(RunRequest(plan, directory=tmp_path / "run"), [output]))

    assert output.runs == []
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_fails_is_named_in_the_result(tmp_path: Path) -> None:
    """It costs the run, the other outputs and the reports nothing."""
    kept = Counted()

    async def main(server: HttpServer) -> RunResult:
        return await run(request_for(server, tmp_path / "run"), [Broken(), kept])

    result = served(main)

    words = "failed and was switched off: ValueError: no such table"
    notice = f"the output `broken` {words}; 1 second of the run did not reach it"
    assert notice in result.notices
    assert notice in read_run(tmp_path / "run").notices
    assert (result.exit_code, result.totals.total_requests) == (ExitCode.OK, 30)
    assert kept.requests == {"GET /": 30}
    assert kept.is_stopped


def test_a_result_that_can_not_be_kept_is_in_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller may still show it."""

    def refuse(*_: object) -> None:
        raise CannotRun("the disk is full")

    monkeypatch.setattr("planrunner.runner.api.write_metrics", refuse)
    monkeypatch.setattr("planrunner.runner.report_files.write_metrics", refuse)

    async def main(server: HttpServer) -> RunResult:
        return await run(request_for(server, tmp_path / "run"))

    with pytest.raises(ResultLost, match="the disk is full") as lost:
        served(main)

    assert lost.value.result.totals.total_requests == 30
    assert lost.value.result.exit_code == ExitCode.CANNOT_RUN


@pytest.mark.parametrize("times", [0, 2])
def test_a_stop_while_reports_are_written_waits_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """However often it was asked for before: what the kept result states is how the run ended."""
    stop = Stop()
    asked = threading.Event()

    def insist() -> None:
        stop.request("enough")
        stop.request("enough")
        asked.set()

    def asking(*_: object) -> Iterator[tuple[str, Callable[[TextIO], None]]]:
        yield "junit.xml", write

    def write(out: TextIO) -> None:
        loop.call_soon_threadsafe(insist)
        assert asked.wait(10)
        out.write("whole")

    async def main(server: HttpServer) -> RunResult:
        nonlocal loop
        loop = asyncio.get_running_loop()
        wanted = request_for(server, tmp_path / "run", stop=stop, formats=("junit.xml",))
        return await run(wanted, [Insistent(stop, times)])

    loop: Any = None
    monkeypatch.setattr("planrunner.runner.report_files.report_files", asking)

    result = served(main)

    assert (result.exit_code, result.ended_because) == (ExitCode.OK, "finished")
    assert read_run(tmp_path / "run") == result
    assert (tmp_path / "run" / "junit.xml").read_text("utf-8") == "whole"
    assert stop.settled == ExitCode.OK


def test_a_result_is_kept_before_services_and_outputs_end(tmp_path: Path) -> None:
    """Whatever ends the process while they do, the verdict is in its file."""
    kept = []

    class Looking(Counted):
        async def stop(self) -> None:
            kept.append(read_run(tmp_path / "run").exit_code)

    async def main(server: HttpServer) -> RunResult:
        return await run(request_for(server, tmp_path / "run"), [Looking()])

    served(main)

    assert kept == [ExitCode.OK]


class Insistent(Counted):
    """An output that asks for the end when there is nothing more to end."""

    def __init__(self, stop: Stop, times: int) -> None:
        super().__init__()
        self._stop = stop
        self._times = times

    async def stop(self) -> None:
        for _ in range(self._times):
            self._stop.request("enough")


def test_a_plan_can_be_tried_without_a_run(tmp_path: Path) -> None:
    """Every task once; the caller sees what is sent and received, and no file is left."""
    events: list[TraceEvent] = []

    async def main(server: HttpServer) -> tuple[int, int]:
        tried = await dry_run(request_for(server, tmp_path / "run"), events.append)
        return tried.requests, len(server.requests)

    assert served(main) == (1, 1)
    assert events
    assert list(tmp_path.iterdir()) == []


def test_a_trial_can_be_stopped(tmp_path: Path) -> None:
    """At once, whatever it waits for."""
    stop = Stop()

    async def hang(_: Request, wire: Wire) -> None:
        stop.request("enough")
        await wire.hang()

    async def main() -> None:
        async with serve(hang) as server:
            await dry_run(request_for(server, tmp_path / "run", stop=stop), lambda _: None)

    with pytest.raises(Interrupted):
        asyncio.run(main())
