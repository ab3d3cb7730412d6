"""Findings of the compiler without the secrets that their messages would repeat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from planrunner.compiler.names.params import secrets_of
from planrunner.language.diagnostics import Code, Diagnostic
from planrunner.language.secrets import Masker
from planrunner.late_pattern import late_pattern
from planrunner.plan.loader import CheckedPlan
from planrunner.plan.params.resolve import Param
from planrunner.plan.params.secret_texts import row_texts

__all__ = ["masked_findings"]

# What these say comes from the text of the plan, whatever the values of its params are.
_OF_THE_TEXT: Final = frozenset(
    {
        Code.CONFLICTING_KEYS,
        Code.DUPLICATE_NAME,
        Code.EXPRESSION_SYNTAX,
        Code.MISSING_KEY,
        Code.NOT_AVAILABLE,
        Code.ONE_ACTION,
        Code.REFERENCE_CYCLE,
        Code.RESERVED_NAME,
        Code.UNKNOWN_KEY,
        Code.UNKNOWN_NAME,
    }
)

_EXPRESSION: Final = late_pattern(r"\$\{[^}]*\}")
_WORD: Final = late_pattern(r"\w+")


def masked_findings(
    found: Sequence[Diagnostic], plan: CheckedPlan, more: Sequence[Param] = ()
) -> tuple[Diagnostic, ...]:
    """Return findings without what a secret's value made of their messages.

    A value that is wrong would be quoted, whole or in parts that no search recognises. So where
    the plan reads a secret the message says no more than that.

    Args:
        found: By the compiler.
        plan: What was compiled.
        more: Values that phases have for them.
    """
    secrets = {name for name, param in plan.params.items() if param.secret}
    rows = tuple(row_texts(plan.document))
    if not found or not (secrets or rows or plan.secrets):
        return tuple(found)
    mask = Masker((*secrets_of((*plan.params.values(), *more)), *plan.secrets, *rows))
    return mask.diagnostics([_masked(fault, secrets) for fault in found])


def _masked(fault: Diagnostic, secrets: set[str]) -> Diagnostic:
    if fault.code in _OF_THE_TEXT:
        return fault
    name = next((word for word in _names_read(fault.source) if word in secrets), "")
    if not name:
        return fault
    message = f"the value of the secret `{name}` is not valid here"
    return replace(fault, message=message, hint="try a value that isn't secret to see why")


def _names_read(line: str) -> Iterator[str]:
    for expression in _EXPRESSION.findall(line):
        yield from _WORD.findall(expression)
