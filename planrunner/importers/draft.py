"""The draft of a plan: plain values in the plan language, with notes and places of origin.

A draft is what a reader makes and what `plan_text` writes. Values below its nodes are what YAML
can hold; steps within steps (`do`, `then`, `else`, …) are lists of `DraftStep`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from planrunner.loss.ledger import SourcePlace

__all__ = [
    "DraftClass",
    "DraftFlow",
    "DraftNode",
    "DraftParam",
    "DraftPhase",
    "DraftPlan",
    "DraftStep",
    "DraftTask",
    "DraftThreshold",
    "Keys",
    "all_nodes",
    "all_steps",
    "origin_of",
    "steps_within",
]

Keys = dict[str, object]


@dataclass(slots=True, kw_only=True)
class DraftNode:
    """A piece of a draft that may have comments above it.

    Attributes:
        origin: Where the original begins; findings behind it, up to the next node of the same
            file, become comments above this one.
        notes: Comment lines, without `#`.
    """

    origin: SourcePlace | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class DraftStep(DraftNode):
    """A step, as the plan language has it: `{"get": "/x", "expect": {"status": 200}}`."""

    body: Keys


@dataclass(slots=True)
class DraftTask(DraftNode):
    """A task of a class: a name and steps, or one request step that is the task itself.

    Attributes:
        name: Empty for a task that is its only step, under that step's name.
        keys: `tags`, `needs`, `timeout` and the like.
    """

    name: str
    steps: list[DraftStep]
    weight: int = 1
    keys: Keys = field(default_factory=dict)


@dataclass(slots=True)
class DraftClass(DraftNode):
    """A user class; it has tasks (weighted picks) or steps (a fixed flow), never both.

    Attributes:
        keys: `weight`, `wait`, `pace`, `state`, `http`, `tags` and the like.
    """

    name: str
    keys: Keys = field(default_factory=dict)
    on_start: list[DraftStep] = field(default_factory=list)
    tasks: list[DraftTask] = field(default_factory=list)
    steps: list[DraftStep] = field(default_factory=list)
    on_stop: list[DraftStep] = field(default_factory=list)


@dataclass(slots=True)
class DraftParam(DraftNode):
    """A param: its default, or a mapping of `type`, `default`, `secret`, `env`, `help`."""

    spec: object


@dataclass(slots=True)
class DraftFlow(DraftNode):
    """A flow: steps that several places call."""

    steps: list[DraftStep]
    args: Keys = field(default_factory=dict)


@dataclass(slots=True)
class DraftPhase(DraftNode):
    """A phase: `{"name": "load", "users": 10, "hold": "1m"}`."""

    keys: Keys


@dataclass(slots=True)
class DraftThreshold(DraftNode):
    """A threshold: a sentence, or a mapping."""

    threshold: object


@dataclass(slots=True)
class DraftPlan(DraftNode):
    """A plan.

    Attributes:
        extra: Other keys of the first level: `ws`, `environments`, `hooks`, `report`.
        files: What stands beside the plan, by relative path: bytes, or the file to copy.
        ends: Where code ends that steps are made of: findings behind it are about the plan.
        copies_code: Among them is code of the original, which an import does not run.
    """

    name: str
    description: str = ""
    params: dict[str, DraftParam] = field(default_factory=dict)
    http: Keys = field(default_factory=dict)
    data: Keys = field(default_factory=dict)
    flows: dict[str, DraftFlow] = field(default_factory=dict)
    setup: list[DraftStep] = field(default_factory=list)
    users: list[DraftClass] = field(default_factory=list)
    phases: list[DraftPhase] = field(default_factory=list)
    thresholds: list[DraftThreshold] = field(default_factory=list)
    teardown: list[DraftStep] = field(default_factory=list)
    extra: Keys = field(default_factory=dict)
    files: dict[str, bytes | Path] = field(default_factory=dict)
    ends: list[SourcePlace] = field(default_factory=list)
    copies_code: bool = False


def all_steps(draft: DraftPlan) -> Iterator[DraftStep]:
    """Yield every step of a draft, those within steps after the step around them."""
    lists = [draft.setup, *(flow.steps for flow in draft.flows.values())]
    for one in draft.users:
        lists += [one.on_start, *(task.steps for task in one.tasks), one.steps, one.on_stop]
    for steps in [*lists, draft.teardown]:
        yield from steps_within(steps)


def all_nodes(draft: DraftPlan) -> Iterator[DraftNode]:
    """Yield every piece of a draft that may have comments above it."""
    yield from draft.params.values()
    yield from draft.flows.values()
    for one in draft.users:
        yield one
        yield from one.tasks
    yield from draft.phases
    yield from draft.thresholds
    yield from all_steps(draft)


def origin_of(draft: DraftPlan) -> SourcePlace | None:
    """Return where a plan comes from: its own place, or that of the first piece that has one."""
    nodes = [draft, *draft.users, *all_steps(draft), *draft.phases]
    return next((one.origin for one in nodes if one.origin is not None), None)


def steps_within(value: object) -> Iterator[DraftStep]:
    """Yield the steps in a step, a list or a mapping, those within steps after the one around."""
    if isinstance(value, DraftStep):
        yield value
        yield from steps_within(value.body)
    elif isinstance(value, dict):
        for below in value.values():
            yield from steps_within(below)
    elif isinstance(value, list):
        for below in value:
            yield from steps_within(below)
