"""Filters, tests and helpers as closures; how arguments are given is known beforehand."""

from __future__ import annotations

from collections.abc import Callable
from operator import methodcaller
from typing import Any, Final, Protocol, cast

from planrunner.language.diagnostics import Code
from planrunner.language.expressions import tree as nodes
from planrunner.language.expressions.builtins.filters_table import FILTERS
from planrunner.language.expressions.builtins.tests_table import TESTS
from planrunner.language.expressions.paths import describe, undefined_error
from planrunner.language.expressions.values import (
    FAULTS,
    MAX_RANGE,
    UNDEFINED,
    Evaluate,
    EvaluationError,
    ExpressionError,
    Lowered,
    Scope,
    Undefined,
    check_result,
    kind_of,
)
from planrunner.values import dataclass

__all__ = ["LowerArgument", "lower_call", "lower_filter", "lower_test"]


class LowerArgument(Protocol):
    """What lowers the operands."""

    def lower(self, node: nodes.Node, *, lax: bool = False) -> Lowered:
        """Return the lowered form of one node."""

    def fold(self, node: nodes.Node, evaluate: Evaluate, *operands: Lowered) -> Lowered:
        """Return a constant when all operands are, else `evaluate` lowered."""


@dataclass(frozen=True, slots=True)
class _Arguments:
    """The arguments of a call.

    Attributes:
        fixed: The values when all are constant, else None.
    """

    operands: tuple[Lowered, ...]
    evaluate: Callable[[Scope], tuple[list[Any], dict[str, Any]]]
    fixed: tuple[list[Any], dict[str, Any]] | None


def _arguments(lowering: LowerArgument, node: nodes.Call | nodes.Filter | nodes.Test) -> _Arguments:
    by_position = [lowering.lower(argument) for argument in node.args]
    by_name = {word.key: lowering.lower(word.value) for word in node.kwargs}
    more = lowering.lower(node.dyn_args) if node.dyn_args is not None else None
    more_named = lowering.lower(node.dyn_kwargs) if node.dyn_kwargs is not None else None
    first = [lowered.evaluate for lowered in by_position]
    named = [(name, lowered.evaluate) for name, lowered in by_name.items()]

    def evaluate(scope: Scope) -> tuple[list[Any], dict[str, Any]]:
        args: list[Any] = [argument(scope) for argument in first]
        kwargs: dict[str, Any] = {name: argument(scope) for name, argument in named}
        if more is not None:
            args += cast("list[Any]", more.evaluate(scope))
        if more_named is not None:
            kwargs.update(cast("dict[str, Any]", more_named.evaluate(scope)))
        return args, kwargs

    starred = [lowered for lowered in (more, more_named) if lowered is not None]
    operands = (*by_position, *by_name.values(), *starred)
    is_fixed = all(lowered.is_constant for lowered in operands) and not starred
    return _Arguments(operands, evaluate, evaluate({}) if is_fixed else None)


# --- filters ------------------------------------------------------------------------------------


def lower_filter(lowering: LowerArgument, node: nodes.Filter, *, lax: bool) -> Lowered:
    """Lower `value | name(…)`."""
    if node.name in ("d", "default"):
        return _lower_default(lowering, node, lax=lax)
    value = lowering.lower(node.node)
    if node.name == "random":
        return Lowered(_may_miss(node, _random(value.evaluate), lax=lax))
    from planrunner.language.expressions.builtins.filters import filters  # noqa: PLC0415 - Jinja2 takes two bare starts

    arguments = _arguments(lowering, node)
    function = filters()[node.name]
    if not value.is_constant:
        _try_arguments(node, function, arguments, f"filter `{node.name}`")
    apply = _applied(function, value.evaluate, arguments, f"filter `{node.name}`")
    evaluate = _may_miss(node, apply, lax=lax) if node.name in _MAY_MISS else apply
    return lowering.fold(node, evaluate, value, *arguments.operands)


_MAY_MISS: Final = frozenset({"attr", "first", "last", "max", "min"})


def _may_miss(node: nodes.Filter, evaluate: Evaluate, *, lax: bool) -> Evaluate:
    """Refuse to be undefined where a value is needed, such as the first item of nothing."""
    if lax:
        return evaluate
    used = describe(node)

    def evaluate_strictly(scope: Scope) -> object:
        value = evaluate(scope)
        if value is UNDEFINED:
            raise undefined_error(used, UNDEFINED)
        return value

    return evaluate_strictly


def _random(items: Evaluate) -> Evaluate:
    def evaluate(scope: dict[str, Any]) -> object:
        candidates = items(scope)
        try:
            return scope["rand"].pick(candidates)
        except FAULTS:
            raise _cannot_use("filter `random`", candidates) from None

    return evaluate


def _lower_default(lowering: LowerArgument, node: nodes.Filter, *, lax: bool) -> Lowered:
    """Lower `value | default(fallback)`; the fallback is evaluated only where it is needed."""
    value = lowering.lower(node.node, lax=True)
    arguments = dict(zip(("default_value", "boolean"), node.args, strict=False))
    arguments |= {word.key: word.value for word in node.kwargs}
    fallback_node = arguments.get("default_value", nodes.Const("", offset=node.offset))
    boolean = lowering.lower(arguments.get("boolean", nodes.Const(None, offset=node.offset)))
    is_known = value.is_constant and not isinstance(value.value, Undefined)
    if is_known and (value.value or not boolean.value):
        return value
    fallback = lowering.lower(fallback_node, lax=lax)
    evaluate = _default(value.evaluate, fallback.evaluate, falsy=bool(boolean.value))
    return lowering.fold(node, evaluate, value, fallback)


def _default(value: Evaluate, fallback: Evaluate, *, falsy: bool) -> Evaluate:
    if falsy:

        def evaluate_falsy(scope: Scope) -> object:
            found = value(scope)
            return found if found.__class__ is not Undefined and found else fallback(scope)

        return evaluate_falsy

    def evaluate(scope: Scope) -> object:
        found = value(scope)
        return fallback(scope) if found.__class__ is Undefined else found

    return evaluate


# --- tests --------------------------------------------------------------------------------------


def lower_test(lowering: LowerArgument, node: nodes.Test) -> Lowered:
    """Lower `value is name(…)`."""
    if node.name in ("defined", "undefined"):
        lax = lowering.lower(node.node, lax=True)
        value, wanted = lax.evaluate, node.name == "undefined"

        def evaluate(scope: Scope) -> bool:
            return (value(scope).__class__ is Undefined) is wanted

        return lowering.fold(node, evaluate, lax)
    operand = lowering.lower(node.node)
    arguments = _arguments(lowering, node)
    from planrunner.language.expressions.builtins.filters import tests  # noqa: PLC0415 - Jinja2 takes two bare starts

    function = tests()[node.name]
    if not operand.is_constant:
        _try_arguments(node, function, arguments, f"test `{node.name}`")
    apply = _applied(function, operand.evaluate, arguments, f"test `{node.name}`")
    return lowering.fold(node, apply, operand, *arguments.operands)


_PROBES: Final[tuple[object, ...]] = (
    "",
    "text",
    "7",
    b"",
    [],
    ["a"],
    [1],
    {},
    {"a": 1},
    0,
    7,
    0.5,
    True,
    None,
)
"""Values of every kind: arguments that suit none of them suit nothing."""

_NOT_PROBED: Final = frozenset({"format"})
"""Whether its arguments suit depends on how many marks the text has."""


def _try_arguments(
    node: nodes.Filter | nodes.Test,
    function: Callable[..., Any],
    arguments: _Arguments,
    called: str,
) -> None:
    """Refuse constant arguments that a filter or test takes with no value at all."""
    if arguments.fixed is None or not arguments.operands or node.name in _NOT_PROBED:
        return
    args, kwargs = arguments.fixed
    for probe in _PROBES:
        try:
            function(probe, *args, **kwargs)
        except Exception:  # noqa: BLE001 - whatever it is, these arguments don't suit it
            continue
        return
    raise ExpressionError(
        f"the {called} can't take these arguments",
        hint=_how_to_call(node),
        offset=node.offset,
        code=Code.EXPRESSION_FAILED,
    )


def _how_to_call(node: nodes.Filter | nodes.Test) -> str:
    if node.name == "truncate":
        return (
            "its length is at least that of the ending: `truncate(3)`, or `truncate(2, true, '…')`"
        )
    table = FILTERS if isinstance(node, nodes.Filter) else TESTS
    found = [described for described in table if described.name == node.name]
    return f"it is `{found[0].form}`, such as `{found[0].example}`" if found else ""


def _applied(
    function: Callable[..., Any], operand: Evaluate, arguments: _Arguments, called: str
) -> Evaluate:
    if arguments.fixed is None:
        return _applied_to_computed(function, operand, arguments, called)
    args, kwargs = arguments.fixed
    if args or kwargs:
        return _applied_alone(_with_fixed(function, args, kwargs), operand, called)
    return _applied_alone(function, operand, called)


def _with_fixed(
    function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]
) -> Callable[[object], Any]:
    return lambda value: function(value, *args, **kwargs)


def _applied_alone(function: Callable[[object], Any], operand: Evaluate, called: str) -> Evaluate:
    def evaluate(scope: Scope) -> object:
        value = operand(scope)
        try:
            return function(value)
        except FAULTS:
            raise _cannot_use(called, value) from None

    return evaluate


def _applied_to_computed(
    function: Callable[..., Any], operand: Evaluate, arguments: _Arguments, called: str
) -> Evaluate:
    evaluate_arguments = arguments.evaluate

    def evaluate(scope: Scope) -> object:
        value = operand(scope)
        args, kwargs = evaluate_arguments(scope)
        try:
            return function(value, *args, **kwargs)
        except FAULTS:
            raise _cannot_use(called, value) from None

    return evaluate


def _cannot_use(called: str, value: object) -> EvaluationError:
    return EvaluationError(f"the {called} can't use {kind_of(value)} this way")


# --- helpers ------------------------------------------------------------------------------------


def lower_call(lowering: LowerArgument, node: nodes.Call) -> Lowered:
    """Lower a call of a helper; the survey has refused all other calls."""
    arguments = _arguments(lowering, node)
    target = node.node
    if isinstance(target, nodes.Getattr) and isinstance(target.node, nodes.Name):
        if target.node.name == "rand":
            return Lowered(_method("rand", target.attr, arguments))
        return Lowered(_fake(target.attr, arguments))
    name = cast("nodes.Name", target).name
    if name in ("date", "now"):
        return Lowered(_now(arguments) if name == "now" else _date(arguments))
    build = _range if name == "range" else _dict

    def evaluate(scope: Scope) -> object:
        args, kwargs = arguments.evaluate(scope)
        try:
            return check_result(build(*args, **kwargs))
        except FAULTS:
            raise EvaluationError(f"`{name}` can't use these arguments") from None

    return lowering.fold(node, evaluate, *arguments.operands)


def _method(root: str, method: str, arguments: _Arguments) -> Evaluate:
    called = f"`{root}.{method}`"
    if arguments.fixed is not None:
        call = methodcaller(method, *arguments.fixed[0], **arguments.fixed[1])

        def evaluate_fixed(scope: Scope) -> object:
            try:
                return call(scope[root])
            except FAULTS:
                raise EvaluationError(f"{called} can't use these arguments") from None

        return evaluate_fixed

    def evaluate(scope: Scope) -> object:
        args, kwargs = arguments.evaluate(scope)
        try:
            return getattr(scope[root], method)(*args, **kwargs)
        except FAULTS:
            raise EvaluationError(f"{called} can't use these arguments") from None

    return evaluate


def _fake(name: str, arguments: _Arguments) -> Evaluate:
    """Draw a made-up value from the user's stream."""

    def evaluate(scope: dict[str, Any]) -> object:
        args, kwargs = arguments.evaluate(scope)
        try:
            return check_result(scope["rand"].fake(name, *args, **kwargs))
        except FAULTS:
            raise EvaluationError(f"`fake.{name}` can't use these arguments") from None

    return evaluate


def _now(arguments: _Arguments) -> Evaluate:
    def evaluate(scope: dict[str, Any]) -> object:
        args, kwargs = arguments.evaluate(scope)
        if "now" not in scope:
            raise EvaluationError("`now` is not available here")
        try:
            return scope["now"](*args, **kwargs)
        except FAULTS:
            raise EvaluationError("`now` can't use these arguments") from None

    return evaluate


def _date(arguments: _Arguments) -> Evaluate:
    from planrunner.language.expressions.builtins.dates import date_text  # noqa: PLC0415 - for plans with dates

    def evaluate(scope: dict[str, Any]) -> object:
        args, kwargs = arguments.evaluate(scope)
        if "now" not in scope:
            raise EvaluationError("`date` is not available here")
        try:
            return date_text(scope["now"](), *args, **kwargs)
        except FAULTS:
            raise EvaluationError("`date` can't use these arguments") from None

    return evaluate


def _range(*bounds: int) -> list[int]:
    numbers = range(*bounds)
    if (numbers.stop - numbers.start) // numbers.step > MAX_RANGE:
        raise EvaluationError(f"a range has at most {MAX_RANGE:,} numbers")
    return list(numbers)


def _dict(*pairs: Any, **values: object) -> dict[Any, object]:  # noqa: ANN401 - a plan's values
    return dict(*pairs, **values)
