"""Lines above tasks, phases and the plan that run them: each is a command for a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from lsprotocol import types

from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.names.kinds import NameKind, Occurrence
from planrunner.plan.defaults.file import is_defaults

__all__ = ["RUN_IN_TERMINAL", "code_lenses"]

RUN_IN_TERMINAL: Final = "planrunner.runInTerminal"
"""The command that an editor has: its arguments are what to type, and the same as words.

Who knows where planrunner is puts its own command before the words.
"""


def code_lenses(view: PlanView) -> list[types.CodeLens]:
    """Return what can be run, where it stands."""
    data = view.reading.tree.data
    is_plan = isinstance(data, dict) and bool({"users", "phases", "stages", "profiles"} & {*data})
    if not is_plan or is_defaults(view.file) or not view.is_current:
        return []
    return list(_lenses(view))


def _lenses(view: PlanView) -> Iterator[types.CodeLens]:
    first = view.reading.range(0, 0)
    yield _lens(view, first, "Run once", "execute", "--once")
    yield _lens(view, first, "Run", "execute")
    yield _lens(view, first, "Explain", "explain")
    seen = set[tuple[int, str]]()
    for one in view.reading.names:
        options = _options(one) if one.is_definition else ()
        if not options:
            continue
        where = view.reading.range(one.start, one.end)
        if (where.start.line, options[1]) not in seen:
            seen.add((where.start.line, options[1]))
            if one.kind is NameKind.TASK:
                yield _lens(view, where, "Run once", "execute", *options, "--once")
            else:
                yield _lens(view, where, "Run", "execute", *options)
                yield _lens(view, where, "Explain", "explain", *options)


def _options(one: Occurrence) -> tuple[str, ...]:
    """Return the options of `execute` that select a thing."""
    if one.kind is NameKind.TASK and one.path[:1] == ("users",):
        return ("--task", one.name, "--user", str(one.path[1]))
    if one.kind is NameKind.PHASE and one.path[0] == "phases":
        return ("--phase", one.name)
    if one.kind is NameKind.PROFILE:
        return ("--profile", one.name)
    return ()


def _lens(view: PlanView, where: types.Range, title: str, *words: str) -> types.CodeLens:
    command, *options = words
    called = [command, view.file, *options]
    typed = shlex.join(["planrunner", *called])
    return types.CodeLens(where, types.Command(title, RUN_IN_TERMINAL, arguments=[typed, called]))
