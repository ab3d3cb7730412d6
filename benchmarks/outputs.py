"""Question 18: what outputs cost the load, one that is stuck among them."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks import truth
from benchmarks.processes import free_port, nginx, run

HERE = Path(__file__).resolve().parent
COMMAND = str(Path(sys.executable).with_name("planrunner"))
PLAN = str(HERE / "plans" / "throughput.yaml")
SHORT = 1
"""Seconds of the run that is taken off a longer one, and with it the start and the reports."""

START_REQUESTS = 2
"""What `influxdb` asks before the load: for its database, and whether it takes a point."""

WAYS = ("none", "jsonl", "stuck", "none again")


def outputs(rounds: int, seconds: int) -> dict:
    """CPU of a request and lateness of arrivals, with outputs and without, in turns."""
    cpu: dict[str, list[float]] = {name: [] for name in WAYS}
    late: dict[str, list[float]] = {name: [] for name in WAYS}
    with nginx(cpu=0) as port:
        for number in range(rounds):
            # The order turns round, as what runs beside changes slowly.
            for name in WAYS[:: -1 if number % 2 else 1]:
                cpu[name].append(_cpu_us(name, port, seconds))
                late[name].append(_late_ms(name, port, seconds))
            shown = {name: (cpu[name][-1], late[name][-1]) for name in WAYS}
            print(f"  round {number + 1}: {shown}", flush=True)
    return {
        "summary": summarise(cpu, late),
        "cpu_us_per_request": cpu,
        "late_p99_ms": late,
    }


def summarise(cpu: dict[str, list[float]], late: dict[str, list[float]]) -> list[str]:
    """Compare in each round, and the runs without outputs with each other."""
    summary = []
    for name, words in (("jsonl", "`jsonl`"), ("stuck", "a stuck output")):
        ratio, again = _ratio(cpu, name), _ratio(cpu, "none again")
        summary.append(
            f"CPU per request with {words} {ratio:.3f} × without (target 1.02); "
            f"without, once more {again:.3f} ×"
        )
    medians = {name: median(values) for name, values in late.items()}
    summary.append(
        "p99 lateness "
        + ", ".join(f"{name} {medians[name]:.2f} ms" for name in WAYS)
        + " (target: within the noise)"
    )
    return summary


def _ratio(raw: dict[str, list[float]], name: str) -> float:
    pairs = zip(raw[name], raw["none"], strict=True)
    return median(mine / plain for mine, plain in pairs)


def _cpu_us(name: str, port: int, seconds: int) -> float:
    short_s, few = _once(name, port, SHORT)
    long_s, many = _once(name, port, SHORT + seconds)
    return round((long_s - short_s) / (many - few) * 1e6, 2)


def _once(name: str, port: int, hold: int) -> tuple[float, int]:
    with _options(name) as options, tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        settings = ("--set", f"port={port}", "--set", f"hold={hold}s")
        reports = ("--out", str(out), "--formats", "metrics.json", "--quiet")
        outcome = run([COMMAND, "execute", PLAN, *settings, *reports, *options], cpu=1)
        if not (out / "metrics.json").exists():
            raise RuntimeError(outcome.output + outcome.errors)
        totals = json.loads((out / "metrics.json").read_text())["totals"]
    return outcome.cpu_s, totals["total_requests"]


def _late_ms(name: str, port: int, seconds: int) -> float:
    with _options(name) as options:
        found = truth.planrunner(port, "open", *options, rate="2000/s", hold=f"{seconds}s")
    return round(found["late_p99_ms"], 3)


@contextmanager
def _options(name: str) -> Iterator[Sequence[str]]:
    """Yield the options of a way, with what they need."""
    if name == "jsonl":
        yield ("--output", "jsonl={file: '${run.dir}/seconds.jsonl'}")
    elif name == "stuck":
        with _stuck() as port:
            yield ("--output", f"influxdb=http://127.0.0.1:{port}/bench")
    else:
        yield ()


@contextmanager
def _stuck() -> Iterator[int]:
    port = free_port()
    command = [sys.executable, str(HERE / "stuck_server.py"), str(port), str(START_REQUESTS)]
    process = subprocess.Popen(command)
    try:
        time.sleep(0.5)
        yield port
    finally:
        process.terminate()
        process.wait()
