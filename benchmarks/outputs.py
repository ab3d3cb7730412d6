"""Question 18: what outputs cost the load, one that is stuck among them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import told_seconds
from benchmarks.processes import free_port, nginx
from benchmarks.told_seconds import MeteredSecond, lateness, shares

HERE = Path(__file__).resolve().parent

START_REQUESTS = 2
"""What `influxdb` asks before the load: for its database, and whether it takes a point."""

WAYS = {"jsonl": "`jsonl`", "stuck": "a stuck output", "none": "no output"}

Runs = dict[str, list[list[MeteredSecond]]]


def outputs(rounds: int, seconds: int) -> dict:
    """CPU of a request and lateness of arrivals in seconds of which outputs are told, or not."""
    load: Runs = {name: [] for name in WAYS}
    late: Runs = {name: [] for name in WAYS}
    with nginx(cpu=0) as port:
        for number in range(rounds):
            for name in WAYS:
                with _options(name) as options:
                    load[name].append(told_seconds.load_seconds(port, seconds, *options))
                with _options(name) as options:
                    late[name].append(told_seconds.late_seconds(port, seconds // 2, *options))
            print(f"  round {number + 1}:", *summarise(load, late), sep="\n    ", flush=True)
    return {
        "summary": summarise(load, late),
        "load": {name: told_seconds.raw(runs) for name, runs in load.items()},
        "late": {name: told_seconds.raw(runs) for name, runs in late.items()},
    }


def summarise(load: Runs, late: Runs) -> list[str]:
    """Say what each costs; `none` is what the method finds where there is nothing."""
    return [
        "of the load's processor time "
        + "; ".join(f"{words} {shares(load[name])}" for name, words in WAYS.items())
        + " (target 2 %)",
        "p99 lateness with work for outputs beside that without: "
        + "; ".join(f"{words} {lateness(late[name])}" for name, words in WAYS.items())
        + " (target: within the noise)",
    ]


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
