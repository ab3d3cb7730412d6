"""Conditions on the JSON of a reply as JSON Schema: what the rules of `json` can't say."""

from __future__ import annotations

import ast
import re
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.locust.code.mappings import source_of
from planrunner.importers.formats.locust.code.names import LocustNames
from planrunner.importers.formats.locust.steps.replies import path_of

__all__ = ["failing_schema", "schema_of"]

_FALSE: Final[Keys] = {"enum": [None, False, 0, "", [], {}]}
_TYPES: Final = {"list": "array", "dict": "object", "str": "string", "bool": "boolean",
                 "int": "integer", "float": "number"}  # fmt: skip
_LIMITS: Final = {ast.Lt: "exclusiveMaximum", ast.LtE: "maximum", ast.Gt: "exclusiveMinimum",
                  ast.GtE: "minimum"}  # fmt: skip
_SIZES: Final = (("Items", "array"), ("Length", "string"), ("Properties", "object"))
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]|\['([^']*)'\]")


def failing_schema(test: ast.expr, reply: str, names: LocustNames) -> Keys | None:
    """Return the schema of the replies for which a condition does not hold, nor raises."""
    schema = schema_of(test, reply, names)
    if schema is None:
        return None
    there = _at(_read(test, reply, names), {})
    return {"allOf": [there, {"not": schema}]} if there else {"not": schema}


def _read(test: ast.expr, reply: str, names: LocustNames) -> str | None:
    """Return the path of what a condition raises without; None where it is sure to be asked."""
    match test:
        case ast.UnaryOp(operand=inner) | ast.Compare(left=inner):
            return _read(inner, reply, names)
        case ast.Call(func=ast.Name(), args=[inner, *_]):
            return _read(inner, reply, names)
        case ast.Subscript():
            return path_of(test, reply, names)
        case _:
            return None


def schema_of(test: ast.expr, reply: str, names: LocustNames) -> Keys | None:
    """Return the schema of the replies for which a condition holds; None for other conditions."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            below = schema_of(inner, reply, names)
            return None if below is None else {"not": below}
        case ast.BoolOp(op=op, values=parts):
            schemas = [schema_of(one, reply, names) for one in parts]
            if None in schemas:
                return None
            return {"allOf" if isinstance(op, ast.And) else "anyOf": schemas}
        case ast.Call(func=ast.Name(id="isinstance"), args=[inner, ast.Name(id=kind)]) if (
            kind in _TYPES
        ):
            return _at(path_of(inner, reply, names), {"type": _TYPES[kind]})
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _compared(left, op, right, reply, names)
        case _:
            return _at(path_of(test, reply, names), {"not": _FALSE})


def _compared(  # noqa: PLR0911 - a table
    left: ast.expr, op: ast.cmpop, right: ast.expr, reply: str, names: LocustNames
) -> Keys | None:
    if isinstance(op, ast.NotEq | ast.NotIn | ast.IsNot):
        opposite = {ast.NotEq: ast.Eq, ast.NotIn: ast.In, ast.IsNot: ast.Is}[type(op)]()
        same = _compared(left, opposite, right, reply, names)
        return None if same is None else {"not": same}
    if isinstance(op, ast.In) and isinstance(left, ast.Constant):
        return _at(path_of(right, reply, names), _holds(left.value))
    found = _constant(right, names)
    if found is None:
        return None
    match left, op:
        case ast.Call(func=ast.Name(id="len"), args=[inner]), _ if isinstance(found[0], int):
            return _at(path_of(inner, reply, names), _sized(op, found[0]))
        case _, ast.Eq() | ast.Is():
            same = _at(path_of(left, reply, names), {"const": found[0]})
            may_lack = found[0] is None and isinstance(left, ast.Call)
            return _or_lacking(left, reply, names) if same and may_lack else same
        case _, ast.In() if isinstance(found[0], list | tuple):
            return _at(path_of(left, reply, names), {"enum": [*found[0]]})
        case _ if type(op) in _LIMITS and isinstance(found[0], int | float):
            limit: Keys = {"type": "number", _LIMITS[type(op)]: found[0]}
            return _at(path_of(left, reply, names), limit)
        case _:
            return None


def _or_lacking(node: ast.expr, reply: str, names: LocustNames) -> Keys | None:
    """Return the schema of a value that is null or isn't there: what `.get(…)` gives is None."""
    there = _at(path_of(node, reply, names), {"not": {"const": None}})
    return None if there is None else {"not": there}


def _constant(node: ast.expr, names: LocustNames) -> tuple[object] | None:
    try:
        return (ast.literal_eval(source_of(node, names)),)
    except ValueError:
        return None


def _holds(value: object) -> Keys:
    """Return the schema of what `value in …` is true of: a mapping, a list or a text."""
    kinds: list[Keys] = [{"type": "array", "contains": {"const": value}}]
    if isinstance(value, str):
        kinds += [
            {"type": "object", "required": [value]},
            {"type": "string", "pattern": re.escape(value)},
        ]
    return {"anyOf": kinds}


def _sized(op: ast.cmpop, size: int) -> Keys:
    """Return the schema of what has so many elements."""
    least, most = {
        ast.Eq: (size, size), ast.Gt: (size + 1, None), ast.GtE: (size, None),
        ast.Lt: (None, size - 1), ast.LtE: (None, size),
    }.get(type(op), (None, None))  # fmt: skip
    kinds: list[Keys] = []
    for word, kind in _SIZES:
        schema: Keys = {"type": kind}
        schema |= {f"min{word}": max(least, 0)} if least is not None else {}
        schema |= {f"max{word}": max(most, 0)} if most is not None else {}
        kinds.append(schema)
    return {"anyOf": kinds}


def _at(path: str | None, schema: Keys) -> Keys | None:
    """Return the schema of a reply with some value at a path."""
    if path is None:
        return None
    made = schema
    for name, index, quoted in reversed(_STEP.findall(path)):
        key = name or quoted
        if index:
            size = int(index) + 1
            items: list[Keys] = [{} for _ in range(size - 1)]
            made = {"type": "array", "minItems": size, "prefixItems": [*items, made]}
        else:
            made = {"type": "object", "required": [key], "properties": {key: made}}
    return made
