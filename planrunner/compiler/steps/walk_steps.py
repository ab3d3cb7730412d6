"""Lists of steps to nodes, in the order in which a user walks them, so that names are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from planrunner.compiler.names.known_names import Known
from planrunner.compiler.steps import flow as flow_steps
from planrunner.compiler.steps.requests import compile_etcd
from planrunner.compiler.steps.tags import compile_tags
from planrunner.compiler.steps.walk import Flows, StepWalk, reads_of_reply
from planrunner.graph.steps import (
    Evaluate,
    HeaderNode,
    RequestNode,
    SetNode,
    StepNode,
    ThinkNode,
)
from planrunner.plan.models.steps import StepModel
from planrunner.plan.yaml.document import PlanPath
from planrunner.protocols.etcd.actions import ETCD_ACTIONS
from planrunner.protocols.http.compile.exchange import compile_exchange, default_name
from planrunner.protocols.http.spec import VERBS, RequestKeys

__all__ = ["Flow", "Flows", "OpenFlow"]

_AFTER_THE_REPLY: Final = frozenset({"expect", "extract", "tags"})
_NOT_BEFORE: Final = _AFTER_THE_REPLY | {"when"}


@dataclass(slots=True)
class Flow(StepWalk):
    """Compiles the steps it walks through."""

    def steps(
        self,
        models: Sequence[StepModel],
        path: PlanPath,
        read_later: frozenset[str] = frozenset(),
    ) -> tuple[StepNode, ...]:
        reads = [reads_of_reply(model) for model in models]
        nodes: list[StepNode] = []
        for index, model in enumerate(models):
            later = read_later.union(*reads[index + 1 :])
            nodes += self._step(model, (*path, index), later)
        return tuple(nodes)

    def _step(
        self, model: StepModel, path: PlanPath, read_later: frozenset[str]
    ) -> tuple[StepNode, ...]:
        """Compile one step."""
        when = self._when(model, path)
        action = model.action
        if action in VERBS:
            return (self.request(model, path, when, read_later),)
        if action in ETCD_ACTIONS:
            return (compile_etcd(self, model, path, when, read_later),)
        compile_step = flow_steps.COMPILERS.get(action)
        if compile_step is not None:
            return (compile_step(self, model, path, when, read_later),)
        match action:
            case "think":
                assert model.think is not None
                return (ThinkNode(self.work.pause(model.think, (*path, "think")), when),)
            case "set":
                return (self._set(model, path, when),)
            case "header":
                return (self._header(model, path, when),)
            case _:
                raise AssertionError(action)

    def _when(self, model: StepModel, path: PlanPath) -> Evaluate | None:
        if model.when is None:
            return None
        return self.work.expression(model.when, (*path, "when"), self.known).evaluate

    def request(
        self,
        model: RequestKeys,
        path: PlanPath,
        when: Evaluate | None = None,
        read_later: frozenset[str] = frozenset(),
    ) -> RequestNode:
        before = len(self.work.faults)
        self._check(model, path)
        self.http.check(self.work, self.known, model)
        self.known = replace(self.known, replied=True)
        for key in sorted(_AFTER_THE_REPLY):
            piece = getattr(model, key)
            if piece is not None:
                self.work.check_all(piece, (*path, key), self.known)
        tags, reply_tags, tag_reads = compile_tags(self.work, model.tags, (*path, "tags"))
        reads = read_later | tag_reads
        compiled = compile_exchange(
            model,
            constants=self.work.constants,
            defaults=self.http.defaults,
            files=self.files_at(path),
            reads_body=bool(reads & {"json", "body"}),
            reads_head="headers" in reads,
        )
        is_sound = len(self.work.faults) == before  # else the same would be said again
        for fault in compiled.faults:
            if is_sound:
                self.work.fault_of_spec(fault, path)
        measured = self.measured
        if is_sound:
            measured = self.work.settle(model.measure, (*path, "measure"), measured)
        self.write(model.extract or (), (*path, "extract"))
        self.publishes = self.publishes or bool(reads)
        return RequestNode(
            name=model.name or default_name(model),
            exchange=compiled.exchange,
            tags=tags,
            reply_tags=reply_tags,
            measured=measured,
            when=when,
            reads_reply=bool(reads),
        )

    def _set(self, model: StepModel, path: PlanPath, when: Evaluate | None) -> SetNode:
        values: list[tuple[str, Evaluate]] = []
        for name, value in (model.set_ or {}).items():
            where = (*path, "set", name)
            values.append((name, self.work.value(value, where, self.known).evaluate))
            self.write([name], (*path, "set"))
        return SetNode(tuple(values), when)

    def _header(self, model: StepModel, path: PlanPath, when: Evaluate | None) -> HeaderNode:
        values: list[tuple[str, Evaluate | None]] = []
        for name, text in (model.header or {}).items():
            where = (*path, "header", name)
            evaluate = None if text is None else self.work.value(text, where, self.known).evaluate
            values.append((name, evaluate))
        return HeaderNode(tuple(values), when)

    def _check(self, model: RequestKeys, path: PlanPath) -> None:
        """Check the names that are read before the request is sent."""
        for name, spec in RequestKeys.model_fields.items():
            if name not in _NOT_BEFORE and getattr(model, name) is not None:
                key = spec.alias or name
                self.work.check_all(getattr(model, name), (*path, key), self.known)


OpenFlow = Callable[[Known], Flow]
"""Starts a walk with the names that are known there."""
