"""Which plans a suite runs, and whether all of them can: nothing is sent or written yet."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

from planrunner.engine.stop import Stop
from planrunner.errors import UsageError
from planrunner.language.diagnostics import Diagnostic, Note, PlanError, Span
from planrunner.plan.loader import CheckedPlan
from planrunner.plan.models.load.profiles import unique_names
from planrunner.plan.yaml.edits import COMMAND_LINE
from planrunner.runner.notify.recipients import Recipients
from planrunner.runner.request import PreparedRun, RunRequest, prepare
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["PreparedSuite", "SuiteEntry", "SuiteRequest", "faults_of", "prepare_suite"]

_HOME: Final = Path("reports/suite")


@dataclass(frozen=True, slots=True)
class SuiteRequest:
    """Several plans, as their caller wants them to run one after the other.

    Attributes:
        runs: One for each plan, in order. Their directories and stops are the suite's affair; a
            seed that one of them has is its own.
        repeat: How often each plan runs; thresholds are judged by the medians then.
        keep_going: Go on after a plan that fails.
        directory: Of the suite; None: a new one below `reports/suite`.
        seed: Of every plan that has none of its own; None: one that is drawn.
        stop: Ask it to end the suite; None: never.
    """

    runs: tuple[RunRequest, ...]
    repeat: int = 1
    keep_going: bool = False
    directory: Path | None = None
    seed: int | None = None
    stop: Stop | None = None


@dataclass(frozen=True, slots=True)
class SuiteEntry:
    """A plan of a suite that can run.

    Attributes:
        plan: Its name.
        path: As the caller gave it.
        directory: The name of its directory in that of the suite.
        most_users: The most at a time in any of its phases.
        recipients: Who is told what came of it.
    """

    request: RunRequest
    plan: str
    path: str
    profile: str
    directory: str
    most_users: int
    graceful_stop_s: float
    recipients: Recipients


@dataclass(frozen=True, slots=True)
class PreparedSuite:
    """A suite that only has to begin.

    Attributes:
        directory: Where its files will be; not made yet.
        seed: Of every plan that has none of its own.
    """

    request: SuiteRequest
    entries: tuple[SuiteEntry, ...]
    directory: Path
    seed: int


def prepare_suite(request: SuiteRequest, faults: Sequence[PlanError] = ()) -> PreparedSuite:
    """Find out whether every run of a suite can begin.

    Args:
        request: The suite.
        faults: Those of plans that could not even be loaded, and so are not part of the request.

    Raises:
        PlanError: Plans are invalid; with the faults of all of them.
        UsageError: There is no plan, or a run asks for what cannot be.
    """
    if not request.runs and not faults:
        raise UsageError("a suite needs a plan")
    seed = int.from_bytes(os.urandom(4)) if request.seed is None else request.seed
    found, prepared = list(faults), []
    for run in request.runs:
        try:
            prepared.append(prepare(_with_seed(run, request, seed)))
        except PlanError as error:
            file = run.plan.bundle.file if isinstance(run.plan, CheckedPlan) else str(run.plan)
            found.append(faults_of(error, file))
    if found:
        raise _together(found, len(request.runs) + len(faults))
    names = unique_names(run.graph.slug for run in prepared)
    entries = tuple(_entry(run, name) for run, name in zip(prepared, names, strict=True))
    return PreparedSuite(request, entries, request.directory or _new_directory(), seed)


def faults_of(error: PlanError, file: str) -> PlanError:
    """Return the faults of one plan among several: those of an option name the plan too."""
    return PlanError([_naming(fault, file) for fault in error.diagnostics])


def _naming(fault: Diagnostic, file: str) -> Diagnostic:
    if fault.span.file != COMMAND_LINE:
        return fault
    note = Note(Span(file, 1, 1, 1, 1), "in this plan")
    return replace(fault, notes=(*fault.notes, note))


def _with_seed(run: RunRequest, request: SuiteRequest, seed: int) -> RunRequest:
    if run.seed is not None or (request.seed is None and _has_seed(run)):
        return run
    return replace(run, seed=seed)


def _has_seed(run: RunRequest) -> bool:
    return isinstance(run.plan, CheckedPlan) and run.plan.model.seed is not None


def _entry(run: PreparedRun, directory: str) -> SuiteEntry:
    graph = run.graph
    return SuiteEntry(
        request=run.request,
        plan=graph.name,
        path=graph.source,
        profile=graph.profile,
        directory=directory,
        most_users=run.compiled.most_users,
        graceful_stop_s=max((p.graceful_stop_ns for p in graph.phases), default=0) / NS_PER_S,
        recipients=run.recipients,
    )


def _together(found: Sequence[PlanError], plans: int) -> PlanError:
    if plans == 1:
        return found[0]
    together = PlanError([fault for error in found for fault in error.diagnostics])
    together.message = f"{len(found)} of {plans} plans invalid: nothing was sent"
    return together


def _new_directory() -> Path:
    time = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return next(path for path in _names(time) if not path.exists())


def _names(time: str) -> Iterator[Path]:
    yield _HOME / time
    yield from (_HOME / f"{time}-{number}" for number in count(2))
