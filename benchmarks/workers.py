"""Question 10: what a second worker adds, and what it costs."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.processes import ENVIRONMENT, run

ROOT = Path(__file__).resolve().parent.parent
PLAN = ROOT / "benchmarks" / "plans" / "throughput.yaml"


_COUNTS = ("1", "2", "8", "64")
"""Workers; of one or two each has a processor for itself."""


def workers(rounds: int, seconds: int) -> dict:
    """Requests/s and CPU per request of workers against a client that sends nothing.

    CPU is that of all processes while load runs, the coordinator's included.
    """
    raw: dict[str, list[dict]] = {count: [] for count in _COUNTS}
    for number in range(rounds):
        for count, found in raw.items():
            wait_for_quiet()
            measured = answer_itself(seconds, more=("--workers", count))
            found.append(measured)
            print(f"  round {number + 1}: {count} workers {measured}", flush=True)
    rate = {count: median(one["rate"] for one in found) for count, found in raw.items()}
    cpu = {
        count: median(one["cpu_us_per_request"] for one in found) for count, found in raw.items()
    }
    busy = {count: median(one["busy_processors"] for one in found) for count, found in raw.items()}
    summary = [
        f"CPU per request of two workers {cpu['2'] / cpu['1']:.2f} × that of one (target 1.1)",
        f"so {2 * cpu['1'] / cpu['2']:.2f} × the requests of one on two whole processors "
        f"(target 1.8); {rate['2'] / rate['1']:.2f} × as measured, with {busy['2']:.2f} processors "
        f"to be had against {busy['1']:.2f}",
        *(
            f"CPU per request of {count} workers {cpu[count] / cpu['1']:.2f} × that of one"
            for count in _COUNTS[2:]
        ),
    ]
    return {"summary": summary, "rounds": raw, "median_rate": rate, "median_cpu_us": cpu}


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Give variables to the commands of the block."""
    ENVIRONMENT.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del ENVIRONMENT[name]


def wait_for_quiet(most_s: float = 10) -> None:
    """Wait until others leave the processors alone for half a second; two workers need both."""
    deadline = time.monotonic() + most_s
    while time.monotonic() < deadline:
        before = _idle()
        time.sleep(0.5)
        after = _idle()
        if after[0] - before[0] > 0.95 * (after[1] - before[1]):
            return


def _idle() -> tuple[int, int]:
    """Return the idle time of all processors, and all time."""
    stat = Path("/proc/stat")
    times = list(map(int, stat.read_text().split("\n")[0].split()[1:9])) if stat.exists() else [0]
    return (times[3] + times[4] if len(times) > 4 else 1), sum(times)


def cluster(rounds: int, seconds: int) -> dict:
    """Requests/s and CPU per request of one worker and of a local cluster of two, in turns.

    CPU is that of all processes while load runs: of the coordinator, of Dask, of the workers.
    """
    raw: dict[str, list[dict]] = {"1": [], "2": [], "local:2": []}
    for number in range(rounds):
        for kind, found in raw.items():
            wait_for_quiet()
            more = ("--cluster", kind) if kind.startswith("local") else ("--workers", kind)
            found.append(answer_itself(seconds, more=more))
            print(f"  round {number + 1}: {kind} {found[-1]}", flush=True)
    rate = {kind: median(one["rate"] for one in found) for kind, found in raw.items()}
    cpu = {kind: median(one["cpu_us_per_request"] for one in found) for kind, found in raw.items()}
    summary = [
        f"`--cluster local:2` {cpu['local:2'] / cpu['1']:.2f} × the CPU per request of one worker "
        f"(target 1.12); `--workers 2` {cpu['2'] / cpu['1']:.2f} ×",
        f"so {2 * cpu['1'] / cpu['local:2']:.2f} × the requests of one on two whole processors "
        f"(target 1.75); {rate['local:2'] / rate['1']:.2f} × as measured, where `--workers 2` had "
        f"{rate['2'] / rate['1']:.2f} ×",
    ]
    return {"summary": summary, "rounds": raw, "median_rate": rate, "median_cpu_us": cpu}


def answer_itself(
    seconds: int, *, more: tuple[str, ...] = ("--workers", "1"), formats: str = "metrics.json"
) -> dict:
    """Run the plan of question 1 with a client that sends nothing."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        command = (sys.executable, "-m", "benchmarks.null_client", "execute", str(PLAN))
        options = (*more, "--set", f"hold={seconds}s", "--formats", formats)
        cpu = Path(folder) / "cpu"
        with environment(NULL_CLIENT_CPU=str(cpu)):
            outcome = run([*command, *options, "--out", str(out), "--quiet"], cwd=ROOT)
        if not (out / "metrics.json").exists():
            raise RuntimeError(outcome.output + outcome.errors)
        metrics = json.loads((out / "metrics.json").read_text())
        cpu_s = sum(map(int, cpu.read_text().split())) / 1e9
    totals = metrics["totals"]
    return {
        "rate": round(totals["requests_per_second"]),
        "cpu_us_per_request": round(cpu_s / totals["total_requests"] * 1e6, 3),
        "busy_processors": round(cpu_s / seconds, 2),
        "began_within": metrics["host"].get("workers began within", ""),
    }
