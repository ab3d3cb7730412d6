"""What a page of metrics says of a run, when it is there, and that its size is bounded."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from planrunner.engine.coordinator.events import Insight, Standing
from planrunner.errors import CannotRun
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.evidence import ArrivalCounts
from planrunner.metrics.judging.verdict import Verdict
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta, Snapshot
from planrunner.outputs.base import RunInfo, Second
from planrunner.outputs.prometheus.output import PrometheusOutput
from planrunner.units import NS_PER_MS, NS_PER_S

T = TypeVar("T")

AWKWARD = 'GET "a\\b"\n<script> \ud800'


class Told:
    """A run that keeps what outputs say."""

    def __init__(self, **labels: str) -> None:
        self.said: list[str] = []
        self.info = RunInfo(*("r1", AWKWARD, "load", 7), labels, Path("run"), tell=self.said.append)

    @property
    def url(self) -> str:
        return self.said[0].removeprefix("metrics: ")


def second(number: int, deltas: dict[Labels, SeriesDelta]) -> Second:
    snapshot = Snapshot((number - 1) * NS_PER_S, number * NS_PER_S, {"A": 3}, deltas)
    return Second(number, datetime(2026, 5, 4, tzinfo=UTC), ("main",), snapshot)


def labels_of(request: str, status: int = 200, **more: Any) -> Labels:
    return Labels(request, "GET", "main", "hold", "A", "t", status=status, **more)


def delta_of(*latencies_ms: float) -> SeriesDelta:
    latency = Histogram([round(ms * NS_PER_MS) for ms in latencies_ms])
    return SeriesDelta(latency, latency)


def read(url: str, accept: str = "") -> str:
    with urlopen(url, timeout=10) as reply:
        return str(reply.read().decode())


async def scrape(url: str) -> dict[tuple[str, ...], float]:
    """Return each sample by its name and the values of its labels, sorted by their names."""
    text = await asyncio.to_thread(read, url)
    return {
        (sample.name, *(text for _, text in sorted(sample.labels.items()) if text)): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def served(output: PrometheusOutput, run: Told, seconds: Sequence[Second]) -> None:
    await output.start(run.info)
    for one in seconds:
        await output.add(one)


def test_the_page_adds_up_what_counts_and_leaves_out_the_rest() -> None:
    """Whatever is in names; a warm-up is apart; what is no result is nowhere."""
    ok, failed = labels_of(AWKWARD), labels_of(AWKWARD, 500, failure="status")
    parts = {
        ok: delta_of(1, 3),
        labels_of(AWKWARD, tags=(("area", "x y"), ("read", ""))): delta_of(700),
        failed: delta_of(20),
        labels_of(AWKWARD, warmup=True): delta_of(5),
        labels_of(AWKWARD, after=True): delta_of(5),
        labels_of("unmeasured", measured=False): delta_of(1),
        labels_of("cut", failure="aborted"): delta_of(1),
        labels_of("login", kind="group"): delta_of(1),
        labels_of("unsent", 0, failure="error", timed=False): delta_of(0),
    }

    async def main() -> tuple[dict[tuple[str, ...], float], dict[tuple[str, ...], float]]:
        run = Told(**{"team": "<b>", "seed": "no", "a-b": "c"})
        output = PrometheusOutput(port="auto", buckets=[NS_PER_S, 1_100_000], labels=["read"])
        standings = [
            Standing("p95 < 1s", Verdict.PASS, "1 ms"),
            Standing("p95 < 1s", Verdict.FAIL, "2 s"),
        ]
        output.use_insight(
            lambda: Insight(
                lambda: standings, arrivals={"main": ArrivalCounts(0, "main", 9, 5, 4, 0)}
            )
        )
        await output.start(run.info)
        before = await scrape(run.url)
        await output.add(second(1, parts))
        await output.add(second(2, {ok: delta_of(1)}))
        after = await scrape(run.url)
        await output.stop()
        return before, after

    before, after = asyncio.run(main())

    shown = AWKWARD.replace("\ud800", "?")
    info = ("perf_test_run_info", "c", "no", shown, "load", "r1", "7", "<b>")
    assert {name for name, *_ in before} == {
        "perf_test_run_info",
        "perf_test_run_start_timestamp_seconds",
    }
    assert info in before
    # Of each sample the values of kind, phase, plan, read, request, status, task, user, warmup.
    requests = "perf_test_requests_total", "main", shown
    assert {key: value for key, value in after.items() if key[0] == requests[0]} == {
        (*requests, shown, "200", "t", "A", "false"): 3,
        (*requests, "true", shown, "200", "t", "A", "false"): 1,
        (*requests, shown, "500", "t", "A", "false"): 1,
        (*requests, shown, "200", "t", "A", "true"): 2,
        (*requests, "unsent", "0", "t", "A", "false"): 1,
    }
    assert {key: value for key, value in after.items() if key[0] == "perf_test_errors_total"} == {
        ("perf_test_errors_total", "status", *requests[1:], shown, "500", "t", "A", "false"): 1,
        ("perf_test_errors_total", "error", *requests[1:], "unsent", "0", "t", "A", "false"): 1,
    }
    bucket = "perf_test_request_duration_seconds_bucket"
    assert [
        after[bucket, le, "main", shown, shown, "t", "A", "false"]
        for le in ("0.0011", "1.0", "+Inf")
    ] == [2, 4, 4]
    total = "perf_test_request_duration_seconds_sum", "main", shown, shown, "t", "A", "false"
    assert after[total] == pytest.approx(0.025)
    assert after["perf_test_users", shown, "A"] == 3
    assert after["perf_test_dropped_total", "main", shown] == 4
    assert [
        after["perf_test_threshold", shown, "p95 < 1s", verdict] for verdict in ("pass", "fail")
    ] == [0, 1]


def test_a_port_in_use_is_said_with_its_number() -> None:
    """The run ends before its load, unless the output is optional."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(CannotRun) as refused:
            asyncio.run(PrometheusOutput(port=port).start(Told().info))

    assert refused.value.message == f"cannot listen on `127.0.0.1:{port}`: Address already in use"
    assert "port: auto" in refused.value.hint


def test_the_page_waits_for_one_scrape_if_there_was_one() -> None:
    """Of what it shows at the end; nobody is waited for who never came."""

    async def main(*, is_watched: bool) -> bool:
        run, output = Told(), PrometheusOutput(port="auto")
        await served(output, run, [second(1, {labels_of("a"): delta_of(1)})])
        if is_watched:
            await scrape(run.url)
        await output.add(second(2, {labels_of("a"): delta_of(1)}))
        lingering = asyncio.create_task(output.linger())
        await asyncio.sleep(0)
        waits = not lingering.done()
        if waits:
            await scrape(run.url)
        await asyncio.wait_for(lingering, 5)
        await output.stop()
        return waits

    assert not asyncio.run(main(is_watched=False))
    assert asyncio.run(main(is_watched=True))


@pytest.mark.slow
def test_a_large_page_is_bounded_and_written_soon() -> None:
    """500 requests with 5 statuses, whatever the number of workers that sent them."""
    statuses = (200, 201, 404, 500, 503)
    delta = delta_of(1, 2, 30, 400)
    deltas = {
        labels_of(f"GET /{n}", status, failure="status" if status >= 400 else ""): delta
        for n in range(500)
        for status in statuses
    }

    async def main() -> tuple[int, float]:
        run, output = Told(), PrometheusOutput(port="auto")
        await served(output, run, [second(1, deltas)])
        await asyncio.to_thread(read, run.url)
        await output.add(second(2, deltas))
        began_s = time.process_time()
        text = await asyncio.to_thread(read, run.url)
        took_s = time.process_time() - began_s
        await output.stop()
        return sum(not line.startswith("#") for line in text.splitlines()), took_s

    lines, took_s = asyncio.run(main())

    assert lines == 500 * (5 + 3 + 15 + 2) + 3
    assert took_s < 0.2
