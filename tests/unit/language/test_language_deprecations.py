"""What still works and will go, found in plans and command lines."""

from __future__ import annotations

import re
from datetime import date

import pytest

from planrunner.language.deprecations import KEYS, OPTIONS, Deprecation, keys_in, options_in

PAUSE = Deprecation("users.*.pause", "0.3", "2027-06-30", "use `wait`")
FETCH = Deprecation("**.fetch", "0.3", "2027-06-30", "use `get`")


def test_a_name_is_found_wherever_its_pattern_says() -> None:
    """`*` is one key or item, `**` any number; the order is that of the plan."""
    plan = {
        "pause": 1,
        "users": {"A": {"pause": 1, "steps": [{"fetch": "/", "pause": 2}]}, "B": {"wait": 1}},
        "fetch": {"fetch": 3},
    }

    found = list(keys_in(plan, [PAUSE, FETCH]))

    assert found == [
        (("users", "A", "pause"), PAUSE),
        (("users", "A", "steps", 0, "fetch"), FETCH),
        (("fetch",), FETCH),
        (("fetch", "fetch"), FETCH),
    ]


@pytest.mark.parametrize(
    ("arguments", "is_found"),
    [
        (["execute", "p.yaml", "--vus", "3"], True),
        (["execute", "--vus=3", "p.yaml", "--vus=4"], True),
        (["execute", "p.yaml", "--vus-max", "3"], False),
        (["execute", "--", "--vus"], False),
    ],
)
def test_an_option_is_found_once(arguments: list[str], is_found: bool) -> None:  # noqa: FBT001
    """As a word of its own, or with its value behind `=`."""
    vus = Deprecation("--vus", "0.3", "2027-06-30", "use `--users`")

    assert list(options_in(arguments, [vus])) == [vus] * is_found


def test_the_sentence_has_version_date_and_what_to_do() -> None:
    """Of the key itself; where it stands is said before."""
    assert str(PAUSE) == "`pause` is deprecated since 0.3 and goes on 2027-06-30: use `wait`"


def test_what_is_deprecated_has_a_date() -> None:
    """A real one, and a version that warned first; so has the example of these tests."""
    for one in (*KEYS, *OPTIONS, PAUSE):
        assert date.fromisoformat(one.until)
        assert re.fullmatch(r"\d+\.\d+", one.since)
        assert one.instead
