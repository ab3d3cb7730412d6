"""The requests of a function at one place of the plan, each kind compiled and bound once.

Two calls are of one kind if they differ only in what a request sends: its URL, headers, body. What
differs is read from the user's scope when the request is sent, as expressions of a plan are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from planrunner.engine.steps.flow import bind_think
from planrunner.engine.steps.functions.replies import FunctionReply
from planrunner.engine.users.user_context import Actor, Step
from planrunner.errors import UsageError
from planrunner.graph.function_steps import ActionWords, FunctionNode
from planrunner.graph.run_graph import RequestNode
from planrunner.language.diagnostics import suggest
from planrunner.metrics.limited_words import OTHER
from planrunner.protocols import registry
from planrunner.protocols.base import Reply
from planrunner.units import NS_PER_S, write_duration
from planrunner.values import dataclass

__all__ = ["VALUES", "CallShapes", "FunctionCall"]

VALUES: Final = "__values__"
"""The name in a user's scope of what the request that is being sent sends."""

_OPEN: Final = object()
_MOST_SHAPES: Final = 500
_SECONDS: Final = frozenset({"timeout", "pause"})

RequestShape = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """One kind of request, bound.

    Attributes:
        name: That of its samples.
        pause: What a scope around it says of the time after it.
        extracted: Names that it writes.
        reads: Names of its protocol that its replies have, each with what reads it.
        is_plain: There is nothing to do once its reply is there.
    """

    name: str
    step: Step
    pause: Step | None = None
    extracted: tuple[str, ...] = ()
    reads: tuple[tuple[str, Callable[[Reply], object]], ...] = ()
    is_plain: bool = True

    async def concluded(self, reply: Reply, failure: str, actor: Actor) -> FunctionReply:
        """Return what the function gets, when it may go on."""
        names = {name: read(reply) for name, read in self.reads}
        answer = FunctionReply(reply, failure, self.name, names)
        if self.pause is not None and (rest := self.pause(actor)) is not None:
            await rest
        return answer


class CallShapes:
    """What a function sends in one group, or outside of any.

    Args:
        node: The function.
        bind: Binds a request there.
        admit: Returns the name to use for one that came up.

    Attributes:
        plain: Requests without any options, by action and subject: the fast way.
    """

    def __init__(
        self,
        node: FunctionNode,
        bind: Callable[[RequestNode], Step],
        admit: Callable[[str, str], str],
    ) -> None:
        self._node = node
        self._bind = bind
        self._admit = admit
        self.plain: dict[tuple[str, object], FunctionCall] = {}
        self._known: dict[str, ActionWords] = {}
        self._by_shape: dict[RequestShape, FunctionCall] = {}
        self._open: dict[RequestShape, FunctionCall] = {}
        self._has_first: set[RequestShape] = set()

    def of(
        self, action: str, subject: object, keys: Mapping[str, Any]
    ) -> tuple[FunctionCall, dict[str, object]]:
        """Return a request, and what to put into the scope while it is sent.

        Raises:
            UsageError: There is no such request.
        """
        words = self._known.get(action) or self._words(action)
        if words.subject and not words.is_beside:
            keys = dict(keys)
            subject = keys.pop(words.subject, None)
        fixed, values = _told_apart(action, keys, words.open_keys)
        values["subject"] = subject
        known = self._open.get(fixed) or self._by_shape.get((subject, fixed))
        if known is not None:
            return known, values
        try:
            return self._found(action, words, subject, keys, fixed), values
        except UsageError as error:
            raise UsageError(f"user.{action}: {error.message}", hint=error.hint) from None

    def _found(
        self,
        action: str,
        words: ActionWords,
        subject: object,
        keys: Mapping[str, Any],
        kind: RequestShape,
    ) -> FunctionCall:
        """Return a request that was not sent before with this URL.

        The first URL of a name is compiled as it is. Others are read when they are sent, and so
        are all of a request whose names have become too many.
        """
        name = keys.get("name")
        template = f"${{name}} in {self._node.subject}" if name else f"{words.head} ${{…}}"
        admitted = self._admit(template, str(name or f"{words.head} {subject}".rstrip()))
        if admitted != OTHER and kind not in self._has_first:
            call = self._bound(action, words, keys, admitted, subject)
            self._keep(self._by_shape, (subject, kind), call)
            if name:
                self._has_first.add(kind)
            elif not keys and words.is_beside:
                self.plain[action, subject] = call
            return call
        if admitted == OTHER:
            unnamed = {key: value for key, value in keys.items() if key != "name"}
            kind, _ = _told_apart(action, {**unnamed, "name": OTHER}, words.open_keys)
        found = self._open.get(kind)
        if found is None:
            found = self._bound(action, words, keys, admitted, _OPEN)
            self._keep(self._open, kind, found)
        return found

    def _words(self, action: str) -> ActionWords:
        words = self._node.requests.words(action)
        if words is None:
            guess = suggest(action, [*registry.action_words()])
            raise UsageError(f"there is no action `{action}`", hint=guess)
        self._known[action] = words
        return words

    def _keep(
        self, calls: dict[RequestShape, FunctionCall], shape: RequestShape, call: FunctionCall
    ) -> None:
        if len(self._by_shape) + len(self._open) >= _MOST_SHAPES:
            raise UsageError(
                f"`{self._node.name}` has sent {_MOST_SHAPES} requests that differ in more than "
                "what they send",
                hint="set what differs with `user.vars` and write its name: "
                "`expect={'contains': '${order}'}`",
            )
        calls[shape] = call

    def _bound(
        self, action: str, words: ActionWords, keys: Mapping[str, Any], name: str, subject: object
    ) -> FunctionCall:
        spec = {
            key: _written(key, value, words.open_keys)
            for key, value in keys.items()
            if key != "name"
        }
        spec["name"] = _literal(name)
        if words.subject:
            spec[words.subject] = f"${{{VALUES}.subject}}" if subject is _OPEN else subject
            if isinstance(subject, str):
                spec[words.subject] = _literal(subject)
        node = self._node.requests.request(spec if words.is_beside else {action: spec})
        exchange = node.exchange
        if exchange.protocol not in self._node.channels:
            raise UsageError(f"the plan has no settings for `{exchange.protocol}`")
        return FunctionCall(
            name,
            self._bind(replace(node, pause=None)),
            None if node.pause is None else bind_think(node.pause),
            exchange.extracted,
            exchange.reply_names,
            is_plain=node.pause is None and not exchange.reply_names,
        )


def _told_apart(
    action: str, keys: Mapping[str, Any], open_keys: Mapping[str, bool]
) -> tuple[RequestShape, dict[str, object]]:
    """Return what makes the kind of a request, and what differs between those of one kind.

    The second is by the names that `_written` gives; each request passes here.
    """
    fixed: list[object] = [action]
    values: dict[str, object] = {}
    for key, value in keys.items():
        fixed.append(key)
        has_items = open_keys.get(key)
        if has_items is False and value is not None:
            values[key] = value
        elif has_items and type(value) is dict and None not in value.values():
            values[key] = value
            fixed.append(tuple(value))
        else:  # a text is never the same as what something else looks like
            fixed.append(value if type(value) is str else (repr(value),))
    return tuple(fixed), values


def _written(key: str, value: Any, open_keys: Mapping[str, bool]) -> object:  # noqa: ANN401 - as plans have it
    """Return a value as a plan would write it."""
    has_items = open_keys.get(key)
    if has_items is False and value is not None:
        return f"${{{VALUES}.{key}}}"
    if has_items and type(value) is dict and None not in value.values():
        return {name: f"${{{VALUES}.{key}[{str(name)!r}]}}" for name in value}
    return _plain(value, in_seconds=key in _SECONDS)


def _literal(text: str) -> str:
    return text.replace("${", "$${")


def _plain(value: object, *, in_seconds: bool = False) -> object:
    if isinstance(value, timedelta):
        return write_duration(value // timedelta(microseconds=1) * 1000)
    if in_seconds and isinstance(value, int | float) and not isinstance(value, bool):
        return write_duration(round(value * NS_PER_S))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
