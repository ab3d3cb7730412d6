"""URLs: split, joined, encoded."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.protocols.http.url import (
    Location,
    Origin,
    UrlError,
    join,
    quote_query,
    quote_target,
    split_url,
)

LOCAL = Origin("http", "localhost", 8000)


@pytest.mark.parametrize(
    ("url", "origin", "target"),
    [
        ("http://a", Origin("http", "a", 80), "/"),
        ("HTTPS://A.Example:8443/x?y=1#z", Origin("https", "a.example", 8443), "/x?y=1"),
        ("http://[::1]:80/p", Origin("http", "::1", 80), "/p"),
        ("http://127.0.0.1?q", Origin("http", "127.0.0.1", 80), "/?q"),
        ("http://bücher.example/ü", Origin("http", "xn--bcher-kva.example", 80), "/%C3%BC"),
        ("http://my_host/a b", Origin("http", "my_host", 80), "/a%20b"),
    ],
)
def test_split(url: str, origin: Origin, target: str) -> None:
    """Scheme and host in lower case, the scheme's port, an encoded target, no fragment."""
    assert split_url(url) == Location(origin, target)


@pytest.mark.parametrize(
    "url",
    [
        "", "/path", "a.example", "ftp://a/", "http://", "http:///x", "http://a:99999/", "http://a:x/",
        "http://[::1", "http://a b/", "javascript:alert(1)", "http://\u2028/", "http://" + "ü" * 70,
    ],
)  # fmt: skip
def test_what_is_no_url_says_so(url: str) -> None:
    """Never another exception, never a guess."""
    with pytest.raises(UrlError):
        split_url(url)


def test_user_and_password_become_basic() -> None:
    """Escapes are undone before they are encoded (RFC 7617)."""
    assert split_url("http://us%40er:p%3Aw@a/").authorization == "Basic dXNAZXI6cDp3"


@pytest.mark.parametrize(
    ("origin", "authority"),
    [
        (Origin("http", "a", 80), "a"),
        (Origin("https", "a", 80), "a:80"),
        (Origin("https", "::1", 443), "[::1]"),
        (Origin("http", "::1", 8080), "[::1]:8080"),
    ],
)
def test_authority(origin: Origin, authority: str) -> None:
    """Host leaves out the scheme's own port and brackets IPv6."""
    assert origin.authority == authority


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("/x", "http://localhost:8000/x"),
        ("x?y", "http://localhost:8000/a/x?y"),
        ("../x", "http://localhost:8000/x"),
        ("?z", "http://localhost:8000/a/b?z"),
        ("//other/x", "http://other/x"),
        (" https://other ", "https://other/"),
        ("", "http://localhost:8000/a/b?c"),
    ],
)
def test_join(reference: str, url: str) -> None:
    """A Location is relative to what was asked for (RFC 3986 §5)."""
    found = join(LOCAL, "/a/b?c", reference)

    assert f"{found.origin}{found.target}" == url


@given(st.text())
def test_target_is_printable_ascii_whatever_comes(text: str) -> None:
    """Nothing can end the request line, and encoding twice changes nothing."""
    quoted = quote_target(text)

    assert re.fullmatch(r"[!-~]*", quoted)
    assert "#" not in quoted
    assert quote_target(quoted) == quoted


@given(st.text(alphabet="abcXYZ019-._~!$&'()*+,;=:@/?%41"))
def test_legal_target_stays(text: str) -> None:
    """What was written correctly is sent as written."""
    if not re.search(r"%(?![0-9A-Fa-f]{2})", text):
        assert quote_target(text) == text


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_query_value_has_no_reserved_character(text: str) -> None:
    """A value stays one value."""
    assert re.fullmatch(r"[A-Za-z0-9._~%-]*", quote_query(text))
