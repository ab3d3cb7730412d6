"""What outputs take of a run that is told to them every other second: see `metered.py`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from operator import attrgetter
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.processes import ENVIRONMENT, pinned
from planrunner.metrics.histogram import Histogram
from planrunner.timing.spread import spread_of
from planrunner.units import NS_PER_MS, NS_PER_S, NS_PER_US
from planrunner.values import dataclass

ROOT = Path(__file__).resolve().parent.parent
PLANS = ROOT / "benchmarks" / "plans"
WARM_UP_S = 2
"""What is left out of the begin of each run."""

RATE = "2000/s"


@dataclass(frozen=True, slots=True)
class Part:
    """What a part of a second took of the load's process, and the process of the page of it."""

    cpu_ns: int
    own_ns: int
    threads_ns: int
    page_ns: int
    requests: int

    @property
    def request_ns(self) -> float:
        return self.cpu_ns / self.requests

    def less(self, other: Part) -> Part:
        return Part(
            self.cpu_ns - other.cpu_ns,
            self.own_ns - other.own_ns,
            self.threads_ns - other.threads_ns,
            self.page_ns - other.page_ns,
            self.requests - other.requests,
        )


@dataclass(frozen=True, slots=True)
class MeteredSecond:
    """One second of load.

    Attributes:
        told: Whether outputs were told of the one before it, and so had work at its begin.
        longest_ns: The longest that outputs held up the load at a time.
        whole: All of it.
        first: What outputs had that for; None where the load came to nothing in it.
        late: How long after they were due its iterations began.
    """

    told: bool
    longest_ns: int
    whole: Part
    first: Part | None
    late: Histogram

    @classmethod
    def of(cls, row: dict[str, Any]) -> MeteredSecond:
        whole, first = _part(row), row["first"]
        rest = first and whole.requests - first["requests"]
        is_useful = first and min(first["requests"], rest) > 0
        late = Histogram.from_bytes(bytes.fromhex(row["late"])) if row["late"] else Histogram()
        return cls(row["told"], row["longest_ns"], whole, _part(first) if is_useful else None, late)


def _part(row: dict[str, Any]) -> Part:
    return Part(*(row[name] for name in ("cpu_ns", "own_ns", "threads_ns", "page_ns", "requests")))


Pair = tuple[MeteredSecond, MeteredSecond]
"""Two seconds, one after the other: first the one in which outputs had work."""

Look = Callable[["subprocess.Popen[str]"], AbstractContextManager[object]]
"""What goes on beside a run; gets its process."""


def load_seconds(
    port: int, seconds: int, *options: str, beside: Look = nullcontext
) -> list[MeteredSecond]:
    """Send as many requests as one processor allows, as question 1 does."""
    return _metered("throughput.yaml", port, seconds, *options, beside=beside)


def late_seconds(
    port: int, seconds: int, *options: str, beside: Look = nullcontext
) -> list[MeteredSecond]:
    """Send 2,000 requests a second, as question 3 does."""
    rate = ("--profile", "open", "--set", f"rate={RATE}")
    return _metered("truth.yaml", port, seconds, *rate, *options, beside=beside)


def _metered(
    plan: str, port: int, seconds: int, *options: str, beside: Look
) -> list[MeteredSecond]:
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder) / "seconds.json", Path(folder) / "run"
        hold = f"hold={seconds + WARM_UP_S}s"
        command = [sys.executable, "-m", "benchmarks.metered", str(file), "execute"]
        command += [str(PLANS / plan), "--set", f"port={port}", "--set", hold, *options]
        command += ["--quiet", "--out", str(out), "--formats", "metrics.json"]
        process = subprocess.Popen(
            pinned(command, 1), stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=ROOT
        )
        with beside(process):
            _, errors = process.communicate()
        if not (out / "metrics.json").exists():
            raise RuntimeError(errors)
        return [MeteredSecond.of(row) for row in json.loads(file.read_text())]


def pairs_of(runs: Sequence[Sequence[MeteredSecond]]) -> list[Pair]:
    """Return two seconds each, of one of which outputs were told; those of the warm-up left out."""
    return [
        (one, other) if one.told else (other, one)
        for seconds in runs
        for one, other in zip(seconds[WARM_UP_S::2], seconds[WARM_UP_S + 1 :: 2], strict=False)
    ]


def extra_ns(pair: Pair) -> float | None:
    """Return what requests took longer in all because outputs had work in a second.

    That is in its first part, against the rest of it: what else the machine does falls on both, and
    on the parts of the second beside it.
    """
    told, other = pair
    if told.first is None or other.first is None:
        return None
    with_work = told.first.request_ns / told.whole.less(told.first).request_ns
    without = other.first.request_ns / other.whole.less(other.first).request_ns
    return (1 - without / with_work) * told.first.cpu_ns


def shares(runs: Sequence[Sequence[MeteredSecond]]) -> str:
    """Say what outputs take of a processor that a load has for itself, by both methods."""
    pairs = pairs_of(runs)
    own = [told.whole.own_ns + told.whole.threads_ns for told, _ in pairs]
    extra = [found for pair in pairs if (found := extra_ns(pair)) is not None]
    steps = f"{_percent(own)} by the clock of its own steps, {fmean(own) / NS_PER_S:.2%} on average"
    return f"{_percent(extra)} by comparison, {steps}"


def _percent(found_ns: Sequence[float]) -> str:
    spread = spread_of([one / NS_PER_S for one in found_ns])
    low, high = spread.interval
    return f"{spread.median:+.2%} ({low:+.2%} to {high:+.2%})"


def lateness(runs: Sequence[Sequence[MeteredSecond]]) -> str:
    """Say by how much the 99th percentile of lateness is greater where outputs have work."""
    pairs = [
        (told, other) for told, other in pairs_of(runs) if told.late.count and other.late.count
    ]
    pooled = Histogram()
    for _, other in pairs:
        pooled.merge(other.late)
    apart = spread_of([_p99_ms(told.late) - _p99_ms(other.late) for told, other in pairs])
    low, high = apart.interval
    longest_ms = max(told.longest_ns for told, _ in pairs) / NS_PER_MS
    return (
        f"{apart.median:+.3f} ms ({low:+.3f} to {high:+.3f}) on {_p99_ms(pooled):.2f} ms, "
        f"longest step {longest_ms:.2f} ms"
    )


def _p99_ms(late: Histogram) -> float:
    return late.percentile(99) / NS_PER_MS


def raw(runs: Sequence[Sequence[MeteredSecond]]) -> list[dict[str, list]]:
    """Return what was measured, a list of each number with an item a second."""
    return [dict(_columns(seconds)) for seconds in runs]


def _columns(seconds: Sequence[MeteredSecond]) -> Iterator[tuple[str, list]]:
    yield "told", [one.told for one in seconds]
    yield "longest_us", [one.longest_ns // NS_PER_US for one in seconds]
    for name, get in (("second", attrgetter("whole")), ("first", attrgetter("first"))):
        parts = [get(one) for one in seconds]
        for word in ("cpu", "own", "threads", "page"):
            found = [part and getattr(part, f"{word}_ns") // NS_PER_US for part in parts]
            if any(found):
                yield f"{name}_{word}_us", found
        yield f"{name}_requests", [part and part.requests for part in parts]
    late = [one.late for one in seconds]
    if any(one.count for one in late):
        yield "late_p99_ms", [round(_p99_ms(one), 4) if one.count else None for one in late]
