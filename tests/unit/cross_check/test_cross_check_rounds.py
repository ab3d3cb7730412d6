"""Rounds of tools that are small programs: who runs when, and what becomes of one that fails."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from planrunner.cross_check.checked_tools import CheckedTool
from planrunner.cross_check.figures import RoundFigures
from planrunner.cross_check.rounds import RoundsPlace, ToolRounds, Turn, run_rounds
from planrunner.engine.stop import Stop
from planrunner.errors import CannotRun
from planrunner.language.secrets import Masker
from planrunner.tools.contract import ToolJob
from planrunner.units import NS_PER_S
from tests.support.own_tools import PRINTER

pytestmark = pytest.mark.slow

SENDS = "import sys\nprint('a,1,200\\n' * int(sys.argv[1]))\n"
DIES = (
    "import os, sys\nprint('a,1,200', flush=True)\nif sys.argv[1] == '9': os.kill(os.getpid(), 9)\n"
)


class Lines:
    """Notes who ran, what came of it, and how long all was to take."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, str, int | None]] = []
        self.left_ns: list[int] = []
        self._turn = Turn("", 0, 0, 0)

    def begins(self, turn: Turn) -> None:
        self._turn = turn
        self.left_ns.append(turn.left_ns)

    def goes_on(self, seconds: int) -> None: ...

    def ends(self, figures: RoundFigures | None) -> None:
        sent = figures and figures.requests
        self.seen.append((self._turn.number, self._turn.tool, sent))


def checked_tool(folder: Path, name: str, text: str) -> CheckedTool:
    """A tool that sends nine requests in a round, and two in its warm-up."""
    script = folder / f"{name}.py"
    script.write_text(text)

    def job(count: str) -> object:
        return lambda place: ToolJob(sys.executable, script, (count,), place)

    return CheckedTool(replace(PRINTER, name=name), "", job("9"), job("2"))  # type: ignore[arg-type]


def ran(folder: Path, *tools: CheckedTool) -> tuple[list[ToolRounds], Lines]:
    lines = Lines()
    place = RoundsPlace(folder, dict(os.environ), Masker(()), 10 * NS_PER_S, NS_PER_S, NS_PER_S)
    return asyncio.run(run_rounds(tools, 2, place, Stop(), lines)), lines


def test_each_warms_up_and_one_that_is_killed_is_out(tmp_path: Path) -> None:
    """The others go on; what it printed last is told, and its time is not waited for."""
    first, second = checked_tool(tmp_path, "own", SENDS), checked_tool(tmp_path, "other", DIES)
    [own, other], lines = ran(tmp_path, first, second)

    assert lines.seen == [
        (0, "own", 2),
        (0, "other", 1),
        (1, "own", 9),
        (1, "other", None),
        (2, "own", 9),
    ]
    assert [ns // NS_PER_S for ns in lines.left_ns] == [42, 41, 40, 30, 10]
    assert other.failed == "other was killed by signal 9; it printed last:\n  a,1,200"
    assert (own.failed, len(own.rounds), other.rounds) == ("", 2, [])
    assert own.warm_up is own.rounds[0].short is not None


def test_without_planrunner_there_is_nothing_to_compare(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="own was killed by signal 9"):
        ran(tmp_path, checked_tool(tmp_path, "own", DIES), checked_tool(tmp_path, "other", SENDS))
