"""What a request takes from the scopes around it as if it wrote it: `expect`, `tags`, `pause`.

Everything is merged before the run: key by key, and the nearest scope wins. What is wrong with a
default is said where it stands, though only a request may show it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from os.path import relpath
from pathlib import Path
from typing import Any, Final

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.names.known_names import Known
from planrunner.compiler.names.references import references_in
from planrunner.compiler.settings_block import Layer, SettingsBlock
from planrunner.compiler.steps.tags import tags_by_key
from planrunner.language.diagnostics import Code
from planrunner.language.fields.mapping import PlanMapping
from planrunner.plan.models.requests import Operation, RequestStep
from planrunner.plan.models.steps import StepModel
from planrunner.plan.yaml.document import PlanPath
from planrunner.protocols.lowering import SpecPath
from planrunner.protocols.operation_model import RequestModel
from planrunner.schedule.pauses import Pause
from planrunner.values import dataclass

__all__ = ["Inherited", "inherit", "pause_of", "refuse_pause"]

_MERGED: Final = ("expect", "tags")


@dataclass(frozen=True, slots=True)
class Inherited:
    """A request with all that holds for it.

    Attributes:
        spec: What it says, and what scopes around it say.
        inside: Where its own keys stand.
        places: Where keys of `expect` and `tags` stand that it takes from elsewhere.
        untagged: Tags of its class or task that it doesn't have.
    """

    spec: RequestModel
    inside: PlanPath
    places: Mapping[SpecPath, PlanPath] = field(default_factory=dict)
    untagged: frozenset[str] = frozenset()

    def place(self, path: SpecPath) -> PlanPath:
        """Return where a key of the request stands in the plan."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.places:
                return (*self.places[path[:end]], *path[end:])
        return (*self.inside, *path)

    def is_own(self, path: SpecPath) -> bool:
        return not any(path[:end] in self.places for end in range(1, len(path) + 1))

    @property
    def words(self) -> tuple[str, ...]:
        """What it takes from elsewhere: `expect.status`, `tags.team`."""
        inner = {path[:2] for path in self.places if len(path) > 2}
        return tuple(
            ".".join(map(str, path)) for path in self.places if len(path) > 2 or path not in inner
        )

    def check(self, work: Compilation, name: str, known: Known, block: SettingsBlock) -> None:
        """Check the names that `expect` or `tags` read; a default is blamed once for all."""
        for path, reference in references_in(getattr(self.spec, name, None), (name,)):
            place, is_own = self.place(path), self.is_own(path)
            if not is_own and (place, reference) in block.blamed:
                continue
            for fault in known.check([reference]):
                hint = fault.hint
                if not is_own:
                    block.blamed.add((place, reference))
                    hint = hint or _too_early(work.place(self.inside), reference.root)
                inside = (fault.offset, fault.length)
                work.fault(place, fault.code, fault.message, hint=hint, inside=inside)


def _too_early(request: str, name: str) -> str:
    return (
        f"the request at {request} takes this from here, and `{name}` has no value there: set a "
        f"first value under `state:`, or take the key away with `null` at that request"
    )


def inherit(
    work: Compilation, block: SettingsBlock, request: Operation, inside: PlanPath
) -> Inherited:
    """Return a request with what the settings of its scopes say of all requests.

    Args:
        work: Takes the faults.
        block: What it starts from.
        request: It.
        inside: Where its keys stand.
    """
    merge = _MergedKeys(work)
    merged: dict[str, Any] = {}
    for name in _MERGED:
        own = [(inside, request.spec)] if _says(request.spec, name) else []
        given = [(one.path, one.model) for one in block.layers if _says(one.model, name)]
        if not given and not any(_has_null(getattr(model, name)) for _, model in own):
            continue
        if name == "tags":
            merged[name] = merge.tags(block.layers, own)
        else:
            merged[name] = merge.expectations([*given, *own], inside)
    if not merged:
        return Inherited(request.spec, inside)
    assert isinstance(request.spec, PlanMapping)
    spec: Any = request.spec.model_copy(update=merged)
    places = {path: place for path, place in merge.places.items() if place[: len(inside)] != inside}
    return Inherited(spec, inside, places, frozenset(merge.untagged))


def _says(model: object, name: str) -> bool:
    return (
        isinstance(model, PlanMapping) and name in model.model_fields_set and hasattr(model, name)
    )


def _has_null(value: object) -> bool:
    """Say whether there is something in a value that takes something away."""
    if isinstance(value, PlanMapping):
        return any(getattr(value, name) is None for name in value.model_fields_set)
    return value is None or (isinstance(value, Mapping) and None in value.values())


class _MergedKeys:
    """Merges what scopes say, outermost first, and remembers where each key comes from."""

    def __init__(self, work: Compilation) -> None:
        self._work = work
        self.places: dict[SpecPath, PlanPath] = {}
        self.untagged: set[str] = set()

    def expectations(self, layers: Sequence[tuple[PlanPath, Any]], inside: PlanPath) -> Any:  # noqa: ANN401 - the protocol's own
        kind: Any = None
        models = []
        for path, model in layers:
            expect = model.expect
            models.append(self._as_read_at(expect, path, inside))
            kind = kind or (None if expect is None else type(expect))
            self._note(path, "expect", None if expect is None else dict(_items(expect)))
        return None if kind is None else kind.folded(models)

    def tags(
        self, layers: Iterable[Layer], own: Sequence[tuple[PlanPath, RequestModel]]
    ) -> dict[str, object]:
        found: dict[str, object] = {}
        around: set[str] = set()
        written: list[tuple[PlanPath, Any, frozenset[str]]] = [
            *((one.path, one.model, one.tags) for one in layers),
            *((path, model, frozenset()) for path, model in own),
        ]
        for path, model, hidden in written:
            # Those of a class or task are on all of its samples: here they only hide others.
            around |= hidden
            for key in hidden & found.keys():
                del found[key], self.places["tags", key]
            if not _says(model, "tags"):
                continue
            tags = tags_by_key(self._work, model.tags, (*path, "tags"))
            if tags is None:
                self.untagged = set(around)
            elif gone := {key for key, value in tags.items() if value is None} & around:
                self.untagged |= gone
                tags = {key: value for key, value in tags.items() if key not in gone}
            self._note(path, "tags", tags, has_more=bool(around))
            found = {} if tags is None else {**found, **tags}
        return {key: value for key, value in found.items() if value is not None}

    def _note(
        self,
        path: PlanPath,
        name: str,
        written: Mapping[str, object] | None,
        *,
        has_more: bool = False,
    ) -> None:
        """Note where keys stand now; one that takes away what isn't there is a fault."""
        if written is None:
            if not self._forget((name,)) and not has_more:
                _takes_nothing(self._work, (*path, name))
            return
        for key, value in written.items():
            if value is None:
                self._take((name, key), path)
                continue
            if name == "expect" and isinstance(value, Mapping):
                for inner in value:
                    self.places[name, key, inner] = (*path, name, key, inner)
                continue
            self._forget((name, key))
            self.places[name, key] = (*path, name, key)

    def _take(self, key: SpecPath, path: PlanPath) -> None:
        if not self._forget(key):
            _takes_nothing(self._work, (*path, *key))

    def _forget(self, key: SpecPath) -> bool:
        gone = [path for path in self.places if path[: len(key)] == key]
        for path in gone:
            del self.places[path]
        return bool(gone)

    def _as_read_at(self, expect: Any, path: PlanPath, inside: PlanPath) -> Any:  # noqa: ANN401 - as above
        """Return expectations whose files are named as where the request stands."""
        if expect is None or path == inside:
            return expect
        there, here = (Path(self._work.span(one).file).parent for one in (path, inside))
        return expect if there == here else expect.from_folder(relpath(there, here))


def _takes_nothing(work: Compilation, path: PlanPath) -> None:
    if path[0] != "flows":  # which may be called where there is something
        message = f"`{path[-1]}` has no value"
        hint = "write one, or remove the key: no `http:` around says what `null` takes away"
        work.fault(path, Code.WRONG_TYPE, message, hint=hint, part="key")


def _items(model: PlanMapping) -> Iterator[tuple[str, object]]:
    """Yield what a mapping says, by the plan's own keys."""
    fields = type(model).model_fields.items()
    given = model.model_fields_set
    return ((one.alias or name, getattr(model, name)) for name, one in fields if name in given)


# -- pauses ------------------------------------------------------------------------------------


def pause_of(
    work: Compilation,
    block: SettingsBlock,
    step: StepModel,
    path: PlanPath,
    *,
    has_user: bool,
) -> Pause | None:
    """Return the think time after a step: its own, or that of the nearest scope.

    Scopes say how long people pause; setup and teardown are run by none.
    """
    given: list[tuple[PlanPath, Any]] = [
        (one.path, one.model) for one in block.layers if _says(one.model, "pause")
    ]
    if "pause" in step.model_fields_set:
        if step.pause is None and not given:
            _takes_nothing(work, (*path, "pause"))
        given.append((path, step))
    elif not has_user:
        return None
    if not given or given[-1][1].pause is None:
        return None
    place, model = given[-1]
    return work.pause(model.pause, (*place, "pause"))


def refuse_pause(work: Compilation, step: RequestStep, path: PlanPath, hint: str) -> None:
    """Note a fault where a request has a pause of its own in a place without any."""
    if "pause" in step.model_fields_set:
        message = "a request can't have a pause of its own here"
        work.fault((*path, "pause"), Code.NOT_ALLOWED, message, hint=hint, part="key")
