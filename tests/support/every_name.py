"""What a user may write with each public name, for a type checker: nothing here is run."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import planrunner
from planrunner.pytest_plugin import MeasuredComponent, Perf, PlanRuns


def of_plans(path: Path) -> planrunner.Plan:
    plan = planrunner.Plan.from_yaml(path).replace(thresholds=["p95 < 1s"])
    notices: tuple[str, ...] = plan.validate(params={"users": 5}, no_exec=True)
    text: str = plan.explain() + plan.to_yaml() + "".join(notices) + planrunner.__version__
    return planrunner.Plan.from_yaml(text)


async def buy(user: planrunner.User) -> None:
    keys: dict[str, object] = dict(user.vars)
    reply: planrunner.UserReply = await user.get("/a", name="a", query=keys, timeout=2)
    first, second = await asyncio.gather(user.put("/b", body=b"x"), user.delete("/c", expect=None))
    async with user.group("g"):
        await user.pause(timedelta(seconds=user.random.random()))
    await user.etcd.put(key="a", value=str(user.id))
    user.header("X-A", None if first.ok else reply.headers["x-a"])
    user.log(second.elapsed.total_seconds())
    if not reply.json["ok"]:
        user.fail(reply.text)


def of_results(result: planrunner.Result) -> float:
    figures: planrunner.Figures = result.total
    by_name: planrunner.FiguresByName[planrunner.PhaseFigures] = result.phases
    series: tuple[planrunner.SeriesFigures, ...] = result.series
    failed: tuple[planrunner.FailedRequests, ...] = result.failures
    p95: planrunner.Elapsed = figures.p95 + series[0].percentile(99) * 2
    rates: list[float] = [one.per_second for one in by_name.values()]
    counts: int = figures.count + sum(one.count for one in failed)
    passed: bool = result.passed and p95 < timedelta(seconds=1)
    return p95.ms + counts + sum(rates) + passed


def of_comparisons(before: planrunner.Result, after: planrunner.Result) -> str:
    two: planrunner.RunComparison = planrunner.compare(before, after)
    three: planrunner.ComparedRuns = planrunner.compare(before, after, planrunner.load("r"))
    return two.explain() + three.explain() + str(two.is_worse) + str(three.best)


async def of_runs(plan: planrunner.Plan) -> planrunner.StressResult:
    results = await asyncio.gather(
        planrunner.run_async(plan, hold="1m"), planrunner.load_test("http://a", users=5, json=[1])
    )
    seconds: planrunner.RunStream = planrunner.stream(plan, workers="auto")
    async for second in seconds:
        one: planrunner.RunSecond = second
        live: planrunner.LiveFigures = one.requests["GET /"]
        of_results(planrunner.run(plan, users=live.count + results[0].total.count))
    await seconds.aclose()
    return await planrunner.stress_test("http://a", step_duration=timedelta(seconds=3))


def length(text: str) -> int:
    return len(text)


async def answer() -> str:
    return ""


def of_measurements() -> planrunner.Benchmark:
    with planrunner.Collector("nightly", labels={"n": 1}, thresholds="p95 < 1s") as c:
        c.record("query", 0.1, 5, unit="rows")
        c.error("query", "timeout", seconds=1, reason="late")
        measured: int = c.measure("length", work=1)(length)("a")
        with c.measure("block"):
            figures: planrunner.Figures = c.total
    later = planrunner.benchmark_async(answer, iterations=5, name="answer")
    awaited: planrunner.Benchmark = asyncio.run(later)
    bench = planrunner.benchmark(length, args=["a"], work=lambda found: found + measured)
    return bench if bench.stable and figures.count else awaited


async def of_the_bridge() -> Mapping[str, object]:
    collector = planrunner.MetricsCollector()
    collector.start_collection()
    collector.record_response_time(0.1)
    runner = planrunner.BenchmarkRunner()
    found: planrunner.BenchmarkResult = await runner.benchmark_async(answer)
    client = planrunner.PerformanceClient(tool="auto")
    k6, locust = planrunner.K6Adapter("load.js"), planrunner.LocustAdapter()
    adapters = (k6, locust, planrunner.ApacheBenchAdapter())
    assert all([isinstance(await one.is_available(), bool) for one in adapters])
    tested: Mapping[str, object] = await client.load_test("http://a")
    return {**tested, **found.to_dict()}


def of_errors(plan: planrunner.Plan) -> planrunner.PlanrunnerError | None:
    try:
        planrunner.run(plan)
    except planrunner.PlanError as error:
        faults: tuple[planrunner.Diagnostic, ...] = error.diagnostics
        raise planrunner.UsageError(faults[0].message, hint=faults[0].hint) from error
    except planrunner.ResultLost as lost:
        return planrunner.CannotRun(lost.result.plan)
    except (planrunner.PackageMissing, planrunner.Interrupted) as error:
        return error
    return None


def test_under_pytest(perf: Perf, planrunner_run: PlanRuns) -> None:
    found: MeasuredComponent[int] = perf(length, "a", work=perf.rows, limit="1s")
    assert found.value == 1
    assert found.figures.med < timedelta(seconds=1)
    assert perf.data({"id": "rand.uuid()"}, format="csv").exists()
    assert planrunner_run("plan.yaml", users=5).passed
