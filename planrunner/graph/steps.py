"""The steps of a run graph: a closed union of nodes, one class for each action."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import ClassVar, cast

from planrunner.graph.described_step import DescribedStep, Nested, StepOrigin
from planrunner.graph.function_steps import FunctionNode
from planrunner.graph.outer_steps import LogNode, StopNode, StopWhat
from planrunner.graph.sending_steps import (
    Naming,
    ParallelNode,
    PollNode,
    RecordedNode,
    RequestNode,
    ThinkNode,
)
from planrunner.graph.shared_steps import BarrierNode, PopNode, PushNode
from planrunner.language.expressions.values import Evaluate
from planrunner.protocols.base import Exchange
from planrunner.values import dataclass

__all__ = [
    "BarrierNode",
    "CallNode",
    "ChooseNode",
    "DescribedStep",
    "Evaluate",
    "ForeachNode",
    "FunctionNode",
    "GroupFrame",
    "GroupNode",
    "HeaderNode",
    "IfNode",
    "LogNode",
    "Naming",
    "OnError",
    "ParallelNode",
    "PollNode",
    "PopNode",
    "PushNode",
    "RecordedNode",
    "RepeatNode",
    "RequestNode",
    "SetNode",
    "StepNode",
    "StepOrigin",
    "StopNode",
    "StopWhat",
    "SwitchNode",
    "ThinkNode",
    "WhileNode",
    "nested_steps",
    "walk_steps",
]


@dataclass(frozen=True, slots=True)
class SetNode(DescribedStep):
    action: ClassVar[str] = "set"

    values: tuple[tuple[str, Evaluate], ...]
    when: Evaluate | None = None

    @property
    def subject(self) -> list[str]:
        return [name for name, _ in self.values]


@dataclass(frozen=True, slots=True)
class HeaderNode(DescribedStep):
    """Headers for the user's later requests; a value of None takes the header away."""

    action: ClassVar[str] = "header"

    values: tuple[tuple[str, Evaluate | None], ...]
    when: Evaluate | None = None

    @property
    def subject(self) -> list[str]:
        return [name for name, _ in self.values]


class OnError(StrEnum):
    """What follows a request that failed, beside its sample."""

    CONTINUE = "continue"
    STOP_ITERATION = "stop_iteration"
    STOP_USER = "stop_user"
    LEAVE_GROUP = "leave_group"  # within a protocol's group, which plans don't write

    @property
    def words(self) -> str:
        does = {"stop_iteration": "ends the iteration", "stop_user": "stops the user"}
        return f"a failed request {does.get(self.value, 'ends nothing')}"


@dataclass(frozen=True, slots=True)
class GroupFrame:
    """What a protocol's group sends around its steps.

    Attributes:
        action: Its word: `sql.transaction`.
        before: Sent before the first step.
        after: Sent after the last one.
        instead: Sent instead of that when a step fails, or when they are stopped or cut.
    """

    action: str
    before: Exchange
    after: Exchange
    instead: Exchange


@dataclass(frozen=True, slots=True)
class GroupNode(DescribedStep):
    """Steps that are timed together.

    Attributes:
        on_error: For the requests in it; None for what holds around it. Of a protocol's group, for
            the group.
        frame: What it sends around them; None of a plain group.
    """

    action: ClassVar[str] = "group"

    name: str
    steps: tuple[StepNode, ...]
    when: Evaluate | None = None
    measured: bool = True
    on_error: OnError | None = None
    frame: GroupFrame | None = None

    @property
    def as_request(self) -> RequestNode:
        """A request with its name: where the end of a protocol's group fails, that has."""
        assert self.frame is not None
        return RequestNode(self.name, self.frame.after, measured=self.measured, origin=self.origin)

    @property
    def subject(self) -> str:
        return self.name

    @property
    def summary(self) -> str:
        what = f"group {self.name}"
        if self.frame is not None:
            action = self.frame.action
            what = action if self.name == action else f"{action} {self.name}"
        return what + (f", {self.on_error.words}" if self.on_error else "")

    @property
    def nested(self) -> Nested:
        return (("do", self.steps),)


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

    @property
    def nested(self) -> Nested:
        otherwise = (("else", self.otherwise),) if self.otherwise else ()
        return (("then", self.then), *otherwise)


@dataclass(frozen=True, slots=True)
class ChooseNode(DescribedStep):
    """One of several lists of steps, each with its weight, drawn from the user's stream."""

    action: ClassVar[str] = "choose"

    choices: tuple[tuple[int, tuple[StepNode, ...]], ...]
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return f"one of {len(self.choices):,}"

    @property
    def nested(self) -> Nested:
        total = sum(weight for weight, _ in self.choices)
        return tuple((f"{100 * weight / total:.0f} %", steps) for weight, steps in self.choices)


@dataclass(frozen=True, slots=True)
class SwitchNode(DescribedStep):
    """The list of steps that stands at a value, as text; `otherwise` where none does."""

    action: ClassVar[str] = "switch"

    value: Evaluate
    shown: str
    cases: tuple[tuple[str, tuple[StepNode, ...]], ...]
    otherwise: tuple[StepNode, ...] = ()
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return self.shown

    @property
    def nested(self) -> Nested:
        otherwise = (("else", self.otherwise),) if self.otherwise else ()
        return (*self.cases, *otherwise)


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

    @property
    def nested(self) -> Nested:
        return (("do", self.steps),)


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

    @property
    def nested(self) -> Nested:
        return (("do", self.steps),)


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

    @property
    def nested(self) -> Nested:
        return (("do", self.steps),)


@dataclass(frozen=True, slots=True)
class CallNode(DescribedStep):
    """The steps of a flow, in the place where it is called.

    Attributes:
        arguments: Names that exist while it runs, and their values.
        target: Gets the values of `names`, by name; empty when nothing does.
        names: What its steps may set or extract.
    """

    action: ClassVar[str] = "call"

    flow: str
    steps: tuple[StepNode, ...]
    arguments: tuple[tuple[str, Evaluate], ...] = ()
    target: str = ""
    names: tuple[str, ...] = ()
    when: Evaluate | None = None

    @property
    def subject(self) -> str:
        return self.flow

    @property
    def is_plain(self) -> bool:
        """Whether its steps might as well stand where it does."""
        return self.when is None and not self.arguments and not self.target

    @property
    def nested(self) -> Nested:
        return ((self.flow, self.steps),)


StepNode = (
    RequestNode
    | ThinkNode
    | SetNode
    | PushNode
    | PopNode
    | BarrierNode
    | HeaderNode
    | GroupNode
    | IfNode
    | ChooseNode
    | SwitchNode
    | RepeatNode
    | WhileNode
    | ForeachNode
    | PollNode
    | ParallelNode
    | CallNode
    | LogNode
    | StopNode
    | FunctionNode
)


def nested_steps(node: StepNode) -> tuple[tuple[str, Sequence[StepNode]], ...]:
    """Return the lists of steps inside a step, each with the key it stands under."""
    return cast("tuple[tuple[str, Sequence[StepNode]], ...]", node.nested)


def walk_steps(steps: Sequence[StepNode]) -> Iterator[StepNode]:
    """Yield every step, each before those inside it."""
    for step in steps:
        yield step
        for _, inner in nested_steps(step):
            yield from walk_steps(inner)
