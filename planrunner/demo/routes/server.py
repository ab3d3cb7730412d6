"""Serves the route guide on loopback, with reflection, health and rich errors."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, NoReturn

from planrunner.demo.routes.guide import RouteGuide
from planrunner.demo.routes.messages import SERVICE, message_class, route_pool
from planrunner.extras import need
from planrunner.protocols.over_grpc.network import grpc

__all__ = ["RoutesServer"]

_DETAILS: Final = "grpc-status-details-bin"
_SEED: Final = 11


class RoutesServer:
    """A gRPC server.

    Raises:
        PackageMissing: What serves reflection or health isn't installed.
    """

    def __init__(self, seed: int = _SEED) -> None:
        for module in ("grpc_reflection", "grpc_health", "grpc_status"):
            need(module, "the demo `routes`")
        self._guide = RouteGuide(seed, time.monotonic_ns, _refuse)
        self._server: Any = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen, and return the port (chosen by the system when `port` is 0).

        Raises:
            OSError: Something else listens there.
        """
        self._server = server = grpc.aio.server(
            options=(("grpc.so_reuseport", 0), ("grpc.optimization_target", "latency"))
        )
        server.add_generic_rpc_handlers((_handlers(self._guide),))
        await _add_health_and_reflection(server)
        try:
            bound = int(server.add_insecure_port(f"{host}:{port}"))
        except RuntimeError as error:
            raise OSError(0, "the port is taken") from error
        await server.start()
        return bound

    async def stop(self) -> None:
        """Stop listening and drop every call."""
        if self._server is not None:
            await self._server.stop(None)


def _handlers(guide: RouteGuide) -> Any:  # noqa: ANN401 - grpc has no types
    methods: dict[str, tuple[Callable[..., Any], str, Any]] = {
        "GetFeature": (grpc.unary_unary_rpc_method_handler, "Point", guide.get_feature),
        "ListFeatures": (grpc.unary_stream_rpc_method_handler, "Rectangle", guide.list_features),
        "RecordRoute": (grpc.stream_unary_rpc_method_handler, "Point", guide.record_route),
        "RouteChat": (grpc.stream_stream_rpc_method_handler, "RouteNote", guide.route_chat),
    }
    return grpc.method_handlers_generic_handler(
        SERVICE,
        {
            name: make(
                behaviour,
                request_deserializer=message_class(takes).FromString,
                response_serializer=lambda message: message.SerializeToString(),
            )
            for name, (make, takes, behaviour) in methods.items()
        },
    )


async def _add_health_and_reflection(server: Any) -> None:  # noqa: ANN401
    from grpc_health.v1 import health, health_pb2, health_pb2_grpc  # noqa: PLC0415 - an extra
    from grpc_reflection.v1alpha import reflection  # noqa: PLC0415 - likewise

    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    for name in ("", SERVICE):
        await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    names = (SERVICE, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server, pool=route_pool())


async def _refuse(context: Any, field: str, why: str) -> NoReturn:  # noqa: ANN401
    """End a call: a wrong field with details, as Google's services give them."""
    if not field:
        await context.abort(grpc.StatusCode.NOT_FOUND, why)
    from google.rpc import error_details_pb2, status_pb2  # noqa: PLC0415 - few calls are wrong

    status = status_pb2.Status(code=3, message="no point on Earth")
    violation = error_details_pb2.BadRequest.FieldViolation(field=field, description=why)
    status.details.add().Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    metadata = ((_DETAILS, status.SerializeToString()),)
    await context.abort(grpc.StatusCode.INVALID_ARGUMENT, status.message, metadata)
    raise AssertionError("abort raises")
