"""What came of a run, for Python programs: read-only, and the same from memory and from disk."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from planrunner.python.results.elapsed import Elapsed
from planrunner.python.results.figures import (
    Figures,
    FiguresByName,
    PhaseFigures,
    SeriesFigures,
    series_of,
)
from planrunner.results.aggregate import make_whole
from planrunner.results.exit_codes import ExitCode
from planrunner.results.model import Judgement, Row, RunResult, Validity
from planrunner.results.record import FailingSample, measured_of, read_series
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

if TYPE_CHECKING:
    from planrunner.python.results.tables import TableName

__all__ = ["FailedRequests", "Result", "load"]


@dataclass(frozen=True, slots=True)
class FailedRequests:
    """The requests of one name that failed in one way.

    Attributes:
        kind: The failure kind: `status`, `timeout`, `connect` …
        count: How many of them are results.
        reason: Of the first one, in words; empty where none was kept.
        samples: The first ones, with what was sent and received.
    """

    request: str
    kind: str
    count: int
    reason: str
    samples: tuple[FailingSample, ...]


class Result:
    """A finished run.

    Attributes:
        directory: Where its files are.
        raw: Everything that metrics.json has, with its names and units.
    """

    def __init__(self, raw: RunResult, directory: Path) -> None:
        self.raw = raw
        self.directory = directory

    @property
    def passed(self) -> bool:
        """Whether the run took place as planned and no threshold failed, as exit code 0 says."""
        return self.raw.exit_code == ExitCode.OK

    @property
    def exit_code(self) -> int:
        """What `planrunner execute` would have ended with."""
        return int(self.raw.exit_code)

    @property
    def ended_because(self) -> str:
        """`finished`, or why the run ended early, in words."""
        return self.raw.ended_because

    @property
    def run_id(self) -> str:
        """The id of the run, part of its directory's name."""
        return self.raw.run_id

    @property
    def plan(self) -> str:
        """The plan's name."""
        return self.raw.plan

    @property
    def profile(self) -> str:
        """The profile that ran; empty for a plan without profiles."""
        return self.raw.profile

    @property
    def seed(self) -> int:
        """The seed of every random draw; the same one repeats them."""
        return self.raw.seed

    @property
    def started(self) -> datetime:
        """When the load began, in UTC."""
        return datetime.fromisoformat(self.raw.started)

    @property
    def duration(self) -> Elapsed:
        """From the start of the load until the last user had gone."""
        return Elapsed(round(self.raw.duration_seconds * NS_PER_S))

    @property
    def labels(self) -> Mapping[str, str]:
        """What the caller called this run."""
        return self.raw.labels

    @property
    def validity(self) -> Validity:
        """Whether the numbers can be trusted: `level` and `reasons`."""
        return self.raw.validity

    @property
    def notices(self) -> tuple[str, ...]:
        """What else to know about the run, each a sentence."""
        return self.raw.notices

    @property
    def thresholds(self) -> tuple[Judgement, ...]:
        """Each threshold with its verdict and what was observed, in the plan's order."""
        return self.raw.judgements

    @cached_property
    def total(self) -> Figures:
        """All requests of the run together."""
        raw = self.raw
        return Figures(make_whole(read_series(raw.series), measured_of(raw.measured)))

    @cached_property
    def requests(self) -> FiguresByName[Figures]:
        """Each request, by its name, over the whole run."""
        return self._figures("request")

    @cached_property
    def tasks(self) -> FiguresByName[Figures]:
        """The requests of each task, by its name."""
        return self._figures("task")

    @cached_property
    def users(self) -> FiguresByName[Figures]:
        """The requests of each user class, by its name."""
        return self._figures("user")

    @cached_property
    def groups(self) -> FiguresByName[Figures]:
        """Each group, by its name."""
        return self._figures("group")

    @cached_property
    def tags(self) -> FiguresByName[Figures]:
        """The requests of each tag, by `key` or `key=value`."""
        return self._figures("tag")

    @cached_property
    def phases(self) -> FiguresByName[PhaseFigures]:
        """Each phase, by its name, with its requests and its load."""
        loads = {load.phase: load for load in self.raw.loads}
        rows = self.raw.rows
        return FiguresByName(
            "phase",
            (
                PhaseFigures(
                    row,
                    (one for one in rows if one.by == "request" and one.phase == row.name),
                    loads.get(row.name),
                )
                for row in rows
                if row.by == "phase"
            ),
        )

    @cached_property
    def failures(self) -> tuple[FailedRequests, ...]:
        """What failed, by request and failure kind, the most frequent first."""
        counts: Counter[tuple[str, str]] = Counter()
        for row in self._rows("request"):
            for kind, count in row.failures.items():
                counts[row.name, kind] += count
        return tuple(
            self._failed(request, kind, count)
            for (request, kind), count in sorted(
                counts.items(), key=lambda item: (-item[1], item[0])
            )
        )

    @cached_property
    def series(self) -> tuple[SeriesFigures, ...]:
        """Every series with its whole distribution, warm-up and aborted requests included.

        Raises:
            UsageError: metrics.json is broken.
        """
        return series_of(self.raw.series)

    def explain(self) -> str:
        """Return the summary that `planrunner execute` prints: the verdict, and what it rests on.

        Made for `assert result.passed, result.explain()`.
        """
        from planrunner.report.terminal.console import open_console, print_summary  # noqa: PLC0415 - draws

        out = io.StringIO()
        print_summary(self.raw, open_console(out, color=False), files=[str(self.directory)])
        return out.getvalue().strip("\n")

    def to_dataframe(
        self,
        table: TableName = "requests",
        *,
        library: Literal["pandas", "polars"] | None = None,
    ) -> Any:  # noqa: ANN401 - a DataFrame of whichever is installed
        """Return a table as a pandas or polars DataFrame; durations are in seconds.

        Args:
            table: `requests` and `phases` have a row for each of them, `seconds` one for each
                second and phase, `thresholds` one for each threshold, `series` one for each series.
            library: `pandas` or `polars`; None for the one that is installed, pandas first.

        Raises:
            UsageError: There is no such table.
            PackageMissing: The library, or either of them, is not installed.
        """
        from planrunner.python.results.tables import dataframe  # noqa: PLC0415 - few ask for one

        return dataframe(self.raw, table, library)

    def _repr_html_(self) -> str:
        from planrunner.python.results.notebook import result_html  # noqa: PLC0415 - for notebooks

        return result_html(self.raw, self.directory)

    def __repr__(self) -> str:
        word = "passed" if self.passed else "failed"
        count = self.raw.totals.total_requests
        return f"<Result of {self.plan}: {word}, {count:,} requests, {self.directory}>"

    def _rows(self, by: str) -> Iterable[Row]:
        return (row for row in self.raw.rows if row.by == by and not row.phase)

    def _figures(self, by: str) -> FiguresByName[Figures]:
        return FiguresByName(by, map(Figures, self._rows(by)))

    def _failed(self, request: str, kind: str, count: int) -> FailedRequests:
        samples = tuple(
            one for one in self.raw.failing_samples if (one.request, one.kind) == (request, kind)
        )
        return FailedRequests(request, kind, count, samples[0].reason if samples else "", samples)


def load(directory: str | PathLike[str]) -> Result:
    """Open the result of an earlier run.

    Args:
        directory: Of the run, or its metrics.json.

    Raises:
        UsageError: There is no run, or nothing of it can be understood.

    Example:
        >>> first = planrunner.run("shop.yaml", out="reports/first")
        >>> planrunner.load("reports/first").total.count == first.total.count
        True
    """
    from planrunner.results.files.directory import read_run  # noqa: PLC0415 - not for each run

    path = Path(directory).absolute()
    return Result(read_run(Path(directory)), path if path.is_dir() else path.parent)
