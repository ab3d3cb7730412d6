"""What changed between two runs: the figures, and what a run keeps of the one before it."""

from __future__ import annotations

from enum import StrEnum

from planrunner.values import dataclass

__all__ = [
    "ChangeOutcome",
    "Comparison",
    "EarlierKind",
    "EarlierPoints",
    "EarlierRun",
    "FigureChange",
]


class ChangeOutcome(StrEnum):
    BETTER = "better"
    SAME = "same"
    WORSE = "worse"
    UNCLEAR = "can't tell"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class FigureChange:
    """One figure of one request.

    Attributes:
        request: Empty for all together.
        figure: `typical_p50`, `typical_p95`, `typical_p99`, `throughput`, `error_rate`, and
            `checks` and `work_rate` where there are expectations and work; of a component that is
            compared by its samples `p50` in place of what is a second's; of `Comparison.whole`
            `p99` and `worst_p99`, and the averages of metrics of the plan's own: `metric.tokens`.
        before: In base units: seconds, per second, a share; `after` too. Times and throughput are
            0 where they aren't known.
        change: Relative, 0.1 is 10 % more; of shares the difference.
        low: Of the confidence interval of `change`; `high` likewise. Both 0 if there is none.
    """

    request: str
    figure: str
    before: float
    after: float
    change: float
    low: float
    high: float
    outcome: ChangeOutcome


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run and the one before it.

    Attributes:
        changes: All requests together first, then each by name.
        gone: Requests of the first run only; `new` those of the second only.
        remarks: Why they may not be comparable, each a sentence.
        whole: What the typical second leaves out: the 99th percentile of the whole run and that
            of its worst second, and metrics of the plan's own. Noise can't be told from change
            there, so nothing is judged.
    """

    before: str
    after: str
    tolerance: float
    changes: tuple[FigureChange, ...]
    gone: tuple[str, ...]
    new: tuple[str, ...]
    remarks: tuple[str, ...]
    whole: tuple[FigureChange, ...] = ()

    @property
    def nothing_compared(self) -> str:
        """Why the comparison shows nothing at all, neither good nor bad; empty if it does."""
        if not any(change.request for change in self.changes):
            return "the second run has none of the first one's requests"
        if not any(change.low or change.high for change in self.changes):
            return "no figure of these runs could be compared"
        return ""

    @property
    def outcome(self) -> ChangeOutcome:
        """Worse if anything is, else better, else can't tell of a figure of all together."""
        if self.nothing_compared:
            return ChangeOutcome.UNCLEAR
        found = {change.outcome for change in self.changes}
        for outcome in (ChangeOutcome.WORSE, ChangeOutcome.BETTER):
            if outcome in found:
                return outcome
        together = {change.outcome for change in self.changes if self._decides(change)}
        return ChangeOutcome.UNCLEAR if ChangeOutcome.UNCLEAR in together else ChangeOutcome.SAME

    @property
    def is_by_samples(self) -> bool:
        """Whether components are compared by their samples, and not by typical seconds."""
        return any(change.figure == "p50" for change in self.changes)

    @staticmethod
    def _decides(change: FigureChange) -> bool:
        """Whether it is of all together, or of a component: those have no time together."""
        return not change.request or change.figure == "p50"


class EarlierKind(StrEnum):
    """Why a run is compared with this one."""

    BASELINE = "baseline"
    PREVIOUS = "previous run"


@dataclass(frozen=True, slots=True)
class EarlierPoints:
    """One request of an earlier run over time; as `request_points`, of which it is a part."""

    name: str
    interval_seconds: int
    seconds: tuple[int, ...]
    requests: tuple[int, ...]
    p95_ns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """The run that this one was compared with when it ended.

    Attributes:
        started: UTC, ISO 8601.
        points: All requests together first, then each that both runs have.
    """

    kind: EarlierKind
    started: str
    comparison: Comparison
    points: tuple[EarlierPoints, ...]
