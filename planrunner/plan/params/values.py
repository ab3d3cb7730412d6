"""A param's value, from YAML or from text, as its type says; exact, and as expressions see it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

from planrunner.errors import PlanrunnerError
from planrunner.plan.faults.words import in_words, shown
from planrunner.plan.models.params import ParamType
from planrunner.units import (
    NS_PER_S,
    Rate,
    UnitError,
    parse_duration,
    parse_percent,
    parse_rate,
    parse_size,
    seconds_to_ns,
)

__all__ = [
    "BareNumber",
    "ParamValueError",
    "as_expressions_see",
    "from_text",
    "from_yaml",
    "order_of",
]


class BareNumber(str):
    """A number from a Python program, as a text: it means seconds, or so many per second."""

    __slots__ = ()


class ParamValueError(PlanrunnerError):
    """A value that its param's type doesn't take."""


def from_yaml(kind: ParamType, value: object) -> Any:  # noqa: ANN401 - as the type says
    """Return what the plan says, exactly: a duration in ns, a rate as `Rate`.

    Raises:
        ParamValueError: It isn't of the type.
    """
    if isinstance(value, str) and kind in _TEXT_READERS:
        return _read(kind, value)
    if kind == "size" and type(value) is int and value >= 0:
        return value
    if kind == "duration" and type(value) is int and value == 0:
        return 0
    accepted = _YAML_TYPES.get(kind, ())
    if type(value) in accepted and not (isinstance(value, float) and not math.isfinite(value)):
        return float(value) if kind == "float" else value  # type: ignore[arg-type]  # int or float
    raise ParamValueError(f"must be {_NAMES[kind]}, got {in_words(value)}", hint=_hint(kind, value))


def _hint(kind: ParamType, value: object) -> str:
    if kind in _PLAIN and isinstance(value, str):
        with suppress(ParamValueError):
            from_text(kind, value)
            return "remove the quotes"
    return _HINTS[kind]


def from_text(kind: ParamType, text: str) -> Any:  # noqa: ANN401
    """Return what the command line, an environment variable or a Python program says.

    Raises:
        ParamValueError: It isn't of the type.
    """
    return _read(kind, text) if kind in _TEXT_READERS else _TEXT_ONLY[kind](text)


def as_expressions_see(value: object, kind: ParamType) -> object:
    """Return the value in seconds, bytes, per second; whole numbers stay whole."""
    if value is None:
        return None
    if kind == "duration" and isinstance(value, int):
        return value // NS_PER_S if value % NS_PER_S == 0 else value / NS_PER_S
    if isinstance(value, Rate):
        exact, rest = divmod(value.count * NS_PER_S, value.per_ns)
        return value.per_second if rest else exact
    return value


def order_of(value: object) -> float:
    """Return a number that orders values of one type."""
    return value.per_second if isinstance(value, Rate) else float(value)  # type: ignore[arg-type]  # only ordered types have limits


def _read(kind: ParamType, text: str) -> object:
    bare = _BARE_READERS.get(kind) if isinstance(text, BareNumber) else None
    try:
        return (bare or _TEXT_READERS[kind])(text)
    except UnitError as error:
        raise ParamValueError(error.message, hint=error.hint) from error


def _read_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        complete = bool(parts.scheme and parts.hostname) and (parts.port or 0) >= 0
    except ValueError:
        complete = False
    if not complete or re.search(r"\s", text):
        hint = "" if "://" in text else f"write {shown('http://' + text)}"
        raise ParamValueError(f"must be a URL, got {in_words(text)}", hint=hint)
    return text


def _read_int(text: str) -> int:
    if not re.fullmatch(r"[-+]?[0-9]{1,100}", text):
        raise ParamValueError(f"must be a whole number, got {in_words(text)}")
    return int(text)


def _read_float(text: str) -> float:
    if not re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        raise ParamValueError(f"must be a number, got {in_words(text)}")
    number = float(text)
    if not math.isfinite(number):
        raise ParamValueError("must be a finite number")
    return number


_BOOLEANS: Final = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


def _read_bool(text: str) -> bool:
    value = _BOOLEANS.get(text.lower())
    if value is None:
        raise ParamValueError(f"must be `true` or `false`, got {in_words(text)}")
    return value


def _read_list(text: str) -> list[object]:
    if not text.lstrip().startswith("["):
        return [item.strip() for item in text.split(",")] if text.strip() else []
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as error:
        message = f"must be a JSON list, got {in_words(text)}"
        raise ParamValueError(message, hint='write `a,b` or `["a","b"]`') from error
    return list(items)


_TEXT_READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "str": str,
    "url": _read_url,
    "duration": parse_duration,
    "size": parse_size,
    "rate": parse_rate,
    "percent": parse_percent,
}
_BARE_READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "duration": lambda text: seconds_to_ns(float(text)),
    "rate": lambda text: parse_rate(f"{Decimal(text):f}/s"),
}
_TEXT_ONLY: Final[Mapping[str, Callable[[str], object]]] = {
    "int": _read_int,
    "float": _read_float,
    "bool": _read_bool,
    "list": _read_list,
}
_YAML_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "list": (list,),
}
_NAMES: Final[Mapping[str, str]] = {
    "int": "a whole number",
    "float": "a number",
    "bool": "`true` or `false`",
    "str": "text",
    "url": "a URL",
    "duration": "a duration",
    "size": "a size",
    "rate": "a rate",
    "percent": "a percentage",
    "list": "a list",
}
_PLAIN: Final[Mapping[str, str]] = {"int": "10", "float": "0.5", "bool": "true"}
_HINTS: Final[Mapping[str, str]] = {
    **{kind: f"write a value such as `{example}`" for kind, example in _PLAIN.items()},
    "str": "quote it",
    "url": "write `http://host:port`",
    "duration": "write it with its unit: `30s`",
    "size": "write `1KB`, or a number of bytes",
    "rate": "write it with its unit: `100/s`",
    "percent": "write it with `%`: `5%`",
    "list": "write `[a, b]`",
}
