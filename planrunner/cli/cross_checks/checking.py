"""A cross-check for a command: the plan, who takes part, progress, and what came of it."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import click

from planrunner.cli.cross_checks.progress import RoundLines
from planrunner.cli.leaving import Leaving
from planrunner.cli.plan_options import PlanOptions, load_plan
from planrunner.compiler import compile_plan
from planrunner.cross_check.checked_tools import (
    CheckedTool,
    OtherTools,
    ToolWish,
    other_tools,
    own_tool,
)
from planrunner.cross_check.result import CrossCheck
from planrunner.cross_check.rounds import RoundsPlace, ToolRounds, run_rounds
from planrunner.engine.stop import Stop, interrupted_by
from planrunner.errors import CannotRun, UsageError
from planrunner.graph.run_graph import RunGraph
from planrunner.language.secrets import Masker
from planrunner.plan.schema.quick_plan import QuickLoad, QuickRequest, quick_plan
from planrunner.report.terminal.console import open_console
from planrunner.runner.reach import check_hosts, client_notices, foreign_hosts, peak_load
from planrunner.units import NS_PER_S, format_count, format_duration
from planrunner.values import dataclass

__all__ = ["CheckWish", "cross_check"]

_USERS: Final = 10
_HOLD: Final = "10s"


@dataclass(frozen=True, slots=True)
class CheckWish:
    """What the command line says; the options' names.

    Attributes:
        plan: A plan's file, or a URL.
        typed: The options of the plan, as they were typed.
    """

    plan: str
    names: tuple[str, ...]
    rounds: int
    allow_loss: bool
    keep: Path | None
    only_hosts: tuple[str, ...]
    quiet: bool
    typed: tuple[str, ...]


def cross_check(wish: CheckWish, options: PlanOptions, leaving: Leaving) -> CrossCheck:
    """Run the rounds, and return what came of them.

    Raises:
        PlanError: The plan is invalid.
        UsageError: Its load can't be compared.
        CannotRun: planrunner itself can't run it, or no other tool can.
    """
    with _scratch(wish.keep) as scratch:
        plan, options, typed = _plan_file(wish, options, scratch)
        loaded = load_plan(plan, options, need_secrets=True)
        graph = compile_plan(loaded, selection=options.selection)
        _need_comparable(graph)
        environ = options.environ()
        others = other_tools(
            loaded,
            graph,
            ToolWish(wish.names, wish.allow_loss, options.selection),
            environ=environ,
            scripts=scratch,
        )
        _need_others(others)
        tools = (own_tool((str(plan), *typed)), *others.taking_part)
        place = RoundsPlace(
            scratch,
            environ,
            Masker(graph.secrets),
            graph.planned_ns,
            max(phase.graceful_stop_ns for phase in graph.phases),
        )
        stop = Stop()
        found = asyncio.run(_run(graph, tools, wish, place, stop, leaving))
        source = place.mask(wish.plan)
        return CrossCheck(
            graph, source, _load_words(graph), wish.rounds, found, others.left_out, stop.reason
        )


async def _run(
    graph: RunGraph,
    tools: tuple[CheckedTool, ...],
    wish: CheckWish,
    place: RoundsPlace,
    stop: Stop,
    leaving: Leaving,
) -> list[ToolRounds]:
    with leaving.asking(stop, patience_s=place.graceful_ns / NS_PER_S):
        with interrupted_by(stop):
            await check_hosts(graph, wish.only_hosts)
            notes = await _notes(graph, place.environ)
        view = RoundLines(open_console(sys.stderr), wish.rounds, place.lasting_ns, wish.quiet)
        if not wish.quiet:
            for note in notes:
                click.echo(f"note: {note}", err=True)
            names = ", ".join(one.tool.name for one in tools)
            took = format_duration(len(tools) * wish.rounds * place.lasting_ns)
            rounds = format_count(wish.rounds, "round")
            click.echo(f"{names}: {rounds} of {_load_words(graph)}, at least {took}", err=True)
        with view:
            return await run_rounds(tools, wish.rounds, place, stop, view)


async def _notes(graph: RunGraph, environ: Mapping[str, str]) -> tuple[str, ...]:
    return (*await foreign_hosts(graph), *client_notices(graph, environ))


def _load_words(graph: RunGraph) -> str:
    return f"{peak_load(graph)} for {format_duration(graph.planned_ns)}"


def _plan_file(
    wish: CheckWish, options: PlanOptions, scratch: Path
) -> tuple[Path, PlanOptions, tuple[str, ...]]:
    """Return the plan to load, and how; that of a URL is written first."""
    if "://" not in wish.plan:
        return Path(wish.plan), options, wish.typed
    text = quick_plan(QuickRequest(wish.plan), QuickLoad(users=_USERS, hold=_HOLD))
    file = scratch / "plan.yaml"
    file.write_text(text, encoding="utf-8")
    # A file of defaults is for the plans beside it.
    return file, replace(options, defaults="none"), (*wish.typed, "--defaults=none")


def _need_comparable(graph: RunGraph) -> None:
    """Raise a UsageError for what no other tool could do, whatever it is."""
    if graph.services:
        names = ", ".join(f"`{service.name}`" for service in graph.services)
        hint = "start them yourself, and give their addresses as params"
        raise UsageError(f"the plan starts {names}, which other tools can't", hint=hint)
    for phase in graph.phases:
        if phase.load.is_foreign:
            hint = "choose others with --phase"
            raise UsageError(f"phase `{phase.name}` is a run of another tool already", hint=hint)
        if phase.load.is_search:
            hint = "choose a level with --users or --rate, and --hold"
            raise UsageError(f"phase `{phase.name}` searches for a load", hint=hint)


def _need_others(found: OtherTools) -> None:
    if found.taking_part:
        return
    why = "".join(
        f"\n  {one.name}: {one.reason}{f'; {one.hint}' if one.hint else ''}"
        for one in found.left_out
    )
    raise CannotRun(f"there is no other tool to compare with:{why}")


@contextmanager
def _scratch(keep: Path | None) -> Iterator[Path]:
    """Give a directory for what tools read and write, which goes unless it is kept."""
    if keep is not None:
        try:
            keep.mkdir(parents=True)
        except OSError as error:
            raise UsageError(f"cannot make `{keep}`: {error.strerror}") from error
        yield keep.resolve()
        return
    scratch = Path(mkdtemp(prefix="planrunner-")).resolve()
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
