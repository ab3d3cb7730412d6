"""That a run could not begin: such a run leaves no directory, and its note stands beside others'.

Only plans that tell what has changed need to know, so only they have it written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from planrunner.errors import CannotRun, UsageError
from planrunner.results.files.atomic import atomic_text_file
from planrunner.results.files.metrics_json import read_json

__all__ = ["find_refusal", "forget_refusal", "note_refusal"]

_NAME: Final = ".could-not-run.json"

_PlanAndProfile = tuple[str, str]


def note_refusal(directory: Path, plan: str, profile: str, *, at: str) -> None:
    """Write beside the directory that a run was to have when it could not begin.

    Whoever can't write there knows less next time: that is no reason for another error.
    """
    place = directory.absolute().parent
    with suppress(OSError):
        place.mkdir(parents=True, exist_ok=True)
        _write(place, {**_read(place), (plan, profile): at})


def find_refusal(directory: Path, plan: str, profile: str) -> str:
    """Return when the last run beside a directory could not begin; empty if it could."""
    return _read(directory.absolute().parent).get((plan, profile), "")


def forget_refusal(directory: Path, plan: str, profile: str) -> None:
    """Let a run that has begun be the last one, whatever becomes of its directory."""
    place = directory.absolute().parent
    found = {**_read(place)}
    if found.pop((plan, profile), None) is not None:
        _write(place, found)


def _read(place: Path) -> Mapping[_PlanAndProfile, str]:
    with suppress(UsageError, KeyError, TypeError):  # absent, or somebody else's
        found = read_json(place / _NAME, _NAME)
        if isinstance(found, list):
            return {(str(one["plan"]), str(one["profile"])): str(one["at"]) for one in found}
    return {}


def _write(place: Path, found: Mapping[_PlanAndProfile, str]) -> None:
    entries = [
        {"plan": plan, "profile": profile, "at": at} for (plan, profile), at in found.items()
    ]
    with suppress(CannotRun, OSError):
        if not entries:
            (place / _NAME).unlink(missing_ok=True)
            return
        with atomic_text_file(place / _NAME) as file:
            json.dump(entries, file)
