"""Steps that several places have in a row, word for word, become a flow that they call."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from planrunner.importers.draft import DraftFlow, DraftPlan, DraftStep
from planrunner.importers.shaping.requests import VERBS
from planrunner.importers.templates import identifier

__all__ = ["share_flows"]

_LONGEST: Final = 30
_MOST: Final = 5000
"""Steps; a recording that has more is not searched."""

_StepRow = tuple[str, ...]


def share_flows(draft: DraftPlan) -> None:
    """Make flows of repeated steps, longest first: two requests or more, in two places or more."""
    lists = [steps for steps in _lists(draft) if len(steps) > 1]
    if lists and sum(map(len, lists)) <= _MOST:
        search = _FlowSearch(draft, lists)
        for length in range(min(_LONGEST, max(map(len, lists))), 1, -1):
            for row in search.repeated(length):
                search.replace(row)


def _lists(draft: DraftPlan) -> Iterator[list[DraftStep]]:
    for one in draft.users:
        yield one.on_start
        yield from (task.steps for task in one.tasks)
        yield one.steps


class _FlowSearch:
    def __init__(self, draft: DraftPlan, lists: list[list[DraftStep]]) -> None:
        self.draft, self.lists = draft, lists
        self.texts = {id(step): _text(step) for steps in lists for step in steps}
        counts = Counter(self.texts[id(step)] for steps in lists for step in steps)
        self.often = {text for text, count in counts.items() if count > 1}

    def _of(self, steps: list[DraftStep]) -> list[str]:
        return [self.texts[id(step)] for step in steps]

    def repeated(self, length: int) -> list[_StepRow]:
        """Return the rows of so many steps that there are twice, in the order of first sight."""
        rows = Counter[_StepRow]()
        for steps in self.lists:
            texts = self._of(steps)
            for start in range(len(texts) - length + 1):
                first, last = texts[start], texts[start + length - 1]
                if first in self.often and last in self.often and _is_row(steps, start, length):
                    rows[tuple(texts[start : start + length])] += 1
        return [row for row, count in rows.items() if count > 1]

    def replace(self, row: _StepRow) -> None:
        """Make a flow of a row, and call it where the row was."""
        places = [(steps, start) for steps in self.lists for start in self._places(steps, row)]
        if len(places) < 2:
            return
        steps, start = places[0]
        body = steps[start : start + len(row)]
        name = identifier(_name(body[0]), self.draft.flows)
        self.draft.flows[name] = DraftFlow(body)
        for number, (steps, start) in reversed(list(enumerate(places))):
            origin = steps[start].origin if number else None
            call = DraftStep({"call": name}, origin=origin)
            self.texts[id(call)] = name
            steps[start : start + len(row)] = [call]

    def _places(self, steps: list[DraftStep], row: _StepRow) -> list[int]:
        """Return where a row begins; places don't overlap."""
        texts, found, start = self._of(steps), list[int](), 0
        while start <= len(texts) - len(row):
            fits = texts[start] == row[0] and tuple(texts[start : start + len(row)]) == row
            found += [start] if fits else []
            start += len(row) if fits else 1
        return found


def _is_row(steps: list[DraftStep], start: int, length: int) -> bool:
    """Whether a row begins and ends with a request, so that no pause is at its edge."""
    return bool(_verb(steps[start]) and _verb(steps[start + length - 1]))


def _text(step: DraftStep) -> str:
    return json.dumps(step.body, default=lambda one: one.body if isinstance(one, DraftStep) else 0)


def _verb(step: DraftStep) -> str:
    return next((verb for verb in VERBS if verb in step.body), "")


def _name(step: DraftStep) -> str:
    """Return what a flow is called after: the name of its first request, or the end of its URL."""
    if "name" in step.body:
        return re.sub(r"\$\{[^}]*\}", "", str(step.body["name"]))
    verb = _verb(step)
    path = re.sub(r"https?://[^/]*|\$\{[^}]*\}|\?.*", "", str(step.body[verb]), flags=re.DOTALL)
    return f"{verb} {' '.join(path.strip('/').split('/')[-2:])}"
