"""The files of a suite: suite.json, junit.xml and index.html in its directory."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from planrunner.report.suites.html import write_suite_html
from planrunner.report.suites.junit import write_suite_junit
from planrunner.results.files.atomic import atomic_text_file
from planrunner.results.suites.model import SuiteResult
from planrunner.results.suites.suite_json import write_suite_json

__all__ = ["INDEX", "JUNIT", "write_suite"]

INDEX: Final = "index.html"
JUNIT: Final = "junit.xml"


def write_suite(suite: SuiteResult, directory: Path) -> None:
    """Write all of them, each whole or not at all; what others are made from comes first.

    Raises:
        CannotRun: One can't be written.
    """
    write_suite_json(suite, directory)
    for name, write in ((JUNIT, write_suite_junit), (INDEX, write_suite_html)):
        with atomic_text_file(directory / name) as out:
            write(suite, out)
