"""Blocks of steps: groups that nest too deeply, loops over more numbers than a plan has."""

from __future__ import annotations

import re
from typing import Final

from planrunner.importers.draft import DraftPlan, DraftStep, all_steps, origin_of
from planrunner.loss.ledger import Ledger

__all__ = ["sound_blocks"]

_DEEPEST: Final = 16
_DEEPEST_BLOCKS: Final = 24
"""Of blocks of any kind; each takes two of the 64 levels that YAML may nest."""

_MOST_NUMBERS: Final = 100_000
_RANGE: Final = re.compile(r"\brange\((-?\d+), (-?\d+)(?:, (\d+))?\)")
_BLOCKS: Final = ("do", "then", "else", "parallel", "steps")


def sound_blocks(draft: DraftPlan, ledger: Ledger) -> None:
    """Take the inner ones of deep blocks away, but not their steps, and cut loops."""
    for flow in draft.flows.values():
        flow.steps = _flat(flow.steps, 0, ledger)
    for one in draft.users:
        one.steps = _flat(one.steps, 0, ledger)
        for task in one.tasks:
            task.steps = _flat(task.steps, 0, ledger)
    for step in all_steps(draft):
        loop = step.body.get("foreach")
        cut = _RANGE.sub(_shortened, loop) if isinstance(loop, str) else loop
        place = step.origin or origin_of(draft)
        if cut != loop and place is not None:
            step.body["foreach"] = cut
            ledger.part("loop", str(loop)[:80], place).changed(
                f"only the first {_MOST_NUMBERS:,} numbers are taken"
            )


def _flat(steps: list[DraftStep], depth: int, ledger: Ledger) -> list[DraftStep]:
    found: list[DraftStep] = []
    for step in steps:
        inner = step.body.get("do")
        is_group = "group" in step.body
        if isinstance(inner, list) and depth >= (_DEEPEST if is_group else _DEEPEST_BLOCKS):
            if step.origin is not None:
                words = ", ".join(f"{key}: {step.body[key]}" for key in step.body if key != "do")
                ledger.part("group" if is_group else "block", words[:80], step.origin).changed(
                    f"{'groups' if is_group else 'blocks'} nest {depth} deep at most: its steps "
                    "are those of the one around"
                )
            found += _flat(inner, depth, ledger)
            continue
        for key in _BLOCKS:
            if isinstance(below := step.body.get(key), list):
                step.body[key] = _flat(below, depth + 1, ledger)
        found.append(step)
    return found


def _shortened(found: re.Match[str]) -> str:
    start, stop, step = int(found[1]), int(found[2]), int(found[3] or 1)
    if not step or (stop - start) // step < _MOST_NUMBERS:
        return found[0]
    by = f", {step}" if step > 1 else ""
    return f"range({start}, {start + step * _MOST_NUMBERS}{by})"
