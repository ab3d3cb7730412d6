"""The bridge: code that was written for an older performance module, against a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import planrunner
from planrunner.python.bridge.client import PerformanceClient
from tests.support.http_servers import HttpServer, Request, Wire, reply, serve
from tests.support.plans import running

NOTHING_THERE = "http://127.0.0.1:9/x"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are written below the current directory."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
def test_a_load_test_answers_with_a_dictionary(target: HttpServer) -> None:
    """Of plain values, as code prints and stores it."""

    async def load() -> Any:
        async with PerformanceClient(tool="auto") as client:
            return await client.load_test(
                target_url=f"{target.url}/x", users=2, duration=1, ramp_up=0
            )

    results = asyncio.run(load())

    assert type(results) is dict
    assert (results["tool"], results["target_url"]) == ("planrunner", f"{target.url}/x")
    assert (results["users"], results["duration"]) == (2, 1)
    assert (results["success"], results["errors"]) == (True, None)
    metrics, run = results["results"], planrunner.load(results["directory"])
    assert metrics["total_requests"] == run.total.count > 0
    assert (metrics["failed_requests"], metrics["error_rate"]) == (0, 0)
    assert metrics["throughput"] == pytest.approx(run.total.per_second, abs=0.001)
    assert metrics["response_times"]["p95"] == pytest.approx(run.total.p95.ms, abs=0.001)
    assert 1 <= metrics["duration"] < 3
    assert "PASS" in results["output"]


async def answer_and_leave(request: Request, wire: Wire) -> None:
    """As servers do that keep no connection of HTTP/1.0."""
    await wire.send(reply(200, b"ok"))
    if b"HTTP/1.0" in request.raw:
        await wire.close()


@pytest.mark.slow
@pytest.mark.parametrize(("tool", "ramp_up"), [("k6", 1), ("ab", 0)])
def test_another_tool_sends_the_load(tool: str, ramp_up: int) -> None:
    """And answers as planrunner does."""
    adapters = {"k6": planrunner.K6Adapter, "ab": planrunner.ApacheBenchAdapter}
    client = PerformanceClient(tool=tool, thresholds=["p95 < 10s", "error_rate < 50%"])

    with running(serve(answer_and_leave)) as server:
        url = f"{server.url}/x?${{a}}"
        answer = asyncio.run(client.load_test(url, users=2, duration=1, ramp_up=ramp_up))

    assert asyncio.run(adapters[tool]().is_available())
    assert (answer["tool"], answer["success"]) == (tool, True), answer["output"]
    run = planrunner.load(answer["directory"])
    assert [*run.requests] == ["GET /x?${a}"]
    # What is on its way when the time is over is reported by neither.
    assert 0 <= len(server.requests) - run.total.count <= 4


def test_a_target_that_is_not_there_is_no_success() -> None:
    """As a tool that was run would have said, and a comparison goes on."""
    client = PerformanceClient()

    load = asyncio.run(client.load_test(NOTHING_THERE, users=1, duration=1))
    stress = asyncio.run(client.stress_test(NOTHING_THERE, start_users=4))
    compared = asyncio.run(
        client.run_comparison(NOTHING_THERE, [{"users": 1, "duration": 1}, {"users": 2}])
    )

    assert load["success"] is False
    assert "127.0.0.1:9" in str(load["errors"])
    assert load["results"]["total_requests"] == 0
    assert (stress["max_users_reached"], stress.get("break_point")) == (0, 4)
    assert stress["steps"][0]["result"]["success"] is False
    assert (compared["total_tests"], compared["successful_tests"]) == (2, 0)
    assert (compared["failed_tests"], len(compared["results"])) == (2, 2)


@pytest.mark.slow
def test_a_stress_test_goes_up_in_steps(target: HttpServer) -> None:
    """Each of them like a load test, until nothing is left or the generator is the limit."""
    answer = asyncio.run(PerformanceClient().stress_test(target.url, 1, 2, 1, step_duration=0.5))

    run = planrunner.load(str(answer["directory"]))
    assert type(answer) is dict
    assert answer["stress_test"] is True
    assert answer.get("break_point", "None") is None
    assert answer["max_users_reached"] == max(one.level for one in run.raw.search)
    assert [one["users"] for one in answer["steps"]] == [one.level for one in run.raw.search]
    counts = [one["result"]["results"]["total_requests"] for one in answer["steps"]]
    assert counts == [row.count for row in run.raw.rows if row.by == "stage"][: len(counts)]


@pytest.mark.slow
def test_limits_of_ones_own_say_what_success_is(target: HttpServer) -> None:
    """In place of those of `load_test`."""
    client = PerformanceClient(thresholds=["max < 1us"])

    load = asyncio.run(client.load_test(target.url, users=1, duration=0.2, ramp_up=0))

    assert load["success"] is False


async def benchmark(client: PerformanceClient, url: str, requests: int) -> Any:
    result = await client.benchmark(target_url=url, requests=requests)
    await client.close()
    return result


@pytest.mark.slow
@pytest.mark.parametrize("library", [httpx.AsyncClient, httpx.Client])
def test_a_benchmark_is_sent_by_the_client_that_is_given(
    target: HttpServer, library: Callable[..., Any]
) -> None:
    """With its headers and base URL, whichever kind it is; it is closed with ours."""
    http_client = library(base_url=target.url, headers={"X-Test": "1"}, trust_env=False)

    result = asyncio.run(benchmark(PerformanceClient(http_client=http_client), "/endpoint", 20))

    assert (result.name, result.iterations) == ("GET /endpoint", 20)
    assert result["avg_time"] == result.avg_time
    assert 0 < result.min_time <= result.avg_time <= result.max_time
    assert result.throughput == pytest.approx(1000 / result.avg_time)
    assert (result.metadata["errors"], result.metadata["error_rate"]) == (0, 0)
    assert planrunner.load(result.metadata["directory"]).requests["GET /endpoint"].count == 20
    sent = [one for one in target.requests if one.target == "/endpoint"]
    assert len(sent) == 20
    assert {name.lower(): text for name, text in sent[0].headers.items()}["x-test"] == "1"
    assert http_client.is_closed


@pytest.mark.slow
def test_a_benchmark_without_a_client_is_sent_by_planrunner(target: HttpServer) -> None:
    """And by a client that has only a base URL."""

    class Base:
        base_url = target.url

    alone = asyncio.run(benchmark(PerformanceClient(), f"{target.url}/a", 5))
    based = asyncio.run(benchmark(PerformanceClient(http_client=Base()), "/b", 5))

    assert (alone.name, alone.iterations, alone.metadata["errors"]) == (
        f"GET {target.url}/a",
        5,
        0,
    )
    assert (based.name, based.iterations) == ("GET /b", 5)
    assert [one.target for one in target.requests if one.target == "/b"] == ["/b"] * 5


def test_replies_from_400_on_and_exceptions_fail() -> None:
    """Whatever the client thinks of them."""

    class Broken:
        def __init__(self) -> None:
            self.sent = 0

        async def get(self, url: str) -> httpx.Response:
            self.sent += 1
            if self.sent == 1:
                raise httpx.ReadTimeout(url)
            return httpx.Response(404 if self.sent == 2 else 200)

    runner = planrunner.BenchmarkRunner()

    result = asyncio.run(runner.benchmark_endpoint(Broken(), "GET", "/x", iterations=4))

    assert (result.iterations, result.metadata["errors"]) == (4, 2)
    assert result.metadata["error_rate"] == 0.5
    failures = planrunner.load(str(result.metadata["directory"])).failures
    assert {one.kind: one.reason for one in failures} == {
        "timeout": "ReadTimeout: /x",
        "status": "status 404",
    }


def test_functions_are_benchmarked() -> None:
    """`async def` and `def`, in milliseconds."""
    runner = planrunner.BenchmarkRunner()

    async def waits() -> str:
        await asyncio.sleep(0.002)
        return "success"

    def counts() -> int:
        return sum(range(100))

    slow = asyncio.run(runner.benchmark_async(func=waits, iterations=5, warmup_iterations=1))
    fast = runner.benchmark_sync(func=counts, iterations=5, warmup_iterations=1, name="sum")

    assert (slow.name, slow.iterations, slow.metadata["function"]) == ("waits", 5, "waits")
    assert 2 <= slow.min_time <= slow.avg_time <= slow.max_time
    assert slow.total_time == pytest.approx(5 * slow.avg_time / 1000)
    assert (fast.name, fast.metadata["function"]) == ("sum", "counts")
    assert 0 < fast.avg_time < 1
    assert fast.throughput == pytest.approx(1000 / fast.avg_time)


def test_a_function_that_raises_has_no_figures() -> None:
    """What it raised goes on, as averages of failures mean nothing."""

    def broken() -> None:
        raise ValueError("no rows")

    with pytest.raises(ValueError, match="no rows"):
        planrunner.BenchmarkRunner().benchmark_sync(broken, iterations=2)


def named(name: str, ms: float) -> planrunner.BenchmarkResult:
    return planrunner.BenchmarkResult(name, 10, 10 * ms / 1000, ms, ms, ms)


def test_benchmarks_are_compared() -> None:
    """By their average, and by how many there are a second."""
    runner = planrunner.BenchmarkRunner()

    compared = runner.compare_benchmarks([named("a", 200), named("b", 100), named("c", 300)])

    assert compared["fastest"] == {"name": "b", "avg_time_ms": 100}
    assert compared["slowest"] == {"name": "c", "avg_time_ms": 300}
    assert compared["highest_throughput"] == {"name": "b", "throughput": 10}
    assert [one["name"] for one in compared["benchmarks"]] == ["a", "b", "c"]
    assert compared["summary"]["avg_time_range_ms"] == {"min": 100, "max": 300}
    assert runner.compare_benchmarks([]) == {}


@pytest.mark.slow
def test_a_relative_url_leads_to_the_load_of_the_client(target: HttpServer) -> None:
    """With its headers, but those that belong to its own connections."""

    class Given:
        base_url = f"{target.url}/v1/"
        default_headers = {"X-Test": "1", "Accept-Encoding": "br"}  # noqa: RUF012 - as it was

    client = PerformanceClient(http_client=Given())

    results = asyncio.run(client.load_test("/x", users=1, duration=0.2, ramp_up=0))

    assert results["target_url"] == f"{target.url}/v1/x"
    headers = {name.lower(): text for name, text in target.requests[-1].headers.items()}
    assert headers["x-test"] == "1"
    assert headers.get("accept-encoding") != "br"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: PerformanceClient(tool="gatling"), '`gatling` is none of "auto", '),
        (lambda: PerformanceClient(tool="k6").stress_test(NOTHING_THERE), "k6 takes no other load"),
        (lambda: PerformanceClient().load_test("/x", users=1), "target_url: `/x` is relative"),
        (
            lambda: PerformanceClient().load_test(NOTHING_THERE, users=0),
            "users: .* no user ever starts",
        ),
        (
            lambda: PerformanceClient().benchmark(NOTHING_THERE, requests=0),
            "requests: .* too small",
        ),
        (
            lambda: planrunner.BenchmarkRunner().benchmark_endpoint(object(), "GET", "/x"),
            "the HTTP client sends no GET",
        ),
        (
            lambda: planrunner.BenchmarkRunner().benchmark_endpoint(
                httpx.Client(), "GET", "/x", iterations=0
            ),
            "iterations: `0` is too few",
        ),
    ],
)
def test_what_cannot_be_is_an_error(call: Callable[[], Any], words: str) -> None:
    """Which names the argument."""

    async def run() -> None:
        await call()

    with pytest.raises(planrunner.PlanrunnerError, match=words):
        asyncio.run(run())


def test_a_closed_client_does_nothing() -> None:
    """And says so."""
    client = PerformanceClient()
    asyncio.run(client.close())

    with pytest.raises(planrunner.UsageError, match="the client is closed"):
        asyncio.run(client.load_test(NOTHING_THERE))


def test_metrics_are_collected() -> None:
    """In milliseconds and percent, while it lasts and afterwards, as a run."""
    collector = planrunner.MetricsCollector(out="r")
    assert collector.get_metrics()["total_requests"] == 0
    collector.record_response_time(1)  # nothing is collected yet
    collector.start_collection()
    collector.record_response_time(150.5)
    collector.record_error("timeout", "Connection timeout")
    assert collector.get_metrics()["total_requests"] == 2
    for _ in range(8):
        collector.record_response_time(50.5)

    collector.stop_collection()
    collector.record_response_time(1)

    metrics = collector.get_metrics()
    assert (metrics["total_requests"], metrics["successful_requests"]) == (10, 9)
    assert (metrics["failed_requests"], metrics["error_rate"]) == (1, 10)
    assert metrics["error_types"] == {"timeout": 1}
    times = metrics["response_times"]
    assert times["avg"] == pytest.approx((150.5 + 8 * 50.5) / 9, abs=0.001)
    assert (times["min"], times["max"], times["median"]) == (50.5, 150.5, 50.5)
    assert (times["p95"], times["p99"]) == pytest.approx((150.5, 150.5), rel=0.004)
    assert metrics["throughput"] > 0
    run = planrunner.load("r")
    assert run.requests["request"].count == 10
    assert run.failures[0].reason == "Connection timeout"


def test_a_collection_begins_anew() -> None:
    """Each is a run of its own, and `reset` forgets."""
    collector = planrunner.MetricsCollector(formats=[])
    for _ in range(2):
        collector.start_collection()
        collector.record_response_time(5)

    assert collector.get_metrics()["total_requests"] == 1
    collector.reset()
    collector.record_response_time(5)
    assert collector.get_metrics()["total_requests"] == 0
    assert len(list(Path("reports/metrics").iterdir())) == 2
