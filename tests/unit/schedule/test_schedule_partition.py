"""Rows over workers: each row has one taker, and nobody is short of rows while there are enough."""

from __future__ import annotations

from itertools import count, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.errors import Misuse
from planrunner.schedule.partition import ALL, WorkerShare

workers = st.integers(1, 7)


@given(st.integers(0, 60), workers)
def test_dealt_rows_have_exactly_one_taker(rows, workers):
    """All rows are covered, none twice, and shares differ by one row at most."""
    shares = [list(WorkerShare(n, workers).dealt(iter(range(rows)))) for n in range(workers)]

    assert sorted(row for share in shares for row in share) == list(range(rows))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@given(st.lists(st.integers(0, 6), min_size=1, max_size=6), st.integers(0, 40))
def test_reserved_rows_cover_all_and_everybodys_need(needs, spare):
    """With rows for all users, each worker has one for each of its own; the rest is shared."""
    rows = sum(needs) + spare
    shares = [
        list(WorkerShare(n, len(needs)).reserved(iter(range(rows)), needs))
        for n in range(len(needs))
    ]

    assert sorted(row for share in shares for row in share) == list(range(rows))
    assert all(len(share) >= need for share, need in zip(shares, needs, strict=True))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=6), st.integers(0, 40))
def test_no_row_has_two_takers_when_there_are_too_few(needs, rows):
    """Being short of rows never makes two users share one."""
    parts = [WorkerShare(n, len(needs)) for n in range(len(needs))]

    taken = [row for part in parts for row in part.reserved(iter(range(rows)), needs)]

    assert sorted(taken) == list(range(rows))


@given(st.integers(1, 9), workers)
def test_rows_that_come_again_come_to_all_equally_often(rows, workers):
    """Also when there are fewer rows than workers: nobody is left without."""

    def endless():
        return (number % rows for number in count())

    drawn = [
        row
        for n in range(workers)
        for row in islice(WorkerShare(n, workers).dealt(endless()), 2 * rows)
    ]

    assert [drawn.count(row) for row in range(rows)] == [2 * workers] * rows


def test_the_only_worker_takes_what_comes():
    """Nothing stands between it and the rows."""
    rows = iter([1, 2])

    assert ALL.dealt(rows) is rows
    assert ALL.reserved(rows, ()) is rows


@pytest.mark.parametrize("worker", [-1, 2])
def test_a_worker_that_isnt_there_has_no_part(worker):
    """A wrong number would leave rows without a taker."""
    with pytest.raises(Misuse):
        WorkerShare(worker, 2)


def test_every_worker_needs_its_need():
    """A missing one would shift all that follow."""
    with pytest.raises(Misuse):
        WorkerShare(0, 2).reserved(iter([]), [1])
