"""How a run's judgements are written down."""

from __future__ import annotations

from dataclasses import replace

from planrunner.metrics.judging.verdict import Verdict
from planrunner.metrics.thresholds import Threshold, parse_threshold
from planrunner.results.model import Judgement
from planrunner.runner.build_result import alike_in_pairs


def judged(sentence: str, observed: str, pair: int) -> tuple[Judgement, Threshold]:
    threshold = parse_threshold(sentence)
    judgement = Judgement(sentence, Verdict.PASS, observed, "", "plan.yaml:1:1", pair=pair)
    return judgement, replace(threshold, pair=pair)


def test_a_pair_shows_one_observed_value() -> None:
    """More digits beside one of its limits are as true beside the other."""
    found = alike_in_pairs(
        [
            judged("p95 < 35ms", "35.04 ms", 1),
            judged("p95 < 1s", "35 ms", 1),
            judged("max < 40ms", "39 ms", 2),
            judged("avg < 40ms", "20 ms", 2),
            judged("p95 < 2s", "35 ms", 0),
        ]
    )

    assert [one.observed for one in found] == ["35.04 ms", "35.04 ms", "39 ms", "20 ms", "35 ms"]
