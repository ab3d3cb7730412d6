"""Filters that sign and digest: `hash`, `hmac` and `jwt`."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Final

from planrunner.language.expressions.values import EvaluationError, kind_of, to_text

__all__ = ["digest", "json_web_token", "keyed_digest"]

_ALGORITHMS: Final = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
_TOKENS: Final[Mapping[str, str]] = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
"""RFC 7518, 3.2: what a shared secret signs."""


def digest(value: object, algorithm: str = "sha256", encoding: str = "hex") -> object:
    """Return the digest of a text or bytes: `hex`, `base64`, or the `bytes` themselves."""
    return _encoded(hashlib.new(_known(algorithm), _data(value)).digest(), encoding)


def keyed_digest(
    value: object, key: object, algorithm: str = "sha256", encoding: str = "hex"
) -> object:
    """Return the HMAC of a text or bytes (RFC 2104)."""
    made = hmac.new(_data(key), _data(value), _known(algorithm))
    return _encoded(made.digest(), encoding)


def json_web_token(
    value: object, key: object, algorithm: str = "HS256", header: object = None
) -> str:
    """Return claims as a signed token (RFC 7519, RFC 7515); `header` adds to its header."""
    if not isinstance(value, Mapping):
        raise EvaluationError(f"the claims of a token are a mapping, not {kind_of(value)}")
    if algorithm not in _TOKENS:
        raise EvaluationError(f"a token is signed with {', '.join(_TOKENS)}, not `{algorithm}`")
    if header is not None and not isinstance(header, Mapping):
        raise EvaluationError(f"the header of a token is a mapping, not {kind_of(header)}")
    parts = ({"alg": algorithm, "typ": "JWT", **(header or {})}, value)
    signed = b".".join(_url(to_text(part).encode()) for part in parts)
    signature = hmac.new(_data(key), signed, _TOKENS[algorithm]).digest()
    return (signed + b"." + _url(signature)).decode("ascii")


def _url(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _data(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | bytearray) else to_text(value).encode()


def _known(algorithm: object) -> str:
    if algorithm not in _ALGORITHMS:
        raise EvaluationError(f"`{algorithm}` is none of {', '.join(_ALGORITHMS)}")
    return str(algorithm)


def _encoded(data: bytes, encoding: object) -> object:
    match encoding:
        case "hex":
            return data.hex()
        case "base64":
            return b64encode(data).decode("ascii")
        case "bytes":
            return data
        case _:
            raise EvaluationError(f"`{encoding}` is none of hex, base64, bytes")
