"""What an expression of a script is: a part of the reply, a variable, a constant, or computed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.postman.variables import PostmanVariables
from planrunner.importers.javascript.chains import Chain, ChainLink, bare, chain_of
from planrunner.importers.javascript.constants import NOT_CONSTANT, fold, unescape
from planrunner.importers.javascript.reply_values import PathStep, ScriptValue, json_path
from planrunner.importers.javascript.script import text_of
from planrunner.importers.templates import literal
from planrunner.loss.ledger import SourcePlace

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["ValueReader", "as_text", "jinja", "logged_as", "source_of", "written_as"]

_PARTS: Final = re.compile(r"'[^'\\]*'|[\w.]+")
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SCOPES: Final = frozenset(
    {"pm.environment", "pm.globals", "pm.variables", "pm.collectionVariables", "pm.iterationData"}
)
_OLD_SCOPES: Final = frozenset({"environment", "globals", "data"})
_OLD_READERS: Final = frozenset({"postman.getEnvironmentVariable", "postman.getGlobalVariable"})


def jinja(value: ScriptValue) -> str | None:
    """Return a value as an expression of a plan; None where no expression can say it."""
    if value.kind == "json":
        return None if "*" in value.path else "json" + "".join(map(_item, value.path))
    if value.kind == "length" and value.of is not None:
        inner = jinja(value.of)
        return f"{inner} | length" if inner else None
    plain = {
        "header": f"headers[{_quoted(value.name)}]",
        "constant": _literal(value.constant),
        "variable": value.name,
        "computed": value.name,
        "status": "status",
        "body": "body",
    }
    return plain.get(value.kind)


def as_text(value: ScriptValue) -> str | None:
    """Return a value as text of a plan: `${base}/login` rather than `${base ~ '/login'}`."""
    if value.kind == "constant":
        return literal(str(value.constant)) if isinstance(value.constant, str | int) else None
    word = jinja(value)
    if word is None:
        return None
    parts = _PARTS.findall(word)
    if value.kind != "computed" or " ~ ".join(parts) != word:
        return f"${{{word}}}"
    return "".join(
        literal(part[1:-1]) if part.startswith("'") else f"${{{part}}}" for part in parts
    )


def source_of(value: ScriptValue) -> Keys | None:
    """Return where in the reply a value is, for `extract`."""
    if value.kind == "json" and "*" not in value.path:
        return {"jsonpath": json_path(value.path)}
    return {value.kind: value.name} if value.kind in ("header", "cookie") else None


def written_as(value: ScriptValue) -> tuple[object] | None:
    """Return a value as `set` has it."""
    if value.kind == "constant":
        constant = value.constant
        if isinstance(constant, list | dict):
            constant = json.dumps(constant, ensure_ascii=False)
        return ((literal(constant) if isinstance(constant, str) else constant),)
    word = jinja(value)
    return (f"${{{word}}}",) if word is not None else None


def logged_as(value: ScriptValue | None) -> str | None:
    if value is None:
        return None
    if value.kind == "constant" and isinstance(value.constant, str):
        return literal(value.constant)
    word = jinja(value)
    return f"${{{word}}}" if word is not None else None


def _item(step: PathStep) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _PLAIN.fullmatch(step) else f"[{_quoted(step)}]"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def _literal(value: object) -> str | None:
    if isinstance(value, str):
        return _quoted(value) if "${" not in value and "}" not in value else None
    if value is None or isinstance(value, bool):
        return "none" if value is None else str(value).lower()
    if isinstance(value, list):
        items = [_literal(one) for one in value]
        return None if None in items else f"[{', '.join(map(str, items))}]"
    return repr(value) if isinstance(value, int | float) else None


class ValueReader:
    """Reads the expressions of one script.

    Attributes:
        names: What its constants and variables are.
        conditions: Expressions that names stand for, where they are no values.
    """

    def __init__(self, variables: PostmanVariables, place: SourcePlace) -> None:
        self.names: dict[str, ScriptValue] = {}
        self.conditions: dict[str, Node] = {}
        self._variables, self._place = variables, place

    def constant(self, node: Node) -> object:
        """Return a constant, or `NOT_CONSTANT`."""
        return fold(node, self._constants())

    def _constants(self) -> Mapping[str, object]:
        return {name: one.constant for name, one in self.names.items() if one.kind == "constant"}

    def condition(self, node: Node) -> Node:
        """Return the condition that a name stands for, or the node itself."""
        return self.conditions.get(text_of(node), node) if node.type == "identifier" else node

    def value(self, node: Node) -> ScriptValue | None:
        """Return what an expression is; None where it is nothing that a plan can say."""
        node = bare(node)
        folded = self.constant(node)
        if folded is not NOT_CONSTANT:
            return ScriptValue("constant", constant=folded)
        if node.type == "binary_expression":
            return self._or_empty(node) or self._sum(node)
        if node.type == "template_string":
            return self._template(node)
        chain = chain_of(node)
        start = self._start(chain)
        if start is None:
            return self._computed(chain)
        value: ScriptValue | None = start[0]
        for link in chain.links[start[1] :]:
            if value is not None:
                value = _of_reply(link) if value.kind == "reply" else self._step(value, link)
        return value

    def _start(self, chain: Chain) -> tuple[ScriptValue, int] | None:
        """Return the value that the beginning of a chain is, and how many links that takes."""
        root = text_of(chain.root)
        if root in self.names:
            return self.names[root], 0
        path = root
        if root == "responseBody":
            return ScriptValue("body"), 0
        if root == "responseTime":
            return ScriptValue("time"), 0
        for number, link in enumerate(chain.links[:4], 1):
            path = f"{path}.{link.name}"
            found = self._known(path, link)
            if found is not None:
                return found, number
        return None

    def _known(self, path: str, link: ChainLink) -> ScriptValue | None:
        called = link.arguments
        plain = _REPLY.get(path)
        if plain is not None and (called is None or path in _REPLY_CALLS):
            return ScriptValue(plain)
        owner, _, name = path.rpartition(".")
        if called is None:
            if owner in _OLD_SCOPES:
                return self._variable(name)
            if owner == "responseHeaders":
                return ScriptValue("header", name=name)
            return None
        first = self.value(called[0]) if called else None
        return self._of_call(path, owner, name, first)

    def _of_call(
        self, path: str, owner: str, name: str, first: ScriptValue | None
    ) -> ScriptValue | None:
        if first is None:
            return None
        if path == "JSON.parse" and first.kind == "body":
            return ScriptValue("json")
        if path == "pm.variables.replaceIn" and isinstance(first.constant, str):
            return self._filled(first.constant)
        if not isinstance(first.constant, str):
            return None
        if (owner in _SCOPES and name == "get") or path in _OLD_READERS:
            return self._variable(first.constant)
        kind = _NAMED.get(path)
        return ScriptValue(kind, name=first.constant) if kind else None

    def _variable(self, name: str) -> ScriptValue:
        return ScriptValue("variable", name=self._variables.name(name, self._place))

    def _filled(self, text: str) -> ScriptValue | None:
        filled = self._variables.text(text, self._place)
        found = re.fullmatch(r"\$\{([^{}]*)\}", filled)
        if found is not None:
            return ScriptValue("computed", name=found[1])
        parts = [
            part[2:-1] if part.startswith("${") else _quoted(part)
            for part in re.split(r"(\$\{[^{}]*\})", filled)
            if part
        ]
        joined = " ~ ".join(f"({one})" if "|" in one else one for one in parts)
        return ScriptValue("computed", name=joined) if parts else None

    def _step(self, value: ScriptValue, link: ChainLink) -> ScriptValue | None:
        if link.arguments is not None:
            return self._called(value, link)
        if link.name == "length" and value.kind in ("json", "body", "variable", "computed"):
            return ScriptValue("length", of=value)
        if value.kind == "headers" and link.name:
            return ScriptValue("header", name=link.name)
        if value.kind != "json":
            return None
        if link.index is not None:
            index = self.constant(link.index)
            return (
                ScriptValue("json", (*value.path, index))
                if isinstance(index, int | str) and not isinstance(index, bool)
                else None
            )
        return ScriptValue("json", (*value.path, link.name))

    def _called(self, value: ScriptValue, link: ChainLink) -> ScriptValue | None:
        arguments = link.arguments or ()
        if value.kind == "body" and link.name == "json" and not arguments:
            return ScriptValue("json")
        if value.kind == "headers" and link.name == "get" and arguments:
            name = self.constant(arguments[0])
            return ScriptValue("header", name=name) if isinstance(name, str) else None
        inner, filters = jinja(value), _METHODS.get(link.name)
        if inner is None or filters is None or arguments:
            return None
        if link.name == "toString" and value.kind in ("body", "header"):
            return value
        return ScriptValue("computed", name=f"{inner} | {filters}")

    def _or_empty(self, node: Node) -> ScriptValue | None:
        """Return x of `x || {}`: a part that is missing has no parts either."""
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        is_or = text_of(node.child_by_field_name("operator")) in ("||", "??")
        if not is_or or left is None or right is None or self.constant(right) not in ({}, [], ""):
            return None
        found = self.value(left)
        return found if found is not None and found.kind == "json" else None

    def _sum(self, node: Node) -> ScriptValue | None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        sign = text_of(node.child_by_field_name("operator"))
        if left is None or right is None or sign not in ("+", "-", "*", "/", "%"):
            return None
        values = [self.value(one) for one in (left, right)]
        words = [jinja(one) if one is not None else None for one in values]
        if None in words:
            return None
        is_text = any(
            one is not None and (isinstance(one.constant, str) or one.kind in ("body", "header"))
            for one in values
        ) or any(" ~ " in str(word) for word in words)
        if sign == "+" and is_text:
            sign = "~"
        return ScriptValue("computed", name=f" {sign} ".join(_operand(str(one)) for one in words))

    def _template(self, node: Node) -> ScriptValue | None:
        parts: list[str] = []
        for one in node.named_children:
            if one.type == "template_substitution":
                value = self.value(one.named_children[0]) if one.named_children else None
                word = jinja(value) if value is not None else None
                if word is None:
                    return None
                parts.append(_operand(word))
            elif one.type in ("string_fragment", "escape_sequence"):
                parts.append(_quoted(unescape(text_of(one))))
        return ScriptValue("computed", name=" ~ ".join(parts)) if parts else None

    def _converted(self, chain: Chain) -> ScriptValue | None:
        """Return what `x.toString()` and its like make of a computed x."""
        last = chain.links[-1] if chain.links else None
        if last is None or last.name not in _METHODS or last.arguments != ():
            return None
        function = last.node.child_by_field_name("function")
        owner = function.child_by_field_name("object") if function is not None else None
        inner = self.value(owner) if owner is not None else None
        word = jinja(inner) if inner is not None else None
        filters = _METHODS[last.name]
        return ScriptValue("computed", name=f"{_operand(word)} | {filters}") if word else None

    def _computed(self, chain: Chain) -> ScriptValue | None:
        """Return what the usual helpers compute: the time, random numbers, encodings."""
        converted = self._converted(chain)
        if converted is not None:
            return converted
        whole = re.sub(r"\s+", "", text_of(chain.links[-1].node) if chain.links else "")
        for pattern, expression in _IDIOMS:
            found = pattern.fullmatch(whole)
            if found is not None:
                return ScriptValue("computed", name=expression(found))
        filters = _FUNCTIONS.get(chain.path)
        if filters is None or len(chain.arguments) != 1:
            return None
        first = self.value(chain.arguments[0])
        word = jinja(first) if first is not None else None
        return ScriptValue("computed", name=f"{_operand(word)} | {filters}") if word else None


def _of_reply(link: ChainLink) -> ScriptValue | None:
    """Return a part of the reply that a callback is given."""
    path = f"pm.response.{link.name}"
    is_call = link.arguments is not None
    kind = _REPLY.get(path) if is_call == (path in _REPLY_CALLS) else None
    return ScriptValue(kind) if kind is not None else None


def _operand(expression: str) -> str:
    return f"({expression})" if re.search(r" [|~+*/%-] | if ", expression) else expression


_REPLY: Final = {
    "pm.response.json": "json",
    "pm.response.text": "body",
    "pm.response.code": "status",
    "pm.response.status": "reason",
    "pm.response.reason": "reason",
    "pm.response.responseTime": "time",
    "pm.response.headers": "headers",
    "responseCode.code": "status",
    "responseCode.name": "reason",
}
_REPLY_CALLS: Final = frozenset({"pm.response.json", "pm.response.text", "pm.response.reason"})
_NAMED: Final = {
    "pm.response.headers.get": "header",
    "postman.getResponseHeader": "header",
    "pm.cookies.get": "cookie",
    "postman.getResponseCookie": "cookie",
}
_METHODS: Final = {
    "toString": "string",
    "toUpperCase": "upper",
    "toLowerCase": "lower",
    "trim": "trim",
}
_FUNCTIONS: Final = {
    "JSON.stringify": "json",
    "String": "string",
    "parseInt": "int",
    "parseFloat": "float",
    "Number": "float",
    "btoa": "b64",
    "encodeURIComponent": "urlencode",
    "Math.floor": "round(0, 'floor') | int",
    "Math.round": "round | int",
}
_IDIOMS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = (
    (re.compile(r"Date\.now\(\)|newDate\(\)\.(?:getTime|valueOf)\(\)|\+newDate\(?\)?"),
     lambda _: "(now() * 1000) | int"),
    (re.compile(r"Math\.(?:floor|round)\((?:Date\.now\(\)|newDate\(\)\.getTime\(\))/1000\)"),
     lambda _: "now() | int"),
    (re.compile(r"newDate\(\)\.toISOString\(\)|moment\(\)\.(?:toISOString|format)\(\)"),
     lambda _: "date('%Y-%m-%dT%H:%M:%S.000Z')"),
    (re.compile(r"Math\.random\(\)"), lambda _: "rand.float(0, 1)"),
    (re.compile(r"Math\.floor\(Math\.random\(\)\*(\d{1,12})\)"),
     lambda found: f"rand.int(0, {max(0, int(found[1]) - 1)})"),
    (re.compile(r"Math\.floor\(Math\.random\(\)\*(\d{1,12})\)\+(\d{1,12})"),
     lambda found: f"rand.int({int(found[2])}, {int(found[1]) + int(found[2]) - 1})"),
    (re.compile(r"_\.random\((\d{1,12}),(\d{1,12})\)"),
     lambda found: f"rand.int({found[1]}, {found[2]})"),
    (re.compile(r"(?:require\(['\"]uuid['\"]\)(?:\.v4)?|uuidv?4?|crypto\.randomUUID)\(\)"),
     lambda _: "rand.uuid()"),
)  # fmt: skip
