"""Functions that compute what no step says: stubs in Python for a person to write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from typing import Final

from planrunner.importers.draft import DraftPlan, DraftStep, Keys
from planrunner.importers.formats.k6.code.scoping import function_name
from planrunner.importers.formats.k6.state.values import JsFunction
from planrunner.importers.javascript.chains import parameters_of
from planrunner.importers.javascript.script import text_of, walk
from planrunner.importers.reading.names import SourceNames
from planrunner.importers.shaping.hook_file import HookFile, to_write
from planrunner.importers.templates import identifier
from planrunner.loss.ledger import Construct
from planrunner.values import dataclass

__all__ = [
    "HelperStub",
    "ProcessorStub",
    "ProcessorStubs",
    "all_variables_set",
    "constructs_of",
    "reached",
    "variables_set",
]

_NAME: Final = r"(?:\.([A-Za-z_$][\w$]*)|\[\s*['\"]([\w$-]+)['\"]\s*\])"
_READ: Final = re.compile(rf"\bvars\??{_NAME}")
_SET: Final = re.compile(rf"\bvars{_NAME}\s*=(?!=)")
_HEADER: Final = re.compile(rf"\bheaders{_NAME}\s*=(?!=)")
_MOST_REACHED: Final = 50
_TITLE: Final = "What the functions of the Artillery test did; write each of them."


@dataclass(frozen=True, slots=True)
class ProcessorStub:
    """A call of a function that a person has to write.

    Attributes:
        call: Its name in the file of hooks.
        result: The name of what it returns.
        sets: Names of the plan, with the key of what is returned for each.
        headers: Headers of the request, with such keys.
    """

    call: str
    args: Keys
    result: str
    sets: dict[str, str]
    headers: dict[str, str]
    place: DraftStep

    def steps(self, request: DraftStep | None) -> list[DraftStep]:
        """Return the steps; headers are written into the request."""
        body: Keys = {"call": self.call, **({"args": self.args} if self.args else {})}
        found = [DraftStep({"python": {**body, "as": self.result}}, origin=self.place.origin)]
        if self.sets:
            said = {name: f"${{{self.result}.{key}}}" for name, key in self.sets.items()}
            found.append(DraftStep({"set": said}))
        if self.headers and request is not None:
            headers = request.body.setdefault("headers", {})
            assert isinstance(headers, dict), "headers are a mapping"
            headers.update({one: f"${{{self.result}.{key}}}" for one, key in self.headers.items()})
        return found


@dataclass(frozen=True, slots=True)
class HelperStub:
    """A function that others call, for a person to write.

    Attributes:
        body: The step that calls it.
        result: The name of what it gives.
        constructs: The calls in its code.
    """

    body: Keys
    result: str
    why: str
    constructs: list[Construct]


@dataclass(slots=True)
class ProcessorStubs:
    """The stubs of a test."""

    draft: DraftPlan
    names: SourceNames
    _file: HookFile | None = None
    _known: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)

    def can(self, function: JsFunction, *, reply: bool) -> bool:
        """Say whether a stub can do what a function does: it sets variables, or headers."""
        source = text_of(function.node)
        return bool(_found(_SET, source)) or (not reply and bool(_found(_HEADER, source)))

    def find(self, name: str, function: JsFunction, *, reply: bool) -> ProcessorStub:
        """Return a stub for a function."""
        source = text_of(function.node)
        sets = variables_set(function)
        headers = _found(_HEADER, source)
        reads = [one for one in _found(_READ, source) if self.names.find(one) is not None]
        args: Keys = {"body": "${body}", "status": "${status}"} if reply else {}
        args.update({identifier(one, args): f"${{{self.names.find(one)}}}" for one in reads})
        keys = {one: identifier(one) for one in [*sets, *headers]}
        place = function.scope.module.place(function.node)
        returns = list(dict.fromkeys(keys.values()))
        call = self._call(name, source_of(function), args, str(place), returns)
        return ProcessorStub(
            call,
            args,
            self.names.reserve(f"result of {call}"),
            {self.names.assign(one): keys[one] for one in sets},
            {one: keys[one] for one in headers} if not reply else {},
            DraftStep({}, origin=place),
        )

    def helper(self, function: JsFunction, values: list[object]) -> HelperStub:
        """Return a stub for a function that only gives a value."""
        args: Keys = {}
        for parameter, value in zip(parameters_of(function.node), values, strict=False):
            args[identifier(parameter, args)] = value
        place = str(function.scope.module.place(function.node))
        call = self._call(function_name(function.node), source_of(function), args, place, [])
        result = self.names.reserve(f"result of {call}")
        body: Keys = {"call": call, **({"args": args} if args else {}), "as": result}
        return HelperStub({"python": body}, result, to_write(call), list(constructs_of(function)))

    def _call(self, name: str, source: str, args: Keys, place: str, returns: list[str]) -> str:
        key = (name, tuple(args))
        if key not in self._known:
            if self._file is None:
                self._file = HookFile(self.draft, _TITLE)
            self._known[key] = self._file.stub(name, source, args, place, returns)
        return self._known[key]


def reached(function: JsFunction) -> list[JsFunction]:
    """Return a function with those of the same files that it names."""
    found = [function]
    for one in found:
        for node in walk(one.node):
            known = one.scope.find(text_of(node)) if node.type == "identifier" else None
            value = known.value if known is not None else None
            is_new = isinstance(value, JsFunction) and all(
                value.node.id != each.node.id for each in found
            )
            if is_new and isinstance(value, JsFunction) and len(found) < _MOST_REACHED:
                found.append(value)
    return found


def source_of(function: JsFunction) -> str:
    """Return the code of a function, and of those that it names."""
    return "\n".join(text_of(one.node) for one in reached(function))


def constructs_of(function: JsFunction) -> Iterator[Construct]:
    """Yield the calls in that code."""
    for one in reached(function):
        yield from one.scope.module.within(one.node)


def variables_set(function: JsFunction) -> list[str]:
    """Return the variables of a visit that a function sets by their names."""
    return _found(_SET, text_of(function.node))


def all_variables_set(source: str) -> frozenset[str]:
    """Return the variables of a visit that any function of a file sets by their names."""
    return frozenset(_found(_SET, source))


def _found(pattern: re.Pattern[str], source: str) -> list[str]:
    found = (one[1] or one[2] for one in pattern.finditer(source))
    return list(dict.fromkeys(found))
