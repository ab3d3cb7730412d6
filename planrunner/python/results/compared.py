"""Two runs compared from Python: what changed, and whether it is more than noise."""

from __future__ import annotations

import io
from os import PathLike

from planrunner.errors import UsageError
from planrunner.python.results.result import Result, load
from planrunner.results.changes import ChangeOutcome, Comparison, FigureChange
from planrunner.results.comparison import TOLERANCE
from planrunner.results.comparison import compare as compare_runs
from planrunner.units import UnitError, parse_percent

__all__ = ["RunComparison", "compare"]


class RunComparison:
    """A run compared with an earlier one.

    Attributes:
        raw: Everything that `planrunner compare --json` prints.
    """

    def __init__(self, raw: Comparison) -> None:
        self.raw = raw

    @property
    def outcome(self) -> ChangeOutcome:
        """`worse` if any figure is, else `better`, `same`, or `can't tell`."""
        return self.raw.outcome

    @property
    def is_worse(self) -> bool:
        """Whether any figure is worse by more than noise and the tolerance."""
        return self.outcome is ChangeOutcome.WORSE

    @property
    def changes(self) -> tuple[FigureChange, ...]:
        """Each figure of each request; all requests together come first, with an empty name."""
        return self.raw.changes

    @property
    def nothing_compared(self) -> str:
        """Why nothing could be compared; empty if anything was."""
        return self.raw.nothing_compared

    @property
    def remarks(self) -> tuple[str, ...]:
        """Why the runs may not be comparable, each a sentence."""
        return self.raw.remarks

    def explain(self) -> str:
        """Return what `planrunner compare` prints."""
        from planrunner.report.formats.compare import print_comparison  # noqa: PLC0415 - draws
        from planrunner.report.terminal.console import open_console  # noqa: PLC0415 - as above

        out = io.StringIO()
        print_comparison(self.raw, open_console(out, color=False))
        return out.getvalue().strip("\n")

    def _repr_html_(self) -> str:
        from planrunner.python.results.notebook import comparison_html  # noqa: PLC0415 - for notebooks

        return comparison_html(self.raw)

    def __repr__(self) -> str:
        return f"<RunComparison {self.raw.after} against {self.raw.before}: {self.outcome}>"


def compare(
    before: Result | str | PathLike[str],
    after: Result | str | PathLike[str],
    *,
    tolerance: float | str = TOLERANCE,
) -> RunComparison:
    """Compare two runs, request by request; the same two always give the same answer.

    Args:
        before: The earlier run: a result, or its directory.
        after: The later run.
        tolerance: Changes up to this size don't count: a share such as 0.05, or `"5%"`.

    Raises:
        UsageError: There is no such run, or it has too little to compare.
    """
    share = _share(tolerance)
    old, new = (one if isinstance(one, Result) else load(one) for one in (before, after))
    return RunComparison(compare_runs(old.raw, new.raw, tolerance=share))


def _share(tolerance: float | str) -> float:
    if not isinstance(tolerance, str):
        return tolerance
    try:
        return parse_percent(tolerance)
    except UnitError as error:
        raise UsageError(f"tolerance: {error.message}", hint='give a share, or "5%"') from error
