"""Functions of a file in the places of their calls."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping, Sequence

from planrunner.importers.formats.locust.code.module import LocustFunction, dotted
from planrunner.importers.formats.locust.code.names import LocustNames
from planrunner.importers.formats.locust.code.returning import with_result
from planrunner.importers.formats.locust.code.unrolling import CodeInPlaces

__all__ = ["assigned", "bound", "keys_added", "replaced"]


def bound(
    function: LocustFunction, call: ast.Call, names: LocustNames
) -> tuple[list[ast.stmt], ast.expr | None, list[tuple[str, ast.expr]]]:
    """Return a function's code with its arguments in their places.

    Returns:
        The code, what it gives back if that is its last statement, and the names that have to be
        set first: arguments that are computed, which must happen once.
    """
    given = _arguments(function, call, names)
    computed: list[tuple[str, ast.expr]] = []
    for name, argument in list(given.items()):
        if any(isinstance(one, ast.Call) for one in ast.walk(argument)):
            local = names.name_local(f"{function.name}_{name}")
            computed.append((local, argument))
            names.local[local] = local
            given[name] = ast.Name(id=local, ctx=ast.Load())
    renamed = _renamed(function, names)
    body = [_placed(one, {**renamed, **given}, names) for one in function.body]
    code, returned = with_result(body, f"{function.name}_result".lstrip("_"))
    return code, returned, computed


def _renamed(function: LocustFunction, names: LocustNames) -> dict[str, ast.expr]:
    """Return other names for those of a function's own that its caller has as well."""
    own = {
        one.id
        for one in ast.walk(function)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    renamed: dict[str, ast.expr] = {}
    for name in own:
        maker = names.made_by.get(name)
        if name in names.local and maker != function.name:
            renamed[name] = ast.Name(id=f"{function.name.lstrip('_')}_{name}", ctx=ast.Load())
        else:
            names.made_by[name] = function.name
    return renamed


def _arguments(function: LocustFunction, call: ast.Call, names: LocustNames) -> dict[str, ast.expr]:
    """Return what each parameter gets."""
    parameters = [one.arg for one in function.args.args]
    given: dict[str, ast.expr] = {}
    if parameters and dotted(call.func).startswith(f"{names.own}."):
        given[parameters[0]] = ast.Name(id=names.own, ctx=ast.Load())
        parameters = parameters[1:]
    elif parameters and any(dotted(one) == "classmethod" for one in function.decorator_list):
        assert isinstance(call.func, ast.Attribute), "a class method is one of a class"
        given[parameters[0]] = call.func.value
        parameters = parameters[1:]
    given.update(zip(parameters, call.args, strict=False))
    given.update({one.arg: one.value for one in call.keywords if one.arg})
    defaults = function.args.defaults
    for name, default in zip(parameters[len(parameters) - len(defaults) :], defaults, strict=False):
        given.setdefault(name, default)
    for one, default_of in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        if default_of is not None:
            given.setdefault(one.arg, default_of)
    return given


def _placed(node: ast.stmt, given: Mapping[str, ast.expr], names: LocustNames) -> ast.stmt:
    """Return a copy of code with arguments in the place of parameters; its calls stay known."""
    made, _ = _copied(node, names)
    found = CodeInPlaces(given).visit(made)
    assert isinstance(found, ast.stmt), "only names are replaced"
    return found


def assigned(code: Sequence[ast.stmt], own: str) -> Iterator[tuple[str, ast.expr]]:
    """Yield the attributes of the user that code sets, with what they are set to."""
    for statement in code:
        for node in ast.walk(statement):
            match node:
                case ast.Assign(targets=targets, value=value):
                    pass
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    targets = [target]
                case _:
                    continue
            for one in targets:
                if isinstance(one, ast.Attribute) and dotted(one) == f"{own}.{one.attr}":
                    yield one.attr, value


def keys_added(code: Sequence[ast.stmt], own: str) -> Iterator[tuple[str, str]]:
    """Yield the attributes of the user that are mappings, with keys that code sets in them."""
    for statement in code:
        for node in ast.walk(statement):
            match node:
                case ast.Subscript(
                    value=ast.Attribute(value=ast.Name(id=name), attr=attribute),
                    slice=ast.Constant(value=str() as key),
                    ctx=ast.Store(),
                ) if name == own:
                    yield attribute, key
                case _:
                    pass


def replaced(node: ast.stmt, old: ast.expr, new: ast.expr, names: LocustNames) -> ast.stmt:
    """Return a statement with one piece of its code replaced; its other calls stay known."""
    made, twins = _copied(node, names)
    found = _ReplacedCode(twins[old], new).visit(made)
    assert isinstance(found, ast.stmt), "only expressions are replaced"
    return found


class _ReplacedCode(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.expr) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        """Return what stands for a node."""
        return self.new if node is self.old else self.generic_visit(node)


def _copied(node: ast.stmt, names: LocustNames) -> tuple[ast.stmt, dict[ast.AST, ast.AST]]:
    """Return a copy whose calls are as known as those of the original, and what is copied how."""
    made = copy.deepcopy(node)
    module = names.module
    twins = dict(zip(ast.walk(node), ast.walk(made), strict=True))
    for old, new in twins.items():
        if old in module.calls:
            module.calls[new] = module.calls[old]
        if old in module.files:
            module.files[new] = module.files[old]
    return made, twins
