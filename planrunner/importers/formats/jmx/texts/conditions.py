"""Conditions and one-line scripts of Groovy, JEXL, JavaScript and BeanShell → expressions.

They share the part that people use: variables, literals, comparisons, `+`, a few methods. Whatever
else stands there is not translated.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from planrunner.importers.formats.jmx.texts.functions import JmxResolver, split_text
from planrunner.importers.formats.jmx.texts.variables import JmxValue, quoted
from planrunner.loss.ledger import Construct

__all__ = ["expression_of", "last_ok"]


def last_ok(resolver: JmxResolver) -> JmxValue:
    """Return whether the last reply was no failure, as far as its status says."""
    if not resolver.variables.has_reply:
        return JmxValue("true", "bool")
    return JmxValue("(status | default(0)) < 400", "bool")


_TOKEN: Final = re.compile(
    r"""\s+|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<number>\d+(?:\.\d+)?)[lLfFdD]?"""
    r"""|(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)|(?P<ref>\x00\d+\x00)|(?P<method>\.[A-Za-z_]\w*)"""
    r"""|(?P<op>==~|=~|===|!==|==|!=|<=|>=|&&|\|\||[-+*/%<>!(),\[\]?:])|(?P<bad>.)""",
    re.DOTALL,
)
_WORDS: Final = {
    "&&": "and",
    "||": "or",
    "and": "and",
    "or": "or",
    "eq": "==",
    "ne": "!=",
    "===": "==",
    "!==": "!=",
    "lt": "<",
    "gt": ">",
    "le": "<=",
    "ge": ">=",
}
_COMPARE: Final = frozenset({"==", "!=", "<", ">", "<=", ">="})
_MOST: Final = 2_000
_METHODS: Final[dict[str, Callable[[str, list[JmxValue]], JmxValue]]] = {
    "equals": lambda on, args: JmxValue(f"{on} == ({args[0].code}) | string", "bool"),
    "equalsIgnoreCase": lambda on, args: JmxValue(
        f"({on} | lower) == (({args[0].code}) | lower)", "bool"
    ),
    "contains": lambda on, args: JmxValue(f"(({args[0].code}) in {on})", "bool"),
    "isEmpty": lambda on, args: JmxValue(f"({on} == '')", "bool"),
    "length": lambda on, args: JmxValue(f"({on} | length)", "int"),
    "size": lambda on, args: JmxValue(f"({on} | length)", "int"),
    "toLowerCase": lambda on, args: JmxValue(f"({on} | lower)", "text"),
    "toUpperCase": lambda on, args: JmxValue(f"({on} | upper)", "text"),
    "trim": lambda on, args: JmxValue(f"({on} | trim)", "text"),
    "toString": lambda on, args: JmxValue(f"({on} | string)", "text"),
    "toInteger": lambda on, args: JmxValue(f"({on} | int)", "int"),
    "toInt": lambda on, args: JmxValue(f"({on} | int)", "int"),
    "toLong": lambda on, args: JmxValue(f"({on} | int)", "int"),
    "intValue": lambda on, args: JmxValue(f"({on} | int)", "int"),
}
_CALLS: Final[dict[str, Callable[[list[JmxValue]], JmxValue]]] = {
    "Integer.parseInt": lambda args: JmxValue(f"(({args[0].code}) | int)", "int"),
    "Integer.valueOf": lambda args: JmxValue(f"(({args[0].code}) | int)", "int"),
    "Long.parseLong": lambda args: JmxValue(f"(({args[0].code}) | int)", "int"),
    "parseInt": lambda args: JmxValue(f"(({args[0].code}) | int)", "int"),
    "String.valueOf": lambda args: JmxValue(f"(({args[0].code}) | string)", "text"),
    "Integer.toString": lambda args: JmxValue(f"(({args[0].code}) | string)", "text"),
    "UUID.randomUUID": lambda args: JmxValue("rand.uuid()", "text"),
    "java.util.UUID.randomUUID": lambda args: JmxValue("rand.uuid()", "text"),
    "System.currentTimeMillis": lambda args: JmxValue("((now() * 1000) | int)", "int"),
    "Math.random": lambda args: JmxValue("rand.float(0, 1)", "float"),
    "prev.getResponseCode": lambda args: JmxValue("(status | string)", "text"),
    "prev.getResponseDataAsString": lambda args: JmxValue("body", "text"),
    "prev.isSuccessful": lambda args: JmxValue("status < 400", "bool"),
}


class _JmxTooMuch(Exception):  # noqa: N818 - it never leaves this module
    """The text is more than this grammar."""


def expression_of(
    source: str,
    resolver: JmxResolver,
    construct: Construct,
    local: dict[str, JmxValue] | None = None,
) -> JmxValue | None:
    """Return the expression for a condition or a computed value; None if it is too much."""
    if len(source) > _MOST:
        return None
    try:
        return _JmxCondition(source.strip().rstrip(";"), resolver, construct, local or {}).whole()
    except (_JmxTooMuch, IndexError, RecursionError):
        return None


class _JmxCondition:
    """Descends through one condition."""

    def __init__(
        self, source: str, resolver: JmxResolver, construct: Construct, local: dict[str, JmxValue]
    ) -> None:
        self._resolver, self._construct, self._local = resolver, construct, local
        self._values: list[JmxValue] = []
        self._tokens = list(self._lex(source))
        self._at = 0

    def _lex(self, source: str) -> list[tuple[str, str]]:
        """Return the tokens; references of JMeter stand as numbers between zero bytes."""
        marked = ""
        for part in split_text(source.replace("\x00", "")) if "${" in source else [source]:
            if isinstance(part, str):
                marked += part
            elif part.source == "${JMeterThread.last_sample_ok}":
                self._values.append(last_ok(self._resolver))
                marked += f"\x00{len(self._values) - 1}\x00"
            else:
                value = self._resolver.value(part, self._construct)
                if value is None:
                    raise _JmxTooMuch
                self._values.append(value)
                marked += f"\x00{len(self._values) - 1}\x00"
        found = [(one.lastgroup or "", one[0]) for one in _TOKEN.finditer(marked)]
        if any(kind == "bad" for kind, _ in found):
            raise _JmxTooMuch
        return [one for one in found if one[0]]

    def whole(self) -> JmxValue:
        """Return all of it."""
        if not self._tokens:
            raise _JmxTooMuch
        found = self._choice()
        if self._at < len(self._tokens):
            raise _JmxTooMuch
        return found

    def _peek(self) -> str:
        kind, text = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        return _WORDS.get(text, text) if kind in ("op", "name") else ""

    def _accept(self, *texts: str) -> str:
        found = self._peek()
        if found and found in texts:
            self._at += 1
            return found
        return ""

    def _need(self, text: str) -> None:
        if not self._accept(text):
            raise _JmxTooMuch

    def _choice(self) -> JmxValue:
        test = self._or()
        if not self._accept("?"):
            return test
        first = self._choice()
        self._need(":")
        other = self._choice()
        kind = first.kind if first.kind == other.kind else "text"
        code = f"({first.code} if {_truth(test)} else {other.code})"
        return JmxValue(code, kind)

    def _or(self) -> JmxValue:
        found = self._and()
        while self._accept("or"):
            found = JmxValue(f"{_truth(found)} or {_truth(self._and())}", "bool")
        return found

    def _and(self) -> JmxValue:
        found = self._not()
        while self._accept("and"):
            left = f"({found.code})" if " or " in found.code else _truth(found)
            found = JmxValue(f"{left} and {_truth(self._not())}", "bool")
        return found

    def _not(self) -> JmxValue:
        if self._accept("!", "not"):
            return JmxValue(f"not ({_truth(self._not())})", "bool")
        return self._comparison()

    def _comparison(self) -> JmxValue:
        left = self._sum()
        op = self._accept(*_COMPARE)
        if not op:
            return left
        return JmxValue(_compared(left, op, self._sum()), "bool")

    def _sum(self) -> JmxValue:
        found = self._product()
        while op := self._accept("+", "-"):
            right = self._product()
            if (op == "+" and "int" not in (found.kind, right.kind)) or "text" in (
                found.kind,
                right.kind,
            ):
                if op == "-":
                    raise _JmxTooMuch
                found = JmxValue(f"{_operand(found)} ~ {_operand(right)}", "text")
            else:
                found = JmxValue(f"{_number(found)} {op} {_number(right)}", "int")
        return found

    def _product(self) -> JmxValue:
        found = self._primary()
        while op := self._accept("*", "%"):
            found = JmxValue(f"{_number(found)} {op} {_number(self._primary())}", "int")
        return found

    def _primary(self) -> JmxValue:
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "text":
            return self._method(self._text(text))
        if kind == "number":
            return JmxValue(text, "int" if text.isdigit() else "float", is_static=True)
        if kind == "ref":
            return self._method(self._values[int(text.strip("\x00"))])
        if kind == "name":
            return self._named(text)
        if text == "-":
            return JmxValue(f"-{_number(self._primary())}", "int")
        if text != "(":
            raise _JmxTooMuch
        found = self._choice()
        self._need(")")
        return self._method(JmxValue(f"({found.code})", found.kind))

    def _text(self, token: str) -> JmxValue:
        """Return a literal; one that is nothing but a reference is its text."""
        inside = token[1:-1]
        alone = re.fullmatch(r"\x00(\d+)\x00", inside)
        if alone:
            value = self._values[int(alone[1])]
            if value.kind == "bool":
                return value
            code = value.code if value.kind == "text" else f"({value.code} | string)"
            return JmxValue(code, "text", value.is_static)
        parts = re.split(r"\x00(\d+)\x00", inside)
        codes = [
            quoted(re.sub(r"\\(.)", r"\1", part))
            if number % 2 == 0
            else f"({self._values[int(part)].code})"
            for number, part in enumerate(parts)
            if part or number % 2
        ]
        return JmxValue(" ~ ".join(codes) or "''", "text")

    def _named(self, name: str) -> JmxValue:
        constant = {"true": "true", "false": "false", "null": "none", "OK": "none"}.get(name)
        if constant:
            return JmxValue(constant, "none" if constant == "none" else "bool", is_static=True)
        if name in ("vars.get", "vars.getObject", "props.get"):
            return self._method(self._looked_up(is_property=name.startswith("props")))
        if name == "vars" and self._accept("["):
            found = re.fullmatch("['\"](.*)['\"]", self._tokens[self._at][1])
            self._at += 1
            self._need("]")
            if found is None:
                raise _JmxTooMuch
            return self._method(self._variable(found[1]))
        return self._method(self._known(name))

    def _looked_up(self, *, is_property: bool) -> JmxValue:
        """Return what `vars.get("name")` gives."""
        arguments = self._arguments()
        found = re.fullmatch("'(.*)'", arguments[0].code) if len(arguments) == 1 else None
        if found is None:
            raise _JmxTooMuch
        return self._variable(found[1], is_property=is_property)

    def _known(self, name: str) -> JmxValue:
        """Return what a call, a name of the script or a variable gives."""
        owner, _, method = name.rpartition(".")
        if name.startswith("prev.") and not self._resolver.variables.has_reply:
            raise _JmxTooMuch
        if name in _CALLS:
            return _CALLS[name](self._arguments())
        if name in self._local:
            return self._local[name]
        if owner in self._local and method in _METHODS:
            return _METHODS[method](f"({self._local[owner].code})", self._arguments())
        if owner == "vars" or "." not in name:
            return self._variable(method)
        raise _JmxTooMuch

    def _variable(self, name: str, *, is_property: bool = False) -> JmxValue:
        variables = self._resolver.variables
        found = variables.find(f"property {name}") if is_property else variables.find(name)
        if found is None:
            raise _JmxTooMuch
        return found

    def _method(self, value: JmxValue) -> JmxValue:
        """Return a value after the methods that follow it: `.equals("x")`."""
        while self._at < len(self._tokens) and self._tokens[self._at][0] == "method":
            read = _METHODS.get(self._tokens[self._at][1][1:])
            if read is None:
                raise _JmxTooMuch
            self._at += 1
            arguments = self._arguments() if self._peek() == "(" else []
            value = read(_operand(value), arguments)
        return value

    def _arguments(self) -> list[JmxValue]:
        self._need("(")
        found = []
        while not self._accept(")"):
            found.append(self._or())
            self._accept(",")
        return found


def _truth(value: JmxValue) -> str:
    """Return a condition: text that says `true` is true."""
    if value.kind == "bool":
        return value.code
    return f"(({value.code}) | string | lower) == 'true'"


def _number(value: JmxValue) -> str:
    return value.code if value.kind in ("int", "float") else f"({_operand(value)} | int)"


def _operand(value: JmxValue) -> str:
    return value.code if re.fullmatch(r"[\w.']+|'[^']*'", value.code) else f"({value.code})"


def _compared(left: JmxValue, op: str, right: JmxValue) -> str:
    kinds = (left.kind, right.kind)
    if "none" in kinds:
        other = left if right.kind == "none" else right
        return f"{_operand(other)} {'!=' if op == '!=' else '=='} ''"
    if op in ("==", "!=") and "bool" in kinds:
        sides = [one.code if one.kind == "bool" else _truth(one) for one in (left, right)]
        return f"({sides[0]}) {op} ({sides[1]})"
    if "int" in kinds or "float" in kinds or op not in ("==", "!="):
        return f"{_number(left)} {op} {_number(right)}"
    sides = [one.code if one.kind == "text" else f"({one.code} | string)" for one in (left, right)]
    return f"{sides[0]} {op} {sides[1]}"
