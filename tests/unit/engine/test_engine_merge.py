"""What several workers sent reads as if one had."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from planrunner.engine.recording.counters import Counters
from planrunner.engine.recording.generator_health import Health
from planrunner.engine.steps.step_services import LogSink
from planrunner.engine.workers.codec import MessageCodec
from planrunner.engine.workers.local import Drained
from planrunner.engine.workers.merge import limited, merge_drained
from planrunner.metrics.book import SeriesBook
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.limited_words import OTHER, LimitedWords
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import Snapshot
from planrunner.units import NS_PER_MS, NS_PER_S

LABELS = Labels("GET /", "GET", "main", "hold", "A", "t", status=200)
WELL = Health(0, 0.0)
NO_LINES = LogSink()
MOST_CALLS = 2.5
"""Of each series of each worker: it was 7 when an object was made of each."""

LATENCIES = st.lists(st.integers(0, 10**11), max_size=200)


def drained(
    values: Sequence[int] = (),
    *,
    begin: int = 0,
    end: int = NS_PER_S,
    health: Health = WELL,
    log: LogSink = NO_LINES,
) -> Drained:
    book = SeriesBook(begin)
    book.series(LABELS).same_ns.extend(values)
    return Drained(book.drain(end, {}), Counters(), health, log)


def merged(*workers: list[Drained], users: int = 0) -> Drained:
    parts = [(sent, {"A": users}) for sent in workers]
    return merge_drained(drained(), parts, counters=Counters(), start_ns=0)


@given(st.lists(LATENCIES, min_size=1, max_size=4).filter(any))
def test_percentiles_are_those_of_one_process(shares: list[list[int]]) -> None:
    """Fed the same samples, however they were shared out: to the bit."""
    together = merged(*([drained(share)] for share in shares))

    everything = [value for share in shares for value in share]
    delta = together.snapshot.deltas[LABELS]
    percents = (0, 1, 50, 90, 95, 99, 99.9, 100)
    assert delta.latency.percentiles(percents) == Histogram(everything).percentiles(percents)
    assert delta.latency == delta.service == Histogram(everything)


def test_a_worker_more_costs_few_calls() -> None:
    """What it says of 500 series is read and summed column by column, not object by object."""
    assert calls_of_workers(9) - calls_of_workers(1) < 8 * 500 * MOST_CALLS


def calls_of_workers(count: int) -> int:
    """Return how many functions are called to hear a second of 500 series from so many workers."""
    book = SeriesBook()
    for number in range(500):
        book.series(replace(LABELS, request=f"GET /{number}")).same_ns += range(
            1_000, 21_000, 1_000
        )
    second = drained()
    said = replace(second, snapshot=book.drain(NS_PER_S, {}))
    codecs = [(MessageCodec(), MessageCodec()) for _ in range(count)]
    for here, there in codecs:
        there.loads(here.dumps(said))  # labels are told
    seconds = [(here.dumps(said), there) for here, there in codecs]
    calls = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        merged(*([there.loads(data)] for data, there in seconds))
    finally:
        sys.setprofile(before)
    return calls


def named(*names: str, template: str = "${n}") -> Drained:
    """Return what a worker sent that had one request of each name."""
    book = SeriesBook()
    for name in names:
        book.series(replace(LABELS, request=name, template=template)).same_ns.append(1)
    return Drained(book.drain(NS_PER_S, {}), Counters(), WELL, NO_LINES)


def test_names_of_all_workers_have_one_limit() -> None:
    """The first ones stay, what a worker folded stays folded, and no sample is lost."""
    names = LimitedWords(3)
    sent = [named("a", "b"), named("b", "c", "d", OTHER), named("e", "a"), named("${n}")]

    found = [limited(part, names).snapshot.deltas for part in sent]

    assert [{labels.request: delta.count for labels, delta in part.items()} for part in found] == [
        {"a": 1, "b": 1},
        {"b": 1, "c": 1, OTHER: 2},
        {OTHER: 1, "a": 1},
        {"${n}": 1},
    ]
    assert names.kept() == {"${n}": ("a", "b", "c")}


def test_names_that_the_plan_gives_have_no_such_limit() -> None:
    """They are as many as the plan writes."""
    sent = named("a", "b", "c", template="")

    assert limited(sent, LimitedWords(1)) is sent


def test_users_are_those_that_workers_have_now() -> None:
    """A worker that is late with its second still has its users."""
    together = merged([drained()], [], users=3)

    assert together.snapshot.users == {"A": 6}


def test_the_interval_ends_where_the_last_report_does() -> None:
    """The coordinator's own clock has gone on, but nothing is known of that time."""
    home = Drained(Snapshot(0, 2 * NS_PER_S), Counters(), Health(0, 0), LogSink())

    reported = merge_drained(home, [([drained()], {})], counters=Counters(), start_ns=5)
    silent = merge_drained(home, [([], {})], counters=Counters(), start_ns=5)

    assert (reported.snapshot.start_ns, reported.snapshot.end_ns) == (5, NS_PER_S)
    assert (silent.snapshot.start_ns, silent.snapshot.end_ns) == (5, 2 * NS_PER_S)


def test_the_health_is_that_of_the_worst_worker() -> None:
    """A short interval at the end of a phase doesn't make a worker busy."""
    busy = drained(begin=0, end=900 * NS_PER_MS, health=Health(3, 0.5, 1, 7, 20))
    short = drained(begin=900 * NS_PER_MS, end=NS_PER_S, health=Health(9, 1.0))
    other = drained(health=Health(4, 0.3, 2, 5, 30))

    health = merged([busy, short], [other]).health

    assert (health.loop_lag_ns, round(health.cpu_share, 6)) == (9, 0.55)
    assert (health.collections, health.collection_ns, health.open_files) == (3, 7, 30)


def test_lines_of_all_workers_have_one_limit() -> None:
    """Ten a second, whoever writes them."""
    lines = LogSink(tuple("abcdefg"), 2)

    log = merged([drained(log=lines)], [drained(log=lines)]).log

    assert log == LogSink(tuple("abcdefgabc"), 8)
