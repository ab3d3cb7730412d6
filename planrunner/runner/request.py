"""What a run is asked to be, and what is ready to run: nothing is sent or written yet."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import gettempdir
from typing import Final

from planrunner.cluster.wanted import ClusterWanted
from planrunner.compiler.compile import compile_plan
from planrunner.compiler.load.selection import PlanSelection
from planrunner.compiler.review import review
from planrunner.compiler.source import GraphSource
from planrunner.engine.steering import Steering
from planrunner.engine.stop import Stop
from planrunner.errors import UsageError
from planrunner.graph.run_graph import Evaluate, RunGraph
from planrunner.language.diagnostics import PlanError
from planrunner.language.expressions.expression import EvaluationError, to_text
from planrunner.language.files import FileFault, Folders
from planrunner.language.secrets import Masker
from planrunner.plan.loader import CheckedPlan, load
from planrunner.plan.overrides import Changes
from planrunner.protocols.base import Scope
from planrunner.results.files.baseline import read_baseline
from planrunner.results.files.directory import METRICS
from planrunner.results.model import RunResult
from planrunner.runner.notify.recipients import Recipients
from planrunner.runner.report_files import check_formats
from planrunner.target import free_port
from planrunner.units import format_count
from planrunner.values import dataclass

__all__ = [
    "CompiledPlan",
    "PreparedRun",
    "RunRequest",
    "check_tolerance",
    "compile_request",
    "folder_of_runs",
    "new_run_id",
    "prepare",
]

_REPORTS: Final = Path("reports")


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One run, as its caller wants it.

    The process remains the caller's: a run changes neither its limits nor its garbage collector,
    and listens to no signal.

    Attributes:
        plan: A file, or what was loaded from one.
        params: Values of the plan's params, for a file.
        environment: The block of the plan's `environments` to take values from, for a file.
        changes: What else is changed in the plan, for a file.
        defaults: The file with what the plan leaves out, or `none`, for a file; None: the
            `planrunner.yaml` beside it.
        environ: What params and services see as environment variables; None: those of the process.
        selection: Which parts of the plan run.
        seed: Of every random draw; None: the plan's, or one that is drawn.
        labels: What reports call this run, by name.
        formats: Which reports are written; None: the plan's.
        directory: Of the run; None: what the plan says, or a new one below `reports`.
        workers: Processes that share the load; a single worker is this process. On a cluster 0 is
            one on each Dask worker.
        tolerate: How many workers may be lost before the run ends: it goes on with the load of the
            others, and is `biased`.
        cluster: Where they are; None: on this machine.
        strict: Give a run whose numbers are invalid an exit code of its own.
        show_secrets: Show what nobody declared to be secret and only names give away, such as the
            value of a header `X-Session`.
        only_hosts: Those that requests may go to, as `check_hosts` takes them; empty allows all.
        notify: Send the notifications that the plan asks for.
        stop: Ask it to end the run, from a signal handler or another task; None: never.
        steering: Ask it to change the load of a phase that runs, from the run's event loop.
        tell: Called with what is done before the load and may take long, a sentence each; from
            another thread.
    """

    plan: Path | CheckedPlan
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    environment: str | None = None
    changes: Changes = field(default_factory=Changes)
    defaults: str | None = None
    environ: Mapping[str, str] | None = field(default=None, repr=False)
    selection: PlanSelection = field(default_factory=PlanSelection)
    seed: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    formats: tuple[str, ...] | None = None
    directory: Path | None = None
    workers: int = 1
    tolerate: int = 0
    cluster: ClusterWanted | None = None
    strict: bool = False
    show_secrets: bool = False
    only_hosts: tuple[str, ...] = ()
    notify: bool = True
    stop: Stop | None = None
    steering: Steering | None = None
    tell: Callable[[str], None] = lambda _: None

    def variables(self) -> Mapping[str, str]:
        """Return the environment variables that the run sees; those of the process can't pickle."""
        return dict(os.environ) if self.environ is None else self.environ


@dataclass(frozen=True, slots=True)
class CompiledPlan:
    """A plan that can run.

    Attributes:
        source: What workers make the same graph from.
    """

    request: RunRequest
    plan: CheckedPlan
    graph: RunGraph
    source: GraphSource

    @property
    def most_users(self) -> int:
        """How many users there can be at once, each with a connection."""
        return max((phase.load.most_users for phase in self.graph.phases), default=0)

    @property
    def most_connections(self) -> int:
        """How many of those users a process of this machine has; 0 if others have them all."""
        request = self.request
        return 0 if request.cluster is not None else -(-self.most_users // request.workers)


@dataclass(frozen=True, slots=True)
class PreparedRun:
    """A run that only has to begin.

    Attributes:
        directory: Where its files will be; not made yet.
        baseline: What thresholds compare it with; None when there is none.
        recipients: Who is told what came of it.
    """

    compiled: CompiledPlan
    run_id: str
    directory: Path
    baseline: RunResult | None
    recipients: Recipients

    @property
    def request(self) -> RunRequest:
        return self.compiled.request

    @property
    def graph(self) -> RunGraph:
        return self.compiled.graph


def check_tolerance(tolerate: int, workers: int) -> None:
    """Raise a UsageError unless a worker is left when as many are lost as may be."""
    if tolerate and tolerate >= workers:
        raise UsageError(
            f"--tolerate {tolerate} leaves none of {format_count(workers, 'worker')}",
            hint=f"use --workers {tolerate + 1} or more, or tolerate fewer",
        )


def compile_request(request: RunRequest) -> CompiledPlan:
    """Load and compile the plan of a request; `auto` ports are chosen now.

    Raises:
        PlanError: The plan is invalid, or asks for what this version can't run yet.
        UsageError: A report format is unknown, or no worker would be left.
    """
    if request.workers:  # of a cluster, it may not be known how many there are
        check_tolerance(request.tolerate, request.workers)
    plan = request.plan if isinstance(request.plan, CheckedPlan) else _load(request.plan, request)
    ports = {name: free_port() for name in plan.model.services or {}}
    scratch = Path(gettempdir()) / f"planrunner-{os.urandom(6).hex()}"
    graph = compile_plan(
        plan,
        seed=int.from_bytes(os.urandom(4)),
        ports=ports,
        selection=request.selection,
        scratch=scratch,
    )
    if request.seed is not None:
        graph = replace(graph, seed=request.seed, seed_was_drawn=False)
    if request.formats is not None:
        check_formats(request.formats)
        formats = tuple(dict.fromkeys((METRICS, *request.formats)))
        graph = replace(graph, report=replace(graph.report, formats=formats))
    graph = replace(graph, labels=dict(request.labels), shows_named=request.show_secrets)
    source = GraphSource(
        plan.bundle,
        plan.sources,
        request.selection,
        graph.seed,
        ports,
        scratch,
        shows_named=request.show_secrets,
    )
    return CompiledPlan(request, plan, graph, source)


def _load(path: Path, request: RunRequest) -> CheckedPlan:
    try:
        return load(
            path,
            overrides=request.params,
            environment=request.environment,
            environ=request.variables(),
            need_secrets=True,
            changes=request.changes,
            defaults=request.defaults,
        )
    except PlanError as error:
        raise PlanError(review(error)) from error


def new_run_id() -> str:
    """Make one that no two runs of a directory share in practice."""
    return os.urandom(3).hex()


def prepare(request: RunRequest) -> PreparedRun:
    """Find out whether a run can begin, and what it will be called.

    Compiling keeps the event loop busy: prepare a run before another one has begun.

    Raises:
        PlanError: The plan is invalid.
        UsageError: The baseline can't be understood, or the run's directory has no name.
    """
    compiled = compile_request(request)
    recipients = _recipients(compiled)
    run_id = new_run_id()
    folders = compiled.source.bundle.folders
    return PreparedRun(
        compiled,
        run_id,
        request.directory or _directory(compiled.graph, run_id, folders),
        read_baseline(Path(compiled.graph.baseline)),
        recipients,
    )


def _recipients(compiled: CompiledPlan) -> Recipients:
    """Return who is told what came of a run.

    Raises:
        PlanError: Somebody can't be, which nobody should learn when it is over.
    """
    request, graph = compiled.request, compiled.graph
    nodes = tuple(node for node in graph.notifications if node.url and request.notify)
    if not nodes:
        return Recipients()
    from planrunner.runner.notify.urls import find_url_faults  # noqa: PLC0415 - few plans tell anybody

    if faults := find_url_faults(compiled.plan, graph):
        raise PlanError(faults)
    is_confined = bool(compiled.plan.bundle.folders.roots)
    return Recipients(nodes, Masker(graph.secrets), is_confined, request.variables())


def folder_of_runs(graph: RunGraph, folders: Folders) -> Path:
    """Return the folder that the runs of a plan are in; of a plan with one for all, that one.

    Raises:
        UsageError: What the plan says has no value, or is none of `folders`.
    """
    if graph.report.directory is None:
        return _REPORTS
    found = [_place(graph.report.directory, folders, str(one), one) for one in (0, 1)]
    return Path(os.path.commonpath(found))


def _directory(graph: RunGraph, run_id: str, folders: Folders) -> Path:
    if graph.report.directory is None:
        time = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        return _REPORTS / graph.slug / f"{time}-{run_id}"
    return _place(graph.report.directory, folders, run_id, graph.seed)


def _place(said: Evaluate, folders: Folders, run_id: str, seed: int) -> Path:
    names: Scope = {"run": {"id": run_id, "seed": seed}}
    try:
        directory = Path(to_text(said(names)))
        folders.and_here().locate(directory)
    except EvaluationError as error:
        raise UsageError(f"`report.dir` has no value: {error.message}") from error
    except FileFault as fault:
        hint = "write it with `--out`, or leave out --no-exec"
        raise UsageError("`report.dir` is outside the plan's folder", hint=hint) from fault
    return directory
