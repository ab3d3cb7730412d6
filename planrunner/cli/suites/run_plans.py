"""Several plans, or several runs of one, for a command: progress, the table at the end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from planrunner.cli.leaving import Leaving
from planrunner.cli.limits import need_descriptors
from planrunner.cli.plan_options import PlanOptions, load_plan
from planrunner.cli.running import (
    RunOptions,
    notes_before,
    own_process,
    progress_view,
    request_of,
)
from planrunner.cli.streams import kept_for_results, stdout_for_documents
from planrunner.engine.stop import Stop, interrupted_by
from planrunner.formats import SUITE_JSON
from planrunner.graph.run_graph import RunGraph
from planrunner.language.diagnostics import PlanError
from planrunner.outputs.base import Output
from planrunner.report.plain import plain
from planrunner.report.suites.files import INDEX, JUNIT
from planrunner.results.suites.model import SuiteResult, SuiteRun
from planrunner.results.suites.suite_json import suite_text
from planrunner.runner.event_loop import run_on_fast_loop
from planrunner.runner.masked_traceback import masked_traceback
from planrunner.runner.outputs.progress_output import ProgressOutput
from planrunner.runner.request import PreparedRun
from planrunner.runner.suite.api import RunPlace, run_suite
from planrunner.runner.suite.request import (
    PreparedSuite,
    SuiteEntry,
    SuiteRequest,
    faults_of,
    prepare_suite,
)
from planrunner.units import format_duration
from planrunner.values import dataclass

__all__ = ["SuiteOptions", "run_plans"]

_FILES: Final = (INDEX, JUNIT, SUITE_JSON)


@dataclass(frozen=True, slots=True)
class SuiteOptions:
    """What the command line says about several runs; the options' names."""

    keep_going: bool = False
    repeat: int = 1


def run_plans(
    plans: Sequence[Path],
    options: PlanOptions,
    wish: RunOptions,
    several: SuiteOptions,
    leaving: Leaving,
) -> int:
    """Run plans one after the other, show what came of them, and return the exit code.

    Raises:
        PlanrunnerError: As `runner.suite.run_suite`, and if any of the plans is invalid.
    """
    stop = Stop()
    prepared = _prepared(plans, options, wish, several, stop)
    own_process()
    most_users = max(entry.most_users for entry in prepared.entries)
    need_descriptors(wish.connections(most_users))
    face = _Terminal(options, quiet=wish.quiet)
    with kept_for_results():
        suite = run_on_fast_loop(_run(prepared, face, stop, leaving))
    if wish.as_json:
        click.echo(suite_text(suite), file=stdout_for_documents(), nl=False)
    elif not wish.quiet:
        _show(suite, prepared.directory)
    return suite.exit_code


def _prepared(
    plans: Sequence[Path],
    options: PlanOptions,
    wish: RunOptions,
    several: SuiteOptions,
    stop: Stop,
) -> PreparedSuite:
    requests, faults = [], []
    for path in plans:
        try:
            loaded = load_plan(path, options, need_secrets=True, outputs=wish.all_outputs)
            requests.append(request_of(loaded, wish, stop, selection=options.selection))
        except PlanError as error:
            faults.append(faults_of(error, str(path)))
    request = SuiteRequest(
        tuple(requests),
        repeat=several.repeat,
        keep_going=several.keep_going,
        directory=wish.out,
        seed=wish.seed,
        stop=stop,
    )
    return prepare_suite(request, faults)


async def _run(
    prepared: PreparedSuite, face: _Terminal, stop: Stop, leaving: Leaving
) -> SuiteResult:
    patience_s = max(entry.graceful_stop_s for entry in prepared.entries)
    with leaving.asking(stop, patience_s=patience_s):
        return await run_suite(prepared, face)


class _Terminal:
    """Shows each run as it lasts, and a line when it has ended."""

    def __init__(self, options: PlanOptions, *, quiet: bool) -> None:
        self._options = options
        self._quiet = quiet
        self._noted: set[str] = set()

    async def begins(self, run: PreparedRun, place: RunPlace) -> Sequence[Output]:
        assert run.request.stop is not None
        if not self._quiet:
            turn = f", run {place.run} of {place.runs}" if place.runs > 1 else ""
            name = plain(f"{run.graph.name} ({run.graph.source})")
            profile = plain(_profile(run.graph))
            click.echo(f"plan {place.plan} of {place.plans}{turn}: {name}{profile}", err=True)
        with interrupted_by(run.request.stop):
            notes = await notes_before(run)
        for note in notes:
            if note not in self._noted:  # the next run has the same
                click.echo(f"note: {note}", err=True)
        self._noted.update(notes)
        return () if self._quiet else (ProgressOutput(progress_view()),)

    def ended(self, run: SuiteRun, entry: SuiteEntry) -> None:
        if self._quiet:
            return
        took_ns = round(run.duration_seconds * 1e9)
        facts = [
            run.verdict,
            f"took {format_duration(took_ns)}" if took_ns else "",
            f"exit code {run.exit_code}",
            plain(run.reason),
        ]
        click.echo(f"  {plain(entry.plan)}: {', '.join(filter(None, facts))}", err=True)

    def has_bug(self, error: Exception, entry: SuiteEntry) -> None:
        plans = [self._options.bundle(Path(entry.path))]
        click.echo(masked_traceback(error, plans, self._options.sources()), err=True, nl=False)
        click.echo("this is a bug in planrunner; please report it with the plan", err=True)

    def notes(self, notice: str, entry: SuiteEntry) -> None:
        click.echo(f"  {plain(entry.plan)}: notice: {plain(notice)}", err=True)


def _profile(graph: RunGraph) -> str:
    return f", profile {graph.profile} ({graph.profile_reason})" if graph.profile else ""


def _show(suite: SuiteResult, directory: Path) -> None:
    from planrunner.report.suites.console import print_suite  # noqa: PLC0415 - draws
    from planrunner.report.terminal.console import open_console  # noqa: PLC0415 - as above

    files = [str(directory / name) for name in _FILES]
    print_suite(suite, open_console(sys.stdout), files=files)
