"""Runs compared from Python: what changed, or which is best, and whether it is noise."""

from __future__ import annotations

import io
from collections.abc import Callable
from os import PathLike
from typing import TYPE_CHECKING, TypeVar, overload

from planrunner.errors import UsageError
from planrunner.python.results.result import Result, load
from planrunner.results.changes import ChangeOutcome, Comparison, FigureChange
from planrunner.results.comparison import TOLERANCE
from planrunner.results.comparison import compare as compare_runs
from planrunner.results.configurations.model import (
    Configuration,
    ConfigurationFigure,
    ConfigurationTable,
)
from planrunner.results.configurations.names import configuration_names
from planrunner.results.configurations.runs import compare_configurations
from planrunner.units import UnitError, parse_percent

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["ComparedRuns", "RunComparison", "compare"]


T = TypeVar("T")


def _printed(print_: Callable[[T, Console], None], compared: T) -> str:
    """Return what a view of `planrunner compare` prints, without colours."""
    from planrunner.report.terminal.console import open_console  # noqa: PLC0415 - draws

    out = io.StringIO()
    print_(compared, open_console(out, color=False))
    return out.getvalue().strip("\n")


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

        return _printed(print_comparison, self.raw)

    def _repr_html_(self) -> str:
        from planrunner.python.results.notebook import comparison_html  # noqa: PLC0415 - for notebooks

        return comparison_html(self.raw)

    def __repr__(self) -> str:
        return f"<RunComparison {self.raw.after} against {self.raw.before}: {self.outcome}>"


class ComparedRuns:
    """Three or more runs beside each other, and the best one where noise is ruled out.

    Attributes:
        raw: Everything that `planrunner compare --json` prints of several runs.
    """

    def __init__(self, raw: ConfigurationTable) -> None:
        self.raw = raw

    @property
    def best(self) -> str | None:
        """The name of the best run of all; None where there is none.

        It is better than each other one in some figure of all requests together, and no other is
        better in any figure of any request.
        """
        return None if self.raw.best is None else self.names[self.raw.best]

    @property
    def names(self) -> tuple[str, ...]:
        """What each run is called: by its directory, or by what it was made with."""
        return tuple(one.name for one in self.raw.configurations)

    @property
    def configurations(self) -> tuple[Configuration, ...]:
        """Each run with its name and the params that are not the same in all."""
        return self.raw.configurations

    @property
    def figures(self) -> tuple[ConfigurationFigure, ...]:
        """Each figure of each request; all requests together come first, with an empty name."""
        return self.raw.figures

    @property
    def differences(self) -> tuple[str, ...]:
        """How the load differs, each a sentence; with any of them nothing is called best."""
        return self.raw.differences

    @property
    def nothing_compared(self) -> str:
        """Why nothing can be called best in anything; empty if something might be."""
        return self.raw.nothing_compared

    @property
    def remarks(self) -> tuple[str, ...]:
        """What else to know about the runs, each a sentence."""
        return self.raw.remarks

    def explain(self) -> str:
        """Return what `planrunner compare` prints."""
        from planrunner.report.configurations.console import print_configurations  # noqa: PLC0415 - draws

        return _printed(print_configurations, self.raw)

    def _repr_html_(self) -> str:
        from planrunner.python.results.notebook import configurations_html  # noqa: PLC0415 - for notebooks

        return configurations_html(self.raw)

    def __repr__(self) -> str:
        return f"<ComparedRuns {', '.join(self.names)}: best {self.best}>"


@overload
def compare(
    before: Result | str | PathLike[str],
    after: Result | str | PathLike[str],
    *,
    tolerance: float | str = TOLERANCE,
) -> RunComparison: ...


@overload
def compare(
    before: Result | str | PathLike[str],
    after: Result | str | PathLike[str],
    third: Result | str | PathLike[str],
    /,
    *more: Result | str | PathLike[str],
    tolerance: float | str = TOLERANCE,
) -> ComparedRuns: ...


def compare(
    before: Result | str | PathLike[str],
    after: Result | str | PathLike[str],
    *more: Result | str | PathLike[str],
    tolerance: float | str = TOLERANCE,
) -> RunComparison | ComparedRuns:
    """Compare two runs, or several configurations; the same runs always give the same answer.

    Two are compared request by request, and give a `RunComparison`. With more of them, all are
    configurations of one thing, and give `ComparedRuns`: their figures, and the best one.

    Args:
        before: The earlier run: a result, or its directory.
        after: The later run.
        *more: With any of these there is no earlier and later.
        tolerance: Changes up to this size don't count: a share such as 0.05, or `"5%"`.

    Raises:
        UsageError: There is no such run, it has too little to compare, or is named twice.

    Example:
        >>> before, after = (planrunner.run("shop.yaml", seed=3) for _ in range(2))
        >>> planrunner.compare(before, after).is_worse
        False
    """
    share = _share(tolerance)
    found = [one if isinstance(one, Result) else load(one) for one in (before, after, *more)]
    runs = [one.raw for one in found]
    if not more:
        return RunComparison(compare_runs(*runs, tolerance=share))
    names = configuration_names(runs, [one.directory for one in found])
    return ComparedRuns(compare_configurations(runs, names, tolerance=share))


def _share(tolerance: float | str) -> float:
    if not isinstance(tolerance, str):
        return tolerance
    try:
        return parse_percent(tolerance)
    except UnitError as error:
        raise UsageError(f"tolerance: {error.message}", hint='give a share, or "5%"') from error
