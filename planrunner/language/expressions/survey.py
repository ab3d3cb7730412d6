"""A walk over a syntax tree before it is lowered: which names it reads, and what it may not do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from planrunner.errors import PackageMissing
from planrunner.language.diagnostics import Code, suggest
from planrunner.language.expressions import tree as nodes
from planrunner.language.expressions.builtins.names import (
    FILTER_NAMES,
    FOREIGN_CALLS,
    FOREIGN_FILTERS,
    FOREIGN_METHODS,
    HELPER_METHODS,
    ROOT_HELPERS,
    TEST_NAMES,
    foreign_hint,
)
from planrunner.language.expressions.paths import static_key
from planrunner.language.expressions.tree import MAX_DEPTH, too_deep
from planrunner.language.expressions.values import ExpressionError
from planrunner.values import dataclass

__all__ = ["Reference", "survey"]


@dataclass(frozen=True, slots=True)
class Reference:
    """A name that an expression reads.

    Attributes:
        path: Attributes and text items below the name, as far as they are written out:
            `("a", "b")` for both `x.a.b` and `x.a['b'][0]`.
        offset: Where the name stands, in characters from the start of the source.
        optional: True when the expression accepts that it is missing (`default`, `is defined`).
        is_whole: True when the name of a data source stands for all of its rows.
    """

    root: str
    path: tuple[str, ...]
    offset: int
    optional: bool = False
    is_whole: bool = False


_PATH_NODES: Final = (nodes.Name, nodes.Getattr, nodes.Getitem)
_HELPERS_ONLY: Final = frozenset({"fake", "now", "rand"})
_TAKES_FILTER: Final = frozenset({"map"})
_TAKES_TEST: Final = frozenset({"reject", "rejectattr", "select", "selectattr"})


def survey(tree: nodes.Expr) -> tuple[Reference, ...]:
    """Return the names that the tree reads, in the order they are written.

    Raises:
        ExpressionError: An unknown filter, test or helper, a call of something else, or nesting
            too deep to evaluate.
    """
    found: list[Reference] = []
    _NameSurvey(found).visit(tree, optional=False, depth=0)
    return tuple(sorted(found, key=lambda reference: reference.offset))


@dataclass(frozen=True, slots=True)
class _NameSurvey:
    found: list[Reference]

    def visit(self, node: nodes.Node, *, optional: bool, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise too_deep(node.offset)
        if isinstance(node, _PATH_NODES):
            self._path(node, optional=optional, depth=depth)
        elif isinstance(node, nodes.Call):
            self._call(node, depth)
        elif isinstance(node, nodes.Filter | nodes.Test):
            self._filter_or_test(node, optional=optional, depth=depth)
        else:
            lax = _may_pass_undefined(node) if optional else ()
            for child in node.children():
                self.visit(child, optional=child in lax, depth=depth + 1)

    def _path(self, node: nodes.Expr, *, optional: bool, depth: int) -> None:
        """Walk down `a.b['c'][i].d` to its name; what follows an item only known later is cut."""
        path: list[str] = []
        base: nodes.Node = node
        while isinstance(base, nodes.Getattr | nodes.Getitem):
            depth += 1
            if depth > MAX_DEPTH:
                raise too_deep(base.offset)
            key = static_key(base)
            if isinstance(key, str):
                path.append(key)
            else:
                path.clear()
            if isinstance(base, nodes.Getitem) and key is None:
                self.visit(base.arg, optional=False, depth=depth)
            base = base.node
        if isinstance(base, nodes.Name):
            self._name(base, tuple(reversed(path)), optional=optional)
        else:
            self.visit(base, optional=optional, depth=depth + 1)

    def _name(self, node: nodes.Name, path: tuple[str, ...], *, optional: bool) -> None:
        if node.name in _HELPERS_ONLY:
            hint = f"write `{node.name}()`"
            if methods := HELPER_METHODS.get(node.name):
                method = path[0] if path and path[0] in methods else "int"
                hint = f"write `{node.name}.{method}(…)`"
                hint = FOREIGN_METHODS.get(".".join((node.name, *path[:1])), hint)
            raise ExpressionError(f"`{node.name}` must be called", hint=hint, offset=node.offset)
        self.found.append(Reference(node.name, path, node.offset, optional))

    def _call(self, node: nodes.Call, depth: int) -> None:
        target = node.node
        if isinstance(target, nodes.Name) and target.name in ("dict", "range"):
            pass
        elif isinstance(target, nodes.Name) and target.name in ("date", "now"):
            self.found.append(Reference("now", (), target.offset))
        elif (
            isinstance(target, nodes.Getattr)
            and isinstance(target.node, nodes.Name)
            and target.node.name in ("fake", "rand")
        ):
            root = target.node
            methods = _fakes(root) if root.name == "fake" else HELPER_METHODS[root.name]
            if target.attr not in methods:
                raise _unknown(
                    "helper",
                    f"{root.name}.{target.attr}",
                    target,
                    [f"{root.name}.{method}" for method in methods],
                )
            self.found.append(Reference(root.name, (target.attr,), root.offset))
        else:
            raise _not_callable(node)
        self._arguments(node, depth)

    def _filter_or_test(
        self, node: nodes.Filter | nodes.Test, *, optional: bool, depth: int
    ) -> None:
        if isinstance(node, nodes.Filter):
            _check_filter(node)
            lax = node.name in ("d", "default")
        else:
            _known("test", node.name, node, TEST_NAMES)
            lax = node.name in ("defined", "undefined")
        self.visit(node.node, optional=lax, depth=depth + 1)
        # What `default` falls back to may be missing too, when another `default` follows.
        falls_back = lax and isinstance(node, nodes.Filter)
        self._arguments(node, depth, optional=optional and falls_back)

    def _arguments(
        self, node: nodes.Call | nodes.Filter | nodes.Test, depth: int, *, optional: bool = False
    ) -> None:
        values = [*node.args, *(keyword.value for keyword in node.kwargs)]
        values += [value for value in (node.dyn_args, node.dyn_kwargs) if value is not None]
        for value in values:
            self.visit(value, optional=optional, depth=depth + 1)


def _may_pass_undefined(node: nodes.Node) -> Sequence[nodes.Node]:
    """Return the operands whose own undefined value may become that of `node`."""
    if isinstance(node, nodes.CondExpr):
        return [node.expr1] if node.expr2 is None else [node.expr1, node.expr2]
    if isinstance(node, nodes.And | nodes.Or):
        return [node.right]
    return ()


def _fakes(node: nodes.Name) -> Sequence[str]:
    """Return what `fake` has, which the package faker knows."""
    from planrunner.language.expressions.builtins.fakes import fake_names  # noqa: PLC0415 - rare

    try:
        return fake_names()
    except PackageMissing as missing:
        raise ExpressionError(
            missing.message, hint=missing.hint, offset=node.offset, code=Code.NOT_AVAILABLE
        ) from missing


def _check_filter(node: nodes.Filter) -> None:
    _known("filter", node.name, node, FILTER_NAMES)
    inner = next(iter(node.args), None)
    if node.name in _TAKES_TEST and node.name.endswith("attr"):
        inner = node.args[1] if len(node.args) > 1 else None
    if isinstance(inner, nodes.Const) and isinstance(inner.value, str):
        if node.name in _TAKES_FILTER:
            # Draws come from the user's stream, which a filter inside a filter doesn't see.
            known = [name for name in FILTER_NAMES if name != "random"]
            _known("filter", inner.value, inner, known)
        elif node.name in _TAKES_TEST:
            _known("test", inner.value, inner, TEST_NAMES)


def _known(kind: str, name: str, node: nodes.Node, known: Sequence[str]) -> None:
    if name not in known:
        raise _unknown(kind, name, node, known)


def _unknown(kind: str, name: str, node: nodes.Node, known: Sequence[str]) -> ExpressionError:
    hint = FOREIGN_FILTERS.get(name.lower(), "") if kind == "filter" else ""
    hint = hint or FOREIGN_METHODS.get(name, "")
    hint = hint or suggest(name, known) or _list_of(kind, known)
    return ExpressionError(
        f"there is no {kind} `{name}`", hint=hint, offset=node.offset, code=Code.UNKNOWN_NAME
    )


def _list_of(kind: str, known: Sequence[str]) -> str:
    """Return the names that there are, or where to find them when they are many."""
    if len(known) < 10:
        return f"known {kind}s are " + ", ".join(f"`{word}`" for word in known)
    some = ", ".join(f"`{word}`" for word in _USUAL[kind])
    return f"{kind}s are {some} … and all that `planrunner schema expressions` lists"


_USUAL: Final[Mapping[str, Sequence[str]]] = {
    "helper": ("fake.name", "fake.email", "fake.city", "fake.word"),
    "filter": (
        *("default", "int", "float", "string", "length", "lower", "upper", "replace", "join"),
        *("first", "random", "json"),
    ),
    "test": ("defined", "none", "number", "string", "mapping", "sequence", "in", "even", "odd"),
}
"""The likeliest of those that are too many for a hint."""

_HELPERS: Final = ", ".join(
    f"`{name}`"
    for name in (
        *("now()", "date('%Y-%m-%d')", "range(3)", "fake.name()"),
        *(f"rand.{method}(…)" for method in HELPER_METHODS["rand"]),
    )
)


def _not_callable(call: nodes.Call) -> ExpressionError:
    target = call.node
    if isinstance(target, nodes.Name):
        hint = foreign_hint(target.name, _names_in(call)) or suggest(target.name, ROOT_HELPERS)
        if target.name in FILTER_NAMES:
            hint = f"`{target.name}` is a filter: write `x | {target.name}`"
        hint = hint or f"helpers are {_HELPERS}"
        return ExpressionError(
            f"there is no helper `{target.name}`",
            hint=hint,
            offset=target.offset,
            code=Code.UNKNOWN_NAME,
        )
    hint = ""
    if isinstance(target, nodes.Getattr):
        hint = f"`.{target.attr}` is the key `{target.attr}`"
        if target.attr in FILTER_NAMES:
            hint = f"write the filter: `| {target.attr}`"
        hint = FOREIGN_CALLS.get(target.attr.lower(), hint)
        root, path = target.node, [target.attr]
        while isinstance(root, nodes.Getattr):
            path.insert(0, root.attr)
            root = root.node
        if isinstance(root, nodes.Name):
            near = suggest(root.name, ("fake", "rand")) if len(path) == 1 else ""
            hint = foreign_hint(root.name, (*path, *_names_in(call))) or near or hint
    return ExpressionError("a value can't be called", hint=hint, offset=call.offset)


def _names_in(call: nodes.Call) -> Sequence[str]:
    """Return the arguments that are a name or a text: `HOST` of `env('HOST')` and `__P(HOST)`."""
    values = [arg.value for arg in call.args if isinstance(arg, nodes.Const)]
    names = [arg.name for arg in call.args if isinstance(arg, nodes.Name)]
    return [*(value for value in values if isinstance(value, str)), *names]
