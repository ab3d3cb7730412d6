"""Importing what a plan calls: its hooks file, modules beside it, installed packages."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import Any, Final

from planrunner.errors import CannotRun, UsageError
from planrunner.protocols.python.functions import find_module, hint_for
from planrunner.protocols.python.operation import PythonOperation

__all__ = ["Function", "PlanCode"]

Function = Callable[..., Any]
"""What a plan calls."""

_HOOKS: Final = "planrunner_hooks"
_IMPORTING: Final = RLock()
_brought: dict[str, ModuleType] = {}
"""Modules of plans' folders: the next run reads them anew, and another plan has its own."""


class PlanCode:
    """The Python code of one run of a plan: imported once, and again by the next run."""

    def __init__(self) -> None:
        self._hooks: dict[Path, Mapping[str, object]] = {}
        self._folders: list[str] = []
        self._is_fresh = False

    def function(self, operation: PythonOperation) -> Function:
        """Return a function, importing what it is in. This runs code of the plan's author.

        Raises:
            CannotRun: Importing it failed.
            UsageError: There is no such function.
        """
        name = operation.function
        module, colon, attribute = name.partition(":")
        if colon:
            return _called(self._module(module, operation), module, attribute)
        assert operation.hooks is not None
        return _called(self._hooks_of(operation.hooks), operation.hooks.name, name)

    def close(self) -> None:
        """Take the plan's folders out of the path of imports."""
        for folder in self._folders:
            if folder in sys.path:
                sys.path.remove(folder)
        self._folders.clear()

    def _module(self, name: str, operation: PythonOperation) -> Mapping[str, object]:
        folders = [str(folder) for folder in operation.modules]
        with _IMPORTING:
            self._add(folders)
            with _of_this_plan(name, operation), _in_words(f"`{name}`"):
                module = importlib.import_module(name)
            for known, found in [*sys.modules.items()]:
                origin = getattr(found, "__file__", None)
                if origin and any(Path(origin).is_relative_to(folder) for folder in folders):
                    _brought[known] = found
        return vars(module)

    def _add(self, folders: list[str]) -> None:
        """Put the plan's folders first, and forget what earlier runs imported from any."""
        if not self._is_fresh:
            self._is_fresh = True
            for name, module in [*_brought.items()]:
                if sys.modules.get(name) is module:
                    del sys.modules[name]
            _brought.clear()
        for folder in reversed(folders):
            if folder not in self._folders:
                self._folders.append(folder)
                sys.path.insert(0, folder)
        importlib.invalidate_caches()

    def _hooks_of(self, path: Path) -> Mapping[str, object]:
        if path not in self._hooks:
            with _IMPORTING:
                self._hooks[path] = _load(path)
        return self._hooks[path]


@contextmanager
def _of_this_plan(name: str, operation: PythonOperation) -> Iterator[None]:
    """Let a module be that of the plan's folder, even if another one has its name already."""
    top = name.partition(".")[0]
    spec, other = find_module(top, operation.modules), sys.modules.get(top)
    origin = None if spec is None else spec.origin
    if other is None or origin is None or getattr(other, "__file__", origin) == origin:
        yield
        return
    hidden = {
        known: module
        for known, module in sys.modules.items()
        if known == top or known.startswith(f"{top}.")
    }
    for known in hidden:
        del sys.modules[known]
    try:
        yield
    finally:
        sys.modules.update(hidden)


@contextmanager
def _in_words(what: str) -> Iterator[None]:
    try:
        yield
    except (Exception, SystemExit) as error:
        said = f"importing {what} raised {type(error).__name__}{_line(error)}: {error}"
        raise CannotRun(said, hint=f"{_remedy(error)}; nothing was sent") from error


def _line(error: BaseException) -> str:
    """Return where a file was when it raised, as far as files of Python's own don't hide it."""
    frames = traceback.extract_tb(error.__traceback__)[1:]
    lines = [frame for frame in frames if not frame.filename.startswith("<frozen ")]
    return f" at {Path(lines[-1].filename).name}:{lines[-1].lineno}" if lines else ""


def _remedy(error: BaseException) -> str:
    match error:
        case ModuleNotFoundError(name=str(name)):
            top = name.partition(".")[0]
            return f"install what brings `{top}`, or put `{top}.py` beside the plan"
        case ImportError(name=str(name)):
            return f"look at what `{name}` has"
        case _:
            return "correct the file, or leave that to a function"


def _load(path: Path) -> Mapping[str, object]:
    spec = importlib.util.spec_from_file_location(_HOOKS, path)
    if spec is None or spec.loader is None:
        raise CannotRun(
            f"`{path}` is not a Python file", hint="rename it, for example to `hooks.py`"
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules[_HOOKS] = module  # where dataclasses, among others, look for it
    directory = str(path.resolve().parent)
    sys.path.insert(0, directory)
    try:
        with _in_words(f"`{path}`"):
            spec.loader.exec_module(module)
    finally:
        sys.path.remove(directory)
    return vars(module)


def _called(names: Mapping[str, object], place: str, attribute: str) -> Function:
    """Return what `function`, or `Class.method`, means in a module."""
    first, *rest = attribute.split(".")
    missing = object()
    found = reduce(lambda held, part: getattr(held, part, missing), rest, names.get(first, missing))
    if found is missing:
        raise UsageError(
            f"`{place}` has no function `{attribute}`", hint=hint_for(first, frozenset(names))
        )
    if not callable(found):
        raise UsageError(f"`{attribute}` of `{place}` can't be called", hint="name a function")
    return found
