"""Expressions of the plan language: parsed once, their names known, lowered to closures.

The syntax is Jinja2's; the evaluation is ours, so that a plan reaches data and listed helpers only,
nothing costs more than its budget, and an attribute costs less than a microsecond.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from planrunner.language.expressions.builtins.names import FILTER_NAMES, RESERVED, ROOT_HELPERS
from planrunner.language.expressions.builtins.random_draws import Rand
from planrunner.language.expressions.common_syntax import parse_common
from planrunner.language.expressions.given_kinds import given_kind
from planrunner.language.expressions.lowering import lower_tree
from planrunner.language.expressions.survey import Reference, survey
from planrunner.language.expressions.tree import Expr
from planrunner.language.expressions.values import (
    UNDEFINED,
    EvaluationError,
    ExpressionError,
    Lowered,
    Scope,
    Undefined,
    to_text,
)
from planrunner.values import dataclass

__all__ = [
    "FILTER_NAMES",
    "NO_CONSTANTS",
    "RESERVED",
    "ROOT_HELPERS",
    "UNDEFINED",
    "EvaluationError",
    "Expression",
    "ExpressionError",
    "Lowered",
    "Rand",
    "Reference",
    "Scope",
    "Undefined",
    "parse",
    "to_text",
]

NO_CONSTANTS: Final[Mapping[str, object]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression; equal sources are equal.

    Attributes:
        source: As written, without `${` and `}`.
        references: The names it reads, in the order they are written.
    """

    source: str
    references: tuple[Reference, ...] = field(compare=False)
    _tree: Expr = field(compare=False, repr=False)

    def lower(self, constants: Mapping[str, object] = NO_CONSTANTS) -> Lowered:
        """Return the expression as a closure; `constants` are names known before the run.

        Raises:
            ExpressionError: A part that depends on constants only has no value.
        """
        return lower_tree(self._tree, self.source, constants)

    @property
    def kind(self) -> str:
        """`a number` or `true or false`, where the expression can give nothing else."""
        return given_kind(self._tree)


@lru_cache(maxsize=4096)
def parse(source: str) -> Expression:
    """Parse one expression.

    Raises:
        ExpressionError: It is no expression, or uses a filter, test or helper that isn't there.
    """
    tree = parse_common(source) or _parse_fully(source)
    return Expression(source, survey(tree), tree)


def _parse_fully(source: str) -> Expr:
    from planrunner.language.expressions.syntax import parse_tree  # noqa: PLC0415 - Jinja2 takes two bare starts

    return parse_tree(source)
