"""The steps of a run graph: a closed union of nodes, one class for each action."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Literal

from planrunner.language.expressions.values import Evaluate
from planrunner.load.pauses import Pause
from planrunner.protocols.base import Exchange
from planrunner.values import dataclass

__all__ = [
    "CallNode",
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
class RequestNode:
    """One request; `name` is the series name.

    Attributes:
        tags: Static tags, sorted.
        reply_tags: Tags whose value comes from the reply: (key, expression over reply names).
        reads_reply: True when an expression needs json, body, headers or status afterwards.
    """

    name: str
    exchange: Exchange
    tags: tuple[tuple[str, str], ...] = ()
    reply_tags: tuple[tuple[str, Evaluate], ...] = ()
    measured: bool = True
    when: Evaluate | None = None
    reads_reply: bool = False


@dataclass(frozen=True, slots=True)
class ThinkNode:
    pause: Pause
    when: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class SetNode:
    values: tuple[tuple[str, Evaluate], ...]
    when: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class PushNode:
    """Values to add, each to the end of the list with the name before it."""

    values: tuple[tuple[str, Evaluate], ...]
    when: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class PopNode:
    """Take an element out of the list `source`; `target` gets it unless it is empty."""

    source: str
    which: Literal["first", "last", "random"]
    target: str = ""
    when: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class HeaderNode:
    """Headers for the user's later requests; a value of None takes the header away."""

    values: tuple[tuple[str, Evaluate | None], ...]
    when: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class GroupNode:
    name: str
    steps: tuple[StepNode, ...]
    when: Evaluate | None = None
    measured: bool = True


@dataclass(frozen=True, slots=True)
class IfNode:
    """One of two lists of steps.

    Attributes:
        shown: The condition as the plan writes it; so are all attributes of this name.
    """

    condition: Evaluate
    shown: str
    then: tuple[StepNode, ...]
    otherwise: tuple[StepNode, ...] = ()
    when: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class RepeatNode:
    """Run the steps `times` times, which has to be a whole number."""

    times: Evaluate
    shown: str
    steps: tuple[StepNode, ...]
    when: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class WhileNode:
    """Run the steps as long as the condition is true, but at most `most` times."""

    condition: Evaluate
    shown: str
    most: int
    steps: tuple[StepNode, ...]
    when: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class ForeachNode:
    variable: str
    items: Evaluate
    shown: str
    steps: tuple[StepNode, ...]
    when: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class PollNode:
    """Send the request until `until` is true of its reply.

    Attributes:
        every_ns: Pause after each reply.
        timeout_ns: For all attempts and pauses together.
    """

    request: RequestNode
    until: Evaluate
    shown: str
    every_ns: int
    timeout_ns: int
    when: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class ParallelNode:
    requests: tuple[RequestNode, ...]
    when: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class CallNode:
    """The steps of a flow, in the place where it is called."""

    flow: str
    steps: tuple[StepNode, ...]
    when: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class LogNode:
    text: Evaluate
    shown: str
    when: Evaluate | None = None


class StopWhat(StrEnum):
    ITERATION = "iteration"
    USER = "user"
    PHASE = "phase"
    PLAN = "plan"


@dataclass(frozen=True, slots=True)
class StopNode:
    what: StopWhat
    when: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class PythonNode:
    """Call a function of the plan's hooks; `target` gets its result unless it is empty."""

    function: str
    arguments: tuple[tuple[str, Evaluate], ...]
    target: str = ""
    when: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class ExecNode:
    """Run a command, without a shell.

    Attributes:
        words: Program and arguments; a rendered value never becomes two of them.
        shown: The command as the plan writes it.
        directory: Where it runs.
        target: Gets what it prints, unless empty.
    """

    words: tuple[Word, ...]
    shown: str
    directory: Path
    timeout_ns: int
    target: str = ""
    when: Evaluate | None = None


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


def nested_steps(node: StepNode) -> tuple[tuple[str, Sequence[StepNode]], ...]:
    """Return the lists of steps inside a step, each with the key it stands under."""
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
