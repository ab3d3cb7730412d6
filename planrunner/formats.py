"""Report formats: one record each. Who writes a format is named, so that only its runs import it.

Plans, the command line, the forecast, the runner and the reference all read this table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from planrunner.values import dataclass

__all__ = [
    "METRICS_JSON",
    "REPORT_FORMATS",
    "SUITE_JSON",
    "FormatFile",
    "FormatSource",
    "ReportFormat",
    "partial_words",
    "usual_formats",
]


class FormatSource(StrEnum):
    """What a format is made of."""

    RESULT = "result"
    SAMPLES = "samples"


@dataclass(frozen=True, slots=True)
class FormatFile:
    """One file of a format.

    Attributes:
        name: In the run directory.
        writer: `module:function`, which gets the result, then the samples if the format is made of
            these, and the open text file.
        phase_name: The name of the same file for one phase, `{phase}` in place of its name; its
            writer then gets `phase` too. Only runs with several phases have it. Empty for none.
        is_binary: Whether the writer gets the file of bytes below the text file.
    """

    name: str
    writer: str
    phase_name: str = ""
    is_binary: bool = False


@dataclass(frozen=True, slots=True)
class ReportFormat:
    """A report that a run can write, and that `planrunner report` can make again.

    Attributes:
        name: In `report.formats`, `--formats` and `--format`.
        meaning: For the reference: its readers, what is in it. In Markdown.
        source: Samples are kept only while a plan asks for a format made of them.
        is_default: Whether a plan that names no formats gets it.
        package: The module of an extra that writes it; empty for none.
    """

    name: str
    meaning: str
    files: tuple[FormatFile, ...]
    source: FormatSource = FormatSource.RESULT
    is_default: bool = False
    package: str = ""


METRICS_JSON: Final = "metrics.json"
"""The format that is the run itself: always written, and all others are made of it."""

SUITE_JSON: Final = "suite.json"
"""What several runs came to, in the directory around theirs."""

_REPORT: Final = "planrunner.report.formats"
_RECORDS: Final = (
    ReportFormat(
        METRICS_JSON,
        "the source of everything below; always written; "
        "[schema](../../schema/metrics.schema.json)",
        (FormatFile(METRICS_JSON, "planrunner.results.files.metrics_json:write_text"),),
        is_default=True,
    ),
    ReportFormat(
        "results.csv",
        "one line per sample, those of the warm-up, after the end and aborted included; "
        "not what the plan does not measure",
        (
            FormatFile(
                "results.csv",
                f"{_REPORT}.samples.results_csv:write_results_csv",
                is_binary=True,
            ),
        ),
        FormatSource.SAMPLES,
        is_default=True,
    ),
    ReportFormat(
        "report.html",
        "people: one file that opens offline and loads nothing",
        (FormatFile("report.html", f"{_REPORT}.html:write_report"),),
        is_default=True,
    ),
    ReportFormat(
        "timeseries.csv",
        "phases, requests, metrics of the plan, services and monitors over time",
        (FormatFile("timeseries.csv", f"{_REPORT}.timeseries:write_timeseries"),),
    ),
    ReportFormat(
        "junit.xml",
        "CI servers: the run, each threshold, request and expectation is a test case",
        (FormatFile("junit.xml", f"{_REPORT}.junit:write_junit"),),
    ),
    ReportFormat(
        "jtl",
        "JMeter and Jenkins: samples that are results; bytes sent are 0, the URL is `null`",
        (FormatFile("results.jtl", f"{_REPORT}.samples.results_jtl:write_results_jtl"),),
        FormatSource.SAMPLES,
    ),
    ReportFormat(
        "parquet",
        "pandas, polars, DuckDB and Spark: results.csv in columns with types; needs the extra "
        "`data`",
        (
            FormatFile(
                "results.parquet",
                f"{_REPORT}.samples.results_parquet:write_results_parquet",
                is_binary=True,
            ),
        ),
        FormatSource.SAMPLES,
        package="pyarrow",
    ),
    ReportFormat(
        "locust-csv",
        "tools that read Locust's files, in milliseconds; a run with several phases has them for "
        "each, too: `locust_PHASE_stats.csv` …",
        tuple(
            FormatFile(
                f"locust_{table}.csv",
                f"{_REPORT}.locust:write_locust_{function}",
                f"locust_{{phase}}_{table}.csv",
            )
            for table, function in (
                ("stats", "stats"),
                ("stats_history", "history"),
                ("failures", "failures"),
                ("exceptions", "exceptions"),
            )
        ),
    ),
    ReportFormat(
        "summary.md",
        "GitHub's job summary, chats",
        (FormatFile("summary.md", f"{_REPORT}.markdown:write_markdown"),),
    ),
    ReportFormat(
        "metrics.txt",
        "GitLab's metrics report (OpenMetrics)",
        (FormatFile("metrics.txt", f"{_REPORT}.ci:write_openmetrics"),),
    ),
    ReportFormat(
        "annotations",
        "GitHub Actions: `::error file=…,line=…` at each broken threshold",
        (FormatFile("annotations.txt", f"{_REPORT}.ci:write_annotations"),),
    ),
)

REPORT_FORMATS: Final[Mapping[str, ReportFormat]] = {record.name: record for record in _RECORDS}
"""By name, in the order of the reference."""


def usual_formats() -> tuple[str, ...]:
    """Return the formats of a plan that names none."""
    return tuple(name for name, record in REPORT_FORMATS.items() if record.is_default)


def partial_words(formats: Iterable[str], samples: str) -> str:
    """Say which reports that were asked for lack samples, because few are kept; empty if none.

    Who names no formats has asked for none: results.csv is then what `samples:` makes of it.

    Args:
        formats: Those of the run.
        samples: The plan's `report.samples`.
    """
    wanted = set(formats)
    if samples == "all" or wanted == set(usual_formats()):
        return ""
    names = [
        file.name
        for record in _RECORDS
        if record.name in wanted and record.source is FormatSource.SAMPLES
        for file in record.files
    ]
    if not names:
        return ""
    files, one = " and ".join(names), len(names) == 1
    match samples:
        case "none":
            what = f"{'is' if one else 'are'} not written"
        case "failures" | "0%":
            what = f"{'lists' if one else 'list'} failures only"
        case share:
            what = f"{'lists' if one else 'list'} all failures and {share} of all other samples"
    return f"{files} {what}, because of `samples: {samples}`; `samples: all` keeps all of them"
