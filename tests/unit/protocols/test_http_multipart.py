"""Multipart bodies, retries and grants as a plan writes them, compiled."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import HTTP
from pathlib import Path
from typing import Any

import pytest

from planrunner.language.expressions.expression import EvaluationError
from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.operation import (
    Body,
    DynamicBody,
    HttpOperation,
    Retry,
    StaticBody,
    StreamBody,
)
from tests.support.http_specs import compile_http, compile_request, exchange_of, scope_of


def operation_of(step: dict[str, Any], **options: Any) -> HttpOperation:
    operation: HttpOperation = exchange_of({"post": "/", **step}, **options).operation
    return operation


def parts_of(content: bytes, content_type: str) -> list[tuple[dict[str, str], bytes]]:
    """Read a body as any MIME parser does."""
    message = message_from_bytes(
        b"Content-Type: %b\r\n\r\n%b" % (content_type.encode(), content), policy=HTTP
    )
    return [
        (
            {key.lower(): str(value) for key, value in part.items()},
            part.get_payload(decode=True),  # type: ignore[misc]
        )
        for part in message.iter_parts()  # type: ignore[attr-defined]
    ]


def rendered(body: Body | None, **names: object) -> bytes:
    match body:
        case StaticBody():
            return body.content
        case DynamicBody():
            return body.evaluate(scope_of(**names))
        case StreamBody():
            pieces = [p(scope_of(**names)) if callable(p) else p for p in body.pieces]
            return b"".join(p if isinstance(p, bytes) else f"<{p}>".encode() for p in pieces)
        case _:
            raise AssertionError(body)


def test_constant_texts_are_encoded_once() -> None:
    """Without a file and a variable the body is bytes before the run."""
    body = operation_of({"multipart": {"a": "1", "b": [True, "ü"], "none": None}}).body

    assert isinstance(body, StaticBody)
    assert parts_of(body.content, body.content_type) == [
        ({"content-disposition": 'form-data; name="a"'}, b"1"),
        ({"content-disposition": 'form-data; name="b"'}, b"true"),
        ({"content-disposition": 'form-data; name="b"'}, "ü".encode()),
    ]


def test_variables_are_filled_in_for_each_request() -> None:
    """A list in a variable repeats its name, null leaves it out."""
    body = operation_of(
        {"multipart": {"tag": "${tags}", "x": {"text": "${x}", "type": "a/b"}}}
    ).body

    assert isinstance(body, DynamicBody)
    found = parts_of(rendered(body, tags=["r", "g"], x=7), body.content_type)
    assert [content for _, content in found] == [b"r", b"g", b"7"]
    assert found[2][0]["content-type"] == "a/b"
    assert len(parts_of(rendered(body, tags=None, x=7), body.content_type)) == 1


def test_files_stay_on_disk() -> None:
    """Name and type are the file's unless the plan says others."""
    files = {"data/photo.jpg": b"", "raw": b""}
    step = {
        "photo": {"file": "data/photo.jpg"},
        "other": {"file": "raw", "filename": 'a"b.txt', "type": "text/x"},
    }
    body = operation_of({"multipart": step}, files=files).body

    assert isinstance(body, StreamBody)
    assert [piece for piece in body.pieces if isinstance(piece, Path)] == [
        Path("plans/data/photo.jpg"),
        Path("plans/raw"),
    ]
    photo, other = parts_of(rendered(body), body.content_type)
    assert photo[0] == {
        "content-disposition": 'form-data; name="photo"; filename="photo.jpg"',
        "content-type": "image/jpeg",
    }
    assert 'filename="a%22b.txt"' in other[0]["content-disposition"]
    assert other[1] == b"<plans/raw>"


def test_a_row_may_name_the_file() -> None:
    """It lies below the plan's folder, whatever the variable says."""
    step = {"multipart": {"f": {"file": "data/${name}"}}}
    body = operation_of(step, files={"data/a.txt": b""}).body

    assert b"<plans/data/a.txt>" in rendered(body, name="a.txt")
    for name in ("../../etc/passwd", "none.txt"):
        with pytest.raises(EvaluationError) as caught:
            rendered(body, name=name)
        assert name not in caught.value.message


def test_nothing_a_variable_holds_ends_a_part_header() -> None:
    """Line ends and quotes in a name are escaped; in a content type they are refused."""
    step = {"f": {"text": "x", "filename": "${name}", "type": "${type}"}}
    body = operation_of({"multipart": step}).body

    content = rendered(body, name='a"\r\nX-Evil: 1', type="a/b")
    assert b'filename="a%22%0D%0AX-Evil: 1"' in content
    with pytest.raises(EvaluationError):
        rendered(body, name="a", type="a/b\r\nX-Evil: 1")


def test_retry_short_and_long() -> None:
    """A number is how often; `on` replaces what is a reason by default."""
    usual = frozenset({FailureKind.CONNECT, FailureKind.RESET, FailureKind.TIMEOUT})
    assert operation_of({"retry": 2}).retry == Retry(2, 0, usual, range(500, 600))
    assert operation_of({"retry": 0}).retry is None
    long = operation_of({"retry": {"times": 1, "wait": "50ms", "on": ["dns", 429, "3xx"]}}).retry

    assert long == Retry(
        1, 50_000_000, frozenset({FailureKind.DNS}), frozenset({429, *range(300, 400)})
    )


def test_a_steps_own_auth_replaces_the_plans_grant() -> None:
    """Requests that inherit a grant share it; `none` sends no token."""
    oauth2 = {"token_url": "/token", "client_id": "me", "client_secret": "s"}
    plan = compile_http({"base_url": "http://shop.test", "auth": {"oauth2": oauth2}})

    inherited = operation_of({}, http=plan).grant
    own = operation_of({"auth": {"oauth2": oauth2}}, http=plan).grant
    assert inherited is not None
    assert own is not None
    assert inherited.key == own.key
    assert operation_of({"auth": "none"}, http=plan).grant is None


def test_a_grant_needs_a_host() -> None:
    """The token's URL follows the same rules as any other."""
    auth = {"oauth2": {"token_url": "token", "client_id": "me", "client_secret": "s"}}
    faults = compile_request({"get": "http://a.test/", "auth": auth}).faults

    assert [fault.path for fault in faults] == [("auth", "oauth2", "token_url")]
