"""Statements as steps; what a plan has no words for is a function of its hooks."""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from typing import Final

from planrunner.importers.draft import DraftStep
from planrunner.importers.formats.locust.code.inlining import replaced
from planrunner.importers.formats.locust.code.module import LocustFunction, dotted
from planrunner.importers.formats.locust.code.names import LocustNames, Unsayable
from planrunner.importers.formats.locust.hooks.functions import LocustHooks
from planrunner.importers.formats.locust.hooks.given import given_param
from planrunner.importers.formats.locust.steps.requests import client_call
from planrunner.importers.formats.locust.steps.verdicts import ReplyCode
from planrunner.values import dataclass

__all__ = ["HookedCode"]

_MOST_PARTS: Final = 20
_COMPOUND: Final = (ast.For, ast.While, ast.Try, ast.If, ast.With)


@dataclass(slots=True)
class HookedCode(ReplyCode):
    """Code of which some is a function of the plan's hooks.

    Attributes:
        functions: Methods of the user by name, those of bases included.
        called: Functions whose code is being read, the outermost first.
        hooks: Where functions go; None for code that is only tried.
        around: The code that is being read, the outermost first.
    """

    functions: Mapping[str, LocustFunction] = field(default_factory=dict)
    called: list[LocustFunction] = field(default_factory=list)
    hooks: LocustHooks | None = None
    around: list[Sequence[ast.stmt]] = field(default_factory=list)

    @abstractmethod
    def said(self, node: ast.stmt) -> tuple[list[DraftStep], ast.stmt]:
        """Return the steps that own functions of a statement come to, and it without them."""

    @abstractmethod
    def statement(self, node: ast.stmt) -> list[DraftStep]:
        """Return the steps of a statement without calls of own functions."""

    @abstractmethod
    def function(self, call: ast.Call) -> LocustFunction | None:
        """Return the function of these files that a call is of."""

    @abstractmethod
    def dry(self) -> HookedCode:
        """Return a reader of code that is only tried."""

    def taken(self, node: ast.stmt) -> list[DraftStep]:
        """Return the steps of a statement.

        Raises:
            Unsayable: Neither a plan's words nor a function can do it.
        """
        if isinstance(node, _COMPOUND) and self.computes(node) and self.is_lossy([node]):
            with suppress(Unsayable):
                return self._hooked([node])
        steps: list[DraftStep] = []
        for _ in range(_MOST_PARTS):
            try:
                before, plain = self.said(node)
                return [*steps, *before, *self.statement(plain)]
            except Unsayable as fault:
                if self.hooks is None:
                    raise
                if self._is_given(fault):
                    continue
                if self.computes(node):
                    return [*steps, *self._hooked([node], fault)]
                before, node = self._part(node, fault)
                steps += before
        raise Unsayable(node, "code that computes in many places")

    def _is_given(self, fault: Unsayable) -> bool:
        """Make a value that only a person can give a param, where that is what was missing."""
        name = fault.node
        if not isinstance(name, ast.Name) or name.id in self.names.local:
            return False
        if self.hooks is not None and self.hooks.computes(name.id):
            return False
        given = given_param(name, self.names)
        if given is not None:
            self.names.local[name.id] = given
        return given is not None

    def computes(self, node: ast.AST) -> bool:
        """Say whether code sends nothing, judges no reply, and writes no line of a log."""
        return self.hooks is not None and not any(self._acts(node))

    def _acts(self, node: ast.AST) -> Iterator[bool]:
        for one in ast.walk(node):
            if not isinstance(one, ast.Call):
                continue
            name = dotted(one.func)
            judged = name.rpartition(".")[0] in self.names.replies and name.endswith(
                (".success", ".failure")
            )
            is_sent = ".client." in f".{name}." or client_call(one, self.names) is not None
            if judged or is_sent or name.endswith(("sleep", ".interrupt")):
                yield True
            function = self.function(one)
            if function is not None:
                yield self._sends(function)

    def _sends(self, function: LocustFunction) -> bool:
        """Say whether a function acts, or one that it calls."""
        known = self.names.sending
        if function not in known:
            known[function] = False  # what calls itself acts as its other code does
            known[function] = any(self._acts(function))
        return known[function]

    def is_lossy(self, code: Sequence[ast.stmt]) -> bool:
        """Say whether steps would lose something of code."""
        key = "\n".join(map(ast.unparse, code))
        lossy = self.names.lossy
        if key not in lossy:
            tried = self.dry()
            tried.steps(code)
            lossy[key] = bool(tried.names.module.ledger.constructs)
        return lossy[key]

    def evaluated(self, node: ast.expr, place: ast.AST) -> tuple[DraftStep, ast.Name]:
        """Return the step that evaluates code by a function, and the name of what it gives."""
        assert self.hooks is not None, "the caller has looked"
        step, local = self.hooks.evaluate(node, self.names, self.functions, place)
        return step, ast.copy_location(ast.Name(id=local, ctx=ast.Load()), node)

    def _hooked(self, code: Sequence[ast.stmt], fault: Unsayable | None = None) -> list[DraftStep]:
        assert self.hooks is not None, "the caller has looked"
        try:
            return self.hooks.run(code, self.names, self.functions, self._read_beside(code))
        except Unsayable as other:
            raise (fault or other) from other

    def _read_beside(self, code: Sequence[ast.stmt]) -> frozenset[str]:
        """Return the names that code around some code reads."""
        inside = {one for each in code for one in ast.walk(each)}
        return frozenset(
            one.id
            for around in self.around
            for each in around
            for one in ast.walk(each)
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load) and one not in inside
        )

    def _part(self, node: ast.stmt, fault: Unsayable) -> tuple[list[DraftStep], ast.stmt]:
        """Return the steps that evaluate the part which can't be said, and the code without it."""
        part = next((one for one in _parts(node, self.names) if _holds(one, fault.node)), None)
        if part is None or not self.computes(part):
            raise fault
        if isinstance(part, ast.Name) and part.id in self.names.local:
            raise fault
        try:
            step, name = self.evaluated(part, node)
        except Unsayable as other:
            raise fault from other
        return [step], replaced(node, part, name, self.names)


def _holds(part: ast.AST, node: ast.AST) -> bool:
    return any(one is node for one in ast.walk(part))


def _parts(node: ast.stmt, names: LocustNames) -> Iterator[ast.expr]:
    """Yield the expressions of a statement that may be evaluated before it, the smallest first."""
    found: list[ast.expr] = []
    match node:
        case ast.With(items=items):
            for item in items:
                found += _arguments(item.context_expr, names)
        case (
            ast.Expr(value=inner)
            | ast.Assign(value=inner)
            | ast.AnnAssign(value=ast.expr() as inner)
        ):
            found += _arguments(inner, names)
        case ast.If(test=test):
            found.append(test)
        case ast.For(iter=source):
            found.append(source)
        case _:
            pass
    for one in found:
        yield from _values(one)


def _arguments(node: ast.expr, names: LocustNames) -> list[ast.expr]:
    call = client_call(node, names)
    if call is None:
        return []
    return [*call.args, *(one.value for one in call.keywords)]


def _values(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the values of a mapping or list that the code writes, then the whole."""
    match node:
        case ast.Dict(values=values):
            for one in values:
                yield from _values(one)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            for one in items:
                yield from _values(one)
        case ast.JoinedStr(values=values):
            for one in values:
                if isinstance(one, ast.FormattedValue) and one.format_spec is None:
                    yield one.value
        case _:
            pass
    yield node
