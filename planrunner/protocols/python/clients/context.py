"""What a function gets that has a parameter `context`, and what any of them gets as arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from random import Random
from typing import Any, Final

from planrunner.language.expressions.builtins.random_draws import Rand, stream_of
from planrunner.protocols.base import Scope
from planrunner.values import dataclass

__all__ = ["CONTEXT", "HookContext", "SayLine", "context_of", "own", "takes_context"]

CONTEXT: Final = "context"

SayLine = Callable[[str, Mapping[str, object]], None]
"""Prints a line of a user with this scope."""


@dataclass(frozen=True, slots=True)
class HookContext:
    """What a function gets that has a parameter `context`.

    Attributes:
        names: The names that expressions see here; read-only, and lists and mappings are copies.
        random: The user's stream: draws from it are the same in every run with the seed.
    """

    names: Mapping[str, object]
    random: Random
    _tell: SayLine

    def log(self, line: object) -> None:
        """Print a line, as the step `log` does."""
        self._tell(str(line), self.names)


class _ParamNames(Mapping[str, object]):
    """A user's scope as a function sees it: what users share can't be changed through it."""

    def __init__(self, scope: Mapping[str, object]) -> None:
        self._scope = scope

    def __getitem__(self, name: str) -> object:
        return own(self._scope[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._scope)

    def __len__(self) -> int:
        return len(self._scope)


def context_of(scope: Scope, tell: SayLine) -> HookContext:
    """Return the context of a user with this scope."""
    rand = scope.get("rand")
    random = stream_of(rand) if isinstance(rand, Rand) else Random(0)
    return HookContext(_ParamNames(scope), random, tell)


def own(value: object) -> object:
    """Return what a function may change: a row of data or a constant of the plan is everybody's."""
    return deepcopy(value) if isinstance(value, list | dict | tuple) else value


def takes_context(function: Callable[..., Any]) -> bool:
    """Say whether a function has a parameter `context`."""
    try:
        return CONTEXT in inspect.signature(function).parameters
    except (TypeError, ValueError):  # some of those written in C don't say
        return False
