"""What an `if` of a script asks, as an expression for `when`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from planrunner.importers.formats.postman.scripts.values import ValueReader, jinja
from planrunner.importers.javascript.chains import bare
from planrunner.importers.javascript.constants import NOT_CONSTANT
from planrunner.importers.javascript.reply_values import ScriptValue
from planrunner.importers.javascript.script import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["truth"]

_SIGNS: Final = {
    "===": "==", "==": "==", "!==": "!=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
}  # fmt: skip
_WORDS: Final = {"&&": "and", "||": "or"}


def truth(node: Node, values: ValueReader) -> str | None:
    """Return a condition as an expression; None where no expression can say it."""
    node = values.condition(bare(node))
    sign = text_of(node.child_by_field_name("operator"))
    if node.type == "unary_expression" and sign == "!":
        operand = node.child_by_field_name("argument")
        inner = truth(operand, values) if operand is not None else None
        return f"not ({inner})" if inner else None
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if node.type == "binary_expression" and left is not None and right is not None:
        if sign in _WORDS:
            sides = [truth(left, values), truth(right, values)]
            return f"({sides[0]}) {_WORDS[sign]} ({sides[1]})" if all(sides) else None
        return _compared(left, sign, right, values)
    value = values.value(node)
    return _tolerant(value, "''") if value is not None else None


def _compared(left: Node, sign: str, right: Node, values: ValueReader) -> str | None:
    if sign not in _SIGNS:
        return None
    value = values.value(left)
    if value is None:
        return None
    if text_of(right) in ("undefined", "null"):
        word = _tolerant(value, "none")
        return f"{word} is {'' if _SIGNS[sign] == '==' else 'not '}none" if word else None
    constant = values.constant(right)
    other = ScriptValue("constant", constant=constant)
    if constant is NOT_CONSTANT:
        found = values.value(right)
        if found is None:
            return None
        other = found
    words = (_tolerant(value, "none"), _tolerant(other, "none"))
    return f"{words[0]} {_SIGNS[sign]} {words[1]}" if None not in words else None


def _tolerant(value: ScriptValue, default: str) -> str | None:
    """Return a value that may be missing, as `undefined` may in JavaScript."""
    word = jinja(value)
    if word is None or value.kind not in ("json", "header", "variable", "length"):
        return word
    return f"({word} | default({default}))"
