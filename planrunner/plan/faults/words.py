"""Pydantic's error types in the words of a plan author."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from planrunner.language.diagnostics import Code, suggest
from planrunner.language.expressions.values import kind_of
from planrunner.late_pattern import late_pattern
from planrunner.units import format_count
from planrunner.values import dataclass

__all__ = ["EXPECTED", "Words", "describe_fault", "example_hint", "in_words", "name_of", "shown"]


@dataclass(frozen=True, slots=True)
class Words:
    """What a diagnostic says."""

    code: Code
    message: str
    hint: str = ""


EXPECTED: Final[Mapping[str, str]] = {
    **dict.fromkeys(("string_type", "string_sub_type"), "text"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    "finite_number": "a finite number",
    **dict.fromkeys(("bool_type", "bool_parsing"), "`true` or `false`"),
    **dict.fromkeys(
        ("dict_type", "mapping_type", "model_type", "model_attributes_type", "dataclass_type"),
        "a mapping",
    ),
    **dict.fromkeys(("list_type", "tuple_type", "iterable_type", "set_type"), "a list"),
    "none_required": "nothing",
}

_CONTROL = late_pattern(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
_WORDS: Final = {"None": "null", "True": "true", "False": "false"}
_SHOWN_CHARACTERS: Final = 60


def shown(value: object) -> str:
    """Return a value between backticks, short and fit for a terminal."""
    text = str(value)
    if not isinstance(value, str):
        text = _WORDS.get(text, text)
    text = _CONTROL.sub("\ufffd", text)
    if len(text) > _SHOWN_CHARACTERS:
        text = text[: _SHOWN_CHARACTERS - 1] + "…"
    return f"`{text}`"


def in_words(value: object) -> str:
    """Return what a value of a plan is, as in "got a list"; simple ones are shown."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return shown(value)
    if isinstance(value, int | float):
        return f"the number {shown(value)}"
    if isinstance(value, str):
        return f"the text {shown(value)}" if value else "empty text"
    return kind_of(value)


def name_of(location: Sequence[str | int]) -> str:
    """Return how to call the value at `location`: its key, or its number in a list."""
    if not location:
        return "the plan"
    last = location[-1]
    if isinstance(last, str):
        return shown(last)
    key = next((part for part in reversed(location) if isinstance(part, str)), "")
    return f"item {last + 1} of {shown(key)}" if key else f"item {last + 1}"


def describe_fault(name: str, fault: Mapping[str, Any]) -> Words:
    """Return what to say about pydantic's `fault` of the value called `name`."""
    kind, context = fault["type"], fault.get("ctx") or {}
    if kind in EXPECTED:
        expected = context.get("wanted") or EXPECTED[kind]
        message = f"{name} must be {expected}, got {in_words(fault['input'])}"
        hint = _type_hint(expected, fault["input"]) or example_hint(context)
        return Words(Code.WRONG_TYPE, message, hint)
    describe = _DESCRIPTIONS.get(kind)
    if describe is not None:
        return describe(name, fault["input"], context)
    message = str(context["error"]) if "error" in context else fault["msg"]
    return Words(Code.INVALID_VALUE, f"{name}: {message[:1].lower()}{message[1:]}")


def example_hint(context: Mapping[str, Any]) -> str:
    example = context.get("example")
    return f"write it like `{example}`" if example else ""


def _type_hint(expected: str, value: object) -> str:
    """Return what to write, where the usual slips show what was meant."""
    if isinstance(value, str):
        return _text_hint(expected, value)
    if expected == "text" and isinstance(value, bool | int | float):
        return f'quote it: `"{shown(value)[1:-1]}"`'
    if expected == "a list" and isinstance(value, int | float) and not isinstance(value, bool):
        return f"write a list of one: `[{value}]`"
    if expected == "a mapping" and isinstance(value, list):
        return "write `key: value` without `- `"
    return ""


_YES_NO: Final = {
    **dict.fromkeys(("yes", "on", "y"), "true"),
    **dict.fromkeys(("no", "off", "n"), "false"),
}
_SEPARATORS: Final = late_pattern(r"[,;]")
_NUMBER = late_pattern(r"[-+]?[0-9][0-9_]*(?:\.[0-9_]+)?")


def _text_hint(expected: str, value: str) -> str:
    if expected.endswith("number") and _NUMBER.fullmatch(value):
        return f"write `{value.replace('_', '')}` without quotes or `_`"
    if expected == "`true` or `false`" and value.lower() in _YES_NO:
        return f"write `{_YES_NO[value.lower()]}`"
    if expected == "a list" and value:
        parts = [part.strip() for part in _SEPARATORS.split(shown(value)[1:-1])]
        kind = "a list" if len(parts) > 1 and all(parts) else "a list of one"
        return f"write {kind}: `[{', '.join(filter(None, parts))}]`"
    return ""


_Describe = Callable[[str, Any, Mapping[str, Any]], Words]


def _bound(words: str, key: str) -> _Describe:
    def describe(name: str, value: object, context: Mapping[str, Any]) -> Words:
        limit = shown(context[key])
        return Words(Code.INVALID_VALUE, f"{name} must be {words} {limit}, got {shown(value)}")

    return describe


def _missing(name: str, _value: object, _context: Mapping[str, Any]) -> Words:
    return Words(Code.MISSING_KEY, f"{name} is missing", f"add {name[:-1]}:`")


def _unknown(name: str, _value: object, _context: Mapping[str, Any]) -> Words:
    return Words(Code.UNKNOWN_KEY, f"unknown key {name}")


def _length(name: str, value: object, context: Mapping[str, Any]) -> Words:
    if not value:
        return Words(Code.INVALID_VALUE, f"{name} must not be empty")
    thing = "character" if isinstance(value, str) else "item"
    bound, word = (
        ("min_length", "at least") if "min_length" in context else ("max_length", "at most")
    )
    limit = f"{word} {format_count(context[bound], thing)}"
    return Words(Code.INVALID_VALUE, f"{name} must have {limit}, got {len(value)}")  # type: ignore[arg-type]  # only what has a length gets here


def _pattern(name: str, value: object, _context: Mapping[str, Any]) -> Words:
    return Words(Code.INVALID_VALUE, f"{shown(value)} is not a valid value of {name}")


def _choice(name: str, value: object, context: Mapping[str, Any]) -> Words:
    choices = re.findall(r"'([^']*)'|(\b[0-9]+\b)", str(context.get("expected", "")))
    known = [text or number for text, number in choices]
    listed = ", ".join(f"`{word}`" for word in known)
    wanted = f"one of {listed}" if len(known) > 1 else listed
    got = shown(value) if isinstance(value, str) else in_words(value)
    hint = _nearest_choice(value, known) if isinstance(value, str) else ""
    if not hint and len(known) == 1:  # the other form of the value is what was meant
        hint = example_hint(context)
    return Words(Code.INVALID_VALUE, f"{name} must be {wanted}, got {got}", hint)


def _nearest_choice(word: str, known: Sequence[str]) -> str:
    part = next((choice for choice in known if word.lower() in re.split("[-._]", choice)), "")
    return f"did you mean `{part}`?" if part else suggest(word, known)


def _arm(name: str, value: object, _context: Mapping[str, Any]) -> Words:
    return Words(Code.WRONG_TYPE, f"{name} can't be {in_words(value)}")


_DESCRIPTIONS: Final[Mapping[str, _Describe]] = {
    "missing": _missing,
    "extra_forbidden": _unknown,
    "greater_than": _bound("more than", "gt"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than": _bound("less than", "lt"),
    "less_than_equal": _bound("at most", "le"),
    "multiple_of": _bound("a multiple of", "multiple_of"),
    **dict.fromkeys(("too_short", "too_long", "string_too_short", "string_too_long"), _length),
    "string_pattern_mismatch": _pattern,
    **dict.fromkeys(("literal_error", "enum"), _choice),
    **dict.fromkeys(("union_tag_invalid", "union_tag_not_found"), _arm),
}
