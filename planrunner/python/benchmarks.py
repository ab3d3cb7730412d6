"""Functions measured by themselves: warmed up, in calibrated batches, with what disturbed them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import closing, contextmanager
from functools import partial
from inspect import isawaitable, iscoroutine, iscoroutinefunction
from math import inf
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Final

from planrunner.errors import UsageError
from planrunner.python.arguments import check_keywords
from planrunner.python.keywords import BenchmarkKeywords
from planrunner.python.results.benchmark_result import Benchmark, Timings
from planrunner.timing.batches import BATCH_NS, SLOW_NS, Calibration, time_awaits, time_calls
from planrunner.timing.garbage import GarbageWatch
from planrunner.timing.later import works_later
from planrunner.timing.machine import MachineWatch
from planrunner.timing.overhead import CallKind, empty_call_ns

if TYPE_CHECKING:
    from typing import Unpack

__all__ = ["benchmark", "benchmark_async"]

_MOST: Final = 100_000_000


def benchmark(
    function: Callable[..., object],
    *,
    iterations: int = 1000,
    warmup: int = 10,
    **keywords: Unpack[BenchmarkKeywords],
) -> Benchmark:
    """Measure what calls of a function take.

    An iteration is a batch of as many calls as take a millisecond, so that reading the clock
    doesn't count; how many those are is found before. The calls are made in this thread, one after
    the other, inside a running event loop too. The collector of garbage is left as it is.

    An exception of the function goes on from here, with a note that says which iteration it was
    in; what was measured until then is lost.

    Args:
        function: What to call: a `def`; `benchmark_async` is for an `async def`.
        iterations: How many batches are measured.
        warmup: How many batches go before, unmeasured.
        **keywords: Its arguments, batch, work and name.

    Raises:
        UsageError: An argument can't be, or `work` is not a number.

    Example:
        >>> bench = planrunner.benchmark(sorted, args=[[3, 1, 2]], iterations=100)
        >>> bench.iterations, bench.med < timedelta(milliseconds=1)
        (100, True)
    """
    check_keywords("benchmark", keywords, BenchmarkKeywords)
    measuring = _Measurement(function, CallKind.PLAIN, iterations, warmup, keywords)
    if iscoroutinefunction(function):
        raise measuring.wrong_kind()
    call = measuring.call
    if measuring.tries_first:
        with measuring.noting(), measuring.first_call():
            returned = call()
        if iscoroutine(returned):
            returned.close()
            raise measuring.wrong_kind()
        measuring.check_returned(returned)
        measuring.take_work(returned)
    with measuring.noting(), closing(measuring.batches()) as batches:
        for calls in batches:
            measuring.took_ns = time_calls(call, calls)
    return measuring.result()


async def benchmark_async(
    function: Callable[..., Awaitable[object]],
    *,
    iterations: int = 1000,
    warmup: int = 10,
    **keywords: Unpack[BenchmarkKeywords],
) -> Benchmark:
    """Measure what calls of an `async def` function take, each awaited before the next one.

    It is otherwise as `benchmark`. Other tasks of the event loop run between iterations and while
    a call waits; the call takes longer by what they do meanwhile.

    Args:
        function: What to call and await.
        iterations: How many batches are measured.
        warmup: How many batches go before, unmeasured.
        **keywords: Its arguments, batch, work and name.

    Raises:
        UsageError: An argument can't be, or `work` is not a number.

    Example:
        >>> async def answer() -> None: ...
        >>> asyncio.run(planrunner.benchmark_async(answer, iterations=100)).iterations
        100
    """
    check_keywords("benchmark_async", keywords, BenchmarkKeywords)
    measuring = _Measurement(function, CallKind.COROUTINE, iterations, warmup, keywords)
    call = measuring.call
    if measuring.tries_first:
        with measuring.noting():
            awaitable = call()
        measuring.check_returned(awaitable)
        if not isawaitable(awaitable):
            raise measuring.wrong_kind()
        with measuring.noting(), measuring.first_call():
            returned = await awaitable
        measuring.check_returned(returned)
        measuring.take_work(returned)
    with measuring.noting(), closing(measuring.batches()) as batches:
        for calls in batches:
            measuring.took_ns = await time_awaits(call, calls)
            await asyncio.sleep(0)  # a function that waits for nothing can be cancelled here
    return measuring.result()


class _Measurement:
    """One call of `benchmark`: which batches it needs, and what they come to.

    Attributes:
        call: The function with its arguments.
        took_ns: What the last batch took; whoever timed it says so.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        kind: CallKind,
        iterations: int,
        warmup: int,
        keywords: BenchmarkKeywords,
    ) -> None:
        args, named = keywords.get("args", ()), keywords.get("kwargs", {})
        self._with_arguments = bool(args or named)
        self.call: Callable[[], Any] = (
            partial(function, *args, **named) if args or named else function
        )
        given: object = function  # not all callers have their types checked
        if not callable(given):
            if iscoroutine(given):
                given.close()
            hint = "give the function itself, and what it is called with apart from it"
            raise UsageError(f"function: `{function!r}` can't be called", hint=hint)
        self._kind = kind
        self._name = keywords.get("name") or str(getattr(function, "__qualname__", function))
        self._iterations = _count("iterations", iterations, at_least=1)
        self._warmup = _count("warmup", warmup, at_least=0)
        batch = keywords.get("batch", "auto")
        self._batch = 0 if batch == "auto" else _count("batch", batch, at_least=1)
        self._work = keywords.get("work", 0)
        if not callable(self._work):
            self.take_work(None)
        self._unit = keywords.get("unit", "")
        self._samples: list[float] = []
        self._stage = "before it was measured"
        self._first_ns = self.took_ns = 0

    @property
    def tries_first(self) -> bool:
        """Whether a call goes before any batch: unless the first one is to be measured."""
        return bool(self._warmup or not self._batch or callable(self._work))

    def check_returned(self, returned: object) -> None:
        """Refuse what would do its work later, when nobody measures.

        Raises:
            UsageError: It is a generator.
        """
        if works_later(returned):
            hint = "measure a function that goes through it, as `list` does"
            message = f"`{self._name}` returns a generator, which has done nothing yet"
            raise UsageError(f"function: {message}", hint=hint)

    def take_work(self, returned: object) -> None:
        """Ask how much a call does that returned something.

        Raises:
            UsageError: That is not a number.
        """
        work: object = self._work(returned) if callable(self._work) else self._work
        if isinstance(work, bool) or not isinstance(work, int | float) or not 0 <= work < inf:
            hint = "give how much one call does, such as `work=1000`, or a function of its result"
            raise UsageError(f"work: `{work!r}` is not a number from 0", hint=hint)
        self._work_done = work

    @contextmanager
    def first_call(self) -> Iterator[None]:
        """Time the call that goes before any batch."""
        began_ns = perf_counter_ns()
        yield
        self._first_ns = perf_counter_ns() - began_ns

    def batches(self) -> Generator[int, None, None]:
        """Yield how many calls to time next.

        A slow first call warms the function up, and the batches have one call. If the next one is
        fast, the first was slow by what is done once, and the batches are found by trying.
        """
        is_slow = not self._batch and self._first_ns >= SLOW_NS
        if is_slow and (yield from self._rounds(1, self._warmup - 1, is_sure=False)):
            return
        calls = self._batch or (yield from self._calibrated())
        yield from self._rounds(calls, self._warmup)

    def _calibrated(self) -> Generator[int, None, int]:
        self._stage = "before it was measured"
        calibration = Calibration()
        while not calibration.is_done:
            yield calibration.calls
            calibration.add(self.took_ns)
        return calibration.calls

    def _rounds(
        self, calls: int, warmup: int, *, is_sure: bool = True
    ) -> Generator[int, None, bool]:
        """Yield the batches that warm up, and those that count; say whether they are long enough.

        Only the first of them is looked at, unless that is known.
        """
        self._batch = calls
        self._stage = "while it was warmed up"
        for _ in range(warmup):
            yield calls
            if not (is_sure := is_sure or self.took_ns >= BATCH_NS):
                return self._nothing()
        with GarbageWatch() as garbage, MachineWatch() as machine:
            for number in range(self._iterations):
                self._stage = f"in iteration {number + 1:,} of {self._iterations:,}"
                yield calls
                if not (is_sure := is_sure or self.took_ns >= BATCH_NS):
                    return self._nothing()
                self._samples.append(self.took_ns / calls)
                machine.look()
            self._conditions = machine.conditions()
        self._garbage = garbage
        return True

    def _nothing(self) -> bool:
        self._batch = 0
        return False

    def result(self) -> Benchmark:
        return Benchmark(
            self._name,
            Timings(
                samples_ns=tuple(self._samples),
                batch=self._batch,
                overhead_ns=empty_call_ns(self._kind, with_arguments=self._with_arguments),
                collections=self._garbage.collections,
                collecting_ns=self._garbage.took_ns,
                machine=self._conditions,
            ),
            work=self._work_done,
            unit=self._unit,
        )

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Say in an exception of the function what was done when it was raised."""
        try:
            yield
        except Exception as error:
            error.add_note(
                f"{self._name} raised this {self._stage}; a benchmark has no figures then"
            )
            raise

    def wrong_kind(self) -> UsageError:
        if self._kind is CallKind.PLAIN:
            hint = "await planrunner.benchmark_async instead"
            return UsageError(f"function: `{self._name}` has to be awaited", hint=hint)
        hint = "use planrunner.benchmark instead"
        return UsageError(f"function: what `{self._name}` returns can't be awaited", hint=hint)


def _count(argument: str, value: object, *, at_least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not at_least <= value <= _MOST:
        hint = f"give a whole number from {at_least}"
        raise UsageError(f"{argument}: `{value!r}` can't be", hint=hint)
    return value
