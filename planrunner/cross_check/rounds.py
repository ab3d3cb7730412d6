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

__all__ = ["ProgressOfRounds", "RoundsPlace", "ToolRounds", "Turn", "in_turn", "run_rounds"]

_PATIENCE_NS: Final = 60 * NS_PER_S
"""What a tool may take beside its load: to start, to write down what it has."""

_TICK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of a tool.

    Attributes:
        number: Of its round, from 1; 0 for the warm-up.
        lasting_ns: How long its load is planned to last.
        left_ns: How long all runs from this one on will take, as far as is known by now.
    """

    tool: str
    number: int
    lasting_ns: int
    left_ns: int


class ProgressOfRounds(Protocol):
    """Who is told what goes on."""

    def begins(self, turn: Turn) -> None: ...
    def goes_on(self, seconds: int) -> None: ...

    def ends(self, figures: RoundFigures | None) -> None:
        """Tell what came of it; None where there is nothing."""


@dataclass(frozen=True, slots=True)
class RoundsPlace:
    """Where tools run.

    Attributes:
        scratch: Holds their files, a folder for each run.
        lasting_ns: How long the load is planned to last.
        short_ns: The same of its warm-up; 0 where there is none.
        graceful_ns: How long requests may then take to end.
    """

    scratch: Path
    environ: Mapping[str, str] = field(repr=False)
    mask: Masker = field(repr=False)
    lasting_ns: int
    short_ns: int
    graceful_ns: int

    def lasting(self, number: int) -> int:
        """Return how long the load of a round is planned to last."""
        return self.lasting_ns if number else self.short_ns


@dataclass(slots=True)
class ToolRounds:
    """A tool, and what came of its rounds.

    Attributes:
        command: How it was started last, as a shell takes it.
        warm_up: A shorter run before all rounds; None where there is none.
        rounds: That ran to their end.
        cut: That were ended by whoever waited.
        notices: Of the last one.
        failed: Why it takes part no more; empty while it does.
        beside_ns: What it last took beside its load.
    """

    checked: CheckedTool
    command: str = ""
    warm_up: RoundFigures | None = None
    rounds: list[RoundFigures] = field(default_factory=list)
    cut: list[RoundFigures] = field(default_factory=list)
    notices: tuple[str, ...] = ()
    failed: str = ""
    beside_ns: int = 0

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
    """Run each tool once a round, and before them once shorter; planrunner is the first of them.

    Raises:
        CannotRun: planrunner itself can't run the plan, so there is nothing to compare.
    """
    found = [own, *_] = [ToolRounds(tool) for tool in tools]
    turns = [
        (number, found[which])
        for number in range(0 if place.short_ns else 1, count + 1)
        for which in in_turn(len(found), max(number - 1, 0))
    ]
    for done, (number, one) in enumerate(turns):
        if stop.level is not StopLevel.RUNNING:
            return found
        left = [turn for turn in turns[done:] if not turn[1].failed]
        if one.failed:
            continue
        left_ns = sum(place.lasting(later) + other.beside_ns for later, other in left)
        progress.begins(Turn(one.name, number, place.lasting(number), left_ns))
        progress.ends(await _run(one, number, place, stop, progress))
        if own.failed:
            raise CannotRun(own.failed)
    return found


async def _run(
    one: ToolRounds, number: int, place: RoundsPlace, stop: Stop, progress: ProgressOfRounds
) -> RoundFigures | None:
    """Run a tool once, and keep what came of it; returns its figures, if it has any."""
    checked, counts, lasting_ns = one.checked, RoundSamples(), place.lasting(number)
    folder = place.scratch / f"{one.name}-{number or 'warm-up'}"
    make = checked.job if number else checked.warm_up
    assert make is not None
    job = make(folder)
    one.command = place.mask(shown_command(checked.tool.command(job)))
    setting = ToolSetting(
        Path.cwd(),
        folder.with_suffix(".log"),
        {**place.environ, **checked.environ},
        place.mask.pattern,
        MASK,
        grace_ns=place.graceful_ns,
        timeout_ns=2 * lasting_ns + place.graceful_ns + _PATIENCE_NS,
    )
    run = ToolRun(checked.tool, job, setting)

    def heed() -> None:
        run.kill() if stop.level is StopLevel.AT_ONCE else run.stop()

    ticking = asyncio.create_task(_tick(progress))
    try:
        with stop.listening(heed):
            ended = await run.run(counts.take)
    except CannotRun as error:
        one.failed = f"{error.message}; {error.hint}" if error.hint else error.message
        return None
    finally:
        ticking.cancel()
        with suppress(asyncio.CancelledError):
            await ticking
    one.beside_ns = max(ended.took_ns - lasting_ns, 0)
    return _keep(one, number, ended, counts, place.mask)


def _keep(
    one: ToolRounds, number: int, ended: ToolEnd, counts: RoundSamples, mask: Masker
) -> RoundFigures | None:
    one.notices = tuple(mask(words) for words in ended.notices)
    if ended.failed:
        one.failed = mask(ended.all_that_failed)
        return None
    if not counts.requests:
        one.failed = "" if ended.is_cut else f"{one.name} reported no request"
        return None
    figures = counts.figures(ended, one.warm_up)
    if number:
        (one.cut if ended.is_cut else one.rounds).append(figures)
    elif not ended.is_cut:
        one.warm_up = figures
    return figures


async def _tick(progress: ProgressOfRounds) -> None:
    seconds = 0
    while True:
        progress.goes_on(seconds)
        await asyncio.sleep(_TICK_S)
        seconds += 1
