"""The steps of a run graph: a closed union of nodes, one class for each action."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Final, Literal

from planrunner.graph.described_step import DescribedStep, StepOrigin
from planrunner.language.expressions.values import Evaluate
from planrunner.load.pauses import Pause
from planrunner.protocols.base import Exchange
from planrunner.units import format_count, write_duration
from planrunner.values import dataclass

__all__ = [
    "CallNode",
    "DescribedStep",
    "Evaluate",
    "ExecNode",
    "ForeachNode",
    "GroupNode",
    "HeaderNode",
    "IfNode",
    "LogNode",
    "ParallelNode",
    "PollNode",
    "PopNode",
    "PushNode",
    "PythonNode",
    "RepeatNode",
    "RequestNode",
    "SetNode",
    "StepNode",
    "StepOrigin",
    "StopNode",
    "StopWhat",
    "ThinkNode",
    "WhileNode",
    "Word",
    "nested_steps",
    "walk_steps",
]

Word = tuple[str | Evaluate, ...]
"""One argument of a command: constant pieces, and what is rendered between them."""


@dataclass(frozen=True, slots=True)
class RequestNode(DescribedStep):
    """One request; `name` is the series name.

    Attributes:
        tags: Static tags, sorted.
        reply_tags: Tags whose value comes from the reply: (key, expression over reply names).
        reads_reply: True when an expression needs json, body, headers or status afterwards.
    """

    action: ClassVar[str] = "request"

    name: str
    exchange: Exchange
    tags: tuple[tuple[str, str], ...] = ()
    reply_tags: tuple[tuple[str, Evaluate], ...] = ()
    measured: bool = True
    when: Evaluate | None = None
    reads_reply: bool = False

    @property
    def subject(self) -> str:
        return self.name

    @property
    def summary(self) -> str:
        return self.name + ("" if self.measured else " (not measured)")


@dataclass(frozen=True, slots=True)
class ThinkNode(DescribedStep):
    action: ClassVar[str] = "think"

    pause: Pause
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return self.pause.words


@dataclass(frozen=True, slots=True)
class SetNode(DescribedStep):
    action: ClassVar[str] = "set"

    values: tuple[tuple[str, Evaluate], ...]
    when: Evaluate | None = None

    @property
    def subject(self) -> list[str]:
        return [name for name, _ in self.values]


@dataclass(frozen=True, slots=True)
class PushNode(DescribedStep):
    """Values to add, each to the end of the list with the name before it."""

    action: ClassVar[str] = "push"

    values: tuple[tuple[str, Evaluate], ...]
    when: Evaluate | None = None

    @property
    def subject(self) -> list[str]:
        return [name for name, _ in self.values]


@dataclass(frozen=True, slots=True)
class PopNode(DescribedStep):
    """Take an element out of the list `source`; `target` gets it unless it is empty."""

    action: ClassVar[str] = "pop"

    source: str
    which: Literal["first", "last", "random"]
    target: str = ""
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return f"{self.which} of {self.source}"


@dataclass(frozen=True, slots=True)
class HeaderNode(DescribedStep):
    """Headers for the user's later requests; a value of None takes the header away."""

    action: ClassVar[str] = "header"

    values: tuple[tuple[str, Evaluate | None], ...]
    when: Evaluate | None = None

    @property
    def subject(self) -> list[str]:
        return [name for name, _ in self.values]


@dataclass(frozen=True, slots=True)
class GroupNode(DescribedStep):
    action: ClassVar[str] = "group"

    name: str
    steps: tuple[StepNode, ...]
    when: Evaluate | None = None
    measured: bool = True

    @property
    def subject(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class IfNode(DescribedStep):
    """One of two lists of steps.

    Attributes:
        shown: The condition as the plan writes it; so are all attributes of this name.
    """

    action: ClassVar[str] = "if"

    condition: Evaluate
    shown: str
    then: tuple[StepNode, ...]
    otherwise: tuple[StepNode, ...] = ()
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return self.shown


@dataclass(frozen=True, slots=True)
class RepeatNode(DescribedStep):
    """Run the steps `times` times, which has to be a whole number."""

    action: ClassVar[str] = "repeat"

    times: Evaluate
    shown: str
    steps: tuple[StepNode, ...]
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return self.shown


@dataclass(frozen=True, slots=True)
class WhileNode(DescribedStep):
    """Run the steps as long as the condition is true, but at most `most` times."""

    action: ClassVar[str] = "while"

    condition: Evaluate
    shown: str
    most: int
    steps: tuple[StepNode, ...]
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return self.shown

    @property
    def summary(self) -> str:
        return f"while {self.shown}, at most {self.most:,} times"


@dataclass(frozen=True, slots=True)
class ForeachNode(DescribedStep):
    action: ClassVar[str] = "foreach"

    variable: str
    items: Evaluate
    shown: str
    steps: tuple[StepNode, ...]
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return f"{self.variable} in {self.shown}"


@dataclass(frozen=True, slots=True)
class PollNode(DescribedStep):
    """Send the request until `until` is true of its reply.

    Attributes:
        every_ns: Pause after each reply.
        timeout_ns: For all attempts and pauses together.
    """

    action: ClassVar[str] = "poll"

    request: RequestNode
    until: Evaluate
    shown: str
    every_ns: int
    timeout_ns: int
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return self.request.name

    @property
    def summary(self) -> str:
        every, limit = write_duration(self.every_ns), write_duration(self.timeout_ns)
        return f"poll until {self.shown}, every {every} for at most {limit}"


@dataclass(frozen=True, slots=True)
class ParallelNode(DescribedStep):
    action: ClassVar[str] = "parallel"

    requests: tuple[RequestNode, ...]
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return format_count(len(self.requests), "request")


@dataclass(frozen=True, slots=True)
class CallNode(DescribedStep):
    """The steps of a flow, in the place where it is called."""

    action: ClassVar[str] = "call"

    flow: str
    steps: tuple[StepNode, ...]
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return self.flow


@dataclass(frozen=True, slots=True)
class LogNode(DescribedStep):
    action: ClassVar[str] = "log"

    text: Evaluate
    shown: str
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return self.shown


class StopWhat(StrEnum):
    ITERATION = "iteration"
    USER = "user"
    PHASE = "phase"
    PLAN = "plan"


@dataclass(frozen=True, slots=True)
class StopNode(DescribedStep):
    action: ClassVar[str] = "stop"

    what: StopWhat
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return self.what.value


@dataclass(frozen=True, slots=True)
class PythonNode(DescribedStep):
    """Call a function of the plan's hooks; `target` gets its result unless it is empty."""

    action: ClassVar[str] = "python"

    function: str
    arguments: tuple[tuple[str, Evaluate], ...]
    target: str = ""
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return self.function

    @property
    def label(self) -> str:
        return self.function


@dataclass(frozen=True, slots=True)
class ExecNode(DescribedStep):
    """Run a command, without a shell.

    Attributes:
        words: Program and arguments; a rendered value never becomes two of them.
        shown: The command as the plan writes it.
        directory: Where it runs.
        target: Gets what it prints, unless empty.
    """

    action: ClassVar[str] = "exec"

    words: tuple[Word, ...]
    shown: str
    directory: Path
    timeout_ns: int
    target: str = ""
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return self.shown

    @property
    def label(self) -> str:
        return self.shown


StepNode = (
    RequestNode
    | ThinkNode
    | SetNode
    | PushNode
    | PopNode
    | HeaderNode
    | GroupNode
    | IfNode
    | RepeatNode
    | WhileNode
    | ForeachNode
    | PollNode
    | ParallelNode
    | CallNode
    | LogNode
    | StopNode
    | PythonNode
    | ExecNode
)


# What most steps of a plan are. Nodes are abstract classes, so asking for each in turn is slow.
_COMMON_LEAVES: Final[frozenset[type[DescribedStep]]] = frozenset(
    {RequestNode, ThinkNode, SetNode, HeaderNode, LogNode}
)


def nested_steps(node: StepNode) -> tuple[tuple[str, Sequence[StepNode]], ...]:
    """Return the lists of steps inside a step, each with the key it stands under."""
    return () if node.__class__ in _COMMON_LEAVES else _nested(node)


def _nested(node: StepNode) -> tuple[tuple[str, Sequence[StepNode]], ...]:
    match node:
        case GroupNode() | RepeatNode() | WhileNode() | ForeachNode():
            return (("do", node.steps),)
        case CallNode():
            return ((node.flow, node.steps),)
        case IfNode():
            otherwise = (("else", node.otherwise),) if node.otherwise else ()
            return (("then", node.then), *otherwise)
        case PollNode():
            return (("poll", (node.request,)),)
        case ParallelNode():
            return (("parallel", node.requests),)
        case _:
            return ()


def walk_steps(steps: Sequence[StepNode]) -> Iterator[StepNode]:
    """Yield every step, each before those inside it."""
    for step in steps:
        yield step
        for _, inner in nested_steps(step):
            yield from walk_steps(inner)
