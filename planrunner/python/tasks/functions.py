"""Functions in a plan that is written in Python → steps that its text can have."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from tokenize import TokenError
from typing import Any, Final

from planrunner.errors import UsageError
from planrunner.plan.functions import PlanFunction
from planrunner.plan.yaml.document import PlanPath
from planrunner.plan.yaml.places import written_path

__all__ = ["PlanSections"]

_STEPS: Final = frozenset(
    {"steps", "do", "then", "else", "on_start", "on_stop", "setup", "teardown"}
)
"""Keys of lists of steps, in whose place a function can stand."""

_DEPTH: Final = 100

_STEPS_BY_NAME: Final = frozenset({"flows", "cases"})


class PlanSections:
    """The sections of a plan as a file would have them.

    Args:
        sections: As Python has them; a function may stand where steps may, and a mapping by their
            names where a list of tasks may.

    Attributes:
        plain: The same without functions.
        functions: These, by the name that the text has for them.
        renamed: What stands elsewhere in it.

    Raises:
        UsageError: A function can't be a task.
    """

    def __init__(self, sections: Mapping[str, object]) -> None:
        self.functions: dict[str, PlanFunction] = {}
        self.renamed: dict[PlanPath, PlanPath] = {}
        self.plain = {name: self._entry(name, value, (name,)) for name, value in sections.items()}

    def _entry(self, key: object, value: object, path: PlanPath) -> object:
        if key == "tasks":
            return self._tasks(value, path)
        if key in _STEPS:
            return self._steps(value, path)
        if key in _STEPS_BY_NAME and isinstance(value, Mapping):
            return {name: self._steps(steps, (*path, name)) for name, steps in value.items()}
        return self._value(value, path)

    def _value(self, value: object, path: PlanPath) -> object:
        if len(path) > _DEPTH:
            return value  # its text is refused
        match value:
            case Mapping():
                return {key: self._entry(key, item, (*path, key)) for key, item in value.items()}
            case list() | tuple():
                return [self._value(item, (*path, index)) for index, item in enumerate(value)]
            case _ if callable(value) and not isinstance(value, type):
                raise _misplaced(value, path)
            case _:
                return value

    def _steps(self, value: object, path: PlanPath) -> object:
        if callable(value):
            return [self._step(value, path)]
        if not isinstance(value, list | tuple):
            return self._value(value, path)
        return [
            self._step(step, where) if callable(step) else self._value(step, where)
            for step, where in ((step, (*path, index)) for index, step in enumerate(value))
        ]

    def _tasks(self, value: object, path: PlanPath) -> object:
        if isinstance(value, Mapping):
            return [*self._by_name(value, path)]
        if callable(value):
            return [{"task": _name(value), "steps": [self._step(value, path)]}]
        if not isinstance(value, list | tuple):
            return self._value(value, path)
        return [
            {"task": _name(item), "steps": [self._step(item, (*path, index))]}
            if callable(item)
            else self._value(item, (*path, index))
            for index, item in enumerate(value)
        ]

    def _by_name(self, tasks: Mapping[Any, object], path: PlanPath) -> Iterator[object]:
        for index, (name, value) in enumerate(tasks.items()):
            here, there = (*path, name), (*path, index)
            self.renamed[there] = here
            if isinstance(value, Mapping):
                yield {
                    "task": name,
                    **{key: self._entry(key, one, (*here, key)) for key, one in value.items()},
                }
                continue
            self.renamed[*there, "steps"] = here
            yield {"task": name, "steps": self._steps(value, here)}

    def _step(self, function: Any, path: PlanPath) -> object:  # noqa: ANN401 - whatever can be called
        place, name = written_path(path), _name(function)
        if inspect.isasyncgenfunction(function):
            hint = "let it await what it sends, and yield nothing"
            raise UsageError(f"{place}: `{name}` yields, so it can't be awaited", hint=hint)
        if not _is_coroutine_function(function):
            hint = f"write `async def {name if name.isidentifier() else 'task'}(user): …`"
            raise UsageError(f"{place}: `{name}` is not an `async def` function", hint=hint)
        if not _takes_one(function):
            hint = f"write `async def {name}(user): …`; `functools.partial` gives it more"
            raise UsageError(
                f"{place}: `{name}` does not take the user, and nothing else", hint=hint
            )
        return {"python": self._reference(function, name)}

    def _reference(self, function: Callable[[Any], Any], name: str) -> str:
        inner = _inner(function)
        known = f"{getattr(inner, '__module__', '')}:{getattr(inner, '__qualname__', name)}"
        reference, count = known, 1
        while reference in self.functions and self.functions[reference].call is not function:
            count += 1
            reference = f"{known} {count}"
        self.functions[reference] = PlanFunction(function, name, _place(inner), _source(inner))
        return reference


def _misplaced(function: object, path: PlanPath) -> UsageError:
    if "parallel" in path:
        hint = "let a function send both: `await asyncio.gather(user.get(…), user.get(…))`"
    else:
        hint = f"a function can replace the steps of {', '.join(sorted(_STEPS))}, or be a task"
    place = written_path(path)
    return UsageError(f"{place}: the function `{_name(function)}` can't stand here", hint=hint)


def _is_coroutine_function(function: object) -> bool:
    """Say whether it is one, or an object that is called like one."""
    call = getattr(type(function), "__call__", None)  # noqa: B004 - it is asked what it is
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def _inner(function: Any) -> Any:  # noqa: ANN401 - as above
    while hasattr(function, "func"):  # `functools.partial`
        function = function.func
    return inspect.unwrap(function)


def _name(function: object) -> str:
    return str(getattr(_inner(function), "__name__", type(function).__name__))


def _takes_one(function: Callable[[Any], Any]) -> bool:
    try:
        inspect.signature(function).bind(None)
    except (TypeError, ValueError):
        return False
    return True


def _place(function: object) -> str:
    code = getattr(function, "__code__", None)
    return "" if code is None else f"{PurePath(code.co_filename).name}:{code.co_firstlineno}"


def _source(function: Any) -> str:  # noqa: ANN401 - as above
    try:
        return inspect.getsource(function)
    except (OSError, TypeError, SyntaxError, TokenError):  # typed into an interpreter, or made
        code = getattr(function, "__code__", None)
        return "" if code is None else str(code.co_code)
