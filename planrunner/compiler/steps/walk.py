"""A walk through a list of steps: what is known on the way, and what has been set."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Final

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.names.known_names import Known
from planrunner.compiler.names.references import references_in
from planrunner.compiler.names.shared_names import SharedNames
from planrunner.compiler.settings_block import SettingsBlocks
from planrunner.graph.steps import Evaluate, RequestNode, StepNode, StepOrigin, ThinkNode
from planrunner.language.diagnostics import Code, suggest
from planrunner.language.expressions.expression import RESERVED
from planrunner.plan.functions import PlanFunction
from planrunner.plan.models.requests import RequestStep
from planrunner.plan.models.steps import FlowModel, StepModel
from planrunner.plan.yaml.document import PlanPath
from planrunner.protocols import registry
from planrunner.protocols.lowering import Files
from planrunner.values import dataclass

__all__ = ["REPLY_NAMES", "Flows", "StepWalk", "reads_of_reply"]

REPLY_NAMES: Final = frozenset({"json", "body", "headers", "status"})


@dataclass(frozen=True, slots=True)
class Flows:
    """The plan's flows.

    Attributes:
        left_behind: What is known after each of them, as far as loops have asked.
    """

    models: Mapping[str, FlowModel] = field(default_factory=dict)
    left_behind: dict[str, Known] = field(default_factory=dict, compare=False)


@dataclass(slots=True)
class StepWalk(ABC):
    """A walk through steps; `known` and `written` grow as they set and extract names.

    Attributes:
        measured: What `measure` is unless a step says otherwise.
        written: Names that a step on the way may have set.
        given: Names that replies on the way may have given; they don't outlast the iteration.
        calling: The flows that are being walked, outermost first.
        around: The protocols' groups that are being walked, outermost first.
        arguments: Those of these flows whose values are known and never change.
        has_phase: False in setup and teardown, where no phase runs that could be stopped.
        publishes: True once a request leaves its reply's names behind for later expressions.
        shared: What users share, and which steps use it.
        functions: What stands in the plan in the place of steps.
    """

    work: Compilation
    blocks: SettingsBlocks
    files_at: Callable[[PlanPath], Files]
    flows: Flows
    known: Known
    measured: bool = True
    written: set[str] = field(default_factory=set)
    given: set[str] = field(default_factory=set)
    calling: tuple[str, ...] = ()
    around: tuple[str, ...] = ()
    arguments: Mapping[str, object] = field(default_factory=dict)
    has_phase: bool = True
    publishes: bool = False
    shared: SharedNames = field(default_factory=SharedNames)
    functions: Mapping[str, PlanFunction] = field(default_factory=dict)

    @abstractmethod
    def steps(
        self,
        models: Sequence[StepModel],
        path: PlanPath,
        read_later: frozenset[str] = frozenset(),
    ) -> tuple[StepNode, ...]:
        """Compile a list of steps that stands at `path`.

        Args:
            models: The steps.
            path: Where the list stands.
            read_later: Names of the reply that steps after the list may read.
        """

    @abstractmethod
    def request(
        self,
        model: RequestStep,
        path: PlanPath,
        when: Evaluate | None = None,
        read_later: frozenset[str] = frozenset(),
    ) -> RequestNode:
        """Compile one request, of whatever protocol; `path` is that of its step."""

    @abstractmethod
    def pause_after(self, model: StepModel, path: PlanPath) -> ThinkNode | None:
        """Return the think time after a step that sends one request, or several at a time."""

    def origin(self, path: PlanPath) -> StepOrigin:
        """Return where a step comes from that stands at `path`."""
        return StepOrigin(self.work.place(path), self.measured)

    def write(self, names: Iterable[str], path: PlanPath) -> None:
        """Note that a step may set `names`, which must be free; `path` is the mapping's."""
        names = list(names)
        if not names:
            return
        for name in names:
            self.must_be_free(name, (*path, name))
        self.written.update(names)
        self.known = self.known.having(names)

    def write_as(self, name: str, path: PlanPath) -> None:
        """Note that a step may set `name`, which is the value at `path`."""
        self.must_be_free(name, path, part="value")
        self.written.add(name)
        self.known = self.known.having([name])

    def must_exist(self, name: str, path: PlanPath) -> None:
        """Note a fault unless `name` is a variable that a step may change."""
        if name in self.known.variables and name not in self.known.shared:
            return
        variables = sorted(self.known.variables - self.known.shared)
        if name in self.known.shared:
            message = f"`{name}` is set by `setup`, for all users"
            hint = f"set a list of the user's own first: `set: {{{name}: []}}`"
            self.work.fault(path, Code.DUPLICATE_NAME, message, hint=hint, part="key")
            return
        if name in self.known.params or name in self.known.columns:
            self.must_be_free(name, path)
            return
        hint = suggest(name, variables) or f"give it a first value: `state: {{{name}: []}}`"
        self.work.fault(path, Code.UNKNOWN_NAME, f"unknown name `{name}`", hint=hint, part="key")

    def must_be_free(self, name: str, path: PlanPath, part: str = "key") -> None:
        """Note a fault unless steps may set `name`."""
        known = self.known
        code, hint = Code.DUPLICATE_NAME, "choose another name"
        if name in RESERVED:
            code, message = Code.RESERVED_NAME, f"`{name}` is reserved"
        elif name in known.params:
            message = f"`{name}` is already a param"
        elif name in known.columns:
            message = f"`{name}` is already a data source"
        elif name not in known.variables and name in known.reply_names:
            code, message = Code.RESERVED_NAME, f"`{name}` is a name for values of replies"
        else:
            return
        self.work.fault(path, code, message, hint=hint, part="key" if part == "key" else "value")


def reads_of_reply(piece: object) -> frozenset[str]:
    """Return which names of an earlier reply a step, or what is in it, may read."""
    read = {reference.root for _, reference in references_in(piece)}
    if not read and not _calls(piece):
        return frozenset()
    names = REPLY_NAMES | registry.reply_names()
    return names if _calls(piece) else names & read  # a flow may read any of them


def _calls(piece: object) -> bool:
    if isinstance(piece, StepModel):
        return bool(piece.called) or any(_calls(steps) for _, steps in piece.inside())
    return isinstance(piece, Sequence) and any(_calls(step) for step in piece)
