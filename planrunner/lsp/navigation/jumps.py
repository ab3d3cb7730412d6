"""From a name to where it is given, and to all that use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lsprotocol import types

from planrunner.lsp.documents.view import PlanView, uri_of
from planrunner.lsp.grammar.files import file_endings
from planrunner.lsp.names.kinds import Occurrence
from planrunner.lsp.names.plan_index import NamedThing
from planrunner.lsp.outside.lookup import outside_name
from planrunner.lsp.outside.outside_name import OutsideName

__all__ = ["definitions", "highlights", "meant_at", "references"]


def meant_at(
    view: PlanView, position: types.Position
) -> tuple[Occurrence, list[NamedThing]] | None:
    """Return the name at a place, and what it means: more where one text names several things."""
    found = view.index.at(view.file, view.reading.offset(position))
    if not found:
        return None
    first = found[0]
    alike = [one for one in found if (one.start, one.end) == (first.start, first.end)]
    return first, list(dict.fromkeys(view.index.thing(one) for one in alike))


def definitions(view: PlanView, position: types.Position) -> list[types.Location]:
    """Return where the name at a place is given, or the file that it names."""
    meant = meant_at(view, position)
    if meant is None:
        return list(_named_file(view, view.reading.offset(position)))
    one, things = meant
    outside = [outside_name(view, thing.kind, thing.name) for thing in things]
    elsewhere = [_outside(name) for name in outside if name is not None]
    given = [place for thing in things for place in view.index.definitions(thing)]
    # A method in a file is what is looked for, not the request that is called after it here.
    shown = [place for place in given if place.occurrence.start != one.start or not elsewhere]
    return [*map(view.location, shown), *elsewhere]


def _outside(one: OutsideName) -> types.Location:
    """Return the place of a name in a file that is no plan."""
    start, end = types.Position(one.line, one.start), types.Position(one.line, one.end)
    return types.Location(uri_of(str(one.file.resolve())), types.Range(start, end))


def _named_file(view: PlanView, offset: int) -> Iterator[types.Location]:
    reading = view.reading
    path, is_key = reading.path_at(offset)
    node = reading.node(path)
    is_named = file_endings(reading.shape.at(path).slot) is not None
    if node is not None and isinstance(node.data, str) and is_named and not is_key:
        file = Path(view.file).parent / node.data
        if file.is_file():
            start = types.Position(0, 0)
            yield types.Location(uri_of(str(file.resolve())), types.Range(start, start))


def references(
    view: PlanView, position: types.Position, *, with_definitions: bool
) -> list[types.Location]:
    """Return all places of the name at a place."""
    meant = meant_at(view, position)
    found: dict[tuple[str, int, int], types.Location] = {}
    for thing in meant[1] if meant else ():
        for place in view.index.places(thing):
            one = place.occurrence
            if with_definitions or not one.is_definition:
                found.setdefault((place.file, one.start, one.end), view.location(place))
    return list(found.values())


def highlights(view: PlanView, position: types.Position) -> list[types.DocumentHighlight]:
    """Return the places of a name in the file itself."""
    return list(_highlights(view, position))


def _highlights(view: PlanView, position: types.Position) -> Iterator[types.DocumentHighlight]:
    meant = meant_at(view, position)
    for thing in meant[1] if meant else ():
        for file, one in view.index.places(thing):
            if file == view.file:
                is_given = one.is_definition
                kind = types.DocumentHighlightKind
                yield types.DocumentHighlight(
                    view.reading.range(one.start, one.end), kind.Write if is_given else kind.Read
                )
