"""Question 13: whether short functions take as long as pyperf and pytest-benchmark say."""

from __future__ import annotations

import json
import sys
from operator import truediv
from pathlib import Path
from statistics import median

from benchmarks.processes import run
from planrunner.timing.spread import spread_of

ROOT = Path(__file__).resolve().parent.parent
_TURNS = 10
"""Of each tool with each function, in a process."""

Medians = dict[str, dict[str, list[float]]]
"""In nanoseconds, by tool and function: one of each turn."""


def micro(rounds: int, seconds: int) -> dict:
    """Medians of the same functions by each tool, beside those of pyperf in the same round.

    pyperf runs twice: how much it differs from itself is what this machine can know. A round is a
    process of its own, as two differ by some percent in where their memory lies: that decides how
    fast the interpreter is for the frames of one tool.
    """
    raw: list[Medians] = []
    for number in range(rounds * seconds):
        raw.append(_measure())
        shown = {tool: list(found.values()) for tool, found in differences(raw[-1]).items()}
        print(f"  round {number + 1}: {shown}", flush=True)
    return {"summary": summarise(raw), "median_ns": raw}


def summarise(raw: list[Medians]) -> list[str]:
    """Return the median of each tool's differences from pyperf, by function, with its interval."""
    lines = []
    for tool, by_function in raw[0].items():
        if tool == "pyperf":
            continue
        shown = []
        for name in by_function:
            found = spread_of(
                [
                    ratio
                    for one in raw
                    for ratio in map(truediv, one[tool][name], one["pyperf"][name])
                ]
            )
            low, high = (end - 1 for end in found.interval)
            shown.append(f"`{name}` {found.median - 1:+.1%} ({low:+.1%} to {high:+.1%})")
        lines.append(f"{tool} {', '.join(shown)}")
    return [*lines, "medians, by their difference from pyperf's (target 2 %)"]


def differences(found: Medians) -> dict[str, dict[str, float]]:
    """Return by what share each tool's median of a function differs from pyperf's, turn by turn."""
    reference = found["pyperf"]
    return {
        tool: {
            name: round(median(map(truediv, values, reference[name])) - 1, 4)
            for name, values in by_function.items()
        }
        for tool, by_function in found.items()
        if tool != "pyperf"
    }


def _measure() -> Medians:
    outcome = run(
        [sys.executable, "-m", "benchmarks.micro_side_by_side", str(_TURNS)], cpu=1, cwd=ROOT
    )
    if outcome.exit_code:
        raise RuntimeError(outcome.output + outcome.errors)
    return json.loads(outcome.output)
