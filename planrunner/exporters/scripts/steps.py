"""Steps of a plan as statements of a script; what a language says differently is left to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar

from planrunner.exporters.contract import ExportRequest
from planrunner.exporters.remarks import remark
from planrunner.exporters.scripts.language import CanNotWrite, ScriptLanguage
from planrunner.exporters.scripts.names import PlanNames
from planrunner.exporters.scripts.requests import VERBS, WrittenRequest, attempt, read_request
from planrunner.language.expressions.expression import ExpressionError
from planrunner.loss.ledger import Construct, Fate
from planrunner.loss.source_nodes import SourceNode
from planrunner.schedule.pauses import Pause, PauseKind
from planrunner.units import NS_PER_S, UnitError, parse_duration

__all__ = ["StepWriter", "pause_of"]


class StepWriter(ABC):
    """Writes lines.

    Attributes:
        comment: What begins a comment.
        indent: Stands before each line of a block.
        empty_block: What a block has that has nothing else.
        lines: Written so far.
        names: What the names of the plan are in the script.
    """

    comment: ClassVar[str]
    indent: ClassVar[str] = "  "
    empty_block: ClassVar[str] = ""

    def __init__(self, request: ExportRequest, names: PlanNames, language: ScriptLanguage) -> None:
        self.request = request
        self.tree = request.tree
        self.names = names
        self.language = language
        self.lines: list[str] = []
        self._depth = 0
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
            "call": self._call,
            "log": self._log,
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

    # -- lines

    def line(self, text: str = "") -> None:
        """Write a line at the present depth."""
        self.lines.append(self.indent * self._depth + text if text else "")

    @contextmanager
    def indented(self, begin: str, end: str) -> Iterator[None]:
        """Write lines inside a block."""
        if begin:
            self.line(begin)
        self._depth += 1
        before = len(self.lines)
        yield
        if len(self.lines) == before and self.empty_block:
            self.line(self.empty_block)
        self._depth -= 1
        if end:
            self.line(end)

    @contextmanager
    def remarked(self, node: SourceNode) -> Iterator[None]:
        """Put remarks about what is lost of a node above what is written of it."""
        at = len(self.lines)
        yield
        found = list(self.losses(self.tree.constructs_below(node)))
        pad = self.indent * self._depth
        self.lines[at:at] = [f"{pad}{self.comment} {remark(one)}" for one in found]

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
            return
        write = self._actions[action]
        when = step.entry("when")
        before = len(self.lines)
        try:
            if when is None:
                write(step)
                return
            with self.indented(*self.block("if", self.language.expression(when.node.text()))):
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

    def _request(self, step: SourceNode) -> None:
        self.write_request(read_request(step, self.language))

    def _think(self, step: SourceNode) -> None:
        self.write_pause(self.seconds(pause_of(_taken(step, "think"))))

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
        test = self.language.expression(_taken(step, "if"))
        with self.indented(self.block("if", test)[0], ""):
            self.steps(step.take("then"))
        other = step.take("else")
        begin, end = self.block("else")
        if other is not None:
            with self.indented(begin, ""):
                self.steps(other)
        if end:
            self.line(end)

    def _repeat(self, step: SourceNode) -> None:
        times = step.take("repeat")
        assert times is not None
        self._calls += 1
        code = self.language.value(times.plain())
        with self.indented(*self.block("repeat", f"n{self._calls}", code)):
            self.steps(step.take("do"))

    def _while(self, step: SourceNode) -> None:
        test = self.language.expression(_taken(step, "while"))
        most = step.take("max")
        self._calls += 1
        limit = "1000" if most is None else most.text()
        with self.indented(*self.block("while", f"n{self._calls}", limit, test)):
            self.steps(step.take("do"))

    def _foreach(self, step: SourceNode) -> None:
        name, _, items = _taken(step, "foreach").partition(" in ")
        self._calls += 1
        one = f"one{self._calls}"
        with self.indented(*self.block("foreach", one, self.language.expression(items))):
            self.write_set(name.strip(), one)
            self.steps(step.take("do"))

    def _call(self, step: SourceNode) -> None:
        node = step.take("call")
        assert node is not None
        name = node.text() or _taken(node, "flow")
        flow = self.tree.take_way("flows", name)
        if flow is None:
            raise CanNotWrite("the name of this flow is computed")
        given = {one.key for one in node.entries or ()} - {"flow", "as"}
        for key in given:
            value = node.take(key)
            assert value is not None
            self.write_set(key, self.language.value(value.whole()))
        args = flow.take("args") if flow.is_mapping else None
        for one in (args.entries or ()) if args is not None else ():
            one.construct.translated()
            if one.key not in given:
                self.write_set(one.key, self.language.value(one.node.whole()))
        self.steps(flow)

    def _log(self, step: SourceNode) -> None:
        self.write_log(self.language.text(_taken(step, "log")))

    # -- pauses

    def seconds(self, pause: Pause) -> str:
        """Return code of how long a pause is, in seconds."""
        first = pause.first / NS_PER_S
        if pause.kind is PauseKind.CONSTANT:
            return f"{first:g}"
        if pause.kind is PauseKind.UNIFORM:
            return f"rand.float({first:g}, {pause.second / NS_PER_S:g})"
        raise CanNotWrite(f"pauses of `{pause.kind}` have no words here; write a range")


def pause_of(text: str) -> Pause:
    """Return a pause as a plan writes it.

    Raises:
        CanNotWrite: It is computed, or a distribution.
    """
    if "${" in text or "(" in text:
        raise CanNotWrite("only fixed pauses and ranges have a translation")
    low, dots, high = text.partition("..")
    if not dots:
        return Pause(PauseKind.CONSTANT, parse_duration(low))
    return Pause(PauseKind.UNIFORM, parse_duration(low), parse_duration(high))


def _taken(step: SourceNode, key: str) -> str:
    found = step.take(key)
    assert found is not None
    return found.text()
