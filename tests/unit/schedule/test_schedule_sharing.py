"""What workers share out adds up to what one worker has."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from planrunner.schedule.partition import WorkerShare
from planrunner.schedule.sharing import (
    dealt_arrivals,
    owned_iterations,
    seat_owners,
    share_of,
    share_of_rate,
    taking_arrivals,
)
from planrunner.units import NS_PER_S, Rate

CLASSES = st.lists(st.sampled_from("ABC"), max_size=60)
WORKERS = st.integers(1, 7)


def parts(workers: int) -> list[WorkerShare]:
    return [WorkerShare(worker, workers) for worker in range(workers)]


@given(CLASSES, WORKERS)
def test_every_class_is_spread_evenly(classes: list[str], workers: int) -> None:
    """No worker has two users of a class more than another one."""
    owners = seat_owners(classes, workers)

    assert len(owners) == len(classes)
    for name in set(classes):
        held = Counter(owner for kind, owner in zip(classes, owners, strict=True) if kind == name)
        numbers = [held[worker] for worker in range(workers)]
        assert max(numbers) - min(numbers) <= 1


@given(CLASSES, WORKERS, st.integers(0, 60))
def test_a_ramp_never_moves_a_user(classes: list[str], workers: int, level: int) -> None:
    """Who has a user doesn't depend on how many come after it."""
    owners = seat_owners(classes, workers)

    assert seat_owners(classes[:level], workers) == owners[:level]


def test_alternating_classes_are_mixed_on_each_worker() -> None:
    """Dealing users one by one would give each worker one class."""
    owners = seat_owners("ABABABAB", 2)

    first = Counter(name for name, owner in zip("ABABABAB", owners, strict=True) if owner == 0)
    assert first == {"A": 2, "B": 2}


@given(CLASSES, WORKERS, st.integers(0, 500))
def test_shared_iterations_are_all_there_once(classes: list[str], workers: int, total: int) -> None:
    """Each number from 0 belongs to exactly one worker."""
    owners = seat_owners(classes, workers)

    numbers = [
        number for worker in range(workers) for number in owned_iterations(owners, total, worker)
    ]

    assert sorted(numbers) == (list(range(total)) if classes else [])


@given(st.integers(0, 1000), WORKERS)
def test_shares_add_up(total: int, workers: int) -> None:
    """Whatever is left over goes to the first."""
    shares = [share_of(total, part) for part in parts(workers)]

    assert sum(shares) == total
    assert max(shares) - min(shares) <= 1


@given(CLASSES.filter(bool), WORKERS, st.integers(1, 10_000))
def test_parts_of_a_cap_add_up(classes: list[str], workers: int, rate: int) -> None:
    """A worker without users gets none of it."""
    owners = seat_owners(classes, workers)

    found = [share_of_rate(Rate(rate, NS_PER_S), owners, worker) for worker in range(workers)]

    together = sum(Fraction(one.count, one.per_ns) for one in found if one is not None)
    assert together == Fraction(rate, NS_PER_S)
    assert all((one is None) == (n not in owners) for n, one in enumerate(found))


@given(st.lists(st.integers(0, 2), max_size=100), WORKERS, st.integers(1, 10))
def test_each_arrival_has_one_taker(positions: list[int], workers: int, max_users: int) -> None:
    """Also where fewer users are allowed than there are workers."""
    schedule = list(enumerate(positions))

    taken = []
    for part in parts(workers):
        taking = taking_arrivals(part, max_users)
        if taking is not None:
            assert share_of(max_users, part)
            taken += dealt_arrivals(iter(schedule), taking)

    assert sorted(taken) == schedule
