"""Real worker processes that die, hang or leave, in a run that bears the loss of one."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from planrunner.clock import MonotonicClock
from planrunner.engine import Ending, RunOutcome, run
from planrunner.engine.coordinator.events import Event, Noticed, Tick
from planrunner.engine.workers.local_processes import WorkerProcess, worker_processes
from planrunner.engine.workers.presence.attendance import Tolerance
from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.files.samples import SampleWriter
from planrunner.results.record.hosts import workers_of_hosts
from planrunner.runner.event_loop import client_factories, worker_command
from planrunner.runner.request import CompiledPlan, RunRequest, compile_request
from planrunner.units import NS_PER_S
from tests.support.graphs import counts
from tests.support.http_servers import HttpServer
from tests.support.plans import plan_text

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="there are no worker processes"),
]

LEAVE = """
import os
async def leave():
    try:
        os.rename("{flag}", "{flag}.taken")
    except FileNotFoundError:
        return
    os._exit(7)
"""
PLAN = """
hooks: leave.py
users: {A: {wait: 20ms, steps: [{python: leave}, {get: /}]}}
phases: [{name: load, users: 8, hold: 7s}]
"""


def run_harmed(
    compiled: CompiledPlan, folder: Path, do_harm: Callable[[Sequence[WorkerProcess]], object]
) -> tuple[RunOutcome, list[str]]:
    """Run a plan on four workers; in its second second harm is done to some."""
    graph, notices = compiled.graph, []

    async def main() -> RunOutcome:
        names = {"id": "r1", "dir": str(folder), "seed": graph.seed}
        samples = SampleWriter(folder / "samples.bin", started_unix_ns=0)
        with closing(samples):
            async with worker_processes(
                4, command=worker_command(), source=compiled.source, names=names
            ) as handles:

                def listen(event: Event) -> None:
                    if isinstance(event, Noticed):
                        notices.append(event.words)
                    if isinstance(event, Tick) and event.second == 2:
                        do_harm(handles)

                return await run(
                    graph,
                    clients=client_factories(graph),
                    clock=MonotonicClock(),
                    listener=listen,
                    samples=samples,
                    handles=handles,
                    tolerance=Tolerance(lost=2, killed_ns=5 * NS_PER_S // 2),
                )

    return asyncio.run(main()), notices


def test_the_others_go_on_without_those_that_hang_or_leave(
    tmp_path: Path, target: HttpServer
) -> None:
    """What all had reported is in totals, samples and figures of workers alike, and only once."""
    flag = tmp_path / "flag"
    (tmp_path / "leave.py").write_text(LEAVE.format(flag=flag))
    (tmp_path / "plan.yaml").write_text(plan_text(PLAN, url=target.url))
    compiled = compile_request(RunRequest(tmp_path / "plan.yaml", workers=4, tolerate=2))

    def do_harm(workers: Sequence[WorkerProcess]) -> None:
        os.kill(workers[3].pid, signal.SIGSTOP)
        flag.touch()

    outcome, notices = run_harmed(compiled, tmp_path, do_harm)

    assert (outcome.ending, outcome.invalid) == (Ending.FINISHED, ())
    workers = [worker for _, worker in workers_of_hosts(outcome.hosts)]
    lost = [worker for worker in workers if worker.lost_ns is not None]
    fates = ["died: it exited with code 7", "was silent for 2.5 s and was killed"]
    assert [worker.lost for worker in lost] == fates
    for worker in lost:
        assert worker.tolerated
        assert [(one.unit, one.missing, one.of) for one in worker.missing] == [("users", 2, 8)]
        assert (
            f"{worker.name} {worker.lost}; the run goes on with the load of the others" in notices
        )
    assert any(f"{workers[3].name} has said nothing for " in one for one in notices)
    reader = SampleReader(tmp_path / "samples.bin")
    rows = Counter(reader.workers[row.series] for row in reader)
    assert rows == {worker.number: worker.requests for worker in workers}
    assert rows.total() == counts(outcome, "kind")["request"]
    assert not reader.loss(is_over=True)
