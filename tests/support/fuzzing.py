"""Rounds of made-up inputs: the same few in the fast suite, others for minutes in `make fuzz`."""

from __future__ import annotations

import faulthandler
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TypeVar
from warnings import catch_warnings, simplefilter

import hypothesis
import psutil
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisWarning

__all__ = ["FuzzTime", "bounded", "fuzz"]

T = TypeVar("T")
LONG = settings(
    max_examples=200,
    derandomize=False,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    report_multiple_bugs=False,
)
USUAL_EXAMPLES = 100
"""What Hypothesis tries where the profile doesn't say otherwise."""
MOST_PRINTED = 2_000
HUNG_S = 120
GIGABYTE = 1_000_000_000


class FuzzTime:
    """How long a fuzzer runs, and with which seed.

    Args:
        seconds: 0 for one short round that is the same each time.
        seed: Of the first round; each further one has the next number.
        findings: The folder in which the input of a failure is kept.
    """

    def __init__(self, seconds: float, seed: int, findings: Path) -> None:
        self.seconds = seconds
        self.seed = seed
        self.findings = findings

    def rounds(self) -> Iterator[int]:
        """Yield the seeds of rounds until the time is over, one at least."""
        end = time.monotonic() + self.seconds
        number = self.seed
        while number == self.seed or time.monotonic() < end:
            yield number
            number += 1


def fuzz(
    inputs: st.SearchStrategy[T], *, examples: int
) -> Callable[[Callable[[T, Path], None]], Callable[[FuzzTime, Path], None]]:
    """Make a test of a function that takes an input and a folder, and asserts what is promised.

    Args:
        inputs: What makes them.
        examples: How many of them `make check` tries; the fast suite tries a part of them.
    """

    def decorate(promise: Callable[[T, Path], None]) -> Callable[[FuzzTime, Path], None]:
        def test(fuzz_time: FuzzTime, tmp_path: Path) -> None:
            target = promise.__module__.rpartition("test_fuzz_")[2]
            kept = fuzz_time.findings / promise.__name__.removeprefix("test_")

            def try_one(found: T) -> None:
                try:
                    promise(found, tmp_path)
                except Exception:
                    _keep(kept, found)
                    raise

            if not fuzz_time.seconds:
                most = max(1, examples * settings().max_examples // USUAL_EXAMPLES)
                quick = settings(max_examples=most, derandomize=True, phases=[Phase.generate])
                _round(quick, inputs, try_one, f"its input: {kept}")
                return
            for number in fuzz_time.rounds():
                again = f"`make fuzz TARGET={target} SEED={number}`"
                told = f"{again} finds it again; its input: {kept}"
                _round(LONG, inputs, try_one, told, seed=number)

        test.__name__, test.__doc__ = promise.__name__, promise.__doc__
        return test

    return decorate


class _Input:
    """What is tried; it may be far too long to print."""

    def __init__(self, found: object) -> None:
        self.found = found

    def __repr__(self) -> str:
        text = repr(self.found)
        return text if len(text) < MOST_PRINTED else f"{text[:MOST_PRINTED]} …"


def _round(
    how: settings,
    inputs: st.SearchStrategy[T],
    try_one: Callable[[T], None],
    told: str,
    seed: int = 0,
) -> None:
    @settings(how, deadline=None, suppress_health_check=list(HealthCheck))
    @given(inputs.map(_Input))
    def test(one: _Input) -> None:
        try_one(one.found)

    with catch_warnings():
        simplefilter("ignore", HypothesisWarning)  # that inputs are long to print
        try:
            (test if how.derandomize else hypothesis.seed(seed)(test))()
        except Exception as error:
            error.add_note(told)
            raise


def _keep(path: Path, found: object) -> None:
    """Write down an input that broke its promise; the last one is the smallest."""
    path.parent.mkdir(exist_ok=True)
    data = found if isinstance(found, bytes) else str(found).encode("utf-8", "surrogatepass")
    path.write_bytes(data)


class _TooSlow(AssertionError):  # noqa: N818 - reads as the sentence it stands for
    """What was to end within some seconds of CPU time did not."""


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Fail what takes more CPU time than that, or a gigabyte of memory.

    What waits for something, or never returns from C, ends the process after two minutes, with a
    traceback.
    """

    def end(signum: int, frame: FrameType | None) -> None:
        raise _TooSlow(f"took more than {seconds:g} s of CPU time")

    before, memory = signal.signal(signal.SIGPROF, end), resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_memory_taken() + GIGABYTE, memory[1]))
    faulthandler.dump_traceback_later(HUNG_S, exit=True)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    started = time.process_time()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        resource.setrlimit(resource.RLIMIT_AS, memory)
        faulthandler.cancel_dump_traceback_later()
    assert time.process_time() - started < seconds  # whatever caught what `end` raised


def _memory_taken() -> int:
    """Return the size of the process's address space, in bytes."""
    return psutil.Process().memory_info().vms
