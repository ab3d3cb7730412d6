"""What an expression is in every run: texts, numbers, lists, objects, sums, templates of them."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from planrunner.importers.javascript.chains import bare
from planrunner.importers.javascript.script import text_of, walk

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["NOT_CONSTANT", "constants_of", "fold", "js_text", "unescape"]

NOT_CONSTANT: Final = object()
"""What folds to nothing that is known beforehand; JavaScript's `undefined` is `None`."""

_DEEPEST: Final = 60
_LONGEST: Final = 1_000_000
_WORDS: Final[dict[str, object]] = {"true": True, "false": False, "null": None, "undefined": None}
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_ESCAPE: Final = re.compile(
    r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|.))", re.DOTALL
)
Names = Mapping[str, object]


def fold(node: Node, names: Names = {}) -> object:  # noqa: B006 - never written
    """Return the value of an expression, or `NOT_CONSTANT`.

    Args:
        node: The expression.
        names: Constants that it may read.
    """
    return _fold(node, names, 0)


def constants_of(statements: Iterator[Node] | list[Node], names: Names = {}) -> dict[str, object]:  # noqa: B006 - never written
    """Return the names that statements set once, to something constant.

    Args:
        statements: Of one block; what they contain is searched for later assignments.
        names: Constants that they may read.
    """
    listed = list(statements)
    written = Counter(_written(listed))
    found: dict[str, object] = {}
    for declaration in _declarations(listed):
        for one in declaration.named_children:
            name, value = one.child_by_field_name("name"), one.child_by_field_name("value")
            if name is None or value is None or name.type != "identifier":
                continue
            if written[text_of(name)] == 1:
                folded = fold(value, {**names, **found})
                if folded is not NOT_CONSTANT:
                    found[text_of(name)] = folded
    return found


def _declarations(statements: list[Node]) -> Iterator[Node]:
    for statement in statements:
        inner = statement
        if statement.type == "export_statement":
            inner = statement.child_by_field_name("declaration") or statement
        if inner.type in ("lexical_declaration", "variable_declaration"):
            yield inner


def _written(statements: list[Node]) -> Iterator[str]:
    """Yield each name as often as something sets it; `x.push(…)` and `x.y = …` change x too."""
    for statement in statements:
        for node in walk(statement):
            if node.type == "variable_declarator":
                yield text_of(node.child_by_field_name("name"))
            elif node.type in ("assignment_expression", "augmented_assignment_expression"):
                yield _root_name(node.child_by_field_name("left"))
            elif node.type == "update_expression":
                yield _root_name(node.child_by_field_name("argument"))
            elif node.type == "call_expression":
                function = node.child_by_field_name("function")
                if function is not None and _method(function) in _CHANGING:
                    yield _root_name(function)


_CHANGING: Final = frozenset(
    {"push", "pop", "shift", "unshift", "splice", "sort", "reverse", "fill", "assign"}
)


def _method(function: Node) -> str:
    return text_of(function.child_by_field_name("property"))


def _root_name(node: Node | None) -> str:
    while node is not None and (below := node.child_by_field_name("object")) is not None:
        node = below
    return text_of(node)


def _fold(node: Node, names: Names, depth: int) -> object:
    node = bare(node)
    folder = _FOLDERS.get(node.type)
    if folder is None or depth > _DEEPEST:
        return NOT_CONSTANT
    value = folder(node, names, depth + 1)
    return NOT_CONSTANT if isinstance(value, str) and len(value) > _LONGEST else value


def _word(node: Node, names: Names, depth: int) -> object:
    del depth
    text = text_of(node)
    return names.get(text, _WORDS.get(text, NOT_CONSTANT))


def _number(node: Node, names: Names, depth: int) -> object:
    del names, depth
    text = text_of(node).replace("_", "").lower()
    try:
        if text[:2] in ("0x", "0o", "0b"):
            return int(text, 0)
        return _plain_number(float(text))
    except ValueError:
        return NOT_CONSTANT


def _plain_number(value: float) -> object:
    if not math.isfinite(value):
        return NOT_CONSTANT
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _string(node: Node, names: Names, depth: int) -> object:
    del names, depth
    return unescape(text_of(node)[1:-1])


def unescape(text: str) -> str:
    """Return the text that stands between quotes in a script."""
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code:
        number = int(code, 16)
        return chr(number) if number < 0x110000 else "�"
    return "" if found[4] in ("\n", "\r\n") else _ESCAPES.get(found[4], found[4])


def _template(node: Node, names: Names, depth: int) -> object:
    parts, end = [], node.start_byte + 1
    raw = node.text or b""
    for one in node.named_children:
        if one.type != "template_substitution":
            continue
        value = _fold(one.named_children[0], names, depth) if one.named_children else NOT_CONSTANT
        if value is NOT_CONSTANT:
            return NOT_CONSTANT
        before = raw[end - node.start_byte : one.start_byte - node.start_byte]
        parts += [unescape(before.decode(errors="replace")), js_text(value)]
        end = one.end_byte
    rest = raw[end - node.start_byte : -1].decode(errors="replace")
    return "".join([*parts, unescape(rest)])


def js_text(value: object) -> str:
    """Return a value as JavaScript puts it into a text."""
    if isinstance(value, list):
        return ",".join("" if one is None else js_text(one) for one in value)
    if isinstance(value, dict):
        return "[object Object]"
    return value if isinstance(value, str) else json.dumps(value)


def _array(node: Node, names: Names, depth: int) -> object:
    values = [_fold(one, names, depth) for one in node.named_children if one.type != "comment"]
    return NOT_CONSTANT if NOT_CONSTANT in values else values


def _object(node: Node, names: Names, depth: int) -> object:
    found: dict[str, object] = {}
    for one in node.named_children:
        if one.type == "comment":
            continue
        pair = _pair(one, names, depth)
        if pair is None or pair[1] is NOT_CONSTANT:
            return NOT_CONSTANT
        found[pair[0]] = pair[1]
    return found


def _pair(node: Node, names: Names, depth: int) -> tuple[str, object] | None:
    if node.type == "shorthand_property_identifier":
        return text_of(node), names.get(text_of(node), NOT_CONSTANT)
    key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
    if node.type != "pair" or key is None or value is None:
        return None
    if key.type == "property_identifier":
        name: object = text_of(key)
    else:
        name = _fold(key, names, depth)
    if name is NOT_CONSTANT:
        return None
    return js_text(name), _fold(value, names, depth)


def _computed_key(node: Node, names: Names, depth: int) -> object:
    return _fold(node.named_children[0], names, depth) if node.named_children else NOT_CONSTANT


def _unary(node: Node, names: Names, depth: int) -> object:
    operand = node.child_by_field_name("argument")
    value = _fold(operand, names, depth) if operand is not None else NOT_CONSTANT
    if value is NOT_CONSTANT:
        return NOT_CONSTANT
    sign = text_of(node.child_by_field_name("operator"))
    if sign == "!":
        return not _is_true(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return NOT_CONSTANT
    return {"-": -value, "+": value}.get(sign, NOT_CONSTANT)


def _is_true(value: object) -> bool:
    return True if isinstance(value, list | dict) else bool(value)


def _binary(node: Node, names: Names, depth: int) -> object:
    sides = [node.child_by_field_name("left"), node.child_by_field_name("right")]
    left, right = (_fold(one, names, depth) if one else NOT_CONSTANT for one in sides)
    sign = text_of(node.child_by_field_name("operator"))
    if left is NOT_CONSTANT:
        return NOT_CONSTANT
    if sign in ("||", "&&", "??"):
        takes_right = {"||": not _is_true(left), "&&": _is_true(left), "??": left is None}[sign]
        return right if takes_right else left
    if right is NOT_CONSTANT:
        return NOT_CONSTANT
    if sign == "+" and (isinstance(left, str) or isinstance(right, str)):
        return js_text(left) + js_text(right)
    return _arithmetic(sign, left, right)


def _arithmetic(sign: str, left: object, right: object) -> object:
    if not (_is_number(left) and _is_number(right)):
        return NOT_CONSTANT
    assert isinstance(left, int | float)
    assert isinstance(right, int | float)
    if sign in ("/", "%") and not right:
        return NOT_CONSTANT
    operations: dict[str, Callable[[float, float], float]] = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "/": lambda a, b: a / b,
        "%": math.fmod,
    }
    operation = operations.get(sign)
    return _plain_number(float(operation(left, right))) if operation else NOT_CONSTANT


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _ternary(node: Node, names: Names, depth: int) -> object:
    condition = node.child_by_field_name("condition")
    value = _fold(condition, names, depth) if condition is not None else NOT_CONSTANT
    if value is NOT_CONSTANT:
        return NOT_CONSTANT
    taken = node.child_by_field_name("consequence" if _is_true(value) else "alternative")
    return _fold(taken, names, depth) if taken is not None else NOT_CONSTANT


def _member(node: Node, names: Names, depth: int) -> object:
    below = node.child_by_field_name("object")
    value = _fold(below, names, depth) if below is not None else NOT_CONSTANT
    index = node.child_by_field_name("index")
    if index is None:
        key: object = text_of(node.child_by_field_name("property"))
    else:
        key = _fold(index, names, depth)
    if isinstance(value, dict) and isinstance(key, str):
        return value.get(key, NOT_CONSTANT)
    if isinstance(value, list | str) and key == "length":
        return len(value)
    if isinstance(value, list) and isinstance(key, int) and 0 <= key < len(value):
        return value[key]
    return NOT_CONSTANT


def _call(node: Node, names: Names, depth: int) -> object:
    """Fold `JSON.stringify(constant)`, the one call that files are full of."""
    if text_of(node.child_by_field_name("function")) != "JSON.stringify":
        return NOT_CONSTANT
    arguments = node.child_by_field_name("arguments")
    inside = [
        one for one in (arguments.named_children if arguments else []) if one.type != "comment"
    ]
    value = _fold(inside[0], names, depth) if len(inside) == 1 else NOT_CONSTANT
    if value is NOT_CONSTANT:
        return NOT_CONSTANT
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


_Folder = Callable[["Node", Names, int], object]
_FOLDERS: Final[dict[str, _Folder]] = {
    "identifier": _word,
    "undefined": _word,
    "true": _word,
    "false": _word,
    "null": _word,
    "number": _number,
    "string": _string,
    "template_string": _template,
    "array": _array,
    "object": _object,
    "computed_property_name": _computed_key,
    "unary_expression": _unary,
    "binary_expression": _binary,
    "ternary_expression": _ternary,
    "member_expression": _member,
    "subscript_expression": _member,
    "call_expression": _call,
}
