"""A cross-check for a command: the plan, who takes part, progress, and what came of it."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
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
    CheckedLoad,
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
from planrunner.language.diagnostics import PlanError
from planrunner.language.secrets import Masker
from planrunner.plan.schema.quick_plan import QuickLoad, QuickRequest, quick_plan
from planrunner.report.terminal.console import open_console
from planrunner.runner.reach import check_hosts, client_notices, foreign_hosts, peak_load
from planrunner.units import NS_PER_S, format_count, format_duration
from planrunner.values import dataclass

__all__ = ["CheckWish", "cross_check"]

_USERS: Final = 10
_HOLD: Final = "10s"
_PARTS: Final = (10, 4, 2)
"""Which part of the load a warm-up has: the first that the plan can be cut to."""


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
        load = _load(plan, options, scratch)
        _need_comparable(load.graph)
        hold, shorter = _warm_up(plan, options, load)
        tools = _tools(load, shorter, wish, options)
        words = (str(plan), *typed)
        less = (*words, f"--hold={hold}") if hold else ()
        place = RoundsPlace(
            scratch,
            options.environ(),
            Masker(load.graph.secrets),
            load.graph.planned_ns,
            shorter.graph.planned_ns if shorter else 0,
            max(phase.graceful_stop_ns for phase in load.graph.phases),
        )
        stop = Stop()
        taking_part = (own_tool(words, less), *tools.taking_part)
        found = asyncio.run(_run(load.graph, taking_part, wish, place, stop, leaving))
        source, left_out = place.mask(wish.plan), tools.left_out
        said = _load_words(load.graph)
        return CrossCheck(load.graph, source, said, wish.rounds, found, left_out, stop.reason)


def _load(plan: Path, options: PlanOptions, scripts: Path) -> CheckedLoad:
    loaded = load_plan(plan, options, need_secrets=True)
    return CheckedLoad(loaded, compile_plan(loaded, selection=options.selection), scripts)


def _warm_up(plan: Path, options: PlanOptions, load: CheckedLoad) -> tuple[str, CheckedLoad | None]:
    """Return less of a load, and the `--hold` that makes it so; nothing where there is none."""
    for part in _PARTS:
        seconds = max(load.graph.planned_ns // (part * NS_PER_S), 1)
        hold = f"{seconds}s"
        try:
            shorter = _load(plan, replace(options, hold=hold), load.scripts / "warm-up")
        except (PlanError, UsageError):  # such as a `warmup` that is longer
            continue
        if shorter.graph.planned_ns * _PARTS[-1] <= load.graph.planned_ns:
            shorter.scripts.mkdir(exist_ok=True)
            return hold, shorter
    return "", None


def _tools(
    load: CheckedLoad, shorter: CheckedLoad | None, wish: CheckWish, options: PlanOptions
) -> OtherTools:
    wanted = ToolWish(wish.names, wish.allow_loss, options.selection)
    found = other_tools(load, shorter, wanted, environ=options.environ())
    _need_others(found)
    return found


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
        view = RoundLines(open_console(sys.stderr), wish.rounds, wish.quiet)
        if not wish.quiet:
            for note in notes:
                click.echo(f"note: {note}", err=True)
            click.echo(_announced(graph, tools, wish, place), err=True)
        with view:
            return await run_rounds(tools, wish.rounds, place, stop, view)


def _announced(
    graph: RunGraph, tools: Sequence[CheckedTool], wish: CheckWish, place: RoundsPlace
) -> str:
    names = ", ".join(one.tool.name for one in tools)
    rounds = f"{format_count(wish.rounds, 'round')} of {_load_words(graph)}"
    if place.short_ns:
        rounds = f"a warm-up of {format_duration(place.short_ns)}, and {rounds}"
    load_ns = len(tools) * (wish.rounds * place.lasting_ns + place.short_ns)
    return f"{names}: {rounds} each; {format_duration(load_ns)} of load in all, and starts beside"


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
