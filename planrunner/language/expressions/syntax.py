"""Source text to Jinja2's syntax tree, with character offsets where Jinja2 keeps line numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, cast

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import Token, TokenStream, operators
from jinja2.parser import Parser

from planrunner.language.expressions import tree
from planrunner.language.expressions.tree import too_deep
from planrunner.language.expressions.values import ExpressionError

__all__ = ["parse_tree"]

_MAX_BRACKETS: Final = 30  # the parser takes about 14 Python frames each
_BRACKETS: Final = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_MAX_SOURCE: Final = 10_000
_MAX_DIGITS: Final = 1_300  # more than 4,096 bits

_ESCAPE: Final = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U000[0-9a-fA-F]{5}|.)", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "\\": "\\", "'": "'", '"': '"'}

_IGNORED: Final = frozenset({"whitespace", "comment", "comment_begin", "comment_end"})


class _Environment(Environment):
    """Makes every token's `lineno` its offset, so that nodes and errors say where they are."""

    def _tokenize(
        self,
        source: str,
        name: str | None,
        filename: str | None = None,
        state: str | None = None,
    ) -> TokenStream:
        return TokenStream(self._tokens(source, state), name, filename)

    def _tokens(self, source: str, state: str | None) -> Iterator[Token]:
        offset = depth = 0
        pieces = self.lexer.tokeniter(source, None, None, state)
        while True:
            try:
                _, kind, text = next(pieces)
            except StopIteration:
                return
            except TemplateSyntaxError as error:
                raise TemplateSyntaxError(error.message or "", offset) from None
            if kind == "operator" and text in _BRACKETS:
                depth += _BRACKETS[text]
                if depth > _MAX_BRACKETS:
                    raise too_deep(offset)
            if kind not in _IGNORED:
                yield _token(offset, kind, text)
            offset += len(text)


def _token(offset: int, kind: str, text: str) -> Token:
    if kind == "operator":
        return Token(offset, operators[text], text)
    if kind == "string":
        return Token(offset, kind, _ESCAPE.sub(_unescape, text[1:-1]))
    if kind in ("integer", "float"):
        # Token's value is declared as str, but numbers are what the lexer puts there itself.
        return Token(offset, kind, cast("str", _number(text.replace("_", ""), kind, offset)))
    if kind == "name" and not text.isidentifier():
        raise TemplateSyntaxError(f"`{text}` is not a name", offset)
    return Token(offset, kind, text)


def _number(text: str, kind: str, offset: int) -> int | float:
    if len(text) > _MAX_DIGITS:
        raise TemplateSyntaxError("the number is too long", offset)
    return int(text, 0) if kind == "integer" else float(text)


def _unescape(found: re.Match[str]) -> str:
    code = found[1]
    if len(code) > 1:
        return chr(int(code[1:], 16))
    # An unknown escape stays as written, as in Python, so regular expressions read well.
    return _ESCAPES.get(code, found[0])


@cache
def _environment() -> Environment:
    return _Environment(
        variable_start_string="${",
        variable_end_string="}",
        keep_trailing_newline=True,
        optimized=False,
    )


def parse_tree(source: str) -> tree.Expr:
    """Return the tree of one expression."""
    if len(source) > _MAX_SOURCE:
        raise ExpressionError(
            f"the expression is longer than {_MAX_SOURCE:,} characters",
            hint="split it with `set` or shorten it",
        )
    if not source.strip():
        raise ExpressionError("the expression is empty", hint="write a name: `${x}`")
    # The lexer turns \r\n into \n, which would shift the offsets after it.
    try:
        parser = Parser(_environment(), source.replace("\r", " "), state="variable")
        parsed = parser.parse_expression()
        if parser.stream.current.type != "eof":
            raise _unexpected(parser.stream.current)
    except TemplateSyntaxError as error:
        raise _syntax_error(error, source) from None
    except RecursionError:
        raise too_deep() from None
    return _converted(parsed)


def _converted(root: nodes.Expr) -> tree.Expr:
    """Return Jinja2's tree as ours; without recursion, as the depth is unchecked yet.

    Raises:
        ExpressionError: It has a node that no expression of a plan can have.
    """
    ours: dict[int, tree.Node] = {}
    order: list[nodes.Node] = [root]
    for node in order:  # grows: parents stand before their children
        order.extend(node.iter_child_nodes())
    for node in reversed(order):
        kind = getattr(tree, type(node).__name__, None)
        if kind is None:
            raise ExpressionError("this is not possible in a plan", offset=node.lineno)
        values = [_part(getattr(node, name), ours) for name in kind.fields]
        ours[id(node)] = kind(*values, offset=node.lineno)
    return cast("tree.Expr", ours[id(root)])


def _part(value: Any, ours: Mapping[int, tree.Node]) -> object:  # noqa: ANN401 - any field
    if isinstance(value, list):
        return [_part(item, ours) for item in value]
    return ours[id(value)] if isinstance(value, nodes.Node) else value


def _unexpected(token: Token) -> TemplateSyntaxError:
    if token.type == "assign":
        return TemplateSyntaxError("`=` assigns nothing here", token.lineno)
    value: Any = token.value
    return TemplateSyntaxError(f"unexpected `{value}`", token.lineno)


_UNEXPECTED_CHARACTER: Final = re.compile(r"unexpected char ('.+'|\".+\") at \d+", re.DOTALL)
_WORDS: Final = (
    ("end of template", "end of the expression"),
    ("end of print statement", "`}`"),
    ("begin of print statement", "`${`"),
)
_HINTS: Final = (
    ("`=` assigns", "compare with `==`"),
    ("`&`", "write `and`"),
    ("`$`", "write the name alone, without `${` and `}`"),
    ("got `|`", "write `or`"),
    ("`!`", "write `not x`, or `x != y`"),
    ("`?`", "write `a if condition else b`"),
    ("unexpected end", "finish the expression, or remove what it ends with"),
)


def _syntax_error(error: TemplateSyntaxError, source: str) -> ExpressionError:
    offset = min(error.lineno, len(source))
    message = error.message or "the expression can't be read"
    if _UNEXPECTED_CHARACTER.fullmatch(message):
        character = source[offset : offset + 1]
        message = "a text is not closed" if character in "'\"" else f"unexpected `{character}`"
    message = message[0].lower() + message[1:]
    for jinja, ours in _WORDS:
        message = message.replace(f"'{jinja}'", ours).replace(jinja, ours)
    message = re.sub(r"'([^'\n]{1,20})'", r"`\1`", message).rstrip(".")
    hint = next((hint for start, hint in _HINTS if start in message), "")
    return ExpressionError(message, hint=hint, offset=offset)
