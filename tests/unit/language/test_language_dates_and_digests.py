"""Dates, digests and signed tokens, against what others compute; and draws from lists."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.language.expressions.builtins.random_draws import Rand
from planrunner.language.expressions.expression import EvaluationError, parse

NOW = 1_795_262_400.5  # 2026-11-21T12:00:00Z


def value(source: str, **scope: Any) -> Any:
    return parse(source).lower({}).evaluate({"now": lambda: NOW, **scope})


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("date()", "2026-11-21T12:00:00Z"),
        ("date('%Y-%m-%d')", "2026-11-21"),
        ("date('%d.%m.%y %H:%M', '-36h')", "20.11.26 00:00"),
        ("date(offset=86400, format='%A')", "Sunday"),
        ("date('%j', '1h30m')", "325"),
        ("now() | date('%H')", "12"),
        ("'2026-02-28' | date('%d/%m', '24h')", "01/03"),
        ("'2026-02-28T10:00:00+02:00' | date", "2026-02-28T08:00:00Z"),
        ("0 | date", "1970-01-01T00:00:00Z"),
        ("date('100%%')", "100%"),
        ("0 | date('ISO')", "1970-01-01T00:00:00Z"),
        ("0 | date('iso', '1h')", "1970-01-01T01:00:00Z"),
        ("0 | date(format = 'ISO 8601')", "1970-01-01T00:00:00Z"),
    ],
)
def test_dates_are_written_in_utc(source: str, text: str) -> None:
    """As `strftime` does."""
    assert value(source) == text


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("date('%9999999d')", "has no meaning in a date"),
        ("date('%')", "has no meaning in a date"),
        ("date('%Q')", "has no meaning in a date"),
        ("date('x' * 300)", "at most 200"),
        ("date('yyyy-MM-dd')", "`yyyy-MM-dd` names no part of a date: write `%Y"),
        ("date('')", "names no part of a date"),
        ("1e15 | date", "between the years"),
        ("soon | date", "`soon` is not a date"),
        ("[] | date", "is not a date"),
        ("date('%Y', 'soon')", "duration"),
        ("date('%Y', 1000000000000)", "between the years"),
    ],
)
def test_what_is_no_date_is_said(source: str, words: str) -> None:
    """And no width of a directive asks for a gigabyte."""
    source = source.replace("1e15", "many").replace("[]", "none_of_them")
    with pytest.raises(EvaluationError, match=words):
        value(source, many=1e15, none_of_them=[], soon="soon")


@given(st.text(), st.text(), st.sampled_from(["md5", "sha1", "sha256", "sha512"]))
def test_digests_are_those_of_hashlib(text: str, key: str, algorithm: str) -> None:
    """Of the text in UTF-8."""
    text, key = (each.encode("utf-8", "replace").decode() for each in (text, key))
    scope = {"t": text, "k": key, "a": algorithm}
    made = hmac.new(key.encode(), text.encode(), algorithm)

    assert value("t | hash(a)", **scope) == hashlib.new(algorithm, text.encode()).hexdigest()
    assert value("t | hmac(k, a)", **scope) == made.hexdigest()
    assert value("t | hmac(k, a, 'base64')", **scope) == base64.b64encode(made.digest()).decode()
    assert (
        value("t | hash(a, 'bytes') | b64", **scope)
        == base64.b64encode(hashlib.new(algorithm, text.encode()).digest()).decode()
    )


def test_a_token_is_the_one_of_the_standard() -> None:
    """Header, claims, and what signs both, each in URL-safe Base64 without padding."""
    token = value("{'sub': 'ada', 'exp': 7} | jwt('secret', header={'kid': 'k1'})")

    head, claims, signature = token.split(".")
    padded = [part + "=" * (-len(part) % 4) for part in (head, claims, signature)]
    assert json.loads(base64.urlsafe_b64decode(padded[0])) == {
        "alg": "HS256",
        "typ": "JWT",
        "kid": "k1",
    }
    assert json.loads(base64.urlsafe_b64decode(padded[1])) == {"sub": "ada", "exp": 7}
    assert (
        base64.urlsafe_b64decode(padded[2])
        == hmac.new(b"secret", f"{head}.{claims}".encode(), "sha256").digest()
    )


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x | hash(algorithm)", "none of md5"),
        ("x | hash('md5', encoding)", "none of hex"),
        ("x | jwt('k')", "a mapping, not text"),
        ("{'a': 1} | jwt(x, 'RS256')", "signed with HS256"),
        ("{'a': 1} | jwt(x, 'HS256', x)", "header of a token is a mapping"),
    ],
)
def test_what_cannot_be_signed_is_said(source: str, words: str) -> None:
    """By its name."""
    with pytest.raises(EvaluationError, match=words):
        value(source, x="text", algorithm="crc32", encoding="octal")


def drawn(source: str, seed: int = 1, **scope: Any) -> Any:
    return value(source, rand=Rand(Random(seed)), **scope)


@given(st.lists(st.integers(), max_size=30), st.integers(0, 1000), st.data())
def test_a_sample_is_of_the_list(items: list[int], seed: int, data: st.DataObject) -> None:
    """Each item at most as often as the list has it; a shuffle has them all."""
    count = data.draw(st.integers(0, len(items)))
    sample = drawn("rand.sample(items, count)", seed, items=items, count=count)
    shuffled = drawn("rand.shuffle(items)", seed, items=items)

    assert len(sample) == count
    assert not Counter(sample) - Counter(items)
    assert Counter(shuffled) == Counter(items)


def test_weights_are_kept_over_many_draws() -> None:
    """Three quarters and a quarter; a weight of 0 never."""
    rand = Rand(Random(5))
    seen = Counter(rand.weighted({"a": 3, "b": 1, "never": 0}) for _ in range(4000))

    assert seen["a"] / 4000 == pytest.approx(0.75, abs=0.03)
    assert set(seen) == {"a", "b"}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("rand.sample([1, 2], 3)", "a sample of 2 items has 0 to 2"),
        ("rand.sample('ab', 1)", "is not a list"),
        ("rand.shuffle(7)", "is not a list"),
        ("rand.weighted([1])", "mapping of items"),
        ("rand.weighted({'a': 0})", "at least one weight"),
        ("rand.weighted({'a': -1})", "a number from 0"),
        ("rand.weighted({'a': 'x'})", "a number from 0"),
    ],
)
def test_what_cannot_be_drawn_from_is_said(source: str, words: str) -> None:
    """Without a word about Python."""
    with pytest.raises(EvaluationError, match=words):
        drawn(source)
