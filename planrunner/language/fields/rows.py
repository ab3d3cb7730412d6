"""Fields that name a data source, and mean all of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from planrunner.language.expressions.expression import NO_CONSTANTS, Expression, Lowered, Reference
from planrunner.language.expressions.values import Scope
from planrunner.language.fields.reading import ReadBy
from planrunner.language.fields.types import read_expression
from planrunner.values import dataclass

__all__ = ["RowsField", "RowsOf", "rows_key"]


def rows_key(source: str) -> str:
    """Return what all rows of a source are called in scopes: no name that a plan can write."""
    return f"{source}[*]"


@dataclass(frozen=True, slots=True)
class RowsOf:
    """A data source, by its name alone, or an expression that gives a list.

    Attributes:
        columns: Those of the source: the compiler fills them in. Empty where there is none, or its
            rows are plain values; None where they are unknown.
    """

    expression: Expression
    columns: tuple[str, ...] | None = ()

    @property
    def source(self) -> str:
        """The name, which may be that of anything; empty for any other expression."""
        references, written = self.expression.references, self.expression.source.strip()
        return written if [one.root for one in references] == [written] else ""

    @property
    def references(self) -> tuple[Reference, ...]:
        found = self.expression.references
        return tuple(replace(one, is_whole=True) for one in found) if self.source else found

    def lower(self, constants: Mapping[str, object] = NO_CONSTANTS) -> Lowered:
        """Return it as a closure, as `Expression.lower` does."""
        lowered = self.expression.lower(constants)
        if not self.source or lowered.is_constant:
            return lowered
        key, otherwise = rows_key(self.source), lowered.evaluate

        def evaluate(scope: Scope) -> object:
            return scope[key] if key in scope else otherwise(scope)

        return Lowered(evaluate)


def _rows(value: object) -> RowsOf:
    return RowsOf(read_expression(value))


RowsField = Annotated[
    RowsOf,
    ReadBy(
        _rows,
        {
            "$expression": True,
            "type": "string",
            "description": "The name of a data source, for all its rows; or an expression that "
            "gives a list, without `${…}`.",
        },
    ),
]
