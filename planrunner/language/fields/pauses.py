"""Think times and waits as a plan writes them: a duration, a range or a distribution."""

from __future__ import annotations

from typing import Final

from planrunner.language.diagnostics import suggest
from planrunner.late_pattern import late_pattern
from planrunner.units import UnitError, parse_duration
from planrunner.values import dataclass

__all__ = ["PAUSE_PATTERN", "PauseValue", "parse_pause"]


@dataclass(frozen=True, slots=True)
class PauseValue:
    """A pause: `kind` is constant, uniform, normal, exponential or pareto.

    Attributes:
        first: ns: the constant, the minimum (uniform), the mean (normal, exponential) or the
            scale, which is the minimum (pareto).
        second: ns: the maximum (uniform), the standard deviation (normal); the shape (pareto).
    """

    kind: str
    first: int
    second: float = 0


_ARGUMENTS: Final = {
    "normal": ("mean", "standard deviation"),
    "exponential": ("mean",),
    "pareto": ("minimum", "shape"),
}
_EXAMPLES: Final = {
    "normal": "normal(2s, 500ms)",
    "exponential": "exponential(1s)",
    "pareto": "pareto(1s, 1.5)",
}
_CALL: Final = late_pattern(r"([A-Za-z_]\w*)\s*\(([^()]*)\)")
_SHAPE: Final = late_pattern(r"[0-9]{1,3}(?:\.[0-9]{1,6})?")

_DURATION: Final = r"(0|([0-9]+(\.[0-9]+)?(h|ms|m|us|s|ns))+)"
PAUSE_PATTERN: Final = (
    rf"{_DURATION}(\s*\.\.\s*{_DURATION})?"
    rf"|(normal|exponential|pareto)\(\s*{_DURATION}(\s*,\s*[0-9a-z.]+)?\s*\)"
)
"""What an editor accepts; `parse_pause` is stricter."""


def parse_pause(text: str) -> PauseValue:
    """Parse `1s`, `1s..3s`, `normal(2s, 500ms)`, `exponential(1s)` or `pareto(1s, 1.5)`."""
    if call := _CALL.fullmatch(text.strip()):
        return _distribution(call[1], [part.strip() for part in call[2].split(",")])
    low, separator, high = text.partition("..")
    if not separator:
        return PauseValue("constant", _duration(text, text))
    first, second = _duration(low.strip(), text), _duration(high.strip(), text)
    if first > second:
        raise UnitError(f"`{text}` ends before it starts", hint=f"write `{high}..{low}`")
    return PauseValue("uniform", first, second)


def _duration(part: str, text: str) -> int:
    try:
        return parse_duration(part)
    except UnitError as error:
        if part == text and "unit" not in error.hint and not error.hint.startswith("write `"):
            hint = "write `1s`, `1s..3s` or `normal(2s, 500ms)`"
            raise UnitError(error.message, hint=hint) from None
        raise


def _of_locust(name: str, arguments: list[str]) -> str:
    """Return what `between(1, 5)` and the like are here; their numbers are seconds."""
    numbers = [f"{number}s" for number in arguments if number.replace(".", "", 1).isdecimal()]
    match name, numbers:
        case "between" | "uniform" | "random", [least, most]:
            return f"write `{least}..{most}`"
        case "constant" | "fixed", [time]:
            return f"write `{time}`"
        case "constant_pacing", [time]:
            return f"write `pace: {time}` in place of `wait`"
        case "constant_throughput", [_]:
            return "write `pace: 500ms` in place of `wait`, for two iterations a second"
        case _:
            return ""


def _distribution(name: str, arguments: list[str]) -> PauseValue:
    if name not in _ARGUMENTS:
        hint = (
            _of_locust(name, arguments)
            or suggest(name, list(_ARGUMENTS))
            or ("write a range as `1s..3s`; there are also normal, exponential and pareto")
        )
        raise UnitError(f"there is no distribution `{name}`", hint=hint)
    wanted = _ARGUMENTS[name]
    if len(arguments) != len(wanted):
        raise UnitError(f"`{name}` takes {' and '.join(wanted)}", hint=f"write `{_EXAMPLES[name]}`")
    first = parse_duration(arguments[0])
    if name == "exponential":
        return PauseValue(name, first)
    if name == "normal":
        return PauseValue(name, first, parse_duration(arguments[1]))
    shape = float(arguments[1]) if _SHAPE.fullmatch(arguments[1]) else 0.0
    if shape <= 0:
        raise UnitError(
            f"`{arguments[1]}` is not a shape", hint="write a number above 0: `pareto(1s, 1.5)`"
        )
    return PauseValue(name, first, shape)
