"""etcd: planrunner beside a bare loop of the same stubs, and etcd3 with threads.

`python benchmarks/etcd.py "bare"|"bare, 1 connection"|"threads" ENDPOINT SECONDS` is one generator;
each runs in a process of its own, ten at a time, putting 100 bytes.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[1])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)  # as a script it has only its own folder

from benchmarks.processes import Outcome, run  # noqa: E402
from benchmarks.turns import SHORT_S, Figures, Generated, in_turns, without_start  # noqa: E402

CONCURRENCY = 10
VALUE = "x" * 100
COMMAND = str(Path(sys.executable).with_name("planrunner"))

PLAN = """\
name: etcd bench
params: {{seconds: {{type: duration, default: 5s}}}}
etcd: {{endpoints: ["{endpoint}"]{shared}}}
users:
  Writer:
    steps:
      - etcd.put: {{key: "/bench/${{iteration}}", value: "{value}"}}
phases: [{{name: put, users: {{Writer: {users}}}, hold: "${{seconds}}"}}]
thresholds: [error_rate == 0]
report: {{formats: [metrics.json], samples: none}}
"""


_SERVER_CPU, _GENERATOR_CPU = 0, 1


def etcd(rounds: int, seconds: int) -> dict:
    """Puts a second at concurrency 10, against one etcd, generators interleaved."""
    from tests.support.etcd_servers import cluster  # noqa: PLC0415 - starts real servers

    names = ["planrunner", "planrunner, 1 connection", "bare", "bare, 1 connection", "threads"]
    with tempfile.TemporaryDirectory(dir=in_memory()) as directory, ExitStack() as stack:
        with on_processor(_SERVER_CPU):
            started = stack.enter_context(cluster(Path(directory)))
        endpoint = started.members[0].endpoint

        def measure(name: str) -> Figures:
            return _measure(name, endpoint, max(seconds, SHORT_S + 1), Path(directory))

        found = in_turns(names, rounds, measure)
    rate, cpu = found.medians("rate"), found.medians("cpu_us_per_operation")
    ours, bare_loop = "planrunner", "bare"
    shared, shared_loop = "planrunner, 1 connection", "bare, 1 connection"
    summary = [
        f"{rate[ours] / rate[bare_loop]:.2f} × a bare loop of the same stubs (target 0.8), "
        f"{rate[shared] / rate[shared_loop]:.2f} × where all share one connection",
        # etcd3's clients share one connection, whether they want to or not.
        f"{rate[shared] / rate['threads']:.2f} × etcd3 with {CONCURRENCY} threads, on one "
        f"connection like those (target 1); {rate[ours] / rate['threads']:.2f} × with a "
        "connection for each user",
        f"CPU per operation {cpu[ours] / cpu[bare_loop]:.2f} × the bare loop's, "
        f"{cpu[shared] / cpu['threads']:.2f} × that of the threads",
    ]
    return found.answer(summary, "cpu_us_per_operation")


def in_memory() -> str | None:
    """Where files are in memory, if anywhere: the question is about generators, not about a disk.

    etcd waits for its disk at each batch of writes, which would make all of them equally fast.
    """
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


@contextmanager
def on_processor(cpu: int) -> Iterator[None]:
    """Let what is started inside run on one processor, where that is possible."""
    if not hasattr(os, "sched_setaffinity") or (os.cpu_count() or 1) < 2:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _measure(name: str, endpoint: str, seconds: int, directory: Path) -> Figures:
    """Return the rate, and the CPU of an operation without that of starting.

    Starting is what a run of a second has in common with one of several.
    """
    generate = _planrunner if name.startswith("planrunner") else _script
    return without_start(
        lambda within_s: generate(name, endpoint, within_s, directory), seconds, "operation"
    )


def _script(name: str, endpoint: str, seconds: int, _: Path) -> Generated:
    done = completed([sys.executable, __file__, name, endpoint, str(seconds)])
    rate = float(done.output)
    return Generated(done, rate * seconds, rate)


def _planrunner(name: str, endpoint: str, seconds: int, directory: Path) -> Generated:
    plan, out = directory / "plan.yaml", directory / f"out-{time.monotonic_ns()}"
    shared = ", connections: 1" if "1 connection" in name else ""
    plan.write_text(PLAN.format(endpoint=endpoint, value=VALUE, users=CONCURRENCY, shared=shared))
    done = completed(
        [COMMAND, "execute", str(plan), "--set", f"seconds={seconds}s", "--out", str(out), "-q"]
    )
    totals = json.loads((out / "metrics.json").read_text())["totals"]
    assert totals["failed_requests"] == 0
    count, rate = totals["total_requests"], totals["requests_per_second"]
    return Generated(done, float(count), float(rate))


def completed(command: list[str]) -> Outcome:
    outcome = run(command, cpu=_GENERATOR_CPU)
    if outcome.exit_code:
        raise RuntimeError(outcome.output + outcome.errors)
    return outcome


def bare(endpoint: str, seconds: float, *, connections: int = CONCURRENCY) -> float:
    """Tasks that do nothing but await the stub, on channels like those of planrunner's users."""
    import uvloop  # noqa: PLC0415

    from planrunner.protocols.etcd.stubs import load_stubs  # noqa: PLC0415
    from planrunner.protocols.over_grpc.channels import CHANNEL_OPTIONS  # noqa: PLC0415
    from planrunner.protocols.over_grpc.network import grpc  # noqa: PLC0415

    stubs = load_stubs()

    async def main() -> float:
        channels = [
            grpc.aio.insecure_channel(endpoint, options=CHANNEL_OPTIONS) for _ in range(connections)
        ]
        done = 0
        until = time.perf_counter() + seconds

        async def put(call) -> None:
            nonlocal done
            while time.perf_counter() < until:
                await call(stubs.PutRequest(key=b"/bench/%d" % done, value=VALUE.encode()))
                done += 1

        lanes = (channels[number % connections] for number in range(CONCURRENCY))
        await asyncio.gather(*(put(stubs.KVStub(channel).Put) for channel in lanes))
        return done / seconds

    return uvloop.run(main())


def threads(endpoint: str, seconds: float) -> float:
    """etcd3's own client, one for each thread."""
    from planrunner.protocols.etcd.stubs import load_stubs  # noqa: PLC0415

    load_stubs()  # without it etcd3 can't be imported
    import etcd3  # noqa: PLC0415

    host, _, port = endpoint.rpartition(":")
    counts = [0] * CONCURRENCY
    until = time.perf_counter() + seconds

    def put(number: int) -> None:
        client = etcd3.client(host=host, port=int(port))
        while time.perf_counter() < until:
            client.put(f"/bench/{number}/{counts[number]}", VALUE)
            counts[number] += 1

    workers = [threading.Thread(target=put, args=(number,)) for number in range(CONCURRENCY)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(counts) / seconds


GENERATORS = {
    "bare": bare,
    "bare, 1 connection": partial(bare, connections=1),
    "threads": threads,
}

if __name__ == "__main__":
    print(GENERATORS[sys.argv[1]](sys.argv[2], float(sys.argv[3])))
