"""One function a question: measure side by side, return raw rounds and sentences with ratios."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.generators import OURS, find_peer, run_k6, run_k9
from benchmarks.peer_work import K6_CHECK, K6_THINKING, K9_THINKING
from benchmarks.processes import nginx, run

HERE = Path(__file__).resolve().parent
COMMAND = str(Path(sys.executable).with_name("planrunner"))


def memory(rounds: int, seconds: int) -> dict:
    """Peak resident memory at 2,000 users with 1 s of think time, and for each further user."""
    del seconds
    raw: dict[str, dict[str, list[float]]] = {}
    with nginx(cpu=0) as port:
        for _ in range(min(rounds, 3)):
            for name, peak_mb in _thinking().items():
                for users in ("2000", "4000"):
                    peaks = raw.setdefault(name, {}).setdefault(users, [])
                    peaks.append(round(peak_mb(port, users), 1))
                print(f"  {name}: {raw[name]}", flush=True)
    summary = []
    for name, by_users in raw.items():
        at = {users: median(values) for users, values in by_users.items()}
        further_kb = (at["4000"] - at["2000"]) / 2000 * 1000
        targets = (" (target 100)", " (target 12)") if name == OURS else ("", "")
        summary.append(
            f"{name} {at['2000']:.0f} MB at 2,000 users{targets[0]}, "
            f"{further_kb:.1f} KB for each further user{targets[1]}"
        )
    return {"summary": summary, "peak_mb": raw}


_THINK_S = 8


def _thinking() -> dict[str, Callable[[int, str], float]]:
    """Return what runs thinking users against a port, and gives its peak of megabytes."""

    def by_k9(port: int, users: str) -> float:
        with tempfile.TemporaryDirectory() as folder:
            plan = K9_THINKING.format(port=port, users=users, seconds=_THINK_S)
            return run_k9(plan, Path(folder))[0].outcome.peak_bytes / 1e6

    def by_k6(port: int, users: str) -> float:
        with tempfile.TemporaryDirectory() as folder:
            script = K6_THINKING.format(port=port, users=users, seconds=_THINK_S, check=K6_CHECK)
            return run_k6(script, Path(folder)).outcome.peak_bytes / 1e6

    found: dict[str, Callable[[int, str], float]] = {
        OURS: lambda port, users: _execute("memory.yaml", port, users=users, hold=f"{_THINK_S}s")[1]
    }
    peers = {"k9": ("k9-load", by_k9), "k6": ("k6", by_k6)}
    return found | {called: by for name, (called, by) in peers.items() if find_peer(name)}


def long_runs(rounds: int, seconds: int) -> dict:
    """Resident memory after 200,000 and 2 million requests."""
    del rounds, seconds
    points = []
    with nginx(cpu=0) as port:
        for hold in ("6s", "60s"):
            requests, peak = _execute("throughput.yaml", port, users="64", hold=hold)
            points.append({"requests": requests, "peak_mb": round(peak, 1)})
    growth = points[1]["peak_mb"] / points[0]["peak_mb"] - 1
    line = (
        f"{points[1]['peak_mb']} MB after {points[1]['requests']:,} requests, "
        f"{points[0]['peak_mb']} MB after {points[0]['requests']:,}: {growth:+.1%} (target 5%)"
    )
    return {"summary": [line], "points": points}


def _execute(plan: str, port: int, **params: str) -> tuple[int, float]:
    """Run a plan pinned to one core; return its requests and peak resident megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        settings = [part for key, value in params.items() for part in ("--set", f"{key}={value}")]
        outcome = run(
            [
                *(COMMAND, "execute", str(HERE / "plans" / plan), "--set", f"port={port}"),
                *(*settings, "--out", str(out), "--quiet"),
            ],
            cpu=1,
        )
        if not (out / "metrics.json").exists():
            raise RuntimeError(outcome.output + outcome.errors)
        totals = json.loads((out / "metrics.json").read_text())["totals"]
    return totals["total_requests"], outcome.peak_bytes / 1e6


def command_line(rounds: int, seconds: int) -> dict:
    """Processor time of whole commands, as multiples of a bare interpreter start."""
    del seconds
    with tempfile.TemporaryDirectory() as folder, nginx(cpu=None) as port:
        small, large = Path(folder) / "small.yaml", Path(folder) / "large.yaml"
        small.write_text(long_plan(1_000))
        large.write_text(long_plan(10_000))
        one = Path(folder) / "one.yaml"
        one.write_text(_ONE_USER.format(port=port))
        commands = {
            "bare": [sys.executable, "-I", "-c", "pass"],
            "version": [COMMAND, "--version"],
            "validate": [COMMAND, "validate", str(one)],
            "execute": [COMMAND, "execute", str(one), "--quiet", "--formats", "metrics.json"],
            "execute, reports": [COMMAND, "execute", str(one), "--quiet"],
            "validate 1000": [COMMAND, "validate", str(small)],
            "validate 10000": [COMMAND, "validate", str(large)],
        }
        raw: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(max(rounds, 5)):
            for name, command in commands.items():
                out = ["--out", str(Path(folder) / f"{name} {number}")]  # no run before this one
                outcome = run([*command, *(out if "execute" in command else ())])
                if outcome.exit_code:
                    raise RuntimeError(outcome.output + outcome.errors)
                raw[name].append(round(outcome.cpu_s, 4))
    took = {name: median(values) for name, values in raw.items()}
    bare = {name: f"{value / took['bare']:.1f} ×" for name, value in took.items()}
    summary = [
        f"--version {bare['version']} a bare start (target 5)",
        f"validate of a small plan {bare['validate']} (target 9), "
        f"of 1,000 lines {bare['validate 1000']} (target 25)",
        f"execute of one user for a second {bare['execute']} (target 18), "
        f"with reports {bare['execute, reports']} (target 25)",
        f"validate 10,000 lines {took['validate 10000'] / took['validate 1000']:.1f} × "
        "that of 1,000 (target 8)",
    ]
    return {"summary": summary, "cpu_s": raw}


_ONE_USER = """\
name: one user
http: {{base_url: "http://127.0.0.1:{port}"}}
params: {{size: {{type: int, default: 10}}}}
stages: [{{duration: 1s, users: 1}}]
thresholds: [error_rate < 1%]
users:
  Visitor:
    wait: 100ms
    tasks:
      - task: look
        steps:
          - set: {{item: "${{rand.int(1, 500)}}"}}
          - get: /items/${{item}}
            query: {{size: "${{size}}"}}
            expect: {{status: 200}}
"""


def long_plan(lines: int) -> str:
    """Return a valid plan of about `lines` lines: tasks like those people write."""
    head = [
        "name: long plan",
        'http: {base_url: "http://127.0.0.1:8080"}',
        "params: {size: {type: int, default: 10}}",
        "stages: [{duration: 1s, users: 1}]",
        "thresholds: [p95 < 1s]",
        "users:",
        "  Visitor:",
        "    wait: 1s..2s",
        "    tasks:",
    ]
    task = """\
      - task: task {n}
        weight: {weight}
        tags: [read, part{part}]
        steps:
          - set: {{item{part}: "${{rand.int(1, 500)}}"}}
          - get: /items/${{item{part}}}
            name: GET /items/:id {n}
            query: {{size: "${{size}}", page: {n}}}
            expect: {{status: [200, 404], time: < 1s}}
          - think: 100ms..200ms
          - post: /items/{n}/notes
            json: {{title: "note ${{rand.text(6)}}", item: "${{item{part}}}"}}
            expect:
              status: 201"""
    body: list[str] = []
    number = 0
    while len(head) + len(body) < lines:
        number += 1
        body += task.format(n=number, weight=number % 7 + 1, part=number % 20).splitlines()
    return "\n".join(head + body) + "\n"
