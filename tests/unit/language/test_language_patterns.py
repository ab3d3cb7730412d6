"""Patterns of plans: Python's results, in bounded time."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from contextlib import suppress
from itertools import islice

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from planrunner.language.patterns.pattern import (
    LIMIT_MS,
    Finds,
    MatchTimeoutError,
    PatternError,
    compile_pattern,
)
from tests.support.cpu_time import within_cpu

# The two kinds of `i`, the Kelvin sign and the long s are what engines disagree about.
LETTERS = (
    "aAbikKsSxX09_- \n\t\x1c\u00e9\u00c9\u00df\u0436\u0416\u0130\u0131\u212a\u017f"
    "\u0663\u00b2\u2167\u0301\u00a0\u2028\U0001d4b3\U0001f600"
)
pieces = st.one_of(
    st.sampled_from(LETTERS).map(re.escape),
    st.sampled_from([".", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", r"\n", "ab", "é", "k", "s"]),
    st.sampled_from(
        ["[ab]", "[^a]", r"[^\W_]", r"[\w-]", r"[\d\s]", r"[\Wa]", "[a-zé]", r"[^\s,]", "[i-s]"]
    ),
    st.sampled_from(["^", "$", r"\A", r"\Z", r"\b", r"\B"]),
    st.sampled_from([r"(?!a)", r"(?=b)", r"(?<=a)", r"(?<!é)", r"(?<![\w])"]),
)


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    times = ["*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}", "{1,}", "{1,3}?", "*+", "?+", "{0}"]
    return st.one_of(
        st.builds("({})".format, inner),
        st.builds("(?:{}){}".format, inner, st.sampled_from(times)),
        st.builds("({}){}".format, inner, st.sampled_from(times)),
        st.builds("{}{}".format, inner, inner),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("(?{}:{})".format, st.sampled_from("ismx"), inner),
        st.builds("(?>{})".format, inner),
        st.builds(r"(?:(?:){}(?P<n>a|é)(?P=n))".format, inner),
    )


flags = st.sampled_from(["", "", "", "(?i)", "(?m)", "(?s)", "(?a)", "(?im)"])
patterns = st.builds("{}{}".format, flags, st.recursive(pieces, grown, max_leaves=8))
texts = st.text(st.sampled_from(LETTERS), max_size=12)


def found_by_python(pattern: re.Pattern[str], text: str) -> list[str]:
    group = 1 if pattern.groups else 0
    return [match[group] for match in pattern.finditer(text) if match[group] is not None]


def compiled(source: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return re.compile(source)
        except re.error:
            assume(condition=False)
            raise


@given(patterns, texts)
@example("(a+)$", "aa\n")
@example("(a$|b)", "a\n")
@example(r"(?i)[^k]", "\u212a")
@example(r"\w+", "\ud800a")
def test_finds_what_python_finds(source: str, text: str) -> None:
    """Whether, first and all: each engine gives what `re` does, letters beyond ASCII included."""
    assume(text or r"\B" not in source)  # Python 3.14 was the first to find it in no text
    python = compiled(source)
    expected = found_by_python(python, text)

    assert compile_pattern(source).is_in(text) == (python.search(text) is not None)
    assert list(compile_pattern(source, Finds.ALL).find(text)) == expected
    assert list(islice(compile_pattern(source, Finds.FIRST).find(text), 1)) == expected[:1]


@given(patterns, texts)
def test_whole_texts_match_as_in_python(source: str, text: str) -> None:
    """What `fullmatch` says."""
    assume(text or r"\B" not in source)

    expected = compiled(source).fullmatch(text) is not None

    assert compile_pattern(source, whole=True).is_in(text) == expected


@pytest.mark.parametrize("source", [r"\w", r"\d", r"\s", r"[^\W\d_]", "(?i)[k-z]", r"(?i)\u0131"])
def test_classes_have_the_characters_of_python(source: str) -> None:
    """Every character of Unicode is in a class of ours where it is in Python's."""
    letters = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x33000), 0xE0001, 0x10FFFF]))

    found = compile_pattern(f"{source}+", Finds.ALL).find(letters)

    assert "".join(found) == "".join(re.findall(source, letters))


CATASTROPHES = ["(a+)+$", "(a|a)*b", r"^(\w+\s?)*$", "(.*a){25}$", r"^(([a-z])+.)+[A-Z]([a-z])+$"]


@pytest.mark.parametrize("size", [29, 10_000, 1_000_000])
@pytest.mark.parametrize("source", CATASTROPHES)
def test_backtracking_traps_are_matched_in_linear_time(source: str, size: int) -> None:
    """The answer is right, and comes before `re` would have read thirty letters."""
    pattern, text = compile_pattern(source), "a" * size + "!"

    assert not pattern.lacks
    assert not within_cpu(1, lambda: pattern.is_in(text))


@pytest.mark.parametrize("source", [r"(a+)+\1$", "(?:a+)+?(?!a)$"])
def test_what_needs_backtracking_gives_up(source: str) -> None:
    """Such a pattern says what it has, and stops after its time for a text."""
    pattern, text = compile_pattern(source, Finds.ALL), "a" * 5_000 + "!"

    def look() -> None:
        with pytest.raises(MatchTimeoutError):
            list(pattern.find(text))

    within_cpu(3 * LIMIT_MS / 1000, look)

    assert pattern.lacks


@pytest.mark.parametrize("source", [r"(a|b)*a(a|b){999}c", "(?:(?:a?b?){1,30}){1,33}c"])
def test_large_programs_are_stopped_too(source: str) -> None:
    """Time that grows with the text grows with the pattern as well: the product is limited."""
    pattern, text = compile_pattern(source), "ab" * 500_000

    def look() -> None:
        with suppress(MatchTimeoutError):
            assert not pattern.is_in(text)

    within_cpu(1.5, look)


def test_finding_everything_ends_in_time() -> None:
    """Each find may look at all the rest of the text, so many finds take the square of it."""
    pattern = compile_pattern("a(?:.*z)?", Finds.ALL)

    def look() -> None:
        with pytest.raises(MatchTimeoutError):
            list(pattern.find("a" * 100_000))

    within_cpu(3 * LIMIT_MS / 1000, look)


@pytest.mark.parametrize(
    ("source", "lacks"),
    [
        (r"\bword\b", ""),
        ("^[a-z]+$", ""),
        (r"(?P<year>\d{4})-(?P<month>\d\d)", ""),
        ("(?<=id=)[0-9]+", "look-around"),
        ("(['\"]).*\\1", "a backreference"),
        ("(?>a+)b", "an atomic group"),
        ("a++b", "a possessive quantifier"),
        ("(a)?(?(1)b|c)", "a condition"),
        ("a{5000}", "a repetition as large as that"),
        ("((a{200}){200}){9}", "a large repetition"),
    ],
)
def test_names_what_the_linear_engine_lacks(source: str, lacks: str) -> None:
    """Nearly everything that people write runs in linear time."""
    assert compile_pattern(source, Finds.FIRST).lacks == lacks


@pytest.mark.parametrize("source", ["(", "[z-a]", "a**", r"\p{L}", "(?<=a+)b", "(?P<n>a)(?P<n>b)"])
def test_refuses_what_python_refuses(source: str) -> None:
    """The syntax is Python's, in its words."""
    with pytest.raises(re.error) as python:
        re.compile(source)

    with pytest.raises(PatternError) as ours:
        compile_pattern(source)

    assert ours.value.message == str(python.value)


def test_engines_are_imported_by_patterns_only() -> None:
    """A plan without a pattern pays for neither engine, and nearly no pattern for the second."""
    code = (
        "import sys; from planrunner.language.patterns.pattern import compile_pattern as c\n"
        "print('re2' in sys.modules, end=' '); c('a+').is_in('b')\n"
        "print('re2' in sys.modules, 'regex' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "True", "False"]
