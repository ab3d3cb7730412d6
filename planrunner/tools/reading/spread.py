"""Which of many requests failed, where a tool reports only how many: spread over all times."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["spread"]


def spread(counts: Mapping[int, int], wanted: int) -> tuple[dict[int, int], dict[int, int]]:
    """Return how many of each time are left, and how many are taken.

    Those that are taken have even distances in the order of times, so both parts have the
    distribution of the whole.
    """
    whole = sum(counts.values())
    wanted = min(wanted, whole)
    left, taken, before = dict[int, int](), dict[int, int](), 0
    for value, count in sorted(counts.items()):
        # The n-th is taken in the middle of its part of the whole.
        begin = (2 * before * wanted + whole) // (2 * max(whole, 1))
        before += count
        end = (2 * before * wanted + whole) // (2 * max(whole, 1))
        if end > begin:
            taken[value] = end - begin
        if count > end - begin:
            left[value] = count - (end - begin)
    return left, taken
