from __future__ import annotations

import re

import pytest

from planrunner.late_pattern import late_pattern


def test_a_late_pattern_does_what_a_compiled_one_does() -> None:
    """Its methods and its text are those of the pattern, from the first call on."""
    late, compiled = late_pattern(r"(?P<word>[a-z]+)\d", re.IGNORECASE), re.compile(r"x")

    assert [late.sub("-", "Ab1 c2"), late.sub("-", "Ab1 c2")] == ["- -", "- -"]
    assert late.fullmatch("ab1").groupdict() == {"word": "ab"}  # type: ignore[union-attr]  # it matches
    assert (late.pattern, late.groups) == (r"(?P<word>[a-z]+)\d", 1)
    assert late.flags & re.IGNORECASE
    assert {name for name in dir(compiled) if not name.startswith("_")} - set(vars(late)) == {
        "scanner"
    }


def test_a_late_pattern_that_is_wrong_says_so_when_it_is_used() -> None:
    """The error is that of `re`."""
    late = late_pattern("(")

    with pytest.raises(re.error, match="missing"):
        late.match("x")
