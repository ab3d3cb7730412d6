"""Sends what outputs have over HTTP, and says of each failure whether to try again."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import httpx

from planrunner.outputs.sending import Refused, Unreachable

__all__ = ["HttpSender"]

_TIMEOUT_S: Final = 10.0
_MOST_SHOWN: Final = 200

_TRY_AGAIN: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_CREDENTIALS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class HttpSender:
    """A client for one server.

    Args:
        url: Of the server, for messages and to know whether it needs TLS; a user and a password in
            it are sent as basic authentication.
        headers: Of every request.
    """

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        parsed = _parsed(url)
        self._shown = f"{parsed.scheme}://{parsed.netloc.decode('ascii')}"
        auth = (parsed.username, parsed.password) if parsed.username else None
        self._client = httpx.AsyncClient(
            headers=headers,
            auth=auth,
            timeout=_TIMEOUT_S,
            # Certificates take a tenth of a second to load.
            verify=parsed.scheme == "https",
        )

    async def send(
        self,
        method: str,
        url: str,
        *,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> bytes:
        """Send a request, and return the body of a good reply.

        Raises:
            Unreachable: Another attempt may succeed: no reply, 408, 429 or 5xx.
            Refused: Any other reply.
        """
        try:
            reply = await self._client.request(
                method, url, content=content, headers=headers, params=params
            )
        except httpx.LocalProtocolError as error:  # which shows the header
            what = "a token or header with a line break can't be sent"
            raise Refused(f"{what} to `{self._shown}`", hint="correct its credentials") from error
        except httpx.TransportError as error:
            is_late = isinstance(error, httpx.TimeoutException)
            why = f"{_TIMEOUT_S:.0f} s passed" if is_late else str(error) or type(error).__name__
            raise Unreachable(
                f"no answer from `{self._shown}`: {why}", hint="start it, or correct its address"
            ) from error
        if reply.is_success:
            return reply.content
        raise self._failure(reply)

    def _failure(self, reply: httpx.Response) -> Unreachable | Refused:
        said = " ".join(reply.text.split())[:_MOST_SHOWN]
        what = f"`{self._shown}` answered {reply.status_code} {reply.reason_phrase}".rstrip()
        what = f"{what}: {said}" if said else what
        if reply.is_server_error or reply.status_code in _TRY_AGAIN:
            return Unreachable(what, after_s=_seconds(reply.headers.get("Retry-After", "")))
        hint = "correct its credentials" if reply.status_code in _CREDENTIALS else ""
        return Refused(what, hint=hint)

    async def close(self) -> None:
        await self._client.aclose()


def _parsed(url: str) -> httpx.URL:
    """Return a URL.

    Raises:
        Refused: It is none that a request can be sent to.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise Refused(f"`{url}` is not a URL: {error}") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise Refused(f"`{url}` is not a URL", hint="write one such as `http://localhost:8086`")
    return parsed


def _seconds(text: str) -> float:
    """Return the seconds of a `Retry-After`; 0 for a date, which the next attempts find out."""
    return float(text) if text.isascii() and text.isdigit() else 0.0
