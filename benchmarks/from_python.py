"""Question 16: whether a run costs more from Python than by the command."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.processes import Outcome, nginx, run

COMMAND = str(Path(sys.executable).with_name("planrunner"))
PLAN = str(Path(__file__).resolve().parent / "plans" / "throughput.yaml")
USERS = 64
SHORT = 1
"""Seconds of the run that is taken off a longer one, and with it the start and the reports."""

# The end of a Python program is its own: the interpreter looks through all objects once more, as
# it does for every package, while the command leaves that out.
RUN = """
import os, sys, planrunner
plan, port, hold, users, out = sys.argv[1:]
params = {"port": int(port), "hold": f"{hold}s", "users": int(users)}
planrunner.run(plan, params=params, out=out, formats=["metrics.json"])
os._exit(0)
"""
LOAD_TEST = """
import asyncio, os, sys, planrunner
url, hold, users, out = sys.argv[1:]
asyncio.run(planrunner.load_test(
    url, users=int(users), duration=int(hold), out=out, formats=["metrics.json"]))
os._exit(0)
"""

_Command = Callable[[int, int, Path], list[str]]


def _by_command(port: int, hold: int, out: Path) -> list[str]:
    settings = (f"port={port}", f"hold={hold}s", f"users={USERS}")
    given = [word for setting in settings for word in ("--set", setting)]
    return [COMMAND, "execute", PLAN, *given, *_reports(out)]


def _by_run(port: int, hold: int, out: Path) -> list[str]:
    return [sys.executable, "-c", RUN, PLAN, str(port), str(hold), str(USERS), str(out)]


def _url_by_command(port: int, hold: int, out: Path) -> list[str]:
    load = ("--users", str(USERS), "--hold", f"{hold}s")
    return [COMMAND, "run", _url(port), *load, *_reports(out)]


def _by_load_test(port: int, hold: int, out: Path) -> list[str]:
    return [sys.executable, "-c", LOAD_TEST, _url(port), str(hold), str(USERS), str(out)]


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}/kv/42"


def _reports(out: Path) -> tuple[str, ...]:
    return ("--out", str(out), "--formats", "metrics.json", "--quiet")


WAYS: dict[str, _Command] = {
    "execute": _by_command,
    "planrunner.run": _by_run,
    "run": _url_by_command,
    "load_test": _by_load_test,
}


def from_python(rounds: int, seconds: int) -> dict:
    """CPU of a request, and of all else, by the command and from Python in turns."""
    raw: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
    with nginx(cpu=0) as port:
        for number in range(rounds):
            # The order turns round, as what runs beside changes slowly.
            for name in list(WAYS)[:: -1 if number % 2 else 1]:
                raw[name].append(_measure(WAYS[name], port, seconds))
            shown = {name: found[-1]["cpu_us_per_request"] for name, found in raw.items()}
            print(f"  round {number + 1}: {shown}", flush=True)
    return {"summary": summarise(raw), "rounds": raw}


def summarise(raw: dict[str, list[dict[str, float]]]) -> list[str]:
    """Compare in each round; the rate on a processor of its own is the inverse of the CPU."""
    run_cost = _ratio(raw, "cpu_us_per_request", "planrunner.run", "execute")
    rate = 1 / _ratio(raw, "cpu_us_per_request", "load_test", "run")
    start = _ratio(raw, "start_s", "planrunner.run", "execute")
    return [
        f"CPU per request of `planrunner.run` {run_cost:.3f} × the command's (target 1)",
        f"`load_test` reaches {rate:.3f} × the requests/s of the command (target 0.97)",
        f"start, compilation and reports from Python {start:.2f} × the command's",
    ]


def _ratio(raw: dict[str, list[dict[str, float]]], what: str, one: str, other: str) -> float:
    pairs = zip(raw[one], raw[other], strict=True)
    return median(mine[what] / theirs[what] for mine, theirs in pairs)


def _measure(way: _Command, port: int, seconds: int) -> dict[str, float]:
    short, short_requests = _once(way, port, SHORT)
    long, requests = _once(way, port, SHORT + seconds)
    each_s = (long.cpu_s - short.cpu_s) / (requests - short_requests)
    return {
        "cpu_us_per_request": round(each_s * 1e6, 2),
        "start_s": round(short.cpu_s - short_requests * each_s, 3),
        "requests": requests,
    }


def _once(way: _Command, port: int, hold: int) -> tuple[Outcome, int]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        outcome = run(way(port, hold, out), cpu=1)
        metrics = out / "metrics.json"
        if not metrics.exists():
            raise RuntimeError(outcome.output + outcome.errors)
        totals = json.loads(metrics.read_text())["totals"]
    if totals["failed_requests"]:
        raise RuntimeError(f"{totals['failed_requests']} requests failed")
    return outcome, totals["total_requests"]
