"""How the load of a phase is split among workers, so that together it is exactly that of one.

Everything here is decided from what all workers know before the phase begins; none of them has to
ask another one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count

from planrunner.schedule.partition import WorkerShare
from planrunner.units import Rate

__all__ = [
    "dealt_arrivals",
    "owned_iterations",
    "seat_owners",
    "share_of",
    "share_of_rate",
    "taking_arrivals",
]


def seat_owners(classes: Sequence[str], workers: int) -> tuple[int, ...]:
    """Return the worker that has each user, given the users' classes in the order of their start.

    A user goes to the worker with the fewest of its class; of equals to the one with the fewest
    users, then to the first. So every worker gets the same mix, and a ramp fills all alike.
    """
    if workers == 1:
        return (0,) * len(classes)
    held = [0] * workers
    of_class: dict[str, list[int]] = {}
    owners = []
    for name in classes:
        same = of_class.setdefault(name, [0] * workers)
        owner = min(range(workers), key=lambda worker: (same[worker], held[worker]))
        same[owner] += 1
        held[owner] += 1
        owners.append(owner)
    return tuple(owners)


def owned_iterations(owners: Sequence[int], total: int, worker: int) -> Iterator[int]:
    """Yield the numbers of the iterations of a worker, of `total` that all users share.

    Iteration k belongs to the worker of user k, counted round: each has a share like its users'.
    """
    mine = [slot for slot, owner in enumerate(owners) if owner == worker]
    if not mine:
        return
    for begin in count(0, len(owners)):
        for slot in mine:
            if begin + slot >= total:
                return
            yield begin + slot


def share_of(total: int, part: WorkerShare) -> int:
    """Return a worker's part of a number of like things; the first ones get one more."""
    return total // part.workers + (part.worker < total % part.workers)


def share_of_rate(rate: Rate, owners: Sequence[int], worker: int) -> Rate | None:
    """Return a worker's part of a cap: as much as its users; None when it has no users."""
    held = Counter(owners)[worker]
    if not held:
        return None
    return rate if held == len(owners) else Rate(rate.count * held, rate.per_ns * len(owners))


def taking_arrivals(part: WorkerShare, max_users: int) -> WorkerShare | None:
    """Return which of the workers that get arrivals this one is; None when it gets none.

    A worker that may have no user at all would drop every arrival.
    """
    workers = max(min(part.workers, max_users), 1)
    return WorkerShare(part.worker, workers) if part.worker < workers else None


def dealt_arrivals(
    schedule: Iterator[tuple[int, int]], part: WorkerShare
) -> Iterator[tuple[int, int]]:
    """Return the arrivals of one worker: of each class in turn.

    Where each class begins is shifted, or the first worker would get the first arrival of all.
    """
    return schedule if part.workers == 1 else _dealt(schedule, part)


def _dealt(schedule: Iterator[tuple[int, int]], part: WorkerShare) -> Iterator[tuple[int, int]]:
    seen: dict[int, int] = {}
    for arrival in schedule:
        position = arrival[1]
        number = seen.get(position, position)
        seen[position] = number + 1
        if number % part.workers == part.worker:
            yield arrival
