"""What reading a processor gathers: its names are those of the whole test."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final

from planrunner.importers.draft import DraftParam, DraftStep, Keys
from planrunner.importers.formats.k6.state.machine import K6Machine, NoStepSays
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsConst,
    JsExpr,
    JsFunction,
    JsPart,
    JsReply,
    JsStore,
    JsUnknown,
    JsValue,
    K6Module,
    K6Scope,
)
from planrunner.importers.formats.k6.terms.texts import part_name, plan_value
from planrunner.importers.reading.names import SourceNames
from planrunner.loss.ledger import Construct, SourcePlace
from planrunner.values import dataclass

if TYPE_CHECKING:
    from tree_sitter import Node

    from planrunner.importers.formats.artillery.processor.stubs import ProcessorStubs

__all__ = ["ProcessorMachine", "VisitCounter", "VisitVariables"]

_COUNTER = "a value of something else than a reply: `record:` it at a request"
_COUNTS: Final = "it is the number of the visit, which is unique: it counts other scenarios, too"
_OUTSIDE: Final = "a number of the visit, outside of any: write it in `setup`"
_SHARED = "a variable that all visits share: set it in `setup`, or read it from `data`"


@dataclass(slots=True)
class VisitCounter:
    """A variable that only counts.

    Attributes:
        first: What it is worth in the beginning.
        place: Where it counts.
    """

    first: int
    place: SourcePlace
    is_used: bool = False


@dataclass(slots=True, eq=False)
class ProcessorMachine(K6Machine):
    """A machine that takes its names from the test around the processor.

    Attributes:
        uncounted: Counters that the plan doesn't have, which change nothing of the load.
        loops: Those of the test around the call.
        later: Variables that some function sets.
        asks: A condition of a loop is being read, whose callback takes its answer.
        answer: What it has answered.
        counters: Variables that only count, by their names.
        is_visit: What is being read runs in visits, not before or after all of them.
        helpers: Functions that no step says, and that are stubs where others call them.
        results: The names of what those give.
    """

    names: SourceNames | None = None
    uncounted: set[Construct] = field(default_factory=set)
    loops: list[tuple[str, str]] = field(default_factory=list)
    later: frozenset[str] = frozenset()
    asks: bool = False
    answer: JsValue = UNDEFINED
    counters: dict[str, VisitCounter] = field(default_factory=dict)
    is_visit: bool = True
    stubs: ProcessorStubs | None = None
    helpers: set[int] = field(default_factory=set)
    results: set[str] = field(default_factory=set)

    def name(self, wanted: str) -> str:
        """Return a name that nothing else in the plan has."""
        assert self.names is not None, "given when it is made"
        return self.names.reserve(wanted)

    def param(self, env: str, spec: Keys) -> str:
        """Return the param that stands for a variable of the environment."""
        assert self.names is not None, "given when it is made"
        key = f"$env.{env}"
        found = self.names.find(key)
        if found is None:
            found = self.names.reserve(env)
            self.names.params[found] = DraftParam(spec)
            self.names.mean(key, found)
        return found

    def begin_call(self, module: K6Module) -> None:
        """Let counters be worth what they are before a function counts."""
        for name, counter in self.counters.items():
            module.scope.names[name].value = self._number(counter.first)

    def _number(self, more: int) -> JsValue:
        if not self.is_visit:
            return JsUnknown(_OUTSIDE)
        return JsExpr(f"iteration + {more}" if more else "iteration", "number")

    def counted(self, name: str, scope: K6Scope, *, is_before: bool) -> JsValue | None:
        """Return what `name++` gives, for a counter; None for any other variable."""
        found = scope.find(name)
        if name not in self.counters or found is None or not found.is_global:
            return None
        before, counter = found.value, self.counters[name]
        counter.is_used = True
        found.value = self._number(counter.first + 1)
        return before if is_before else found.value

    def say_counters(self) -> None:
        """Say of the counters that functions have read that they are another number."""
        for name, counter in self.counters.items():
            if counter.is_used:
                self.finding("variable", name, counter.place, "changed", _COUNTS)

    def called(
        self, function: JsFunction, arguments: list[JsValue], node: Node, scope: K6Scope
    ) -> JsValue | None:
        """Return the name of what a stub gives, for a function that no step says."""
        if self.stubs is None or function.node.id not in self.helpers:
            return None
        stub = self.stubs.helper(function, [plan_value(one, self) for one in arguments])
        self.emit(stub.body, node, scope)
        for construct in (*stub.constructs, scope.module.construct(node)):
            if construct is not None:
                construct.needs_you(stub.why)
        self.results.add(stub.result)
        return JsExpr(stub.result)

    def forget_counters(self) -> None:
        """Leave out what a function counts before any request."""
        for one in self.pending:
            if one.construct is not None:
                one.construct.left_out(_COUNTER)
                self.uncounted.add(one.construct)
        self.pending = []

    def keep(self, name: str, first: object) -> None:
        """Refuse what lasts longer than a visit.

        Raises:
            NoStepSays: Always.
        """
        raise NoStepSays(_SHARED)


class VisitVariables(JsStore):
    """`context.vars`: what templates read, and functions set."""

    def __init__(self, machine: ProcessorMachine) -> None:
        assert machine.names is not None, "given when it is made"
        self.machine, self.names = machine, machine.names
        self._held: dict[str, JsValue] = {}

    def read(self, key: str) -> JsValue:
        """Return what a variable is worth now."""
        if key in self._held:
            return self._held[key]
        found = self.names.find(key)
        if found is None and self.machine.loops and key in self.machine.later:
            raise NoStepSays(f"`{key}`, which only an earlier pass of the loop has set")
        return UNDEFINED if found is None else JsExpr(found)

    def write(self, key: str, value: JsValue, node: Node, scope: K6Scope) -> JsValue:
        """Set a variable; a part of the reply just got is extracted into it."""
        if isinstance(value, (JsFunction, JsReply)):
            self._held[key] = value
            return value
        if isinstance(value, JsUnknown):
            raise NoStepSays(value.why)
        self._held.pop(key, None)
        if len(self.machine.lists) > 1:
            self._settle(key)
        elif isinstance(value, JsPart) and self._is_fresh(value):
            return JsExpr(self.names.assign(key, part_name(value, self.machine, key)))
        said = plan_value(value, self.machine)
        name = self.names.assign(key)
        self.machine.emit({"set": {name: said}}, node, scope)
        return JsExpr(name, "text" if isinstance(value, JsConst) else "")

    def _is_fresh(self, part: JsPart) -> bool:
        return (
            part.kind == "json"
            and (part.kind, *part.path) not in part.reply.extracted
            and part.reply.steps is self.machine.lists[-1]
        )

    def _settle(self, key: str) -> None:
        """Let a variable that only a branch sets have its old value, or none, before it."""
        before = self.names.find(key)
        name = self.names.assign(key)
        if before != name:
            said = "" if before is None else f"${{{before}}}"
            self.machine.lists[0].append(DraftStep({"set": {name: said}}))
