"""Durations, rates, sizes and percentages: text in a plan to exact numbers, and back to text.

Inside, a duration is whole nanoseconds, a size whole bytes, a rate a count per nanoseconds. Floats
appear only where a report prints them, so no limit ever moves by a rounding error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Final, TypeVar

from planrunner.errors import PlanrunnerError
from planrunner.late_pattern import late_pattern
from planrunner.values import dataclass

__all__ = [
    "MAX_DURATION_NS",
    "NS_PER_HOUR",
    "NS_PER_MINUTE",
    "NS_PER_MS",
    "NS_PER_S",
    "NS_PER_US",
    "Rate",
    "UnitError",
    "format_count",
    "format_duration",
    "format_percent",
    "format_rate",
    "format_size",
    "parse_duration",
    "parse_percent",
    "parse_rate",
    "parse_size",
    "seconds_to_ns",
    "write_duration",
    "write_milliseconds",
    "write_rate",
]

NS_PER_US: Final = 1_000
NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000
NS_PER_MINUTE: Final = 60 * NS_PER_S
NS_PER_HOUR: Final = 3_600 * NS_PER_S

MAX_DURATION_NS: Final = 10 * 365 * 24 * NS_PER_HOUR
"""Ten years: longer than any test, short enough that sums stay far below 64 bits."""

_MAX_SIZE: Final = 10**18
_MAX_PERCENT: Final = 1_000_000

# Longest first: `write_duration` takes as much as it can of each.
_DURATIONS: Final[Mapping[str, int]] = {
    "h": NS_PER_HOUR,
    "m": NS_PER_MINUTE,
    "s": NS_PER_S,
    "ms": NS_PER_MS,
    "us": NS_PER_US,
    "ns": 1,
}
_SIZES: Final[Mapping[str, int]] = {
    "B": 1,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "TB": 1000**4,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
    "TiB": 1024**4,
}

# Words people write for a unit, for the hint only.
_DURATION_WORDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(["hour", "hours", "hr", "hrs"], "h"),
    **dict.fromkeys(["minute", "minutes", "min", "mins"], "m"),
    **dict.fromkeys(["second", "seconds", "sec", "secs"], "s"),
    **dict.fromkeys(["millisecond", "milliseconds", "msec", "millis"], "ms"),
    **dict.fromkeys(["microsecond", "microseconds", "usec", "\u00b5s", "\u03bcs"], "us"),
}
_SIZE_WORDS: Final[Mapping[str, str]] = {
    **{unit.lower(): unit for unit in _SIZES},
    **{unit[0].lower(): unit for unit in ("KB", "MB", "GB", "TB")},
    **{unit[:2].lower(): unit for unit in ("KiB", "MiB", "GiB", "TiB")},
    **dict.fromkeys(["byte", "bytes"], "B"),
}

_NUMBER: Final = r"[0-9]+(?:\.[0-9]+)?"
_PART: Final = late_pattern(rf"({_NUMBER})([a-z]+)")
_DURATION: Final = late_pattern(rf"(?:{_NUMBER}[a-z]+)+")
_RATE: Final = late_pattern(rf"({_NUMBER})/([a-z]+)")
_SIZE: Final = late_pattern(rf"({_NUMBER})([A-Za-z]*)")
_PERCENT: Final = late_pattern(rf"({_NUMBER})%")
_LOOSE: Final = late_pattern(rf"\s*({_NUMBER})\s*([^\W\d_]+)")

# Nobody writes longer ones, and converting digits takes quadratic time.
_MAX_TEXT: Final = 40


class UnitError(PlanrunnerError):
    """Text that is no duration, rate, size or percentage, or a value out of range."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` in every `per_ns` nanoseconds, in lowest terms, so equal rates compare equal."""

    count: int
    per_ns: int

    def __post_init__(self) -> None:
        lowest = Fraction(self.count, self.per_ns)
        object.__setattr__(self, "count", lowest.numerator)
        object.__setattr__(self, "per_ns", lowest.denominator)

    @property
    def per_second(self) -> float:
        """The rate for people and for expressions; schedules use the exact pair."""
        return self.count * NS_PER_S / self.per_ns


@lru_cache(maxsize=256)  # a long plan writes the same few again and again
def parse_duration(text: str) -> int:
    """Return nanoseconds: `250ms`, `30s`, `1h30m`, `1.5s`, `0`."""
    if text == "0":
        return 0
    if len(text) > _MAX_TEXT or not _DURATION.fullmatch(text):
        raise _not_a("duration", text, _duration_hint(text))
    total = Fraction(0)
    before = None
    for number, unit in _PART.findall(text):
        size = _DURATIONS.get(unit)
        if size is None:
            raise _not_a("duration", text, _duration_hint(text))
        if before is not None and size >= before:
            raise _not_a("duration", text, "write each unit once, the largest first: `1h30m`")
        total += Fraction(number) * size
        before = size
    return _whole_ns(total, text)


def seconds_to_ns(seconds: float | Fraction) -> int:
    """Return a number of seconds, as expressions have them, as nanoseconds.

    A float stands for the decimal it is written as: 0.1 is 100,000,000 ns exactly. What is finer
    than a nanosecond is rounded, since a computed value (`hold / 3`) need not be whole.
    """
    shown = str(seconds)
    try:
        total = seconds if isinstance(seconds, Fraction) else Fraction(shown)
    except ValueError:
        raise UnitError(f"`{shown}` is not a number of seconds") from None
    if total < 0:
        raise UnitError(f"`{_short(shown)}` is negative", hint="a duration is zero or more")
    return _whole_ns(Fraction(round(total * NS_PER_S)), f"{shown}s")


def parse_rate(text: str) -> Rate:
    """Return the rate: `200/s`, `30/m`, `0.5/s`, `100/h`."""
    found = _RATE.fullmatch(text) if len(text) <= _MAX_TEXT else None
    if found is None or found[2] not in _DURATIONS:
        raise _not_a("rate", text, _rate_hint(text))
    exact = Fraction(found[1]) / _DURATIONS[found[2]]
    if exact > 1:
        raise UnitError(f"`{text}` is too fast", hint="write at most `1000000000/s`")
    return Rate(exact.numerator, exact.denominator)


def parse_size(text: str) -> int:
    """Return bytes: `1KB` is 1000, `1KiB` is 1024, a plain integer is bytes."""
    found = _SIZE.fullmatch(text) if len(text) <= _MAX_TEXT else None
    if found is None or (found[2] not in _SIZES and found[2]):
        raise _not_a("size", text, _size_hint(text))
    exact = Fraction(found[1]) * _SIZES[found[2] or "B"]
    if exact.denominator != 1:
        raise UnitError(f"`{text}` is not a whole number of bytes", hint="use a smaller unit")
    if exact > _MAX_SIZE:
        raise UnitError(f"`{text}` is too large", hint="write at most `1000000TB`")
    return exact.numerator


def parse_percent(text: str) -> float:
    """Return the fraction: `1%` is 0.01."""
    found = _PERCENT.fullmatch(text) if len(text) <= _MAX_TEXT else None
    if found is None:
        raise _not_a("percentage", text, _percent_hint(text))
    exact = Fraction(found[1])
    if exact > _MAX_PERCENT:
        raise UnitError(f"`{text}` is too large", hint=f"write at most `{_MAX_PERCENT}%`")
    return float(exact / 100)


def write_duration(ns: int) -> str:
    """Return the shortest plan text for a duration; `parse_duration` gives `ns` back."""
    parts = []
    rest = ns
    for unit, size in _DURATIONS.items():
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def write_milliseconds(ns: int) -> str:
    """Return plan text for a duration that may follow from others; 1 s or more is rounded to ms."""
    return write_duration(ns if ns < NS_PER_S else round(ns / NS_PER_MS) * NS_PER_MS)


def write_rate(rate: Rate) -> str:
    """Return plan text for a rate; exact when it is a decimal per second, minute or hour."""
    for unit in ("s", "m", "h"):
        count = Fraction(rate.count * _DURATIONS[unit], rate.per_ns)
        if count.denominator == 1:
            return f"{count.numerator}/{unit}"
    return f"{rate.per_second:.15g}/s"


def format_duration(ns: float) -> str:
    """Return a duration with three digits for people: `350 ms`, `1.2 s`, `2 m 5 s`."""
    if ns < 0:
        return f"-{format_duration(-ns)}"
    if ns >= NS_PER_MINUTE - NS_PER_S // 20:
        return _format_minutes(round(ns / NS_PER_S))
    for unit, size in (("ns", 1), ("us", NS_PER_US), ("ms", NS_PER_MS)):
        if ns / size < 999.5:
            return f"{_three_digits(ns / size)} {unit}"
    return f"{_three_digits(ns / NS_PER_S)} s"


def format_rate(rate: Rate | float) -> str:
    """Return a rate, or a number per second, for people: `12.3/s`, `4,210/s`."""
    per_second = rate.per_second if isinstance(rate, Rate) else rate
    return f"{per_second:,.0f}/s" if per_second >= 999.5 else f"{_three_digits(per_second)}/s"


def format_count(count: int, thing: str) -> str:
    """Return a number of things for people: `1 user`, `1,200 users`."""
    return f"{count:,} {thing}{'s' if count != 1 else ''}"


T = TypeVar("T")

_MANY: Final = 200
_FEW: Final = 20


def split_few(items: Sequence[T]) -> tuple[Sequence[T], str]:
    """Return what people read of a list, and words for the rest; empty when that is all of it.

    Up to 200 things are worth reading. Of more the first 20 show what they are like.
    """
    if len(items) <= _MANY:
        return items, ""
    return items[:_FEW], f"… {len(items) - _FEW:,} more"


def few(lines: Iterable[str], indent: str = "") -> list[str]:
    """Return lines as `split_few` does, with the words for the rest as the last one."""
    shown, more = split_few(list(lines))
    return [*shown, f"{indent}{more}"] if more else [*shown]


def format_size(count: float) -> str:
    """Return a number of bytes for people, in powers of 1000: `512 B`, `1.0 MB`."""
    if count < 999.5:
        return f"{count:.0f} B"
    for unit in ("KB", "MB", "GB"):
        if count / _SIZES[unit] < 999.95:
            return f"{count / _SIZES[unit]:.1f} {unit}"
    return f"{count / _SIZES['TB']:,.1f} TB"


def format_percent(fraction: float) -> str:
    """Return a fraction for people: 0.0017 is `0.17 %`."""
    percent = fraction * 100
    decimals = 2 if abs(percent) >= 0.01 or percent == 0 else 4
    shown = f"{percent:.{decimals}f}".rstrip("0").rstrip(".")
    return f"{shown if shown != '-0' else '0'} %"


def _whole_ns(total: Fraction, text: str) -> int:
    if total > MAX_DURATION_NS:
        raise UnitError(f"`{_short(text)}` is too long", hint="write at most ten years: `87600h`")
    if total.denominator != 1:
        raise UnitError(
            f"`{_short(text)}` is not a whole number of nanoseconds", hint="write fewer decimals"
        )
    return total.numerator


def _not_a(kind: str, text: str, hint: str) -> UnitError:
    return UnitError(f"`{_short(text)}` is not a {kind}", hint=hint)


def _short(text: str) -> str:
    shown = "".join(c if c.isprintable() else " " for c in text[:_MAX_TEXT])
    return shown if len(text) <= _MAX_TEXT else f"{shown}..."


def _meant(text: str, units: Mapping[str, int], words: Mapping[str, str]) -> str:
    """Return what `text` says in proper units, or an empty string when that is unclear."""
    if len(text) > _MAX_TEXT or not re.fullmatch(rf"(?:{_LOOSE.pattern})+\s*", text):
        return ""
    parts = []
    for number, word in _LOOSE.findall(text):
        lower = word.lower()
        unit = word if word in units else words.get(lower, lower)
        if unit not in units:
            return ""
        parts.append(f"{number}{unit}")
    return "".join(parts)


def _duration_hint(text: str) -> str:
    if text.startswith("-"):
        return "a duration is zero or more, such as `30s`"
    if len(text) <= _MAX_TEXT and re.fullmatch(_NUMBER, text):
        return f"add a unit: `{text}s` or `{text}ms`"
    meant = _meant(text, _DURATIONS, _DURATION_WORDS)
    return f"write `{meant}`" if meant else "write a duration such as `250ms`, `30s` or `1h30m`"


def _rate_hint(text: str) -> str:
    if text.startswith("-"):
        return "a rate is zero or more, such as `100/s`"
    if len(text) <= _MAX_TEXT:
        if re.fullmatch(_NUMBER, text):
            return f"add a unit: `{text}/s` or `{text}/m`"
        text = re.sub(r"\s*\bper\b\s*|(?<=[0-9])\s*[rq]p(?=[smh]$)", "/", text)
        count, _, per = text.partition("/")
        unit = _meant(f"1{per.strip()}", _DURATIONS, _DURATION_WORDS).removeprefix("1")
        if unit and re.fullmatch(_NUMBER, count.strip()):
            return f"write `{count.strip()}/{unit}`"
    return "write a rate such as `100/s` or `30/m`"


def _size_hint(text: str) -> str:
    if text.startswith("-"):
        return "a size is zero or more, such as `1KB`"
    meant = _meant(text, _SIZES, _SIZE_WORDS)
    return f"write `{meant}`" if meant else "write a size such as `500B`, `1KB` or `2MiB`"


def _percent_hint(text: str) -> str:
    if len(text) <= _MAX_TEXT:
        found = re.fullmatch(rf"\s*({_NUMBER})\s*%?\s*", text)
        if found:
            return f"write `{found[1]}%`"
    return "write a percentage such as `1%` or `0.5%`"


def _three_digits(value: float) -> str:
    """Return about three significant digits without trailing zeros; never an exponent."""
    if abs(value) >= 999.5:
        return f"{value:,.0f}" if abs(value) >= 9999.5 else f"{value:.0f}"
    decimals = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
    shown = f"{value:.{decimals}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def _format_minutes(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [(hours, "h"), (minutes, "m"), (rest, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count)
