"""What other load tools write: whatever it is, its readers give samples and count the rest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hypothesis import strategies as st

from planrunner.tools.contract import ToolReader
from planrunner.tools.known.ab import AbSamples
from planrunner.tools.known.artillery import ArtillerySamples
from planrunner.tools.known.hey import HeySamples
from planrunner.tools.known.jmeter import JmeterSamples
from planrunner.tools.known.k6 import K6Samples
from planrunner.tools.known.locust import LocustSamples
from planrunner.tools.known.wrk import WrkSamples
from tests.support.fuzzing import bounded, fuzz
from tests.support.mutations import damaged, mutated_text
from tests.support.tool_outputs import (
    AB,
    AB_SAYS,
    ARTILLERY,
    HEY,
    JTL,
    JTL_XML,
    K6,
    LOCUST,
    WRK_SAYS,
)

WRITTEN: list[tuple[Callable[[], ToolReader], str]] = [
    (lambda: AbSamples(["-p", "body", "http://h/x"]), AB),
    (ArtillerySamples, ARTILLERY),
    (lambda: HeySamples(["-n", "4", "-c", "2", "http://h/x"]), HEY),
    (JmeterSamples, JTL),
    (JmeterSamples, JTL_XML),
    (K6Samples, K6),
    (LocustSamples, LOCUST),
    (WrkSamples, ""),
]
PIECES = [
    *("nan", "inf", "-1", "-5.5", "1e400", "1e5", "9" * 30, "9" * 5_000, "0", "", "true", "null"),
    *("\n", "\t", "\0", *",\"'{}[]<&", "timeStamp", "metric_name", "http_req_receiving,"),
    *("planrunner summary ", "planrunner latency 5 5\n", "<?xml version='1.0' encoding='x'?>"),
]


def _slips(reader: Callable[[], ToolReader], text: str) -> st.SearchStrategy[object]:
    data = mutated_text([text], PIECES).map(lambda one: one.encode("utf-8", "surrogatepass"))
    return st.tuples(st.just(reader), data | damaged([text.encode()]))


outputs = st.one_of([_slips(*one) for one in WRITTEN])
summaries = mutated_text([AB_SAYS, WRK_SAYS], PIECES)


@fuzz(st.tuples(outputs, summaries, st.integers(0, 400)), examples=150)
def test_what_a_tool_writes_is_samples_or_counted(
    found: tuple[tuple[Callable[[], ToolReader], bytes], str, int], folder: Path
) -> None:
    """Nothing raises, wherever pieces end and whatever the tool printed last."""
    del folder
    (make, data), printed, cut = found
    reader = make()
    reader.began_ns = 1_796_077_324_000_000_000

    with bounded(5):
        samples = [*reader.feed(data[:cut]), *reader.feed(data[cut:]), *reader.end(printed)]
        reader.notices()

    assert reader.unread >= 0
    assert all(isinstance(hash(one), int) for one in samples)
