"""HTTP Digest (RFC 7616): a server's challenge, answered, and answered again without being asked.

A user keeps the last challenge of each origin. Its first request goes out bare, comes back with a
401, and is sent again; later ones carry an answer at once, each with the next `nc`.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.clients.fault import WireFault
from planrunner.protocols.http.clients.rewrite import EMPTY_LINE, add_lines, method_of, target_of
from planrunner.protocols.http.clients.signing.challenges import (
    DigestChallenge,
    digest_challenge,
    field_values,
    read_challenges,
)
from planrunner.protocols.http.clients.upload import Upload
from planrunner.protocols.http.url import Origin
from planrunner.values import dataclass

__all__ = ["Answers", "DigestAnswer", "DigestSigner", "answer_line"]

_UNAUTHORIZED: Final = 401
_MOST_ANSWERS: Final = 3
"""In one request: a server whose nonces are always stale is not asked for ever."""

_MOST_HELD: Final = 64
"""By one user: a plan may draw other credentials for each request."""

_INFO: Final = re.compile(rb"(?i)\nauthentication-info[ \t]*:")


@dataclass(frozen=True, slots=True)
class DigestAnswer:
    """All that one message's answer is made of.

    Attributes:
        count: How often the nonce has been used, this time included.
        body: What `auth-int` covers.
    """

    challenge: DigestChallenge
    username: str
    password: str
    method: str
    uri: str
    cnonce: str
    count: int
    body: bytes = b""

    @property
    def response(self) -> str:
        """What proves that the password is known (RFC 7616 §3.4.1)."""
        challenge, digest = self.challenge, self._digest
        secret = digest(b":".join([*self._user(), self.password.encode("utf-8", "replace")]))
        nonce, cnonce = challenge.nonce.encode("latin-1"), self.cnonce.encode("ascii")
        if challenge.is_session:
            secret = digest(b"%b:%b:%b" % (secret, nonce, cnonce))
        message = f"{self.method}:{self.uri}".encode("ascii")
        if challenge.qop == "auth-int":
            message += b":" + digest(self.body)
        between = [nonce]
        if challenge.qop:
            between += [b"%08x" % self.count, cnonce, challenge.qop.encode("ascii")]
        return digest(b":".join([secret, *between, digest(message)])).decode("ascii")

    @property
    def hashed_name(self) -> str:
        """The user's name as `userhash` sends it (RFC 7616 §3.4.4)."""
        return self._digest(b":".join(self._user())).decode("ascii")

    def _user(self) -> tuple[bytes, bytes]:
        return self.username.encode("utf-8", "replace"), self.challenge.realm.encode("latin-1")

    def _digest(self, data: bytes) -> bytes:
        made = hashlib.new(self.challenge.hash_name, data, usedforsecurity=False)
        return made.hexdigest().encode("ascii")


def answer_line(answer: DigestAnswer) -> bytes:
    """Return the header line that carries an answer."""
    challenge = answer.challenge
    fields = [
        _name_field(answer),
        f"realm={_quoted(challenge.realm)}",
        f"nonce={_quoted(challenge.nonce)}",
        f"uri={_quoted(answer.uri)}",
        f'response="{answer.response}"',
    ]
    if challenge.algorithm:
        fields.append(f"algorithm={challenge.algorithm}")
    if challenge.qop or challenge.is_session:
        fields.append(f'cnonce="{answer.cnonce}"')
    if challenge.opaque is not None:
        fields.append(f"opaque={_quoted(challenge.opaque)}")
    if challenge.qop:
        fields.append(f"qop={challenge.qop}, nc={answer.count:08x}")
    if challenge.hides_name:
        fields.append("userhash=true")
    return f"Authorization: Digest {', '.join(fields)}\r\n".encode("latin-1")


def _name_field(answer: DigestAnswer) -> str:
    name, challenge = answer.username, answer.challenge
    if challenge.hides_name:
        return f'username="{answer.hashed_name}"'
    if challenge.is_utf8 and not name.isascii():
        return f"username*=UTF-8''{quote(name, safe='', errors='replace')}"
    return f"username={_quoted(name.encode('utf-8', 'replace').decode('latin-1'))}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class _HeldChallenge:
    """A challenge that a user answers in every message until the server has another one."""

    __slots__ = ("challenge", "cnonce", "count")

    def __init__(self, challenge: DigestChallenge) -> None:
        self.challenge = challenge
        self.cnonce = secrets.token_hex(16)
        self.count = 0

    def renew(self, nonce: str) -> None:
        """Use another nonce of the same challenge from now on."""
        self.challenge = replace(self.challenge, nonce=nonce)
        self.count = 0


Answers = dict[tuple[Origin, str, str], _HeldChallenge]
"""What a user has been challenged with, by where, its name and its password."""


class DigestSigner:
    """Answers for one request; see `MessageSigner`.

    Args:
        origin: Of the request: a redirect to another one takes no answer there.
    """

    __slots__ = ("_answered", "_has_signed", "_key", "_origin", "_used")

    def __init__(self, origin: Origin, username: str, password: str) -> None:
        self._origin = origin
        self._key = (origin, username, password)
        self._answered = 0
        self._has_signed = False
        self._used: _HeldChallenge | None = None

    async def read(self, upload: Upload) -> None:
        """Do nothing: no answer covers a body that is read while it is sent."""

    def sign(
        self, data: bytes, origin: Origin, answers: Answers, wall_s: float, *, is_streamed: bool
    ) -> bytes:
        del wall_s
        self._has_signed = origin == self._origin
        held = self._used = answers.get(self._key) if self._has_signed else None
        if held is None:
            return data
        if is_streamed and held.challenge.qop == "auth-int":
            words = (
                "the server's digest challenge can't be answered: it asks for `qop=auth-int`, "
                "which takes the whole body before it is sent, and this body is read from a file"
            )
            raise WireFault(FailureKind.PROTOCOL, words)
        held.count += 1
        _, username, password = self._key
        answer = DigestAnswer(
            challenge=held.challenge,
            username=username,
            password=password,
            method=method_of(data),
            uri=target_of(data),
            cnonce=held.cnonce,
            count=held.count,
            body=data.partition(EMPTY_LINE)[2],
        )
        return add_lines(data, answer_line(answer))

    def wants_again(self, status: int, head: bytes, answers: Answers) -> bool:
        if not self._has_signed:
            return False
        self._has_signed = False
        if status != _UNAUTHORIZED:
            self._take_next_nonce(head)
            return False
        challenge = digest_challenge(field_values(head, "www-authenticate"))
        if challenge is None:
            return False
        # One that was kept from an earlier request may have been forgotten by its server, which
        # needn't say `stale`.
        is_refusal = self._answered > 0 and self._used is not None and not challenge.is_stale
        if is_refusal or self._answered == _MOST_ANSWERS:
            answers.pop(self._key, None)
            return False
        self._answered += 1
        if len(answers) >= _MOST_HELD and self._key not in answers:
            del answers[next(iter(answers))]
        answers[self._key] = _HeldChallenge(challenge)
        return True

    def _take_next_nonce(self, head: bytes) -> None:
        held = self._used
        if held is None or not _INFO.search(head):
            return
        for value in field_values(head, "authentication-info"):
            # The field has parameters and no scheme.
            for _, params in read_challenges(f"info {value}"):
                if nonce := params.get("nextnonce"):
                    held.renew(nonce)
