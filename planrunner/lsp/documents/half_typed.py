"""The tree of a text that need not be YAML yet: lines that can't be read are left out."""

from __future__ import annotations

import re
from typing import Final

from planrunner.language.diagnostics import PlanError
from planrunner.plan.yaml.files import MAX_BYTES
from planrunner.plan.yaml.nodes import TreeBuilder, YamlNode
from planrunner.plan.yaml.source import Source
from planrunner.plan.yaml.yaml_events import YamlProblem, open_events
from planrunner.plan.yaml.yaml_faults import hide_forbidden, readable
from planrunner.plan.yaml.yaml_repairs import allow_url_characters, find_repair, patch

__all__ = ["read_tree"]

_MOST_TRIES: Final = 12


def read_tree(text: str) -> YamlNode | None:
    """Return what can be read of a text; None when that is nothing.

    Offsets in the tree count characters of the text without a byte order mark.
    """
    source = Source("", text.removeprefix("\ufeff"))
    if len(source.text) > MAX_BYTES:
        return None
    left = readable(hide_forbidden(source.text))
    found = _read(source, left)
    return found if found is not None else _read(source, _without_open_quotes(left))


def _read(source: Source, left: str) -> YamlNode | None:
    """Return what can be read of a text while lines are left out that the parser gives up at."""
    for _ in range(_MOST_TRIES):
        try:
            return TreeBuilder(source, text=left).build(open_events(left))
        except YamlProblem as problem:
            without = _mended(left, source, problem)
            if without == left:
                return None
            left = without
        except PlanError:  # deeper or larger than a plan can be
            return None
    return None


_QUOTED: Final = re.compile(r"""(?<![^\s:,{\[-])(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*')""")
_OPEN: Final = re.compile(r"""^(?!\s*#)(?:(?!\s#).)*?(?<![^\s:,{\[-])["'].*$""", re.MULTILINE)


def _without_open_quotes(text: str) -> str:
    """Return the text without lines that open a quote and don't close it.

    Such a quote takes lines up to the next one with it, and the parser gives up far below.
    """
    closed = _QUOTED.sub(lambda found: "_" * len(found[0]), text)
    pieces, end = [], 0
    for found in _OPEN.finditer(closed):
        pieces += [text[end : found.start()], " " * len(found[0])]
        end = found.end()
    return "".join([*pieces, text[end:]])


def _mended(text: str, source: Source, problem: YamlProblem) -> str:
    """Return the text without what the parser gave up at: patched as for a check, else the line."""
    allowed = allow_url_characters(text, problem.problem, problem.offset)
    if allowed != text:
        return allowed
    repair = find_repair(source, problem.offset)
    if repair is not None and (patched := patch(text, repair.start, repair.end)) != text:
        return patched
    return _without_line(text, source, problem)


def _without_line(text: str, source: Source, problem: YamlProblem) -> str:
    """Return the text with spaces in place of the line that the parser gave up at.

    It gives up at the token that doesn't fit: that may be the first one after the half-typed line.
    """
    offset = min(problem.offset, max(len(text) - 1, 0))
    for number in (source.line_of(offset), source.line_of(problem.opened or 0)):
        start = _start_of(source, number)
        end = _start_of(source, number + 1)
        line = text[start:end]
        if line.strip():
            ending = line[len(line.rstrip("\r\n")) :]
            return text[:start] + " " * (len(line) - len(ending)) + ending + text[end:]
    return text


def _start_of(source: Source, number: int) -> int:
    """Return where line `number` (from 1) begins."""
    starts = source.line_starts
    return starts[number - 1] if number <= len(starts) else len(source.text)
