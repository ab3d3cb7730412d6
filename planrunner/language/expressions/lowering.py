"""Syntax trees to closures over a scope; what depends on constants only is computed here, once.

Each node is lowered in one of two ways. Strictly: the closure returns a value or raises. Or
`lax`: it may return `Undefined`, because what is around it accepts that (a further attribute,
`default`, `is defined`). So no closure ever computes with an undefined value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Final

from planrunner.language.diagnostics import Code
from planrunner.language.expressions import tree as nodes
from planrunner.language.expressions.builtins.calls import lower_call, lower_filter, lower_test
from planrunner.language.expressions.operators import BINARY, COMPARE, BinaryOperator, join_texts
from planrunner.language.expressions.paths import (
    describe,
    look_up,
    lower_path,
    static_key,
    undefined_error,
)
from planrunner.language.expressions.values import (
    FAULTS,
    MAX_SIZE,
    Evaluate,
    EvaluationError,
    ExpressionError,
    Lowered,
    Scope,
    Undefined,
    constant,
    deep_size,
    kind_of,
)

__all__ = ["bounded_folding", "lower_tree"]

_FOLDING_BUDGET: Final = 4 * MAX_SIZE
"""Bytes that all folding of one expression may read and build, so that validating stays fast."""

_PLAN_BUDGET: Final = 4 * MAX_SIZE  # measured: 0.1 to 0.2 s for each
_COUNTS_FOR_THE_PLAN: Final = 10_000  # less takes no longer than reading the expression did

_left_of_plan: ContextVar[list[int] | None] = ContextVar("left_of_plan", default=None)


@contextmanager
def bounded_folding() -> Iterator[None]:
    """Give all expressions that are lowered inside one budget, beside that of each."""
    token = _left_of_plan.set([_PLAN_BUDGET])
    try:
        yield
    finally:
        _left_of_plan.reset(token)


_PATHS: Final = (nodes.Name, nodes.Getattr, nodes.Getitem)
_BINARY_NODES: Final = tuple(getattr(nodes, name) for name in BINARY)


def lower_tree(tree: nodes.Expr, source: str, constants: Mapping[str, object]) -> Lowered:
    """Return the lowered form of a surveyed tree.

    Raises:
        ExpressionError: What depends on constants only has no value, or one over the budget.
    """
    lowered = _TreeLowering(constants).lower(tree)
    if lowered.is_constant or isinstance(tree, nodes.Name | nodes.Getattr):
        return lowered
    return Lowered(_named(lowered.evaluate, source))


def _named(evaluate: Evaluate, source: str) -> Evaluate:
    """Make every failure say which expression it was."""
    shown = " ".join(source.split())
    shown = shown if len(shown) <= 80 else f"{shown[:77]}..."

    def evaluate_named(scope: Scope) -> object:
        try:
            return evaluate(scope)
        except EvaluationError as error:
            if f"`{shown}`" in error.message:
                raise
            raise type(error)(f"{error.message} in `{shown}`", hint=error.hint) from None
        except Exception:  # noqa: BLE001 - the boundary: a reply's values must not end the run
            raise EvaluationError(f"`{shown}` has no value") from None

    return evaluate_named


class _TreeLowering:
    def __init__(self, constants: Mapping[str, object]) -> None:
        self._constants = constants
        self._budget = _FOLDING_BUDGET
        self._methods: Mapping[type[nodes.Node], Callable[[Any], Lowered]] = {
            **dict.fromkeys(_BINARY_NODES, self._binary),
            nodes.Call: partial(lower_call, self),
            nodes.Compare: self._compare,
            nodes.Concat: self._concat,
            nodes.Const: self._const,
            nodes.Dict: self._dict,
            nodes.List: self._list,
            nodes.Neg: self._sign,
            nodes.Not: self._not,
            nodes.Pos: self._sign,
            nodes.Test: partial(lower_test, self),
            nodes.Tuple: self._tuple,
        }

    def lower(self, node: nodes.Node, *, lax: bool = False) -> Lowered:
        """Lower one node; `lax` lets it be undefined."""
        if isinstance(node, _PATHS):
            return self._path(node, lax=lax)
        if isinstance(node, nodes.Filter):
            return self._defined(lower_filter(self, node, lax=lax), node, lax=lax)
        if isinstance(node, nodes.CondExpr):
            return self._condition(node, lax=lax)
        if isinstance(node, nodes.And | nodes.Or):
            return self._and_or(node, lax=lax)
        method = self._methods.get(type(node))
        if method is None:
            raise ExpressionError("this is not possible in a plan", offset=node.offset)
        return method(node)

    def fold(self, node: nodes.Node, evaluate: Evaluate, *operands: Lowered) -> Lowered:
        """Return the value that `evaluate` gives when all operands are constant."""
        if not all(operand.is_constant for operand in operands):
            return Lowered(evaluate)
        if (left := _left_of_plan.get()) is not None and left[0] < 0:
            raise _failed(node, "the plan's constants together are larger than 4 MB")
        self._spend(node, [operand.value for operand in operands])
        try:
            value = evaluate({})
        except EvaluationError as error:
            raise _failed(node, error.message, error.hint) from None
        except Exception:  # noqa: BLE001 - the boundary for constants: a fault of the plan
            raise _failed(node, "the expression has no value") from None
        self._spend(node, [value])
        return constant(value)

    def _spend(self, node: nodes.Node, values: list[object]) -> None:
        for value in values:
            size = deep_size(value)
            self._budget -= size
            if size > MAX_SIZE or self._budget < 0:
                raise _failed(node, "the result would be larger than 1 MB")
            if size > _COUNTS_FOR_THE_PLAN and (left := _left_of_plan.get()) is not None:
                left[0] -= size

    def _defined(self, lowered: Lowered, node: nodes.Node, *, lax: bool) -> Lowered:
        """Refuse a constant that is undefined for good, unless that is accepted."""
        if not lax and isinstance(lowered.value, Undefined):
            error = undefined_error(describe(node), lowered.value)
            raise _failed(node, error.message, error.hint)
        return lowered

    # --- paths --------------------------------------------------------------------------------

    def _path(self, node: nodes.Name | nodes.Getattr | nodes.Getitem, *, lax: bool) -> Lowered:
        keys: list[str | int] = []
        base: nodes.Node = node
        while isinstance(base, nodes.Getattr | nodes.Getitem):
            key = static_key(base)
            if key is None:
                break
            keys.append(key)
            base = base.node
        if isinstance(base, nodes.Name):
            path = tuple(reversed(keys))
            lowered = lower_path(base.name, path, self._constants, lax=lax)
        else:
            lowered = self._item(node, lax=lax)
        return self._defined(lowered, node, lax=lax)

    def _item(self, node: Any, *, lax: bool) -> Lowered:  # noqa: ANN401 - Getattr or Getitem
        """Lower a key of something that isn't a name, or a key that is computed."""
        base = self.lower(node.node, lax=True)
        key = constant(node.attr) if isinstance(node, nodes.Getattr) else self._key(node.arg)
        of, at, missing = base.evaluate, key.evaluate, Undefined(describe(node))

        def evaluate_lax(scope: Scope) -> object:
            return look_up(of(scope), at(scope), missing)

        def evaluate(scope: Scope) -> object:
            value = look_up(of(scope), at(scope), missing)
            if value.__class__ is Undefined:
                raise undefined_error(missing.missing, value)
            return value

        return self.fold(node, evaluate_lax if lax else evaluate, base, key)

    def _key(self, node: nodes.Expr) -> Lowered:
        if not isinstance(node, nodes.Slice):
            return self.lower(node)
        bounds = [
            constant(None) if part is None else self.lower(part)
            for part in (node.start, node.stop, node.step)
        ]
        parts = [bound.evaluate for bound in bounds]
        if all(bound.is_constant for bound in bounds):
            return constant(slice(*(bound.value for bound in bounds)))
        return Lowered(lambda scope: slice(*(part(scope) for part in parts)))

    # --- literals -----------------------------------------------------------------------------

    def _const(self, node: nodes.Const) -> Lowered:
        return constant(node.value)

    def _list(self, node: nodes.List) -> Lowered:
        items = [self.lower(item) for item in node.items]
        parts = [item.evaluate for item in items]
        return self.fold(node, lambda scope: [part(scope) for part in parts], *items)

    def _tuple(self, node: nodes.Tuple) -> Lowered:
        items = [self.lower(item) for item in node.items]
        parts = [item.evaluate for item in items]
        return self.fold(node, lambda scope: tuple([part(scope) for part in parts]), *items)

    def _dict(self, node: nodes.Dict) -> Lowered:
        pairs = [(self.lower(pair.key), self.lower(pair.value)) for pair in node.items]
        parts = [(key.evaluate, value.evaluate) for key, value in pairs]
        operands = [operand for pair in pairs for operand in pair]
        return self.fold(node, lambda scope: {k(scope): v(scope) for k, v in parts}, *operands)

    # --- operators ----------------------------------------------------------------------------

    def _binary(self, node: nodes.BinExpr) -> Lowered:
        binary = BINARY[type(node).__name__]
        return self._operate(node, binary, self.lower(node.left), self.lower(node.right))

    def _operate(
        self,
        node: nodes.Node,
        binary: BinaryOperator,
        left: Lowered,
        right: Lowered,
    ) -> Lowered:
        symbol, operate = binary.symbol, binary.compute
        first, second = left.evaluate, right.evaluate

        def evaluate(scope: Scope) -> object:
            a, b = first(scope), second(scope)
            try:
                return operate(a, b)
            except FAULTS as error:
                raise _operator_error(symbol, a, b, error) from None

        return self.fold(node, evaluate, left, right)

    def _compare(self, node: nodes.Compare) -> Lowered:
        """Lower `a < b <= c`, which is `a < b and b <= c` with each operand evaluated once."""
        left = self.lower(node.expr)
        rights = [self.lower(operand.expr) for operand in node.ops]
        if len(rights) == 1:
            return self._operate(node, COMPARE[node.ops[0].op], left, rights[0])
        links = [
            ((binary := COMPARE[operand.op]).symbol, binary.compute, right.evaluate)
            for operand, right in zip(node.ops, rights, strict=True)
        ]
        first = left.evaluate

        def evaluate(scope: Scope) -> object:
            a = first(scope)
            for symbol, operate, second in links:
                b = second(scope)
                try:
                    if not operate(a, b):
                        return False
                except FAULTS as error:
                    raise _operator_error(symbol, a, b, error) from None
                a = b
            return True

        return self.fold(node, evaluate, left, *rights)

    def _concat(self, node: nodes.Concat) -> Lowered:
        items = [self.lower(item) for item in node.nodes]
        parts = [item.evaluate for item in items]
        return self.fold(node, lambda scope: join_texts([part(scope) for part in parts]), *items)

    def _not(self, node: nodes.Not) -> Lowered:
        operand = self.lower(node.node)
        value = operand.evaluate
        return self.fold(node, lambda scope: not value(scope), operand)

    def _sign(self, node: nodes.UnaryExpr) -> Lowered:
        operand = self.lower(node.node)
        value, negative = operand.evaluate, isinstance(node, nodes.Neg)

        def evaluate(scope: Scope) -> object:
            number: Any = value(scope)
            try:
                return -number if negative else +number
            except FAULTS:
                raise EvaluationError(f"{kind_of(number)} has no sign") from None

        return self.fold(node, evaluate, operand)

    # --- what decides which operand counts ------------------------------------------------------

    def _and_or(self, node: nodes.And | nodes.Or, *, lax: bool) -> Lowered:
        left = self.lower(node.left)
        wanted = isinstance(node, nodes.Or)
        if left.is_constant:
            return left if bool(left.value) is wanted else self.lower(node.right, lax=lax)
        first, second = left.evaluate, self.lower(node.right, lax=lax).evaluate
        if wanted:
            return Lowered(lambda scope: first(scope) or second(scope))
        return Lowered(lambda scope: first(scope) and second(scope))

    def _condition(self, node: nodes.CondExpr, *, lax: bool) -> Lowered:
        test = self.lower(node.test)
        if test.is_constant and test.value:
            return self.lower(node.expr1, lax=lax)
        otherwise = self._otherwise(node, lax=lax)
        if test.is_constant:
            return self._defined(otherwise, node, lax=lax)
        decide, no = test.evaluate, otherwise.evaluate
        yes = self.lower(node.expr1, lax=lax).evaluate
        return Lowered(lambda scope: yes(scope) if decide(scope) else no(scope))

    def _otherwise(self, node: nodes.CondExpr, *, lax: bool) -> Lowered:
        if node.expr2 is not None:
            return self.lower(node.expr2, lax=lax)
        missing = Undefined("…")
        if lax or self.lower(node.test).is_constant:
            return constant(missing)

        def refuse(_: Scope) -> object:
            raise EvaluationError("the condition is false", hint="add an `else`: `a if b else c`")

        return Lowered(refuse)


def _failed(node: nodes.Node, message: str, hint: str = "") -> ExpressionError:
    return ExpressionError(message, hint=hint, offset=node.offset, code=Code.EXPRESSION_FAILED)


def _operator_error(symbol: str, left: object, right: object, error: Exception) -> EvaluationError:
    if isinstance(error, ZeroDivisionError):
        return EvaluationError("division by zero")
    if isinstance(error, OverflowError):
        return EvaluationError(f"the result of `{symbol}` is too large")
    kinds = kind_of(left), kind_of(right)
    hint = "`~` joins values to text" if symbol == "+" and "text" in kinds else ""
    return EvaluationError(f"`{symbol}` can't take {kinds[0]} and {kinds[1]}", hint=hint)
