"""Comments of an original in YAML, kept above what they stood above."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from planrunner.importers.draft import DraftNode, DraftPlan, all_steps
from planrunner.importers.sources import SourceFile

__all__ = ["keep_comments"]

_COMMENT: Final = re.compile(r"\s*#+\s?(.*)")
_CODE: Final = re.compile(r"-\s|[\w.$-]+\s*:(\s|$)|[-=*#~ ]*$|\{|\}|\"")
_MOST: Final = 6


def keep_comments(draft: DraftPlan, files: Iterable[SourceFile]) -> None:
    """Put the comment lines right above each node's original into its notes.

    Lines that are YAML themselves, or only a rule, explain nothing and are dropped.
    """
    lines = {one.name: one.text.split("\n") for one in files}
    seen: set[tuple[str, int]] = set()
    for node in _nodes(draft):
        origin = node.origin
        if origin is None or origin.file not in lines:
            continue
        found = _above(lines[origin.file], origin.line - 1)
        if found and (origin.file, origin.line) not in seen:
            seen.add((origin.file, origin.line))
            node.notes = [*found, *node.notes]


def _above(lines: list[str], line: int) -> list[str]:
    found: list[str] = []
    while line > 0 and (comment := _COMMENT.fullmatch(lines[line - 1])) and len(found) < _MOST:
        line -= 1
        if not _CODE.match(comment[1].strip()):
            found.append(comment[1].strip())
    return found[::-1]


def _nodes(draft: DraftPlan) -> Iterator[DraftNode]:
    for one in draft.users:
        yield one
        yield from one.tasks
    yield from draft.phases
    yield from draft.thresholds
    yield from all_steps(draft)
