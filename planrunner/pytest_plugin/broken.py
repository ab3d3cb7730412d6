"""A broken threshold in a line: where it is written, what it says, and what was observed."""

from __future__ import annotations

from planrunner.report.formats.junit import threshold_case
from planrunner.results.model import Judgement

__all__ = ["broken_words"]


def broken_words(judgement: Judgement) -> str:
    """Return where a threshold is written, what it says, and what was observed."""
    case = threshold_case(judgement)
    place = f"{judgement.place}: " if judgement.place else ""
    return f"{place}{case.name}: {case.fault or case.skipped or case.said}"
