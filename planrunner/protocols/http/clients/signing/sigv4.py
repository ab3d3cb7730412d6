"""AWS Signature Version 4: a message, its canonical form, and the signature of that.

Signed are what AWS wants signed and what the signature is of no use without: `Host`, the headers
that say what the body and the range are, and all of `X-Amz-*`. What proxies and clients change on
the way is left out.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from posixpath import normpath
from typing import Final
from urllib.parse import quote, unquote_plus, unquote_to_bytes

from planrunner.protocols.http.clients.fault import WireFault
from planrunner.protocols.http.clients.rewrite import (
    EMPTY_LINE,
    add_lines,
    method_of,
    target_of,
    without,
)
from planrunner.protocols.http.clients.upload import Upload
from planrunner.protocols.http.url import Origin
from planrunner.values import dataclass

__all__ = ["AwsKeys", "AwsSigner", "CanonicalRequest", "signature_of"]

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_UNSIGNED: Final = "UNSIGNED-PAYLOAD"
_HASH_FIELD: Final = "x-amz-content-sha256"
_SIGNED: Final = frozenset({"host", "content-type", "content-md5", "range", "date"})
_OURS: Final = frozenset({"x-amz-date", "x-amz-security-token"})

_OBJECT_STORES: Final = frozenset({"s3", "s3express", "s3-object-lambda", "s3-outposts"})
"""Paths are keys there, so they are signed as they are; and bodies may go unsigned."""


@dataclass(frozen=True, slots=True)
class AwsKeys:
    """Whose signature it is, and what for."""

    access_key: str
    secret_key: str
    session_token: str
    region: str
    service: str

    def scope(self, day: str) -> str:
        return f"{day}/{self.region}/{self.service}/aws4_request"


@dataclass(frozen=True, slots=True)
class CanonicalRequest:
    """What is signed of a message.

    Attributes:
        headers: Names in lower case with their values, sorted.
        payload: The hash of the body, or what stands for it.
    """

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    payload: str

    @classmethod
    def of(
        cls,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        *,
        payload: str,
        keeps_path: bool,
    ) -> CanonicalRequest:
        """Make it of a message as it is sent, and of those of its headers that are signed."""
        path, _, query = target.partition("?")
        values: dict[str, list[str]] = {}
        for name, value in headers:
            values.setdefault(name.lower(), []).append(" ".join(value.split()))
        return cls(
            method,
            _key_path(path) if keeps_path else _path(path),
            _query(query),
            tuple((name, ",".join(values[name])) for name in sorted(values)),
            payload,
        )

    @property
    def names(self) -> str:
        """What the signature says it covers."""
        return ";".join(name for name, _ in self.headers)

    def __str__(self) -> str:
        lines = [f"{name}:{value}\n" for name, value in self.headers]
        parts = (self.method, self.path, self.query, "".join(lines), self.names, self.payload)
        return "\n".join(parts)


def _path(path: str) -> str:
    """Encode a path that is encoded already once more, as all services but S3 want it."""
    tidy = normpath(path)
    if tidy.startswith("//"):
        tidy = tidy[1:]
    if path.endswith("/") and tidy != "/":
        tidy += "/"
    return quote(tidy, safe="/-._~")


def _key_path(path: str) -> str:
    """Encode all that S3 encodes, whether the plan has or not."""
    return quote(unquote_to_bytes(path), safe="/-._~")


def _query(query: str) -> str:
    pairs = []
    for item in query.split("&") if query else ():
        name, _, value = item.partition("=")
        pairs.append((_query_part(name), _query_part(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _query_part(text: str) -> str:
    return quote(
        unquote_plus(text, errors="surrogateescape"), safe="-._~", errors="surrogateescape"
    )


def signature_of(canonical: CanonicalRequest, keys: AwsKeys, moment: str) -> str:
    """Sign it, in hexadecimal.

    Args:
        canonical: What is signed.
        keys: Whose signature it is.
        moment: As `X-Amz-Date` says it: `20150830T123600Z`.
    """
    day = moment[:8]
    hashed = hashlib.sha256(str(canonical).encode("utf-8", "surrogateescape")).hexdigest()
    text = "\n".join([_ALGORITHM, moment, keys.scope(day), hashed])
    key = _signing_key(keys.secret_key, day, keys.region, keys.service)
    return hmac.new(key, text.encode("utf-8"), "sha256").hexdigest()


@lru_cache(maxsize=4096)
def _signing_key(secret_key: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret_key}".encode("utf-8", "replace")
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode("utf-8", "replace"), "sha256")
    return key


class AwsSigner:
    """Signs the messages of one request; see `MessageSigner`.

    Args:
        origin: Of the request: a redirect to another one takes no signature there.
    """

    __slots__ = ("_fault", "_keys", "_origin", "_payload")

    def __init__(self, origin: Origin, keys: AwsKeys) -> None:
        self._origin = origin
        self._keys = keys
        self._payload = ""
        self._fault: WireFault | None = None

    async def read(self, upload: Upload) -> None:
        """Hash the files of a body before its time is measured; S3 takes it unsigned."""
        if self._keys.service in _OBJECT_STORES:
            self._payload = _UNSIGNED
            return
        try:
            self._payload = await asyncio.to_thread(upload.sha256)
        except WireFault as fault:
            self._fault = fault

    def sign(
        self, data: bytes, origin: Origin, answers: object, wall_s: float, *, is_streamed: bool
    ) -> bytes:
        del answers
        if origin != self._origin:
            return data
        if self._fault is not None:
            raise self._fault
        keys, moment = self._keys, _moment(wall_s)
        data = without(data, _OURS)
        lines = [f"X-Amz-Date: {moment}"]
        if keys.session_token:
            lines.append(f"X-Amz-Security-Token: {keys.session_token}")
        headers = _headers(data)
        # What the plan itself says of it, such as `UNSIGNED-PAYLOAD`.
        payload = next((value for name, value in headers if name == _HASH_FIELD), "").strip()
        if not payload:
            body = data.partition(EMPTY_LINE)[2]
            payload = self._payload if is_streamed else hashlib.sha256(body).hexdigest()
            lines.append(f"X-Amz-Content-Sha256: {payload}")
        added = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
        canonical = CanonicalRequest.of(
            method_of(data),
            target_of(data),
            [*headers, *added],
            payload=payload,
            keeps_path=keys.service in _OBJECT_STORES,
        )
        signature = signature_of(canonical, keys, moment)
        lines.append(
            f"Authorization: {_ALGORITHM} Credential={keys.access_key}/{keys.scope(moment[:8])}, "
            f"SignedHeaders={canonical.names}, Signature={signature}"
        )
        return add_lines(data, "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace"))

    def wants_again(self, status: int, head: bytes, answers: object) -> bool:
        """Return False: a signature that was refused would be refused again."""
        del status, head, answers
        return False


def _moment(wall_s: float) -> str:
    return datetime.fromtimestamp(int(wall_s), UTC).strftime("%Y%m%dT%H%M%SZ")


def _headers(data: bytes) -> list[tuple[str, str]]:
    """Return the headers of a message that are signed."""
    head = data[: data.index(EMPTY_LINE)].decode("utf-8", "surrogateescape")
    found = []
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        name = name.lower()
        if name in _SIGNED or name.startswith("x-amz-"):
            found.append((name, value))
    return found
