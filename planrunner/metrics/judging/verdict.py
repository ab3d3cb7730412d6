"""What a threshold came to."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from planrunner.values import dataclass

__all__ = ["Observation", "SingleObservation", "Verdict", "worst_verdicts"]


class Verdict(StrEnum):
    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    NO_DATA = "no_data"
    NOT_APPLICABLE = "n/a"

    @property
    def fails_the_run(self) -> bool:
        """No data is not a pass."""
        return self in (Verdict.FAIL, Verdict.NO_DATA)


_WORST_FIRST: Final = (
    *(Verdict.FAIL, Verdict.WARN, Verdict.NO_DATA, Verdict.PASS, Verdict.NOT_APPLICABLE),
)


def worst_verdicts(found: Iterable[tuple[str, Verdict]]) -> dict[str, Verdict]:
    """Return a verdict for each threshold; of several with the same text, the worst."""
    verdicts: dict[str, Verdict] = {}
    for threshold, verdict in found:
        before = verdicts.get(threshold, verdict)
        verdicts[threshold] = min(before, verdict, key=_WORST_FIRST.index)
    return verdicts


@dataclass(frozen=True, slots=True)
class Observation:
    """A verdict with what it rests on, in words.

    Attributes:
        observed: With its unit, such as `312 ms`; `no samples` and the like without data.
        limit: The value it was compared with, with its unit.
        reason: What the two leave open: which window, why not applicable; often empty.
        limit_amount: `limit` as a number of its unit; None where it isn't known.
        window_ns: From when to when the worst window lasted, by the clock; None without windows.
        amount: What was observed as a number of the limit's unit; of windows, what decides.
        singles: Of `each`, what came of every single one, the worst first.
    """

    verdict: Verdict
    observed: str
    limit: str
    reason: str = ""
    limit_amount: float | None = None
    window_ns: tuple[int, int] | None = None
    amount: float | None = None
    singles: tuple[SingleObservation, ...] = ()


@dataclass(frozen=True, slots=True)
class SingleObservation:
    """What came of one of `each`, by its name."""

    name: str
    found: Observation
