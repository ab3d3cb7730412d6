"""Commands to arguments, split before anything is rendered into them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import Expression
from planrunner.language.fields.text import Text
from planrunner.late_pattern import late_pattern
from planrunner.protocols.base import Evaluate
from planrunner.protocols.lowering import Lowering, SpecPath

__all__ = ["Word", "split_command"]

Word = tuple[str | Evaluate, ...]
"""One argument of a command: constant pieces, and what is rendered between them."""


def split_command(text: Text, lowering: Lowering, path: SpecPath) -> tuple[Word, ...]:
    """Split a command into arguments as a shell does, before anything is rendered into it."""
    import shlex  # noqa: PLC0415 - few plans have commands

    expressions = [part for part in text.parts if isinstance(part, Expression)]
    marked = "".join(part if isinstance(part, str) else _MARK for part in text.parts)
    if text.parts and sum(part.count(_MARK) for part in text.parts if isinstance(part, str)):
        lowering.fault(path, Code.INVALID_VALUE, "a command can't contain control characters")
        return ()
    try:
        split = shlex.split(marked)
    except ValueError as error:
        lowering.fault(path, Code.INVALID_VALUE, f"not a command: {error}", "close the quotes")
        return ()
    if not split:
        lowering.fault(path, Code.INVALID_VALUE, "the command is empty")
    # In quotes it is an argument like any other; without POSIX rules the quotes stay on.
    for word in shlex.split(marked, posix=False):
        if _OPERATOR.fullmatch(word):
            message = f"commands run without a shell, so `{word}` would be an argument"
            hint = f"write `sh -c '…'` for a shell, or `'{word}'` to mean the argument"
            lowering.fault(path, Code.INVALID_VALUE, message, hint)
            break
    rendered = iter(expressions)
    return tuple(tuple(_pieces(lowering, word, rendered, path)) for word in split)


_MARK: Final = "\x00"
_OPERATOR: Final = late_pattern(r"[0-9]?(\||\|\||&|&&|;|<|<<|>|>>|>&[0-9])")


def _pieces(
    lowering: Lowering, word: str, expressions: Iterator[Expression], path: SpecPath
) -> Iterator[str | Evaluate]:
    for index, constant in enumerate(word.split(_MARK)):
        if index:
            expression = next(expressions)
            with lowering.at(path):
                yield expression.lower(lowering.constants).evaluate
        if constant:
            yield constant
