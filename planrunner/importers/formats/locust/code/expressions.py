"""Python expressions → expressions and values of a plan."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from typing import Final

from planrunner.importers.formats.locust.code.module import dotted
from planrunner.importers.formats.locust.code.names import LocustNames, Unsayable
from planrunner.importers.formats.locust.code.patterns import DRAWS, brace_pieces, percent_pieces
from planrunner.importers.templates import literal

__all__ = ["expression", "text_of", "value"]

_FILTERS: Final = {"len": "length", "str": "string", "int": "int", "float": "float", "sum": "sum",
                   "round": "round", "abs": "abs", "min": "min", "max": "max"}  # fmt: skip
_METHODS: Final = {"upper": "upper", "lower": "lower", "strip": "trim", "title": "title",
                   "capitalize": "capitalize", "isoformat": "", "copy": ""}  # fmt: skip
"""What filters are called that do as methods of text do; empty for what changes nothing here."""

_OPERATORS: Final = {
    ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%", ast.FloorDiv: "//",
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
_REPLY: Final = {"text": "body", "content": "body", "status_code": "status", "headers": "headers",
                 "js": "json"}  # fmt: skip


def value(node: ast.expr, names: LocustNames) -> object:
    """Return what code says as a value of a plan: a literal, a text with `${…}`, a collection."""
    match node:
        case ast.Dict(keys=keys, values=values):
            return {
                text_of(key, names): value(one, names)
                for key, one in zip(keys, values, strict=True)
                if key is not None or _refuse(node, "`**` in a mapping")
            }
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [value(one, names) for one in items]
        case ast.Constant(value=bool() | int() | float() | None as plain):
            return plain
        case _:
            return text_of(node, names)


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
        case _:
            return None


def _joined_text(node: ast.expr, names: LocustNames) -> str | None:
    match node:
        case ast.JoinedStr(values=parts):
            return "".join(text_of(one, names) for one in parts)
        case ast.FormattedValue(value=ast.Constant() as inner, format_spec=None):
            return text_of(inner, names)
        case ast.FormattedValue(value=inner, format_spec=None):
            return _braced(inner, names)
        case ast.BinOp(left=left, op=ast.Add(), right=right) if _is_text(node):
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
        sign = "~" if _is_text(node) else "+"
    else:
        sign = _OPERATORS.get(type(node.op)) or _refuse(node, "arithmetic of bits, or a power")
    return f"{_wrapped(node.left, names)} {sign} {_wrapped(node.right, names)}"


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
    if node.format_spec is not None:
        return _refuse(node, "a number that is formatted")
    return expression(node.value, names)


def _refuse(node: ast.AST, why: str) -> str:
    raise Unsayable(node, why)


def _braced(node: ast.expr, names: LocustNames) -> str:
    return f"${{{expression(node, names)}}}"


def _wrapped(node: ast.expr, names: LocustNames) -> str:
    text = expression(node, names)
    is_single = isinstance(node, ast.Constant | ast.Name | ast.Attribute | ast.Subscript | ast.Call)
    is_closed = is_single and (" " not in text or re.fullmatch(r"[\w.]+\([^()]*\)", text))
    return text if is_closed or text[:1] in "'\"([" else f"({text})"


def _constant(node: ast.Constant, _: LocustNames) -> str:
    plain = node.value
    if plain is None:
        return "none"
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, int | float):
        return repr(plain)
    if isinstance(plain, str):
        return _quoted(plain)
    return _refuse(node, "a constant that a plan doesn't have")


def _quoted(text: str) -> str:
    return f"'{text}'" if re.fullmatch(r"[^'\\\x00-\x1f]*", text) else json.dumps(text)


def _name(node: ast.Name, names: LocustNames) -> str:
    name = node.id
    if name in names.local:
        return names.local[name]
    constant = names.module.constants.get(name)
    if constant is None:
        return _refuse(node, f"`{name}` is not known where it is read")
    if isinstance(constant, ast.List | ast.Tuple | ast.Dict):
        plain = value(constant, names)
        kind = plain if isinstance(plain, list) else _refuse(node, "a mapping of the module")
        names.module.accept(constant)
        return names.param(name, {"type": "list", "default": kind})
    found = expression(constant, names)
    names.module.accept(constant)
    return found


def _constant_text(name: str, names: LocustNames) -> str | None:
    if name in names.local:
        return None
    constant = names.module.constants.get(name)
    is_text = isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    return str(constant.value) if is_text and isinstance(constant, ast.Constant) else None


def _attribute(node: ast.Attribute, names: LocustNames) -> str:
    if isinstance(node.value, ast.Name) and node.value.id in names.replies:
        found = _REPLY.get(node.attr)
        return found or _refuse(node, f"`{node.attr}` of a reply")
    name = dotted(node)
    own, _, rest = name.partition(".")
    if own == names.own and rest.startswith("user."):
        rest = rest.removeprefix("user.")
    if own == names.own and rest and "." not in rest:
        return names.name_state(rest)
    if own in (names.own, "environment") and rest.endswith("host"):
        return names.param("host", {"type": "url", "default": "http://127.0.0.1:8000"})
    if names.module.full_name(node).startswith("string."):
        return _refuse(node, "letters of the module `string`; see `rand.text`")
    return f"{_wrapped(node.value, names)}.{node.attr}"


def _subscript(node: ast.Subscript, names: LocustNames) -> str:
    inner, index = node.value, node.slice
    if names.module.full_name(inner) == "os.environ":
        return _environment(node, index, None, names)
    before = _wrapped(inner, names)
    match index:
        case ast.Constant(value=str() as key) if re.fullmatch(r"[A-Za-z_]\w*", key):
            return f"{before}.{key}"
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1)):
            return f"({before} | last)"
        case ast.Slice():
            return _refuse(node, "a slice; write `list | batch` or a hook")
        case _:
            return f"{before}[{expression(index, names)}]"


def _environment(
    node: ast.expr, key: ast.expr, default: ast.expr | None, names: LocustNames
) -> str:
    if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
        return _refuse(node, "a variable of the environment whose name is computed")
    spec: dict[str, object] = {"type": "str", "env": key.value}
    is_secret = re.search(r"TOKEN|SECRET|PASSW|KEY", key.value) is not None
    if is_secret:
        spec["secret"] = True
    elif isinstance(default, ast.Constant) and default.value is not None:
        spec["default"] = str(default.value)
    else:
        spec["default"] = ""
    return names.param(key.value, spec)


def _compare(node: ast.Compare, names: LocustNames) -> str:
    if len(node.ops) > 1:
        return _refuse(node, "several comparisons in a row")
    left, op, right = node.left, node.ops[0], node.comparators[0]
    if isinstance(op, ast.Is | ast.IsNot):
        word = "is none" if isinstance(op, ast.Is) else "is not none"
        is_none = isinstance(right, ast.Constant) and right.value is None
        return (
            f"{_wrapped(left, names)} {word}" if is_none else _refuse(node, "`is` of two objects")
        )
    return f"{_wrapped(left, names)} {_OPERATORS[type(op)]} {_wrapped(right, names)}"


def _call(node: ast.Call, names: LocustNames) -> str:  # noqa: PLR0911 - a table
    name = names.module.full_name(node.func)
    if name in ("os.getenv", "os.environ.get"):
        return _getenv(node, names)
    pattern = DRAWS.get(name)
    if pattern is not None:
        arguments = [expression(one, names) for one in node.args]
        if len(arguments) < pattern.count("{}"):
            return _refuse(node, "fewer arguments than a plan needs")
        return pattern.format(*arguments)
    if name in _FILTERS and len(node.args) == 1:
        return f"({_wrapped(node.args[0], names)} | {_FILTERS[name]})"
    if _fake(node, names):
        shown = ", ".join(expression(one, names) for one in node.args)
        return f"fake.{dotted(node.func).partition('.')[2]}({shown})"
    if isinstance(node.func, ast.Attribute):
        return _method(node, node.func, names)
    return _refuse(node, f"a call of `{name or 'computed code'}`; write it as a function of a hook")


def _fake(node: ast.Call, names: LocustNames) -> bool:
    """Say whether a call is one of a Faker that the module made."""
    first = dotted(node.func).partition(".")[0]
    made = names.module.constants.get(first)
    if isinstance(made, ast.Call) and names.module.full_name(made.func) == "faker.Faker":
        names.module.accept(made)
        return not node.keywords
    return False


def _method(node: ast.Call, func: ast.Attribute, names: LocustNames) -> str:
    inner, arguments = func.value, node.args
    if isinstance(inner, ast.Name) and inner.id in names.replies and func.attr == "json":
        return "json"
    if isinstance(inner, ast.Constant) and func.attr == "join" and len(arguments) == 1:
        return _join(node, names)
    before = _wrapped(inner, names)
    if func.attr == "get" and arguments:
        return _get(before, arguments, names)
    if func.attr == "replace" and len(arguments) == 2:
        old, new = (expression(one, names) for one in arguments)
        return f"({before} | replace({old}, {new}))"
    if func.attr in _METHODS and not arguments:
        word = _METHODS[func.attr]
        return f"({before} | {word})" if word else before
    return _refuse(node, f"the method `{func.attr}`; write it as a function of a hook")


def _get(before: str, arguments: list[ast.expr], names: LocustNames) -> str:
    """Return `.get(key)` or `.get(key, default)` of a mapping."""
    key, *default = arguments
    is_name = isinstance(key, ast.Constant) and str(key.value).isidentifier()
    below = f"{before}.{text_of(key, names)}" if is_name else f"{before}[{expression(key, names)}]"
    return f"({below} | default({expression(default[0], names)}))" if default else below


def _join(node: ast.Call, names: LocustNames) -> str:
    """Return `sep.join(…)`: random letters, or a list."""
    letters = _random_letters(node.args[0], names)
    if letters is not None:
        return letters
    assert isinstance(node.func, ast.Attribute), "the caller has looked"
    return f"({_wrapped(node.args[0], names)} | join({expression(node.func.value, names)}))"


def _random_letters(node: ast.expr, names: LocustNames) -> str | None:
    """Return what draws letters, for the usual ways of joining random ones."""
    match node:
        case ast.Call(args=[alphabet], keywords=[ast.keyword(arg="k", value=count)]) if (
            names.module.full_name(node.func) == "random.choices"
        ):
            pass
        case (
            ast.GeneratorExp(
                elt=ast.Call(args=[alphabet]) as draw,
                generators=[
                    ast.comprehension(iter=ast.Call(func=ast.Name(id="range"), args=[count]))
                ],
            )
            | ast.ListComp(
                elt=ast.Call(args=[alphabet]) as draw,
                generators=[
                    ast.comprehension(iter=ast.Call(func=ast.Name(id="range"), args=[count]))
                ],
            )
        ) if names.module.full_name(draw.func).startswith(("random.choice", "random.SystemRandom")):
            pass
        case _:
            return None
    kind = (
        names.module.full_name(alphabet) if isinstance(alphabet, ast.Attribute | ast.Name) else ""
    )
    draw_name = "rand.lower" if kind == "string.ascii_lowercase" else "rand.text"
    if draw_name == "rand.text" and not _is_letters_and_digits(alphabet, names):
        names.module.change("`rand.text` draws letters and digits", node)
    return f"{draw_name}({expression(count, names)})"


def _is_letters_and_digits(node: ast.expr, names: LocustNames) -> bool:
    match node:
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            found = {names.module.full_name(left), names.module.full_name(right)}
            return found == {"string.ascii_letters", "string.digits"}
        case _:
            return False


def _getenv(node: ast.Call, names: LocustNames) -> str:
    if not node.args:
        return _refuse(node, "no name")
    return _environment(node, node.args[0], node.args[1] if node.args[1:] else None, names)


def _is_text(node: ast.expr) -> bool:
    """Say whether code is surely text."""
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return True
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _is_text(left) or _is_text(right)
        case ast.BinOp(left=ast.Constant(value=str()), op=ast.Mod()):
            return True
        case ast.Call(func=ast.Name(id="str")):
            return True
        case _:
            return False


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
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Call: _call,
    ast.BoolOp: _boolean,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BinOp: _binary,
    ast.IfExp: _choice,
    ast.List: _list,
    ast.Tuple: _list,
    ast.Dict: _mapping,
    ast.JoinedStr: _joined,
    ast.FormattedValue: _formatted,
}
