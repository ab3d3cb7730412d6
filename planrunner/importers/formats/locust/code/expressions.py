"""Python expressions → expressions and values of a plan."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Final

from planrunner.importers.formats.locust.code.calls import formatted, library_call, method
from planrunner.importers.formats.locust.code.draws import (
    environment,
    getenv,
    is_fake,
)
from planrunner.importers.formats.locust.code.mappings import KnownMapping, known_keys, source_of
from planrunner.importers.formats.locust.code.module import dotted
from planrunner.importers.formats.locust.code.names import LocustNames, Unsayable
from planrunner.importers.formats.locust.code.patterns import (
    DRAWS,
    brace_pieces,
    constant,
    is_text,
    percent_pieces,
)
from planrunner.importers.formats.locust.code.unrolling import comprehension, unrolled
from planrunner.importers.templates import literal

__all__ = ["expression", "mapping_by_key", "text_of", "value"]

_FILTERS: Final = {"len": "length", "str": "string", "int": "int", "float": "float", "sum": "sum",
                   "round": "round", "abs": "abs", "min": "min", "max": "max"}  # fmt: skip
_LONGEST: Final = 1_000_000
_MOST: Final = 5_000
_OPERATORS: Final = {
    ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%", ast.FloorDiv: "//",
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
_REPLY: Final = {"text": "body", "content": "body", "status_code": "status", "headers": "headers",
                 "js": "json", "ok": "status < 400"}  # fmt: skip


def value(  # noqa: PLR0912 - a table
    node: ast.expr, names: LocustNames
) -> object:
    """Return what code says as a value of a plan: a literal, a text with `${…}`, a collection."""
    source = source_of(node, names)
    if source is not node and isinstance(source, ast.Dict | ast.List | ast.Tuple):
        names.module.accept(node, source)
        return value(source, names)
    match source:
        case ast.Dict(keys=keys, values=values):
            made: dict[str, object] = {}
            for key, one in zip(keys, values, strict=True):
                if key is None:
                    made.update(_merged(one, names))
                else:
                    made[text_of(key, names)] = value(one, names)
            return made
        case ast.ListComp() if (known := unrolled(source, names)) and known[1] is None:
            return [value(one, names) for one in known[0].elts]
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [value(one, names) for one in items]
        case ast.Constant(value=bool() | int() | float() | None as plain):
            return plain
        case _:
            text = text_of(node, names)
            is_alone = is_text(node) and re.fullmatch(r"\$\{[^{}]*\}", text) is not None
            return f"${{({text[2:-1]}) | string}}" if is_alone else text


def _merged(node: ast.expr, names: LocustNames) -> dict[str, object]:
    """Return what `**` puts into a mapping."""
    source = source_of(node, names)
    if isinstance(source, ast.Dict):
        found = value(source, names)
        assert isinstance(found, dict), "it is a mapping"
        return found
    known = known_keys(source, names)
    if known is None:
        raise Unsayable(node, "`**` in a mapping")
    return mapping_by_key(source, known, names)


def mapping_by_key(node: ast.expr, known: KnownMapping, names: LocustNames) -> dict[str, object]:
    """Return a mapping that is put together elsewhere, key by key."""
    before = expression(node, names)
    made: dict[str, object] = {}
    for key, always in known.items():
        one = f"{before}.{key}" if key.isidentifier() else f"{before}['{key}']"
        made[key] = f"${{{one}}}" if always else f"${{{one} | default('')}}"
        if not always:
            names.module.change_once(
                f"`{key}` is sent empty where the original leaves it out", node
            )
    return made


def text_of(node: ast.expr | None, names: LocustNames) -> str:
    """Return what code says as text of a plan."""
    if node is None:
        raise Unsayable(ast.Constant(None), "nothing where a text should stand")
    for known in (_plain_text, _joined_text, _formatted_text):
        found = known(node, names)
        if found is not None:
            return found
    return _braced(node, names)


def _plain_text(node: ast.expr, names: LocustNames) -> str | None:
    match node:
        case ast.Constant(value=str() as text):
            return literal(text)
        case ast.Constant(value=bytes() as data):
            return literal(data.decode("latin-1"))
        case ast.Name(id=name):
            constant = _constant_text(name, names)
            return None if constant is None else literal(constant)
        case ast.Attribute(value=ast.Name(id=owner), attr=attr) if owner in names.module.classes:
            found = names.module.class_value(owner, attr)
            is_text = isinstance(found, ast.Constant) and isinstance(found.value, str)
            return literal(found.value) if is_text else None  # type: ignore[union-attr]
        case _:
            return None


def _joined_text(node: ast.expr, names: LocustNames) -> str | None:
    match node:
        case ast.JoinedStr(values=parts):
            return "".join(text_of(one, names) for one in parts)
        case ast.FormattedValue(value=inner, format_spec=None):
            return text_of(inner, names)
        case ast.FormattedValue():
            return f"${{{formatted(node, names, expression)}}}"
        case ast.BinOp(left=left, op=ast.Add(), right=right) if is_text(node):
            return text_of(left, names) + text_of(right, names)
        case _:
            return None


def _formatted_text(node: ast.expr, names: LocustNames) -> str | None:
    match node:
        case ast.BinOp(left=ast.Constant(value=str() as pattern), op=ast.Mod(), right=right):
            return _percent(node, pattern, right, names)
        case ast.Call(
            func=ast.Attribute(value=ast.Constant(value=str() as pattern), attr="format")
        ):
            return _format(node, pattern, names)
        case ast.Call(func=ast.Name(id="str"), args=[ast.Constant(value=int() | float() as plain)]):
            return str(plain)
        case ast.Call(func=ast.Name(id="str"), args=[inner]):
            return text_of(inner, names)
        case _:
            return None


def expression(node: ast.expr, names: LocustNames) -> str:
    """Return code as an expression of a plan."""
    known = _KINDS.get(type(node))
    if known is None:
        return _refuse(node, "code that computes; write it as a function of a hook")
    return known(node, names)


def _boolean(node: ast.BoolOp, names: LocustNames) -> str:
    word = " and " if isinstance(node.op, ast.And) else " or "
    return word.join(_wrapped(one, names) for one in node.values)


def _unary(node: ast.UnaryOp, names: LocustNames) -> str:
    inner = _wrapped(node.operand, names)
    if isinstance(node.op, ast.Not):
        return f"not {inner}"
    return f"-{inner}" if isinstance(node.op, ast.USub) else _refuse(node, "arithmetic of bits")


def _binary(node: ast.BinOp, names: LocustNames) -> str:
    if isinstance(node.op, ast.Add):
        sign = "~" if is_text(node) else "+"
    else:
        sign = _OPERATORS.get(type(node.op)) or _refuse(node, "arithmetic of bits, or a power")
    if isinstance(node.op, ast.Mult) and is_text(node.left) and (_size(node.right) or 0) > _LONGEST:
        return _refuse(node, "a text of more than 1 MB; put it into a file and use `body_file`")
    return f"{_wrapped(node.left, names)} {sign} {_wrapped(node.right, names)}"


def _size(node: ast.expr) -> int | None:
    """Return a whole number that the code says, products included."""
    match node:
        case ast.Constant(value=int() as number):
            return number
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            first, second = _size(left), _size(right)
            return None if first is None or second is None else first * second
        case _:
            return None


def _comprehension(node: ast.ListComp | ast.GeneratorExp, names: LocustNames) -> str:
    return comprehension(node, names, expression)


def _choice(node: ast.IfExp, names: LocustNames) -> str:
    then, other = expression(node.body, names), expression(node.orelse, names)
    return f"({then} if {expression(node.test, names)} else {other})"


def _list(node: ast.List | ast.Tuple, names: LocustNames) -> str:
    return "[" + ", ".join(expression(one, names) for one in node.elts) + "]"


def _mapping(node: ast.Dict, names: LocustNames) -> str:
    pairs = [
        f"{expression(key, names)}: {expression(one, names)}"
        for key, one in zip(node.keys, node.values, strict=True)
        if key is not None
    ]
    if len(pairs) < len(node.keys):
        return _refuse(node, "`**` in a mapping")
    return "{" + ", ".join(pairs) + "}"


def _joined(node: ast.JoinedStr, names: LocustNames) -> str:
    return " ~ ".join(_wrapped(one, names) for one in node.values) if node.values else "''"


def _formatted(node: ast.FormattedValue, names: LocustNames) -> str:
    return formatted(node, names, expression)


def _refuse(node: ast.AST, why: str) -> str:
    raise Unsayable(node, why)


def _braced(node: ast.expr, names: LocustNames) -> str:
    return f"${{{expression(node, names)}}}"


def _wrapped(node: ast.expr, names: LocustNames) -> str:
    text = expression(node, names)
    is_single = isinstance(node, ast.Constant | ast.Name | ast.Attribute | ast.Subscript | ast.Call)
    is_closed = is_single and (" " not in text or re.fullmatch(r"[\w.]+\([^()]*\)", text))
    return text if is_closed or text[:1] in "'\"([" else f"({text})"


def _name(node: ast.Name, names: LocustNames) -> str:
    name = node.id
    if name in names.local or name in names.shared:
        return names.local.get(name) or names.shared[name]
    constant = names.module.constants.get(name)
    if constant is None or name in names.module.changed:
        known = "all users change" if constant is not None else "is not known where it is read"
        return _refuse(node, f"`{name}`, which {known}")
    if _is_drawn(constant, names):
        return _refuse(node, f"`{name}`, which is drawn once for all users")
    try:
        return _constant_value(name, constant, names)
    except Unsayable as fault:
        raise Unsayable(node, fault.why) from fault


def _is_drawn(node: ast.expr, names: LocustNames) -> bool:
    """Say whether code gives something else each time."""
    return any(
        names.module.full_name(one.func).startswith(("random.", "uuid.", "time.", "datetime."))
        for one in ast.walk(node)
        if isinstance(one, ast.Call)
    )


def _constant_value(name: str, constant: ast.expr, names: LocustNames) -> str:
    if isinstance(constant, ast.List | ast.Tuple | ast.Dict):
        if len(getattr(constant, "elts", ())) > _MOST:
            return _refuse(constant, "a list of many values; put it into a file and use `data`")
        names.module.accept(constant)
        if isinstance(constant, ast.Dict):
            return _mapping(constant, names)
        return names.param(name, {"type": "list", "default": value(constant, names)})
    if isinstance(constant, ast.ListComp):
        elements = value(constant, names)
        if isinstance(elements, list):
            names.module.accept(constant)
            return names.param(name, {"type": "list", "default": elements})
    found = expression(constant, names)
    names.module.accept(constant)
    return found


def _constant_text(name: str, names: LocustNames) -> str | None:
    if name in names.local or name in names.module.changed:
        return None
    constant = names.module.constants.get(name)
    is_text = isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    return str(constant.value) if is_text and isinstance(constant, ast.Constant) else None


def _attribute(  # noqa: PLR0911 - a table
    node: ast.Attribute, names: LocustNames
) -> str:
    if isinstance(node.value, ast.Name) and node.value.id in names.replies:
        found = _REPLY.get(node.attr)
        return found or _refuse(node, f"`{node.attr}` of a reply")
    name = dotted(node)
    own, _, rest = name.partition(".")
    if own == names.own and rest.startswith("user."):
        rest = rest.removeprefix("user.")
    if own == names.own and rest and "." not in rest:
        return names.name_state(rest)
    if "parsed_options." in name and node.attr in names.options:
        return names.param(node.attr, names.options[node.attr])
    if isinstance(node.value, ast.Name) and node.value.id in names.module.classes:
        return _class_constant(node, names)
    if own in (names.own, "environment") and rest.endswith("host"):
        return names.param("host", {"type": "url", "default": "http://127.0.0.1:8000"})
    if names.module.full_name(node).startswith("string."):
        return _refuse(node, "letters of the module `string`; see `rand.text`")
    return f"{_wrapped(node.value, names)}.{node.attr}"


def _class_constant(node: ast.Attribute, names: LocustNames) -> str:
    """Return `Config.NAME` of a class that only holds constants."""
    assert isinstance(node.value, ast.Name), "the caller has looked"
    found = names.module.class_value(node.value.id, node.attr)
    if found is None:
        return _refuse(node, f"`{dotted(node)}` is not known where it is read")
    names.module.accept(found)
    return expression(found, names)


def _subscript(node: ast.Subscript, names: LocustNames) -> str:
    inner, index = node.value, node.slice
    if names.module.full_name(inner) == "os.environ":
        return environment(node, index, None, names)
    before = _wrapped(inner, names)
    match index:
        case ast.Constant(value=str() as key) if re.fullmatch(r"[A-Za-z_]\w*", key):
            return f"{before}.{key}"
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1)):
            return f"({before} | last)"
        case ast.Slice(lower=low, upper=high, step=None):
            ends = [expression(one, names) if one else "" for one in (low, high)]
            return f"{before}[{':'.join(ends)}]"
        case _:
            return f"{before}[{expression(index, names)}]"


def _chain(node: ast.Compare, names: LocustNames) -> str:
    text = _wrapped(node.left, names)
    for op, right in zip(node.ops, node.comparators, strict=True):
        sign = _OPERATORS.get(type(op)) or _refuse(node, "`is` of two objects")
        text += f" {sign} {_wrapped(right, names)}"
    return text


def _compare(node: ast.Compare, names: LocustNames) -> str:
    if len(node.ops) > 1:
        return _chain(node, names)
    left, op, right = node.left, node.ops[0], node.comparators[0]
    if isinstance(op, ast.Is | ast.IsNot):
        word = "is none" if isinstance(op, ast.Is) else "is not none"
        is_none = isinstance(right, ast.Constant) and right.value is None
        return (
            f"{_wrapped(left, names)} {word}" if is_none else _refuse(node, "`is` of two objects")
        )
    return f"{_wrapped(left, names)} {_OPERATORS[type(op)]} {_wrapped(right, names)}"


def _call(  # noqa: C901, PLR0911 - a table
    node: ast.Call, names: LocustNames
) -> str:
    name = names.module.full_name(node.func)
    dated = library_call(node, name, names, expression) if "datetime" in name else None
    if dated is not None:
        return dated
    if name in ("os.getenv", "os.environ.get"):
        return getenv(node, names)
    pattern = DRAWS.get(name)
    if pattern is not None:
        arguments = [expression(one, names) for one in node.args]
        if len(arguments) < pattern.count("{}"):
            return _refuse(node, "fewer arguments than a plan needs")
        return pattern.format(*arguments)
    known = library_call(node, name, names, expression)
    if known is not None:
        return known
    if name in _FILTERS and len(node.args) == 1:
        return f"({_wrapped(node.args[0], names)} | {_FILTERS[name]})"
    if is_fake(node, names):
        shown = ", ".join(expression(one, names) for one in node.args)
        return f"fake.{dotted(node.func).partition('.')[2]}({shown})"
    if isinstance(node.func, ast.Attribute):
        return method(node, node.func, names, expression)
    return _refuse(node, f"a call of `{name or 'computed code'}`; write it as a function of a hook")


def _percent(node: ast.expr, pattern: str, right: ast.expr, names: LocustNames) -> str:
    values = right.elts if isinstance(right, ast.Tuple) else [right]
    pieces = percent_pieces(pattern)
    if pieces is None or len(pieces) != len(values) + 1:
        return _refuse(node, "a format that a plan can't say")
    texts = [text_of(one, names) for one in values]
    return literal(pieces[0]) + "".join(
        text + literal(piece) for text, piece in zip(texts, pieces[1:], strict=True)
    )


def _format(node: ast.Call, pattern: str, names: LocustNames) -> str:
    by_name = {one.arg: one.value for one in node.keywords if one.arg}
    given = {**{str(number): one for number, one in enumerate(node.args)}, **by_name}
    pieces = brace_pieces(pattern)
    if pieces is None or any(key not in given for key in pieces[1::2]):
        return _refuse(node, "a format that a plan can't say")
    return "".join(
        text_of(given[piece], names) if number % 2 else literal(piece)
        for number, piece in enumerate(pieces)
    )


_KINDS: Final[dict[type[ast.expr], Callable[..., str]]] = {
    ast.Constant: constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Call: _call,
    ast.BoolOp: _boolean,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BinOp: _binary,
    ast.IfExp: _choice,
    ast.ListComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.List: _list,
    ast.Tuple: _list,
    ast.Dict: _mapping,
    ast.JoinedStr: _joined,
    ast.FormattedValue: _formatted,
}
