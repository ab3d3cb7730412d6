"""`BenchmarkRunner` of the bridge: functions and endpoints, called a number of times."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypedDict

from planrunner.errors import UsageError
from planrunner.python.benchmarks import benchmark, benchmark_async
from planrunner.python.bridge.benchmark_result import BenchmarkResult, result_of
from planrunner.python.bridge.given_client import GivenClient, timed_reply
from planrunner.python.collecting.collector import Collector
from planrunner.python.results.benchmark_result import Benchmark

__all__ = ["BenchmarkRunner"]


class NamedTime(TypedDict):
    """A benchmark with its average time in milliseconds."""

    name: str
    avg_time_ms: float


class NamedThroughput(TypedDict):
    """A benchmark with its iterations per second."""

    name: str
    throughput: float


class BenchmarkSpread(TypedDict):
    """The least and the greatest average time in milliseconds."""

    min: float
    max: float


class BenchmarkSummary(TypedDict):
    """All benchmarks together."""

    total_benchmarks: int
    avg_time_range_ms: BenchmarkSpread


class BenchmarkComparison(TypedDict, total=False):
    """Benchmarks beside each other; empty without any."""

    benchmarks: list[dict[str, object]]
    fastest: NamedTime
    slowest: NamedTime
    highest_throughput: NamedThroughput
    summary: BenchmarkSummary


class BenchmarkRunner:
    """Benchmarks of functions and endpoints, with the results that code of the bridge expects.

    Thin over `benchmark` and `benchmark_async`: use those in new programs.
    """

    async def benchmark_async(
        self,
        func: Callable[[], Awaitable[object]],
        iterations: int = 100,
        warmup_iterations: int = 10,
        name: str | None = None,
    ) -> BenchmarkResult:
        """Measure an `async def` function.

        Args:
            func: What to call and await, without arguments.
            iterations: How many are measured; of a short function, each is a batch of calls.
            warmup_iterations: How many go before.
            name: What it is called; None for the function's name.

        Raises:
            UsageError: An argument can't be.
        """
        called = name or _name_of(func)
        found = await benchmark_async(
            func, iterations=iterations, warmup=warmup_iterations, name=called
        )
        return _timed(found, func)

    def benchmark_sync(
        self,
        func: Callable[[], object],
        iterations: int = 100,
        warmup_iterations: int = 10,
        name: str | None = None,
    ) -> BenchmarkResult:
        """Measure a function.

        Args:
            func: What to call, without arguments.
            iterations: How many are measured; of a short function, each is a batch of calls.
            warmup_iterations: How many go before.
            name: What it is called; None for the function's name.

        Raises:
            UsageError: An argument can't be.
        """
        called = name or _name_of(func)
        found = benchmark(func, iterations=iterations, warmup=warmup_iterations, name=called)
        return _timed(found, func)

    async def benchmark_endpoint(
        self,
        client: object,
        method: str,
        url: str,
        iterations: int = 100,
        payload: Mapping[str, object] | None = None,
    ) -> BenchmarkResult:
        """Send requests one after the other with a client of any library.

        A request fails when the client raises, or with a status from 400 on. The requests are
        written as an ordinary run, whose directory is in `metadata`.

        Args:
            client: With a method such as `get`, `async def` or not.
            method: `GET`, `POST` and so on.
            url: As the client takes it.
            iterations: How many requests.
            payload: What the client gets as `data`, if anything.

        Raises:
            UsageError: There is nothing to send, or the client can't send it.
            CannotRun: The run's directory can't be made.
        """
        if iterations < 1:
            hint = "give a whole number from 1 on"
            raise UsageError(f"iterations: `{iterations}` is too few", hint=hint)
        send = GivenClient(client).sender(method)
        keywords = {} if payload is None else {"data": payload}
        name = f"{method.upper()} {url}"
        with Collector(name) as collector:
            for _ in range(iterations):
                reply = await timed_reply(send, url, **keywords)
                if reply.failure:
                    collector.error(name, reply.failure, seconds=reply.seconds, reason=reply.reason)
                else:
                    collector.record(name, reply.seconds)
        return result_of(collector.close(), name, {"method": method, "url": url})

    def compare_benchmarks(self, results: Sequence[BenchmarkResult]) -> BenchmarkComparison:
        """Put benchmarks beside each other: the fastest, the slowest, the highest throughput.

        Args:
            results: At least one; without any, the answer is empty.
        """
        if not results:
            return {}
        by_time = sorted(results, key=lambda one: one.avg_time)
        fastest, slowest = by_time[0], by_time[-1]
        highest = max(results, key=lambda one: one.throughput)
        return {
            "benchmarks": [one.to_dict() for one in results],
            "fastest": {"name": fastest.name, "avg_time_ms": fastest.avg_time},
            "slowest": {"name": slowest.name, "avg_time_ms": slowest.avg_time},
            "highest_throughput": {"name": highest.name, "throughput": highest.throughput},
            "summary": {
                "total_benchmarks": len(results),
                "avg_time_range_ms": {"min": fastest.avg_time, "max": slowest.avg_time},
            },
        }


def _timed(found: Benchmark, func: Callable[[], object]) -> BenchmarkResult:
    metadata = {
        "function": _name_of(func),
        "median": found.med.ms,
        "p95": found.p95.ms,
        "stable": found.stable,
        "batch": found.batch,
    }
    count, mean = found.iterations, found.mean
    return BenchmarkResult(
        found.name, count, mean.s * count, mean.ms, found.min.ms, found.max.ms, metadata
    )


def _name_of(func: Callable[[], object]) -> str:
    return str(getattr(func, "__name__", func))
