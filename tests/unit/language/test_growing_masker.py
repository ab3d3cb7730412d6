"""A masker that learns: what it has learnt is masked as if it had been known from the start."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.language.growing_masker import GrowingMasker
from planrunner.language.secrets import Masker

SPELLINGS = (
    str,
    str.upper,
    lambda text: quote(text, safe="", errors="replace"),
    escape,
    lambda text: text.encode("utf-8", "replace").hex(),
    lambda text: b64encode(b"me:" + text.encode("utf-8", "replace")).decode(),
    lambda text: repr(text)[1:-1],
)

TEXTS = st.text(st.characters(max_codepoint=0x2FF), min_size=1, max_size=20)


@given(st.lists(TEXTS, min_size=1, max_size=5), st.data())
def test_what_is_learnt_is_masked_as_what_was_known(
    secrets: list[str], data: st.DataObject
) -> None:
    """In every spelling, among other secrets."""
    spell = data.draw(st.sampled_from(SPELLINGS))
    text = f"see {spell(data.draw(st.sampled_from(secrets)))} there"
    masker = GrowingMasker()
    for secret in secrets:
        masker.learn(secret)

    masked = masker(text)

    assert masked == Masker(secrets)(text) or Masker(secrets)(masked) == masked


def test_nothing_is_masked_before_it_is_learnt() -> None:
    """From then on it is, beside what was known from the start."""
    masker = GrowingMasker(["Known-Pass"])
    before = masker("Known-Pass and Late-Token-1")

    masker.learn("Late-Token-1")

    assert before == "*** and Late-Token-1"
    assert masker("Known-Pass and Late-Token-1") == "*** and ***"
    assert masker.drain() == ("Late-Token-1",)
    assert masker.drain() == ()


@pytest.mark.parametrize(
    ("value", "text", "masked"),
    [
        (1234567, "pin 1234567", "pin ***"),
        ({"a": ["deep-secret", 7], "b": True}, "deep-secret 7 True", "*** 7 True"),
        (None, "None", "None"),
        (True, "True", "True"),
        ("", "", ""),
        ("ab", "ab abc", "*** abc"),
    ],
)
def test_values_of_any_kind_are_learnt(value: object, text: str, masked: str) -> None:
    """Of lists and objects what is in them, but for what is too short to be told from words."""
    masker = GrowingMasker()
    masker.learn(value)

    assert masker(text) == masked


@pytest.mark.slow
def test_thousands_are_known_and_the_oldest_forgotten() -> None:
    """Memory has an end; a worker knows at least its last ten thousand."""
    masker = GrowingMasker()
    tokens = [f"tok{number:08x}en" for number in range(25_000)]
    for token in tokens:
        masker.learn(token)
    masker.prepare()

    assert masker(f"a {tokens[-1]} b {tokens[-10_000]} c") == "a *** b *** c"
    assert masker(tokens[0]) == tokens[0]
