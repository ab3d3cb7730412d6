"""Giving a thing another name, in all files of a plan."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Final

from lsprotocol import types

from planrunner.errors import UsageError
from planrunner.language.expressions.builtins.names import RESERVED
from planrunner.lsp.documents.reading import PlanReading
from planrunner.lsp.documents.view import PlanView, uri_of
from planrunner.lsp.names.kinds import NameKind, Occurrence, OccurrenceForm
from planrunner.lsp.names.plan_index import NamedThing
from planrunner.lsp.navigation.jumps import meant_at
from planrunner.metrics.thresholds.selector import quoted
from planrunner.plan.yaml.nodes import plain_value

__all__ = ["prepare_rename", "rename"]

_VARIABLES: Final = frozenset(
    {
        *(NameKind.PARAM, NameKind.VARIABLE, NameKind.DATA, NameKind.ARGUMENT, NameKind.FILE),
        *(NameKind.POOL, NameKind.METRIC, NameKind.COLUMN, NameKind.EXPRESSION),
    }
)
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN: Final = re.compile(r"[A-Za-z_/](?:[\w./-]|:(?=\w)| (?=[\w./:-]))*")


def prepare_rename(view: PlanView, position: types.Position) -> types.Range | None:
    """Return the name that can be changed at a place."""
    meant = meant_at(view, position)
    if meant is None or not view.is_current or meant[0].form is OccurrenceForm.DERIVED:
        return None
    if not any(view.index.definitions(one) for one in meant[1]):
        return None
    return view.reading.range(meant[0].start, meant[0].end)


def rename(view: PlanView, position: types.Position, new: str) -> types.WorkspaceEdit:
    """Return the edits that give the thing at a place another name.

    Raises:
        UsageError: It can't have this name, or has none of its own.
    """
    meant = meant_at(view, position)
    if meant is None or not view.is_current:
        raise UsageError("there is no name of the plan here", hint="put the cursor on a name")
    things = _named_together(view, meant[1])
    for thing in things:
        _check(view, thing, new)
    edits: defaultdict[str, dict[tuple[int, int], types.TextEdit]] = defaultdict(dict)
    for thing in things:
        for file, one in view.index.places(thing):
            if one.form is not OccurrenceForm.DERIVED:
                reading = view.files[file]
                uri = view.uri if file == view.file else uri_of(file)
                written = _written(reading, one, new)
                edit = types.TextEdit(reading.range(one.start, one.end), written)
                edits[uri][one.start, one.end] = edit
    return types.WorkspaceEdit({uri: list(found.values()) for uri, found in edits.items()})


def _named_together(view: PlanView, things: list[NamedThing]) -> list[NamedThing]:
    """Return also what is called after them: the phase of a profile, the request of a task."""
    places = {
        (place.file, place.occurrence.start)
        for thing in things
        for place in view.index.definitions(thing)
    }
    found = dict.fromkeys(things)
    for thing in things:
        for kind in NameKind:
            other = NamedThing(kind, thing.name)
            given = view.index.definitions(other)
            if given and all((one.file, one.occurrence.start) in places for one in given):
                found[other] = None
    return list(found)


def _check(view: PlanView, thing: NamedThing, new: str) -> None:
    definitions = view.index.definitions(thing)
    word = f"the {thing.kind} `{thing.name}`"
    if not definitions:
        raise UsageError(f"nothing in the plan gives {word}", hint="rename what it follows from")
    if all(one.occurrence.form is OccurrenceForm.DERIVED for one in definitions):
        hint = f"write `name: {new}` beside it"
        raise UsageError(f"{word} has no name of its own", hint=hint)
    if thing.kind in _VARIABLES and (not _VARIABLE.fullmatch(new) or new in RESERVED):
        hint = "use letters, digits and `_`, and none of the names that planrunner reserves"
        raise UsageError(f"{word} can't be called `{new}`", hint=hint)
    if not _PLAIN.fullmatch(new) or not isinstance(plain_value(new), str):
        hint = "begin with a letter; use letters, digits, `_`, `-`, `.`, `/` and single spaces"
        raise UsageError(f"{word} can't be called `{new}` without quotes", hint=hint)
    if view.index.definitions(NamedThing(thing.kind, new, thing.scope)) and new != thing.name:
        raise UsageError(f"there is a {thing.kind} `{new}` already", hint="choose another name")


def _written(reading: PlanReading, one: Occurrence, new: str) -> str:
    """Return the name as its place needs it: some sentences want quotes."""
    if one.form is not OccurrenceForm.SENTENCE:
        return new
    before = reading.source.text[one.start : one.end]
    for quote in ('\\"', "''", '"', "'"):
        if before.startswith(quote) and before.endswith(quote):
            return f"{quote}{new}{quote}"
    if quoted(new) == new:
        return new
    node = reading.node(one.path)
    is_double = node is not None and reading.source.text[node.start] == '"'
    return f"'{new}'" if is_double else f'"{new}"'
