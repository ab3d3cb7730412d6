"""Every report that is made of a result alone, by the name that plans and commands call it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TextIO

from planrunner.report.formats.ci import write_annotations, write_openmetrics
from planrunner.report.formats.junit import write_junit
from planrunner.report.formats.locust import write_locust_failures, write_locust_stats
from planrunner.report.formats.markdown import write_markdown
from planrunner.report.formats.timeseries import write_timeseries
from planrunner.results.model import RunResult
from planrunner.values import dataclass

__all__ = ["REPORTS", "Report"]


@dataclass(frozen=True, slots=True)
class Report:
    """One file of a format.

    Attributes:
        file: Its name in the run directory.
    """

    file: str
    write: Callable[[RunResult, TextIO], None]


REPORTS: Final[Mapping[str, tuple[Report, ...]]] = {
    "timeseries.csv": (Report("timeseries.csv", write_timeseries),),
    "junit.xml": (Report("junit.xml", write_junit),),
    "locust-csv": (
        Report("locust_stats.csv", write_locust_stats),
        Report("locust_failures.csv", write_locust_failures),
    ),
    "summary.md": (Report("summary.md", write_markdown),),
    "metrics.txt": (Report("metrics.txt", write_openmetrics),),
    "annotations": (Report("annotations.txt", write_annotations),),
}
"""Beside these are the formats that need more than a result: report.html, results.csv, jtl."""
