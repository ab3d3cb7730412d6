"""etcd: planrunner beside a bare loop of the same stubs, and etcd3 with threads.

`python benchmarks/etcd.py bare|threads ENDPOINT SECONDS` is one generator; each runs in a process
of its own, ten at a time, putting 100 bytes.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

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


def etcd(rounds: int, seconds: int) -> dict:
    """Puts a second at concurrency 10, against one etcd, generators interleaved."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tests.support.etcd_servers import cluster  # noqa: PLC0415 - starts real servers

    raw: dict[str, list[float]] = {"planrunner": [], "planrunner, 1 connection": []}
    raw |= {"bare": [], "threads": []}
    with tempfile.TemporaryDirectory() as directory, cluster(Path(directory)) as started:
        endpoint = started.members[0].endpoint
        for number in range(rounds):
            names = list(raw)
            for name in names[number % len(names) :] + names[: number % len(names)]:
                raw[name].append(_rate(name, endpoint, seconds, Path(directory)))
    rate = {name: median(rates) for name, rates in raw.items()}
    summary = [
        f"{rate['planrunner'] / rate['bare']:.2f} × a bare loop of the same stubs (target 0.8)",
        # etcd3's clients share one connection, whether they want to or not.
        f"{rate['planrunner, 1 connection'] / rate['threads']:.2f} × etcd3 with {CONCURRENCY} "
        "threads, on one connection like those (target 1)",
        f"{rate['planrunner'] / rate['threads']:.2f} × with a connection for each user",
    ]
    return {"summary": summary, "rounds": raw, "median_rate": rate}


def _rate(name: str, endpoint: str, seconds: int, directory: Path) -> float:
    if name in ("bare", "threads"):
        command = [sys.executable, __file__, name, endpoint, str(seconds)]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    plan, out = directory / "plan.yaml", directory / f"out-{time.monotonic_ns()}"
    shared = ", connections: 1" if name != "planrunner" else ""
    plan.write_text(PLAN.format(endpoint=endpoint, value=VALUE, users=CONCURRENCY, shared=shared))
    subprocess.run(
        [COMMAND, "execute", str(plan), "--set", f"seconds={seconds}s", "--out", str(out), "-q"],
        check=True,
    )
    totals = json.loads((out / "metrics.json").read_text())["totals"]
    assert totals["failed_requests"] == 0
    return float(totals["requests_per_second"])


def bare(endpoint: str, seconds: float) -> float:
    """Tasks that do nothing but await the stub, each on a channel of its own, as users have."""
    import grpc  # noqa: PLC0415
    import uvloop  # noqa: PLC0415

    from planrunner.protocols.etcd.stubs import load_stubs  # noqa: PLC0415

    stubs = load_stubs()

    async def main() -> float:
        options = [("grpc.use_local_subchannel_pool", 1)]
        channels = [
            grpc.aio.insecure_channel(endpoint, options=options) for _ in range(CONCURRENCY)
        ]
        done = 0
        until = time.perf_counter() + seconds

        async def put(call) -> None:
            nonlocal done
            while time.perf_counter() < until:
                await call(stubs.PutRequest(key=b"/bench/%d" % done, value=VALUE.encode()))
                done += 1

        await asyncio.gather(*(put(stubs.KVStub(channel).Put) for channel in channels))
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


if __name__ == "__main__":
    print({"bare": bare, "threads": threads}[sys.argv[1]](sys.argv[2], float(sys.argv[3])))
