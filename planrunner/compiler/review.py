"""All that can be said about an invalid plan: the loader's findings and the compiler's."""

from __future__ import annotations

import re
from typing import Final

from planrunner.compiler.compile import compile_plan
from planrunner.language.diagnostics import Code, Diagnostic, PlanError
from planrunner.plan.loader import InvalidPlan

__all__ = ["review"]

# What is true of the whole plan though only a part was compiled. That something is missing, or has
# no value, may only be so because the faulty pieces were left out.
_CERTAIN: Final = frozenset(
    {
        Code.DUPLICATE_NAME,
        Code.EXPRESSION_SYNTAX,
        Code.INVALID_UNIT,
        Code.INVALID_VALUE,
        Code.NOT_ALLOWED,
        Code.REFERENCE_CYCLE,
        Code.RESERVED_NAME,
        Code.THRESHOLD_SYNTAX,
        Code.UNKNOWN_NAME,
        Code.UNKNOWN_SELECTOR,
    }
)

_WORD = re.compile(r"\w+")


def review(error: PlanError) -> tuple[Diagnostic, ...]:
    """Return the findings of `error`, and those that compiling the sound rest of the plan adds.

    Args:
        error: Of the loader.
    """
    if not isinstance(error, InvalidPlan) or error.draft is None:
        return error.diagnostics
    try:
        compile_plan(error.draft)
    except PlanError as more:
        known = {(fault.span, fault.code) for fault in error.diagnostics}
        added = [
            fault
            for fault in more.diagnostics
            if (fault.span, fault.code) not in known and _is_certain(fault, error.lost)
        ]
        return PlanError([*error.diagnostics, *added]).diagnostics
    return error.diagnostics


def _is_certain(fault: Diagnostic, lost: frozenset[str]) -> bool:
    span = fault.span
    end = span.end_column - 1 if span.end_line == span.line else None
    words = _WORD.findall(fault.source[span.column - 1 : end])
    return fault.code in _CERTAIN and lost.isdisjoint(words)
