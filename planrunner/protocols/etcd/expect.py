"""Compile `expect:` of an etcd step to checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

from planrunner.language.diagnostics import Code
from planrunner.protocols.base import Check, Reply, Scope
from planrunner.protocols.etcd.reply import EtcdReply
from planrunner.protocols.etcd.spec import EtcdExpect
from planrunner.protocols.lowering import Lowering
from planrunner.protocols.rules import compile_condition, compile_time, rule_words, show

__all__ = ["compile_expect"]

_ALLOWED: Final[Mapping[str, tuple[str, ...]]] = {
    "found": ("get", "delete"),
    "value": ("get", "watch"),
    "count": ("get", "delete"),
    "succeeded": ("txn",),
}
"""Which actions have an answer to a question; all have one to the others."""


Expectation = tuple[str, Check]
"""What is expected, in words, and what looks whether it is so."""


def compile_expect(
    expect: EtcdExpect | None, method: str, lowering: Lowering
) -> tuple[Expectation, ...]:
    """Compile the expectations of one request, the cheapest first."""
    if expect is None:
        return ()
    for key in sorted(expect.model_fields_set & _ALLOWED.keys()):
        if method not in _ALLOWED[key]:
            can = " and ".join(f"`etcd.{name}`" for name in _ALLOWED[key])
            lowering.fault(
                ("expect", key),
                Code.NOT_ALLOWED,
                f"`etcd.{method}` says nothing about `{key}`",
                f"use `{key}` with {can}",
            )
            return ()
    return tuple(_checks(expect, method, lowering))


def _checks(expect: EtcdExpect, method: str, lowering: Lowering) -> Iterator[Expectation]:
    if expect.found is not None:
        yield f"found{rule_words(expect.found)}", _found(_COUNTS[method], wanted=expect.found)
    if expect.succeeded is not None:
        yield f"succeeded{rule_words(expect.succeeded)}", _succeeded(wanted=expect.succeeded)
    if expect.time is not None and (check := compile_time(expect.time, lowering)):
        yield f"time {expect.time.source}", check
    readers: tuple[tuple[str, Callable[[Any], Any]], ...] = (
        ("count", _COUNTS.get(method, _revision)),
        ("revision", _revision),
        ("value", _VALUES.get(method, _revision)),
    )
    for key, read in readers:
        if key in expect.model_fields_set:
            expected = getattr(expect, key)
            condition = compile_condition(expected, lowering, ("expect", key))
            yield f"{key}{rule_words(expected)}", _holds(key, read, condition)


def _found(count: Callable[[Any], int], *, wanted: bool) -> Check:
    words = "the key does not exist" if wanted else "the key exists, expected none"

    def check(reply: Reply, _: Scope) -> str | None:
        return None if (count(cast("EtcdReply", reply).message) > 0) is wanted else words

    return check


def _succeeded(*, wanted: bool) -> Check:
    words = "`compare` did not hold" if wanted else "`compare` held, expected that it does not"

    def check(reply: Reply, _: Scope) -> str | None:
        return None if cast("EtcdReply", reply).message.succeeded is wanted else words

    return check


def _holds(
    name: str, read: Callable[[Any], Any], condition: Callable[[Any, Scope], str | None]
) -> Check:
    def check(reply: Reply, scope: Scope) -> str | None:
        value = read(cast("EtcdReply", reply).message)
        if value is None:
            return f"there is no {name}"
        wanted = condition(value, scope)
        return None if wanted is None else f"{name} is {show(value)}, {wanted}"

    return check


def _revision(message: Any) -> int:  # noqa: ANN401 - protobuf has no types
    return int(message.header.revision)


def _value_of_range(message: Any) -> str | None:  # noqa: ANN401
    return message.kvs[0].value.decode("utf-8", "replace") if message.kvs else None


def _value_of_watch(message: Any) -> str | None:  # noqa: ANN401
    if message.DESCRIPTOR.name == "RangeResponse":  # it was there before the watch began
        return _value_of_range(message)
    return message.events[-1].kv.value.decode("utf-8", "replace") if message.events else None


_COUNTS: Final[Mapping[str, Callable[[Any], int]]] = {
    "get": lambda message: message.count,
    "delete": lambda message: message.deleted,
}
_VALUES: Final[Mapping[str, Callable[[Any], str | None]]] = {
    "get": _value_of_range,
    "watch": _value_of_watch,
}
