"""Functions in the place of steps: what they send is compiled like steps when it is first sent."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Final

from planrunner.compiler.steps.walk import REPLY_NAMES, StepWalk
from planrunner.errors import UsageError
from planrunner.graph.function_steps import ActionWords, FunctionNode
from planrunner.graph.steps import Evaluate, RequestNode, StepOrigin
from planrunner.language.diagnostics import Diagnostic
from planrunner.language.expressions.expression import RESERVED
from planrunner.language.expressions.lowering import bounded_folding
from planrunner.language.fields.mapping import PlanMapping, invalid
from planrunner.language.fields.types import TextField, ValueField
from planrunner.plan.faults.find import diagnose
from planrunner.plan.functions import PlanFunction
from planrunner.plan.models.requests import VERBS, RequestStep
from planrunner.plan.models.steps import StepModel
from planrunner.plan.yaml.document import Document, PlanPath, parse
from planrunner.plan.yaml.places import path_at, written_path
from planrunner.protocols import registry
from planrunner.protocols.plugin import Plugin, resolve

__all__ = ["compile_function"]


def compile_function(
    walk: StepWalk, function: PlanFunction, path: PlanPath, when: Evaluate | None
) -> FunctionNode:
    """Compile a step that calls the function; `path` is that of the step."""
    compiled = _FunctionRequests(walk, function, path)
    return FunctionNode(
        function.call,
        function.name,
        compiled,
        channels=tuple(walk.blocks.of(plugin).channel for plugin in _plugins(walk)),
        likely=tuple(compiled.likely()),
        known=walk.known.variables,
        constants={**walk.work.constants, **walk.arguments},
        taken=frozenset({*RESERVED, *walk.known.params, *walk.known.columns}),
        is_lasting=not walk.known.in_iteration,
        when=when,
        compiled=compiled.found,
        origin=StepOrigin(function.place, walk.measured),
    )


def _plugins(walk: StepWalk) -> Iterator[Plugin]:
    """Yield the protocols that a function there can use: the verbs, and those with settings."""
    yield registry.own_verbs()
    for name in walk.blocks.names():
        if name != registry.own_verbs().name:
            yield registry.named(name)


class _FunctionRequests:
    """Compiles requests as if they stood where the function does.

    Attributes:
        found: Those so far.
    """

    def __init__(self, walk: StepWalk, function: PlanFunction, path: PlanPath) -> None:
        known = walk.known.after_request(registry.reply_names())
        self._walk = replace(walk, known=replace(known, is_open=True), written=set())
        self._origin = StepOrigin(function.place, walk.measured)
        self._file = walk.work.span(path).file
        self._entry: PlanPath = (*path[:2], "steps", 0)
        self._nowhere = self._document({})
        self.found: list[RequestNode] = []

    def likely(self) -> Iterator[RequestNode]:
        """Yield a request to the host that scopes around name, if they do, and one to any.

        What compiling and binding them imports and reads would hold up the load otherwise.
        """
        for keys in ({"get": "/"}, _ANY):
            with suppress(UsageError):
                yield self._compiled(keys)

    def words(self, action: str) -> ActionWords | None:
        return _words_of(action)

    def request(self, keys: Mapping[str, object]) -> RequestNode:
        """Return the request with these keys.

        Raises:
            UsageError: They make none; the message begins with the argument.
        """
        found = self._compiled(keys)
        self.found.append(found)
        return found

    def _compiled(self, keys: Mapping[str, object]) -> RequestNode:
        try:
            model = StepModel.model_validate(keys)
        except invalid() as error:
            document = self._document(keys)
            raise self._refused(document, diagnose(error, document, at=self._entry)[0]) from None
        request, faults = self._walked(model, self._nowhere)
        if faults:
            document = self._document(keys)
            _, faults = self._walked(model, document)
            raise self._refused(document, faults[0])
        return request

    def _document(self, keys: Mapping[str, object]) -> Document:
        """Return a plan that has nothing but this request, so that what is wrong has a place."""
        return parse(json.dumps(_below(self._entry, [keys]), default=str), self._file)

    def _walked(
        self, model: StepModel, document: Document
    ) -> tuple[RequestNode, Sequence[Diagnostic]]:
        work = replace(self._walk.work, document=document, faults=[], notices=[])
        walk = replace(self._walk, work=work, written=set())
        with bounded_folding():
            request = walk.request(model, self._entry, None, REPLY_NAMES)
            pause = walk.pause_after(model, self._entry)
        placed = replace(
            request,
            origin=self._origin,
            reads_reply=bool(request.reply_tags),
            pause=None if pause is None else replace(pause, origin=self._origin),
        )
        return placed, work.faults

    def _refused(self, document: Document, fault: Diagnostic) -> UsageError:
        argument = written_path(path_at(document, fault.span)[len(self._entry) :])
        said = f"{argument}: {fault.message}" if argument else fault.message
        return UsageError(said, hint=fault.hint)


@cache
def _words_of(action: str) -> ActionWords | None:
    if action in VERBS:
        return ActionWords(action, action.upper(), _open_keys(RequestStep), is_beside=True)
    found = registry.action(action)
    if found is None:
        return None
    model: type[PlanMapping] = resolve(found[1].model)
    keys = _open_keys(model)
    required = (one.alias or name for name, one in model.model_fields.items() if one.is_required())
    subject = next((key for key in required if key in keys), "")
    return ActionWords(subject, found[1].head or action, keys, is_beside=False)


_ANY: Final = {
    "post": "${values.url}",
    "json": "${values.json}",
    "headers": {"Accept": "${values['Accept']}"},
    "expect": {"status": 200},
}


_FILES: Final = frozenset({"body_file"})
"""Files are looked at when the request is compiled."""


def _open_keys(model: type[PlanMapping]) -> dict[str, bool]:
    """Return the keys of a model that take any text or value; True where mappings of these."""
    found: dict[str, bool] = {}
    for name, hint in typing.get_type_hints(model, include_extras=True).items():
        field = model.model_fields.get(name)
        key = name if field is None or field.alias is None else field.alias
        for arm in _arms(hint):
            if arm in (TextField, ValueField) and key not in _FILES:
                found[key] = False
            elif typing.get_origin(arm) is dict and typing.get_args(arm)[1] in (
                TextField,
                ValueField,
            ):
                found[key] = True
    return found


def _arms(hint: object) -> tuple[object, ...]:
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if is_union else (hint,)


def _below(path: PlanPath, steps: object) -> object:
    """Return steps as they stand in a plan at a path that ends with their key and an index."""
    *outer, _ = path
    for key in reversed(outer):
        steps = {key: steps}
    return steps
