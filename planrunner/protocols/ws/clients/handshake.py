"""The handshake: an HTTP request as the user would send it, and what picows makes of the answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from picows import WSAutoPingStrategy, WSUpgradeRequest, WSUpgradeResponse
from picows import WSError as PicowsError
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # its types leave it out

from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.clients.fault import WireFault, map_tls_failure
from planrunner.protocols.http.clients.heads.head import status_named
from planrunner.protocols.http.url import Origin
from planrunner.protocols.ws.clients.answer import HandshakeAnswer
from planrunner.protocols.ws.clients.connection import WsConnection
from planrunner.protocols.ws.clients.deflate import OFFER, accepted
from planrunner.protocols.ws.clients.opening import SocketConnector
from planrunner.protocols.ws.reply import WsReply
from planrunner.values import dataclass

__all__ = ["Offer", "shake_hands"]

SWITCHING: Final = 101

_OWN: Final = frozenset({"upgrade", "connection"})
"""Headers, beside `Sec-WebSocket-…`, that picows sends."""

_BUFFER: Final = 4096
_UNUSED: Final = 20
"""Seconds between pings, and to wait for the answers: `WsClient` pings itself."""

_QUIET: Final = logging.getLogger("planrunner.ws")
_QUIET.setLevel(logging.CRITICAL + 1)
"""What picows says goes into replies and not into logs."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a handshake offers: subprotocols, the best first, and whether to compress."""

    subprotocols: tuple[str, ...] = ()
    compresses: bool = True


def headers_of(data: bytes, offer: Offer) -> list[tuple[str, str]]:
    """Return the headers of a GET that goes out as a handshake, without those of picows."""
    lines = data.decode("latin-1").split("\r\n")[1:]
    pairs = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    kept = [
        (name, value)
        for name, value in pairs
        if name and name.lower() not in _OWN and not name.lower().startswith("sec-websocket-")
    ]
    if offer.subprotocols:
        kept.append(("Sec-WebSocket-Protocol", ", ".join(offer.subprotocols)))
    if offer.compresses:
        kept.append(("Sec-WebSocket-Extensions", OFFER))
    return kept


async def shake_hands(  # noqa: PLR0913 - what a handshake takes
    connection: WsConnection,
    reply: WsReply,
    *,
    connector: SocketConnector,
    number: int,
    origin: Origin,
    data: bytes,
    offer: Offer,
    now_ns: Callable[[], int],
    max_size: int,
) -> None:
    """Open `connection` and note in `reply` how; one with another status than 101 opens nothing.

    Args:
        connection: Gets the frames.
        reply: Has been asked for already.
        connector: Opens connections.
        number: Of the user, for what it connects from.
        origin: Where to.
        data: The GET, as the user sends it.
        offer: What goes into it besides.
        now_ns: The clock.
        max_size: Bytes of a frame.

    Raises:
        WireFault: There is no connection, or what answers does not speak WebSocket.
    """
    sent = data.partition(b"\r\n\r\n")[0]
    target = sent.split(b" ", 2)[1].decode("ascii")

    def asked() -> None:
        reply.sent_ns = now_ns()
        reply.connects, reply.connect_ns = 1, reply.sent_ns - reply.asked_ns
        reply.sent = len(data)

    def agree(request: WSUpgradeRequest, response: WSUpgradeResponse) -> WsConnection:
        del request
        reply.first_byte_ns = now_ns()
        reply.status, reply.head = SWITCHING, answer.head + b"\r\n"
        _agree_on(connection, response, offer)
        return connection

    frames = _frames(origin, target, agree, headers_of(sent, offer), max_size)
    answer = HandshakeAnswer(frames, asked)
    try:
        await connector.open(origin, number, answer)
        await frames.wait_until_handshake_complete()
    except PicowsError as error:
        _take_answer(reply, error, now_ns())
        return
    except OSError as fault:
        if not reply.connects:
            raise map_tls_failure(fault, f"{origin.host}:{origin.port}") from fault
        raise _unanswered(fault) from fault
    except BaseException:
        answer.abort()
        raise
    if frames.listener is None:
        raise _unanswered(None)
    connection.transport = frames.transport


def _frames(
    origin: Origin,
    target: str,
    agree: Callable[[WSUpgradeRequest, WSUpgradeResponse], WsConnection],
    headers: Sequence[tuple[str, str]],
    max_size: int,
) -> Any:  # noqa: ANN401 - it has no types
    """Return picows' protocol, which `ws_connect` makes too: that reads answers by itself."""
    return WSProtocol(
        origin.authority,
        target,
        True,  # noqa: FBT003 - all are positional: a client
        agree,
        _QUIET,
        True,  # noqa: FBT003 - an exception of the listener's ends the connection
        None,  # who waits has a time limit
        False,  # noqa: FBT003 - no pings of its own
        _UNUSED,
        _UNUSED,
        WSAutoPingStrategy.PING_WHEN_IDLE,
        False,  # noqa: FBT003 - nor pongs
        max_size,
        headers,
        _BUFFER,
    )


def _unanswered(fault: OSError | None) -> WireFault:
    how = "the server closed the connection" if fault is None else str(fault).lower()
    return WireFault(FailureKind.RESET, f"{how} before it answered the handshake")


def _agree_on(connection: WsConnection, response: WSUpgradeResponse, offer: Offer) -> None:
    """Speak as the answer says; raises WireFault where nothing like that was offered."""
    headers = response.headers
    _check_subprotocol(headers.getall("Sec-WebSocket-Protocol", []), offer)
    extensions = ", ".join(headers.getall("Sec-WebSocket-Extensions", []))
    connection.deflate = accepted(extensions, offered=offer.compresses)


def _check_subprotocol(answered: list[str], offer: Offer) -> None:
    if not answered:
        if offer.subprotocols:
            words = f"the server took none of the subprotocols {', '.join(offer.subprotocols)}"
            raise WireFault(FailureKind.PROTOCOL, words)
        return
    if len(answered) > 1 or answered[0].strip() not in offer.subprotocols:
        words = f"the server answered with the subprotocol `{answered[0][:60]}`, not offered"
        raise WireFault(FailureKind.PROTOCOL, words)


def _take_answer(reply: WsReply, error: PicowsError, now_ns: int) -> None:
    """Note an answer that is no handshake: another status, or nonsense.

    Raises:
        WireFault: It is nonsense.
    """
    head = getattr(error, "raw_header", None) or b""
    status = status_named(head + b"\r\n")  # picows leaves out how it ends
    reply.first_byte_ns = now_ns
    if status and status != SWITCHING:
        reply.status, reply.head = status, head
        reply.body = getattr(error, "raw_body", None) or b""
        reply.received = len(reply.body)
        return
    raise WireFault(FailureKind.PROTOCOL, f"the answer is not a handshake: {_words(error)}")


def _words(error: PicowsError) -> str:
    return str(error).removeprefix("cannot upgrade, ")[:200]
