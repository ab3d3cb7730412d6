"""Functions of a file in the places of their calls."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping, Sequence

from planrunner.importers.formats.locust.code.module import LocustFunction, dotted
from planrunner.importers.formats.locust.code.names import LocustNames

__all__ = ["assigned", "bound"]


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
            given[name] = ast.Name(id=local)
    body = [_placed(one, given, names) for one in function.body]
    last = body[-1] if body else None
    if isinstance(last, ast.Return) and last.value is not None:
        return body[:-1], last.value, computed
    return body, None, computed


def _arguments(function: LocustFunction, call: ast.Call, names: LocustNames) -> dict[str, ast.expr]:
    """Return what each parameter gets."""
    parameters = [one.arg for one in function.args.args]
    given: dict[str, ast.expr] = {}
    if parameters and dotted(call.func).startswith(f"{names.own}."):
        given[parameters[0]] = ast.Name(id=names.own)
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
    made = copy.deepcopy(node)
    module = names.module
    for old, new in zip(ast.walk(node), ast.walk(made), strict=True):
        if old in module.calls:
            module.calls[new] = module.calls[old]
        if old in module.files:
            module.files[new] = module.files[old]
    found = _Places(given).visit(made)
    assert isinstance(found, ast.stmt), "only names are replaced"
    return found


class _Places(ast.NodeTransformer):
    def __init__(self, given: Mapping[str, ast.expr]) -> None:
        self.given = given

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.given.get(node.id, node) if isinstance(node.ctx, ast.Load) else node


def assigned(code: Sequence[ast.stmt], own: str) -> Iterator[tuple[str, ast.expr]]:
    """Yield the attributes of the user that code sets, with what they are set to."""
    for statement in code:
        for node in ast.walk(statement):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    is_own = isinstance(target, ast.Attribute) and dotted(target).count(".") == 1
                    if is_own and isinstance(target, ast.Attribute) and dotted(target.value) == own:
                        yield target.attr, node.value
