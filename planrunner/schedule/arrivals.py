"""The open model: when each arrival is due, from the inverse of the rate's integral.

The expected number of arrivals N(t) is the integral of the rate; arrival n (from 0) is due at the
first moment after which N is greater than n. Each moment is computed from n with integers alone,
so nothing is rounded per second and nothing adds up over a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from fractions import Fraction
from itertools import count, cycle
from math import ceil, gcd, isqrt, log
from random import Random
from typing import Final

from planrunner.schedule.population import next_seats
from planrunner.units import Rate
from planrunner.values import dataclass

__all__ = ["ArrivalKind", "ArrivalSchedule", "RateStage", "dealt_classes", "merged", "rate_at"]


class ArrivalKind(StrEnum):
    UNIFORM = "uniform"
    POISSON = "poisson"


@dataclass(frozen=True, slots=True)
class RateStage:
    """The rate moves linearly to `rate` in `duration_ns` (0 jumps) from the one before it."""

    name: str
    duration_ns: int
    rate: Rate


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch on which the rate is linear: (first + (last - first) * t / duration) / unit.

    Attributes:
        before: Arrivals expected before it.
        first: At its begin, `last` at its end; both per `unit_ns`.
    """

    begin_ns: int
    duration_ns: int
    before: Fraction
    first: int
    last: int
    unit_ns: int

    def expected(self, elapsed_ns: int) -> Fraction:
        """Return how many arrivals are expected in its first `elapsed_ns`."""
        twice = 2 * self.duration_ns * self.first + (self.last - self.first) * elapsed_ns
        return Fraction(twice * elapsed_ns, 2 * self.duration_ns * self.unit_ns)

    def end(self) -> Fraction:
        """Return how many arrivals are expected until its end."""
        return self.before + self.expected(self.duration_ns)

    def finder(self, scale: int) -> Callable[[int], int]:
        """Return what gives the moment, rounded down, when `wanted` / scale arrivals are expected.

        Inside the piece (t from its begin, d its length, unit u): the root of
        (last - first) t² + 2 d first t = 2 d u (wanted / scale - before).
        """
        part, whole = self.before.numerator, self.before.denominator
        # What is missing at the begin is (wanted * whole - known) / divisor.
        known, divisor = part * scale, scale * whole
        begin_ns, first, length_ns, unit_ns = (
            self.begin_ns,
            self.first,
            self.duration_ns,
            self.unit_ns,
        )
        rise = self.last - first
        if not rise:
            below = first * divisor
            return lambda wanted: begin_ns + (wanted * whole - known) * unit_ns // below
        middle = length_ns * first
        middle_square = middle * middle * divisor
        factor = 2 * rise * length_ns * unit_ns

        def rising(wanted: int) -> int:
            square = middle_square + factor * (wanted * whole - known)
            return begin_ns + (isqrt(square // divisor) - middle) // rise

        def falling(wanted: int) -> int:
            square = middle_square + factor * (wanted * whole - known)
            root = isqrt(square // divisor)
            if root * root * divisor != square:
                root += 1  # it is taken away, so it is rounded up
            return begin_ns + (middle - root) // -rise

        return rising if rise > 0 else falling


class ArrivalSchedule:
    """The arrivals of one phase, or of one user class in it; offsets count from its start."""

    def __init__(self, stages: Sequence[RateStage]) -> None:
        self._pieces = tuple(_pieces(stages))
        self.duration_ns = sum(stage.duration_ns for stage in stages)
        last = self._pieces[-1] if self._pieces else None
        self._expected = last.end() if last else Fraction(0)

    def count(self) -> int:
        """Return how many arrivals there are, evenly spaced."""
        return ceil(self._expected)

    def count_before(self, moment_ns: int) -> int:
        """Return how many of them are due before `moment_ns`."""
        for piece in reversed(self._pieces):
            if moment_ns > piece.begin_ns:
                elapsed_ns = min(moment_ns - piece.begin_ns, piece.duration_ns)
                return ceil(piece.before + piece.expected(elapsed_ns))
        return 0

    def offset_ns(self, number: int) -> int:
        """Return when arrival `number` is due; it must be below `count()`."""
        return next(self._at(iter((number,)), 1))

    def offsets(self) -> Iterator[int]:
        """Yield when each arrival is due, evenly spaced, in order."""
        return self._at(iter(range(self.count())), 1)

    def poisson_offsets(self, rng: Random) -> Iterator[int]:
        """Yield when each arrival is due, like independent people: a Poisson process.

        The gaps are exponential in expected arrivals (so the rate may change inside of one) and
        summed as integers.
        """
        return self._at(_poisson_positions(rng), _SCALE)

    def _at(self, wanted: Iterator[int], scale: int) -> Iterator[int]:
        """Yield the moments of rising positions, each wanted / scale, while there are any."""
        pieces = iter(self._pieces)
        bound = 0
        for position in wanted:
            while position >= bound:
                piece = next(pieces, None)
                if piece is None:
                    return
                bound, find = ceil(piece.end() * scale), piece.finder(scale)
            yield find(position)


def rate_at(stages: Sequence[RateStage], moment_ns: int) -> Rate:
    """Return the rate at a moment, jumps of that moment included; after the last stage its own."""
    begin_ns, level = 0, Fraction(0)
    for stage in stages:
        wanted = Fraction(stage.rate.count, stage.rate.per_ns)
        if moment_ns - begin_ns < stage.duration_ns:
            level += (wanted - level) * Fraction(moment_ns - begin_ns, stage.duration_ns)
            break
        begin_ns += stage.duration_ns
        level = wanted
    return Rate(level.numerator, level.denominator)


_SCALE: Final = 1 << 40
"""Steps into which one expected arrival is divided: finer than a ns at 1,000 arrivals/s."""


def _poisson_positions(rng: Random) -> Iterator[int]:
    random, position = rng.random, 0
    while True:
        # 1 - random() is never 0, so the logarithm exists.
        position += round(-log(1.0 - random()) * _SCALE)
        yield position


def _pieces(stages: Sequence[RateStage]) -> Iterator[_Piece]:
    """Yield the stretches in which anything arrives."""
    begin_ns, before, level = 0, Fraction(0), Fraction(0)
    for stage in stages:
        wanted = Fraction(stage.rate.count, stage.rate.per_ns)
        if stage.duration_ns and (level or wanted):
            unit = (
                level.denominator * wanted.denominator // gcd(level.denominator, wanted.denominator)
            )
            piece = _Piece(
                begin_ns, stage.duration_ns, before, int(level * unit), int(wanted * unit), unit
            )
            yield piece
            before = piece.end()
        begin_ns += stage.duration_ns
        level = wanted


_LONGEST_CYCLE: Final = 10_000


def dealt_classes(weights: Sequence[int]) -> Iterator[int]:
    """Yield the class of each arrival, by the Sainte-Laguë method; never ends.

    Its sequence repeats when each class has had its weight, so a short one is dealt once.
    """
    divisor = gcd(*weights)
    total = sum(weights) // divisor
    dealt = next_seats([weight // divisor for weight in weights])
    if total > _LONGEST_CYCLE:
        return dealt
    return cycle([next(dealt) for _ in range(total)])


def merged(by_class: Sequence[Iterator[int]]) -> Iterator[tuple[int, int]]:
    """Yield (offset, class) of all classes in order of time; of equals the first class's first."""
    heads = [(next(offsets, None), number) for offsets, number in zip(by_class, count())]
    while waiting := [(offset, number) for offset, number in heads if offset is not None]:
        offset, number = min(waiting)
        yield offset, number
        heads[number] = next(by_class[number], None), number
