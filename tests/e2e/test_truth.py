"""Against a server whose delays are known, percentiles are what they must be."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.plans import PlanProject

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow

# What a shared machine adds to 95 of 100 requests, generously.
NOISE_MS = 15.0

# The server's timers tick once a millisecond, and their rounding is half a bucket at 300 ms.
EARLY_MS = 1.0 + 1.2


@contextmanager
def server(delay_ms: float, stall_s: float = 0, slow_ms: float = 0) -> Iterator[int]:
    """The benchmarks' server of known delays, in a process of its own."""
    import socket  # noqa: PLC0415

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = ROOT / "benchmarks" / "stalling_server.py"
    command = [sys.executable, str(script), *map(str, (port, delay_ms, stall_s, slow_ms))]
    process = subprocess.Popen(command)
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def measured(project: PlanProject, port: int, phase: str, users: str = "") -> dict:
    project.write(
        {
            "plan.yaml": f"""\
name: truth
http: {{base_url: "http://127.0.0.1:{port}"}}
users: {{A: {{{users}tasks: [{{get: /}}]}}}}
phases: [{phase}]
report: {{formats: [metrics.json]}}
"""
        }
    )
    project.run("execute", "plan.yaml", "--out", "out", "--quiet")
    return json.loads((project.directory / "out" / "metrics.json").read_text())


def request_row(metrics: dict) -> dict:
    return next(row for row in metrics["rows"] if row["by"] == "request" and not row["phase"])


def test_a_constant_delay_is_reported_as_it_is(project: PlanProject) -> None:
    """50 ms are 50 ms in the median, in both latencies."""
    with server(50) as port:
        row = request_row(measured(project, port, "{rate: 40/s, hold: 3s}"))

    assert row["count"] == 120
    for kind in ("latency_ns", "service_ns"):
        assert 49.5 <= row[kind]["p50"] / 1e6 <= 50 + NOISE_MS


@pytest.mark.parametrize("phase", ["{rate: 100/s, hold: 4s}", "{users: 4, hold: 4s}"])
def test_two_modes_stay_apart(project: PlanProject, phase: str) -> None:
    """Nine of ten take 20 ms, each tenth 300 ms: no percentile says 48 ms, which is their mean."""
    with server(20, slow_ms=300) as port:
        row = request_row(measured(project, port, phase))

    assert row["count"] >= 200
    for kind in ("latency_ns", "service_ns"):
        found = {name: row[kind][name] / 1e6 for name in ("min", "p50", "p95", "max")}
        assert 20 - EARLY_MS <= found["min"] <= found["p50"] <= 20 + NOISE_MS
        assert 300 - EARLY_MS <= found["p95"] <= 300 + NOISE_MS


def test_a_stall_of_a_second_shows_in_the_open_model(project: PlanProject) -> None:
    """Of 5 s one stands still: the 95th percentile is the wait of who arrived early in it."""
    with server(5, stall_s=2) as port:
        row = request_row(measured(project, port, "{rate: 100/s, hold: 5s}"))

    # A fifth of the arrivals wait up to a second; the top quarter of those waited over 0.75 s.
    assert row["count"] == 500
    assert 740 <= row["latency_ns"]["p95"] / 1e6 <= 790 + NOISE_MS
    assert 940 <= row["latency_ns"]["p99"] / 1e6 <= 1_005 + 3 * NOISE_MS


def test_a_closed_model_hides_the_stall_and_says_so(project: PlanProject) -> None:
    """Five users were stalled once each: five slow requests of hundreds."""
    with server(5, stall_s=2) as port:
        metrics = measured(project, port, "{users: 5, hold: 5s}")

    assert request_row(metrics)["latency_ns"]["p95"] / 1e6 < 100
    assert any("its users waited too" in notice for notice in metrics["notices"])


def test_ten_thousand_users_think_on_one_worker(project: PlanProject) -> None:
    """Each with a connection of its own; 30 s of think time, and nobody fails."""
    resource = pytest.importorskip("resource")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if limit != resource.RLIM_INFINITY and limit < 12_000:
        pytest.skip(f"needs 12,000 open files, and this process may have {limit:,}")
    with server(0) as port:
        metrics = measured(
            project, port, "{users: 10000, ramp_up: 10s, hold: 15s}", users="wait: 20s..30s, "
        )

    assert metrics["totals"]["failed_requests"] == 0
    assert metrics["totals"]["total_requests"] >= 10_000
