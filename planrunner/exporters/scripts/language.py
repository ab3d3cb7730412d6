"""Expressions, texts and values of a plan in the words of another language.

A language fills in how it writes each kind of node; what it can't write is `CanNotWrite`, and the
key in which it stands is left out by name.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

from planrunner.errors import PlanrunnerError
from planrunner.exporters.scripts.urls import url_parts
from planrunner.language.expressions import tree
from planrunner.language.expressions.expression import Expression, parse
from planrunner.language.fields.text import parse_text
from planrunner.language.named_secrets import is_secret_name
from planrunner.loss.ledger import Construct, Fate
from planrunner.loss.source_nodes import SourceEntry

__all__ = ["CanNotWrite", "ScriptLanguage", "is_identifier"]

_ARITHMETIC: Final = {
    tree.Add: "+",
    tree.Sub: "-",
    tree.Mul: "*",
    tree.Div: "/",
    tree.Mod: "%",
    tree.Pow: "**",
}
_DRAWS: Final = (
    "int",
    "float",
    "text",
    "lower",
    "choice",
    "uuid",
    "place",
    "normal",
    "exponential",
    "pareto",
)
_RANDOM: Final = frozenset(_DRAWS[:6])
"""What `rand` has in a plan."""

_COMPARED: Final = {"gt": ">", "gteq": ">=", "lt": "<", "lteq": "<="}
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class CanNotWrite(PlanrunnerError):  # noqa: N818 - reads as the sentence it stands for
    """The other language has no words for this; the message says for what."""


class ScriptLanguage(ABC):
    """Writes what a plan computes.

    Attributes:
        url_params: What begins a text that is a whole URL, such as `${target}`.
        lost: Names that have no value, since what gives them one is left out.
        texts: Code of names that always are texts.
        numbers: Code of names that always are whole numbers.
        folder: Where the files of the plan are, as the script names it.
        environ: Gets the values of the plan that the script takes from its environment.
    """

    equal: ClassVar[str]
    unequal: ClassVar[str]
    both: ClassVar[str]
    either: ClassVar[str]
    filters: ClassVar[Mapping[str, str]]
    """Templates of filters without arguments, with `{}` for the value."""

    filters_of_one: ClassVar[Mapping[str, str]]
    """Templates of filters with an argument: `{}`, then `{1}`."""

    draws: ClassVar[Mapping[str, str]] = {name: f"rand.{name}({{}})" for name in _DRAWS}
    """Templates of what `rand` has and of other draws, with `{}` for the arguments."""

    types: ClassVar[Mapping[str, str]] = {}
    """Templates of what asks whether a value has a type of JSON."""

    checks_are_soft: ClassVar[bool] = False
    now: ClassVar[str] = "now()"
    secret_hint: ClassVar[str] = "set the environment variable {}"

    def __init__(self, name_of: Callable[[str], str]) -> None:
        self._name_of = name_of
        self.url_params: tuple[str, ...] = ()
        self.lost: set[str] = set()
        self.texts: set[str] = set()
        self.numbers: set[str] = set()
        self.folder = ""
        self.environ: dict[str, str] = {}

    @abstractmethod
    def literal(self, value: object) -> str:
        """Return a plain value."""

    @abstractmethod
    def joined(self, parts: list[tuple[str, bool]]) -> str:
        """Return a text of parts: literal ones, and code of values (True)."""

    @abstractmethod
    def member(self, value: str, key: str) -> str:
        """Return a value's member, nothing where it has none."""

    @abstractmethod
    def reply(self, name: str, keys: list[str]) -> str:
        """Return what the last reply has: `json`, `body`, `status` or `headers`."""

    @abstractmethod
    def choice(self, test: str, first: str, other: str) -> str:
        """Return what picks one of two values."""

    @abstractmethod
    def is_defined(self, value: str) -> str:
        """Return whether there is a value."""

    @abstractmethod
    def contains(self, item: str, whole: str) -> str:
        """Return whether a list or text has something in it."""

    @abstractmethod
    def negated(self, value: str) -> str:
        """Return the opposite."""

    @abstractmethod
    def appended(self, text: str, glue: str, more: str) -> str:
        """Return code of a text, then some characters, then more code of a text."""

    @abstractmethod
    def json_text(self, data: object) -> str:
        """Return code that makes compact JSON of a value of the plan."""

    @abstractmethod
    def found(self, pattern: str) -> str:
        """Return what a pattern finds in the body: its first group, or all of it."""

    def matched(self, pattern: str, value: str) -> str:
        """Return what a pattern finds in a value.

        Raises:
            CanNotWrite: Nothing looks for patterns.
        """
        raise CanNotWrite(f"nothing looks for patterns such as `{pattern}` in `{value}` here")

    def file(self, name: str) -> str:
        """Return the content of a file of the plan.

        Raises:
            CanNotWrite: Nothing reads it, or its name is computed.
        """
        raise CanNotWrite(f"nothing reads `{name}` here; write the body yourself")

    def part(self, content: str, name: str, kind: str) -> str:
        """Return a part of a body: its content, the name of its file, and its type.

        Raises:
            CanNotWrite: Bodies have no parts.
        """
        raise CanNotWrite("bodies of parts have no translation")

    @abstractmethod
    def cookie(self, name: str) -> str:
        """Return a cookie that the reply sets."""

    @abstractmethod
    def took_ms(self) -> str:
        """Return how long the reply took."""

    @abstractmethod
    def or_default(self, value: str, default: str) -> str:
        """Return a value, or another one where there is none."""

    def query(self, values: object) -> str:
        """Return code of what stands behind the `?` of a URL."""
        return f"query({self.value(values)})"

    def form(self, fields: Mapping[str, object]) -> str:
        """Return the fields of a form."""
        return self.value(dict(fields))

    def drawn(self, weights: Sequence[object]) -> str:
        """Return the place of a weight, drawn as often as it says."""
        return self.draws["place"].format(self.listing([str(one) for one in weights]))

    def distributed(self, kind: str, arguments: str) -> str:
        """Return a draw from a distribution, never negative.

        Raises:
            CanNotWrite: There is no such draw.
        """
        template = self.draws.get(kind)
        if template is None:
            raise CanNotWrite(f"pauses of `{kind}` have no words here; write a range")
        return template.format(arguments)

    def as_text(self, value: str) -> str:
        """Return a value as it reads in text."""
        return f"text({value})"

    @abstractmethod
    def env(self, name: str) -> str:
        """Return an environment variable."""

    @property
    @abstractmethod
    def base(self) -> str:
        """The name of the base URL."""

    def url(self, written: str) -> str:
        """Return a URL, with the base where it is relative."""
        whole = ("http://", "https://", "${services.", *self.url_params)
        parts = [] if written.startswith(whole) or not self.base else [(self.base, True)]
        for part, is_query in url_parts(written):
            code = part if isinstance(part, str) else self.parsed(part)
            is_code = not isinstance(part, str)
            parts.append((self.in_query(code) if is_code and is_query else code, is_code))
        return self.joined(parts)

    def in_query(self, value: str) -> str:
        """Return a value behind the `?` of a URL, encoded if the tool doesn't do that."""
        return value

    def secret_header(self, entry: SourceEntry) -> str:
        """Return code for a header whose literal value is a secret; empty for any other."""
        if "${" in entry.node.text() or not is_secret_name(entry.key):
            return ""
        variable = re.sub(r"[^A-Z0-9]+", "_", entry.key.upper())
        entry.construct.needs_you(self.secret_hint.format(variable))
        self.environ[variable] = entry.node.text()
        return self.env(variable)

    def expression(self, source: str) -> str:
        """Return an expression without its braces.

        Raises:
            CanNotWrite: It has something in it that the language lacks.
        """
        return self.parsed(parse(source))

    def condition(self, source: str) -> str:
        """Return an expression that is asked whether it is true.

        Raises:
            CanNotWrite: It has something in it that the language lacks.
        """
        return self._truth(parse(source)._tree)  # noqa: SLF001 - the tree is what is written

    def truth(self, value: str) -> str:
        """Return whether a value is true; nothing, 0 and what is empty are not."""
        return value

    def parsed(self, expression: Expression) -> str:
        """Return a parsed expression."""
        return self._node(expression._tree)  # noqa: SLF001 - the tree is what is written

    def text(self, source: str) -> str:
        """Return a text with `${…}` in it, as code that gives a text."""
        parts = parse_text(source).parts
        return self.joined(
            [
                (part, False) if isinstance(part, str) else (self.parsed(part), True)
                for part in parts
            ]
        )

    def value(self, data: object) -> str:
        """Return a value of a plan: a text that is one expression keeps its type."""
        if isinstance(data, str):
            parsed = parse_text(data)
            if parsed.is_single:
                part = parsed.parts[0]
                assert isinstance(part, Expression)
                return self.parsed(part)
            return self.text(data)
        if isinstance(data, dict):
            return self.mapping([(self.key(key), self.value(one)) for key, one in data.items()])
        if isinstance(data, list):
            return self.listing([self.value(one) for one in data])
        return self.literal(data)

    def key(self, key: str) -> str:
        """Return a key of a mapping."""
        return self.literal(key)

    def mapping(self, pairs: Sequence[tuple[str, str]]) -> str:
        """Return a mapping of code to code."""
        return "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"

    def listing(self, items: Sequence[str]) -> str:
        """Return a list of code."""
        return "[" + ", ".join(items) + "]"

    # -- nodes

    def _node(self, node: tree.Node) -> str:  # noqa: C901, PLR0911, PLR0912 - one case for each kind of node
        match node:
            case tree.Const():
                return self.literal(node.value)
            case tree.Name() | tree.Getattr() | tree.Getitem():
                return self._path(node)
            case tree.Call():
                return self._call(node)
            case tree.Filter():
                return self._filter(node)
            case tree.Test():
                return self._test(node)
            case tree.Compare():
                return self._compare(node)
            case tree.And():
                return f"({self._node(node.left)} {self.both} {self._node(node.right)})"
            case tree.Or():
                return f"({self._node(node.left)} {self.either} {self._node(node.right)})"
            case tree.Not():
                return self.negated(self._truth(node.node))
            case tree.Neg():
                return f"(-{self._node(node.node)})"
            case tree.Concat():
                return self.joined([(self._node(one), True) for one in node.nodes])
            case tree.CondExpr() if node.expr2 is not None:
                branches = self._node(node.expr1), self._node(node.expr2)
                return self.choice(self._truth(node.test), *branches)
            case tree.List() | tree.Tuple():
                return self.listing([self._node(one) for one in node.items])
            case tree.Dict():
                return self.mapping(
                    [(self._node(one.key), self._node(one.value)) for one in node.items]
                )
            case tree.BinExpr() if type(node) in _ARITHMETIC:
                operator = _ARITHMETIC[type(node)]
                return f"({self._node(node.left)} {operator} {self._node(node.right)})"
            case _:
                pass
        raise CanNotWrite(f"expressions with `{type(node).__name__}` have no translation")

    def _truth(self, node: tree.Node) -> str:
        match node:
            case tree.And():
                return f"({self._truth(node.left)} {self.both} {self._truth(node.right)})"
            case tree.Or():
                return f"({self._truth(node.left)} {self.either} {self._truth(node.right)})"
            case tree.Compare() | tree.Test() | tree.Not():
                return self._node(node)
            case tree.Const() if isinstance(node.value, bool):
                return self._node(node)
            case _:
                return self.truth(self._node(node))

    def _path(self, node: tree.Node) -> str:
        keys: list[str] = []
        names: list[str] = []
        while not isinstance(node, tree.Name):
            if isinstance(node, tree.Getattr):
                keys.append(self.literal(node.attr))
                names.append(node.attr)
            elif isinstance(node, tree.Getitem):
                keys.append(self._node(node.arg))
                names.append(str(getattr(node.arg, "value", "")))
            else:
                return self._members(self._node(node), keys[::-1])
            node = node.node
        keys.reverse()
        names.reverse()
        if node.name in ("json", "body", "status", "headers"):
            return self.reply(node.name, keys)
        for length in (2, 1, 0):
            dotted = ".".join([node.name, *names[:length]])
            if len(names) >= length and (known := self._known(dotted)):
                return self._members(known, keys[length:])
        raise CanNotWrite(f"`{node.name}` has no translation")

    def _known(self, dotted: str) -> str:
        if dotted in self.lost:
            raise CanNotWrite(f"what gives `{dotted}` a value is left out")
        return self._name_of(dotted)

    def settle(self, name: str, construct: Construct) -> None:
        """Know whether what gives a name a value is in the script."""
        (self.lost.add if construct.fate is Fate.LEFT_OUT else self.lost.discard)(name)

    def _members(self, value: str, keys: list[str]) -> str:
        for key in keys:
            value = self.member(value, key)
        return value

    def _call(self, node: tree.Call) -> str:
        arguments = ", ".join(map(self._node, node.args))
        if node.kwargs or node.dyn_args or node.dyn_kwargs:
            raise CanNotWrite("arguments by name have no translation")
        match node.node:
            case tree.Getattr(node=tree.Name(name="rand"), attr=draw) if draw in _RANDOM:
                return self.draws[draw].format(arguments)
            case tree.Name(name="now") if not node.args:
                return self.now
            case tree.Name(name=name):
                raise CanNotWrite(f"`{name}(…)` has no translation")
            case tree.Getattr(attr=name):
                raise CanNotWrite(f"`….{name}(…)` has no translation")
            case _:
                raise CanNotWrite("this call has no translation")

    def _filter(self, node: tree.Filter) -> str:
        value = self._node(node.node)
        if node.kwargs:
            raise CanNotWrite(f"the filter `{node.name}` with arguments by name has no translation")
        templates = self.filters if not node.args else self.filters_of_one
        template = templates.get(node.name)
        if node.name == "replace" and len(node.args) == 2:
            template = self.filters_of_one["replace"]
        elif len(node.args) > 1:
            template = None
        if template is None:
            raise CanNotWrite(f"the filter `{node.name}` has no translation")
        if "text({})" in template:
            template, value = template.replace("text({})", "{}"), self.as_text(value)
        return template.format(value, *map(self._node, node.args))

    def _test(self, node: tree.Test) -> str:
        value = self._node(node.node)
        if node.name in ("defined", "undefined"):
            defined = self.is_defined(value)
            return defined if node.name == "defined" else self.negated(defined)
        if node.name == "none":
            return f"({value} {self.equal} {self.literal(None)})"
        raise CanNotWrite(f"the test `{node.name}` has no translation")

    def _compare(self, node: tree.Compare) -> str:
        if len(node.ops) != 1:
            raise CanNotWrite("chains of comparisons have no translation")
        left, right, word = self._node(node.expr), self._node(node.ops[0].expr), node.ops[0].op
        if word in ("in", "notin"):
            found = self.contains(left, right)
            return found if word == "in" else self.negated(found)
        operator = {"eq": self.equal, "ne": self.unequal, **_COMPARED}[word]
        return f"({left} {operator} {right})"


def is_identifier(key: str) -> bool:
    """Return whether a key needs no quotes."""
    return _IDENTIFIER.fullmatch(key) is not None
