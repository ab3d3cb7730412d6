"""`benchmark` and `benchmark_async`: which calls they make, and what their figures mean."""

from __future__ import annotations

import asyncio
import gc
import statistics
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import planrunner
from planrunner import Benchmark, UsageError
from planrunner.python import benchmarks
from planrunner.python.results.benchmark_result import Timings
from planrunner.timing import batches
from planrunner.timing.machine import Conditions
from planrunner.units import NS_PER_MS, NS_PER_S

QUIET = Conditions(NS_PER_S, 2, 0.25, NS_PER_MS, 0, (3_390_000, 3_400_000), "performance")
EVEN = tuple(1500.0 + number % 5 for number in range(100))


def measured(samples: tuple[float, ...] = EVEN, **more: Any) -> Benchmark:
    """Return the figures of samples."""
    machine = more.pop("machine", QUIET)
    timings = Timings(samples, more.pop("batch", 700), 31.25, 3, 2 * NS_PER_MS, machine)
    return Benchmark("parse", timings, work=more.pop("work", 0), unit=more.pop("unit", ""))


class Counted:
    """A function that knows how often it was called."""

    def __init__(self, fails_at: int = 0) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self._fails_at = fails_at

    def __call__(self, *args: Any, **named: Any) -> int:
        self.calls.append((*args, *named.items()))
        if len(self.calls) == self._fails_at:
            raise ValueError("broken")
        return len(self.calls)


# -- which calls are made ----------------------------------------------------------------------


def test_an_iteration_is_a_batch_of_calls() -> None:
    """One call is tried first, and warm-up is as the iterations are."""
    function = Counted()

    bench = planrunner.benchmark(function, iterations=20, warmup=3, batch=5)

    assert len(function.calls) == 1 + 3 * 5 + 20 * 5
    assert (bench.iterations, bench.batch, len(bench.samples)) == (20, 5, 20)


def test_the_very_first_call_can_be_measured() -> None:
    function = Counted()

    planrunner.benchmark(function, iterations=1, warmup=0, batch=1)

    assert len(function.calls) == 1


def test_a_batch_takes_a_millisecond() -> None:
    bench = planrunner.benchmark(int, iterations=3, warmup=0)

    assert bench.batch > 500


def test_arguments_are_those_of_each_call() -> None:
    function = Counted()

    planrunner.benchmark(
        function, args=[1, "a"], kwargs={"rows": 3}, iterations=2, warmup=0, batch=1
    )

    assert set(function.calls) == {(1, "a", ("rows", 3))}


def test_a_coroutine_is_awaited_in_the_running_loop() -> None:
    loops = set()

    async def wait(value: int) -> int:
        loops.add(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return value

    async def measure() -> Benchmark:
        loops.add(asyncio.get_running_loop())
        return await planrunner.benchmark_async(
            wait, args=[7], iterations=5, warmup=1, batch=2, work=lambda got: got
        )

    bench = asyncio.run(measure())

    assert len(loops) == 1
    assert (bench.iterations, bench.batch, bench.work) == (5, 2, 7)
    assert bench.overhead.ns > 0


def test_a_coroutine_that_waits_for_nothing_can_be_cancelled() -> None:
    async def endless() -> None:
        pass

    async def measure() -> None:
        async with asyncio.timeout(0.02):
            await planrunner.benchmark_async(endless, iterations=10_000_000)

    with pytest.raises(TimeoutError):
        asyncio.run(measure())


def test_a_running_loop_is_no_obstacle() -> None:
    async def measure() -> Benchmark:
        return planrunner.benchmark(Counted(), iterations=3, batch=1)

    assert asyncio.run(measure()).iterations == 3


def test_threads_measure_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is printed either."""
    with ThreadPoolExecutor(2) as pool:
        both = pool.map(
            lambda name: planrunner.benchmark(int, name=name, iterations=20, batch=100), "ab"
        )

    assert [bench.name for bench in both] == ["a", "b"]
    assert capsys.readouterr() == ("", "")


def test_collections_of_garbage_are_counted() -> None:
    bench = planrunner.benchmark(gc.collect, args=[0], iterations=5, warmup=0, batch=2)

    assert bench.gc >= 10
    assert bench.gc_time.ns > 0


# -- what can't be -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fails_at", "where"),
    [(1, "before it was measured"), (4, "while it was warmed up"), (9, "in iteration 2 of 3")],
)
def test_an_exception_goes_on_with_a_note(fails_at: int, where: str) -> None:
    """A call is tried, two batches of two warm up, and then it is measured."""
    with pytest.raises(ValueError, match="broken") as caught:
        planrunner.benchmark(Counted(fails_at), name="load", iterations=3, warmup=2, batch=2)

    assert caught.value.__notes__ == [f"load raised this {where}; a benchmark has no figures then"]


def test_an_exception_of_a_coroutine_goes_on_too() -> None:
    async def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError) as caught:
        asyncio.run(planrunner.benchmark_async(fail, warmup=0, batch=1, iterations=2))

    assert "in iteration 1 of 2" in caught.value.__notes__[0]


def test_a_coroutine_function_is_refused() -> None:
    async def wait() -> None: ...

    with pytest.raises(UsageError, match="has to be awaited") as caught:
        planrunner.benchmark(wait)
    with pytest.raises(UsageError, match="has to be awaited"):
        planrunner.benchmark(partial(wait))

    assert caught.value.hint == "await planrunner.benchmark_async instead"


def test_a_call_is_not_taken_for_a_function() -> None:
    """Nothing of the coroutine is left to warn of."""

    async def wait() -> None: ...

    with pytest.raises(UsageError, match=r"^function: `3` can't be called") as caught:
        planrunner.benchmark(3)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"^function: `<coroutine object .*` can't be called"):
        planrunner.benchmark(wait())  # type: ignore[arg-type]

    assert caught.value.hint.startswith("give the function itself")


def test_a_generator_has_done_nothing_when_it_is_returned() -> None:
    def rows() -> Iterator[int]:
        yield 1

    async def read() -> AsyncIterator[int]:
        yield 1

    for late in (rows, contextmanager(rows)):
        with pytest.raises(UsageError, match=r"` returns a generator, .*done nothing"):
            planrunner.benchmark(late)
    with pytest.raises(UsageError, match=r"read` returns a generator, .*done nothing"):
        asyncio.run(planrunner.benchmark_async(read))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("later_us", "warmup", "iterations", "calls", "batch"),
    [(120_000, 0, 1, 2, 1), (120_000, 1, 2, 3, 1), (120_000, 3, 1, 4, 1), (500, 0, 2, 15, 2)],
)
def test_a_slow_function_is_called_no_more_often_than_it_must(
    later_us: int,
    warmup: int,
    iterations: int,
    calls: int,
    batch: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its first call warms it up; of one that is only slow the first time, batches are found."""
    now_ns, taken = [0], 0

    def work() -> None:
        nonlocal taken
        now_ns[0] += 1000 * (later_us if taken else 120_000)
        taken += 1

    for module in (benchmarks, batches):
        monkeypatch.setattr(module, "perf_counter_ns", lambda: now_ns[0])
    monkeypatch.setattr(benchmarks, "empty_call_ns", lambda *_, **__: 0.0)
    bench = planrunner.benchmark(work, warmup=warmup, iterations=iterations)

    assert (taken, bench.batch, len(bench.samples)) == (calls, batch, iterations)


def test_a_plain_function_is_not_awaited() -> None:
    with pytest.raises(UsageError, match="`Counted` returns can't be awaited") as caught:
        asyncio.run(planrunner.benchmark_async(Counted(), name="Counted"))  # type: ignore[arg-type]

    assert not hasattr(caught.value, "__notes__")


@pytest.mark.parametrize(
    "wrong",
    [
        {"iterations": 0},
        {"iterations": 2.5},
        {"iterations": True},
        {"warmup": -1},
        {"batch": "many"},
        {"batch": 0},
        {"work": "rows"},
        {"work": -1},
        {"work": float("nan")},
        {"work": lambda _: None},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_an_argument_that_cannot_be_is_named(wrong: dict[str, Any]) -> None:
    [name] = wrong

    with pytest.raises(UsageError, match=f"^{name}: "):
        planrunner.benchmark(int, **wrong)


def test_an_unknown_keyword_is_refused_as_python_does() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'iteration'"):
        planrunner.benchmark(int, iteration=3)  # type: ignore[call-arg]


# -- what the figures mean ---------------------------------------------------------------------

SAMPLES = st.lists(st.floats(1, 1e9), min_size=2, max_size=80).map(tuple)


@settings(max_examples=50)
@given(SAMPLES)
def test_figures_are_those_of_the_batches(samples: tuple[float, ...]) -> None:
    bench = measured(samples)

    assert bench.med.ns == statistics.median(samples)
    assert bench.mean.ns == pytest.approx(statistics.fmean(samples))
    assert bench.stddev.ns == pytest.approx(statistics.stdev(samples), abs=1e-3)
    assert (bench.min.ns, bench.max.ns) == (min(samples), max(samples))
    assert bench.throughput == pytest.approx(1e9 / statistics.fmean(samples))


@settings(max_examples=50)
@given(SAMPLES, st.integers(1, 100))
def test_a_percentile_is_a_batch(samples: tuple[float, ...], percent: int) -> None:
    """The first one that as many are not slower than."""
    found = measured(samples).percentile(percent).ns

    assert found in samples
    assert 100 * sum(one <= found for one in samples) >= percent * len(samples)
    assert 100 * sum(one < found for one in samples) < percent * len(samples)


def test_fractions_of_nanoseconds_stay() -> None:
    bench = measured((20.25,) * 10)

    assert bench.med.ns == 20.25
    assert str(bench.med) == "20.2 ns"


def test_no_percentile_is_beyond_all() -> None:
    with pytest.raises(ValueError, match="not between"):
        measured().percentile(101)


def test_work_has_a_rate() -> None:
    bench = measured((NS_PER_MS * 2.0,) * 10, work=1000, unit="rows")

    assert bench.throughput == 500
    assert bench.work_rate == 500_000
    assert "500 calls/s · 500,000 rows/s" in bench.explain()


def test_steady_batches_are_stable() -> None:
    bench = measured()

    assert bench.stable
    assert bench.reason == ""
    assert repr(bench) == "<parse: 1.5 us ± 1 ns, 665,779/s, stable>"
    assert bench.explain().splitlines() == [
        "parse: stable",
        "  median ± MAD  1.5 us ± 1 ns",
        "  mean ± stddev 1.5 us ± 1.42 ns",
        "  batches       min 1.5 us · p90 1.5 us · p95 1.5 us · p99 1.5 us · max 1.5 us",
        "  throughput    665,779 calls/s",
        "  measured      100 iterations of 700 calls",
        "  overhead      31.2 ns for an empty call, part of the times",
        "  garbage       3 collections, 2 ms, part of the times",
        f"  machine       {QUIET.words}",
    ]
    assert QUIET.words == (
        "load 0.2 beside this on 2 processors · waited for a processor 0.1 % of the time"
        " · 3.39 GHz to 3.40 GHz (performance)"
    )


def test_a_busy_machine_is_a_reason() -> None:
    bench = measured(machine=Conditions(NS_PER_S, 2, 3.5, None, 0, None, ""))

    assert not bench.stable
    assert bench.reason == (
        "noisy: run again with more iterations: other work keeps 3.5 of 2 processors busy"
    )
    assert bench.machine.unknown == ("processor frequency", "waits for a processor")


def test_a_notebook_shows_the_verdict_and_the_facts() -> None:
    html = measured(work=2, unit="<rows>")._repr_html_()

    assert ">STABLE</b> <b>parse</b>" in html
    assert "&lt;rows&gt;/s" in html
    assert "<rows>" not in html
