"""Commands to arguments, split before anything is rendered into them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import partial
from typing import Final

from planrunner.compiler.compilation import Compilation
from planrunner.graph.steps import Evaluate, Word
from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import Expression
from planrunner.language.fields.text import Text
from planrunner.plan.yaml.document import PlanPath

__all__ = ["split_command"]


def split_command(work: Compilation, text: Text, path: PlanPath) -> tuple[Word, ...]:
    """Split a command into arguments as a shell does, before anything is rendered into it."""
    expressions = [part for part in text.parts if isinstance(part, Expression)]
    marked = "".join(part if isinstance(part, str) else _MARK for part in text.parts)
    if text.parts and sum(part.count(_MARK) for part in text.parts if isinstance(part, str)):
        work.fault(path, Code.INVALID_VALUE, "a command can't contain control characters")
        return ()
    try:
        split = shlex.split(marked)
    except ValueError as error:
        hint = "close the quotes"
        work.fault(path, Code.INVALID_VALUE, f"not a command: {error}", hint=hint)
        return ()
    if not split:
        work.fault(path, Code.INVALID_VALUE, "the command is empty")
    # In quotes it is an argument like any other; without POSIX rules the quotes stay on.
    for word in shlex.split(marked, posix=False):
        if _OPERATOR.fullmatch(word):
            message = f"commands run without a shell, so `{word}` would be an argument"
            hint = f"write `sh -c '…'` for a shell, or `'{word}'` to mean the argument"
            work.fault(path, Code.INVALID_VALUE, message, hint=hint)
            break
    rendered = iter(expressions)
    return tuple(tuple(_pieces(work, word, rendered, path)) for word in split)


_MARK: Final = "\x00"
_OPERATOR: Final = re.compile(r"[0-9]?(\||\|\||&|&&|;|<|<<|>|>>|>&[0-9])")


def _pieces(
    work: Compilation, word: str, expressions: Iterator[Expression], path: PlanPath
) -> Iterator[str | Evaluate]:
    for index, constant in enumerate(word.split(_MARK)):
        if index:
            expression = next(expressions)
            lower = partial(expression.lower, work.constants)
            lowered = work.attempt(lower, path, None)
            if lowered is not None:
                yield lowered.evaluate
        if constant:
            yield constant
