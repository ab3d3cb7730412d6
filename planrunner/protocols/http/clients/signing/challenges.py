"""What a 401 asks for: `WWW-Authenticate` taken apart (RFC 9110 §11.6.1), and the Digest in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.clients.fault import WireFault
from planrunner.values import dataclass

__all__ = ["DigestChallenge", "digest_challenge", "field_values", "read_challenges"]

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_GAP: Final = re.compile(r"[ \t,]*")
_EQUALS: Final = re.compile(r"[ \t]*=[ \t]*")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE: Final = re.compile(r"([^ \t,]*)")
_TOKEN68: Final = re.compile(r"[ \t]+[A-Za-z0-9\-._~+/]+=*[ \t]*(?=,|$)")
_ANY: Final = re.compile(r".", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)")

_HASHES: Final = {
    word: name
    for word, name in (("md5", "md5"), ("sha-256", "sha256"), ("sha-512-256", "sha512_256"))
    if name in hashlib.algorithms_available
}
"""What hashlib calls the algorithms of RFC 7616, the weakest first."""

_STRENGTH: Final = {name: place for place, name in enumerate(_HASHES)}


@dataclass(frozen=True, slots=True)
class DigestChallenge:
    """One challenge that can be answered.

    Attributes:
        realm: As the header has it, byte for byte in latin-1; so are the other texts.
        opaque: To be said back; None when there is none.
        algorithm: As the server writes it; empty when it leaves the default.
        qop: `auth`, `auth-int`, or empty for servers older than RFC 2617.
        hash_name: What hashlib calls the algorithm.
        is_session: The algorithm ends with `-sess`.
        hides_name: The user's name is sent hashed.
        is_utf8: The server says that it reads names as UTF-8.
        is_stale: Only the nonce was refused.
    """

    realm: str
    nonce: str
    opaque: str | None
    algorithm: str
    qop: str
    hash_name: str
    is_session: bool
    hides_name: bool
    is_utf8: bool
    is_stale: bool


def field_values(head: bytes, name: str) -> list[str]:
    """Return the values of a field in a raw head, in order."""
    wanted = name.lower().encode("ascii")
    pairs = (line.partition(b":") for line in head.splitlines()[1:])
    return [
        value.strip(b" \t").decode("latin-1")
        for key, _, value in pairs
        if key.strip().lower() == wanted
    ]


def read_challenges(value: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield each challenge of a field: its scheme in lower case, and its parameters.

    What can't be read is skipped. Names of parameters are in lower case, and the first of a name
    counts.
    """
    scheme, found = "", dict[str, str]()
    for word, text in _words(value):
        if text is not None and scheme:
            found.setdefault(word, text)
            continue
        if scheme:
            yield scheme, found
        scheme, found = word, {}
    if scheme:
        yield scheme, found


def _words(value: str) -> Iterator[tuple[str, str | None]]:
    """Yield the names of parameters with their values, and schemes, in lower case, with None."""
    at = _end(_GAP, value, 0)
    while at < len(value):
        word = _TOKEN.match(value, at)
        if word is None:
            stray = _QUOTED.match(value, at) if value[at] == '"' else _ANY.match(value, at)
            if stray is None:
                return  # it never ends
            at = _end(_GAP, value, stray.end())
            continue
        equals = _EQUALS.match(value, word.end())
        if equals is None:
            yield word[0].lower(), None
            at = _end(_TOKEN68, value, word.end())
        else:
            found = _QUOTED.match(value, equals.end())
            if found is None and value[equals.end() : equals.end() + 1] == '"':
                return  # it never ends
            found = found or _BARE.match(value, equals.end())
            assert found is not None  # the second matches nothing at least
            yield word[0].lower(), _ESCAPED.sub(r"\1", found[1])
            at = found.end()
        at = _end(_GAP, value, at)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()


def digest_challenge(values: Sequence[str]) -> DigestChallenge | None:
    """Return the strongest Digest challenge of these fields; None when there is none.

    Raises:
        WireFault: There are some, and none can be answered.
    """
    given = [
        params
        for value in values
        for scheme, params in read_challenges(value)
        if scheme == "digest"
    ]
    if not given:
        return None
    reasons = [_reason(params) for params in given]
    usable = [params for params, reason in zip(given, reasons, strict=True) if not reason]
    if not usable:
        words = f"the server's digest challenge can't be answered: {reasons[0]}"
        raise WireFault(FailureKind.PROTOCOL, words)
    return _challenge(max(usable, key=lambda params: _STRENGTH[_algorithm(params)[0]]))


def _algorithm(params: Mapping[str, str]) -> tuple[str, bool]:
    name = params.get("algorithm", "MD5").lower()
    return name.removesuffix("-sess"), name.endswith("-sess")


def _offered(params: Mapping[str, str]) -> list[str]:
    return [word.strip().lower() for word in params.get("qop", "").split(",")]


def _qop(params: Mapping[str, str]) -> str | None:
    offered = _offered(params)
    return next((qop for qop in ("auth", "auth-int") if qop in offered), None)


def _reason(params: Mapping[str, str]) -> str:
    """Return why a challenge can't be answered; empty when it can."""
    for name in ("realm", "nonce"):
        if name not in params:
            return f"it has no `{name}`"
    if _algorithm(params)[0] not in _HASHES:
        return f"it asks for the algorithm `{params['algorithm'][:40]}`"
    if params.get("qop") and _qop(params) is None:
        return f"it asks for `qop={params['qop'][:40]}`"
    return ""


def _challenge(params: Mapping[str, str]) -> DigestChallenge:
    algorithm, is_session = _algorithm(params)
    return DigestChallenge(
        realm=params["realm"],
        nonce=params["nonce"],
        opaque=params.get("opaque"),
        algorithm=params.get("algorithm", ""),
        qop=_qop(params) or "",
        hash_name=_HASHES[algorithm],
        is_session=is_session,
        hides_name=params.get("userhash", "").lower() == "true",
        is_utf8=params.get("charset", "").lower() == "utf-8",
        is_stale=params.get("stale", "").lower() == "true",
    )
