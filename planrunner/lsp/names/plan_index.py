"""The names of a plan and its imports together: what each place means, and where else it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from planrunner.lsp.names.file_names import FLOWS
from planrunner.lsp.names.kinds import NameKind, Occurrence

__all__ = ["NameIndex", "NamePlace", "NamedThing"]

_OF_CLASSES: Final = "users."


class NamedThing(NamedTuple):
    """What a name means: two names of one thing are written alike."""

    kind: NameKind
    name: str
    scope: str = ""


class NamePlace(NamedTuple):
    """A place of a name, and the file that it is in."""

    file: str
    occurrence: Occurrence


class NameIndex:
    """All names of a plan.

    Args:
        files: What names each file has.
    """

    def __init__(self, files: Mapping[str, Sequence[Occurrence]]) -> None:
        self._files = files
        self._known = {
            (one.kind, one.name, one.scope if one.kind is NameKind.ARGUMENT else "")
            for found in files.values()
            for one in found
            if one.is_definition or one.kind is NameKind.PARAM
        }
        self._shared = {
            one.name
            for found in files.values()
            for one in found
            if one.kind in (NameKind.VARIABLE, NameKind.EXPRESSION) and one.scope in ("", FLOWS)
        }
        self._places: defaultdict[NamedThing, list[NamePlace]] = defaultdict(list)
        for file, found in files.items():
            for one in found:
                self._places[self.thing(one)].append(NamePlace(file, one))

    def thing(self, one: Occurrence) -> NamedThing:
        """Return what a place means."""
        if one.kind is NameKind.EXPRESSION:
            return self._read(one)
        if one.kind is NameKind.VARIABLE:
            return self._variable(one)
        return NamedThing(one.kind, one.name, one.scope)

    def _read(self, one: Occurrence) -> NamedThing:
        """Return what an expression reads: an argument, a param, a data source, a variable."""
        flow = str(one.path[1]) if one.path[:1] == ("flows",) and len(one.path) > 1 else ""
        if flow and (NameKind.ARGUMENT, one.name, flow) in self._known:
            return NamedThing(NameKind.ARGUMENT, one.name, flow)
        for kind in (NameKind.PARAM, NameKind.DATA):
            if (kind, one.name, "") in self._known:
                return NamedThing(kind, one.name)
        return self._variable(one)

    def _variable(self, one: Occurrence) -> NamedThing:
        is_shared = one.name in self._shared
        return NamedThing(NameKind.VARIABLE, one.name, "" if is_shared else one.scope)

    def at(self, file: str, offset: int) -> list[Occurrence]:
        """Return the names that a place of a file is in, derived ones last."""
        found = [one for one in self._files.get(file, ()) if one.start <= offset <= one.end]
        return sorted(found, key=lambda one: (one.end - one.start, one.form))

    def places(self, thing: NamedThing) -> Sequence[NamePlace]:
        """Return each place that has a name of this thing."""
        return self._places.get(thing, ())

    def definitions(self, thing: NamedThing) -> list[NamePlace]:
        return [place for place in self.places(thing) if place.occurrence.is_definition]

    def things(self, *kinds: NameKind) -> Iterator[NamedThing]:
        """Yield what is defined of these kinds, in the order of the files."""
        for thing, places in self._places.items():
            if thing.kind in kinds and any(one.occurrence.is_definition for one in places):
                yield thing

    def names(self, *kinds: NameKind, scope: str | None = None) -> list[str]:
        """Return the names that are defined of these kinds."""
        found: Iterable[NamedThing] = self.things(*kinds)
        return list(dict.fromkeys(one.name for one in found if scope in (None, one.scope)))

    def used(self, kind: NameKind) -> list[str]:
        """Return the names of a kind that the plan has anywhere."""
        return list(dict.fromkeys(thing.name for thing in self._places if thing.kind is kind))

    def variables_at(self, path: tuple[str | int, ...]) -> list[str]:
        """Return the variables that may have a value at a place, as far as names tell."""
        scope = f"{_OF_CLASSES}{path[1]}" if path[:1] == ("users",) and len(path) > 1 else ""
        found = (one for one in self.things(NameKind.VARIABLE))
        return [one.name for one in found if one.scope in ("", scope)]
