"""The syntax tree of an expression: Jinja2's nodes, as far as an expression can have them.

They are our own so that an expression in a common form is read without importing Jinja2, which
takes two starts of the interpreter. Names and fields are Jinja2's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from planrunner.language.expressions.values import ExpressionError

__all__ = [
    "MAX_DEPTH",
    "Add",
    "And",
    "BinExpr",
    "Call",
    "Compare",
    "Concat",
    "CondExpr",
    "Const",
    "Dict",
    "Div",
    "Expr",
    "Filter",
    "FloorDiv",
    "Getattr",
    "Getitem",
    "Keyword",
    "List",
    "Mod",
    "Mul",
    "Name",
    "Neg",
    "Node",
    "Not",
    "Operand",
    "Or",
    "Pair",
    "Pos",
    "Pow",
    "Slice",
    "Sub",
    "Test",
    "Tuple",
    "UnaryExpr",
    "too_deep",
]

MAX_DEPTH: Final = 100
"""Deepest nesting: evaluating takes a few Python frames a level, and the stack has 1,000."""


def too_deep(offset: int = 0) -> ExpressionError:
    """Return the error for an expression that nests deeper than `MAX_DEPTH`."""
    return ExpressionError(
        "the expression is too deeply nested", hint="split it with `set`", offset=offset
    )


class Node:
    """One construct; nodes are equal when they are the same.

    Attributes:
        fields: What it consists of, in the order they are written.
        offset: Where it stands, in characters from the start of the source.
    """

    __slots__ = ("offset",)

    fields: ClassVar[tuple[str, ...]] = ()
    offset: int

    def __init__(self, *values: object, offset: int) -> None:
        self.offset = offset
        for name, value in zip(self.fields, values, strict=True):
            setattr(self, name, value)

    def children(self) -> Iterator[Node]:
        """Yield the nodes directly below."""
        for name in self.fields:
            value = getattr(self, name)
            for child in value if isinstance(value, list) else (value,):
                if isinstance(child, Node):
                    yield child


class Expr(Node):
    __slots__ = ()


class Name(Expr):
    __slots__ = fields = ("name",)
    name: str


class Const(Expr):
    __slots__ = fields = ("value",)
    value: object


class Getattr(Expr):
    __slots__ = fields = ("node", "attr")
    node: Expr
    attr: str


class Getitem(Expr):
    __slots__ = fields = ("node", "arg")
    node: Expr
    arg: Expr


class Slice(Expr):
    __slots__ = fields = ("start", "stop", "step")
    start: Expr | None
    stop: Expr | None
    step: Expr | None


class Keyword(Node):
    __slots__ = fields = ("key", "value")
    key: str
    value: Expr


class Call(Expr):
    __slots__ = fields = ("node", "args", "kwargs", "dyn_args", "dyn_kwargs")
    node: Expr
    args: list[Expr]
    kwargs: list[Keyword]
    dyn_args: Expr | None
    dyn_kwargs: Expr | None


class Filter(Expr):
    __slots__ = fields = ("node", "name", "args", "kwargs", "dyn_args", "dyn_kwargs")
    node: Expr
    name: str
    args: list[Expr]
    kwargs: list[Keyword]
    dyn_args: Expr | None
    dyn_kwargs: Expr | None


class Test(Expr):
    __slots__ = fields = ("node", "name", "args", "kwargs", "dyn_args", "dyn_kwargs")
    node: Expr
    name: str
    args: list[Expr]
    kwargs: list[Keyword]
    dyn_args: Expr | None
    dyn_kwargs: Expr | None


class Operand(Node):
    __slots__ = fields = ("op", "expr")
    op: str
    expr: Expr


class Compare(Expr):
    __slots__ = fields = ("expr", "ops")
    expr: Expr
    ops: list[Operand]


class Concat(Expr):
    __slots__ = fields = ("nodes",)
    nodes: list[Expr]


class CondExpr(Expr):
    __slots__ = fields = ("test", "expr1", "expr2")
    test: Expr
    expr1: Expr
    expr2: Expr | None


class Pair(Node):
    __slots__ = fields = ("key", "value")
    key: Expr
    value: Expr


class Dict(Expr):
    __slots__ = fields = ("items",)
    items: list[Pair]


class List(Expr):
    __slots__ = fields = ("items",)
    items: list[Expr]


class Tuple(Expr):
    __slots__ = fields = ("items",)
    items: list[Expr]


class UnaryExpr(Expr):
    __slots__ = fields = ("node",)
    node: Expr


class Neg(UnaryExpr):
    __slots__ = ()


class Pos(UnaryExpr):
    __slots__ = ()


class Not(UnaryExpr):
    __slots__ = ()


class BinExpr(Expr):
    __slots__ = fields = ("left", "right")
    left: Expr
    right: Expr


class And(BinExpr):
    __slots__ = ()


class Or(BinExpr):
    __slots__ = ()


class Add(BinExpr):
    __slots__ = ()


class Sub(BinExpr):
    __slots__ = ()


class Mul(BinExpr):
    __slots__ = ()


class Div(BinExpr):
    __slots__ = ()


class FloorDiv(BinExpr):
    __slots__ = ()


class Mod(BinExpr):
    __slots__ = ()


class Pow(BinExpr):
    __slots__ = ()
