"""Conditions, loops and exceptions in the code of a task → steps."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from planrunner.importers.draft import DraftStep
from planrunner.importers.formats.locust.code.expressions import expression, value
from planrunner.importers.formats.locust.code.names import Unsayable
from planrunner.importers.formats.locust.steps.conditions import negated
from planrunner.importers.formats.locust.steps.hooked import HookedCode
from planrunner.importers.formats.locust.steps.replies import is_verdict

__all__ = ["ControlCode"]


@dataclass(slots=True)
class ControlCode(HookedCode):
    """Code with branches.

    Attributes:
        depth: How many conditions the code being read stands under.
    """

    depth: int = 0

    def steps(self, code: Sequence[ast.stmt]) -> list[DraftStep]:
        """Return the steps of statements; what can't be said is left out by name."""
        self.around.append(code)
        try:
            return self._steps(code)
        finally:
            self.around.pop()

    def _steps(self, code: Sequence[ast.stmt]) -> list[DraftStep]:
        steps: list[DraftStep] = []
        for number, node in enumerate(code):
            if self._ends_early(node):
                return [*steps, *self._with_rest(node, code[number + 1 :])]
            if isinstance(node, ast.Return) and node.value is None:
                break
            try:
                steps += self.taken(node)
            except Unsayable as fault:
                self.names.module.leave_out(f"{fault.why}", node)
        return steps

    def _ends_early(self, node: ast.stmt) -> TypeGuard[ast.If]:
        match node:
            case ast.If(body=[*_, ast.Return(value=None | ast.Constant())], orelse=[]):
                return True
            case _:
                return False

    def _with_rest(self, node: ast.If, rest: Sequence[ast.stmt]) -> list[DraftStep]:
        """Return the steps of code that ends where a condition is true."""
        module = self.names.module
        whole = ast.copy_location(
            ast.If(test=node.test, body=node.body[:-1] or [ast.Pass()], orelse=[*rest]), node
        )
        module.files[whole] = module.files[node]
        try:
            return self.taken(whole)
        except Unsayable as fault:
            module.leave_out(fault.why, node)
            return self.steps(rest)

    def read_if(self, node: ast.If) -> list[DraftStep]:
        judged = self.judged(node)
        if judged is not None:
            return judged
        if self.reply and self.only_extracts([node]):
            self.extract_all([node])
            return []
        test = expression(node.test, self.names)
        self.names.module.accept(node.test)
        self.depth += 1
        then, other = self.steps(node.body), self.steps(node.orelse)
        self.depth -= 1
        if not then and not other:
            return []
        if not then:
            return [self.step({"if": negated(test), "then": other}, node)]
        return [self.step({"if": test, "then": then, **({"else": other} if other else {})}, node)]

    def read_for(self, node: ast.For) -> list[DraftStep]:
        target, source, code = node.target, node.iter, node.body
        match source:
            case ast.Call(func=ast.Name(id="range"), args=[count]):
                times = value(count, self.names)
                uses = {
                    one.id for each in code for one in ast.walk(each) if isinstance(one, ast.Name)
                }
                if not (isinstance(target, ast.Name) and target.id in uses):
                    self.names.module.accept(source)
                    return [self.step({"repeat": times, "do": self._inner(code)}, node)]
                text = f"range({expression(count, self.names)})"
            case _:
                text = expression(source, self.names)
        if not isinstance(target, ast.Name):
            raise Unsayable(node, "a loop over pairs; loop over a list of mappings")
        self.names.module.accept(source)
        name = self.names.name_local(target.id)
        return [self.step({"foreach": f"{name} in {text}", "do": self._inner(code)}, node)]

    def read_while(self, node: ast.While) -> list[DraftStep]:
        condition = expression(node.test, self.names)
        self.names.module.accept(node.test)
        return [self.step({"while": condition, "do": self._inner(node.body)}, node)]

    def _inner(self, code: list[ast.stmt]) -> list[DraftStep]:
        steps = self.steps(code)
        if not steps:
            raise Unsayable(code[0], "a loop of which nothing is left")
        return steps

    def read_try(self, node: ast.Try) -> list[DraftStep]:
        for handler in node.handlers:
            for one in handler.body:
                is_trivial = isinstance(one, ast.Pass | ast.Continue) or self._is_log(one)
                if is_trivial or (self.reply and is_verdict(one, self.reply)):
                    self.names.module.accept(one)
                elif not isinstance(one, ast.Return):
                    self.names.module.leave_out(
                        "what an exception leads to; a failure is counted", one
                    )
        return [*self.steps(node.body), *self.steps(node.orelse), *self.steps(node.finalbody)]

    def read_raise(self, node: ast.Raise) -> list[DraftStep]:
        raised = node.exc or ast.Name(id="")
        called = raised.func if isinstance(raised, ast.Call) else raised
        name = self.names.module.full_name(called).rpartition(".")[2]
        stops = {"StopUser": "user", "RescheduleTask": "iteration", "InterruptTaskSet": "iteration",
                 "RescheduleTaskImmediately": "iteration", "StopLocust": "user"}  # fmt: skip
        if name not in stops:
            raise Unsayable(node, "an exception; say when a request fails with `expect`")
        self.names.module.accept(node)
        return [self.step({"stop": stops[name]}, node)]
