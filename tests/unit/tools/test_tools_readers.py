"""What other tools write, read in pieces: of every tool the same promises."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.tools.contract import ToolReader, ToolSample
from planrunner.tools.known.ab import AbSamples
from planrunner.tools.known.artillery import ArtillerySamples
from planrunner.tools.known.hey import HeySamples
from planrunner.tools.known.jmeter import JmeterSamples
from planrunner.tools.known.locust import LocustSamples
from planrunner.tools.known.wrk import WrkSamples, without_back_fill
from planrunner.tools.reading.json_lines import JsonLines
from planrunner.tools.reading.spread import spread
from tests.support.tool_outputs import (
    AB,
    AB_SAYS,
    ARTILLERY,
    HEY,
    JTL,
    JTL_XML,
    LOCUST,
    WRK_SAYS,
)

CASES: dict[str, tuple[Callable[[], ToolReader], str]] = {
    "locust": (LocustSamples, LOCUST),
    "hey": (lambda: HeySamples(["-n", "4", "-c", "2", "http://h/x"]), HEY),
    "ab": (lambda: AbSamples(["-p", "body", "http://h/x"]), AB),
    "jmeter": (JmeterSamples, JTL),
    "jmeter xml": (JmeterSamples, JTL_XML),
    "artillery": (ArtillerySamples, ARTILLERY),
}


def read(name: str, cuts: tuple[int, ...] = ()) -> tuple[list[ToolSample], ToolReader]:
    make, text = CASES[name]
    reader, data, found = make(), text.encode(), list[ToolSample]()
    reader.began_ns = 1_000_000_000_000
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for begin, end in pairwise(edges):
        found += reader.feed(data[begin:end])
    return [*found, *reader.end(_said(name))], reader


def _said(name: str) -> str:
    return AB_SAYS if name == "ab" else ""


def outcomes(found: list[ToolSample]) -> list[tuple[str, int | None, int | None, str, int]]:
    return [
        (one.request, one.took_ns and one.took_ns // 1_000, one.status, one.failure, one.count)
        for one in found
    ]


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=25)
@given(cuts=st.lists(st.integers(0, 1 << 16), max_size=6), garbage=st.binary(max_size=40))
def test_pieces_may_end_anywhere_and_garbage_is_counted(
    name: str, cuts: list[int], garbage: bytes
) -> None:
    """No half line is lost, and nothing raises."""
    reader = CASES[name][0]()
    reader.feed(b"what, is\t[this]\n" + garbage + b"\n")
    list(reader.end(""))

    assert read(name, tuple(cuts))[0] == read(name)[0]
    assert reader.unread > 0


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("locust", '[1e999, 1, "GET", "/a", 200, 2, ""]'),
        ("artillery", '[1796077324368, 1e999, "GET", "http://h/a", "", 200, 2, ""]'),
        ("hey", "inf,0.0021,0.0000,0.0001,0.0006,0.0001,200,0.0006"),
    ],
)
def test_numbers_without_an_end_are_no_samples(name: str, line: str) -> None:
    reader = CASES[name][0]()

    assert not reader.feed(f"{line}\n".encode())
    assert reader.unread == 1


@pytest.mark.parametrize("name", CASES)
def test_a_last_line_that_nothing_ends_is_not_lost(name: str) -> None:
    """A whole one is read, and half of one is counted."""
    make, text = CASES[name]

    def read_until(end: int | None) -> tuple[int, int]:
        reader = make()
        found = [*reader.feed(text.rstrip()[:end].encode()), *reader.end(_said(name))]
        return len(found), reader.unread

    whole, cut = read_until(None), read_until(-5)
    assert whole == (len(read(name)[0]), 0)
    assert sum(cut) >= whole[0]


def test_a_summary_of_wrk_that_is_none() -> None:
    """What a script of the user prints may look like it."""
    reader = WrkSamples()
    said = f"planrunner summary 1 2\nplanrunner latency {'9' * 5_000} 1\n{WRK_SAYS}"

    assert sum(one.count for one in reader.end(said)) == 8
    assert reader.unread == 2


def test_a_line_that_never_ends_is_given_up() -> None:
    """Whatever writes it; what comes after its end is read."""
    lines = JsonLines()
    for _ in range(5):
        assert not [*lines.feed(b"x" * (1 << 18))]

    assert [*lines.feed(b"x\n[1]\n")] == [[1]]
    assert lines.unread == 2


def test_locust_that_ends_without_its_last_line() -> None:
    """Its disk was full, or a process of it was killed."""
    reader = LocustSamples()
    reader.end("")

    assert reader.notices() == ["its samples end before it did, so requests may be missing"]
    assert read("locust")[1].notices() == ()


def test_locust() -> None:
    found, reader = read("locust")

    assert outcomes(found) == [
        ("GET /a", 12_500, 200, "", 1),
        ("POST /b", 7_000, 500, "status", 1),
        ("GET /a", 1_000, 200, "expect", 1),
        ("GET /c", None, 0, "connect", 1),
    ]
    assert (reader.users, reader.unread) == (3, 0)
    assert reader.verdict(1) == "as its script says"
    assert LocustSamples().verdict(1) == ""


def test_hey() -> None:
    """Requests that its CSV leaves out are failures whose reason nobody knows."""
    found, _ = read("hey")

    assert outcomes(found) == [
        ("GET /x", 3_200, 200, "", 1),
        ("GET /x", 45_600, 404, "status", 1),
        ("GET /x", None, 0, "error", 2),
    ]
    assert (found[0].service_ns, found[0].start_ns) == (1_100_000, 1_000_000_600_000)


def test_ab() -> None:
    """As many requests fail as it says; which, it doesn't."""
    found, reader = read("ab")

    assert outcomes(found) == [
        ("POST /x", 1_000, None, "status", 1),
        ("POST /x", 2_000, None, "status", 1),
        ("POST /x", 1_000, None, "", 2),
        ("POST /x", 9_000, None, "", 1),
        ("POST /x", None, 0, "connect", 1),
    ]
    assert reader.lasted_ns == 512_000_000
    assert reader.notices() == [
        "which 2 of 5 requests failed is not reported, so their times are spread evenly among all"
    ]


@pytest.mark.parametrize("name", ["jmeter", "jmeter xml"])
def test_jmeter(name: str) -> None:
    """Requests of a transaction count, the transaction does not, nor do steps of a redirect."""
    found, reader = read(name)

    assert outcomes(found) == [
        ("List", 120_000, 200, "", 1),
        ("Buy", 30_000, 200, "expect", 1),
        ("Gone", 5_000, 404, "status", 1),
        ("Down", 1_000, 0, "connect", 1),
    ]
    assert (found[0].service_ns, found[0].user, found[0].received) == (100_000_000, "Visitors", 512)
    assert found[1].words == "Test failed: text\nexpected"
    assert (reader.users, reader.unread) == (2, 0)
    assert "1 sample of transactions" in reader.notices()[0]


def test_artillery() -> None:
    found, _ = read("artillery")

    assert outcomes(found) == [
        ("first", 45_000, 200, "", 1),
        ("GET /b?x=1", 14_500, 404, "status", 1),
        ("statusCode", None, 0, "expect", 1),
        ("GET http://other/c", None, 0, "connect", 1),
    ]
    assert [one.kind for one in found] == ["request", "request", "check", "request"]
    assert found[0].start_ns == 1_796_077_324_368_000_000


def test_artillery_that_sent_nothing_has_no_verdict() -> None:
    """It ends with the same code when it can't read its script."""
    _, reader = read("artillery")

    assert reader.verdict(1)
    assert reader.verdict(21)
    assert not ArtillerySamples().verdict(1)


def test_wrk() -> None:
    """Of 5 replies one came after its timeout, and two had a bad status."""
    reader = WrkSamples(["-c", "5", "http://h/x"])

    found = list(reader.end(WRK_SAYS))

    assert outcomes(found) == [
        ("/x", 100, None, "", 1),
        ("/x", 900, None, "", 1),
        ("/x", 100, None, "status", 2),
        ("/x", None, 0, "timeout", 1),
        ("/x", None, 0, "connect", 1),
        ("/x", None, 0, "reset", 2),
    ]
    assert reader.lasted_ns == 1_000_000_000
    assert list(WrkSamples().end("garbage\nplanrunner summary 1 2\n")) == []


@settings(max_examples=40)
@given(st.dictionaries(st.integers(1, 60), st.integers(1, 5), max_size=12), st.integers(1, 20))
def test_what_wrk_adds_is_taken_away_again(measured: dict[int, int], expected: int) -> None:
    """It adds samples for each latency of at least twice the interval that it expects."""
    added = dict(measured)
    for value in range(2 * expected, max(measured, default=0) + 1):
        less = value - expected
        while measured.get(value, 0) and less > expected:
            added[less] = added.get(less, 0) + measured[value]
            less -= expected

    assert without_back_fill(added, expected) == measured


@settings(max_examples=40)
@given(st.dictionaries(st.integers(0, 30), st.integers(1, 40), max_size=10), st.integers(0, 200))
def test_what_is_spread_is_all_there(counts: dict[int, int], wanted: int) -> None:
    left, taken = spread(counts, wanted)

    assert sum(taken.values()) == min(wanted, sum(counts.values()))
    assert {value: left.get(value, 0) + taken.get(value, 0) for value in counts} == counts
    assert all(count > 0 for count in (*left.values(), *taken.values()))


@pytest.mark.parametrize(("kept", "is_said"), [(0, True), (4, True), (5, False)])
def test_ab_says_which_connections_were_not_kept(kept: int, *, is_said: bool) -> None:
    """Where it was to keep them."""
    reader = AbSamples(["-k", "http://h/x"])
    reader.feed(b"".join(b"a\t1\t0\t%d\t%d\t0\n" % (took, took) for took in range(5)))

    list(reader.end(f"Keep-Alive requests:    {kept}\n"))

    words = f"the target kept its connection after {kept} of 5 requests"
    assert reader.notices() == ([words] if is_said else [])


def test_a_jtl_that_ends_in_the_middle() -> None:
    """What is whole counts, and nothing behind what is no XML."""
    reader = JmeterSamples()
    begin, end = JTL_XML.encode().split(b"<sample ", 1)

    assert len(reader.feed(begin)) == 1
    assert reader.feed(b"<& ") == []
    assert reader.feed(end) == []
    reader.end("")
    assert reader.unread == 1
