"""Code that decides whether a request has failed, and takes values from its reply."""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from planrunner.importers.draft import DraftStep, Keys
from planrunner.importers.formats.locust.code.expressions import expression
from planrunner.importers.formats.locust.code.module import dotted
from planrunner.importers.formats.locust.code.names import LocustNames, Unsayable
from planrunner.importers.formats.locust.steps.conditions import negated
from planrunner.importers.formats.locust.steps.replies import (
    branches,
    expectations,
    is_extraction,
    is_verdict,
)
from planrunner.importers.formats.locust.steps.schemas import failing_schema, schema_of
from planrunner.importers.formats.locust.steps.statuses import accepted_statuses
from planrunner.importers.templates import identifier
from planrunner.values import dataclass

__all__ = ["LOGS", "ReplyCode"]

_COMPUTED: Final = "say when the request fails with `expect`"

LOGS: Final = ("print", "logging.", "logger.", "log.", "LOGGER.", "self.logger.")
"""How calls begin that write a line of a log."""


@dataclass(slots=True)
class ReplyCode:
    """Code that has the reply of a request.

    Attributes:
        request: The step of the request whose reply the code has, while no other was sent.
        reply: What the code calls that reply; empty where it has no name.
    """

    names: LocustNames
    request: DraftStep | None = None
    reply: str = ""

    @abstractmethod
    def steps(self, code: Sequence[ast.stmt]) -> list[DraftStep]:
        """Return the steps of statements."""

    @abstractmethod
    def assign(self, node: ast.stmt, target: ast.expr, inner: ast.expr) -> list[DraftStep]:
        """Return the steps of an assignment."""

    def step(self, body: Keys, node: ast.AST) -> DraftStep:
        """Return a step that stands where some code stands."""
        return DraftStep(body, origin=self.names.module.place(node))

    def judged(self, node: ast.If) -> list[DraftStep] | None:
        """Read an if that says when a request fails, as `expect`; None for any other."""
        reply, request = self.reply, self.request
        arms = list(branches(node))
        verdicts = [[one for one in code if reply and is_verdict(one, reply)] for _, code in arms]
        if request is None or not any(verdicts):
            return None
        tests = [None if test is None else self._test(test) for test, _ in arms]
        wanted: Keys = {}
        statuses: list[object] = []
        accepted = accepted_statuses(arms, reply, self.names)
        for (test, _), said in zip(arms, verdicts, strict=True):
            if accepted is None and test is not None and said:
                fails = any(is_verdict(one, reply, "failure") for one in said)
                statuses += self._expected(test, said, wanted, holds=not fails)
        self._expect(request, wanted, statuses if accepted is None else accepted, node)
        found = self.in_branches(
            [
                partial(self._beside, code, said)
                for (_, code), said in zip(arms, verdicts, strict=True)
            ]
        )
        steps: list[DraftStep] = []
        for said_test, then in reversed(list(zip(tests, found, strict=True))):
            steps = self._branch(said_test, then, steps, node)
        return steps

    def _test(self, test: ast.expr) -> str | Unsayable:
        """Return a condition, or why a plan can't say it: only branches with steps need it."""
        self.names.module.accept(test)
        try:
            return expression(test, self.names)
        except Unsayable as fault:
            return fault

    def in_branches(
        self, branches: Sequence[Callable[[], list[DraftStep]]]
    ) -> list[list[DraftStep]]:
        """Return the steps of branches, each of which has the same reply at its beginning."""
        names = self.names
        before = (self.request, self.reply, {*names.replies}, _whole_replies(names))
        ends: list[tuple[DraftStep | None, str, set[str]]] = []
        found: list[list[DraftStep]] = []
        for branch in branches:
            self.request, self.reply, names.replies = before[0], before[1], {*before[2]}
            names.local.update(before[3])
            found.append(branch())
            ends.append((self.request, self.reply, names.replies))
        if any(one[0] is not before[0] for one in ends):
            self.request = None  # whose reply it is depends on the branch
            names.replies = set.intersection(*(one[2] for one in ends))
            self.reply = self.reply if self.reply in names.replies else ""
            for name in before[3]:
                names.local.pop(name, None)
        return found

    def _expect(
        self, request: DraftStep, wanted: Keys, statuses: Sequence[object], node: ast.If
    ) -> None:
        """Add to what a request expects."""
        if statuses:
            wanted["status"] = statuses[0] if len(statuses) == 1 else sorted(set(statuses), key=str)
        expect = request.body.setdefault("expect", {})
        assert isinstance(expect, dict), "only this writes it"
        expect.update(wanted)
        if not expect:
            del request.body["expect"]
        elif len(statuses) > 1 and expect.keys() & {"json", "contains", "not_contains"}:
            how = "what it expects of the body is expected with each of its statuses"
            self.names.module.change(how, node)

    def _branch(
        self,
        test: str | Unsayable | None,
        then: list[DraftStep],
        other: list[DraftStep],
        node: ast.If,
    ) -> list[DraftStep]:
        """Return the steps of one branch beside those of the branches after it."""
        if test is None or not (then or other):
            return then
        if isinstance(test, Unsayable):
            raise test
        if not then:
            return [self.step({"if": negated(test), "then": other}, node)]
        return [self.step({"if": test, "then": then, **({"else": other} if other else {})}, node)]

    def _expected(
        self, test: ast.expr, said: Sequence[ast.stmt], wanted: Keys, *, holds: bool
    ) -> list[object]:
        """Add what a condition expects; return the statuses that it names."""
        found = expectations(test, self.reply, self.names, holds=holds)
        if found is None:
            schema = (schema_of if holds else failing_schema)(test, self.reply, self.names)
            found = {"schema": self._schema(schema)} if schema is not None else None
        if found is None:
            if not holds:
                self.names.module.leave_out(_COMPUTED, *said)
            return []
        status = found.pop("status", None)
        wanted.update(found)
        return status if isinstance(status, list) else [] if status is None else [status]

    def _schema(self, schema: Keys) -> str:
        """Return the file with a schema that the reply has to meet, with others of its request."""
        assert self.request is not None, "the reply is that of a request"
        known = self.names.schemas.setdefault(id(self.request), (self.request, []))[1]
        known.append(schema)
        said = known[0] if len(known) == 1 else {"allOf": known}
        wish = identifier(
            str(self.request.body.get("name", next(iter(self.request.body.values()))))
        )
        expect = self.request.body.get("expect")
        before = expect.get("schema") if isinstance(expect, dict) else None
        return self.names.schema_file(said, wish[:40], before)

    def _beside(self, code: Sequence[ast.stmt], said: Sequence[ast.stmt]) -> list[DraftStep]:
        """Return the steps of code beside `success()` or `failure()`."""
        self.names.module.accept(*said)
        fails = any(is_verdict(one, self.reply, "failure") for one in said)
        rest = [one for one in code if one not in said and not isinstance(one, ast.Return)]
        if fails:
            rest = [one for one in rest if not self._is_log(one)]
        elif self.only_extracts(rest):
            self.extract_all(rest)
            return []
        return self.steps(rest)

    def _is_log(self, node: ast.stmt) -> bool:
        """Say whether code logs that a request failed, which reports show with its reply."""
        call = node.value if isinstance(node, ast.Expr) else None
        is_log = isinstance(call, ast.Call) and dotted(call.func).startswith(LOGS)
        if is_log:
            self.names.module.accept(node)
        return is_log

    def only_extracts(self, code: Sequence[ast.stmt]) -> bool:
        """Say whether code only takes values from the reply, where it has them."""
        known = dict(self.names.local)
        try:
            return all(is_extraction(one, self.reply, self.names) for one in code)
        finally:
            self.names.local = known

    def extract_all(self, code: Sequence[ast.stmt]) -> None:
        """Extract what `_only_extracts` has looked at; a reply without it leaves the names."""
        for node in code:
            self.names.module.accept(node)
            if isinstance(node, ast.If):
                self.extract_all(node.body)
            elif isinstance(node, ast.Assign):
                self.assign(node, node.targets[0], node.value)
                self._make_optional(node)

    def _make_optional(self, node: ast.Assign) -> None:
        assert self.request is not None, "the reply is that of a request"
        extract = self.request.body.get("extract")
        if not isinstance(extract, dict):
            return
        for name, said in extract.items():
            path = said["jsonpath"] if isinstance(said, dict) else said
            keeps = name in self.names.state.values()
            lacking: Keys = {"required": False} if keeps else {"default": None}
            extract[name] = {"jsonpath": path, **lacking}


def _whole_replies(names: LocustNames) -> dict[str, str]:
    """Return the local names that stand for the JSON of the last reply."""
    return {name: said for name, said in names.local.items() if said == "json"}
