"""The runs of the past: found, summed up, compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import StringIO
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from planrunner.errors import UsageError
from planrunner.formats import REPORT_FORMATS
from planrunner.report.charts.vega import javascript_bundle
from planrunner.report.formats.compare import write_comparison_html
from planrunner.results.changes import FigureChange
from planrunner.results.comparison import compare
from planrunner.results.files.directory import METRICS
from planrunner.results.files.metrics_json import read_metrics
from planrunner.results.files.past_runs import run_files
from planrunner.results.model import RunResult
from planrunner.web.feed.result_facts import result_facts, verdict_of
from planrunner.web.server.live_runs import RunFiles

__all__ = ["PastRunsOfFolder"]

_MOST_SHOWN: Final = 300


class PastRunsOfFolder:
    """The runs below some folders; each is read once.

    Args:
        folders: Says where plans have their runs.
    """

    def __init__(self, folders: Callable[[], Iterable[Path]]) -> None:
        self._folders = folders
        self._started: set[Path] = set()
        self._read: dict[tuple[Path, int], dict[str, Any]] = {}
        self._homes: dict[str, Path] = {}

    def rows(self) -> tuple[list[dict[str, Any]], list[str]]:
        """Return a row for each run, the newest first, and what is said about those left out."""
        found, notices = {}, []
        for file in self._files():
            key = (file, file.stat().st_mtime_ns)
            try:
                found[key] = self._read.get(key) or _row(read_metrics(file), file.parent)
            except UsageError as error:
                notices.append(f"{error.message}; left out")
        self._read = found
        runs = {row["id"]: row for row in found.values()}
        rows = sorted(runs.values(), key=lambda row: str(row["started"]), reverse=True)
        self._homes = {row["id"]: Path(row["directory"]) for row in rows}
        if len(rows) > _MOST_SHOWN:
            notices.append(f"only the last {_MOST_SHOWN} of {len(rows)} runs are shown")
        return rows[:_MOST_SHOWN], notices

    def remember(self, directory: Path) -> None:
        """Know of a run that is about to begin."""
        self._started.add(directory)

    def _files(self) -> list[Path]:
        folders = {*self._folders(), *self._started}
        single = [folder / METRICS for folder in folders if (folder / METRICS).is_file()]
        return sorted({*single, *(file for folder in folders for file in run_files(folder))})

    def files(self, run_id: str) -> RunFiles | None:
        """Return the reports of a run; None of one that isn't known."""
        home = self._home(run_id)
        if home is None:
            return None
        names = (METRICS, *(file.name for one in REPORT_FORMATS.values() for file in one.files))
        return RunFiles(home, tuple(name for name in names if (home / name).is_file()))

    def result(self, run_id: str) -> RunResult:
        """Return what came of a run.

        Raises:
            UsageError: It isn't known, or can't be read.
        """
        home = self._home(run_id)
        if home is None:
            raise UsageError(f"there is no run `{run_id}` in the history")
        return read_metrics(home / METRICS)

    def _home(self, run_id: str) -> Path | None:
        if run_id not in self._homes:
            self.rows()
        return self._homes.get(run_id)

    def summary(self, run_id: str) -> dict[str, Any]:
        """Return the row of a run, and its result as the live page shows it.

        Raises:
            UsageError: As `result`.
        """
        result, files = self.result(run_id), self.files(run_id)
        assert files is not None
        base = f"runs/{quote(run_id)}"
        named = [{"name": name, "url": f"{base}/files/{quote(name)}"} for name in files.names]
        row = _row(result, files.directory)
        facts = {**result_facts(result), "report": row["report"], "files": named}
        return {**row, "result": facts}

    def comparison(self, before: str, after: str) -> dict[str, Any]:
        """Return what changed between two runs.

        Raises:
            UsageError: One isn't known, or has nothing to compare.
        """
        found = compare(self.result(before), self.result(after))
        query = f"before={quote(before)}&after={quote(after)}"
        return {
            "verdict": found.outcome.value,
            "nothing_compared": found.nothing_compared,
            "remarks": list(found.remarks),
            "rows": list(map(_change, (*found.changes, *found.whole))),
            "page": f"compare.html?{query}",
        }

    def comparison_page(self, before: str, after: str) -> str:
        """Return it as a page.

        Raises:
            UsageError: As `comparison`.
        """
        runs = (self.result(before), self.result(after))
        page = StringIO()
        write_comparison_html(compare(*runs), runs, page, bundle=javascript_bundle())
        return page.getvalue()


def _row(result: RunResult, directory: Path) -> dict[str, Any]:
    totals = result.totals
    has_report = (directory / "report.html").is_file()
    return {
        "id": result.run_id,
        "plan": result.plan,
        "plan_path": result.plan_path,
        "profile": result.profile,
        "started": result.started,
        "duration_s": result.duration_seconds,
        "verdict": verdict_of(result.exit_code),
        "exit_code": int(result.exit_code),
        "requests": totals.total_requests,
        "error_rate": totals.error_rate / 100,
        "p95": round(totals.p95_response_time * 1000, 3) if totals.has_latency else None,
        "rate": totals.requests_per_second,
        "report": f"runs/{quote(result.run_id)}/report.html" if has_report else None,
        "live": False,
        "directory": str(directory),
    }


def _change(change: FigureChange) -> dict[str, Any]:
    return {
        "what": change.request,
        "figure": change.figure,
        "before": change.before,
        "after": change.after,
        "change": change.change,
        "low": change.low,
        "high": change.high,
        "says": change.outcome.value,
    }
