"""What goes over a connection: labels once as they are, then as a number."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.engine.workers.codec import MessageCodec
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import LabelSets, SeriesDelta, Snapshot

LABELS = Labels("GET /a", "GET", "main", "hold", "Visitor", "browse", status=200)
SETS = LabelSets([LABELS])
MOST_BYTES = 32_000

labels = st.builds(lambda name: replace(LABELS, request=name), st.text(max_size=3))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.builds(LabelSets, st.lists(labels, max_size=4, unique=True)) | st.integers()))
def test_messages_arrive_as_they_were_sent(messages: list[object]) -> None:
    here, there = MessageCodec(), MessageCodec()

    assert [there.loads(here.dumps(message)) for message in messages] == messages


def test_the_same_labels_are_sent_once_by_each_connection() -> None:
    """And are one object here, whoever sends them."""
    ends = [(MessageCodec(), MessageCodec()) for _ in range(2)]

    first = [there.loads(here.dumps(SETS)) for here, there in ends]
    data = ends[0][0].dumps(LabelSets([replace(LABELS)]))

    assert b"GET /a" not in data
    assert ends[0][1].loads(data)[0] is first[0][0] is first[1][0]


def test_a_message_that_cannot_be_sent_leaves_nothing_behind() -> None:
    """Its labels were not learnt by the other end."""
    here, there = MessageCodec(), MessageCodec()
    with pytest.raises(Exception, match="pickle"):
        here.dumps([SETS, lambda: None])

    assert there.loads(here.dumps(SETS)) == SETS
    assert there.loads(here.dumps(SETS)) == SETS


def test_a_second_of_500_series_is_small() -> None:
    """With twenty samples each: a coordinator hears as much from every worker."""
    draw, here = random.Random(1), MessageCodec()
    deltas = {}
    for number in range(500):
        values = Histogram([draw.randint(10**6, 5 * 10**6) for _ in range(20)])
        deltas[replace(LABELS, request=f"GET /{number}")] = SeriesDelta(values, values, 900, 100)
    snapshot = Snapshot(0, 10**9, {"Visitor": 9}, deltas)
    here.dumps(snapshot)

    assert len(here.dumps(snapshot)) < MOST_BYTES


def test_what_came_is_made_when_it_is_read() -> None:
    """Also where a series has more than others, and by whoever asks for one of them."""
    few, many = Histogram([1, 2, 3]), Histogram([5] * 100)
    deltas = {
        LABELS: SeriesDelta(few, few, 1, 2, 3, 4),
        replace(LABELS, request="GET /b"): SeriesDelta(many, few, measures={"size": few}),
    }

    arrived = MessageCodec().loads(MessageCodec().dumps(Snapshot(0, 1, {}, deltas)))

    assert isinstance(arrived, Snapshot)
    assert len(arrived.deltas) == 2
    assert list(arrived.deltas) == list(deltas)
    assert arrived.deltas[LABELS] == deltas[LABELS]
    assert arrived.deltas == deltas
    assert arrived.merge(Snapshot(0, 1)).deltas == deltas
