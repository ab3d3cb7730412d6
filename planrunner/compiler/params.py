"""Params as a plan would write their values: what people are shown, and what thresholds read."""

from __future__ import annotations

from planrunner.language.expressions import to_text
from planrunner.plan.resolve_params import Param
from planrunner.units import Rate, write_duration, write_rate

__all__ = ["shown_param", "written_param"]


def shown_param(param: Param) -> str:
    """Return a param's value as a plan writes it; a secret as people may see it."""
    return "***" if param.secret and param.value is not None else written_param(param)


def written_param(param: Param) -> str:
    """Return a param's value as a plan writes it, with its unit."""
    match param.type, param.exact:
        case "duration", int(ns):
            return write_duration(ns)
        case "percent", int() | float() as fraction:
            return f"{fraction * 100:.12g}%"
        case _, Rate() as rate:
            return write_rate(rate)
        case _:
            return to_text(param.value)
