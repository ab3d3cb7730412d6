"""Lists of steps to nodes, in the order in which a user walks them, so that names are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.graph import (
    Evaluate,
    GroupNode,
    HeaderNode,
    RequestNode,
    SetNode,
    StepNode,
    ThinkNode,
)
from planrunner.compiler.names import Known
from planrunner.compiler.tags import compile_tags
from planrunner.compiler.texts import references_in
from planrunner.language.diagnostics import Code, suggest
from planrunner.language.expressions import RESERVED
from planrunner.plan.document import PlanPath
from planrunner.plan.steps import StepModel
from planrunner.protocols.http.compile import (
    Files,
    HttpDefaults,
    compile_exchange,
    default_name,
)
from planrunner.protocols.http.spec import VERBS

__all__ = ["Flow", "Flows"]

_NAMES_OF_REPLY: Final = frozenset({"json", "body", "headers", "status"})
_AFTER_THE_REPLY: Final = frozenset({"expect", "extract", "tags"})
_NESTED: Final = ("do", "then", "else", "parallel")


@dataclass(frozen=True, slots=True)
class Flows:
    """The plan's named lists of steps."""

    models: Mapping[str, Sequence[StepModel]] = field(default_factory=dict)


@dataclass(slots=True)
class Flow:
    """A walk through steps; `known` and `written` grow as they set and extract names.

    Attributes:
        measured: What `measure` is unless a step says otherwise.
        written: Names that a step on the way may have set.
        calling: The flows that are being walked, outermost first.
    """

    work: Compilation
    defaults: HttpDefaults
    files_at: Callable[[PlanPath], Files]
    flows: Flows
    known: Known
    measured: bool = True
    written: set[str] = field(default_factory=set)
    calling: tuple[str, ...] = ()

    def steps(self, models: Sequence[StepModel], path: PlanPath) -> tuple[StepNode, ...]:
        """Compile a list of steps that stands at `path`."""
        reads = [_reads_of_reply(model) for model in models]
        nodes: list[StepNode] = []
        for index, model in enumerate(models):
            later = frozenset[str]().union(*reads[index + 1 :])
            nodes += self.step(model, (*path, index), read_later=later)
        return tuple(nodes)

    def step(
        self, model: StepModel, path: PlanPath, *, read_later: frozenset[str] = frozenset()
    ) -> tuple[StepNode, ...]:
        """Compile one step; one that this version can't run gives nothing.

        Args:
            model: The step.
            path: Where it stands.
            read_later: Names of the reply that later steps of the same list may read.
        """
        when = self._when(model, path)
        action = model.action
        if action in VERBS:
            return (self._request(model, path, when, read_later),)
        match action:
            case "think":
                assert model.think is not None
                return (ThinkNode(self.work.pause(model.think, (*path, "think")), when),)
            case "set":
                return (self._set(model, path, when),)
            case "header":
                return (self._header(model, path, when),)
            case "group":
                assert model.group is not None
                steps = self.steps(model.do or [], (*path, "do"))
                return (GroupNode(model.group, steps, when),)
            case _:
                self._later(model, path, action)
                return ()

    def _later(self, model: StepModel, path: PlanPath, action: str) -> None:
        """Check the names of a step that can't run yet, and say so."""
        self.work.not_available((*path, action), f"the step `{action}`")
        names = _names_set(model)
        if model.call is not None:
            self._call(model, path)
        if model.foreach is not None:
            self._check(model, path, skip=frozenset(_NESTED) | {"foreach"})
            inner = (*path, "foreach")
            self.work.check(model.foreach.items.references, inner, self.known, model.foreach.offset)
        else:
            after = replace(self.known, replied=True) if model.poll is not None else self.known
            self._check(model, path, skip=frozenset(_NESTED), known=after)
        self._write(names, (*path, action))
        if model.poll is not None:
            self.known = replace(self.known, replied=True)
        for key, steps in (
            ("do", model.do),
            ("then", model.then),
            ("else", model.else_),
            ("parallel", model.parallel),
        ):
            if steps:
                self.steps(steps, (*path, key))

    def _call(self, model: StepModel, path: PlanPath) -> None:
        name = model.call or ""
        models = self.flows.models.get(name)
        where = (*path, "call")
        if models is None:
            known = list(self.flows.models)
            hint = suggest(name, known) or "flows: " + (", ".join(known) or "none")
            self.work.fault(where, Code.UNKNOWN_NAME, f"unknown flow `{name}`", hint=hint)
        elif name in self.calling:
            cycle = " → ".join((*self.calling[self.calling.index(name) :], name))
            self.work.fault(where, Code.REFERENCE_CYCLE, f"flows call each other: {cycle}")
        else:
            self.calling = (*self.calling, name)
            self.steps(models, ("flows", name))
            self.calling = self.calling[:-1]

    def _when(self, model: StepModel, path: PlanPath) -> Evaluate | None:
        if model.when is None:
            return None
        return self.work.expression(model.when, (*path, "when"), self.known).evaluate

    def _request(
        self,
        model: StepModel,
        path: PlanPath,
        when: Evaluate | None,
        read_later: frozenset[str],
    ) -> RequestNode:
        before = len(self.work.faults)
        self._check(model, path, skip=_AFTER_THE_REPLY | {"when"})
        self.known = replace(self.known, replied=True)
        for key in sorted(_AFTER_THE_REPLY):
            piece = getattr(model, key)
            if piece is not None:
                self._check_piece(piece, (*path, key), self.known)
        tags, reply_tags, tag_reads = compile_tags(self.work, model.tags, (*path, "tags"))
        reads = read_later | tag_reads
        compiled = compile_exchange(
            model,
            constants=self.work.constants,
            defaults=self.defaults,
            files=self.files_at(path),
            reads_body=bool(reads & {"json", "body"}),
            reads_head="headers" in reads,
        )
        for fault in compiled.faults:
            if fault.code is Code.NOT_AVAILABLE:
                self.work.not_available((*path, *fault.path), f"`{fault.path[-1]}`")
            elif len(self.work.faults) == before:
                inside = None if fault.offset is None else (fault.offset, 1)
                where = (*path, *fault.path)
                self.work.fault(where, fault.code, fault.message, hint=fault.hint, inside=inside)
        self._write(model.extract or (), (*path, "extract"))
        return RequestNode(
            name=model.name or default_name(model),
            exchange=compiled.exchange,
            tags=tags,
            reply_tags=reply_tags,
            measured=self.measured if model.measure is None else model.measure,
            when=when,
            reads_reply=bool(reads),
        )

    def _set(self, model: StepModel, path: PlanPath, when: Evaluate | None) -> SetNode:
        values: list[tuple[str, Evaluate]] = []
        for name, value in (model.set_ or {}).items():
            where = (*path, "set", name)
            values.append((name, self.work.value(value, where, self.known).evaluate))
            self._write([name], (*path, "set"))
        return SetNode(tuple(values), when)

    def _header(self, model: StepModel, path: PlanPath, when: Evaluate | None) -> HeaderNode:
        values: list[tuple[str, Evaluate | None]] = []
        for name, text in (model.header or {}).items():
            where = (*path, "header", name)
            evaluate = None if text is None else self.work.value(text, where, self.known).evaluate
            values.append((name, evaluate))
        return HeaderNode(tuple(values), when)

    def _check(
        self,
        model: StepModel,
        path: PlanPath,
        *,
        skip: frozenset[str],
        known: Known | None = None,
    ) -> None:
        for name, spec in type(model).model_fields.items():
            key = spec.alias or name
            piece = getattr(model, name)
            if piece is not None and key not in skip:
                self._check_piece(piece, (*path, key), known or self.known)

    def _check_piece(self, piece: object, path: PlanPath, known: Known) -> None:
        self.work.check_all(piece, path, known)

    def _write(self, names: Iterable[str], path: PlanPath) -> None:
        """Note that a step may set `names`, which must be free."""
        names = list(names)
        for name in names:
            where = (*path, name)
            if name in RESERVED:
                hint = "choose another name"
                self.work.fault(
                    where, Code.RESERVED_NAME, f"`{name}` is reserved", hint=hint, part="key"
                )
            elif name in self.known.params or name in self.known.columns:
                kind = "param" if name in self.known.params else "data source"
                self.work.fault(
                    where,
                    Code.DUPLICATE_NAME,
                    f"`{name}` is already a {kind}",
                    hint="choose another name",
                    part="key",
                )
        self.written.update(names)
        self.known = replace(self.known, variables=self.known.variables | set(names))


def _names_set(model: StepModel) -> list[str]:
    """Return the names that a step which can't run yet would set."""
    names: list[str] = []
    if model.pop is not None and model.pop.target:
        names.append(model.pop.target)
    if model.foreach is not None:
        names.append(model.foreach.variable)
    actions = (model.python, model.exec_)
    names += [action.as_ for action in actions if action is not None and action.as_]
    for etcd in (model.etcd_get, model.etcd_lease, model.etcd_txn, model.etcd_watch):
        names += getattr(etcd, "extract", None) or ()
    return names


def _reads_of_reply(model: StepModel) -> frozenset[str]:
    """Return which names of an earlier reply a step may read, itself or inside."""
    roots = {reference.root for _, reference in references_in(model)}
    if model.foreach is not None:
        roots |= {reference.root for reference in model.foreach.items.references}
    if model.call is not None:
        return _NAMES_OF_REPLY  # a flow may read any of them
    return _NAMES_OF_REPLY & roots
