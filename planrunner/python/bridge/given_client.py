"""The HTTP client that a caller of the bridge brings: its base URL, its headers, its requests."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import Final, cast

from planrunner.errors import UsageError
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["GivenClient", "GivenReply", "timed_reply"]

_OF_A_CONNECTION: Final = frozenset(
    {"accept-encoding", "connection", "content-length", "host", "transfer-encoding"}
)
"""Headers that say what a client can read or how it is connected: planrunner sends its own."""

_FIRST_FAILURE: Final = 400


@dataclass(frozen=True, slots=True)
class GivenReply:
    """How one request ended.

    Attributes:
        failure: `status`, `timeout` or `error`; empty for a success.
        reason: What failed, in words.
    """

    seconds: float
    failure: str = ""
    reason: str = ""


class GivenClient:
    """A client of any library: what it has of `base_url`, `headers`, `get` … and `close` counts."""

    def __init__(self, client: object) -> None:
        self._client = client

    @property
    def can_send(self) -> bool:
        """Whether it sends requests itself."""
        return callable(getattr(self._client, "get", None))

    @property
    def headers(self) -> dict[str, str]:
        """What it sends with every request, but what belongs to its connections."""
        found = getattr(self._client, "default_headers", None)
        if found is None:
            found = getattr(self._client, "headers", None)
        if not hasattr(found, "items"):
            return {}
        pairs = {str(name): str(value) for name, value in cast("Mapping[str, str]", found).items()}
        return {name: text for name, text in pairs.items() if name.lower() not in _OF_A_CONNECTION}

    def absolute(self, url: str) -> str:
        """Return where a URL leads that may be relative to the client's `base_url`.

        Raises:
            UsageError: It is relative, and there is nothing that it could be relative to.
        """
        if "://" in url:
            return url
        base = str(getattr(self._client, "base_url", None) or "")
        if not base:
            hint = "give an absolute one, or http_client=… with a `base_url`"
            raise UsageError(f"target_url: `{url}` is relative", hint=hint)
        return f"{base.rstrip('/')}/{url.lstrip('/')}"

    def sender(self, method: str) -> Callable[..., object]:
        """Return the client's function for a method.

        Raises:
            UsageError: It has none.
        """
        send = getattr(self._client, method.lower(), None)
        if not callable(send):
            hint = f"give a client with a method `{method.lower()}`, such as httpx.AsyncClient"
            raise UsageError(f"the HTTP client sends no {method.upper()}", hint=hint)
        return cast("Callable[..., object]", send)

    async def close(self) -> None:
        """Close it, by `aclose` or `close`, whichever it has."""
        for name in ("aclose", "close"):
            close = getattr(self._client, name, None)
            if callable(close):
                await _awaited(close())
                return


async def timed_reply(send: Callable[..., object], url: str, **keywords: object) -> GivenReply:
    """Send a request, and return how it ended; an exception is a failure."""
    begin_ns = time.perf_counter_ns()
    try:
        reply = await _awaited(send(url, **keywords))
    except Exception as error:  # noqa: BLE001 - whichever library it is of, the request failed
        seconds = (time.perf_counter_ns() - begin_ns) / NS_PER_S
        kind = "timeout" if "timeout" in type(error).__name__.lower() else "error"
        return GivenReply(seconds, kind, f"{type(error).__name__}: {error}")
    seconds = (time.perf_counter_ns() - begin_ns) / NS_PER_S
    status = getattr(reply, "status_code", getattr(reply, "status", None))
    if isinstance(status, int) and status >= _FIRST_FAILURE:
        return GivenReply(seconds, "status", f"status {status}")
    return GivenReply(seconds)


async def _awaited(answer: object) -> object:
    return await cast("Awaitable[object]", answer) if isawaitable(answer) else answer
