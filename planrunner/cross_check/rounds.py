"""Rounds: each tool once, in an order that changes, each as a process beside nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from typing import Final, Protocol

from planrunner.cross_check.checked_tools import CheckedTool
from planrunner.cross_check.figures import RoundFigures, RoundSamples
from planrunner.engine.stop import Stop, StopLevel
from planrunner.errors import CannotRun
from planrunner.language.secrets import MASK, Masker
from planrunner.tools.tool_run import ToolEnd, ToolRun, ToolSetting, shown_command
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["ProgressOfRounds", "RoundsPlace", "ToolRounds", "in_turn", "run_rounds"]

_PATIENCE_NS: Final = 60 * NS_PER_S
"""What a tool may take beside its load: to start, to write down what it has."""

_TICK_S: Final = 1.0


class ProgressOfRounds(Protocol):
    """Who is told what goes on."""

    def begins(self, tool: str, number: int) -> None:
        """Tell that a tool begins a round, which counts from 1."""

    def goes_on(self, seconds: int) -> None: ...

    def ends(self, tool: str, number: int, figures: RoundFigures | None) -> None:
        """Tell what came of it; None where it failed."""


@dataclass(frozen=True, slots=True)
class RoundsPlace:
    """Where tools run.

    Attributes:
        scratch: Holds their files, a folder for each run.
        lasting_ns: How long the load is planned to last.
        graceful_ns: How long requests may then take to end.
    """

    scratch: Path
    environ: Mapping[str, str] = field(repr=False)
    mask: Masker = field(repr=False)
    lasting_ns: int
    graceful_ns: int


@dataclass(slots=True)
class ToolRounds:
    """A tool, and what came of its rounds.

    Attributes:
        command: How it was started last, as a shell takes it.
        rounds: That ran to their end.
        cut: That were ended by whoever waited.
        notices: Of the last one.
        failed: Why it takes part no more; empty while it does.
    """

    checked: CheckedTool
    command: str = ""
    rounds: list[RoundFigures] = field(default_factory=list)
    cut: list[RoundFigures] = field(default_factory=list)
    notices: tuple[str, ...] = ()
    failed: str = ""

    @property
    def name(self) -> str:
        return self.checked.tool.name

    @property
    def shown(self) -> Sequence[RoundFigures]:
        """What its figures are taken from: whole rounds where there are any."""
        return self.rounds or self.cut


def in_turn(count: int, number: int) -> list[int]:
    """Return the order of a round: each round begins with the next one.

    What drifts on a machine doesn't always meet the same tool.
    """
    return [(number + place) % count for place in range(count)]


async def run_rounds(
    tools: Sequence[CheckedTool],
    count: int,
    place: RoundsPlace,
    stop: Stop,
    progress: ProgressOfRounds,
) -> list[ToolRounds]:
    """Run each tool once a round; planrunner is the first of them.

    Raises:
        CannotRun: planrunner itself can't run the plan, so there is nothing to compare.
    """
    found = [ToolRounds(tool) for tool in tools]
    for number in range(count):
        for which in in_turn(len(found), number):
            if stop.level is not StopLevel.RUNNING:
                return found
            if not found[which].failed:
                await _run(found[which], number + 1, place, stop, progress)
                if which == 0 and found[0].failed:
                    raise CannotRun(found[0].failed)
    return found


async def _run(
    one: ToolRounds, number: int, place: RoundsPlace, stop: Stop, progress: ProgressOfRounds
) -> None:
    checked, counts = one.checked, RoundSamples()
    folder = place.scratch / f"{one.name}-{number}"
    job = checked.job(folder)
    one.command = place.mask(shown_command(checked.tool.command(job)))
    setting = ToolSetting(
        Path.cwd(),
        folder.with_suffix(".log"),
        {**place.environ, **checked.environ},
        place.mask.pattern,
        MASK,
        grace_ns=place.graceful_ns,
        timeout_ns=2 * place.lasting_ns + place.graceful_ns + _PATIENCE_NS,
    )
    run = ToolRun(checked.tool, job, setting)

    def heed() -> None:
        run.kill() if stop.level is StopLevel.AT_ONCE else run.stop()

    progress.begins(one.name, number)
    ticking = asyncio.create_task(_tick(progress))
    try:
        with stop.listening(heed):
            ended = await run.run(counts.take)
    except CannotRun as error:
        one.failed = f"{error.message}; {error.hint}" if error.hint else error.message
        progress.ends(one.name, number, None)
        return
    finally:
        ticking.cancel()
        with suppress(asyncio.CancelledError):
            await ticking
    _keep(one, ended, counts, place.mask)
    kept = (one.cut if ended.is_cut else one.rounds)[-1:]
    progress.ends(one.name, number, kept[0] if kept and not one.failed else None)


def _keep(one: ToolRounds, ended: ToolEnd, counts: RoundSamples, mask: Masker) -> None:
    one.notices = tuple(mask(words) for words in ended.notices)
    if ended.failed:
        one.failed = mask(ended.all_that_failed)
    elif not counts.requests:
        one.failed = "" if ended.is_cut else f"{one.name} reported no request"
    else:
        (one.cut if ended.is_cut else one.rounds).append(counts.figures(ended))


async def _tick(progress: ProgressOfRounds) -> None:
    seconds = 0
    while True:
        progress.goes_on(seconds)
        await asyncio.sleep(_TICK_S)
        seconds += 1
