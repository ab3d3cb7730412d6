"""The functions of a plan's hooks file: loading them, and calling them from a step."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any, Final

from planrunner.engine.steps.step_failures import StepFailures
from planrunner.engine.steps.step_services import Hook, LogLines, StepServices
from planrunner.engine.users.user_context import Actor, Step
from planrunner.errors import CannotRun
from planrunner.graph.run_graph import PythonNode
from planrunner.protocols.base import FailureKind
from planrunner.units import NS_PER_MS
from planrunner.values import dataclass

__all__ = ["HookContext", "bind_python", "load_hooks"]

_MODULE: Final = "planrunner_hooks"
_CONTEXT: Final = "context"
_SHORT_NS: Final = 5 * NS_PER_MS  # what a call may take before others notice


@dataclass(frozen=True, slots=True)
class HookContext:
    """What a function gets that has a parameter `context`.

    Attributes:
        names: The names that expressions see here; read-only, and lists and mappings are copies.
        random: The user's stream: draws from it are the same in every run with the seed.
    """

    names: Mapping[str, object]
    random: Random
    _log: LogLines

    def log(self, line: object) -> None:
        """Print a line, as the step `log` does."""
        self._log.write(str(line), self.names)


class _ParamNames(Mapping[str, object]):
    """A user's scope as a hook sees it: what other users share can't be changed through it."""

    def __init__(self, scope: Mapping[str, object]) -> None:
        self._scope = scope

    def __getitem__(self, name: str) -> object:
        return _own(self._scope[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._scope)

    def __len__(self) -> int:
        return len(self._scope)


def _own(value: object) -> object:
    """Return what a hook may change: a row of data or a constant of the plan is everybody's."""
    return deepcopy(value) if isinstance(value, list | dict | tuple) else value


def load_hooks(path: Path) -> Mapping[str, Hook]:
    """Import the file and return what can be called in it. This runs code of the plan's author.

    Raises:
        CannotRun: Importing it failed.
    """
    spec = importlib.util.spec_from_file_location(_MODULE, path)
    if spec is None or spec.loader is None:
        raise CannotRun(
            f"`{path}` is not a Python file", hint="rename it, for example to `hooks.py`"
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE] = module  # where dataclasses, among others, look for it
    directory = str(path.resolve().parent)
    sys.path.insert(0, directory)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise CannotRun(
            f"importing `{path}` raised {type(error).__name__}: {error}", hint="nothing was sent"
        ) from error
    finally:
        sys.path.remove(directory)
    return {name: value for name, value in vars(module).items() if callable(value)}


def bind_python(node: PythonNode, services: StepServices, failures: StepFailures) -> Step:
    """Bind a step that calls a function with keyword arguments.

    Raises:
        CannotRun: The file has no such function.
    """
    name, arguments, target = node.function, node.arguments, node.target
    function = services.hooks.get(name)
    if function is None:
        raise CannotRun(f"the hooks file has no function `{name}`")
    has_context = _takes_context(function)

    async def python(user: Actor) -> None:
        given: dict[str, Any] = {
            key: _own(failures.evaluated(user, evaluate)) for key, evaluate in arguments
        }
        if has_context:
            given[_CONTEXT] = HookContext(_ParamNames(user.scope), user.rng, services.log)
        now = user.clock.now_ns
        began_ns = now()
        try:
            result = function(**given)
            if (took_ns := now() - began_ns) > _SHORT_NS:
                user.counters.blocked(name, took_ns, took_ns)
            if inspect.isawaitable(result):
                result = await result
        except Exception as error:
            words, kind = f"`{name}` raised {_told(error)}", FailureKind.ERROR
            raise failures.failed(user, words, kind=kind, began_ns=began_ns) from error
        user.moment_ns = user.clock.now_ns()
        if target:
            user.scope[target] = result

    return python


def _told(error: Exception) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - its own `__str__` is code of the plan's author too
        return type(error).__name__


def _takes_context(function: Hook) -> bool:
    try:
        return _CONTEXT in inspect.signature(function).parameters
    except (TypeError, ValueError):  # some of those written in C don't say
        return False
