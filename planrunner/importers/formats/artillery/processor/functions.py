"""The functions of a processor, read in the places where a test calls them."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Final

from planrunner.importers.draft import DraftPlan, DraftStep, Keys
from planrunner.importers.formats.artillery.processor.arguments import (
    AFTER_RESPONSE,
    AT_STEP,
    BEFORE_REQUEST,
    given,
)
from planrunner.importers.formats.artillery.processor.counters import find_counters
from planrunner.importers.formats.artillery.processor.machine import (
    ProcessorMachine,
    VisitVariables,
)
from planrunner.importers.formats.artillery.processor.natives import (
    CALLBACK,
    EVENTS,
    PROCESSOR_NATIVES,
    read_processor,
)
from planrunner.importers.formats.artillery.processor.requests import HookRequest
from planrunner.importers.formats.artillery.processor.stubs import (
    ProcessorStubs,
    all_variables_set,
    constructs_of,
    reached,
    variables_set,
)
from planrunner.importers.formats.k6.code.calls import invoke, predicate
from planrunner.importers.formats.k6.program import equip
from planrunner.importers.formats.k6.state.machine import NoStepSays
from planrunner.importers.formats.k6.state.modules import K6Modules
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsFunction,
    JsNative,
    JsObject,
    JsReply,
    JsUnknown,
    JsValue,
    K6Module,
)
from planrunner.importers.formats.k6.terms.operators import truth
from planrunner.importers.formats.k6.terms.texts import expression
from planrunner.importers.reading.names import SourceNames
from planrunner.importers.shaping.hook_file import to_write
from planrunner.importers.sources import SourceFile
from planrunner.loss.ledger import Construct, Fate, Ledger, SourcePlace
from planrunner.values import dataclass

__all__ = ["ProcessorFunctions"]

_CODE: Final = frozenset({"call", "syntax"})
_NOT_SAID: Final = (NoStepSays, RecursionError, LookupError)
"""What reading code raises where no step says it, or where it must be known beforehand."""


@dataclass(slots=True)
class ProcessorCall:
    """A call of a function of the processor, with the steps that it becomes.

    Attributes:
        hooked: The request that it may change, before it is sent.
        reply: What it may read, after that.
        steps: Its steps, the request first where there is a reply.
    """

    arguments: list[JsValue]
    hooked: HookRequest | None = None
    reply: JsReply | None = None
    steps: list[DraftStep] = field(default_factory=list)

    @property
    def request(self) -> DraftStep | None:
        """The request that the call belongs to."""
        if self.hooked is not None:
            return self.hooked.step
        return self.reply.step if self.reply is not None else None

    @property
    def made(self) -> list[DraftStep]:
        """The steps of the function alone."""
        return self.steps[1:] if self.reply is not None else self.steps


@dataclass(slots=True)
class ProcessorFunctions:
    """What a processor exports.

    Attributes:
        name: Of the file, as the test says it.
        is_known: Everything that it exports is known.
    """

    name: str
    machine: ProcessorMachine
    module: K6Module
    exports: Mapping[str, JsValue]
    stubs: ProcessorStubs
    is_known: bool = True
    context: JsObject = field(default_factory=JsObject)

    @classmethod
    def load(
        cls,
        file: SourceFile,
        others: Sequence[SourceFile],
        ledger: Ledger,
        names: SourceNames,
        draft: DraftPlan,
    ) -> ProcessorFunctions:
        """Read the first level of a processor."""
        modules = K6Modules([file, *[one for one in others if one is not file]], ledger)
        machine = ProcessorMachine(modules, names=names)
        machine.later = all_variables_set(file.text)
        equip(machine)
        machine.natives = PROCESSOR_NATIVES
        module = modules.load(file)
        try:
            exports = read_processor(module, machine)
        except _NOT_SAID as fault:
            why = _why(fault)
            machine.finding("script", file.name, file.place(1), "left_out", why)
            exports = module.exports
        found = cls(Path(file.name).name, machine, module, exports, ProcessorStubs(draft, names))
        whole = module.exports.get("exports")
        machine.stubs = found.stubs
        find_counters(module, machine)
        found.is_known = whole is None or isinstance(whole, JsObject)
        found.begin_class()
        return found

    def begin_class(self) -> None:
        """Begin a scenario, whose visits know nothing of others."""
        self.context = JsObject({"vars": VisitVariables(self.machine)}, depth=1)

    def has(self, name: str) -> bool:
        """Say whether the processor exports a function."""
        return isinstance(self.exports.get(name), JsFunction)

    def sets(self, name: str) -> list[str]:
        """Return the variables that a function sets by their names."""
        function = self.exports[name]
        assert isinstance(function, JsFunction), "`has` was asked"
        return variables_set(function)

    def step(self, name: str, at: Construct) -> list[DraftStep]:
        """Return the steps of a function that stands in a flow."""
        return self._run(name, at, lambda: ProcessorCall(self._given(name, at, AT_STEP, {})))

    def before(self, name: str, at: Construct, request: DraftStep) -> list[DraftStep]:
        """Return the steps before a request that a hook makes; it may change the request, too."""

        def call() -> ProcessorCall:
            hooked = HookRequest(request)
            arguments = self._given(name, at, BEFORE_REQUEST, {"request": hooked.params})
            return ProcessorCall(arguments, hooked=hooked)

        return self._run(name, at, call)

    def after(self, name: str, at: Construct, request: DraftStep) -> list[DraftStep]:
        """Return the steps after a request that a hook makes."""

        def call() -> ProcessorCall:
            reply = JsReply(request, [request])
            values: dict[str, JsValue] = {"request": HookRequest(request).params, "response": reply}
            arguments = self._given(name, at, AFTER_RESPONSE, values)
            return ProcessorCall(arguments, reply=reply, steps=[request])

        return self._run(name, at, call)

    def _given(
        self, name: str, at: Construct, order: tuple[str, ...], values: dict[str, JsValue]
    ) -> list[JsValue]:
        function = self.exports[name]
        assert isinstance(function, JsFunction), "`has` was asked"
        usual = {"context": self.context, "events": JsNative(EVENTS), "done": JsNative(CALLBACK)}
        arguments, is_mistaken = given(function, order, {**usual, **values})
        if is_mistaken:
            at.suspicious(f"Artillery calls `{name}` here with {', '.join(order)}: it fails")
        return arguments

    def condition(self, name: str, at: Construct) -> str | None:
        """Return what a function says of the variables, as an expression; None if none says it."""
        function = self.exports[name]
        variables = self.context.entries["vars"]
        try:
            value = predicate(
                function, [variables], self.module.script.root, self.module.scope, self.machine
            )
            said = expression(value, self.machine)
        except _NOT_SAID:
            return None
        self._judge(function, at)
        return said

    def loop_condition(self, name: str, at: Construct) -> tuple[list[DraftStep], str] | None:
        """Return steps at the end of a loop, and the expression that says whether it goes on."""
        self.machine.asks, self.machine.answer = True, UNDEFINED
        arguments: list[JsValue] = [self.context, JsNative(CALLBACK), JsNative(CALLBACK)]
        try:
            steps = self._run(name, at, lambda: ProcessorCall(arguments), stubs=False)
            answer = self.machine.answer
            is_known = truth(answer)
            said = expression(answer, self.machine) if is_known is None else str(is_known).lower()
        except NoStepSays:
            return None
        finally:
            self.machine.asks = False
        return (steps, said) if at.fate in (None, Fate.TRANSLATED) else None

    def _run(
        self,
        name: str,
        at: Construct,
        call: Callable[[], ProcessorCall],
        *,
        stubs: bool = True,
    ) -> list[DraftStep]:
        function = self.exports[name]
        assert isinstance(function, JsFunction), "`has` was asked"
        this = call()
        before = _BeforeCall.take(self, this.request)
        lost = self._attempt(function, this, before)
        while lost and stubs and (helpers := self._helpers_of(function, lost)):
            before.restore()
            self.machine.helpers |= helpers
            this = call()
            lost = self._attempt(function, this, before)
        if not lost:
            self._judge(function, at)
            return _together(this.made)
        reply = this.reply is not None
        if not stubs or not self.stubs.can(function, reply=reply):
            at.changed(f"not all of `{name}` is in the plan: {lost[0][1]}")
            return _together(this.made)
        before.restore()
        stub = self.stubs.find(name, function, reply=reply)
        why = to_write(stub.call)
        for construct in constructs_of(function):
            construct.needs_you(why)
        at.needs_you(why)
        return stub.steps(this.request)

    def _attempt(
        self, function: JsFunction, this: ProcessorCall, before: _BeforeCall
    ) -> list[tuple[SourcePlace | None, str]]:
        """Read a function into steps; returns what can't be said of it, with its place."""
        if this.reply is not None:
            this.reply.steps = this.steps
        lost = self._read(function, this.arguments, this.steps, this.reply)
        if this.hooked is not None and not lost:
            lost = this.hooked.apply(self.machine)
        return [*before.new_losses(), *([(None, lost)] if lost else [])]

    def _helpers_of(
        self, function: JsFunction, lost: list[tuple[SourcePlace | None, str]]
    ) -> set[int]:
        """Return functions, called by another, that a loss is in: stubs may give their values."""
        found = [one for one in reached(function)[1:] if one.node.id not in self.machine.helpers]
        return {
            one.node.id
            for one in found
            if any(place is not None and _is_within(place, one) for place, _ in lost)
        }

    def _read(
        self,
        function: JsFunction,
        arguments: list[JsValue],
        steps: list[DraftStep],
        reply: JsReply | None,
    ) -> str:
        """Read a function into steps; returns what can't be said of it, empty for nothing."""
        machine = self.machine
        machine.begin_call(self.module)
        machine.part, machine.last, machine.lists, machine.work = "vu", reply, [steps], 0
        try:
            value = invoke(function, arguments, function.node, self.module.scope, machine)
        except _NOT_SAID as fault:
            return _why(fault)
        finally:
            machine.part, machine.lists, machine.calls = "init", [], []
            machine.forget_counters()
        return value.why if isinstance(value, JsUnknown) else ""

    def _judge(self, function: JsValue, at: Construct) -> None:
        """Judge a function of which everything is in the plan; what it did not reach is, too."""
        assert isinstance(function, JsFunction), "`has` was asked"
        at.translated()
        for construct in self.module.within(function.node):
            construct.translated()

    def leave_out(self, name: str, why: str) -> None:
        """Leave out a function that nothing here can run."""
        function = self.exports.get(name)
        if isinstance(function, JsFunction):
            for construct in function.scope.module.within(function.node):
                construct.left_out(why)

    def judge_the_rest(self) -> None:
        """Judge calls that no scenario has led to, which do nothing, and what counters are."""
        self.machine.say_counters()
        for module in self.machine.modules.loaded.values():
            for construct in module.calls.values():
                if construct.fate is None:
                    construct.translated()


@dataclass(slots=True)
class _BeforeCall:
    """What reading a function may change, as it was before."""

    functions: ProcessorFunctions
    fates: list[tuple[Construct, Fate | None, str]]
    start: int
    names: dict[str, str]
    request: DraftStep | None
    body: Keys

    @classmethod
    def take(cls, functions: ProcessorFunctions, request: DraftStep | None) -> _BeforeCall:
        modules = functions.machine.modules
        calls = [one for module in modules.loaded.values() for one in module.calls.values()]
        names = functions.machine.names
        assert names is not None, "given when it is made"
        body = copy.deepcopy(request.body) if request is not None else {}
        fates = [(one, one.fate, one.why) for one in calls]
        start = len(modules.ledger.constructs)
        return cls(functions, fates, start, names.set_so_far(), request, body)

    def new_losses(self) -> Iterator[tuple[SourcePlace, str]]:
        """Yield where something was left out since, and why."""
        for construct, fate, _ in self.fates:
            is_lost = construct.fate is Fate.LEFT_OUT and fate is not Fate.LEFT_OUT
            if is_lost and construct not in self.functions.machine.uncounted:
                yield construct.place, construct.why
        ledger = self.functions.machine.modules.ledger
        for construct in ledger.constructs[self.start :]:
            if construct.fate is Fate.LEFT_OUT and construct.kind not in _CODE:
                yield construct.place, construct.why

    def restore(self) -> None:
        """Take back what was judged and written since."""
        for construct, fate, why in self.fates:
            construct.fate, construct.why = fate, why
        ledger = self.functions.machine.modules.ledger
        kept = [one for one in ledger.constructs[self.start :] if one.kind in _CODE]
        ledger.constructs[self.start :] = kept
        names = self.functions.machine.names
        assert names is not None, "given when it is made"
        names.go_back(self.names)
        if self.request is not None:
            self.request.body.clear()
            self.request.body.update(self.body)


def _is_within(place: SourcePlace, function: JsFunction) -> bool:
    """Say whether a place is in the code of a function."""
    start = function.scope.module.place(function.node)
    lines = function.node.end_point[0] - function.node.start_point[0]
    return place.file == start.file and start.line <= place.line <= start.line + lines


def _why(fault: Exception) -> str:
    if isinstance(fault, NoStepSays):
        return fault.why
    if isinstance(fault, RecursionError):
        return "code that is nested too deeply"
    return "a value that only the run knows"


def _together(steps: list[DraftStep]) -> list[DraftStep]:
    """Return steps of which those that only set names, and don't read each other's, are one."""
    found: list[DraftStep] = []
    for step in steps:
        values = step.body.get("set")
        last = found[-1].body.get("set") if found else None
        if (
            isinstance(values, dict)
            and isinstance(last, dict)
            and set(step.body) == set(found[-1].body) == {"set"}
            and not any(re.search(rf"\b{one}\b", str(values)) for one in last)
        ):
            found[-1] = DraftStep({"set": {**last, **values}}, origin=found[-1].origin)
        else:
            found.append(step)
    return found
