"""A worker on a host with another clock goes by the coordinator's, and what it says is true."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import pytest

from planrunner.clock import ShiftedClock
from planrunner.cluster.clock_offsets import FIRST_EXCHANGES, ClockEstimate, ClockExchange
from planrunner.engine.workers import local_processes
from planrunner.engine.workers.messages import Assignment, Shift, Start
from planrunner.engine.workers.worker_state import WorkerHandle
from planrunner.protocols.python.clients.call import BoundFunction
from planrunner.protocols.python.clients.isolated import IsolatedProcess
from planrunner.protocols.python.operation import PythonOperation
from planrunner.results.files.sample_reader import SampleReader
from planrunner.schedule.partition import WorkerShare
from planrunner.units import NS_PER_S
from tests.support.http_servers import Request, Wire, reply, serve
from tests.support.plans import PlanProject, plan_text, running

pytestmark = pytest.mark.slow

ELSEWHERE = ("unshare", "--time", "--monotonic", "1000")
"""Starts a process whose clocks are 1000 seconds ahead, as one on another host would have them."""

ANSWERS = """
import sys, time
while sys.stdin.buffer.read(1):
    sys.stdout.buffer.write(time.perf_counter_ns().to_bytes(8, "big"))
    sys.stdout.buffer.flush()
"""


def has_other_clocks() -> bool:
    """Whether this system has namespaces of time, and lets us make one."""
    if shutil.which(ELSEWHERE[0]) is None:
        return False
    return subprocess.run([*ELSEWHERE, "true"], capture_output=True, check=False).returncode == 0


@contextmanager
def exchanges() -> Iterator[Callable[[], ClockExchange]]:
    """Ask a process with the other clock what time it is."""
    pipe, command = subprocess.PIPE, [*ELSEWHERE, sys.executable, "-c", ANSWERS]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:

        def exchange() -> ClockExchange:
            sent_ns = time.perf_counter_ns()
            process.stdin.write(b"?")
            process.stdin.flush()
            there_ns = int.from_bytes(process.stdout.read(8), "big")
            return ClockExchange(sent_ns, there_ns, time.perf_counter_ns())

        yield exchange
        process.stdin.close()


class TwoHosts:
    """Starts two workers, the second with the other clock.

    Attributes:
        estimate: What is known of that.
        started_ns: From which moment the run counts.
    """

    def __init__(self) -> None:
        self.estimate = ClockEstimate()
        self.started_ns = 0

    @asynccontextmanager
    async def workers(
        self, workers: int, *, command: Sequence[str], source: object, names: Mapping[str, object]
    ) -> AsyncIterator[Sequence[WorkerHandle]]:
        here, there = WorkerShare(0, workers), WorkerShare(1, workers)
        with exchanges() as exchange:
            for _ in range(FIRST_EXCHANGES):
                self.estimate.add(exchange())
            near = await local_processes.start_worker(here, command)
            far = await local_processes.start_worker(there, (*ELSEWHERE, *command))
            far.clock = self.estimate.facts(time.perf_counter_ns())
            far.transport.send = partial(self._send, far.transport.send)
            near.transport.send(Assignment(here, names, source))
            far.transport.send(Assignment(there, names, source, self.estimate.offset_ns))
            following = asyncio.create_task(self._follow(exchange, far.transport.send))
            try:
                yield near, far
            finally:
                following.cancel()
                for worker in (near, far):
                    worker.kill()
                    await worker.close()

    def _send(self, send: Callable[[object], None], message: object) -> None:
        if isinstance(message, Start):
            self.started_ns = message.started_ns
        send(message)

    async def _follow(
        self, exchange: Callable[[], ClockExchange], send: Callable[[object], None]
    ) -> None:
        while True:
            await asyncio.sleep(0.2)
            self.estimate.add(exchange())
            send(Shift(self.estimate.offset_ns))


PLAN = """
users: {A: {wait: 10ms, tasks: [{get: "/${user.id}", name: "${user.id}"}]}}
phases:
  - {name: first, users: 2, hold: 1s}
  - {name: second, users: 2, hold: 1s}
"""


@pytest.mark.skipif(not has_other_clocks(), reason="needs `unshare --time`, as root on Linux")
def test_a_worker_with_another_clock_says_when_things_happened(
    project: PlanProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request reaches the server after it was sent and before its reply came, to the error."""
    hosts = TwoHosts()
    monkeypatch.setattr(local_processes, "worker_processes", hosts.workers)
    arrived_ns: dict[str, list[int]] = defaultdict(list)

    async def respond(request: Request, wire: Wire) -> None:
        arrived_ns[request.target[1:]].append(time.perf_counter_ns())
        await wire.send(reply(200, b"ok"))

    with running(serve(respond)) as server:
        project.write({"plan.yaml": plan_text(PLAN, url=server.url)})
        ended = project.run("execute", "plan.yaml", "--workers", "2", "--out", "out")

    assert ended.code == 0, ended.err
    reader = SampleReader(ended.files["out/samples.bin"])
    rows = defaultdict(list)
    for row in sorted(reader, key=lambda row: row.start_ns):
        labels, worker = reader.labels[row.series], reader.workers[row.series]
        rows[labels.phase, worker, labels.request].append(row)
    assert len(rows) == 4
    for (_, worker, user), sent in rows.items():
        error_ns = hosts.estimate.worst_error_ns if worker == 2 else 0
        for row, at_ns in zip(sent, arrived_ns[user], strict=True):
            sent_ns = hosts.started_ns + row.start_ns
            assert sent_ns - error_ns <= at_ns <= sent_ns + row.latency_ns + error_ns
    assert hosts.estimate.worst_error_ns < NS_PER_S // 20
    began_ns = defaultdict(list)
    for (phase, _, _), sent in rows.items():
        began_ns[phase].append(sent[0].start_ns)
    assert max(abs(one - other) for one, other in began_ns.values()) < NS_PER_S
    [host] = ended.metrics["hosts"]  # of two clocks: what is said is of the one known worst
    assert host["clock_offset_ns"] == pytest.approx(-1000 * NS_PER_S, abs=NS_PER_S // 20)
    assert sum(len(sent) for sent in rows.values()) == ended.metrics["totals"]["total_requests"]


def test_a_call_in_a_process_of_its_own_is_placed_in_the_time_of_the_run() -> None:
    """When it began and ended there, and not when its answer was read."""
    clock, read = ShiftedClock(-(10**15)), []

    def now_ns() -> int:
        read.append(clock.now_ns())
        return read[-1]

    bound = BoundFunction(PythonOperation("time:sleep", ()), time.sleep, 10 * NS_PER_S)

    async def main() -> tuple[int, int, int]:
        process = IsolatedProcess(now_ns)
        try:
            done = await process.call(bound, {}, 1)
        finally:
            await process.close()
        return done.asked_ns, done.began_ns, done.ended_ns

    asked_ns, began_ns, ended_ns = asyncio.run(main())

    assert asked_ns <= began_ns <= ended_ns < read[-1]
