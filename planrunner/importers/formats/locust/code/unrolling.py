"""Comprehensions as lists: element by element where the code says how many there are."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from typing import Final

from planrunner.importers.formats.locust.code.mappings import source_of
from planrunner.importers.formats.locust.code.names import LocustNames, Say, Unsayable, wrapped

__all__ = ["CodeInPlaces", "comprehension", "unrolled"]

_MOST: Final = 1000


class CodeInPlaces(ast.NodeTransformer):
    """Code in the places of names."""

    def __init__(self, given: Mapping[str, ast.expr]) -> None:
        self.given = given

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Return what stands for a name."""
        found = self.given.get(node.id)
        if found is None:
            return node
        if isinstance(node.ctx, ast.Load):
            return found
        return ast.Name(id=found.id, ctx=node.ctx) if isinstance(found, ast.Name) else node


def unrolled(
    node: ast.ListComp | ast.GeneratorExp, names: LocustNames
) -> tuple[ast.List, ast.expr | None] | None:
    """Return the elements of a comprehension, and how many of them count; None where unknown.

    The second is set where a draw says how many there are: then the list is as long as the longest.
    """
    match node.generators:
        case [ast.comprehension(target=ast.Name(id=name), iter=source, ifs=[])]:
            pass
        case _:
            return None
    given, count = _elements(source, names)
    if given is None or len(given) > _MOST:
        return None
    elements = [CodeInPlaces({name: one}).visit(copy.deepcopy(node.elt)) for one in given]
    return ast.List(elts=elements, ctx=ast.Load()), count


def _elements(
    source: ast.expr, names: LocustNames
) -> tuple[list[ast.expr] | None, ast.expr | None]:
    match source_of(source, names):
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return items, None
        case ast.Call(func=ast.Name(id="range"), args=[ast.Call(args=[_, high]) as count]) if (
            names.module.full_name(count.func) == "random.randint"
        ):
            most = _whole(high, names)
            found = None if most is None or most > _MOST else _numbers(0, most)
            return found, count
        case ast.Call(func=ast.Name(id="range"), args=[stop]):
            whole = _whole(stop, names)
            return (None if whole is None else _numbers(0, whole)), None
        case ast.Call(func=ast.Name(id="range"), args=[start, stop]):
            first, whole = _whole(start, names), _whole(stop, names)
            return (None if first is None or whole is None else _numbers(first, whole)), None
        case _:
            return None, None


def _numbers(start: int, stop: int) -> list[ast.expr] | None:
    if stop - start > _MOST:
        return None
    return [ast.Constant(value=number) for number in range(start, stop)]


def _whole(node: ast.expr, names: LocustNames) -> int | None:
    found = source_of(node, names)
    is_whole = isinstance(found, ast.Constant) and type(found.value) is int
    return found.value if is_whole and isinstance(found, ast.Constant) else None  # type: ignore[return-value]


def comprehension(node: ast.ListComp | ast.GeneratorExp, names: LocustNames, say: Say) -> str:
    """Return a comprehension as a list, or with `map`."""
    known = unrolled(node, names)
    if known is not None:
        elements, count = known
        text = say(elements, names)
        names.module.accept(node)
        return text if count is None else f"{text}[:{say(count, names)}]"
    match node:
        case ast.ListComp(
            elt=elt, generators=[ast.comprehension(target=ast.Name(id=name), iter=source, ifs=[])]
        ):
            match elt:
                case (
                    ast.Subscript(value=ast.Name(id=each), slice=ast.Constant(value=str() as key))
                    | ast.Call(
                        func=ast.Attribute(value=ast.Name(id=each), attr="get"),
                        args=[ast.Constant(value=str() as key)],
                    )
                ) if each == name:
                    return f"({wrapped(say(source, names))} | map(attribute='{key}') | list)"
                case _:
                    pass
        case _:
            pass
    raise Unsayable(node, "a comprehension; write it with the filters `map` and `select`")
