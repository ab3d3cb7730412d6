"""What reading a script's code gathers: steps, names, params, data, and what became of calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from planrunner.importers.draft import DraftStep, Keys
from planrunner.importers.formats.k6.state.modules import K6Modules
from planrunner.importers.formats.k6.state.objects import JsExpectation, JsSocket
from planrunner.importers.formats.k6.state.values import (
    ALWAYS,
    JsBranch,
    JsFunction,
    JsMetric,
    JsReply,
    JsValue,
    K6Module,
    K6Scope,
)
from planrunner.importers.templates import identifier
from planrunner.loss.ledger import Construct, SourcePlace
from planrunner.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from tree_sitter import Node

__all__ = ["K6Machine", "NoStepSays", "PendingMark"]

_MOST_WORK: Final = 60_000
_MOST_STEPS: Final = 5_000
_DEEPEST: Final = 24
_LONGEST_NAME: Final = 60


class NoStepSays(Exception):  # noqa: N818 - reads as the sentence it stands for
    """Code that a plan can't say."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(slots=True, eq=False)
class PendingMark:
    """A value of a metric that a request after it will take; `why` where none comes."""

    steps: list[DraftStep]
    construct: Construct | None
    put: Callable[[JsReply], None]
    why: str


def _no_word(of: JsExpectation, name: str) -> JsValue:
    del name
    return of


@dataclass(slots=True, eq=False)
class K6Machine:
    """The state of reading.

    Attributes:
        expressions: What reads each kind of expression; `statements` each kind of statement,
            `flows` those that may end the code around them.
        natives: What k6 and JavaScript bring themselves.
        expectation_word: What a word of chai makes of an expectation.
        lists: The steps that are being written: of a function, of the branch in it, …
        flags: Of the loops around the code: what a `break` sets to false.
        last: The reply that `status`, `body` and `headers` mean here.
        part: What is being read: `init`, `setup`, `vu` or `teardown`.
        trial: How many predicates are being read: no step may be written.
        state: Names of the plan that last for a user's life, with their first values.
        written: Globals that VUs set.
        metrics: Of the script, by name, with what became of their values.
        written_steps: How many steps have been written.
        has_checks: A check of the script is in the plan.
        recent: The last request that was sent anywhere, in a branch too.
        measured: How many requests of VUs are in the plan.
        unset_hosts: Variables of the environment that name hosts and have no default, and where.
        columns: What is read of the rows of data sources.
        missing: Files that the script opens and that aren't there.
        tags: Tag keys that requests set, with their values.
        scenario_tags: Tags of scenarios, with the scenarios that set them.
        libraries: Files of the import that are libraries which planrunner has a counterpart of.
        expected: The calls of `expect`, each with how many requests had been sent before it.
        described: What each `describe` around the code expects so far.
        branches: Each list of steps with the one around it, and when it runs.
        pending: Values of metrics that the next request of their steps takes with it.
        computed: Metrics whose values depend on replies.
        moved: Lists of which some steps were put into another, and that other.
        sockets: Those whose handlers run when the function has ended.
        ends: Where functions of the first level end that have been read.
        ws: Settings of WebSockets; `grpc` those of gRPC.
    """

    modules: K6Modules
    expressions: Mapping[str, Callable[..., JsValue]] = field(default_factory=dict)
    natives: Mapping[str, Callable[..., JsValue]] = field(default_factory=dict)
    statements: Mapping[str, Callable[..., None]] = field(default_factory=dict)
    flows: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    expectation_word: Callable[[JsExpectation, str], JsValue] = _no_word
    params: dict[str, Keys] = field(default_factory=dict)
    data: Keys = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    http: Keys = field(default_factory=dict)
    state: Keys = field(default_factory=dict)
    metrics: dict[str, JsMetric] = field(default_factory=dict)
    metric_uses: dict[str, set[str]] = field(default_factory=dict)
    tags: dict[str, set[str]] = field(default_factory=dict)
    scenario_tags: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    groups: set[str] = field(default_factory=set)
    lists: list[list[DraftStep]] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    last: JsReply | None = None
    part: str = "init"
    trial: int = 0
    work: int = 0
    sent: int = 0
    measured: int = 0
    written_steps: int = 0
    has_checks: bool = False
    recent: JsReply | None = None
    unset_hosts: dict[str, SourcePlace] = field(default_factory=dict)
    duplicated: int = 0
    taken: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    read_globals: set[str] = field(default_factory=set)
    columns: dict[str, dict[str, None]] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    libraries: set[str] = field(default_factory=set)
    expected: list[tuple[Construct | None, int]] = field(default_factory=list)
    described: list[list[JsValue]] = field(default_factory=list)
    branches: dict[int, tuple[list[DraftStep], list[DraftStep] | None, JsBranch | None]] = field(
        default_factory=dict
    )
    pending: list[PendingMark] = field(default_factory=list)
    computed: set[str] = field(default_factory=set)
    moved: list[tuple[list[DraftStep], list[DraftStep]]] = field(default_factory=list)
    sockets: list[JsSocket] = field(default_factory=list)
    ends: dict[SourcePlace, None] = field(default_factory=dict)
    ws: Keys = field(default_factory=dict)
    grpc: Keys = field(default_factory=dict)

    @property
    def depth(self) -> int:
        """How deep in branches and loops the code is that is being read."""
        return len(self.lists)

    def count(self) -> None:
        """Take one piece of code into account.

        Raises:
            NoStepSays: There is too much of it.
        """
        self.work += 1
        if self.work > _MOST_WORK:
            raise NoStepSays("the code is too long with its functions in place: write it as steps")

    def name(self, wanted: str) -> str:
        """Return a name that nothing else in the plan has."""
        found = identifier(wanted[:_LONGEST_NAME], self.taken)
        self.taken.add(found)
        return found

    def keep(self, name: str, first: object) -> None:
        """Let a name last for a user's life."""
        self.state[name] = first

    def counted(self, name: str, scope: K6Scope, *, is_before: bool) -> JsValue | None:
        """Return what `name++` gives where that is known of a name; None where it is computed."""
        del name, scope, is_before
        return None

    def end(self, function: JsFunction) -> None:
        """Note where a function of the first level ends that has been read."""
        if function.scope.above is None:
            start, (row, column) = (
                function.scope.module.place(function.node),
                function.node.end_point,
            )
            self.ends[SourcePlace(start.file, row + 1, column + 1)] = None

    def called(
        self, function: JsFunction, arguments: list[JsValue], node: Node, scope: K6Scope
    ) -> JsValue | None:
        """Return what a function gives that isn't read here; None for one that is."""
        del function, arguments, node, scope
        return None

    def emit(self, body: Keys, node: Node, scope: K6Scope) -> DraftStep:
        """Write a step.

        Raises:
            NoStepSays: None can be written here.
        """
        if self.trial or not self.lists:
            where = "in a condition" if self.trial else "before the test begins"
            raise NoStepSays(f"a step {where}: do it in `setup` or before")
        self.written_steps += 1
        if self.written_steps > _MOST_STEPS:
            raise NoStepSays("more steps than a plan should have: write a loop, or several plans")
        step = DraftStep(body, origin=scope.module.place(node))
        self.lists[-1].append(step)
        return step

    @contextmanager
    def branch(self, when: JsBranch | None = ALWAYS) -> Iterator[list[DraftStep]]:
        """Write steps into a list of their own; the last reply before is so after, too.

        Args:
            when: The condition under which they run; None for a loop.
        """
        if len(self.lists) > _DEEPEST + 2:
            raise NoStepSays("code that is nested too deeply")
        steps: list[DraftStep] = []
        before = self.last
        self.branches[id(steps)] = steps, self.lists[-1] if self.lists else None, when
        self.lists.append(steps)
        try:
            yield steps
        finally:
            self.lists.pop()
            self.last = before

    @contextmanager
    def loop(self, flag: str) -> Iterator[None]:
        """Read the body of a loop; `flag` is the name that a `break` sets, or empty."""
        self.flags.append(flag)
        try:
            yield
        finally:
            self.flags.pop()

    @property
    def is_deep(self) -> bool:
        """Whether another branch would nest deeper than a plan may."""
        return len(self.lists) > _DEEPEST

    def way_to(self, steps: list[DraftStep]) -> list[tuple[int, JsBranch | None]]:
        """Return the lists from the outermost to this one, each with when it runs."""
        found: list[tuple[int, JsBranch | None]] = []
        one: list[DraftStep] | None = steps
        while one is not None and id(one) in self.branches:
            _, above, when = self.branches[id(one)]
            found.append((id(one), when))
            one = above
        return found[::-1]

    def finding(self, kind: str, words: str, place: SourcePlace, fate: str, why: str) -> None:
        """Add something that is no call."""
        construct = self.modules.ledger.add(kind, words, place)
        getattr(construct, fate)(why)

    def accept(self, module: K6Module, *nodes: Node) -> None:
        """Judge every call in some code: translated."""
        for construct in module.within(*nodes):
            construct.translated()

    def leave_out(self, module: K6Module, why: str, *nodes: Node) -> None:
        """Judge the calls in some code that nobody has judged: left out."""
        for construct in module.within(*nodes):
            if construct.fate is None:
                construct.left_out(why)

    def change(self, module: K6Module, node: Node, how: str) -> None:
        """Judge a call: in the plan, with another meaning."""
        construct = module.construct(node)
        if construct is None:
            construct = next(module.within(node), None)
        if construct is not None:
            construct.changed(how)

    def param(self, env: str, spec: Keys) -> str:
        """Return the param that stands for a variable of the environment."""
        for name, known in self.params.items():
            if known.get("env") != env:
                continue
            if known.get("default") == "" or known.get("default") == spec.get("default"):
                self.params[name] = {**known, **spec}
                return name
            if spec.get("default") == "":
                return name
        name = self.name(env)
        self.params[name] = spec
        return name
