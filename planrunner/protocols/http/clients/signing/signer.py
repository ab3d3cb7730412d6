"""What puts credentials into each message of a request, whichever kind they are of."""

from __future__ import annotations

import re
from typing import Final, Protocol

from planrunner.language.expressions.values import Evaluate, EvaluationError, to_text
from planrunner.protocols.base import Scope
from planrunner.protocols.http.clients.signing.digest import Answers, DigestSigner
from planrunner.protocols.http.clients.signing.sigv4 import AwsKeys, AwsSigner
from planrunner.protocols.http.clients.upload import Upload
from planrunner.protocols.http.operation import AwsCredentials, DigestCredentials
from planrunner.protocols.http.url import Origin

__all__ = ["MessageSigner", "signer_of"]


_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class MessageSigner(Protocol):
    """Credentials of one request, all of its hops and tries."""

    async def read(self, upload: Upload) -> None:
        """Look at a body that is read while it is sent, before the request is timed."""

    def sign(
        self, data: bytes, origin: Origin, answers: Answers, wall_s: float, *, is_streamed: bool
    ) -> bytes:
        """Return a message with its credentials.

        Args:
            data: As it would be sent otherwise, the user's headers and cookies included.
            origin: Where it goes; nothing is added for another one than the request's.
            answers: What the user has been challenged with.
            wall_s: Seconds since the epoch.
            is_streamed: Its body is read while it is sent, and no part of `data`.

        Raises:
            WireFault: It can't be signed.
        """

    def wants_again(self, status: int, head: bytes, answers: Answers) -> bool:
        """Look at the reply to a message; True when that is to be signed and sent once more.

        One that was not handed to `sign` is not.

        Raises:
            WireFault: The reply asks for what can't be given.
        """


def signer_of(
    credentials: DigestCredentials | AwsCredentials, origin: Origin, scope: Scope
) -> MessageSigner:
    """Return what signs one request.

    Raises:
        EvaluationError: A value cannot be had, or cannot stand in a header.
    """
    if isinstance(credentials, DigestCredentials):
        username = _in_header(credentials.username, scope, "the username")
        return DigestSigner(origin, username, to_text(credentials.password(scope)))
    keys = AwsKeys(
        _in_header(credentials.access_key, scope, "the access key"),
        to_text(credentials.secret_key(scope)),
        _in_header(credentials.session_token, scope, "the session token"),
        _in_header(credentials.region, scope, "the region"),
        _in_header(credentials.service, scope, "the service"),
    )
    return AwsSigner(origin, keys)


def _in_header(evaluate: Evaluate | None, scope: Scope, what: str) -> str:
    value = None if evaluate is None else evaluate(scope)
    text = "" if value is None else to_text(value)
    if _CONTROL.search(text):
        raise EvaluationError(f"{what} has characters that no header can hold")
    return text
