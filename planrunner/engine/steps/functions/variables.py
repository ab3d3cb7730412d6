"""The names that expressions see, as a function reads and sets them."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from copy import deepcopy
from typing import Any

from planrunner.engine.steps.functions.places import FunctionPlace
from planrunner.engine.steps.functions.shapes import VALUES
from planrunner.engine.users.user_context import Actor
from planrunner.errors import UsageError

__all__ = ["UserVars"]


class UserVars(MutableMapping[str, Any]):
    """The names that expressions see; those of others can be read, and not changed."""

    __slots__ = ("_actor", "_node", "_own", "_watch")

    def __init__(self, actor: Actor, place: FunctionPlace) -> None:
        self._actor = actor
        self._node = place.shared.node
        self._watch = place.shared.log.mask.watch
        self._own = actor.lasting if self._node.is_lasting else actor.made

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - whatever it stands for
        actor = self._actor
        if name in actor.scope:
            value = actor.scope[name]
            if name in actor.made or name in actor.lasting:
                return value
        else:
            value = self._node.constants[name]
        # A row of data or a constant of the plan is everybody's.
        return deepcopy(value) if isinstance(value, list | dict | tuple) else value

    def __setitem__(self, name: str, value: object) -> None:
        if name in self._node.taken or not name.isidentifier():
            raise UsageError(f"user.vars: `{name}` can't be set", hint="choose another name")
        if name not in self._node.known:
            self._own[name] = None
            self._watch(name)
        self._actor.scope[name] = value

    def __delitem__(self, name: str) -> None:
        if name in self._node.taken:
            raise UsageError(f"user.vars: `{name}` can't be taken away")
        del self._actor.scope[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in {**self._node.constants, **self._actor.scope} if name != VALUES)

    def __len__(self) -> int:
        return sum(1 for _ in self)
