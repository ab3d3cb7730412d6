"""Listeners that send requests before or after the load → `setup` and `teardown`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from planrunner.importers.draft import DraftStep, steps_within
from planrunner.importers.formats.locust.code.expressions import value
from planrunner.importers.formats.locust.code.module import (
    LocustFunction,
    LocustModule,
    changed_by,
    dotted,
)
from planrunner.importers.formats.locust.code.names import LocustNames, Unsayable
from planrunner.importers.formats.locust.hooks.functions import LocustHooks
from planrunner.importers.formats.locust.steps.bodies import TaskBody
from planrunner.importers.shaping.requests import VERBS

__all__ = ["around_load"]

_BEFORE: Final = ("test_start", "init")
_AFTER: Final = ("test_stop", "quitting")


def around_load(names: LocustNames, hooks: LocustHooks) -> tuple[list[DraftStep], list[DraftStep]]:
    """Return the steps of `setup` and of `teardown`; what `setup` sets is known to all users."""
    before = [
        step for one in _listeners(names.module, _BEFORE) for step in _steps(one, names, hooks)
    ]
    after = [step for one in _listeners(names.module, _AFTER) for step in _steps(one, names, hooks)]
    return before, after


def _listeners(module: LocustModule, events: tuple[str, ...]) -> Iterator[LocustFunction]:
    """Yield the functions that listen to some events."""
    for function in module.functions.values():
        words = [dotted(one) for one in function.decorator_list]
        if any(f"events.{event}.add_listener" in words for event in events):
            yield function
    for node in module.loose:
        match node:
            case ast.Expr(value=ast.Call(func=func, args=[ast.Name(id=name)])) if any(
                dotted(func) == f"events.{event}.add_listener" for event in events
            ):
                if name in module.functions:
                    module.accept(node)
                    yield module.functions[name]
            case _:
                pass


def _steps(function: LocustFunction, above: LocustNames, hooks: LocustHooks) -> list[DraftStep]:
    """Return the steps of a listener that sends; none for any other."""
    tried = _read(function, above.of_class().dry(), None)
    if not any(not step.body.keys().isdisjoint(VERBS) for step in steps_within(tried)):
        return []
    names = above.of_class()
    steps = _read(function, names, hooks)
    above.shared.update({name: names.local[name] for name in _globals(function, above.module)})
    return steps


def _read(
    function: LocustFunction, names: LocustNames, hooks: LocustHooks | None
) -> list[DraftStep]:
    names.own, names.has_user = "", False
    body = TaskBody(names, hooks=hooks)
    body.called.append(function)
    begun: list[DraftStep] = []
    for name in _globals(function, names.module):
        said: object = None
        try:
            said = value(names.module.constants[name], names)
            names.module.accept(names.module.constants[name])
        except (KeyError, Unsayable):
            pass  # it begins empty
        local = names.name_local(name)
        begun.append(body.step({"set": {local: said}}, function))
    return [*begun, *body.steps(function.body)]


def _globals(function: LocustFunction, module: LocustModule) -> list[str]:
    """Return the names of the first level that a function sets or changes."""
    named = [
        name for one in ast.walk(function) if isinstance(one, ast.Global) for name in one.names
    ]
    changed = sorted(changed_by(function) & module.constants.keys())
    return list(dict.fromkeys([*named, *changed]))
