"""Where the report of a run can be found: the page of its CI job, or else its file."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Final

__all__ = ["place_of_report"]

_REPORTS: Final = ("index.html", "report.html", "summary.md", "metrics.json")

_JOBS: Final = (
    "{CI_JOB_URL}",  # GitLab
    "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}",
    "{BUILDKITE_BUILD_URL}",
    "{CIRCLE_BUILD_URL}",
    "{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}",  # Azure
    "{BUILD_URL}",  # Jenkins
)
"""The pages of jobs, of environment variables that CI services document."""


def place_of_report(directory: Path, environ: Mapping[str, str]) -> str:
    """Return where people find the report; empty when there is none."""
    for page in _JOBS:
        try:
            return page.format_map(environ)
        except KeyError:
            continue
    found = next((name for name in _REPORTS if (directory / name).exists()), "")
    return f"{(directory / found).absolute()} on {platform.node()}" if found else ""
