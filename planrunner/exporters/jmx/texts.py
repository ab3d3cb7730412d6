"""Texts with variables and functions of JMeter, and expressions in JEXL."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar, Final, NoReturn

from planrunner.exporters.scripts.constants import is_constant
from planrunner.exporters.scripts.language import CanNotWrite, ScriptLanguage
from planrunner.language.expressions import tree

__all__ = ["JmxTexts", "in_function"]

_VARIABLE: Final = re.compile(r"vars\.get\('([^']+)'\)")
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

_EXPRESSION: Final = re.compile(r"(\$\{[^}]*\})")
_UNSAFE: Final = re.compile(r"[\"<>\\^`|]|%(?![0-9A-Fa-f]{2})")


def _percent(found: re.Match[str]) -> str:
    return f"%{ord(found[0]):02X}"


class JmxTexts(ScriptLanguage):
    """Code is JEXL, as in conditions; a text has `${…}` of JMeter in it.

    Attributes:
        capture: Keeps a part of the last reply in a variable, and returns its name.
        prefix: Of paths, from the base URL.
    """

    equal: ClassVar[str] = "=="
    unequal: ClassVar[str] = "!="
    both: ClassVar[str] = "&&"
    either: ClassVar[str] = "||"
    secret_hint: ClassVar[str] = "set the property with `-J{}=…`"
    now: ClassVar[str] = "${__time(/1000)}"
    filters: ClassVar[Mapping[str, str]] = {
        "b64": '${{__groovy("{}".bytes.encodeBase64().toString())}}',
        "upper": "{}.toUpperCase()",
        "lower": "{}.toLowerCase()",
        "trim": "{}.trim()",
        "string": "{}",
        "int": "({} * 1)",
        "default": "(empty({0}) ? '' : {0})",
    }
    filters_of_one: ClassVar[Mapping[str, str]] = {
        "default": "(empty({0}) ? {1} : {0})",
        "d": "(empty({0}) ? {1} : {0})",
        "replace": "{}.replace({}, {})",
    }

    def __init__(self, name_of: Callable[[str], str]) -> None:
        super().__init__(name_of)
        self.capture: Callable[[str, list[str]], str] = _nothing
        self.prefix = ""

    # -- texts

    def joined(self, parts: list[tuple[str, bool]]) -> str:
        if any(is_code and part.startswith(("[", "{")) for part, is_code in parts):
            raise CanNotWrite("texts of JMeter have no lists and mappings in them")
        # JMeter takes backslashes away only where a text has something to fill in.
        is_filled = any(is_code and "${" in in_text(part) for part, is_code in parts)
        return "".join(
            in_text(part) if is_code else _escaped(part) if is_filled else part
            for part, is_code in parts
        )

    def value(self, data: object) -> str:
        return self.text(data) if isinstance(data, str) else _plain(data)

    def json_text(self, data: object) -> str:
        if is_constant(data):
            return json.dumps(data, ensure_ascii=False, indent=2)
        if isinstance(data, dict):
            pairs = (f"{json.dumps(key)}: {self.json_text(one)}" for key, one in data.items())
            return "{" + ", ".join(pairs) + "}"
        if isinstance(data, list):
            return "[" + ", ".join(map(self.json_text, data)) + "]"
        text = self.text(str(data))
        is_number = text.startswith(("${__Random(", "${__time")) or self._is_number(str(data))
        return text if is_number else f'"{text}"'

    def _is_number(self, data: str) -> bool:
        """Return whether a text of the plan is an expression that always is a number."""
        name = data.removeprefix("${").removesuffix("}").strip()
        return name in self.numbers or bool(re.fullmatch(r"\$\{[^}]*[-+*/] *\d+ *\}", data))

    def literal(self, value: object) -> str:
        if isinstance(value, str):
            return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
        return json.dumps(value)

    def url(self, written: str) -> str:
        # JMeter sends no request whose path has such a sign.
        pieces = _EXPRESSION.split(written)
        pieces[::2] = [_UNSAFE.sub(_percent, piece) for piece in pieces[::2]]
        written = "".join(pieces)
        whole = ("http://", "https://", "${services.", *self.url_params)
        return self.text(written) if written.startswith(whole) else self.prefix + self.text(written)

    def file(self, name: str) -> str:
        return self.text(f"{self.folder}/{name}".removeprefix("./"))

    # -- expressions

    def _node(self, node: tree.Node) -> str:
        if not isinstance(node, tree.Add):
            return super()._node(node)
        sides = [self._node(node.left), self._node(node.right)]
        if not any(one.startswith("'") for one in sides):  # `+` would join texts of digits
            sides = [f"{one} * 1" if _VARIABLE.fullmatch(one) else one for one in sides]
        return f"({' + '.join(sides)})"

    def _call(self, node: tree.Call) -> str:
        match node.node:
            case tree.Getattr(node=tree.Name(name="rand"), attr=draw) if not node.kwargs:
                return self._draw(draw, [self._node(one) for one in node.args])
            case _:
                return super()._call(node)

    def _draw(self, draw: str, arguments: list[str]) -> str:
        texts = [in_text(one) for one in arguments]
        match draw, texts:
            case "int", [low, high]:
                return f"${{__Random({low},{high})}}"
            case "text", [count]:
                return f"${{__RandomString({count},{_LETTERS}0123456789)}}"
            case "lower", [count]:
                return f"${{__RandomString({count},{_LETTERS[26:]})}}"
            case "uuid", []:
                return "${__UUID}"
            case "choice", [_] if re.fullmatch(r"\[.*\]", arguments[0]):
                most = arguments[0].count(",")
                return f"{arguments[0]}[${{__Random(0,{most})}}]"
            case _:
                raise CanNotWrite(f"JMeter has no function for `rand.{draw}`")

    def _filter(self, node: tree.Filter) -> str:
        if node.name == "urlencode" and not node.args:
            return f"${{__urlencode({in_function(in_text(self._node(node.node)))})}}"
        return super()._filter(node)

    def member(self, value: str, key: str) -> str:
        raise CanNotWrite(f"variables of JMeter are texts: {value} has no {key}")

    def reply(self, name: str, keys: list[str]) -> str:
        return f"vars.get('{self.capture(name, [_key(one) for one in keys])}')"

    def choice(self, test: str, first: str, other: str) -> str:
        return f"({test} ? {first} : {other})"

    def is_defined(self, value: str) -> str:
        return f"({value} != null)"

    def truth(self, value: str) -> str:
        if value.startswith("["):
            return "false" if value == "[]" else "true"
        nothing = ("null", "''", "'false'", "'0'")
        return "(" + " && ".join(f"{value} != {one}" for one in nothing) + ")"

    def contains(self, item: str, whole: str) -> str:
        if whole.startswith("["):
            return f"({item} =~ {whole})"
        return f"{whole}.contains({item})"

    def negated(self, value: str) -> str:
        return f"!{value}" if value.startswith("(") else f"!({value})"

    def as_text(self, value: str) -> str:
        return value

    def env(self, name: str) -> str:
        return f"${{__P({name},)}}"

    @property
    def base(self) -> str:
        return ""

    def listing(self, items: Sequence[str]) -> str:
        return "[" + ", ".join(items) + "]"

    def distributed(self, kind: str, arguments: str) -> str:
        raise CanNotWrite(f"JMeter has no function for pauses of `{kind}`; write a range")

    def _refuse(self, *_: object) -> NoReturn:
        raise CanNotWrite("JMeter looks for this in an extractor; write one yourself")

    appended = found = cookie = took_ms = or_default = _refuse  # type: ignore[assignment]  # requests have elements for these


def in_text(code: str) -> str:
    """Return code as it stands in a text: a variable, a function, or JEXL."""
    if variable := _VARIABLE.fullmatch(code):
        return f"${{{variable[1]}}}"
    pieces = [*_pieces(code)]
    is_function = len(pieces) == 1 and pieces[0][1]
    if is_function or re.fullmatch(r"-?\d+(?:\.\d+)?", code):
        return code
    if re.fullmatch(r"'[^'\\]*'", code):
        return code[1:-1]
    quoted = (
        f"'{piece}'" if is_one and not piece.startswith(_NUMBERS) else piece
        for piece, is_one in pieces
    )
    return f"${{__jexl3({in_function(''.join(quoted))})}}"


def in_function(text: str) -> str:
    """Return a text as an argument of a function: commas that divide nothing are escaped."""
    return "".join(
        piece if is_one else piece.replace(",", "\\,") for piece, is_one in _pieces(text)
    )


_NUMBERS: Final = ("${__Random(", "${__time", "${__threadNum", "${__jexl3(")


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the pieces of a text: plain ones, and references from `${` to their end (True)."""
    at = 0
    while (begin := text.find("${", at)) >= 0:
        if begin > at:
            yield text[at:begin], False
        depth, at = 1, begin + 2
        while at < len(text) and depth:
            depth += (text[at] == "{") - (text[at] == "}")
            at += 1
        yield text[begin:at], True
    if at < len(text):
        yield text[at:], False


def _key(code: str) -> str:
    return code[1:-1] if code.startswith("'") else code


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("${", "\\${")


def _plain(data: object) -> str:
    return data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)


def _nothing(name: str, keys: list[str]) -> str:
    del keys
    raise CanNotWrite(f"there is no reply whose `{name}` this could be")
