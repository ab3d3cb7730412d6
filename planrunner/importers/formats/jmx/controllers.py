"""Logic controllers → steps with steps within."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Final

from planrunner.importers.draft import DraftStep, Keys
from planrunner.importers.formats.jmx.elements import JmxElement
from planrunner.importers.formats.jmx.texts.conditions import expression_of, last_ok
from planrunner.importers.formats.jmx.texts.functions import JmxResolver
from planrunner.importers.formats.jmx.texts.numbers import number_of
from planrunner.values import dataclass

__all__ = ["CONTROLLERS", "JmxController"]

_ROUNDS: Final = 1_000_000


@dataclass(slots=True)
class JmxController:
    """A controller with what reads its inside.

    Attributes:
        inside: Reads all of it, in order.
        options: Reads each child by itself.
    """

    element: JmxElement
    resolver: JmxResolver
    inside: Callable[[], list[DraftStep]]
    options: Callable[[], list[list[DraftStep]]]

    def maybe(self) -> list[DraftStep]:
        """Return the inside; what it sets may stay unset."""
        known = set(self.resolver.variables.known)
        steps = self.inside()
        self.resolver.variables.known &= known
        return steps

    def rounds(self, read: Callable[[], list[DraftStep]]) -> list[DraftStep]:
        """Return the inside of a loop, read by one of the two above."""
        self.resolver.variables.loops += 1
        steps = read()
        self.resolver.variables.loops -= 1
        return steps

    def choices(self) -> list[list[DraftStep]]:
        """Return the children's steps; what they set may stay unset."""
        known = set(self.resolver.variables.known)
        steps = self.options()
        self.resolver.variables.known &= known
        return steps

    def step(self, body: Keys) -> list[DraftStep]:
        """Return one step that stands for the controller."""
        return [DraftStep(body, origin=self.element.construct.place)]

    def drawn(self) -> list[DraftStep]:
        """Return what sets the variables that functions in its own texts name."""
        found = self.resolver.variables.drawn()
        return self.step({"set": found}) if found else []


def _plain(one: JmxController) -> list[DraftStep]:
    for name in one.element.properties:
        one.element.take(name)
    steps = one.inside()
    if steps and one.element.name:
        steps[0].notes.insert(0, one.element.name)
    return steps


def _transaction(one: JmxController) -> list[DraftStep]:
    if one.element.flag("TransactionController.includeTimers", default=False):
        one.element.judge(
            "TransactionController.includeTimers", "a group is timed without its pauses"
        )
    one.element.take("TransactionController.parent")
    steps = one.inside()
    name = one.resolver.text(one.element.name or "transaction", one.element.construct)
    return one.step({"group": name, "do": steps}) if steps else []


def _loop(one: JmxController) -> list[DraftStep]:
    element = one.element
    element.flag("LoopController.continue_forever")
    if element.peek("LoopController.loops").strip().startswith("-"):
        element.take("LoopController.loops")
        steps = one.rounds(one.maybe)
        return one.step({"while": "true", "do": steps, "max": _ROUNDS}) if steps else []
    text = element.peek("LoopController.loops").strip()
    prop = element.get("LoopController.loops")
    count: object = 1
    if prop is not None and "${" in text:
        prop.construct.translated()
        value = one.resolver.expression(text, prop.construct)
        code = value.code if value.kind == "int" else f"({value.code}) | int"
        count = f"${{{code}}}"
    elif prop is not None:
        count = number_of(element, "LoopController.loops", one.resolver, 1).whole
    steps = one.inside() if count == 1 else one.rounds(one.inside)
    if not steps or count == 0:
        return []
    return steps if count == 1 else one.step({"repeat": count, "do": steps})


def _condition(one: JmxController, name: str) -> str | None:
    """Return the condition of a controller; None, judged, where it is too much."""
    prop = one.element.get(name)
    text = one.element.take(name).strip()
    if prop is None or not text:
        return None
    found = expression_of(text, one.resolver, prop.construct)
    if found is None:
        prop.construct.changed("its steps run always: write the condition as an expression")
        return None
    return found.code if found.kind == "bool" else f"(({found.code}) | string | lower) == 'true'"


def _if(one: JmxController) -> list[DraftStep]:
    one.element.take("IfController.useExpression")
    condition = _condition(one, "IfController.condition") or "true"
    if one.element.flag("IfController.evaluateAll"):
        one.element.judge(
            "IfController.evaluateAll", "the condition is asked once, not before each step"
        )
    drawn, steps = one.drawn(), one.maybe()
    return [*drawn, *one.step({"if": condition, "then": steps})] if steps else []


def _while(one: JmxController) -> list[DraftStep]:
    text = one.element.peek("WhileController.condition").strip()
    if text in ("", "LAST"):
        if "WhileController.condition" in one.element.properties:
            one.element.judge("WhileController.condition", "a failure is a status of 400 or more")
        condition: str | None = last_ok(one.resolver).code
    else:
        condition = _condition(one, "WhileController.condition")
    steps = one.rounds(one.maybe)
    if not steps:
        return []
    if condition is None:
        return one.step({"repeat": 1, "do": steps})
    return one.step({"while": condition, "do": steps, "max": _ROUNDS})


def _foreach(one: JmxController) -> list[DraftStep]:
    element, variables = one.element, one.resolver.variables
    prefix = element.take("ForeachController.inputVal").strip()
    target = element.take("ForeachController.returnVal").strip() or "item"
    element.take("ForeachController.useSeparator")
    start = element.take("ForeachController.startIndex").strip()
    end = element.take("ForeachController.endIndex").strip()
    items = _items(one, prefix)
    if items is None:
        element.judge(
            "ForeachController.inputVal",
            "nothing gives this list: its steps run once, with nothing",
        )
        items = "['']"
    bounds = f"{start if start.isdigit() else ''}:{end if end.isdigit() else ''}"
    items = items if bounds == ":" else f"({items})[{bounds}]"
    name = variables.loop_name(target)
    variables.locals[target] = name
    steps = one.rounds(one.maybe)
    del variables.locals[target]
    return one.step({"foreach": f"{name} in {items}", "do": steps}) if steps else []


def _items(one: JmxController, prefix: str) -> str | None:
    variables = one.resolver.variables
    if prefix in variables.lists:
        found = variables.find(prefix)
        return found.code if found is not None else None
    codes = []
    for number in range(1, 200):
        value = variables.find(f"{prefix}_{number}") or variables.find(f"{prefix}{number}")
        if value is None:
            break
        codes.append(value.code)
    return f"[{', '.join(codes)}]" if codes else None


def _once(one: JmxController) -> list[DraftStep]:
    steps = one.maybe() if not one.resolver.variables.is_setup else one.inside()
    if not steps or one.resolver.variables.is_setup:
        return steps
    return one.step({"if": "user.iteration == 0", "then": steps})


def _throughput(one: JmxController) -> list[DraftStep]:
    element = one.element
    by_percent = element.take("ThroughputController.style", "0").strip() == "1"
    own = element.flag("ThroughputController.perThread")
    counter = "user.iteration" if own else "iteration"
    name = (
        "ThroughputController.percentThroughput"
        if by_percent
        else "ThroughputController.maxThroughput"
    )
    element.take("ThroughputController.percentThroughput")
    element.take("ThroughputController.maxThroughput")
    number = number_of(element, name, one.resolver, 100 if by_percent else 1)
    steps = one.maybe()
    if not steps or (by_percent and number.plain is not None and number.plain >= 100):
        return steps
    if one.resolver.variables.is_setup:
        return steps
    if not by_percent:
        return one.step({"if": f"{counter} < {number.code}", "then": steps})
    if number.plain is None:
        return one.step({"if": f"{counter} % 100 < {number.code}", "then": steps})
    share = round(number.plain * 100)
    common = math.gcd(share, 10_000)
    return one.step({"if": f"{counter} % {10_000 // common} < {share // common}", "then": steps})


def _random(one: JmxController) -> list[DraftStep]:
    _judge_blocks(one)
    options = one.choices()
    if len(options) < 2:
        return options[0] if options else []
    return one.step({"choose": [{"do": steps} for steps in options]})


def _judge_blocks(one: JmxController) -> None:
    """Judge controllers within, of which JMeter by default runs one request at a time."""
    style = one.element.take("InterleaveControl.style", "0").strip()
    blocks = [child for child in one.element.children if child.is_enabled and child.children]
    if style != "1" and any(child.kind in CONTROLLERS for child in blocks):
        one.element.construct.changed("a controller within it runs as a whole, not by requests")


def _interleave(one: JmxController) -> list[DraftStep]:
    _judge_blocks(one)
    across = one.element.flag("InterleaveControl.accrossThreads")
    options = one.choices()
    if len(options) < 2 or one.resolver.variables.is_setup:
        return options[0] if options else []
    counter = "iteration" if across else "user.iteration"
    cases = {str(number): steps for number, steps in enumerate(options)}
    return one.step({"switch": f"{counter} % {len(options)}", "cases": cases})


def _shuffled(one: JmxController) -> list[DraftStep]:
    options = one.choices()
    if len(options) < 2:
        return options[0] if options else []
    name = one.resolver.variables.plan.names.new("position")
    numbers = ", ".join(str(number) for number in range(len(options)))
    cases = {str(number): steps for number, steps in enumerate(options)}
    inner = DraftStep({"switch": name, "cases": cases}, origin=one.element.construct.place)
    return one.step({"foreach": f"{name} in rand.shuffle([{numbers}])", "do": [inner]})


def _switch(one: JmxController) -> list[DraftStep]:
    prop = one.element.get("SwitchController.value")
    text = one.element.take("SwitchController.value").strip()
    children = [child for child in one.element.children if child.is_enabled]
    names = [child.name for child in children]
    value = one.resolver.expression(text, prop.construct) if prop and "${" in text else None
    drawn, options = one.drawn(), one.choices()
    if not options:
        return []
    if value is None:
        position = int(text) if text.isdigit() else names.index(text) if text in names else 0
        return options[position] if position < len(options) else options[0]
    cases: dict[str, object] = {}
    if len(names) == len(options):
        cases = {name: steps for name, steps in zip(names, options, strict=True) if name}
    for number, steps in enumerate(options):
        cases.setdefault(str(number), steps)
    if len(cases) > len(options):
        cases = _one_of_both(cases, len(options), value.kind)
    return [*drawn, *one.step({"switch": f"({value.code}) | string", "cases": cases})]


def _one_of_both(cases: dict[str, object], count: int, kind: str) -> dict[str, object]:
    """Return the cases by number for numbers, else those by name too."""
    if kind == "int":
        return {str(number): cases[str(number)] for number in range(count)}
    return cases


def _weighted(one: JmxController) -> list[DraftStep]:
    rows = one.element.entries(
        "WeightedSwitchController.Weights",
    ) or one.element.entries("Weights")
    weights = {}
    for row in rows:
        texts = [each.read() for each in row.items]
        row.construct.translated()
        if len(texts) >= 2 and re.fullmatch(r"\d+(\.\d+)?", texts[1].strip()):
            weights[texts[0]] = max(
                round(float(texts[1]) * (1 if float(texts[1]) >= 1 else 100)), 1
            )
    one.element.take("WeightedSwitchController.IsRandomChoice")
    one.element.take("IsRandomChoice")
    names = [child.name for child in one.element.children if child.is_enabled]
    options = one.choices()
    if len(options) != len(names):
        names = [""] * len(options)
    chosen: list[Keys] = [
        {"weight": weights.get(name, 1), "do": steps}
        for name, steps in zip(names, options, strict=True)
    ]
    return one.step({"choose": chosen}) if chosen else []


def _runtime(one: JmxController) -> list[DraftStep]:
    limit = number_of(one.element, "RunTime.seconds", one.resolver, 1)
    steps = one.maybe()
    if not steps:
        return []
    name = one.resolver.variables.plan.names.new("ends_at")
    origin = one.element.construct.place
    begin = DraftStep({"set": {name: f"${{now() + {limit.code}}}"}}, origin=origin)
    return [begin, *one.step({"while": f"now() < {name}", "do": steps, "max": _ROUNDS})]


def _critical(one: JmxController) -> list[DraftStep]:
    one.element.judge("CriticalSectionController.lockName", "several users may be in it at a time")
    one.element.construct.changed(
        "several users may be in it at a time: write a pool with one value"
    )
    return one.inside()


def _parallel(one: JmxController) -> list[DraftStep]:
    for name in one.element.properties:
        one.element.take(name)
    steps = one.inside()
    verbs = ("get", "post", "put", "patch", "delete", "head", "options")
    if len(steps) > 1 and all(any(verb in step.body for verb in verbs) for step in steps):
        return one.step({"parallel": steps})
    one.element.construct.changed(
        "its steps run one after the other: `parallel` takes requests only"
    )
    return steps


def _parameterized(one: JmxController) -> list[DraftStep]:
    values: Keys = {}
    for prop in one.element.properties.values():
        for argument in [each for each in prop.everything() if each.below("Argument.name")]:
            value = argument.below("Argument.value")
            for each in argument.everything():
                each.construct.translated()
            if value is not None and argument.take("Argument.name").strip():
                text = one.resolver.text(value.text, value.construct)
                values[one.resolver.variables.set(argument.take("Argument.name").strip())] = text
    steps = one.inside()
    return [*(one.step({"set": values}) if values else []), *steps] if steps else []


CONTROLLERS: Final[dict[str, Callable[[JmxController], list[DraftStep]]]] = {
    "GenericController": _plain,
    "RecordingController": _plain,
    "TestFragmentController": _plain,
    "TransactionController": _transaction,
    "LoopController": _loop,
    "IfController": _if,
    "WhileController": _while,
    "ForeachController": _foreach,
    "OnceOnlyController": _once,
    "ThroughputController": _throughput,
    "RandomController": _random,
    "InterleaveControl": _interleave,
    "RandomOrderController": _shuffled,
    "SwitchController": _switch,
    "WeightedSwitchController": _weighted,
    "RunTime": _runtime,
    "CriticalSectionController": _critical,
    "ParallelSampler": _parallel,
    "ParallelController": _parallel,
    "ParameterizedController": _parameterized,
}
