"""Secrets in text that others wrote."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.errors import CannotRun
from planrunner.language.diagnostics import Code, Diagnostic, PlanError, Span
from planrunner.language.secrets import Masker

SECRET = 'p&ss "wörd"/1'
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20)


@pytest.mark.parametrize(
    "write",
    [
        str,
        str.upper,
        json.dumps,
        lambda text: json.dumps(text, ensure_ascii=False),
        quote_plus,
        lambda text: quote(text, safe=""),
        lambda text: quote(text, safe="!$&'()*+,;=:@"),
        lambda text: quote(quote_plus(text), safe=""),
        lambda text: json.dumps(json.dumps(text)[1:-1]),
        re.escape,
        lambda text: text.encode().decode("latin-1"),
        lambda text: repr(text.encode())[2:-1],
        escape,
        repr,
    ],
)
def test_every_way_to_write_a_secret_is_found(write) -> None:
    """Whatever a server makes of what it was sent."""
    shown = Masker([SECRET])(f"got {write(SECRET)}!")

    assert re.sub("[\"'\\\\]", "", shown) == "got ***!"


@given(texts, st.text("abcdefghij0123456789", min_size=12, max_size=20), texts)
def test_a_secret_inside_base64_is_found(before: str, secret: str, after: str) -> None:
    """Such as the password in an Authorization header that is echoed."""
    encoded = b64encode(f"{before}{secret}{after}".encode()).decode()

    assert "***" in Masker([secret])(encoded)


@given(texts, texts, st.lists(st.text("ab*", min_size=4), min_size=1, max_size=3))
def test_no_secret_is_left(before: str, after: str, secrets: list[str]) -> None:
    """Also when one is the beginning of another."""
    secrets = [secret for secret in secrets if "*" not in secret] or ["abab"]
    masked = Masker(secrets)(f"{before} {' '.join(secrets)} {after}")

    assert not any(secret.lower() in masked.lower().replace("***", " ") for secret in secrets)


def test_lines_of_a_secret_are_secrets() -> None:
    """Logs and excerpts show a key a line at a time; its brackets are no secret."""
    mask = Masker(['{\n  "key": "abcd",\n  data:\n}\n', "padded\n"])

    assert mask('at "KEY": "abcd", {of} padded data: x') == "at *** {of} *** data: x"


def test_short_values_are_masked_where_they_are_words() -> None:
    """`a` stands in most words; without secrets the text is the same object."""
    text = "pin=a: a status of 200, 1200 bytes"

    assert Masker(["a", "200", ""])(text) == "pin=***: *** status of ***, 1200 bytes"
    assert Masker()(text) is text


def test_errors_leave_masked() -> None:
    """Message, hint and the exception's own text; a diagnostic's columns stay right."""
    with pytest.raises(CannotRun) as caught, Masker([SECRET]).errors():
        raise CannotRun(f"nothing at {SECRET}", hint=f"try {SECRET}")
    assert (caught.value.message, caught.value.hint) == ("nothing at ***", "try ***")
    assert str(caught.value) == "nothing at ***\nhint: try ***"

    finding = Diagnostic(
        Span("plan.yaml", 1, 1, 1, 2), Code.INVALID_VALUE, f"bad {SECRET}", source=f"a: {SECRET} b"
    )
    with pytest.raises(PlanError) as refused, Masker([SECRET]).errors():
        raise PlanError([finding])
    shown = refused.value.diagnostics[0]
    assert (shown.message, len(shown.source)) == ("bad ***", len(finding.source))
    assert SECRET not in shown.source


def test_unforeseen_errors_leave_masked_with_what_they_came_from() -> None:
    """A traceback shows both."""
    unforeseen = RuntimeError("with s3cret")
    unforeseen.__cause__ = ValueError("bad s3cret", 7)

    with pytest.raises(RuntimeError), Masker(["s3cret"]).errors():
        raise unforeseen

    assert unforeseen.args == ("with ***",)
    assert unforeseen.__cause__.args == ("bad ***", 7)
