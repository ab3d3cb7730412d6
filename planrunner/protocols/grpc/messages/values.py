"""Values of a plan to those of a field: numbers in range, enums by name, bytes from base64.

They are read as protobuf's JSON mapping does. What a plan has written is taken strictly; what
expressions give may be text where a number is wanted, as CSV files have it, or the other way round.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor

from planrunner.language.diagnostics import suggest
from planrunner.language.expressions.expression import EvaluationError, to_text
from planrunner.language.expressions.values import kind_of
from planrunner.protocols.rules import show

__all__ = ["Convert", "UnfitError", "converter", "key_converter", "type_word"]

Convert = Callable[[Any], Any]
"""Returns the value as a field takes it; raises `UnfitError`."""

_F: Final = FieldDescriptor
_WORDS: Final = {
    number: name.removeprefix("TYPE_").lower()
    for name, number in vars(FieldDescriptor).items()
    if name.startswith("TYPE_")
}
_RANGES: Final[Mapping[int, range]] = {
    _F.CPPTYPE_INT32: range(-(2**31), 2**31),
    _F.CPPTYPE_INT64: range(-(2**63), 2**63),
    _F.CPPTYPE_UINT32: range(2**32),
    _F.CPPTYPE_UINT64: range(2**64),
}
_NOT_FINITE: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_MOST_DIGITS: Final = 25
_MOST_FLOAT32: Final = 3.4028234663852886e38


class UnfitError(Exception):
    """A value can't be that of a field; says why, as the end of a sentence, and what to write."""

    def __init__(self, why: str, hint: str = "", *, is_type: bool = True) -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint
        self.is_type = is_type


def type_word(field: Any) -> str:  # noqa: ANN401 - protobuf has no types
    """Return what a field is called in a .proto file, with its article."""
    if field.type in (_F.TYPE_MESSAGE, _F.TYPE_GROUP):
        return f"a `{field.message_type.full_name}`"
    if field.type == _F.TYPE_ENUM:
        return f"a `{field.enum_type.full_name}`"
    word = _WORDS[field.type]
    return f"{'an' if word[0] == 'i' else 'a'} {word}"


def converter(field: Any, *, is_strict: bool) -> Convert:  # noqa: ANN401
    """Return what reads a value of a field, or an item of one that is repeated."""
    if field.cpp_type in _RANGES:
        return _whole(_RANGES[field.cpp_type], type_word(field))
    if field.cpp_type == _F.CPPTYPE_ENUM:
        return _enum(field.enum_type)
    if field.type == _F.TYPE_BYTES:
        return _read_bytes
    if field.type == _F.TYPE_STRING:
        return _read_string if is_strict else _as_string
    if field.type == _F.TYPE_BOOL:
        return _read_bool if is_strict else _as_bool
    return _read_float if field.type == _F.TYPE_FLOAT else _read_double


def key_converter(field: Any) -> Convert:  # noqa: ANN401
    """Return what reads a key of a map, which is text in JSON."""
    return converter(field, is_strict=False)


def _unfit(word: str, value: object, hint: str = "") -> UnfitError:
    return UnfitError(f"is {word}, found {kind_of(value)}", hint)


def _whole(allowed: range, word: str) -> Convert:
    def read(value: Any) -> int:  # noqa: ANN401
        number = value
        if value.__class__ is not int:
            if isinstance(value, str) and len(value) <= _MOST_DIGITS:
                try:
                    number = int(value)
                except ValueError:
                    raise _unfit(word, value) from None
            elif isinstance(value, float) and value.is_integer():
                number = int(value)
            else:
                raise _unfit(word, value)
        if allowed.start <= number < allowed.stop:
            return int(number)
        limits = f"from {allowed.start} to {allowed.stop - 1}"
        raise UnfitError(f"is {word}, {limits}, found {show(number)}", is_type=False)

    return read


def _enum(enum: Any) -> Convert:  # noqa: ANN401
    numbers = {value.name: value.number for value in enum.values}

    def read(value: Any) -> int:  # noqa: ANN401
        number = numbers.get(value) if isinstance(value, str) else value
        if number.__class__ is int and (
            number in numbers.values() or not getattr(enum, "is_closed", False)
        ):
            if number not in _RANGES[_F.CPPTYPE_INT32]:
                raise UnfitError(f"is a `{enum.full_name}`, found {show(number)}", is_type=False)
            return int(number)
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise _unfit(
                f"a `{enum.full_name}`", value, f"write a name such as `{next(iter(numbers))}`"
            )
        hint = suggest(str(value), list(numbers)) or "names: " + _listed(list(numbers))
        raise UnfitError(
            f"is a `{enum.full_name}`, which has no {show(value)}", hint, is_type=False
        )

    return read


def _listed(names: list[str], most: int = 12) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return shown + (" …" if len(names) > most else "")


def _read_bytes(value: Any) -> bytes:  # noqa: ANN401
    if isinstance(value, bytes):
        return value
    hint = "write its base64, such as `aGVsbG8=`; in an expression, `| b64`"
    if not isinstance(value, str):
        raise _unfit("bytes", value, hint)
    text = value.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise UnfitError("is bytes, and the text is not base64", hint, is_type=False) from None


def _read_string(value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, str):
        raise _unfit("a string", value, "write it in quotes")
    return value


def _as_string(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        raise _unfit("a string", value)
    try:
        return to_text(value)
    except EvaluationError as error:
        raise UnfitError(f"is a string: {error.message}") from error


def _read_bool(value: Any) -> bool:  # noqa: ANN401
    if not isinstance(value, bool):
        raise _unfit("a bool", value, "write `true` or `false`")
    return value


def _as_bool(value: Any) -> bool:  # noqa: ANN401
    return _read_bool(
        {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
    )


def _read_double(value: Any, word: str = "a double") -> float:  # noqa: ANN401
    if value.__class__ is float or (isinstance(value, int) and not isinstance(value, bool)):
        try:
            return float(value)
        except OverflowError:
            raise UnfitError(
                f"is {word}, which is too small for the number", is_type=False
            ) from None
    if isinstance(value, str):
        if value in _NOT_FINITE:
            return _NOT_FINITE[value]
        try:
            number = float(value)
        except ValueError:
            raise _unfit(word, value) from None
        if math.isfinite(number):
            return number
    raise _unfit(word, value)


def _read_float(value: Any) -> float:  # noqa: ANN401
    number = _read_double(value, "a float")
    if math.isfinite(number) and abs(number) > _MOST_FLOAT32:
        raise UnfitError(f"is a float, which is too small for {show(value)}", is_type=False)
    return number
