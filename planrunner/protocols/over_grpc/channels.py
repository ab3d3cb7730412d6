"""Channels of grpc.aio as load needs them: a connection each, no hidden retries, no proxies."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from planrunner.errors import CannotRun
from planrunner.language.files import MAX_READ, FileFault, read_file
from planrunner.protocols.over_grpc.network import grpc

__all__ = ["CHANNEL_OPTIONS", "connect", "open_channel", "tls_credentials"]

CHANNEL_OPTIONS: Final = (
    # Channels with equal settings share a connection unless told not to: a user has its own.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),  # the environment's proxies are ignored, as for HTTP
    ("grpc.enable_retries", 0),  # a failure that gRPC hides would be missing in the results
    # Calls are small and one at a time: these save some 5 % of the processor's time.
    ("grpc.optimization_target", "latency"),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # A server that is restarted is back within a second; the default waits up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 5_000),  # this is how long one attempt may take
    ("grpc.max_reconnect_backoff_ms", 1_000),
)
_WAITING: Final = (grpc.ChannelConnectivity.IDLE, grpc.ChannelConnectivity.CONNECTING)


def open_channel(
    address: str,
    credentials: grpc.ChannelCredentials | None,
    *more: tuple[str, str | int],
) -> grpc.aio.Channel:
    """Return a channel that connects when it is first used; `more` are options over the usual."""
    options = tuple({**dict(CHANNEL_OPTIONS), **dict(more)}.items())
    if credentials is None:
        return grpc.aio.insecure_channel(address, options=options)
    return grpc.aio.secure_channel(address, credentials, options=options)


def tls_credentials(
    ca: Path | None, cert: Path | None, key: Path | None
) -> grpc.ChannelCredentials:
    """Return what makes a channel speak TLS.

    Raises:
        CannotRun: A file can't be read.
    """
    return grpc.ssl_channel_credentials(
        root_certificates=_read(ca), private_key=_read(key), certificate_chain=_read(cert)
    )


def _read(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return read_file(path, most=MAX_READ)
    except FileFault as fault:
        raise CannotRun(f"`{path}` {fault.message}", hint=fault.hint) from fault


async def connect(channel: grpc.aio.Channel, timeout_s: float) -> bool:
    """Wait until there is a connection, or until it is known that there is none now."""
    try:
        async with asyncio.timeout(timeout_s):
            while (state := channel.get_state(try_to_connect=True)) in _WAITING:
                await channel.wait_for_state_change(state)
    except TimeoutError:
        return False
    return state is grpc.ChannelConnectivity.READY
