"""AWS signatures beside the published ones."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime

import pytest

from planrunner.protocols.http.clients.signing.sigv4 import (
    AwsKeys,
    AwsSigner,
    CanonicalRequest,
    signature_of,
)
from planrunner.protocols.http.clients.upload import Upload
from planrunner.protocols.http.url import Origin

EMPTY = hashlib.sha256(b"").hexdigest()
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SUITE = AwsKeys("AKIDEXAMPLE", SECRET, "", "us-east-1", "service")
SUITE_HEADERS = (("Host", "example.amazonaws.com"), ("X-Amz-Date", "20150830T123600Z"))
LETTERS = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FORM = ("Content-Type", "application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    ("method", "target", "more", "body", "signature"),
    [
        (
            "GET", "/", (), b"",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "POST", "/", (), b"",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "GET", f"/{LETTERS}", (), b"",
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        (
            "GET", "/ሴ", (), b"",
            "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
        ),
        (
            "GET", "/?Param2=value2&Param1=value1", (), b"",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "GET", f"/?{LETTERS}={LETTERS}", (), b"",
            "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
        ),
        (
            "GET", "/?ሴ=bar", (), b"",
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        ),
        (
            "POST", "/", (FORM,), b"Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ],
)  # fmt: skip
def test_vectors_of_the_test_suite(
    method: str, target: str, more: tuple[tuple[str, str], ...], body: bytes, signature: str
) -> None:
    """AWS's `aws4_testsuite`, whose paths are not encoded yet."""
    canonical = CanonicalRequest.of(
        method,
        target,
        (*SUITE_HEADERS, *more),
        payload=hashlib.sha256(body).hexdigest(),
        keeps_path=False,
    )

    assert signature_of(canonical, SUITE, "20150830T123600Z") == signature


def test_example_of_the_manual() -> None:
    """`ListUsers` of IAM, from the canonical request to the signature."""
    keys = AwsKeys("AKIDEXAMPLE", SECRET, "", "us-east-1", "iam")
    canonical = CanonicalRequest.of(
        "GET",
        "/?Action=ListUsers&Version=2010-05-08",
        [
            ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("Host", "iam.amazonaws.com"),
            ("X-Amz-Date", "20150830T123600Z"),
        ],
        payload=EMPTY,
        keeps_path=False,
    )

    hashed = hashlib.sha256(str(canonical).encode()).hexdigest()
    assert hashed == "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
    assert (
        signature_of(canonical, keys, "20150830T123600Z")
        == "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    )


BUCKET = "examplebucket.s3.amazonaws.com"
S3 = AwsKeys("AKIAIOSFODNN7EXAMPLE", SECRET.replace("+", "/"), "", "us-east-1", "s3")


@pytest.mark.parametrize(
    ("head", "body", "names", "signature"),
    [
        (
            "GET /test.txt HTTP/1.1\nRange: bytes=0-9",
            b"",
            "host;range;x-amz-content-sha256;x-amz-date",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "PUT /test$file.text HTTP/1.1\nDate: Fri, 24 May 2013 00:00:00 GMT\n"
            "x-amz-storage-class: REDUCED_REDUNDANCY",
            b"Welcome to Amazon S3.",
            "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            "GET /?lifecycle HTTP/1.1",
            b"",
            "host;x-amz-content-sha256;x-amz-date",
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "GET /?max-keys=2&prefix=J HTTP/1.1\nUser-Agent: any\nAccept: */*",
            b"",
            "host;x-amz-content-sha256;x-amz-date",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)
def test_examples_of_s3(head: str, body: bytes, names: str, signature: str) -> None:
    """Whole messages, as the manual of S3 signs them on 24 May 2013."""
    first, _, rest = head.partition("\n")
    lines = "\r\n".join([first, f"Host: {BUCKET}", *rest.splitlines()])
    data = lines.encode() + b"\r\n\r\n" + body

    assert signed(data, S3) == f"SignedHeaders={names}, Signature={signature}"


WALL_S = datetime(2013, 5, 24, tzinfo=UTC).timestamp()
ORIGIN = Origin("https", BUCKET, 443)


def sign(
    data: bytes, keys: AwsKeys, *, signer: AwsSigner | None = None, streams: bool = False
) -> bytes:
    used = signer or AwsSigner(ORIGIN, keys)
    return used.sign(data, ORIGIN, {}, WALL_S, is_streamed=streams)


def header(data: bytes, name: str) -> str:
    lines = data.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    found = [line.partition(": ")[2] for line in lines if line.lower().startswith(f"{name}:")]
    assert len(found) <= 1
    return found[0] if found else ""


def signed(data: bytes, keys: AwsKeys) -> str:
    return header(sign(data, keys), "authorization").partition(", ")[2]


GET = f"GET /a HTTP/1.1\r\nHost: {BUCKET}\r\n\r\n".encode()


def test_token_of_temporary_credentials_is_sent_and_signed() -> None:
    """An empty one isn't sent."""
    keys = AwsKeys("id", "key", "tok/en", "eu-west-1", "es")

    data = sign(GET, keys)

    assert header(data, "x-amz-security-token") == "tok/en"
    assert "x-amz-security-token" in header(data, "authorization")
    assert not header(sign(GET, S3), "x-amz-security-token")


def test_what_the_plan_says_of_the_body_is_signed() -> None:
    """Such as that it is not."""
    data = GET.replace(b"\r\n\r\n", b"\r\nX-Amz-Content-SHA256: UNSIGNED-PAYLOAD\r\n\r\n")

    assert header(sign(data, S3), "x-amz-content-sha256") == "UNSIGNED-PAYLOAD"
    assert signed(data, S3) != signed(GET, S3)


@pytest.mark.parametrize(
    ("service", "payload"),
    [("s3", "UNSIGNED-PAYLOAD"), ("execute-api", hashlib.sha256(b"ab").hexdigest())],
)
def test_bodies_that_are_read_while_they_are_sent(service: str, payload: str) -> None:
    """S3 takes them unsigned; for others they are read beforehand."""
    keys = AwsKeys("id", "key", "", "eu-west-1", service)
    signer = AwsSigner(ORIGIN, keys)
    asyncio.run(signer.read(Upload((b"a", b"b"), 2)))

    data = sign(GET, keys, signer=signer, streams=True)

    assert header(data, "x-amz-content-sha256") == payload


def test_another_origin_gets_no_signature() -> None:
    """A redirect there goes on without."""
    other = Origin("https", BUCKET, 444)

    assert AwsSigner(ORIGIN, S3).sign(GET, other, {}, WALL_S, is_streamed=False) == GET


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/a%20b/c", "/a%2520b/c", ""),
        ("/a/./b/../c//d/", "/a/c/d/", ""),
        ("/..", "/", ""),
        ("/a+b?q=x+y&q=%7e&Q=%2B&e", "/a%2Bb", "Q=%2B&e=&q=x%20y&q=~"),
        ("/?b=2&a=z&a=%C3%A9", "/", "a=%C3%A9&a=z&b=2"),
    ],
)
def test_canonical_form(target: str, path: str, query: str) -> None:
    """Paths are tidied and encoded once more, queries sorted by what they are encoded to."""
    made = CanonicalRequest.of("GET", target, (), payload="", keeps_path=False)

    assert (made.path, made.query) == (path, query)


@pytest.mark.parametrize(
    ("target", "path"),
    [("/a b", "/a%20b"), ("/a%20b//./c", "/a%20b//./c"), ("/a+b!%2f", "/a%2Bb%21/")],
)
def test_keys_of_objects_are_paths_as_they_are(target: str, path: str) -> None:
    """Two keys of S3 may differ in a slash only."""
    made = CanonicalRequest.of("GET", target, (), payload="", keeps_path=True)

    assert made.path == path
