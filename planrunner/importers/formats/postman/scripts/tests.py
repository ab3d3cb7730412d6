"""Conditions that a script takes for a test: `tests["…"] = responseCode.code === 200`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from planrunner.importers.formats.postman.scripts.values import ValueReader, jinja
from planrunner.importers.javascript.chains import Chain, bare, chain_of
from planrunner.importers.javascript.constants import NOT_CONSTANT, fold
from planrunner.importers.javascript.expectations import (
    NO_RULE,
    ExpectedReply,
    NotExpectable,
    escape_pattern,
)
from planrunner.importers.javascript.reply_values import ScriptValue
from planrunner.importers.javascript.script import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["OPPOSITE", "ConditionReader", "plain_pattern"]

OPPOSITE: Final = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_TURNED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_EQUAL: Final = {"===": True, "==": True, "!==": False, "!=": False}
_TYPE_TESTS: Final = {
    "Number.isInteger": "integer",
    "Array.isArray": "array",
    "_.isArray": "array",
    "_.isString": "string",
    "_.isNumber": "number",
    "_.isBoolean": "boolean",
    "_.isObject": "object",
}
_STILL_FALSE: Final = r"^(?!(?:null|false|0)?$)"


class ConditionReader:
    """Reads what must be true into the expectations of a request."""

    def __init__(
        self, values: ValueReader, expect: ExpectedReply, keep_schema: Callable[[object], str]
    ) -> None:
        self._values, self._expect, self._keep_schema = values, expect, keep_schema

    def schema(self, node: Node) -> None:
        """Expect the reply to satisfy the JSON Schema that an expression is.

        Raises:
            NotExpectable: The schema isn't known before the plan runs.
        """
        schema = self._values.constant(node)
        if not isinstance(schema, dict):
            raise NotExpectable("put the schema into a file: `expect: {schema: reply.json}`")
        self._expect.schema(self._keep_schema(schema))

    def read(self, node: Node, *, is_not: bool = False) -> None:
        """Expect a condition to hold, or not to.

        Raises:
            NotExpectable: No expectation says this.
        """
        node = self._values.condition(bare(node))
        sides = node.child_by_field_name("left"), node.child_by_field_name("right")
        sign = text_of(node.child_by_field_name("operator"))
        operand = node.child_by_field_name("argument")
        if node.type == "unary_expression" and sign == "!" and operand is not None:
            self.read(operand, is_not=not is_not)
        elif node.type == "binary_expression" and sides[0] is not None and sides[1] is not None:
            self._binary(node, sides[0], sign, sides[1], is_not=is_not)
        else:
            found = self._values.value(node)
            if found is None or found.kind == "constant":
                self._call(chain_of(node), is_not=is_not)
            elif is_not:
                raise NotExpectable(NO_RULE)
            else:
                self.truth(found)

    def truth(self, value: ScriptValue) -> None:
        """Expect what JavaScript takes for true: neither nothing, null, false, 0 nor empty."""
        if value.kind == "json":
            self._expect.matches(value, _STILL_FALSE)
        else:
            self._expect.exists(value)

    def type_of(self, node: Node) -> ScriptValue | None:
        """Return x of `typeof x`."""
        node = bare(node)
        operand = node.child_by_field_name("argument")
        is_typeof = text_of(node.child_by_field_name("operator")) == "typeof"
        return self._values.value(operand) if is_typeof and operand is not None else None

    def compute(self, value: ScriptValue, other: Node, *, is_not: bool = False) -> None:
        """Compare with what is known only when the plan runs: a variable, another part."""
        found = self._values.value(other)
        word = jinja(found) if found is not None else None
        if word is None or is_not or value.kind not in ("json", "header"):
            raise NotExpectable(NO_RULE)
        self._expect.computed(value, word)

    def _binary(self, node: Node, left: Node, sign: str, right: Node, *, is_not: bool) -> None:
        if sign == "&&" and not is_not:
            self.read(left)
            self.read(right)
        elif sign == "||" and not is_not:
            self._either(node)
        elif sign == "in":
            self._in(left, right, is_not=is_not)
        else:
            self._compare(left, sign, right, is_not=is_not)

    def _in(self, key: Node, owner: Node, *, is_not: bool) -> None:
        name, value = self._values.constant(key), self._values.value(owner)
        if value is None or value.kind != "json" or not isinstance(name, str):
            raise NotExpectable(NO_RULE)
        self._expect.exists(ScriptValue("json", (*value.path, name)), is_there=not is_not)

    def _either(self, node: Node) -> None:
        """Read `a === 1 || a === 2` as one of several."""
        values: list[ScriptValue | None] = []
        wanted: list[object] = []
        pending = [node]
        while pending:
            one = bare(pending.pop())
            left, right = one.child_by_field_name("left"), one.child_by_field_name("right")
            sign = text_of(one.child_by_field_name("operator"))
            if left is None or right is None or sign not in ("||", "===", "=="):
                raise NotExpectable(NO_RULE)
            if sign == "||":
                pending += [right, left]
                continue
            values.append(self._values.value(left))
            wanted.append(self._values.constant(right))
        first = values[0]
        if first is None or any(one != first for one in values) or NOT_CONSTANT in wanted:
            raise NotExpectable(NO_RULE)
        self._expect.one_of(first, wanted)

    def _compare(self, left: Node, sign: str, right: Node, *, is_not: bool) -> None:
        if self._values.constant(left) is not NOT_CONSTANT:
            left, right, sign = right, left, _TURNED.get(sign, sign)
        constant, kind = self._values.constant(right), self.type_of(left)
        if kind is not None and _EQUAL.get(sign) is True and not is_not:
            self._expect.type(kind, str(constant))
            return
        value = self._values.value(left)
        if value is None:
            raise NotExpectable(NO_RULE)
        if constant is NOT_CONSTANT:
            self.compute(value, right, is_not=is_not or _EQUAL.get(sign) is not True)
        elif sign in OPPOSITE:
            self._expect.bound(value, OPPOSITE[sign] if is_not else sign, constant)
        elif sign in _EQUAL:
            self._equal(value, right, constant, is_equal=_EQUAL[sign] != is_not)
        else:
            raise NotExpectable(NO_RULE)

    def _equal(self, value: ScriptValue, right: Node, constant: object, *, is_equal: bool) -> None:
        if text_of(right) == "undefined":
            self._expect.exists(value, is_there=not is_equal)
        else:
            (self._expect.equal if is_equal else self._expect.unequal)(value, constant)

    def _call(self, chain: Chain, *, is_not: bool) -> None:
        """Read calls that give true or false, such as `has`, `includes` and `hasOwnProperty`."""
        last = chain.links[-1] if chain.links else None
        if last is None or not last.arguments:
            raise NotExpectable(NO_RULE)
        first = last.arguments[0]
        validated = self._schema_of(chain) if not is_not else None
        if validated is not None:
            self.schema(validated)
            return
        if chain.path in _TYPE_TESTS and not is_not:
            self._expect.json_type(self._json(first), _TYPE_TESTS[chain.path])
            return
        if last.name == "test" and chain.root.type == "regex":
            value = self._values.value(first)
            if value is None:
                raise NotExpectable(NO_RULE)
            self._expect.matches(value, plain_pattern([chain.root]), is_not=is_not)
            return
        function = last.node.child_by_field_name("function")
        owner = function.child_by_field_name("object") if function is not None else None
        found = self._values.value(owner) if owner is not None else None
        wanted = self._values.constant(first)
        reader = _METHODS.get(last.name)
        if found is None or reader is None or not isinstance(wanted, str | int | float):
            raise NotExpectable(NO_RULE)
        reader(self._expect, found, wanted, is_not)

    def _schema_of(self, chain: Chain) -> Node | None:
        """Return the schema of `tv4.validate(reply, schema)` and of ajv's ways to say the same."""
        if chain.path.startswith("tv4.validate") and len(chain.arguments) > 1:
            return chain.arguments[1]
        if chain.path.endswith(".validate") and len(chain.arguments) > 1:
            return chain.arguments[0]
        made = self._values.conditions.get(text_of(chain.root)) if len(chain.links) == 1 else None
        compiled = chain_of(made) if made is not None else None
        is_compiled = compiled is not None and compiled.path.endswith(".compile")
        return compiled.arguments[0] if compiled and is_compiled and compiled.arguments else None

    def _json(self, node: Node) -> ScriptValue:
        value = self._values.value(node)
        if value is None or value.kind != "json":
            raise NotExpectable(NO_RULE)
        return value


def _has(expect: ExpectedReply, value: ScriptValue, wanted: object, is_not: bool) -> None:  # noqa: FBT001 - all of one form
    if value.kind == "headers":
        expect.exists(ScriptValue("header", name=str(wanted)), is_there=not is_not)
    else:
        expect.contains(value, wanted, is_not=is_not)


def _has_property(expect: ExpectedReply, value: ScriptValue, wanted: object, is_not: bool) -> None:  # noqa: FBT001
    if value.kind != "json" or not isinstance(wanted, str):
        raise NotExpectable(NO_RULE)
    expect.exists(ScriptValue("json", (*value.path, wanted)), is_there=not is_not)


def _starts(expect: ExpectedReply, value: ScriptValue, wanted: object, is_not: bool) -> None:  # noqa: FBT001
    expect.matches(value, f"^{escape_pattern(str(wanted))}", is_not=is_not)


def _ends(expect: ExpectedReply, value: ScriptValue, wanted: object, is_not: bool) -> None:  # noqa: FBT001
    expect.matches(value, f"{escape_pattern(str(wanted))}$", is_not=is_not)


_METHODS: Final[dict[str, Callable[[ExpectedReply, ScriptValue, object, bool], None]]] = {
    "has": _has,
    "includes": _has,
    "include": _has,
    "contains": _has,
    "hasOwnProperty": _has_property,
    "startsWith": _starts,
    "endsWith": _ends,
}


def plain_pattern(arguments: Sequence[Node]) -> str:
    """Return a regular expression that means the same here.

    Raises:
        NotExpectable: It isn't a plain one.
    """
    node = arguments[0] if arguments else None
    text = fold(node) if node is not None and node.type != "regex" else None
    if node is None or (node.type != "regex" and not isinstance(text, str)):
        raise NotExpectable(NO_RULE)
    if isinstance(text, str):
        return text
    pattern = text_of(node.child_by_field_name("pattern")).replace("\\/", "/")
    pattern = re.sub(r"\(\?<(?=[A-Za-z])", "(?P<", pattern)
    flags = "".join(one for one in text_of(node.child_by_field_name("flags")) if one in "ims")
    written = f"(?{flags}){pattern}" if flags else pattern
    try:
        re.compile(written)
    except (re.error, OverflowError, RecursionError) as error:
        raise NotExpectable("this regular expression means something else here") from error
    return written
