"""The packages that report formats need, looked for before anything runs."""

from __future__ import annotations

from planrunner.extras import need
from planrunner.formats import REPORT_FORMATS

__all__ = ["need_package"]


def need_package(name: str) -> None:
    """Make sure that a report format can be written here.

    Raises:
        PackageMissing: It needs an extra that is not installed.
    """
    if package := REPORT_FORMATS[name].package:
        need(package, f"the report `{name}`")
