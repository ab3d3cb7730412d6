"""Compile `expect.json`: what the values in a reply's JSON have to be."""

from __future__ import annotations

from planrunner.language.patterns.pattern import MatchTimeoutError
from planrunner.protocols.base import Check, Reply, Scope
from planrunner.protocols.json_replies.description import describe_body
from planrunner.protocols.json_replies.spec import Rule
from planrunner.protocols.jsonpath import FindNodes, compile_path, plain_keys
from planrunner.protocols.lowering import Lowering, SpecPath
from planrunner.protocols.received import NOT_JSON, read_json
from planrunner.protocols.rules import compile_condition, shorten, show

__all__ = ["compile_json", "presence"]


def compile_json(source: str, expected: object, lowering: Lowering) -> Check | None:
    """Compile what `expect.json` says of one path; None leaves a fault behind."""
    path: SpecPath = ("expect", "json", source)
    find = _finder(source, lowering, path)
    condition = compile_condition(expected, lowering, path)
    if find is None:
        return None
    absent = isinstance(expected, Rule) and expected.exists is False
    # A list in the plan is compared with all the matches of a path that can have several.
    whole = plain_keys(source) is None and isinstance(
        getattr(expected, "source", expected), list | tuple
    )
    name = f"`{shorten(source, 50)}`"

    def check(reply: Reply, scope: Scope) -> str | None:
        data = reply.parsed(read_json)
        try:
            values = [] if data is NOT_JSON else find(data)
        except MatchTimeoutError as error:
            return f"{name} {error.message}"
        if absent or not values:
            if not values and not absent:
                return f"nothing at {name} in {describe_body(reply)}"
            return presence(name, found=bool(values), absent=absent)
        for value in (values,) if whole else values:
            if (wanted := condition(value, scope)) is not None:
                return f"{name} is {show(value)}, {wanted}"
        return None

    return check


def _finder(source: str, lowering: Lowering, path: SpecPath) -> FindNodes | None:
    """Compile a path whose variables, if any, are constants."""
    before = len(lowering.faults)
    source = lowering.key(source, path)
    if len(lowering.faults) > before:
        return None
    with lowering.at(path, is_key=True):
        return compile_path(source)
    return None


def presence(name: str, *, found: bool, absent: bool) -> str | None:
    """Return what is wrong where only the presence of a value is asked for, or it is missing."""
    if found == (not absent):
        return None
    return f"{name} is present, expected none" if absent else f"no {name} in the reply"
