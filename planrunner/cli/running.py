"""Running a plan for a command: the options they have in common, progress, summary, exit code."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from planrunner.cli.clusters.options import RUN_OPTIONS, wanted_cluster
from planrunner.cli.leaving import Leaving
from planrunner.cli.limits import need_descriptors, wished_workers
from planrunner.cli.live.page import address_of, is_watched, linger, page_process, run_shown
from planrunner.cli.plan_options import (
    Command,
    complete_formats,
    complete_outputs,
    parse_formats,
    parse_labels,
    with_options,
)
from planrunner.cli.streams import kept_for_results, stdout_for_documents
from planrunner.cluster.wanted import ClusterWanted, SamplesBack
from planrunner.engine.recording.gc_tuning import keep_collections_short
from planrunner.engine.steering import Steering
from planrunner.engine.stop import Stop, interrupted_by
from planrunner.errors import UsageError
from planrunner.outputs.base import Output
from planrunner.plan.loader import CheckedPlan
from planrunner.process_limits import available_processors
from planrunner.report.terminal.progress import ProgressView
from planrunner.results.files.metrics_json import to_text as metrics_text
from planrunner.results.model import RunResult
from planrunner.runner.api import ResultLost
from planrunner.runner.event_loop import run_on_fast_loop
from planrunner.runner.outputs.progress_output import ProgressOutput
from planrunner.runner.reach import check_hosts, client_notices, foreign_hosts
from planrunner.runner.report_files import written_files
from planrunner.runner.request import PreparedRun, RunRequest, prepare
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

if TYPE_CHECKING:
    from planrunner.web.page_process import PageProcess

__all__ = [
    "RunOptions",
    "notes_before",
    "own_process",
    "progress_view",
    "request_of",
    "run_plan",
    "with_run_options",
]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line says about a run, as it was typed; the options' names."""

    workers: int | None = None
    tolerate: int = 0
    cluster: str | None = None
    cluster_ca: Path | None = None
    cluster_cert: Path | None = None
    cluster_key: Path | None = None
    cluster_samples: SamplesBack = "stream"
    seed: int | None = None
    labels: tuple[str, ...] = ()
    out: Path | None = None
    formats: str | None = None
    outputs: tuple[str, ...] = ()
    metrics_port: int | None = None
    strict: bool = False
    quiet: bool = False
    show_secrets: bool = False
    only_hosts: tuple[str, ...] = ()
    no_notify: bool = False
    as_json: bool = False
    ui: tuple[str, int] | None = None
    opens_browser: bool = False

    @property
    def wanted_cluster(self) -> ClusterWanted | None:
        """Where workers are; None for this machine.

        Raises:
            UsageError: It can't be reached in this way.
        """
        return wanted_cluster(
            self.cluster, self.cluster_ca, self.cluster_cert, self.cluster_key, self.cluster_samples
        )

    @property
    def worker_count(self) -> int:
        """How many workers there are; 0 for one on each worker of a cluster."""
        if self.cluster is not None:
            return self.workers or 0
        if self.workers is None:
            return 1
        return self.workers or available_processors()

    def connections(self, most_users: int) -> int:
        """Return how many connections a process of this machine has to so many users."""
        return 0 if self.cluster is not None else -(-most_users // self.worker_count)

    @property
    def all_outputs(self) -> tuple[str, ...]:
        """The outputs, with what other options are short for."""
        if self.metrics_port is None:
            return self.outputs
        return (*self.outputs, f"prometheus=:{self.metrics_port}")


_OPTIONS: Final = (
    click.option(
        "--workers",
        metavar="N|auto",
        callback=wished_workers,
        help="Share the load among N processes, 1 by default; `auto`: one for each processor.",
    ),
    click.option(
        "--tolerate",
        type=click.IntRange(0),
        default=0,
        metavar="N",
        help="Go on with the load of the others when up to N workers are lost; the run is then "
        "`biased`. By default the first one ends it.",
    ),
    *RUN_OPTIONS,
    click.option("--seed", type=click.IntRange(0), help="Seed of every random draw of this run."),
    click.option(
        "--label",
        "labels",
        multiple=True,
        metavar="NAME=VALUE",
        help="A label for the reports of this run. Repeatable.",
    ),
    click.option(
        "--out",
        type=click.Path(path_type=Path),
        help="The run directory itself. Several runs: the directory that theirs are in.",
    ),
    click.option(
        "--formats",
        shell_complete=complete_formats,
        help="Reports to write instead of the plan's: results.csv,report.html",
    ),
    click.option(
        "--output",
        "outputs",
        multiple=True,
        metavar="NAME=VALUE",
        shell_complete=complete_outputs,
        help="Send every second of the run somewhere while it lasts, such as "
        "`jsonl=seconds.jsonl`, in place of the plan's output of that name; `none`: without the "
        "plan's. Repeatable.",
    ),
    click.option(
        "--metrics-port",
        type=click.IntRange(1, 65_535),
        metavar="PORT",
        help="Short for `--output prometheus=:PORT`: serve metrics on this port of 127.0.0.1.",
    ),
    click.option(
        "--strict",
        is_flag=True,
        help="End with 5 when the numbers are not valid: generator saturated, or load not reached.",
    ),
    click.option("--quiet", "-q", is_flag=True, help="Print no progress and no summary."),
    click.option(
        "--show-secrets",
        is_flag=True,
        help="Show values that the plan doesn't declare to be secret but whose names look so, "
        "such as `token` or `Authorization`: in traces, failing requests and logs.",
    ),
    click.option(
        "--only-hosts",
        multiple=True,
        metavar="HOST",
        help="Refuse a plan whose requests go elsewhere: a name such as `*.staging.example`, or "
        "`own` for loopback and private addresses. Repeatable.",
    ),
    click.option(
        "--no-notify",
        is_flag=True,
        help="Send no notification, whatever the plan's `notify` says.",
    ),
    click.option(
        "--json",
        "as_json",
        is_flag=True,
        help="Print one JSON document; with --once, one per line.",
    ),
    click.option(
        "--ui",
        metavar="[HOST:PORT]",
        callback=address_of,
        help="Show the run in a browser while it lasts: print the address of a page. By default on "
        "127.0.0.1 and a free port.",
    ),
    click.option(
        "--open", "opens_browser", is_flag=True, help="With --ui: open the page in a browser."
    ),
)


def with_run_options(command: Command) -> Command:
    """Add the options of every command that runs a plan; it gets them as `wish`."""
    return with_options(command, "wish", RunOptions, _OPTIONS)


def request_of(plan: CheckedPlan, wish: RunOptions, stop: Stop, **more: Any) -> RunRequest:  # noqa: ANN401 - as RunRequest has them
    """Return what is to be run; `more` goes to the request.

    Raises:
        UsageError: An option is malformed.
    """
    _check_is_directory(wish.out)
    return RunRequest(
        plan,
        seed=wish.seed,
        labels=parse_labels(wish.labels),
        formats=None if wish.formats is None else parse_formats(wish.formats),
        directory=wish.out,
        workers=wish.worker_count,
        tolerate=wish.tolerate,
        cluster=wish.wanted_cluster,
        strict=wish.strict,
        show_secrets=wish.show_secrets,
        only_hosts=wish.only_hosts,
        notify=not wish.no_notify,
        stop=stop,
        steering=Steering(),
        tell=_tell_nobody if wish.quiet else _tell,
        **more,
    )


def _check_is_directory(out: Path | None) -> None:
    """Raise a UsageError for what k6 takes as `--out`: an output with its address."""
    name, equals, _ = str(out or "").partition("=")
    if not equals:
        return
    from planrunner.plan.output_kinds.model import SYNONYMS  # noqa: PLC0415 - no directory is called so
    from planrunner.plan.output_kinds.registry import known_kinds  # noqa: PLC0415 - as above

    meant = SYNONYMS.get(name, name)
    if meant in known_kinds():
        hint = f"write `--output {meant}=…`"
        raise UsageError(f"`--out` is the run directory, and `{out}` an output", hint=hint)


def _tell(words: str) -> None:
    click.echo(words, err=True)


def _tell_nobody(words: str) -> None:
    del words


def run_plan(request: RunRequest, wish: RunOptions, leaving: Leaving) -> int:
    """Run a plan to its end, show what came of it, and return the exit code.

    Raises:
        PlanrunnerError: As `runner.api.run`.
    """
    assert request.stop is not None
    if wish.opens_browser and wish.ui is None:
        raise UsageError("--open needs --ui", hint="add --ui, or leave it out")
    with page_process(wish.ui) as page:
        prepared = prepare(request)
        own_process()
        need_descriptors(prepared.compiled.most_connections)
        try:
            with kept_for_results():
                result = run_on_fast_loop(_run(prepared, wish, leaving, page))
        except ResultLost as lost:
            # What was measured can't be kept, so it is shown at least.
            _show(lost.result, [], quiet=wish.quiet)
            raise
        if wish.as_json:
            click.echo(metrics_text(result), file=stdout_for_documents(), nl=False)
        else:
            files = written_files(prepared.graph, prepared.directory)
            _show(result, files, quiet=wish.quiet)
        linger(page, leaving, result.exit_code)
    return result.exit_code


def own_process() -> None:
    """Keep collections short, with the plan as what lives long."""
    if not gc.isenabled():  # `main` turned it off, so the process is ours
        keep_collections_short()


async def _run(
    prepared: PreparedRun, wish: RunOptions, leaving: Leaving, page: PageProcess | None
) -> RunResult:
    graph, stop = prepared.graph, prepared.request.stop
    assert stop is not None
    outputs: Sequence[Output] = () if wish.quiet else (ProgressOutput(progress_view()),)
    graceful_ns = max((phase.graceful_stop_ns for phase in graph.phases), default=0)
    with leaving.asking(stop, patience_s=graceful_ns / NS_PER_S):
        with interrupted_by(stop):
            notes = await notes_before(prepared)
        for note in notes:
            click.echo(f"note: {note}", err=True)
        return await run_shown(
            prepared,
            outputs,
            page,
            opens=wish.opens_browser,
            lingers=lambda: is_watched() and not leaving.was_asked,
        )


async def notes_before(prepared: PreparedRun) -> tuple[str, ...]:
    """Return what is worth a note before a run sends anything.

    Raises:
        UsageError: As `check_hosts`.
    """
    graph, environ = prepared.graph, prepared.request.variables()
    await check_hosts(graph, prepared.request.only_hosts)
    return (*await foreign_hosts(graph), *client_notices(graph, environ))


def _show(result: RunResult, files: Sequence[Path], *, quiet: bool) -> None:
    if not quiet:
        from planrunner.report.terminal.console import open_console, print_summary  # noqa: PLC0415 - as below

        print_summary(result, open_console(sys.stdout), files=[str(path) for path in files])


def progress_view() -> ProgressView:
    """Return what shows the progress of a run on stderr."""
    # With --quiet nothing is drawn, so nothing is imported that draws.
    from planrunner.report.terminal.console import open_console  # noqa: PLC0415 - draws
    from planrunner.report.terminal.live import LineView, LiveView  # noqa: PLC0415 - as above

    console = open_console(sys.stderr)
    # A dumb terminal can't move its cursor: a frame for each second would fill the screen.
    live = console.is_terminal and not console.is_dumb_terminal
    return LiveView(console) if live else LineView(console)
