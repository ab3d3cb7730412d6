"""Digest answers beside the published examples, and challenges however servers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.protocols.http.clients.signing.challenges import (
    DigestChallenge,
    digest_challenge,
    field_values,
    read_challenges,
)
from planrunner.protocols.http.clients.signing.digest import DigestAnswer, answer_line
from tests.support.cpu_time import within_cpu


def challenge(**fields: str) -> DigestChallenge:
    shown = ", ".join(f'{name}="{value}"' for name, value in fields.items())
    found = digest_challenge([f"Digest {shown}"])
    assert found is not None
    return found


RFC_7616 = {
    "realm": "http-auth@example.org",
    "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    "opaque": "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
    "qop": "auth, auth-int",
}


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_examples_of_rfc_7616(algorithm: str, response: str) -> None:
    """§3.9.1, the whole header."""
    answer = DigestAnswer(
        challenge=challenge(algorithm=algorithm, **RFC_7616),
        username="Mufasa",
        password="Circle of Life",
        method="GET",
        uri="/dir/index.html",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        count=1,
    )

    assert answer_line(answer).decode() == (
        'Authorization: Digest username="Mufasa", realm="http-auth@example.org", '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri="/dir/index.html", '
        f'response="{response}", algorithm={algorithm}, '
        'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", '
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", qop=auth, nc=00000001\r\n'
    )


def test_hashed_name_of_rfc_7616() -> None:
    """§3.9.2, with the value of erratum 4897: the page itself has cut SHA-512 short."""
    answer = DigestAnswer(
        challenge=challenge(
            realm="api@example.org",
            nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
            algorithm="SHA-512-256",
            qop="auth",
            charset="UTF-8",
            userhash="true",
        ),
        username="Jäsøn Doe",
        password="Secret, or not?",
        method="GET",
        uri="/doe.json",
        cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm",
        count=1,
    )

    name = "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
    assert answer.hashed_name == name
    assert f'username="{name}"'.encode() in answer_line(answer)
    assert b"userhash=true" in answer_line(answer)


@pytest.mark.parametrize(
    ("qop", "password", "response"),
    [
        ("auth,auth-int", "Circle Of Life", "6629fae49393a05397450978507c4ef1"),
        ("", "CircleOfLife", "1949323746fe6a43ef61f9606e7febea"),
    ],
)
def test_examples_of_older_rfcs(qop: str, password: str, response: str) -> None:
    """RFC 2617 §3.5, and RFC 2069 without `qop` (as its erratum has it)."""
    more = {"qop": qop} if qop else {}
    answer = DigestAnswer(
        challenge=challenge(
            realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", **more
        ),
        username="Mufasa",
        password=password,
        method="GET",
        uri="/dir/index.html",
        cnonce="0a4f113b",
        count=1,
    )

    assert answer.response == response
    assert (b"nc=00000001" in answer_line(answer)) == bool(qop)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("Basic", [("basic", {})]),
        ("Negotiate abc==, Digest a=b", [("negotiate", {}), ("digest", {"a": "b"})]),
        (
            'Basic realm="a, Digest b", Digest realm = x',
            [
                ("basic", {"realm": "a, Digest b"}),
                ("digest", {"realm": "x"}),
            ],
        ),
        (
            r'Digest realm="a \"b\" \\", REALM=c ,,nonce=1',
            [
                ("digest", {"realm": r'a "b" \\'[:-1], "nonce": "1"}),
            ],
        ),
        ('Digest realm="never ends', [("digest", {})]),
        (' ,; Digest , qop=auth, "stray", nc=', [("digest", {"qop": "auth", "nc": ""})]),
        ("a=b", [("a", {})]),
        ("", []),
    ],
)
def test_challenges_of_a_field(value: str, found: list[tuple[str, dict[str, str]]]) -> None:
    """Several in one, quoted or not; what can't be read is left out."""
    assert [(scheme, dict(params)) for scheme, params in read_challenges(value)] == found


@given(st.text(alphabet='aD=", \\;\t+/-x', max_size=200))
def test_any_text_is_read(value: str) -> None:
    """No field makes the reader fail."""
    assert all(scheme for scheme, _ in read_challenges(value))


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}", fullmatch=True),
        st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
        max_size=5,
    )
)
def test_quoted_parameters_come_back(params: dict[str, str]) -> None:
    """Whatever stands in them."""
    escaped = {
        name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in params.items()
    }
    shown = ", ".join(f'{name}="{value}"' for name, value in escaped.items())

    assert list(read_challenges(f"Digest {shown}")) == [("digest", params)]


@pytest.mark.parametrize("text", ['a="' * 20_000, "Digest " * 9_000, "=," * 30_000, '"\\' * 30_000])
def test_long_fields_are_read_in_bounded_time(text: str) -> None:
    """As long as a head may be."""
    within_cpu(2, lambda: list(read_challenges(text)))


def test_fields_of_a_head() -> None:
    """In any case, in order, and no part of another name."""
    head = (
        b"HTTP/1.1 401 X\r\nWWW-Authenticate: a\r\nX-WWW-Authenticate: b\r\nwww-authenticate:c \r\n"
    )

    assert field_values(head, "WWW-Authenticate") == ["a", "c"]
