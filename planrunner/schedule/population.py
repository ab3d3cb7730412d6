"""The closed model: how many users there are when, and which class each of them belongs to.

Users are slots, numbered from 0. The level decides which slots are taken at a moment (always 0 to
n - 1), the split decides once and for all which class a slot has. So a ramp up only ever adds
users and a ramp down stops them in the reverse order, class mix included.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, repeat

from planrunner.errors import Misuse
from planrunner.values import dataclass

__all__ = [
    "SeatChange",
    "Share",
    "Stage",
    "changes",
    "exact_seats",
    "level_at",
    "next_seats",
    "peak",
    "seats",
    "users_at",
]


@dataclass(frozen=True, slots=True)
class Stage:
    """The level moves linearly to `level` in `duration_ns` (0 jumps) from the one before it."""

    name: str
    duration_ns: int
    level: int


@dataclass(frozen=True, slots=True)
class SeatChange:
    """A user starts or is told to stop.

    Attributes:
        offset_ns: From the phase's start.
        starts: False when it stops.
        slot: Which user, from 0.
    """

    offset_ns: int
    starts: bool
    slot: int


@dataclass(frozen=True, slots=True)
class Share:
    """A user class's part of a population.

    Attributes:
        weight: At least 1.
        count: An exact number instead; None when the class is weighted.
    """

    name: str
    weight: int = 1
    count: int | None = None


def changes(stages: Sequence[Stage], level: int = 0) -> Iterator[SeatChange]:
    """Yield every start and stop, in the order of time, from the first level on.

    On the way from level a up to b in d ns, slot k starts (k - a) * d / (b - a) after the stage's
    start, which is k / spawn_rate for a ramp from 0. On the way down a slot stops when the level
    has reached its number, so the last one stops as the stage ends. What still runs after the last
    stage is left to the end of the phase.
    """
    begin_ns = 0
    for stage in stages:
        rise = stage.level - level
        if rise > 0:
            for n in range(rise):
                yield SeatChange(
                    begin_ns + n * stage.duration_ns // rise, starts=True, slot=level + n
                )
        for n in range(1, 1 - rise):
            offset_ns = -(-n * stage.duration_ns // -rise)
            yield SeatChange(begin_ns + offset_ns, starts=False, slot=level - n)
        begin_ns += stage.duration_ns
        level = stage.level


def users_at(stages: Sequence[Stage], moment_ns: int) -> int:
    """Return how many users there are once all `changes` up to `moment_ns` have happened."""
    begin_ns = level = 0
    for stage in stages:
        elapsed_ns = moment_ns - begin_ns
        if elapsed_ns < stage.duration_ns:
            return level + _moved(stage.level - level, elapsed_ns, stage.duration_ns)
        begin_ns += stage.duration_ns
        level = stage.level
    return level


def level_at(stages: Sequence[Stage], moment_ns: int) -> int:
    """Return the level at a moment, jumps of that moment included, rounded up between stages' ends.

    Unlike `users_at`, it leaves out the user with whom the next stage begins to rise.
    """
    begin_ns = level = 0
    for stage in stages:
        elapsed_ns = moment_ns - begin_ns
        if elapsed_ns < stage.duration_ns:
            return level - (level - stage.level) * elapsed_ns // stage.duration_ns
        begin_ns += stage.duration_ns
        level = stage.level
    return level


def _moved(rise: int, elapsed_ns: int, duration_ns: int) -> int:
    if rise > 0:
        # Slot n has started when n * d // rise <= t: that holds for n < (t + 1) * rise / d.
        return min(rise, -(-(elapsed_ns + 1) * rise // duration_ns))
    return -(elapsed_ns * -rise // duration_ns)


def peak(stages: Sequence[Stage]) -> int:
    """Return the greatest number of users that there ever are."""
    return max((stage.level for stage in stages), default=0)


def seats(shares: Sequence[Share], users: int) -> tuple[int, ...]:
    """Return the position in `shares` of the class of each slot.

    Classes with a count are filled first, in their order. The others share the rest by the
    Sainte-Laguë method: the next user goes to the class with the greatest weight / (2n + 1), n
    being the users it has; the first of equals.

    Raises:
        Misuse: The counts leave users that no class takes.
    """
    taken = [
        position
        for position, share in enumerate(shares)
        for _ in range(min(share.count or 0, users))
    ]
    weights = [0 if share.count is not None else share.weight for share in shares]
    rest = users - len(taken)
    if rest > 0 and not any(weights):
        raise Misuse(f"no class takes `{rest}` of `{users}` users")
    return (*taken[:users], *islice(next_seats(weights), max(0, rest)))


def exact_seats(counts: Sequence[int], users: int | None = None) -> tuple[int, ...]:
    """Return the class of each slot where the plan gives each class's number of users.

    More `users` than that, which somebody may ask for while they run, keep the proportion.

    The counts serve as weights, so while the level rises the classes keep their proportion; when
    it is reached, each has exactly its count, as Sainte-Laguë gives whole quotas exactly.
    """
    return tuple(islice(next_seats(counts), sum(counts) if users is None else users))


def next_seats(weights: Sequence[int]) -> Iterator[int]:
    """Yield the position that the next user goes to by the Sainte-Laguë method; never ends."""
    if len(weights) == 1:
        yield from repeat(0)
    divisors = [1] * len(weights)
    while True:
        best = 0
        for position in range(1, len(weights)):
            # Compares weight / divisor without leaving the integers; the first of equals stays.
            if weights[position] * divisors[best] > weights[best] * divisors[position]:
                best = position
        divisors[best] += 2
        yield best
