"""The run graph: what a plan becomes once nothing in it is left to look up.

Everything here is frozen and free of pydantic, YAML and I/O. Closures (`Evaluate`) don't pickle:
a worker compiles its own graph from the same bundle and compares `RunGraph.plan_hash`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from enum import StrEnum

from planrunner.formats import usual_formats
from planrunner.graph.data import DataNode, FileNode
from planrunner.graph.loads import ClosedLoad, CountedLoad, Load, OpenLoad, SearchLoad
from planrunner.graph.notification import NotificationNode
from planrunner.graph.outputs import OutputNode
from planrunner.graph.shared_steps import ALL_USERS, PoolNode
from planrunner.graph.steps import (
    BarrierNode,
    CallNode,
    ChooseNode,
    Evaluate,
    ForeachNode,
    FunctionNode,
    GroupNode,
    HeaderNode,
    IfNode,
    LogNode,
    OnError,
    ParallelNode,
    PollNode,
    PopNode,
    PushNode,
    RepeatNode,
    RequestNode,
    SetNode,
    StepNode,
    StopNode,
    StopWhat,
    SwitchNode,
    ThinkNode,
    WhileNode,
    nested_steps,
    walk_steps,
)
from planrunner.graph.target import MonitorNode, ReadyNode, ServiceNode
from planrunner.graph.value_origin import ValueOrigin
from planrunner.metrics.measures import Measure
from planrunner.metrics.thresholds import Threshold
from planrunner.protocols.base import Scope
from planrunner.schedule.chains import long_run_shares
from planrunner.schedule.pauses import Pause, PauseKind
from planrunner.schedule.population import Share, Stage
from planrunner.values import dataclass

__all__ = [
    "ALL_USERS",
    "BarrierNode",
    "Block",
    "CallNode",
    "ChooseNode",
    "ClosedLoad",
    "CountedLoad",
    "Evaluate",
    "ForeachNode",
    "FunctionNode",
    "GroupNode",
    "HeaderNode",
    "IfNode",
    "Load",
    "LogNode",
    "MonitorNode",
    "Needs",
    "OnError",
    "OnFail",
    "OpenLoad",
    "ParallelNode",
    "Pause",
    "PauseKind",
    "PhaseNode",
    "PollNode",
    "PoolNode",
    "PopNode",
    "PushNode",
    "ReadyNode",
    "RepeatNode",
    "ReportSettings",
    "RequestNode",
    "RunGraph",
    "SearchLoad",
    "ServiceNode",
    "SetNode",
    "Stage",
    "StepNode",
    "StopNode",
    "StopWhat",
    "SwitchNode",
    "TaskPick",
    "TaskProgram",
    "ThinkNode",
    "UserProgram",
    "WhileNode",
    "barriers_of",
    "nested_steps",
    "walk_steps",
]


class TaskPick(StrEnum):
    RANDOM = "random"
    BALANCED = "balanced"


@dataclass(frozen=True, slots=True)
class Needs:
    """What must be true for a picked task to run.

    Attributes:
        shown: The condition as the plan writes it.
        otherwise: `skip`, `repick`, or the name of the task that runs instead.
    """

    condition: Evaluate
    shown: str
    otherwise: str = "skip"


@dataclass(frozen=True, slots=True)
class TaskProgram:
    """A task; a class with `steps` has one task with an empty name.

    Attributes:
        timeout_ns: For one run of all its steps; 0 for none.
        following: What the user's next pick is drawn from, with weights; empty for all tasks.
        place: File and line: `plan.yaml:12`; empty where nobody knows.
    """

    name: str
    weight: int
    steps: tuple[StepNode, ...]
    tags: tuple[tuple[str, str], ...] = ()
    needs: Needs | None = None
    timeout_ns: int = 0
    on_error: OnError = OnError.CONTINUE
    following: tuple[tuple[str, int], ...] = ()
    place: str = field(default="", compare=False, repr=False)


class OnFail(StrEnum):
    STOP_USER = "stop_user"
    STOP_PLAN = "stop_plan"
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class Block:
    """Steps that run once: before the load, or after it.

    Attributes:
        names: What its steps set or extract; every user may read it afterwards.
    """

    steps: tuple[StepNode, ...]
    on_fail: OnFail = OnFail.STOP_USER
    names: tuple[str, ...] = ()


class SessionLife(StrEnum):
    """How long a visitor's cookies, headers, state and tokens last."""

    USER = "user"
    ITERATION = "iteration"


class Renewal(StrEnum):
    """What begins anew with each iteration of a user."""

    NOTHING = "nothing"
    SESSION = "session"
    LIFE = "life"


@dataclass(frozen=True, slots=True)
class UserProgram:
    """What a virtual user of one class does.

    Attributes:
        weight: Share of the phase's users; at least 1.
        count: An exact number of users instead, None when the class is weighted.
        state: Names that live as long as the user, with their first values.
        iteration_names: Names that are forgotten when an iteration ends.
        uses_iteration: True when an expression reads `iteration` or `user.iteration`.
        data: Keys of data sources that its users draw rows from; `rows`, of which they have all.
        pace_ns: From one iteration's due time to the next; 0 for none. Not with `wait`.
        session: As the plan says; None leaves it to the model of load.
        files: Names of the files that its steps read.
        start_names: Names that on_start sets beside the state.
        hidden_names: Names of the plan, from `setup`, that steps of the class set for the user.
    """

    name: str
    weight: int
    count: int | None
    wait: Pause | None
    tasks: tuple[TaskProgram, ...]
    pick: TaskPick = TaskPick.RANDOM
    on_start: tuple[StepNode, ...] = ()
    on_stop: tuple[StepNode, ...] = ()
    on_start_fail: OnFail = OnFail.STOP_USER
    on_stop_fail: OnFail = OnFail.STOP_USER
    state: tuple[tuple[str, Evaluate], ...] = ()
    iteration_names: tuple[str, ...] = ()
    uses_iteration: bool = False
    data: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    pace_ns: int = 0
    session: SessionLife | None = None
    start_names: tuple[str, ...] = ()
    hidden_names: tuple[str, ...] = ()

    def renewal(self, load: Load) -> Renewal:
        """Return what an iteration of this load begins without.

        An arrival is a new visitor. A class with on_start signs in once, its author says; then its
        users are customers who return, unless the plan says otherwise.
        """
        if self.session is SessionLife.ITERATION:
            return Renewal.LIFE
        if self.session is None and load.has_due_times and not self.on_start:
            return Renewal.SESSION
        return Renewal.NOTHING

    @property
    def is_chained(self) -> bool:
        """Whether a pick may depend on the last one."""
        return any(task.following for task in self.tasks)

    @property
    def following(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """For each task, the tasks that may follow it, by position, with their weights."""
        positions = {task.name: position for position, task in enumerate(self.tasks)}
        return tuple(
            tuple((positions[name], weight) for name, weight in task.following)
            for task in self.tasks
        )

    def task_shares(self, load: Load | None = None) -> tuple[float, ...]:
        """Return the share of picks that each task has in the long run.

        Args:
            load: Where `next` counts for nothing if each of its iterations is a new visitor's.
        """
        weights = [task.weight for task in self.tasks]
        chained = self.is_chained and (load is None or self.renewal(load) is Renewal.NOTHING)
        if not chained:
            whole = sum(weights)
            return tuple(weight / whole for weight in weights)
        following = [dict(pairs) for pairs in self.following]
        columns = range(len(weights))
        return long_run_shares(
            weights, [[pairs.get(column, 0) for column in columns] for pairs in following]
        )

    @property
    def share(self) -> Share:
        """The class's part of a population."""
        return Share(self.name, self.weight, self.count)


def barriers_of(program: UserProgram) -> Iterator[BarrierNode]:
    """Yield the steps of a class that wait for other users."""
    for steps in (program.on_start, *(task.steps for task in program.tasks)):
        for step in walk_steps(steps):
            if isinstance(step, BarrierNode):
                yield step


@dataclass(frozen=True, slots=True)
class PhaseNode:
    """One phase.

    Attributes:
        classes: Names of the user classes that take part, in file order.
        start_at_ns: Offset from the start of the run; None runs it after the phase before.
        warmup_ns: From the phase's start; samples that start within it are labelled.
        warmup_iterations: In its place, how many of the first iterations are labelled: of all
            users together, or of each where each has a number of its own.
        programs: What its classes do, if that differs from `RunGraph.users`: the phase has params
            or a selection of its own.
        params: Params that are its own, as shown to people.
        profile: The profile that has it, where the one that runs only uses that; else empty.
        files: What its users read, written with its params.
        scope: Names that its users start with beside those of all.
        matrix: The phase of the plan that it is a combination of; empty for one without matrix.
        axes: Each axis of the matrix with the value that it has here, as the plan writes it.
        sizes: What differs within the matrix and is a number: params as expressions have them
            (seconds, bytes, per second, fractions), `users`, `rate`.
        size_units: What those of them are that aren't plain numbers: `duration`, `size` …
    """

    name: str
    load: Load
    classes: tuple[str, ...]
    start_at_ns: int | None = None
    warmup_ns: int = 0
    warmup_iterations: int = 0
    graceful_stop_ns: int = 30_000_000_000
    programs: tuple[UserProgram, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    profile: str = ""
    files: tuple[FileNode, ...] = ()
    scope: Scope = field(default_factory=dict, repr=False)
    matrix: str = ""
    axes: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, float] = field(default_factory=dict)
    size_units: Mapping[str, str] = field(default_factory=dict)

    def class_of_seats(self, programs: Iterable[UserProgram]) -> tuple[str, ...]:
        """Return the class of each user, in the order in which they start.

        Empty where arrivals decide who starts.
        """
        return self.load.class_of_seats([program.share for program in programs])


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """What to write.

    Attributes:
        directory: Needs `run.id` and `run.seed`; None for the default `reports/SLUG/TIME-RUNID`.
        formats: Names of `planrunner.formats`.
        samples: `all`, `failures`, `none` or a percentage such as `10%`.
    """

    directory: Evaluate | None = None
    formats: tuple[str, ...] = usual_formats()
    samples: str = "all"


@dataclass(frozen=True, slots=True)
class RunGraph:
    """A compiled plan, ready to run.

    Attributes:
        source: The plan's path as the user gave it.
        plan_hash: Hex digest over every text the plan was made from and the resolved params.
        seed: Of every random draw; drawn from the system when the plan has none.
        seed_was_drawn: True when the plan had none.
        profile: The profile that runs, empty when the plan has none.
        profile_reason: Why that one: an option, an environment, or that it is the first.
        params: Resolved params as shown to people; secrets are masked.
        secrets: Values that must never be shown, for the masking of foreign text.
        shows_named: Whether values are shown that only their names give away, such as `token`.
        scope: Names every user starts with beside its own.
        data: The data sources, in file order, then those that params of phases change.
        notices: What the user should know before the run, each a sentence.
        clients: The client that sends each protocol's requests, and the reason in words.
        settings: Each protocol's settings, by registry name; opaque to the engine.
        sources: Addresses that this machine has to have, each with its place in the plan.
        origins: Where the values of a plan with defaults come from.
        default_threshold: True when the plan had none and `error_rate < 1%` was put in.
        plan_text: The plan's own text, secrets masked.
        baseline: The file that `N% of baseline` compares with; it need not be there.
        labels: What the user calls the run, to find and compare it.
        preflight: Requests that must pass before anything else is sent.
        monitors: What is measured beside the services.
        measures: By protocol, what is recorded of its requests beside latency and service time.
        pools: The lists that users share.
        files: What preflight, setup and teardown read.
        outputs: Who receives the run while it lasts.
        notifications: Whom a run tells what came of it.
    """

    source: str
    name: str
    slug: str
    description: str
    plan_hash: str
    seed: int
    seed_was_drawn: bool
    profile: str
    params: Mapping[str, str]
    settings: Mapping[str, object]
    services: tuple[ServiceNode, ...]
    users: tuple[UserProgram, ...]
    phases: tuple[PhaseNode, ...]
    thresholds: tuple[Threshold, ...]
    report: ReportSettings
    profile_reason: str = ""
    origins: tuple[ValueOrigin, ...] = ()
    default_threshold: bool = False
    secrets: tuple[str, ...] = ()
    shows_named: bool = False
    data: tuple[DataNode, ...] = ()
    notices: tuple[str, ...] = ()
    clients: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    sources: tuple[tuple[str, str], ...] = ()
    scope: Scope = field(default_factory=dict)
    preflight: tuple[RequestNode, ...] = ()
    setup: Block | None = None
    teardown: Block | None = None
    monitors: tuple[MonitorNode, ...] = ()
    plan_text: str = ""
    baseline: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    measures: Mapping[str, tuple[Measure, ...]] = field(default_factory=dict)
    pools: tuple[PoolNode, ...] = ()
    files: tuple[FileNode, ...] = ()
    outputs: tuple[OutputNode, ...] = ()
    notifications: tuple[NotificationNode, ...] = ()

    @property
    def written_files(self) -> tuple[FileNode, ...]:
        """Every file that is written before the load, once."""
        nodes = (*self.files, *(node for phase in self.phases for node in phase.files))
        return tuple({node.file: node for node in nodes}.values())

    @property
    def planned_ns(self) -> int:
        """How long the phases take, one after the other and beside them, without graceful stops."""
        in_order_ns, ends_ns = 0, [0]
        for phase in self.phases:
            if phase.start_at_ns is None:
                in_order_ns += phase.load.planned_ns
            else:
                ends_ns.append(phase.start_at_ns + phase.load.planned_ns)
        return max(in_order_ns, *ends_ns)

    def programs_of(self, phase: PhaseNode) -> tuple[UserProgram, ...]:
        """Return what each class does in a phase, in file order."""
        return phase.programs or tuple(
            program for program in self.users if program.name in phase.classes
        )

    def first_phases(self) -> tuple[PhaseNode, ...]:
        """Return for each class the first phase that it takes part in, in the order of the run."""
        firsts = {
            next((phase.name for phase in self.phases if program.name in phase.classes), "")
            for program in self.users
        }
        return tuple(phase for phase in self.phases if phase.name in firsts)

    def programs(self) -> Iterator[UserProgram]:
        """Yield what users do: every class, and as some phases have it."""
        yield from self.users
        for phase in self.phases:
            yield from phase.programs
