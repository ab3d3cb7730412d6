"""Thresholds in words: what `explain` says about each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planrunner.metrics.thresholds import OnNoData, ThresholdLevel, parse_threshold
from planrunner.metrics.thresholds.words import describe

END = "a breach fails the run, and having no samples is a breach"


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        (
            "p95 < 500ms",
            "the 95th percentile of the latency of all requests over all phases together "
            f"must be below 500 ms, judged when the run is over; {END}",
        ),
        (
            'p99 of "GET /v1/crl" over 30s for 2 windows < 3s, abort after 1m',
            'the 99th percentile of the latency of "GET /v1/crl" over all phases together '
            "must be below 3 s, judged over each 30s after the warm-up, 2 of them in a row, "
            "once a second, from 1m after the start; "
            "a breach ends the run at once and fails the run, and having no samples is a breach",
        ),
        (
            "rate of (status:5xx or error:timeout) and not task:a in phase P stage S <= 1%",
            "the share of requests with (status 5xx or failure timeout) and not task a among all "
            "requests in stage S of phase P must be at most 1 %, "
            f"judged when the run is over; {END}",
        ),
        (
            "growth of service.api.rss over 10m in profile soak < 100MB",
            "the growth of service.api.rss from the first to the last tenth of the time "
            "in profile soak must be below 100 MB, judged over any 10m, when the run is over; "
            f"{END}",
        ),
        (
            "ratio(max of task:a in phase x, max of etcd.get in phase y) < 5",
            "the greatest value of the latency of requests with task a in phase x, divided by "
            "the greatest value of the latency of any etcd.get in phase y, must be below 5, "
            f"judged when the run is over; {END}",
        ),
        (
            "p92 of iteration:Buyer in stage hold < 2s",
            "the 92nd percentile of the duration of iterations of user class Buyer in stage hold "
            f"must be below 2 s, judged when the run is over; {END}",
        ),
        (
            "mix_error of user:Buyer < 5%",
            "the difference between declared and achieved task mix of user class Buyer "
            f"over all phases together must be below 5 %, judged when the run is over; {END}",
        ),
    ],
)
def test_the_whole_meaning_is_said(sentence: str, words: str) -> None:
    """What, of what, where, how much, when, and what follows."""
    assert describe(parse_threshold(sentence)) == words


def test_level_and_missing_data_are_said() -> None:
    """A warning and a relaxed long form read as such."""
    threshold = parse_threshold("errors == 0")

    warning = replace(threshold, level=ThresholdLevel.WARN, on_no_data=OnNoData.PASS)
    skipped = replace(threshold, on_no_data=OnNoData.SKIP, not_applicable="phase x is not selected")

    assert describe(warning).endswith(
        "a breach is a warning, but having no samples is not a breach"
    )
    assert describe(skipped).endswith(
        "and it is not judged without samples; "
        "it does not apply to this run: phase x is not selected"
    )


@pytest.mark.parametrize(
    ("agg", "ordinal"), [("p1", "1st"), ("p11", "11th"), ("p22", "22nd"), ("p99.9", "99.9th")]
)
def test_ordinals_are_english(agg: str, ordinal: str) -> None:
    """Not `22th`, nor `11st`."""
    assert f"the {ordinal} percentile" in describe(parse_threshold(f"{agg} < 1s"))
