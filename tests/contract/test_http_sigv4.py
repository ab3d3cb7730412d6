"""How every HTTP client signs what it sends, checked by a server that knows AWS's manual only."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.operation import (
    AwsCredentials,
    Body,
    QueryItem,
    Retry,
    StaticBody,
    StreamBody,
)
from tests.support.aws_server import AwsServer
from tests.support.http_servers import HttpServer, serve
from tests.support.http_users import HttpUnderTest, TestUser, converse

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def keys(service: str = "s3", *, secret: str = SECRET, token: str = "") -> AwsCredentials:
    return AwsCredentials(
        access_key=lambda _: "AKIDEXAMPLE",
        secret_key=lambda _: secret,
        session_token=lambda _: token,
        region=lambda _: "eu-west-1",
        service=lambda _: service,
    )


@pytest.mark.parametrize("service", ["s3", "execute-api"])
@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("GET", "/", None),
        ("GET", "/a b/ä?x=1&y=a b&x=%2F", None),
        ("DELETE", "/a+b!(1)?uploads", None),
        ("PUT", "/key", StaticBody(b"content\r\n\r\n", "text/plain")),
        ("POST", "/", StaticBody(b"x" * 200_000)),
        ("HEAD", "/key", None),
    ],
)
def test_servers_take_the_signature(
    http: HttpUnderTest, service: str, method: str, target: str, body: Body | None
) -> None:
    """Of any method, path, query and body; one sample without any retry."""
    checking = AwsServer(SECRET, service=service)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(
            server.origin,
            target,
            method=method,
            body=body,
            query=(QueryItem(("q",), "a+b c/d"),),
            headers={"X-Amz-Meta-A": "1", "Range": "bytes=0-9"},
            signature=keys(service, token="to/ken+"),
        )
        assert (got.failure, got.status, got.retries) == (None, 200, 0)

    converse(http, checking.respond, scenario)
    assert checking.verdicts == ["ok"]


def test_what_a_user_carries_is_signed(http: HttpUnderTest) -> None:
    """Headers that a step has set count as the plan's; cookies go unsigned beside them."""
    checking = AwsServer(SECRET, moved={"/set": "/done"})

    async def scenario(user: TestUser, server: HttpServer) -> None:
        user.session.set_header("X-Amz-Acl", "private")
        assert (await user.get(server.origin, "/set", signature=keys())).status == 200
        assert server.requests[1].headers["cookie"] == "a=1"
        assert server.requests[1].headers["x-amz-acl"] == "private"

    converse(http, checking.respond, scenario)
    assert checking.verdicts == ["ok", "ok"]


def test_another_origin_gets_no_signature(http: HttpUnderTest) -> None:
    """Nor the token: a redirect to another port goes on without."""
    other_checks = AwsServer(SECRET)

    async def scenario() -> None:
        async with serve(other_checks.respond) as other:
            checking = AwsServer(SECRET, moved={"/away": f"{other.url}/there"})
            async with serve(checking.respond) as server, http.user() as user:
                got = await user.get(server.origin, "/away", signature=keys(token="token"))
                assert got.status == 403
            assert checking.verdicts == ["ok"]
            assert "x-amz-security-token" not in other.requests[0].headers

    http.run(scenario)
    assert other_checks.verdicts == ["unsigned"]


@pytest.mark.parametrize(
    ("service", "said"),
    [("s3", "UNSIGNED-PAYLOAD"), ("glacier", sha256(b"<" + b"x" * 300_000).hexdigest())],
)
def test_files_are_not_kept_in_memory_to_sign_them(
    http: HttpUnderTest, tmp_path: Path, service: str, said: str
) -> None:
    """S3 takes them unsigned; for others they are read twice, before the sample begins."""
    file = tmp_path / "a file"
    file.write_bytes(b"x" * 300_000)
    checking = AwsServer(SECRET, service=service)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        body = StreamBody((b"<", file))
        got = await user.get(server.origin, method="PUT", body=body, signature=keys(service))
        assert (got.failure, got.status) == (None, 200)

    converse(http, checking.respond, scenario)
    assert (checking.verdicts, checking.payloads) == (["ok"], [said])


def test_a_file_that_is_gone_is_a_failure(http: HttpUnderTest, tmp_path: Path) -> None:
    """Also when it goes between the first look at it and its hash."""
    file = tmp_path / "a file"
    file.write_bytes(b"x")

    def vanishing(_: object) -> bytes:
        file.unlink()
        return b""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        body = StreamBody((file, vanishing))
        got = await user.get(server.origin, method="PUT", body=body, signature=keys("es"))
        assert (got.failure, got.sent) == (FailureKind.PROTOCOL, 0)
        assert "`a file`" in got.detail

    converse(http, AwsServer(SECRET).respond, scenario)


def test_a_refused_signature_is_a_reply(http: HttpUnderTest) -> None:
    """It would be refused again; `retry` is the plan's affair, and signs anew."""
    checking = AwsServer("another")

    async def scenario(user: TestUser, server: HttpServer) -> None:
        retry = Retry(1, 0, frozenset(), range(403, 404))
        got = await user.get(server.origin, signature=keys(), retry=retry)
        assert (got.failure, got.status, got.body, got.retries) == (None, 403, b"signature", 1)

    converse(http, checking.respond, scenario)


def test_what_a_user_sets_itself_is_sent_instead(http: HttpUnderTest) -> None:
    """A `header` step takes the place of the signature."""
    checking = AwsServer(SECRET)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        user.session.set_header("Authorization", "own")
        await user.get(server.origin, signature=keys())

    converse(http, checking.respond, scenario)
    assert checking.verdicts == ["unreadable: own"]
