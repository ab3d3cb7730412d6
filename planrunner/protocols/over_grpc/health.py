"""Asks gRPC's health service whether a server, or one of its services, is ready."""

from __future__ import annotations

from typing import Final

from planrunner.protocols.over_grpc.channels import open_channel
from planrunner.protocols.over_grpc.failures import LATE, briefly
from planrunner.protocols.over_grpc.network import grpc

__all__ = ["check_health"]

_METHOD: Final = "/grpc.health.v1.Health/Check"
_MOST_S: Final = 2.0


async def check_health(address: str, service: str = "") -> str | None:
    """Return None when it is serving, else what it says or why it says nothing."""
    from grpc_health.v1 import health_pb2  # noqa: PLC0415 - an extra

    channel = open_channel(address, None)
    ask = channel.unary_unary(
        _METHOD,
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    try:
        answer = await ask(health_pb2.HealthCheckRequest(service=service), timeout=_MOST_S)
    except grpc.aio.AioRpcError as error:
        late = error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        words = LATE if late else briefly(error.details() or "") or "no message"
        return f"{error.code().name}: {words}"
    finally:
        await channel.close()
    status = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    what = f"`{service}`" if service else address
    return None if status == "SERVING" else f"{what} says {status}"
