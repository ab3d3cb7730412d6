"""Params as a plan would write their values: what people are shown, and what thresholds read."""

from __future__ import annotations

from collections.abc import Iterable

from planrunner.language.expressions.expression import to_text
from planrunner.plan.params.resolve import Param
from planrunner.units import Rate, write_duration, write_rate

__all__ = ["secrets_of", "shown_param", "written_param"]


def shown_param(param: Param) -> str:
    """Return a param's value as a plan writes it; a secret as people may see it."""
    return "***" if param.secret and param.value is not None else written_param(param)


def secrets_of(params: Iterable[Param]) -> tuple[str, ...]:
    """Return what must never be shown: each secret as a text, the items of a list one by one."""
    found: list[str] = []
    for param in params:
        if param.secret and param.value is not None and not isinstance(param.value, bool):
            found += [written_param(param), to_text(param.value)]
            if isinstance(param.value, list | tuple):
                found += map(to_text, param.value)
    return tuple(dict.fromkeys(filter(None, found)))


def written_param(param: Param) -> str:
    """Return a param's value as a plan writes it, with its unit."""
    match param.type, param.exact:
        case "duration", int(ns):
            return write_duration(ns)
        case "percent", int() | float() as fraction:
            return f"{fraction * 100:.12g}%"
        case "size", int(size):
            return f"{size}B"
        case _, Rate() as rate:
            return write_rate(rate)
        case _:
            return to_text(param.value)
