"""Steps of a plan as statements of a script; what a language says differently is left to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

from planrunner.exporters.contract import ExportRequest
from planrunner.exporters.remarks import remark
from planrunner.exporters.scripts.language import CanNotWrite, ScriptLanguage
from planrunner.exporters.scripts.names import PlanNames
from planrunner.exporters.scripts.pauses import pause_of, seconds_of
from planrunner.exporters.scripts.requests import (
    VERBS,
    WrittenRequest,
    attempt,
    get_request,
    read_request,
)
from planrunner.language.expressions.expression import ExpressionError
from planrunner.loss.ledger import Construct, Fate
from planrunner.loss.source_nodes import SourceEntry, SourceNode
from planrunner.units import NS_PER_S, UnitError, parse_duration

__all__ = ["StepWriter"]


class StepWriter(ABC):
    """Writes lines.

    Attributes:
        comment: What begins a comment.
        indent: Stands before each line of a block.
        empty_block: What a block has that has nothing else.
        lines: Written so far.
        depth: Of the block that is written.
        names: What the names of the plan are in the script.
    """

    comment: ClassVar[str]
    indent: ClassVar[str] = "  "
    empty_block: ClassVar[str] = ""
    in_turn: ClassVar[str] = ""
    """The tool's name, if it sends one after the other what is meant to be sent at once."""

    def __init__(self, request: ExportRequest, names: PlanNames, language: ScriptLanguage) -> None:
        self.request = request
        self.tree = request.tree
        self.names = names
        self.language = language
        self.lines: list[str] = []
        self.depth = 0
        self._calls = 0
        self._remarked: set[int] = set()
        self._actions: dict[str, Callable[[SourceNode], None]] = {
            **dict.fromkeys(VERBS, self._request),
            "think": self._think,
            "set": self._set,
            "group": self._group,
            "if": self._if,
            "repeat": self._repeat,
            "while": self._while,
            "foreach": self._foreach,
            "choose": self._choose,
            "switch": self._switch,
            "call": self._call,
            "log": self._log,
            "header": self._header,
            "push": self._push,
            "pop": self._pop,
            "poll": self._poll,
            "parallel": self._parallel,
            "stop": self._stop,
        }

    # -- what a language says

    @abstractmethod
    def write_request(self, made: WrittenRequest) -> None:
        """Write what sends a request, checks the reply and keeps values of it."""

    @abstractmethod
    def write_pause(self, seconds: str) -> None:
        """Write a pause."""

    @abstractmethod
    def write_set(self, name: str, code: str) -> None:
        """Write what gives a name a value."""

    @abstractmethod
    def block(self, kind: str, *codes: str) -> tuple[str, str]:
        """Return how a block begins and ends: `if`, `else`, `repeat`, `while` and so on."""

    @abstractmethod
    def write_log(self, code: str) -> None:
        """Write what prints a text."""

    def write_header(self, name: str, code: str | None) -> None:
        """Write what gives later requests of the user a header, or takes it away."""
        raise CanNotWrite(f"headers stay with their request here, so `{name}` does")

    def write_push(self, name: str, code: str) -> None:
        """Write what adds to the end of a list."""
        raise CanNotWrite(f"nothing keeps a list such as `{name}` here")

    def write_stop(self, what: str) -> None:
        """Write what ends an iteration, user, phase or plan."""
        raise CanNotWrite(f"nothing ends the {what} here")

    def write_poll_end(self, test: str, every: str, counter: str) -> None:
        """Write what leaves a poll, gives up, or waits for the next round."""
        raise CanNotWrite("write this loop yourself")

    def write_parallel(self, made: Sequence[WrittenRequest]) -> None:
        """Write requests that are sent at the same time, or in turn where the tool does that."""
        if not self.in_turn:
            raise CanNotWrite("nothing sends requests of one user at the same time here")
        for one in made:
            self.write_request(one)

    def declared(self, name: str, code: str) -> str:
        """Return a statement that gives a new name a value."""
        return f"{name} = {code}"

    def read(self, step: SourceNode) -> WrittenRequest:
        """Return the request of a step.

        Raises:
            CanNotWrite: A part of it that makes it another request can't be written.
        """
        return read_request(step, self.language)

    def commented(self, text: str) -> str:
        """Return a line that says something and does nothing."""
        return f"{self.comment} {text}"

    # -- lines

    def line(self, text: str = "") -> None:
        """Write a line at the present depth."""
        self.lines.append(self.indent * self.depth + text if text else "")

    @contextmanager
    def indented(self, begin: str, end: str) -> Iterator[None]:
        """Write lines inside a block."""
        if begin:
            self.line(begin)
        self.depth += 1
        before = len(self.lines)
        try:
            yield
            if self.empty_block and not any(map(self._does, self.lines[before:])):
                self.line(self.empty_block)
        finally:
            self.depth -= 1
        if end:
            self.line(end)

    def _does(self, line: str) -> bool:
        return bool(line) and not line.lstrip().startswith(self.comment)

    @contextmanager
    def remarked(self, node: SourceNode) -> Iterator[None]:
        """Put remarks about what is lost of a node above what is written of it."""
        at = len(self.lines)
        yield
        found = list(self.losses(self.tree.constructs_below(node)))
        pad = self.indent * self.depth
        self.lines[at:at] = [f"{pad}{self.commented(remark(one))}" for one in found]

    def losses(self, constructs: Iterator[Construct]) -> Iterator[Construct]:
        """Yield what has no remark yet and needs one; of what is left out, no parts."""
        above: tuple[str, ...] = ()
        for one in constructs:
            if one.fate is None:
                one.left_out("this exporter has no words for it; write it yourself")
            if one.fate is Fate.TRANSLATED or id(one) in self._remarked:
                continue
            self._remarked.add(id(one))
            if not one.words.startswith(above):
                yield one
                if one.fate is Fate.LEFT_OUT:
                    above = (f"{one.words}.", f"{one.words}[")

    # -- steps

    def steps(self, node: SourceNode | None) -> None:
        """Write a list of steps, or a block with them under `do`."""
        if node is None:
            return
        if node.is_mapping and node.get("do") is not None and node.get("group") is None:
            node = node.take("do")
        assert node is not None
        for step in node.each():
            with self.remarked(step):
                self.step(step)

    def step(self, step: SourceNode) -> None:
        """Write a step; one that can't be written stays unjudged, and so is left out."""
        action = next((key for key in self._actions if step.get(key) is not None), "")
        if not action:
            self.language.lost.update(_names_given(step))
            return
        write = self._actions[action]
        when = step.entry("when")
        before = len(self.lines)
        try:
            if when is None:
                write(step)
                return
            with self.indented(*self.block("if", self.language.condition(when.node.text()))):
                write(step)
            when.construct.translated()
        except (CanNotWrite, ExpressionError, UnitError) as error:
            del self.lines[before:]
            entry = step.entry(action)
            assert entry is not None
            entry.construct.left_out(error.message)
            for one in step.below():
                if one is not entry:
                    one.construct.left_out(f"with `{action}`")
            self.language.lost.update(_names_given(step))

    def _request(self, step: SourceNode) -> None:
        self.write_request(self.read(step))

    def _think(self, step: SourceNode) -> None:
        text = _taken(step, "think")
        param = self.request.plan.params.get(text.removeprefix("${").removesuffix("}").strip())
        if param is not None and isinstance(param.value, int | float):
            self.write_pause(self.language.value(text))
        else:
            self.write_pause(seconds_of(self.language, pause_of(text)))

    def _set(self, step: SourceNode) -> None:
        node = step.take("set")
        assert node is not None
        for one in node.entries or ():

            def write(value: SourceNode, name: str = one.key) -> None:
                self.write_set(name, self.language.value(value.whole()))

            attempt(one, write)
            self.language.settle(one.key, one.construct)

    def _group(self, step: SourceNode) -> None:
        name = _taken(step, "group")
        with self.indented(*self.block("group", self.language.literal(name))):
            self.steps(step.take("do"))

    def _if(self, step: SourceNode) -> None:
        test = self.language.condition(_taken(step, "if"))
        with self.indented(self.block("if", test)[0], ""):
            self.steps(step.take("then"))
        self._otherwise(step.take("else"))

    def _otherwise(self, other: SourceNode | None) -> None:
        begin, end = self.block("else")
        if other is not None:
            with self.indented(begin, ""):
                self.steps(other)
        if end:
            self.line(end)

    def _choose(self, step: SourceNode) -> None:
        choices = step.take("choose")
        listed = choices.items or [] if choices is not None else []
        weights = [one.take_whole("weight") for one in listed]
        self._calls += 1
        drawn = f"n{self._calls}"
        self.line(self.declared(drawn, self.language.drawn([one or 1 for one in weights])))
        for place, one in enumerate(listed):
            test = f"{drawn} {self.language.equal} {place}"
            with self.indented(self.block("elif" if place else "if", test)[0], ""):
                self.steps(one.take("do"))
        self._otherwise(None)

    def _switch(self, step: SourceNode) -> None:
        value = self.language.as_text(self.language.expression(_taken(step, "switch")))
        cases = step.take("cases")
        listed = [one for one in cases.entries or () if one.key != "else"] if cases else []
        self._calls += 1
        name = f"n{self._calls}"
        self.line(self.declared(name, value))
        for place, one in enumerate(listed):
            one.construct.translated()
            test = f"{name} {self.language.equal} {self.language.literal(one.key)}"
            with self.indented(self.block("elif" if place else "if", test)[0], ""):
                self.steps(one.node)
        if listed:
            self._otherwise(cases.take("else") if cases is not None else None)

    def _repeat(self, step: SourceNode) -> None:
        times = step.take("repeat")
        assert times is not None
        self._calls += 1
        code = self.language.value(times.plain())
        with self.indented(*self.block("repeat", f"n{self._calls}", code)):
            self.steps(step.take("do"))

    def _while(self, step: SourceNode) -> None:
        test = self.language.condition(_taken(step, "while"))
        most = step.take("max")
        self._calls += 1
        limit = "1000" if most is None else most.text()
        with self.indented(*self.block("while", f"n{self._calls}", limit, test)):
            self.steps(step.take("do"))

    def _foreach(self, step: SourceNode) -> None:
        name, _, items = _taken(step, "foreach").partition(" in ")
        one = self.loop_variable(name.strip())
        with self.indented(*self.block("foreach", one, self.language.expression(items))):
            if one != self.names(name.strip()):
                self.write_set(name.strip(), one)
            self.steps(step.take("do"))

    def loop_variable(self, name: str) -> str:
        """Return what a loop over a list gives its elements to."""
        self._calls += 1
        return f"{name}{self._calls}"

    def _call(self, step: SourceNode) -> None:
        node = step.take("call")
        assert node is not None
        name = node.text() or _taken(node, "flow")
        flow = self.tree.take_way("flows", name)
        if flow is None:
            raise CanNotWrite("the name of this flow is computed")
        given = dict[str, str]()
        for one in node.entries or ():
            if one.key not in ("flow", "as") and (value := node.take(one.key)) is not None:
                given[one.key] = self.language.value(value.whole())
        args = flow.take("args") if flow.is_mapping else None
        for one in (args.entries or ()) if args is not None else ():
            one.construct.translated()
            if one.key not in given:
                given[one.key] = self.language.value(one.node.whole())
        with self.names.inside(name, given), self.under(flow):
            for key, code in given.items():
                self.write_set(key, code)
            self.steps(flow)

    @contextmanager
    def under(self, node: SourceNode) -> Iterator[None]:
        """Write steps of a flow or task, which may have settings of its own."""
        del node
        yield

    def _header(self, step: SourceNode) -> None:
        node = step.take("header")
        assert node is not None
        for one in node.entries or ():

            def write(value: SourceNode, entry: SourceEntry = one) -> None:
                code = self.language.secret_header(entry) or self.language.text(value.text())
                self.write_header(entry.key, None if value.scalar is None else code)

            attempt(one, write)

    def _push(self, step: SourceNode) -> None:
        node = step.take("push")
        assert node is not None
        for one in node.entries or ():

            def write(value: SourceNode, name: str = one.key) -> None:
                self.write_push(self._list(name), self.language.value(value.whole()))

            attempt(one, write)

    def _pop(self, step: SourceNode) -> None:
        node = step.take("pop")
        assert node is not None
        given = node.whole()
        assert isinstance(given, dict)
        name = next(key for key in given if key not in ("as", "wait"))
        which = self.language.literal(str(given[name]))
        code = f"take({self._list(name)}, {which})"
        if "as" in given:
            self.write_set(str(given["as"]), code)
            self.language.lost.discard(str(given["as"]))
        else:
            self.line(self.declared(f"_{name}", code))

    def _list(self, name: str) -> str:
        if name.startswith("pool."):
            raise CanNotWrite("users share nothing here; write the list yourself")
        code = self.names(name)
        if not code:
            raise CanNotWrite(f"`{name}` has no translation")
        return code

    def _poll(self, step: SourceNode) -> None:
        node = step.take("poll")
        assert node is not None
        every, timeout = step.take("every"), step.take("timeout")
        self._calls += 1
        counter = f"n{self._calls}"
        waits_s = 30 if timeout is None else parse_duration(timeout.text()) / NS_PER_S
        with self.indented(*self.block("poll", counter, f"{waits_s:g}")):
            if node.is_mapping:
                self._request(node)
            else:
                self.write_request(get_request(node.text(), self.language))
            test = self.language.condition(_taken(step, "until"))
            pause = seconds_of(self.language, pause_of("1s" if every is None else every.text()))
            self.write_poll_end(test, pause, counter)

    def _parallel(self, step: SourceNode) -> None:
        node = step.take("parallel")
        assert node is not None
        self.write_parallel([self.read(one) for one in node.each()])
        if self.in_turn:
            entry = step.entry("parallel")
            assert entry is not None
            entry.construct.changed(f"{self.in_turn} sends these one after the other")

    def _stop(self, step: SourceNode) -> None:
        self.write_stop(_taken(step, "stop"))

    def _log(self, step: SourceNode) -> None:
        self.write_log(self.language.text(_taken(step, "log")))


def _names_given(step: SourceNode) -> Iterator[str]:
    for key in ("extract", "set"):
        yield from (one.key for one in getattr(step.get(key), "entries", None) or ())
    popped = step.get("pop")
    if popped is not None and (name := popped.get("as")) is not None:
        yield name.text()


def _taken(step: SourceNode, key: str) -> str:
    found = step.take(key)
    assert found is not None
    return found.text()
