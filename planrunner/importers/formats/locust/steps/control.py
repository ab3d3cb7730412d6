"""Conditions, loops and exceptions in the code of a task → steps."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import partial
from typing import Final, TypeGuard

from planrunner.importers.draft import DraftStep, Keys
from planrunner.importers.formats.locust.code.expressions import expression, value
from planrunner.importers.formats.locust.code.module import dotted
from planrunner.importers.formats.locust.code.names import Unsayable
from planrunner.importers.formats.locust.steps.conditions import negated
from planrunner.importers.formats.locust.steps.hooked import HookedCode
from planrunner.importers.formats.locust.steps.leaving import leaves, left_nowhere
from planrunner.importers.formats.locust.steps.replies import expectations, is_verdict
from planrunner.values import dataclass

__all__ = ["ControlCode"]

_EXCEPTION: Final = "an exception ends the iteration here, and is in no report"


@dataclass(slots=True)
class ControlCode(HookedCode):
    """Code with branches.

    Attributes:
        depth: How many conditions the code being read stands under.
        going: The name that says whether the last loop that may be left early was not left.
    """

    depth: int = 0
    going: str = ""

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
                if code[number + 1 :] and leaves(node, ast.Return):
                    return [*steps, *self._left_within(node, code[number + 1 :])]
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

    def _left_within(self, node: ast.stmt, rest: Sequence[ast.stmt]) -> list[DraftStep]:
        """Return the steps of code that ends somewhere within a statement."""
        if isinstance(node, ast.For | ast.While):
            steps = self.taken(node)
            then = self.steps(rest)
            return [*steps, self.step({"if": self.going, "then": then}, node)] if then else steps
        [whole] = left_nowhere([node, *rest], {ast.Return: []})
        self.names.module.files[whole] = self.names.module.files[node]
        return self.taken(whole)

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
        then, other = self.in_branches(
            [partial(self.steps, node.body), partial(self.steps, node.orelse)]
        )
        self.depth -= 1
        if not then and not other:
            return []
        if not then:
            return [self.step({"if": negated(test), "then": other}, node)]
        return [self.step({"if": test, "then": then, **({"else": other} if other else {})}, node)]

    def read_for(self, node: ast.For) -> list[DraftStep]:
        target, source = node.target, node.iter
        count = None
        if (
            isinstance(source, ast.Call)
            and dotted(source.func) == "range"
            and len(source.args) == 1
        ):
            count = source.args[0]
        if not isinstance(target, ast.Name):
            return self._pairs(node)
        if any(leaves(one, ast.Break, ast.Continue, ast.Return) for one in node.body):
            return self._left_loop(node, node.body, count or source, target, is_list=count is None)
        uses = {one.id for each in node.body for one in ast.walk(each) if isinstance(one, ast.Name)}
        if count is not None and target.id not in uses:
            times = value(count, self.names)
            self.names.module.accept(source)
            return [self.step({"repeat": times, "do": self._inner(node.body)}, node)]
        text = expression(source, self.names)
        self.names.module.accept(source)
        name = self.names.name_local(target.id)
        return [self.step({"foreach": f"{name} in {text}", "do": self._inner(node.body)}, node)]

    def _pairs(self, node: ast.For) -> list[DraftStep]:
        """Read a loop over the items of a mapping, or over rows that are pairs."""
        if not isinstance(node.target, ast.Tuple) or not all(
            isinstance(one, ast.Name) for one in node.target.elts
        ):
            raise Unsayable(node, "a loop over pairs; loop over a list of mappings")
        text = expression(node.iter, self.names)
        self.names.module.accept(node.iter)
        pair = self.names.name_local(self.names.unused("pair"))
        for number, one in enumerate(node.target.elts):
            assert isinstance(one, ast.Name), "all of them are"
            self.names.local[one.id] = f"{pair}[{number}]"
        return [self.step({"foreach": f"{pair} in {text}", "do": self._inner(node.body)}, node)]

    def _left_loop(
        self,
        node: ast.For | ast.While,
        body: Sequence[ast.stmt],
        source: ast.expr,
        target: ast.Name | None,
        *,
        is_list: bool = False,
    ) -> list[DraftStep]:
        """Return the steps of a loop that is left early: `while` until a name is false."""
        ways = [kind for kind in (ast.Break, ast.Return) if any(leaves(one, kind) for one in body)]
        going = self.names.unused("going")
        ended = [_set(going, node, value=False)]
        returned = ended
        begun: Keys = {}
        if len(ways) > 1:
            left = self.names.unused("left")
            begun = {self.names.name_local(left): False}
            returned = [*ended, _set(left, node, value=True)]
        for one in returned:
            self.names.module.files[one] = self.names.module.files[node]
        said = expression(source, self.names)
        self.names.module.accept(source, *([node.iter] if isinstance(node, ast.For) else []))
        self.going = self.names.name_local(going)
        code = left_nowhere(body, {ast.Break: ended, ast.Return: returned, ast.Continue: []})
        counted: tuple[Keys, list[DraftStep], str] = ({}, [], said)
        if target is not None:
            counted = self._counted(node, said, target, is_list=is_list)
        first, each, test = counted
        flag = self.going
        begin = self.step({"set": {flag: True, **begun, **first}}, node)
        condition = flag if test == "true" else f"{flag} and {test}"
        inner = [*each, *self._inner(code)]
        self.going = f"not {next(iter(begun))}" if begun else flag
        return [begin, self.step({"while": condition, "do": inner}, node)]

    def _counted(
        self, node: ast.stmt, said: str, target: ast.Name, *, is_list: bool
    ) -> tuple[Keys, list[DraftStep], str]:
        """Return what a counting loop sets first, what it does each time, and its condition."""
        if not is_list:
            count = self.names.name_local(target.id)
            each: Keys = {count: f"${{{count} + 1}}"}
            return {count: -1}, [self.step({"set": each}, node)], f"{count} + 1 < {said}"
        rows = self.names.name_local(self.names.unused(f"{target.id}_rows"))
        count = self.names.name_local(self.names.unused(f"{target.id}_index"))
        name = self.names.name_local(target.id)
        steps = [
            self.step({"set": {count: f"${{{count} + 1}}"}}, node),
            self.step({"set": {name: f"${{{rows}[{count}]}}"}}, node),
        ]
        return {rows: f"${{{said}}}", count: -1}, steps, f"{count} + 1 < ({rows} | length)"

    def read_while(self, node: ast.While) -> list[DraftStep]:
        if any(leaves(one, ast.Break, ast.Continue, ast.Return) for one in node.body):
            return self._left_loop(node, node.body, node.test, None)
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

    def read_assert(self, node: ast.Assert) -> list[DraftStep]:
        """Read what must be true: of the last reply as `expect`, else it ends the iteration."""
        wanted = expectations(node.test, self.reply, self.names, holds=True)
        if self.request is not None and self.reply and wanted is not None:
            self.names.module.change_once("a failed `assert` fails the request here", node)
            self.names.module.accept(node.test)
            expect = self.request.body.setdefault("expect", {})
            assert isinstance(expect, dict), "only expectations stand there"
            expect.update(wanted)
            if not expect:
                del self.request.body["expect"]
            return []
        test = expression(node.test, self.names)
        self.names.module.change_once(_EXCEPTION, node)
        self.names.module.accept(node)
        return [
            self.step({"if": negated(test), "then": [self.step({"stop": "iteration"}, node)]}, node)
        ]

    def read_raise(self, node: ast.Raise) -> list[DraftStep]:
        raised = node.exc or ast.Name(id="")
        called = raised.func if isinstance(raised, ast.Call) else raised
        name = self.names.module.full_name(called).rpartition(".")[2]
        stops = {"StopUser": "user", "RescheduleTask": "iteration", "InterruptTaskSet": "iteration",
                 "RescheduleTaskImmediately": "iteration", "StopLocust": "user"}  # fmt: skip
        if name not in stops:
            self.names.module.change(_EXCEPTION, node)
        self.names.module.accept(node)
        return [self.step({"stop": stops.get(name, "iteration")}, node)]


def _count_of(source: ast.expr) -> ast.expr | None:
    """Return how often `for` over a `range` runs; None for other loops."""
    match source:
        case ast.Call(func=ast.Name(id="range"), args=[count]):
            return count
        case _:
            return None


def _set(name: str, node: ast.stmt, *, value: bool) -> ast.stmt:
    target = ast.Name(id=name, ctx=ast.Store())
    made = ast.Assign(targets=[target], value=ast.Constant(value=value))
    return ast.fix_missing_locations(ast.copy_location(made, node))
