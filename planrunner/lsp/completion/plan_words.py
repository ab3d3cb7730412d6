"""What can be written at a place of a plan: keys by the schema, values, names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from lsprotocol import types

from planrunner.lsp.completion.expression_words import expression_words, open_expression
from planrunner.lsp.completion.file_words import file_words, outside_words
from planrunner.lsp.completion.offers import WordOffer, words
from planrunner.lsp.completion.sentence_words import sentence_words
from planrunner.lsp.documents.cursor import CursorPlace
from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.grammar.shapes import ValueShape
from planrunner.lsp.names.kinds import NameKind
from planrunner.lsp.names.roles import SENTENCES, key_role, value_role
from planrunner.plan.models.requests import VERBS
from planrunner.plan.models.step_rules import COMPANIONS, all_actions
from planrunner.plan.models.users import TASK_KEYS

__all__ = ["plan_words"]

_KIND: Final = types.CompletionItemKind
_LOOP: Final = re.compile(r"\s*[A-Za-z_]\w*\s+in\s+")
_STEPS: Final = frozenset({"Step", "Task", "LoneRequest", "Poll"})


def plan_words(view: PlanView, place: CursorPlace) -> Iterator[WordOffer]:
    """Yield what can be written at a place, the likeliest first."""
    shape = view.reading.shape.at(place.path)
    is_item = place.is_key and bool(place.path) and isinstance(place.path[-1], int)
    if not place.is_key or is_item:
        yield from _values(view, place, shape)
    if place.is_key and not place.quote and " " not in place.typed:
        yield from _keys(view, place, shape)


def _values(view: PlanView, place: CursorPlace, shape: ValueShape) -> Iterator[WordOffer]:
    inside = open_expression(place.typed)
    if shape.slot in SENTENCES:
        yield from sentence_words(view, place.typed, place.quote)
    elif inside is not None:
        yield from expression_words(view, place.path, inside)
    elif shape.is_loop:
        if head := _LOOP.match(place.typed):
            yield from expression_words(view, place.path, place.typed[head.end() :])
    else:
        yield from _named_values(view, place, shape)
        yield from _schema_values(shape)
        if shape.is_expression:
            yield from expression_words(view, place.path, place.typed)


def _named_values(view: PlanView, place: CursorPlace, shape: ValueShape) -> Iterator[WordOffer]:
    role = value_role(shape.slot, "")
    if role is not None and (not role.is_definition or role.kind is NameKind.TAG):
        yield from words(view.index.names(role.kind), _KIND.Reference, role.kind)
    if shape.slot == "Plan.environments.*.*" and place.path[-1] == "profile":
        yield from words(view.index.names(NameKind.PROFILE), _KIND.Reference, NameKind.PROFILE)
    yield from file_words(Path(view.file).parent, shape.slot, place.typed)
    if role is not None:
        yield from outside_words(view, role.kind)


def _schema_values(shape: ValueShape) -> Iterator[WordOffer]:
    """Yield the words that the schema knows for a value."""
    for _, arm in shape.arms:
        for value in (*arm.get("enum", ()), *([arm["const"]] if "const" in arm else ())):
            yield WordOffer(_scalar(value), _KIND.EnumMember)
        if arm.get("type") == "boolean":
            yield from words(("true", "false"), _KIND.Value)
    snippets = shape.about.get("defaultSnippets", ())
    for one in snippets:
        if isinstance(one.get("body"), str):
            yield WordOffer(one["label"], _KIND.Value, "example")


def _scalar(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _keys(view: PlanView, place: CursorPlace, shape: ValueShape) -> Iterator[WordOffer]:
    if name := next((one for one in shape.names if one in _STEPS), ""):
        known = shape.keys()
        taken = frozenset(place.beside)
        ordered = [key for key in _step_keys(name, taken) if key in known]
    else:
        known = shape.keys()
        ordered = list(known)
    for key in ordered:
        if key not in place.beside:
            yield _key(key, known[key], shape.child(key), place)
    yield from _named_keys(view, place, shape)


def _step_keys(name: str, taken: frozenset[str]) -> Iterator[str]:
    """Yield the keys that can still stand in a step: first those of its action, or all actions."""
    own = ("task", "weight", "needs", "tags", "next", "steps", "timeout", "on_error", "http")
    action = next((one for one in all_actions() if one in taken), "")
    if name == "Task":
        yield from own
        if "steps" in taken or "task" in taken:
            return
    if action:
        yield from _in_usual_order(COMPANIONS.get(action, frozenset()))
        yield "when"
    else:
        yield from VERBS
        yield from all_actions()
        yield from sorted(TASK_KEYS) if name == "Task" else ("when", "name")


def _in_usual_order(keys: Iterable[str]) -> list[str]:
    usual = ("name", "query", "headers", "json", "body", "form", "expect", "extract", "tags")
    return sorted(keys, key=lambda one: (usual.index(one) if one in usual else len(usual), one))


def _key(key: str, about: Any, shape: ValueShape, place: CursorPlace) -> WordOffer:  # noqa: ANN401 - a schema has no type
    is_mapping = bool(shape.arms) and all(arm.get("type") == "object" for _, arm in shape.arms)
    is_list = bool(shape.arms) and all(arm.get("type") == "array" for _, arm in shape.arms)
    insert = f"{key}: "
    if (is_mapping or is_list) and not place.is_flow:
        insert = f"{key}:\n  " if is_mapping else f"{key}:\n  - "
    text = about.get("markdownDescription", "")
    return WordOffer(key, _KIND.Property, about.get("description", ""), text, insert)


def _named_keys(view: PlanView, place: CursorPlace, shape: ValueShape) -> Iterator[WordOffer]:
    """Yield the names of the plan that keys of this mapping are."""
    role = key_role(shape.child("\0").slot, "\0")
    if role is None or (role.is_definition and role.kind is not NameKind.TAG):
        return
    scope = None
    if role.kind is NameKind.ARGUMENT:
        node = view.reading.node(place.path)
        data = node.data if node is not None and isinstance(node.data, dict) else {}
        scope = str(data.get("flow", ""))
    for name in view.index.names(role.kind, scope=scope):
        if name not in place.beside:
            yield WordOffer(name, _KIND.Reference, role.kind, "", f"{name}: ")
