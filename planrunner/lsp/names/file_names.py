"""The names of one file: every place where one is given or asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from planrunner.lsp.grammar.shapes import ValueShape
from planrunner.lsp.grammar.visits import TreeVisit, node_at, visits
from planrunner.lsp.names.kinds import NameKind, Occurrence, OccurrenceForm
from planrunner.lsp.names.readings import NamePiece, loop_names, names_in_sentence, names_in_text
from planrunner.lsp.names.roles import SENTENCES, NameRole, key_role, value_role
from planrunner.plan.models.requests import VERBS, LoneRequest
from planrunner.plan.yaml.document import PlanPath
from planrunner.plan.yaml.nodes import YamlNode
from planrunner.plan.yaml.scalar_offsets import character_offsets
from planrunner.protocols import registry

__all__ = ["FLOWS", "names_of_file", "scalar_offsets"]

FLOWS: Final = "flows"
"""The scope of variables in flows, which any class may call."""

_REQUESTS: Final = frozenset({"Step", "Task", "LoneRequest", "Poll"})
_POOL: Final = "pool."


def names_of_file(root: YamlNode, shape: ValueShape) -> Sequence[Occurrence]:
    """Return each place of a name, in the order of the text."""
    found = [one for visit in visits(root, shape) for one in _names(root, visit)]
    found += _phases_without_name(root)
    return sorted(set(found), key=lambda one: (one.start, one.end))


def scalar_offsets(text: str, start: int, end: int, value: str) -> Sequence[int] | None:
    """Return where each character of a scalar's value stands in the text, and where it ends.

    None when the two can't be brought together.
    """
    raw = text[start:end]
    shift = 0 if raw == value else 1 if raw[1:-1] == value else None
    if shift is not None:
        return range(start + shift, start + shift + len(value) + 1)
    offsets = character_offsets(raw, value)
    if not offsets or len(offsets) < len(value):
        return None
    return [*(start + one for one in offsets), start + offsets[-1] + 1]


def _names(root: YamlNode, visit: TreeVisit) -> Iterator[Occurrence]:
    path, key, node, shape = visit
    if key is not None and isinstance(path[-1], str):
        yield from _key(root, visit, key)
    if isinstance(node.data, str):
        yield from _value(visit, node.data)
    elif isinstance(node.items, dict) and _REQUESTS.intersection(shape.names):
        yield from _request_without_name(node, path, shape)


def _key(root: YamlNode, visit: TreeVisit, key: tuple[int, int]) -> Iterator[Occurrence]:
    path, name = visit.path, str(visit.path[-1])
    role = key_role(visit.shape.slot, name)
    if role is None:
        return
    if name.startswith(_POOL):
        role, name = NameRole(NameKind.POOL, is_definition=False), name.removeprefix(_POOL)
    offsets = scalar_offsets(visit.node.source.text, *key, str(path[-1]))
    if offsets is not None:
        scope = _scope(root, role.kind, path)
        start, end = offsets[len(offsets) - 1 - len(name)], offsets[-1]
        yield Occurrence(role.kind, name, scope, start, end, role.is_definition, path)


def _value(visit: TreeVisit, value: str) -> Iterator[Occurrence]:
    path, _, node, shape = visit
    pieces = [
        (piece, is_definition, form)
        for piece, is_definition, form in _pieces(shape, value)
        if piece.name
    ]
    if not pieces:
        return
    offsets = scalar_offsets(node.source.text, node.start, node.end, value)
    if offsets is None:
        return
    for piece, is_definition, form in pieces:
        scope = piece.owner or _variable_scope(piece.kind, path)
        start, end = offsets[piece.start], offsets[piece.end - 1] + 1
        yield Occurrence(piece.kind, piece.name, scope, start, end, is_definition, path, form)


def _pieces(shape: ValueShape, value: str) -> Iterator[tuple[NamePiece, bool, OccurrenceForm]]:
    """Yield the names in a text, whether each is given there, and how it is written."""
    if shape.slot in SENTENCES:
        for piece in names_in_sentence(value):
            yield piece, False, OccurrenceForm.SENTENCE
    elif shape.is_loop:
        for piece, is_definition in loop_names(value):
            yield piece, is_definition, OccurrenceForm.PLAIN
    else:
        role = value_role(shape.slot, value)
        if role is not None and "${" not in value:
            whole = NamePiece(role.kind, value, 0, len(value))
            yield whole, role.is_definition, OccurrenceForm.PLAIN
        elif role is not None:
            whole = NamePiece(role.kind, value, 0, len(value))
            yield whole, role.is_definition, OccurrenceForm.DERIVED
        for piece in names_in_text(value, is_bare=shape.is_expression):
            yield piece, False, OccurrenceForm.PLAIN


def _scope(root: YamlNode, kind: NameKind, path: PlanPath) -> str:
    if kind is NameKind.COLUMN and path[0] == "data":
        return str(path[1])
    if kind is NameKind.ARGUMENT:
        if path[-2] == "args":
            return str(path[1])
        call = node_at(root, path[:-1])
        return str(call.data.get("flow", "")) if call and isinstance(call.data, dict) else ""
    return _variable_scope(kind, path)


def _variable_scope(kind: NameKind, path: PlanPath) -> str:
    """Return the class that a variable belongs to; that of a flow is of any class."""
    if kind not in (NameKind.VARIABLE, NameKind.EXPRESSION) or len(path) < 2:
        return ""
    if path[0] == "users":
        return f"users.{path[1]}"
    return FLOWS if path[0] == "flows" else ""


def _request_without_name(
    node: YamlNode, path: PlanPath, shape: ValueShape
) -> Iterator[Occurrence]:
    """Yield what a request is called that has no `name:`, and the task that it is."""
    items = node.items
    assert isinstance(items, dict)  # the caller's check
    action = next((key for key in items if key in VERBS or registry.action(key)), "")
    if not action:
        return
    start, end, value = items[action]
    inside = value.items if action not in VERBS and isinstance(value.items, dict) else items
    at, given = (value.start, value.end), inside.get("name")
    name = str(given[2].data) if given is not None else ""
    if given is not None:
        at = (given[2].start, given[2].end)
    elif name := _default_name(action, value.data):
        at = at if isinstance(value.data, str) else (start, end)
        place, form = (*path, action), OccurrenceForm.DERIVED
        yield _given(NameKind.REQUEST, name, at, place, form)
    if name and "Task" in shape.names and "task" not in items:
        offsets = scalar_offsets(node.source.text, *at, name) if given is not None else None
        form = OccurrenceForm.DERIVED if offsets is None else OccurrenceForm.PLAIN
        at = at if offsets is None else (offsets[0], offsets[-1])
        yield _given(NameKind.TASK, name, at, (*path, action), form)


def _default_name(action: str, data: object) -> str:
    if isinstance(data, str):
        return _name_of_text(action, data)
    return _model_name(action, data) if isinstance(data, dict) else ""


@lru_cache(maxsize=4096)
def _name_of_text(action: str, text: str) -> str:
    return _model_name(action, text)


def _model_name(action: str, data: object) -> str:
    """Return the name that the model of a request gives it; empty for one that isn't valid."""
    try:
        request = LoneRequest.model_validate({action: data}).operation
        return request.name if request is not None else ""
    except (ValueError, AttributeError):
        return ""


def _phases_without_name(root: YamlNode) -> Iterator[Occurrence]:
    """Yield the phases that are called after their profile."""
    profiles = node_at(root, ("profiles",))
    if profiles is None or not isinstance(profiles.items, dict):
        return
    for name, (start, end, phases) in profiles.items.items():
        for index, phase in enumerate(phases.items if isinstance(phases.items, list) else ()):
            if isinstance(phase.data, dict) and not {"name", "use"} & phase.data.keys():
                shown = name if index == 0 else f"{name}-{index + 1}"
                place = ("profiles", name, index)
                form = OccurrenceForm.DERIVED
                yield _given(NameKind.PHASE, shown, (start, end), place, form)


def _given(
    kind: NameKind, name: str, at: tuple[int, int], path: PlanPath, form: OccurrenceForm
) -> Occurrence:
    return Occurrence(kind, name, "", *at, is_definition=True, path=path, form=form)
