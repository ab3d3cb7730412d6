"""Values that only their names give away, in whatever notation they come."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.language.named_secrets import (
    cover_field,
    cover_message,
    cover_named,
    is_secret_name,
)

NAMES = (
    *("token", "refresh_token", "X-Session", "passwd", "password", "PASSWORD", "secret"),
    *("api_key", "X-Api-Key", "apikey", "authorization", "Cookie", "session_id", "csrfToken"),
)


@pytest.mark.parametrize("name", NAMES)
def test_such_names_are_known(name: str) -> None:
    """Anywhere in a name, in any case."""
    assert is_secret_name(name)
    assert not is_secret_name("username")


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ('{"token": "a\\"b", "x": 1}', '{"token": "***", "x": 1}'),
        ('{"tokens": {"a": "}", "b": ["]"]}, "y": 2}', '{"tokens": ***, "y": 2}'),
        ('{"pin_token": 123, "session_ok": true}', '{"pin_token": ***, "session_ok": true}'),
        ('{"token": null}', '{"token": null}'),
        ('{"usage": {"completion_tokens": 7}}', '{"usage": {"completion_tokens": 7}}'),
        (
            '{"m": "{\\"token\\": \\"zz\\", \\"b\\": 1}"}',
            '{"m": "{\\"token\\": \\"***\\", \\"b\\": 1}"}',
        ),
        ('{"password": "cut off', '{"password": "***'),
        ('{"tokens": ["cut", "off', '{"tokens": ***'),
        ("{'token': 'python'}", "{'token': '***'}"),
        ("a=1&password=h%20x&b=2", "a=1&password=***&b=2"),
        ("user[password]=x&c=d", "user[password]=***&c=d"),
        ("GET /x?api_key=q&z=1 HTTP/1.1", "GET /x?api_key=***&z=1 HTTP/1.1"),
        ('<token type="x">abc</token>', '<token type="x">***</token>'),
        ('<r password="p" user="u"/>', '<r password="***" user="u"/>'),
        (
            '<input value="v" type=hidden name="csrf_token"><input name=user value=bob>',
            '<input value="***" type=hidden name="csrf_token"><input name=user value=bob>',
        ),
        ('<meta name=csrf-token content="v">', '<meta name=csrf-token content="***">'),
        (
            '--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter\r\n--b--',
            '--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n***\r\n--b--',
        ),
        ('`$.token` is "abc", expected def', '`$.token` is "***", expected def'),
        ("password: yaml\nuser: me", "password: ***\nuser: me"),
        ("my secret is out", "my secret is out"),
        ("the session: is over", "the session: is over"),
    ],
)
def test_values_are_covered_and_nothing_else(text: str, covered: str) -> None:
    """JSON, whole and cut off, forms, XML, HTML, parts of a form, and our own messages."""
    assert cover_named(text) == covered
    assert cover_named(covered) == covered


@pytest.mark.parametrize(
    ("name", "value", "covered"),
    [
        ("Authorization", "Bearer hush", "Bearer ***"),
        ("Proxy-Authorization", "Basic hush", "Basic ***"),
        ("X-Api-Key", "hush", "***"),
        ("X-Token", "a b", "***"),
        ("Cookie", "a=hush; b=hush", "a=***; b=***"),
        ("Set-Cookie", "session=hush; Path=/", "session=***; Path=/"),
        ("Location", "/next?token=hush", "/next?token=***"),
        ("Accept", "*/*", "*/*"),
    ],
)
def test_headers_keep_what_helps(name: str, value: str, covered: str) -> None:
    """The scheme, and the names of cookies."""
    assert cover_field(name, value) == covered


def test_a_message_has_a_head_and_a_body() -> None:
    """Each in its own notation."""
    text = 'POST http://h/?token=q\nAuthorization: Bearer abc\nX-A: ok\n\n{"password": "p"}'

    assert cover_message(text) == (
        'POST http://h/?token=***\nAuthorization: Bearer ***\nX-A: ok\n\n{"password": "***"}'
    )


PIECES = ("token", '"', "'", "\\", ":", "=", "{", "[", "]", "}", "<", ">", " ", "\n", "name=", "a")


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_no_text_is_too_strange(text: str) -> None:
    """What is no value stays."""
    covered = cover_message(text)

    assert covered.count("\n") <= text.count("\n")
    assert "token" not in text or "token" in covered


@pytest.mark.slow
@given(st.dictionaries(st.text(max_size=8), st.text(min_size=1, max_size=8), max_size=4), st.text())
def test_a_member_is_covered_wherever_it_stands(others: dict[str, str], value: str) -> None:
    """JSON stays JSON, and all other members stay as they are."""
    data = {**others, "password": value, "last": "kept"}

    covered = json.loads(cover_named(json.dumps(data)))

    assert covered == {**data, "password": "***"} or any(map(is_secret_name, str(others).split()))


@pytest.mark.parametrize(
    "piece", ["token", 'token="', "<token ", '"token":{', 'name="token"\n', "<input ", "token="]
)
def test_hostile_texts_take_a_time_that_grows_with_them(piece: str) -> None:
    """Counted in steps of Python, which are the same on any machine."""
    import sys  # noqa: PLC0415

    steps: list[int] = []
    for times in (200, 400, 800):
        count = 0

        def count_calls(*_: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(count_calls)
        try:
            cover_message(piece * times)
        finally:
            sys.setprofile(None)
        steps.append(count)

    assert all(later <= 2.5 * earlier for earlier, later in pairwise(steps))
