"""What a page of metrics says of a run, when it is there, and that its size is bounded."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import Request, urlopen

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


OPEN_METRICS = "application/openmetrics-text;version=1.0.0"


def test_whoever_asks_gets_one_of_two_pages_and_packed_if_it_likes() -> None:
    """Whatever versions are asked for, so that they are no way to fill the memory."""

    async def main() -> tuple[list[bytes], set[str]]:
        run, output = Told(), PrometheusOutput(port="auto")
        # A name that looks like the place of a bucket's bound.
        await served(output, run, [second(1, {labels_of('{le="<bound>",le="'): delta_of(1)})])
        accepts = (OPEN_METRICS, "", f"{OPEN_METRICS}.7", "application/openmetrics-text;version=x")
        replies = [await asyncio.to_thread(asked, run.url, accept) for accept in accepts]
        await output.stop()
        return [gzip.decompress(text) for _, text in replies], {kind for kind, _ in replies}

    (open_metrics, plain, other_version, no_version), kinds = asyncio.run(main())

    assert len(kinds) == 2
    assert open_metrics == other_version
    assert plain == no_version
    assert open_metrics.endswith(b"# EOF\n")
    families = [*text_string_to_metric_families(plain.decode())]
    [durations] = (one for one in families if one.type == "histogram")
    assert {one.labels["request"] for one in durations.samples} == {'{le="<bound>",le="'}
    assert [one.labels.get("le") for one in durations.samples][-3:] == ["+Inf", None, None]


def asked(url: str, accept: str) -> tuple[str, bytes]:
    wanted = Request(url, headers={"Accept": accept, "Accept-Encoding": "gzip"})
    with urlopen(wanted, timeout=10) as reply:
        assert reply.headers["Content-Encoding"] == "gzip"
        return reply.headers["Content-Type"], reply.read()


@pytest.mark.slow
def test_a_large_page_is_bounded_and_written_soon() -> None:
    """500 requests with 5 statuses, whatever the number of workers that sent them.

    Also when all of them are new: their lines were written before somebody asked.
    """
    statuses = (200, 201, 404, 500, 503)
    delta = delta_of(1, 2, 30, 400)
    deltas = {
        labels_of(f"GET /{n}", status, failure="status" if status >= 400 else ""): delta
        for n in range(500)
        for status in statuses
    }

    async def main() -> tuple[int, list[float]]:
        run, output = Told(), PrometheusOutput(port="auto")
        await output.start(run.info)
        took_s = []
        for number in (1, 2):
            await output.add(second(number, deltas))
            began_s = time.process_time()
            _, text = await asyncio.to_thread(asked, run.url, OPEN_METRICS)
            took_s.append(time.process_time() - began_s)
        await output.stop()
        lines = gzip.decompress(text).splitlines()
        return sum(not line.startswith(b"#") for line in lines), took_s

    lines, took_s = asyncio.run(main())

    assert lines == 500 * (5 + 3 + 15 + 2) + 3
    assert max(took_s) < 0.2
