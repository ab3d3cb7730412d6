"""What every mapping of a plan checks about its keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from planrunner.language.diagnostics import Code
from planrunner.language.fields.mapping import Fault, PlanMapping, exactly_one, in_words
from planrunner.language.fields.reading import Unsure, read_or_known, reading_once


class Box(PlanMapping):
    nullable = frozenset({"note"})
    synonyms = {"height": "tall"}  # noqa: RUF012 - as plan models have it
    short_schema = {"type": "integer"}  # noqa: RUF012 - as plan models have it

    tall: int
    wide: int | None = None
    note: str | None = None
    inner: list[Box] | None = None

    @classmethod
    def expand(cls, data: object) -> object:
        return {"tall": data} if isinstance(data, int) else data

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        if data.get("wide") == data.get("tall"):
            yield Fault(Code.INVALID_VALUE, "a box is no {cube}", "make it flat", "wide")


def faults(data: object) -> list[tuple[str, tuple[object, ...], str, str]]:
    with pytest.raises(ValidationError) as failed:
        Box.model_validate(data)
    return [
        (
            fault["type"],
            fault["loc"],
            fault["msg"],
            str(fault.get("ctx", {}).get("hint", "")),
        )
        for fault in failed.value.errors()
    ]


def test_a_mapping_reports_rules_and_values_at_once() -> None:
    """A rule between keys does not hide what is wrong with single keys, at any depth."""
    data = {"tall": 1, "wide": 1, "inner": [{"tall": "x", "wide": "x"}], "note": 5}

    found = faults(data)

    assert [(code, loc) for code, loc, _, _ in found] == [
        ("invalid-value", ()),
        ("string_type", ("note",)),
        ("invalid-value", ("inner", 0)),
        ("int_type", ("inner", 0, "tall")),
        ("int_type", ("inner", 0, "wide")),
    ]


def test_braces_in_a_message_stay_as_they_are() -> None:
    """Pydantic fills in braces of messages; ours come from plans and are text."""
    assert faults({"tall": 1, "wide": 1})[0][2] == "a box is no {cube}"


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("tal", "did you mean `tall`?"),
        ("height", "here it is called `tall`"),
        ("zzz", "known keys are `tall`, `wide`, `note`, `inner`"),
    ],
)
def test_an_unknown_key_says_what_was_meant(key: str, hint: str) -> None:
    """The nearest key, the word of another tool, or else all keys."""
    assert faults({"tall": 1, key: 1}) == [("unknown-key", (), f"unknown key `{key}`", hint)]


def test_null_is_a_forgotten_value_unless_it_means_something() -> None:
    """`wide:` with nothing behind it is an error; `note: null` is not."""
    found = faults({"tall": 1, "wide": None, "note": None})

    assert found == [("wrong-type", (), "`wide` has no value", "write one, or remove the key")]


def test_a_short_form_is_the_long_form_written_shorter() -> None:
    """Short forms expand before anything is checked."""
    short = Box.model_validate({"tall": 3, "wide": 1, "inner": [4]})

    assert short == Box.model_validate({"tall": 3, "wide": 1, "inner": [{"tall": 4}]})


def test_validation_leaves_the_data_alone() -> None:
    """Aliases make one mapping stand in several places; it must not change."""
    shared = {"tall": 2, "wide": None, "nope": 1}
    data = {"tall": 1, "inner": [shared, shared]}

    faults(data)

    assert shared == {"tall": 2, "wide": None, "nope": 1}


def test_exactly_one_names_the_second_key_or_all_of_them() -> None:
    """Two keys: the later one is at fault. None: the hint lists them; a typo is no news."""

    def check(data: Mapping[str, Any]) -> list[tuple[Code, str, str]]:
        found = exactly_one(Box, data, ("tall", "wide"), "the size")
        return [(fault.code, fault.key, fault.hint) for fault in found]

    assert check({"wide": 1, "tall": 1}) == [
        (Code.CONFLICTING_KEYS, "tall", "both say the size: keep one of them")
    ]
    assert check({}) == [(Code.MISSING_KEY, "", "add `tall` or `wide`")]
    assert check({"tal": 1}) == []
    assert check({"tall": 1}) == []


def test_in_words_reads_as_a_sentence() -> None:
    """One, two and three keys."""
    assert in_words(["a"]) == "`a`"
    assert in_words(["a", "b"]) == "`a` or `b`"
    assert in_words(["a", "b", "c"]) == "`a`, `b` or `c`"


def test_sound_data_is_read_once_where_that_is_asked_for() -> None:
    """By its identity, so equal data elsewhere is read; what is faulty is read again."""
    read: list[object] = []

    def note(data: object) -> object:
        read.append(data)
        if not data:
            raise Unsure
        return str(data)

    one, other, faulty = ["a"], ["a"], list[str]()
    with reading_once():
        given = [read_or_known(data, note) for data in (one, one, other)]
        for _ in range(2):
            with pytest.raises(Unsure):
                read_or_known(faulty, note)
    read_or_known(one, note)

    assert given[0] is given[1]
    assert read == [one, other, faulty, faulty, one]
