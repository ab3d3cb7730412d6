"""The steps of a scenario: loops, pauses, requests side by side, and what only Artillery has."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from typing import Final

from planrunner.importers.draft import DraftStep
from planrunner.importers.formats.artillery.expressions import ArtilleryExpressions
from planrunner.importers.formats.artillery.script import ArtilleryTest
from planrunner.importers.formats.artillery.steps.requests import VERBS, RequestsReader
from planrunner.importers.formats.artillery.steps.thinking import think
from planrunner.importers.nodes import SourceEntry, SourceNode
from planrunner.importers.reading.documents import suspect, suspect_the_rest
from planrunner.importers.reading.expressions import inline
from planrunner.importers.reading.quantities import read_seconds

__all__ = ["FlowReader"]

_SOCKET_IO: Final = "the scenario has no `engine: socketio`: Artillery fails here"
_LONGEST: Final = 200
_FOREVER: Final = 1_000_000


class FlowReader:
    """Reads lists of steps of the engine `http`, and of others the steps that are the same."""

    def __init__(self, test: ArtilleryTest) -> None:
        self.test = test
        self.expressions = ArtilleryExpressions(test)
        self.requests = RequestsReader(test)
        self.hooks = self.requests.hooks

    def steps(self, node: SourceNode) -> list[DraftStep]:
        """Return the steps of a flow."""
        return [step for one in node.each() for step in self.step(one)]

    def step(self, node: SourceNode) -> list[DraftStep]:
        """Return what one item of a flow becomes; nothing where it is left out."""
        for entry in node.entries or []:
            if entry.key.lower() in VERBS:
                has_none = entry.node.scalar is None and not entry.node.is_mapping
                if has_none and node.entry("url") is not None:
                    return [*self.requests.read_flat(entry, node), *self._beside(node, entry)]
                return [*self.requests.read(entry), *self._beside(node, entry)]
        for entry in node.entries or []:
            read = _STEPS.get(entry.key)
            if read is not None:
                steps = read(self, entry, node)
                suspect_the_rest(node, f"Artillery reads no such key beside `{entry.key}`")
                return steps
        for entry in node.entries or []:
            suspect(entry, f"Artillery knows no step `{entry.key}`: the visit ends there")
        return []

    def _beside(self, node: SourceNode, verb: SourceEntry) -> list[DraftStep]:
        """Return what stands beside a request by mistake: a pause is meant as a step of its own."""
        found: list[DraftStep] = []
        for entry in node.entries or []:
            if entry is verb or entry.construct.fate is not None:
                continue
            if entry.key == "think":
                entry.construct.suspicious("beside a request Artillery does not read it")
                found += self.think(entry, node)
            else:
                suspect(entry, "beside a request Artillery does not read it: indent it more")
        return found

    def think(self, entry: SourceEntry, node: SourceNode) -> list[DraftStep]:
        entry.construct.translated()
        jitter = node.take("jitter")
        pause = think(entry, jitter.text() if jitter else self.test.jitter, self.expressions)
        return [] if pause is None else [DraftStep({"think": pause}, origin=entry.construct.place)]

    def loop(self, entry: SourceEntry, node: SourceNode) -> list[DraftStep]:
        entry.construct.translated()
        count, over, until = node.entry("count"), node.entry("over"), node.entry("whileTrue")
        body = _words(entry.node)
        named = [node.take("loopElement"), node.take("loopValue")]
        element, number = (
            (one.text() if one else default)
            for one, default in zip(named, ("$loopElement", "$loopCount"), strict=True)
        )
        step: dict[str, object]
        if over is not None:
            step = self._over(over, uses_number=number in body)
        elif count is not None:
            step = self._count(count, uses_number=number in body or element in body)
        else:
            step = {"while": "true", "max": _FOREVER}
            self.test.loops.append(("0", "0"))
        self._named(named)
        steps = self.steps(entry.node)
        goes_on = self._goes_on(until, steps) if until is not None and steps else None
        if goes_on is not None:
            step = {"while": goes_on, "max": _FOREVER}
        elif until is not None and count is None and over is None and self.test.processor:
            step = {"repeat": 1}
        self.test.loops.pop()
        before = [DraftStep({"set": {goes_on: True}})] if goes_on is not None else []
        step["do"] = steps
        return [*before, DraftStep(step, origin=entry.construct.place)] if steps else []

    def _goes_on(self, until: SourceEntry, steps: list[DraftStep]) -> str | None:
        """Return the name that says whether a loop goes on; its steps set it at their end."""
        until.construct.translated()
        found = self.hooks.loop_condition(until)
        if found is None:
            return None
        name = self.test.names.reserve(until.node.text())
        steps += [*found[0], DraftStep({"set": {name: f"${{{found[1]}}}"}})]
        return name

    def _named(self, named: list[SourceNode | None]) -> None:
        for node, meaning in zip(named, self.test.loops[-1], strict=True):
            if node is not None:
                self.test.names.mean(node.text(), meaning)

    def _over(self, over: SourceEntry, *, uses_number: bool) -> dict[str, object]:
        over.construct.translated()
        name = over.node.text().strip("{} ")
        element = self.test.names.reserve(f"{name}_item" if name else "item")
        if over.node.is_list:
            values = inline(self.expressions.value(over.node, over.construct))
        else:
            values = self.expressions.inner(name, over.construct)
        if len(values) > _LONGEST or "${" in values:
            spec = {"type": "list", "default": over.node.plain()}
            values = self.test.names.param(f"{element}s", spec)
        if not uses_number:
            self.test.loops.append((element, "0"))
            return {"foreach": f"{element} in {values}"}
        number = self.test.names.reserve("index")
        self.test.loops.append((f"{values}[{number}]", number))
        return {"foreach": f"{number} in range({values} | length)"}

    def _count(self, count: SourceEntry, *, uses_number: bool) -> dict[str, object]:
        count.construct.translated()
        text = count.node.text().strip()
        first, dash, last = text.partition("-")
        start, end = (first, last) if dash and first and last else ("", text)
        stop = self.expressions.text(end, count.construct).removeprefix("${").removesuffix("}")
        if end == "-1":
            start, stop = "", str(_FOREVER)
        if not uses_number:
            self.test.loops.append(("0", "0"))
            return {"repeat": _times(start, stop)}
        number = self.test.names.reserve("count")
        self.test.loops.append((number, number))
        stop = stop if stop.isdigit() else f"{stop} | int"
        return {"foreach": f"{number} in range({start + ', ' if start else ''}{stop})"}

    def parallel(self, entry: SourceEntry, node: SourceNode) -> list[DraftStep]:
        entry.construct.translated()
        node.take_whole("limit")
        steps = self.steps(entry.node)
        if all(any(verb in step.body for verb in VERBS) for step in steps):
            return [DraftStep({"parallel": steps}, origin=entry.construct.place)] if steps else []
        entry.construct.changed("its steps run one after the other, as not all are requests")
        return steps

    def function(self, entry: SourceEntry, node: SourceNode) -> list[DraftStep]:
        entry.construct.translated()
        return self.hooks.steps(entry)

    def log(self, entry: SourceEntry, node: SourceNode) -> list[DraftStep]:
        entry.construct.translated()
        text = self.expressions.text(entry.node.text(), entry.construct)
        return [DraftStep({"log": text}, origin=entry.construct.place)]

    def emit(self, entry: SourceEntry, node: SourceNode) -> list[DraftStep]:
        for one in node.entries or []:
            suspect(one, _SOCKET_IO)
        return []


_ReadStep = Callable[[FlowReader, SourceEntry, SourceNode], list[DraftStep]]
_STEPS: Final[dict[str, _ReadStep]] = {
    "think": FlowReader.think,
    "loop": FlowReader.loop,
    "parallel": FlowReader.parallel,
    "function": FlowReader.function,
    "log": FlowReader.log,
    "emit": FlowReader.emit,
    "namespace": FlowReader.emit,
}


def _times(start: str, stop: str) -> object:
    if stop.isdigit():
        return max(0, int(stop) - int(start or 0)) if start.isdigit() or not start else int(stop)
    return f"${{{stop} | int}}" if stop else 1


def _words(node: SourceNode) -> str:
    return json.dumps(node.plain(), default=str)


def total_think(node: SourceNode) -> Fraction:
    """Return about how long the pauses of a flow last, in seconds."""
    return sum((_think_of(one) for one in node.each()), Fraction(0))


def _think_of(node: SourceNode) -> Fraction:
    pause = node.get("think")
    loop = node.get("loop")
    found = (read_seconds(pause.scalar) or Fraction(1)) if pause is not None else Fraction(0)
    count = node.get("count")
    times = int(count.scalar) if count is not None and isinstance(count.scalar, int) else 1
    return found + (total_think(loop) * max(1, times) if loop is not None else 0)
