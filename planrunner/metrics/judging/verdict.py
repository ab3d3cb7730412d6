"""What a threshold came to."""

from __future__ import annotations

from enum import StrEnum

from planrunner.values import dataclass

__all__ = ["Observation", "SingleObservation", "Verdict"]


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
