"""Values that are the name of a param: what is missing is `${}`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Final

from planrunner.language.diagnostics import Code, Diagnostic
from planrunner.late_pattern import late_pattern

__all__ = ["with_missing_braces"]

_CODES: Final = frozenset(
    {Code.INVALID_UNIT, Code.INVALID_VALUE, Code.WRONG_TYPE, Code.THRESHOLD_SYNTAX}
)
_NAME: Final = late_pattern(
    r"""(?P<quote>["']?)(?:\$?\{?\s*(?P<name>[A-Za-z_]\w*)\s*\}?|\$\((?P<shell>\w+)\))(?P=quote)"""
)


def with_missing_braces(
    faults: Iterable[Diagnostic], params: Collection[str]
) -> Iterator[Diagnostic]:
    """Yield findings; about a text that is the name of a param, the hint says how to read it."""
    for fault in faults:
        name = _named(fault) if fault.code in _CODES else ""
        if name in params:
            read = f"${{{name}}}"
            shown = read if fault.code is Code.THRESHOLD_SYNTAX else f'"{read}"'
            yield replace(fault, hint=f"write `{shown}`")
        else:
            yield fault


def _named(fault: Diagnostic) -> str:
    """Return the name that the characters at fault are: `hold`, `$hold`, `{hold}`, `$(hold)`."""
    span = fault.span
    is_key = fault.source[span.end_column - 1 :].lstrip()[:1] == ":"
    if span.line != span.end_line or is_key:
        return ""
    found = _NAME.fullmatch(fault.source[span.column - 1 : span.end_column - 1])
    return (found["name"] or found["shell"]) if found else ""
