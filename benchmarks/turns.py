"""What generators that take turns come to: medians, and what a request costs without the start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from benchmarks.processes import Outcome

SHORT_S = 1
"""Seconds of the shorter of two runs, whose difference leaves out starting and ending."""

MOST_WAITED = 0.1
"""Of the time that a generator wants to run: where others had more of it, the round says little."""

_EQUAL = 1.005
"""A ratio that is more is told as such."""

CPU_OF_REQUEST = "cpu_us_per_request"

Figures = dict[str, float]
"""What was measured of a generator in one round."""

Raw = dict[str, list[Figures]]
"""What was measured in each round, by generator."""


class Generated(NamedTuple):
    """What one process has done: the whole of it, its requests, and how many a second."""

    outcome: Outcome
    count: float
    rate: float


@dataclass(frozen=True, slots=True)
class Rounds:
    """Rounds that are over.

    Attributes:
        counted: Those in which no generator waited too long, or all if there is no such round.
        left_out: The others.
    """

    counted: Raw
    left_out: Raw

    def medians(self, what: str) -> dict[str, float]:
        """Return the median of one figure of each generator."""
        return medians(self.counted, what)

    def ratio(self, what: str, one: str, other: str) -> float:
        """Return one generator's figure by another's.

        The machine is not as fast in each round, so they are compared in each, and the answer is
        the median of that.
        """
        pairs = zip(self.counted[one], self.counted[other], strict=True)
        return median(first[what] / second[what] for first, second in pairs)

    def cpu(self, one: str, other: str) -> str:
        """Return the CPU of a request of one generator by another's, in words."""
        return f"{self.ratio(CPU_OF_REQUEST, one, other):.2f} ×"

    def cpu_beside(self, one: str, others: Mapping[str, str]) -> str:
        """Return it for each of several, given what they are called, if they took part.

        Whoever takes less is named as ahead.
        """
        ratios = [
            (self.ratio(CPU_OF_REQUEST, one, other), called)
            for other, called in others.items()
            if other in self.counted
        ]
        return "".join(
            f", {ratio:.2f} × {called}{' (ahead of us)' if ratio > _EQUAL else ''}"
            for ratio, called in ratios
        )

    def answer(self, summary: Sequence[str], cpu: str) -> dict:
        """Return what a question answers: a summary, what has to be known of it, and figures.

        Args:
            summary: What the figures come to, in words.
            cpu: The figure that is the CPU of a request.
        """
        return {
            "summary": [*summary, *self.said],
            "rounds": self.counted,
            "left_out": self.left_out,
            "median_rate": self.medians("rate"),
            "median_cpu_us": self.medians(cpu),
        }

    @property
    def said(self) -> list[str]:
        """What a reader has to know of them."""
        why = f"a generator waited for others over {MOST_WAITED:.0%} of its time"
        if any(one["waited"] > MOST_WAITED for found in self.counted.values() for one in found):
            return [f"no round was quiet: in each, {why}"]
        left_out = len(next(iter(self.left_out.values()), []))
        return [f"rounds left out: {left_out}, as {why}"] if left_out else []


def in_turns(names: Sequence[str], rounds: int, measure: Callable[[str], Figures]) -> Rounds:
    """Measure each generator once a round, another one first in each.

    A round in which others used the processor is made again, but not more than half of them.
    """
    counted: Raw = {name: [] for name in names}
    left_out: Raw = {name: [] for name in names}
    width = max(map(len, names))
    for number in range(2 * rounds):
        first = number % len(names)
        figures: dict[str, Figures] = {}
        for name in (*names[first:], *names[:first]):
            one = figures[name] = measure(name)
            told = ", ".join(f"{word} {value:,.2f}" for word, value in one.items())
            print(f"  round {number + 1}: {name:{width}} {told}", flush=True)
        is_quiet = _is_quiet(figures.values())
        for name, one in figures.items():
            (counted if is_quiet else left_out)[name].append(one)
        if len(counted[names[0]]) == rounds:
            break
    return _rounds(counted, left_out)


def quiet_rounds(raw: Raw) -> Rounds:
    """Return rounds that are over, those left out in which others used the processor."""
    parts: tuple[Raw, Raw] = ({}, {})
    for is_quiet, part in zip((True, False), parts, strict=True):
        rows = [one for one in zip(*raw.values(), strict=True) if _is_quiet(one) is is_quiet]
        part.update({name: [row[n] for row in rows] for n, name in enumerate(raw)})
    return _rounds(*parts)


def _is_quiet(figures: Iterable[Figures]) -> bool:
    return max(one["waited"] for one in figures) <= MOST_WAITED


def _rounds(counted: Raw, left_out: Raw) -> Rounds:
    return Rounds(counted, left_out) if any(counted.values()) else Rounds(left_out, {})


def requests_in_turns(
    generate: Mapping[str, Callable[[int], Generated]], rounds: int, seconds: int
) -> Rounds:
    """Measure what a request costs each generator, given what runs it for so many seconds."""

    def measure(name: str) -> Figures:
        return without_start(generate[name], max(seconds, SHORT_S + 1), "request")

    return in_turns(list(generate), rounds, measure)


def medians(raw: Raw, what: str) -> dict[str, float]:
    """Return the median of one figure of each generator."""
    return {name: round(median(one[what] for one in found), 1) for name, found in raw.items()}


def without_start(generate: Callable[[int], Generated], seconds: int, word: str) -> Figures:
    """Return the rate, and the CPU of one of what `word` calls it, without that of starting."""
    short, long = generate(SHORT_S), generate(seconds)
    cpu_us = (long.outcome.cpu_s - short.outcome.cpu_s) / (long.count - short.count) * 1e6
    return {
        "rate": round(long.rate, 1),
        f"cpu_us_per_{word}": round(cpu_us, 2),
        "waited": round(max(short.outcome.waited, long.outcome.waited), 3),
    }
