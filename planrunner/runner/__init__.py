"""Runs a plan: environment, services, workers, clients, outputs, result and reports.

`run` and what it takes are here for callers in Python; each is imported when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from planrunner.runner.api import ResultLost, run
    from planrunner.runner.debug import dry_run
    from planrunner.runner.request import PreparedRun, RunRequest, prepare

__all__ = ["PreparedRun", "ResultLost", "RunRequest", "dry_run", "prepare", "run"]

_HOMES: Final = {"ResultLost": "api", "run": "api", "dry_run": "debug"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'request')}"), name)
