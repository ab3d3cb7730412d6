"""Samples of k6, from the CSV that it writes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.tools.contract import ToolSample
from planrunner.tools.known.k6 import K6Samples
from tests.support.tool_outputs import K6, K6_CHECKED_NS, K6_HEAD


def read(text: str, *cuts: int) -> tuple[list[ToolSample], K6Samples]:
    reader, data, found = K6Samples(), text.encode(), list[ToolSample]()
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for begin, end in pairwise(edges):
        found += reader.feed(data[begin:end])
    return [*found, *reader.end("")], reader


def test_requests_are_put_together() -> None:
    """Latency begins when the request wanted to leave; service time is k6's own duration."""
    everything, reader = read(K6)
    found = [one for one in everything if one.kind == "request"]

    assert [(one.request, one.status, one.failure) for one in found] == [
        ("GET /a", 200, ""),
        ('a "quoted" name\nof two lines', 200, ""),
        ("GET /b?x=1", 404, "status"),
        ("GET http://other/b", 0, "connect"),
    ]
    assert (found[0].took_ns, found[0].service_ns) == (7_250_000, 4_250_000)
    assert found[0].start_ns == 1_796_075_215_415_083_000 - 7_250_000
    assert found[0].tags == (("kind", "read"), ("size", "big"))
    assert (found[0].user, found[3].words) == ("a", "dial: refused")
    assert (reader.users, reader.unread) == (7, 0)
    assert everything[4:] == [
        ToolSample("is fine", K6_CHECKED_NS, failure=failure, user="a", kind="check")
        for failure in ("expect", "")
    ]
    assert not reader.notices()


@settings(max_examples=25)
@given(st.lists(st.integers(0, 1 << 20), max_size=8))
def test_it_doesn_t_matter_where_pieces_end(cuts: list[int]) -> None:
    """Half a line, or half a quoted name, waits for its rest."""
    assert read(K6, *cuts)[0] == read(K6)[0]


@settings(max_examples=25)
@given(st.binary(max_size=200), st.integers(0, 1 << 20))
def test_garbage_is_counted_and_hides_nothing(garbage: bytes, cut: int) -> None:
    """Whatever stands between, what is a request is read; nothing raises."""
    reader = K6Samples()
    data = K6.encode()
    place = data.index(b"\nhttp_reqs", cut % (len(data) // 2)) + 1
    reader.feed(data[:place])
    reader.feed(garbage.replace(b'"', b"") + b"\n")
    reader.feed(data[place:])
    reader.end("")

    assert K6Samples().feed(b"\x00\xff,1\n") == []


def test_iterations_that_were_not_whole_are_told() -> None:
    """Those that nobody had time for, and those that an error of the script ended."""
    reader = K6Samples()
    rows = ["dropped_iterations,1796075215415313,3.000000,,,,,,,,a,,,,,,,\n"] * 2
    reader.feed((K6_HEAD + "".join(rows)).encode())
    said = (
        'time="2026-12-01T07:33:54Z" level=error msg="TypeError: no \\"x\\"\\n\\tat default '
        '(file:///a.js:5:38(16))\\n" executor=per-vu-iterations scenario=a source=stacktrace\n'
        'time="2026-12-01T07:33:55Z" level=error msg=said source=console\n'
    )
    reader.end(said * 2)

    assert reader.notices() == [
        "it dropped 6 iterations, for which no user was free",
        'an error of its script ended 2 iterations: TypeError: no \\"x\\"',
    ]


def test_a_request_that_can_not_be_read_takes_no_other_along() -> None:
    """Nor does one that nothing follows, in the format of another version."""
    broken = K6.replace(",200,", ",what,", 1).replace("4.250000", "nan")
    found, reader = read(broken.rpartition("http_req_receiving")[0])

    assert [one.request for one in found if one.kind == "request"][-1] == "GET http://other/b"
    assert reader.unread == 1
    for text in (K6.replace("error_code", "code"), K6.replace(",status,", ",")):
        found, reader = read(text)
        assert not [one for one in found if one.kind == "request"]
        assert reader.unread == 4
