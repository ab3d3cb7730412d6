"""Pauses of a plan in the words of another language."""

from __future__ import annotations

import re
from typing import Final

from planrunner.exporters.scripts.language import CanNotWrite, ScriptLanguage
from planrunner.schedule.pauses import Pause, PauseKind
from planrunner.units import NS_PER_S, parse_duration

__all__ = ["pause_of", "seconds_of"]

_DISTRIBUTION: Final = re.compile(r"(normal|exponential|pareto)\(([^)]*)\)")


def seconds_of(language: ScriptLanguage, pause: Pause) -> str:
    """Return code of how long a pause is, in seconds.

    Raises:
        CanNotWrite: The language has no such distribution.
    """
    first, second = pause.first / NS_PER_S, pause.second / NS_PER_S
    match pause.kind:
        case PauseKind.CONSTANT:
            return f"{first:g}"
        case PauseKind.UNIFORM:
            return language.draws["float"].format(f"{first:g}, {second:g}")
        case PauseKind.PARETO:
            return language.distributed(pause.kind, f"{first:g}, {pause.second:g}")
        case PauseKind.NORMAL:
            return language.distributed(pause.kind, f"{first:g}, {second:g}")
        case _:
            return language.distributed(pause.kind, f"{first:g}")


def pause_of(text: str) -> Pause:
    """Return a pause as a plan writes it.

    Raises:
        CanNotWrite: It is computed.
    """
    if "${" in text:
        raise CanNotWrite("only fixed pauses, ranges and distributions have a translation")
    if found := _DISTRIBUTION.fullmatch(text.strip()):
        first, _, second = found[2].partition(",")
        kind = PauseKind(found[1])
        if kind is PauseKind.PARETO:
            return Pause(kind, parse_duration(first.strip()), float(second or 1))
        return Pause(kind, parse_duration(first.strip()), parse_duration(second.strip() or "0s"))
    low, dots, high = text.partition("..")
    if not dots:
        return Pause(PauseKind.CONSTANT, parse_duration(low))
    return Pause(PauseKind.UNIFORM, parse_duration(low), parse_duration(high))
