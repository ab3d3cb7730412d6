"""suite.json: a `SuiteResult` as a file beside the directories of its runs."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from planrunner.errors import UsageError
from planrunner.formats import SUITE_JSON
from planrunner.results.exit_codes import ExitCode
from planrunner.results.files.atomic import atomic_text_file
from planrunner.results.files.codec import BadShape, decode, encode, schema_of
from planrunner.results.files.metrics_json import check_version, json_text, read_json
from planrunner.results.suites.model import SuiteResult

__all__ = ["last_verdict", "read_suite", "suite_schema", "suite_text", "write_suite_json"]

_VERSION: Final = 1
"""Rises when a reader of the old files could be misled; a new field alone doesn't raise it."""

_MOST_TRIED: Final = 5
"""Suites beside a suite that are read to find the one before it."""

_SCHEMA_ID: Final = f"urn:planrunner:schema:suite:{_VERSION}"


def suite_text(suite: SuiteResult) -> str:
    """Return the text of suite.json; the same suite always gives the same text."""
    data: Any = encode(suite)
    return json_text({"$schema": _SCHEMA_ID, "schema_version": _VERSION, **data})


def write_suite_json(suite: SuiteResult, directory: Path) -> None:
    """Write suite.json, whole or not at all.

    Raises:
        CannotRun: It cannot be written.
    """
    with atomic_text_file(directory / SUITE_JSON) as file:
        file.write(suite_text(suite))


def read_suite(directory: Path) -> SuiteResult:
    """Read the suite.json of a directory.

    Raises:
        UsageError: There is none, or it cannot be understood.
    """
    path = directory / SUITE_JSON
    data = read_json(path, SUITE_JSON)
    check_version(data, str(path), SUITE_JSON, _VERSION)
    try:
        suite: SuiteResult = decode(SuiteResult, data)
    except BadShape as error:
        raise UsageError(f"`{path}` is broken: {error}") from error
    return suite


def last_verdict(directory: Path, plan: str, profile: str) -> str:
    """Return what a plan came to in the last suite beside this one; empty when there is none.

    Args:
        directory: Of the suite.
        plan: Its name.
        profile: Of the plan; empty when it has none.
    """
    for path in _newest_beside(directory)[:_MOST_TRIED]:
        with suppress(UsageError):
            for one in read_suite(path.parent).plans:
                is_judged = one.exit_code not in (None, ExitCode.INTERRUPTED)
                if is_judged and (one.plan, one.profile) == (plan, profile):
                    return one.verdict
    return ""


def _newest_beside(directory: Path) -> list[Path]:
    own = directory.absolute() / SUITE_JSON
    with suppress(OSError):  # a folder that can't be listed has none
        others = [path for path in own.parent.parent.glob(f"*/{SUITE_JSON}") if path != own]
        return sorted(others, key=lambda path: (path.stat().st_mtime_ns, path), reverse=True)
    return []


def suite_schema() -> dict[str, Any]:
    """Return the JSON Schema of suite.json (draft 2020-12)."""
    schema = schema_of(SuiteResult)
    head = {"$schema": {"const": _SCHEMA_ID}, "schema_version": {"const": _VERSION}}
    schema["properties"] = head | schema["properties"]
    schema["required"] = [*head, *schema["required"]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": _SCHEMA_ID,
        "title": "planrunner suite.json",
        **schema,
    }
