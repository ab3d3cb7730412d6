"""Questions 3 and 9: are numbers true, and what a stall looks like."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from operator import sub
from pathlib import Path
from statistics import fmean, median

from benchmarks.generators import COMMAND, OURS, find_peer, run_k9
from benchmarks.peer_work import ARRIVALS, K6_SCENARIO, K9_SCENARIO, LOOPING
from benchmarks.processes import Outcome, free_port, nginx, pinned, run, wait_for_quiet
from benchmarks.turns import Figures, Raw, Rounds, quiet_rounds

TOLERANCE_MS = 0.05
"""What a percentile may lie from the bare probe's, beside 1 % of that."""

HERE = Path(__file__).resolve().parent


@contextmanager
def stalling(delay_ms: float, stall_s: float, cpu: int | None = 0) -> Iterator[int]:
    """Run the server of known delays; yields its port."""
    port = free_port()
    command = [sys.executable, str(HERE / "stalling_server.py"), str(port), str(delay_ms)]
    process = subprocess.Popen(pinned([*command, str(stall_s)], cpu))
    try:
        time.sleep(0.7)
        yield port
    finally:
        process.terminate()
        process.wait()


def planrunner(port: int, profile: str, *options: str, **params: str) -> Figures:
    """Run `plans/truth.yaml`; returns the percentiles of its last phase and what was late in it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        settings = [part for key, value in params.items() for part in ("--set", f"{key}={value}")]
        outcome = run(
            [
                *(COMMAND, "execute", str(HERE / "plans" / "truth.yaml"), "--profile", profile),
                *("--set", f"port={port}", *settings, "--out", str(out), "--quiet"),
                *("--formats", "metrics.json", *options),
            ],
            cpu=1,
        )
        if not (out / "metrics.json").exists():
            raise RuntimeError(outcome.output + outcome.errors)
        metrics = json.loads((out / "metrics.json").read_text())
    rows = [row for row in metrics["rows"] if row["by"] == "request"]
    row = next((row for row in rows if row["phase"] == "main"), rows[0])
    load = metrics["loads"][-1]
    return {
        "requests": row["count"],
        **{f"{p}_ms": row["latency_ns"][p] / 1e6 for p in ("p50", "p95", "p99", "max")},
        "service_p99_ms": row["service_ns"]["p99"] / 1e6,
        "late_p99_ms": load["lateness_p99_ns"] / 1e6,
        "started": load["achieved"],
        "dropped": load["dropped"],
        "count": metrics["totals"]["total_requests"],
        "cpu_s": outcome.cpu_s,
        "waited": round(outcome.waited, 3),
    }


def probe(port: int, rate: int, seconds: int) -> Figures:
    """Run the bare loop, without a port an empty one."""
    command = [sys.executable, str(HERE / "probe.py"), str(port), str(rate), str(seconds)]
    outcome = run(command, cpu=1)
    return {**json.loads(outcome.output), "waited": round(outcome.waited, 3)}


_Turn = Callable[[], Figures]
_TURN_S = 6
_K9_APART_MS = 0.03
"""What the median may lie from that of k9-load."""


def _in_turns(ways: Mapping[str, _Turn], rounds: int) -> Rounds:
    """Let all measure in short turns, so that what else the machine does falls on each alike.

    Each round waits until others leave the machine alone, and every second goes the other way
    about. A round in which others used the processor all the same is made again, but not more than
    half of them.
    """
    raw: Raw = {name: [] for name in ways}
    order = list(ways)
    for number in range(2 * rounds):
        idle = wait_for_quiet()
        for name in order:
            raw[name].append({**ways[name](), "idle_before": idle})
            print(f"  round {number + 1}: {name:11} {raw[name][-1]}", flush=True)
        order.reverse()
        found = quiet_rounds(raw)
        if found.left_out and len(found.counted[order[0]]) == rounds:
            break
    return found


def truth(rounds: int, seconds: int) -> dict:
    """Percentiles at 1,000/s beside those of a bare open-loop probe, in turns.

    The probe has two turns a round: how far it is from itself is what the machine does to both.
    """
    hold = f"{_TURN_S}s"
    with nginx(cpu=0) as port:
        ways = {
            "probe": lambda: probe(port, 1_000, _TURN_S),
            "planrunner": lambda: planrunner(port, "open", rate="1000/s", hold=hold),
            "probe again": lambda: probe(port, 1_000, _TURN_S),
        }
        if find_peer("k9"):
            ways["k9"] = lambda: k9(port, ARRIVALS.format(rate=1_000, seconds=_TURN_S))
        found = _in_turns(ways, max(rounds, rounds * seconds // _TURN_S))
    summary = [*_apart(found.counted)]
    if "k9" in ways:
        ours, theirs = ([one["p50_ms"] for one in found.counted[name]] for name in (OURS, "k9"))
        off = abs(median(map(sub, ours, theirs)))
        summary.append(
            f"p50 of k9-load {median(theirs):.3f} ms, apart {off:.3f} ms "
            f"(target {_K9_APART_MS} ms: {'kept' if off <= _K9_APART_MS else 'missed'})"
        )
    return {
        "summary": [*summary, *found.said],
        "rounds": found.counted,
        "left_out": found.left_out,
    }


def _apart(raw: Raw) -> Iterator[str]:
    """Judge what lies between planrunner and the probe's two turns around it, round by round."""
    for p in ("p50_ms", "p95_ms", "p99_ms"):
        first, ours, again = (
            [turn[p] for turn in raw[name]] for name in ("probe", OURS, "probe again")
        )
        bares = [fmean(pair) for pair in zip(first, again, strict=True)]
        bare = median(bares)
        off = abs(median(map(sub, ours, bares)))
        kept = "kept" if off <= 0.01 * bare + TOLERANCE_MS else "missed"
        yield (
            f"{p[:3]} {median(ours):.3f} ms, bare probe {bare:.3f} ms, apart {off:.3f} ms "
            f"(target 1 % + {TOLERANCE_MS} ms: {kept}); the probe from itself "
            f"{abs(median(map(sub, first, again))):.3f} ms"
        )


_LOCUST = """\
from locust import FastHttpUser, task
class Client(FastHttpUser):
    @task
    def get(self):
        self.client.get("/")
"""


def k9(port: int, scenario: str) -> Figures:
    """Run a scenario of k9-load."""
    with tempfile.TemporaryDirectory() as folder:
        done, metrics = run_k9(K9_SCENARIO.format(scenario=scenario, port=port), Path(folder))
    return _of_summary(done.outcome, metrics)


def k6(port: int, scenario: str) -> Figures:
    """Run a scenario of k6."""
    with tempfile.TemporaryDirectory() as folder:
        script, out = Path(folder) / "s.js", Path(folder) / "out.json"
        script.write_text(K6_SCENARIO.format(scenario=scenario, port=port))
        command = [find_peer("k6"), "run", "-q", "--no-usage-report", "--summary-export", str(out)]
        outcome = run([*command, str(script)], cpu=1)
        return _of_summary(outcome, json.loads(out.read_text())["metrics"])


def _of_summary(outcome: Outcome, metrics: Mapping[str, Mapping[str, float]]) -> Figures:
    """Return what a summary says, which k9-load writes as k6 does."""
    times, count = metrics["http_req_duration"], metrics["http_reqs"]["count"]
    return {
        "requests": count,
        "p50_ms": times["med"],
        "p95_ms": times["p(95)"],
        "p99_ms": times["p(99)"],
        "max_ms": times["max"],
        "dropped": metrics.get("dropped_iterations", {}).get("count", 0),
        "count": count,
        "cpu_s": outcome.cpu_s,
        "waited": round(outcome.waited, 3),
    }


def locust(port: int, seconds: int) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "locustfile.py").write_text(_LOCUST)
        run(
            [
                *(find_peer("locust"), "--headless", "-u", "20", "-r", "20"),
                *("-t", f"{seconds}s", "-H", f"http://127.0.0.1:{port}", "--csv", "l"),
                *("--only-summary", "--stop-timeout", "5"),
            ],
            cpu=1,
            cwd=Path(folder),
        )
        lines = Path(folder, "l_stats.csv").read_text().splitlines()
    values = dict(zip(lines[0].split(","), lines[-1].split(","), strict=True))
    return {
        "requests": int(values["Request Count"]),
        "p50_ms": float(values["50%"]),
        "p95_ms": float(values["95%"]),
        "p99_ms": float(values["99%"]),
        "max_ms": float(values["Max Response Time"]),
    }


def stall(rounds: int, seconds: int) -> dict:
    """A server that takes 5 ms and stands still for 1 s once: what each generator reports."""
    del rounds
    seconds = max(seconds, 8)
    rate = ARRIVALS.format(rate=200, seconds=seconds)
    users = LOOPING.format(users=20, seconds=seconds)
    hold = f"{seconds}s"
    ways = {
        "planrunner, rate: 200/s": lambda port: planrunner(port, "open", rate="200/s", hold=hold),
        "planrunner, users: 20": lambda port: planrunner(port, "closed", users="20", hold=hold),
    }
    for name, called, peer in (("k9", "k9-load", k9), ("k6", "k6", k6)):
        if find_peer(name):
            ways[f"{called}, constant-arrival-rate 200/s"] = partial(peer, scenario=rate)
            ways[f"{called}, constant-vus 20"] = partial(peer, scenario=users)
    if find_peer("locust"):
        ways["Locust, 20 users"] = lambda port: locust(port, seconds)
    raw = {}
    for name, measure in ways.items():
        with stalling(5, 3) as port:
            raw[name] = measure(port)
    late = [5.0] * (200 * (seconds - 1)) + [1_005 - n * 5.0 for n in range(200)]
    exact = sorted(late)
    true = {f"p{p}_ms": exact[-(-len(exact) * p // 100) - 1] for p in (50, 95, 99)}
    raw["what users at 200/s waited (exact)"] = {"requests": len(exact), **true, "max_ms": 1_005.0}
    told = [f"{name}: {one['p99_ms']:.0f} ms" for name, one in raw.items()]
    return {"summary": ["p99 of a server that stood still: " + "; ".join(told)], "rounds": raw}
