"""Parses the measure that an aggregation names: the `ttfb` of `p95 ttfb of "GET /" < 200ms`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NoReturn

from planrunner.late_pattern import late_pattern
from planrunner.metrics.aggregations.record import Aggregation
from planrunner.metrics.measures import LATENCY, OWN_PREFIX, Measure, own_measure
from planrunner.metrics.thresholds.model import ThresholdSyntaxError
from planrunner.metrics.thresholds.scanner import Scanner, nearest
from planrunner.metrics.thresholds.selector_parser import CLAUSES

__all__ = ["CLAUSE_SYNONYMS", "UnknownMeasure", "is_own_metric", "parse_measure", "take_own_metric"]

_WORD: Final = late_pattern(r"[a-z][a-z0-9_]*")
_OWN: Final = late_pattern(r"metric\.[A-Za-z_][A-Za-z0-9_]*")

CLAUSE_SYNONYMS: Final[Mapping[str, str]] = {
    "not": "and not",
    "during": "in phase",
    "within": "over",
    "every": "over",
    "where": "of",
}
"""What people write for the words of clauses, and what to write instead."""

_OTHER_WORDS: Final = frozenset({"and", "or", "for", "abort", *CLAUSE_SYNONYMS})


class UnknownMeasure(ThresholdSyntaxError):  # noqa: N818 - reads as the sentence it stands for
    """A threshold that names a measure which none of the known protocols has."""


def parse_measure(
    scanner: Scanner, agg: Aggregation, measures: Mapping[str, Measure]
) -> tuple[Measure, int]:
    """Take the measure that follows an aggregation, and return where it is named.

    Latency is meant where none is named.

    Raises:
        UnknownMeasure: A word stands there that can be nothing else.
        ThresholdSyntaxError: The aggregation is not of a measure.
    """
    word = scanner.peek_word()
    start = scanner.at
    if is_own_metric(word):
        return take_own_metric(scanner), start
    if agg.always_of is not None and word not in measures:
        return agg.always_of, start
    measure = measures.get(word)
    if measure is None:
        if agg.takes_measure and _is_meant_as_measure(word):
            _fail_unknown(word, start, measures)
        return LATENCY, start
    if not agg.takes_measure:
        scanner.fail(
            f"`{agg.word}` is not computed from a measure",
            length=len(word),
            hint=f"leave out `{word}`, or write `p95 {word}`",
        )
    scanner.skip(word)
    return measure, start


def is_own_metric(word: str) -> bool:
    """Whether a word of a threshold names a metric of the plan's own."""
    return word.startswith(OWN_PREFIX)


def take_own_metric(scanner: Scanner) -> Measure:
    """Take `metric.NAME`, which comes next.

    Raises:
        ThresholdSyntaxError: It names none.
    """
    word = scanner.peek_word()
    if not _OWN.fullmatch(word):
        message = f"`{word}` does not name a metric"
        scanner.fail(message, length=len(word), hint="write `metric.NAME`, as `record:` has it")
    scanner.skip(word)
    return own_measure(word)


def _is_meant_as_measure(word: str) -> bool:
    """Whether a word is no misspelt word of a clause."""
    if not _WORD.fullmatch(word) or word in CLAUSES or word in _OTHER_WORDS:
        return False
    return not nearest(word, (*CLAUSES, "and", "or", "for"))


def _fail_unknown(word: str, start: int, measures: Mapping[str, Measure]) -> NoReturn:
    meant = next((one for one in measures.values() if word in one.synonyms), None)
    hint = f"write `{meant.word}`" if meant else nearest(word, list(measures))
    raise UnknownMeasure(
        f"unknown measure `{word}`",
        offset=start,
        length=len(word),
        hint=hint or f"known measures are {', '.join(measures)}",
    )
