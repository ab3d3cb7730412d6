"""What a filter would build or search, judged from its arguments before it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from planrunner.language.expressions.values import EvaluationError, check_size, deep_size

__all__ = ["GUARDS"]

_MAX_SLOW_TEXT: Final = 10_000
"""For filters that take quadratic time on hostile text."""

_MAX_TRIMMED: Final = 100
_MAX_PRECISION: Final = 100


def _guard_width(value: str, width: int = 80) -> None:
    check_size(max(len(value), width))


def _guard_indent(s: str, width: int | str = 4, *_: object, **__: object) -> None:
    indent = len(width) if isinstance(width, str) else width
    check_size(len(s) + (s.count("\n") + 1) * indent)


def _guard_wordwrap(
    s: str,
    width: int = 79,
    break_long_words: bool = True,  # noqa: FBT001, FBT002 - Jinja2's signature
    wrapstring: str | None = None,
    *_: object,
    **__: object,
) -> None:
    _guard_slow(s)
    check_size(len(s) * (len(wrapstring or "") + 1))


def _guard_slow(value: object, *_: object, **__: object) -> None:
    if deep_size(value, _MAX_SLOW_TEXT) > _MAX_SLOW_TEXT:
        raise EvaluationError(f"this filter takes at most {_MAX_SLOW_TEXT:,} characters")


def _guard_count(value: object, count: int, *_: object, **__: object) -> None:
    check_size(count * 8)


def _guard_round(value: object, precision: int = 0, *_: object, **__: object) -> None:
    if abs(precision) > _MAX_PRECISION:
        raise EvaluationError(f"the precision is at most {_MAX_PRECISION}")


def _guard_tojson(value: object, indent: object = None) -> None:
    # Jinja2 takes a text as well, and so would `*`: 25,000 times a long one is gigabytes.
    if indent is not None and not isinstance(indent, int):
        raise EvaluationError("the indent of `tojson` is a whole number")
    check_size(deep_size(value) * 6 + deep_size(value) // 8 * (indent or 0))


def _guard_trim(value: str, chars: object = None) -> None:
    # Each character of the value is looked for in all of `chars`.
    if isinstance(chars, str) and len(chars) > _MAX_TRIMMED:
        raise EvaluationError(f"`trim` takes at most {_MAX_TRIMMED} different characters")


def _guard_work(value: object, *_: object, **__: object) -> None:
    """Bound the whole input of filters that run another filter or test on each item."""
    if not isinstance(value, str):
        check_size(deep_size(value))


GUARDS: Final[Mapping[str, Callable[..., None]]] = {
    "batch": _guard_count,
    "center": _guard_width,
    "indent": _guard_indent,
    "map": _guard_work,
    "pprint": _guard_slow,
    "reject": _guard_work,
    "rejectattr": _guard_work,
    "round": _guard_round,
    "select": _guard_work,
    "selectattr": _guard_work,
    "slice": _guard_count,
    "striptags": _guard_slow,
    "title": _guard_slow,
    "tojson": _guard_tojson,
    "trim": _guard_trim,
    "urlize": _guard_slow,
    "wordwrap": _guard_wordwrap,
    "xmlattr": _guard_slow,
}
