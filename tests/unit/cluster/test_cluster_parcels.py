"""Messages over calls that fail before or after they have done their work."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.cluster.parcels import Inbox, Outbox, Parcel

KINDS = st.sampled_from(["arrives", "lost on the way", "its answer is lost", "comes once more"])


def parcels(count: int) -> list[Parcel]:
    return [Parcel(number % 3, b"x" * number) for number in range(count)]


@given(st.lists(KINDS, max_size=40), st.integers(0, 30), st.integers(1, 60))
def test_everything_arrives_once_and_in_order(calls: list[str], count: int, most: int) -> None:
    """Whatever becomes of the calls, as soon as some go well."""
    outbox, inbox, came = Outbox(1000), Inbox(), []
    sent = parcels(count)
    for parcel in sent:
        outbox.put(parcel)

    for call in [*calls, *["arrives"] * count]:
        bundled = outbox.bundled(most)
        if call == "lost on the way":
            continue
        came += inbox.new(bundled)
        if call == "comes once more":
            assert not inbox.new(bundled)
        if call != "its answer is lost":
            outbox.arrived(inbox.taken)

    assert came == sent
    assert outbox.bundled(most)[1] == []


def test_a_gap_is_a_fault() -> None:
    """Nobody goes on as if nothing were missing."""
    with pytest.raises(ValueError, match="parcel 1 is missing"):
        Inbox().new((2, parcels(1)))


def test_a_full_outbox_asks_for_a_pause() -> None:
    """Until the other end has taken some of it."""

    async def fill() -> bool:
        outbox = Outbox(10)
        outbox.put(Parcel(0, b"x" * 11))
        waiting = asyncio.ensure_future(outbox.room())
        await asyncio.sleep(0)
        has_waited = not waiting.done()
        outbox.arrived(1)
        await waiting
        return has_waited

    assert asyncio.run(fill())
