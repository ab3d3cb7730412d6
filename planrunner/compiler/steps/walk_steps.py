"""Lists of steps to nodes, in the order in which a user walks them, so that names are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from planrunner.compiler.names.known_names import Known
from planrunner.compiler.steps import flow as flow_steps
from planrunner.compiler.steps.inherited import pause_of
from planrunner.compiler.steps.requests import compile_request
from planrunner.compiler.steps.walk import Flows, StepWalk, reads_of_reply
from planrunner.graph.described_step import NOWHERE
from planrunner.graph.steps import (
    Evaluate,
    HeaderNode,
    RequestNode,
    SetNode,
    StepNode,
    ThinkNode,
)
from planrunner.language.diagnostics import Code
from planrunner.plan.functions import PlanFunction
from planrunner.plan.models.requests import RequestStep
from planrunner.plan.models.steps import StepModel
from planrunner.plan.yaml.document import PlanPath
from planrunner.protocols import registry
from planrunner.values import dataclass

__all__ = ["Flow", "Flows", "OpenFlow"]


@dataclass(slots=True)
class Flow(StepWalk):
    """Compiles the steps it walks through."""

    def steps(
        self,
        models: Sequence[StepModel],
        path: PlanPath,
        read_later: frozenset[str] = frozenset(),
    ) -> tuple[StepNode, ...]:
        later = [read_later]
        for model in reversed(models[1:]):
            later.append(later[-1] | reads_of_reply(model))
        nodes: list[StepNode] = []
        for index, model in enumerate(models):
            nodes += self._step(model, (*path, index), later.pop())
        return tuple(nodes)

    def _step(
        self, model: StepModel, path: PlanPath, read_later: frozenset[str]
    ) -> tuple[StepNode, ...]:
        """Compile one step, and note where it stands."""
        self.work.see(path, self.known)
        return tuple(
            replace(node, origin=self.origin(path)) if node.origin is NOWHERE else node
            for node in self._unplaced(model, path, read_later)
        )

    def _unplaced(
        self, model: StepModel, path: PlanPath, read_later: frozenset[str]
    ) -> tuple[StepNode, ...]:
        when = self._when(model, path)
        if (function := self._function(model)) is not None:
            from planrunner.compiler.steps.functions import compile_function  # noqa: PLC0415 - plans of Python alone have any

            return (compile_function(self, function, path, when),)
        if model.operation is not None:
            request = self.request(model, path, when, read_later)
            pause = self.pause_after(model, path)
            return (request if pause is None else replace(request, pause=pause),)
        action = model.action
        compile_step = flow_steps.compiler_of(model)
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

    def _function(self, model: StepModel) -> PlanFunction | None:
        """Return the function in whose place a `python` step stands."""
        return None if model.python is None else self.functions.get(model.python.call)

    def pause_after(self, model: StepModel, path: PlanPath) -> ThinkNode | None:
        sent = [step.operation for step in (model, *(model.parallel or ()))]
        blocks = [self.blocks.of(request.plugin) for request in sent if request is not None]
        block = next((one for one in blocks if one.layers), blocks[0])
        pause = pause_of(self.work, block, model, path, has_user=self.known.has_user)
        return None if pause is None else ThinkNode(pause, origin=self.origin(path))

    def _when(self, model: StepModel, path: PlanPath) -> Evaluate | None:
        if model.when is None:
            return None
        return self.work.expression(model.when, (*path, "when"), self.known).evaluate

    def request(
        self,
        model: RequestStep,
        path: PlanPath,
        when: Evaluate | None = None,
        read_later: frozenset[str] = frozenset(),
    ) -> RequestNode:
        return compile_request(self, model, path, when, read_later)

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
            hint = registry.own_verbs().fixed_headers.get(name.lower())
            if hint is not None and text is not None:
                message = f"`{name}` cannot be set: it says where a request ends"
                self.work.fault(where, Code.NOT_ALLOWED, message, hint=hint, part="key")
            evaluate = None if text is None else self.work.value(text, where, self.known).evaluate
            values.append((name, evaluate))
        return HeaderNode(tuple(values), when)


OpenFlow = Callable[[Known], Flow]
"""Starts a walk with the names that are known there."""
