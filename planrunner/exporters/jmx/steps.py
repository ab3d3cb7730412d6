"""The steps of a plan as controllers and samplers of JMeter."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, Final

from planrunner.exporters.contract import ExportRequest
from planrunner.exporters.jmx.elements import element_lines, xml_comment
from planrunner.exporters.jmx.parts import (
    action_lines,
    as_groovy,
    controller_lines,
    drawn_place,
    header_lines,
    variable_lines,
)
from planrunner.exporters.jmx.requests import JmxRequest, JmxRequestReader, capturing, sampler
from planrunner.exporters.jmx.texts import JmxTexts, in_text
from planrunner.exporters.scripts.language import CanNotWrite
from planrunner.exporters.scripts.names import PlanNames
from planrunner.exporters.scripts.pauses import pause_of
from planrunner.exporters.scripts.requests import WrittenRequest, get_request, named_request
from planrunner.exporters.scripts.sections import ScriptWriter
from planrunner.loss.source_nodes import SourceNode
from planrunner.schedule.pauses import Pause, PauseKind
from planrunner.units import NS_PER_MS, NS_PER_S, parse_duration

__all__ = ["CAPTURED", "JmeterNames", "JmxSteps", "text_of"]

CAPTURED: Final = "<!-- captured {} -->"
"""Stands for what later steps need of a reply, until all are written."""


class JmeterNames(PlanNames):
    def __init__(self, request: ExportRequest) -> None:
        super().__init__(request)
        self.columns: dict[str, str] = {}

    def __call__(self, dotted: str) -> str:
        if dotted in self.columns:
            return f"vars.get('{self.columns[dotted]}')"
        return super().__call__(dotted)

    def kept(self, place: str, name: str) -> str:
        return f"${{__P({name})}}" if place == "shared" else f"vars.get('{name}')"

    def provided(self, dotted: str) -> str:
        if dotted == "user.class":
            return f"'{self.of_class.name}'" if self.of_class else ""
        return {"user.id": "(${__threadNum} - 1)"}.get(dotted, "")

    def service(self, name: str, what: str) -> str:
        return f"${{__P({name.replace('-', '_')}_{what},)}}"


class JmxSteps(ScriptWriter):
    """Writes the steps of a plan as elements, a line of XML after the other.

    Attributes:
        columns: Variables of the columns of rows, by source and column.
        start_headers: Headers that `on_start` gives the user; None outside of it.
        captured: What later steps need of the replies of requests, by number and name.
    """

    comment: ClassVar[str] = "#"
    in_turn: ClassVar[str] = "JMeter"
    language: JmxTexts

    def __init__(self, request: ExportRequest) -> None:
        names = JmeterNames(request)
        self.columns = names.columns
        self._requests = 0
        self.captured: dict[int, dict[str, list[str]]] = {}
        texts = JmxTexts(names)
        texts.capture = self._capture
        super().__init__(request, names, texts)
        self.start_headers: dict[str, str] | None = None
        for action in ("push", "pop", "log"):
            del self._actions[action]

    # -- lines

    def commented(self, text: str) -> str:
        return xml_comment(text)

    def put(self, lines: Iterator[str] | Sequence[str]) -> None:
        """Write an element with nothing below."""
        for line in lines:
            self.line(line)
        self.line("<hashTree/>")

    @contextmanager
    def above(self, lines: Iterator[str] | Sequence[str]) -> Iterator[None]:
        """Write an element with what is written meanwhile below."""
        for line in lines:
            self.line(line)
        with self.indented("<hashTree>", "</hashTree>"):
            yield

    def _capture(self, what: str, keys: list[str]) -> str:
        if not self._requests:
            raise CanNotWrite(f"there is no reply whose `{what}` this could be")
        name = re.sub(r"\W+", "_", "_".join(["reply", what, *keys]))
        self.captured.setdefault(self._requests, {})[name] = capturing(name, what, keys)
        return name

    # -- requests

    def read(self, step: SourceNode) -> JmxRequest:
        made = _read(step, self.language)
        verb = step.entry(made.method.lower())
        assert verb is not None
        if any(f"${{{name}." in verb.node.text() for name in self.names.rows):
            verb.construct.changed("a space or a quote of a row has to be encoded in the file")
        return made

    def write_request(self, made: WrittenRequest) -> None:
        assert isinstance(made, JmxRequest)
        self._requests += 1
        timeout_s = self.http.timeout_s if made.timeout_s is None else made.timeout_s
        follows = self.http.follows if made.follows is None else made.follows
        with self.above(sampler(made, timeout_s, follows=follows)):
            own = {**self.type_of(made), **made.headers}
            if own:
                self.put(header_lines("headers", own))
            for one in made.below:
                self.put(one)
            self.line(CAPTURED.format(self._requests))

    def _request(self, step: SourceNode) -> None:
        super()._request(step)
        self.leave_out(("tags",), "samplers of JMeter have no tags", step)

    # -- steps that steer

    def block(self, kind: str, *codes: str) -> tuple[str, str]:
        for line in controller_lines(kind, codes):
            self.line(line)
        return "<hashTree>", "</hashTree>"

    def _if(self, step: SourceNode) -> None:
        if step.get("else") is None:
            test = self.language.condition(text_of(step, "if"))
            with self.indented(*self.block("if", test)):
                self.steps(step.take("then"))
            return
        test = self.language.condition(text_of(step, "if"))
        cases = [("then", step.take("then")), ("else", step.take("else"))]
        self._switch_over(f"{test} ? 0 : 1", "if", cases)

    def _switch(self, step: SourceNode) -> None:
        value = self.language.expression(text_of(step, "switch"))
        cases = step.take("cases")
        entries = cases.entries or [] if cases is not None else []
        for one in entries:
            one.construct.translated()
        named = [one for one in entries if one.key != "else"]
        other = cases.get("else") if cases is not None else None
        tests = [f"{value} == {self.language.literal(one.key)}" for one in named]
        index = "".join(f"({test}) ? {place} : " for place, test in enumerate(tests))
        listed = [*((one.key, one.node) for one in named), ("else", other)]
        self._switch_over(f"{index}{len(named)}", "switch", listed)

    def _choose(self, step: SourceNode) -> None:
        choices = step.take("choose")
        listed = choices.items or [] if choices is not None else []
        weights = [one.take_whole("weight") or 1 for one in listed]
        cases = [(f"choice {at}", one.take("do")) for at, one in enumerate(listed, 1)]
        self._calls += 1
        index = drawn_place([int(str(one)) for one in weights], f"draw_{self._calls}")
        self._switch_over(index, "choose", cases)

    def _switch_over(
        self, index: str, name: str, cases: Sequence[tuple[str, SourceNode | None]]
    ) -> None:
        value = {"SwitchController.value": in_text(index)}
        with self.above(element_lines("SwitchController", name, value)):
            for label, node in cases:
                with self.above(element_lines("GenericController", label)):
                    self.steps(node)

    def _foreach(self, step: SourceNode) -> None:
        name, _, items = text_of(step, "foreach").partition(" in ")
        try:
            values = ast.literal_eval(self.language.expression(items).strip())
        except (SyntaxError, ValueError):
            raise CanNotWrite("only a list of constants has a translation") from None
        self._calls += 1
        prefix = f"{name.strip()}_{self._calls}"
        pairs = [(f"{prefix}_{at}", str(one)) for at, one in enumerate(values, 1)]
        self.put(variable_lines(f"values of {name.strip()}", pairs))
        with self.indented(*self.block("foreach", prefix, name.strip())):
            self.steps(step.take("do"))

    def _poll(self, step: SourceNode) -> None:
        node = step.take("poll")
        assert node is not None
        for key in ("every", "timeout"):
            step.take(key)
        every_s, waits_s = _seconds_of(step, "every", 1.0), _seconds_of(step, "timeout", 30.0)
        rounds = max(1, round(waits_s / max(every_s, 0.001)))
        with self.indented(*self.block("repeat", "", str(rounds))):
            if node.is_mapping:
                self._request(node)
            else:
                plain = get_request(node.text(), self.language)
                self.write_request(JmxRequest(plain.method, plain.url, plain.name))
            test = self.language.condition(text_of(step, "until"))
            with self.indented(*self.block("if", test)):
                self._act(5, "poll ends")
            self.write_pause(f"{every_s:g}")
        entry = step.entry("poll")
        assert entry is not None
        entry.construct.changed(f"it gives up after {rounds} rounds, and the iteration goes on")

    def write_header(self, name: str, code: str | None) -> None:
        if self.start_headers is None or code is None:
            raise CanNotWrite(
                "headers of JMeter are for all requests of a scope, whenever they are sent"
            )
        self.start_headers[name] = code

    def write_set(self, name: str, code: str) -> None:
        """Write what gives a variable a text of JMeter."""
        name = self.names.renamed.get(name, name)
        script = f"SampleResult.setIgnore()\nvars.put('{name}', {as_groovy(code)})"
        words = {"scriptLanguage": "groovy", "parameters": "", "filename": ""}
        script_words = {**words, "cacheKey": "false" if "${" in script else "true"}
        self.put(element_lines("JSR223Sampler", f"set {name}", {**script_words, "script": script}))

    def write_stop(self, what: str) -> None:
        match what:
            case "iteration":
                self._act(3, "next iteration")
            case "user":
                self._act(0, "stop user")
            case "plan":
                self._act(0, "stop test", target=2)
            case _:
                super().write_stop(what)

    def _act(self, action: int, name: str, *, target: int = 0, duration: str = "0") -> None:
        self.put(action_lines(action, name, target=target, duration=duration))

    def write_log(self, code: str) -> None:
        raise AssertionError("nothing logs")

    # -- pauses

    def _think(self, step: SourceNode) -> None:
        self.write_pause_of(pause_of(text_of(step, "think")))

    def write_pause_of(self, pause: Pause) -> None:
        """Write a pause, or a timer that draws it."""
        first, second = round(pause.first / NS_PER_MS), round(pause.second / NS_PER_MS)
        match pause.kind:
            case PauseKind.CONSTANT:
                self._act(1, "pause", duration=str(first))
            case PauseKind.UNIFORM:
                self._act(1, "pause", duration=f"${{__Random({first},{second})}}")
            case PauseKind.NORMAL:
                timer = {"ConstantTimer.delay": str(first), "RandomTimer.range": str(second)}
                with self.above(action_lines(1, "pause")):
                    self.put(element_lines("GaussianRandomTimer", "pause", timer))
            case _:
                raise CanNotWrite(f"JMeter has no timer for pauses of `{pause.kind}`")

    def write_pause(self, seconds: str) -> None:
        self._act(1, "pause", duration=f"{float(seconds) * 1000:.0f}")


def _read(step: SourceNode, language: JmxTexts) -> JmxRequest:
    plain = named_request(step, language)
    made = JmxRequest(plain.method, plain.url, plain.name)
    JmxRequestReader(step, language, made).read()
    return made


def text_of(step: SourceNode, key: str) -> str:
    """Return the text of a key, which is translated."""
    found = step.take(key)
    assert found is not None
    return found.text()


def _seconds_of(step: SourceNode, key: str, usual: float) -> float:
    found = step.get(key)
    return usual if found is None else parse_duration(found.text()) / NS_PER_S
