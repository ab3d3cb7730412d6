"""Question 19: what the live page and its viewers cost the load."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from statistics import median
from threading import Thread

import httpx

from benchmarks.processes import ENVIRONMENT, nginx, pinned

PLANS = Path(__file__).resolve().parent / "plans"
SHORT = 1
"""Seconds of the run that is taken off a longer one, and with it the start and the reports."""

VIEWERS = {"none": 0, "page": 0, "3 viewers": 3, "none again": 0}

RUN = """
import resource, sys
from planrunner.cli.main import main
own = sys.argv.pop(1)
try:
    main()
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    open(own, "w").write(str(used.ru_utime + used.ru_stime))
"""
"""The command line, which then writes what processor time this process had, without others."""


def live_page(rounds: int, seconds: int) -> dict:
    """CPU of a request in the run's process, and lateness of arrivals, in turns."""
    cpu: dict[str, list[float]] = {name: [] for name in VIEWERS}
    late: dict[str, list[float]] = {name: [] for name in VIEWERS}
    with nginx(cpu=0) as port:
        for number in range(rounds):
            # The order turns round, as what runs beside changes slowly.
            for name in list(VIEWERS)[:: -1 if number % 2 else 1]:
                cpu[name].append(_cpu_us(name, port, seconds))
                late[name].append(_late_ms(name, port, seconds))
            shown = {name: (cpu[name][-1], late[name][-1]) for name in VIEWERS}
            print(f"  round {number + 1}: {shown}", flush=True)
    return {"summary": summarise(cpu, late), "cpu_us_per_request": cpu, "late_p99_ms": late}


def summarise(cpu: dict[str, list[float]], late: dict[str, list[float]]) -> list[str]:
    """Compare in each round, and the runs without a page with each other."""
    ratio = {name: _ratio(cpu, name) for name in VIEWERS}
    medians = {name: median(values) for name, values in late.items()}
    return [
        f"CPU per request with a page {ratio['page']:.3f} × without, "
        f"with three viewers {ratio['3 viewers']:.3f} × (target 1.02); "
        f"without, once more {ratio['none again']:.3f} ×",
        "p99 lateness "
        + ", ".join(f"{name} {ms:.2f} ms" for name, ms in medians.items())
        + " (target: within the noise)",
    ]


def _ratio(raw: dict[str, list[float]], name: str) -> float:
    pairs = zip(raw[name], raw["none"], strict=True)
    return median(mine / plain for mine, plain in pairs)


def _cpu_us(name: str, port: int, seconds: int) -> float:
    plan = PLANS / "throughput.yaml"
    short_s, short = _once(name, plan, f"port={port}", f"hold={SHORT}s")
    long_s, long = _once(name, plan, f"port={port}", f"hold={SHORT + seconds}s")
    few, many = (one["totals"]["total_requests"] for one in (short, long))
    return round((long_s - short_s) / (many - few) * 1e6, 2)


def _late_ms(name: str, port: int, seconds: int) -> float:
    settings = (f"port={port}", "rate=2000/s", f"hold={seconds}s")
    _, found = _once(name, PLANS / "truth.yaml", *settings, profile="open")
    return round(found["loads"][0]["lateness_p99_ns"] / 1e6, 3)


def _once(name: str, plan: Path, *settings: str, profile: str = "") -> tuple[float, dict]:
    """Run a plan; returns the processor time of the run's process, and its metrics."""
    with tempfile.TemporaryDirectory() as folder:
        own, out = Path(folder) / "own", Path(folder) / "run"
        given = [word for setting in settings for word in ("--set", setting)]
        command = [sys.executable, "-c", RUN, str(own), "execute", str(plan), *given, "--quiet"]
        command += ["--out", str(out), "--formats", "metrics.json"]
        command += ["--profile", profile] if profile else []
        command += [] if name.startswith("none") else ["--ui"]
        process = subprocess.Popen(
            pinned(command, 1), stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
        )
        with ExitStack() as stack:
            if VIEWERS[name]:
                assert process.stderr is not None
                address = re.search(r"http://\S+", process.stderr.readline())
                assert address
                for _ in range(VIEWERS[name]):
                    viewer = Thread(target=_view, args=(address[0],))
                    viewer.start()
                    stack.callback(viewer.join)
            _, errors = process.communicate()
        if not (out / "metrics.json").exists():
            raise RuntimeError(errors)
        return float(own.read_text()), json.loads((out / "metrics.json").read_text())


def _view(url: str) -> None:
    """Look at a page until it is gone, as a browser does."""
    with httpx.Client(timeout=60, trust_env=False) as browser, suppress(httpx.HTTPError):
        way = re.search(r'url=([^"]+)"', browser.get(url).text)
        assert way
        base = url.partition("/?")[0] + way[1]
        run = browser.get(f"{base}api/session").json()["run"]
        seen = browser.get(f"{base}api/runs/{run}/state").json()["seq"]
        with browser.stream("GET", f"{base}api/runs/{run}/events?after={seen}") as events:
            for line in events.iter_lines():
                if '"result":{' in line and '"files":[{' in line:
                    return
