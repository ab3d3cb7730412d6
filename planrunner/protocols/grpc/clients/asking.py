"""What only the server knows of a plan's calls, asked before any load."""

from __future__ import annotations

from collections.abc import Sequence

from planrunner.protocols.base import Exchange
from planrunner.protocols.grpc.clients.lines import LineOpener
from planrunner.protocols.grpc.clients.reflection import reflect
from planrunner.protocols.grpc.compile.prepare import prepare_call
from planrunner.protocols.grpc.operation import GrpcSettings
from planrunner.protocols.lowering import SpecFault
from planrunner.units import NS_PER_S

__all__ = ["examine"]


async def examine(
    settings: GrpcSettings, exchanges: Sequence[Exchange]
) -> list[tuple[Exchange, SpecFault]]:
    """Return what doesn't fit the services that the server says it has.

    Raises:
        CannotRun: It doesn't say, or lies.
    """
    if not settings.reflects:
        return []
    line = LineOpener(settings).open()
    services = {exchange.operation.method.rpartition("/")[0] for exchange in exchanges}
    try:
        schema = await reflect(
            line,
            settings.target,
            services,
            settings.metadata,
            settings.timeout_ns / NS_PER_S,
        )
    finally:
        await line.close()
    found = []
    for exchange in exchanges:
        faults: list[SpecFault] = []
        prepare_call(schema, exchange.operation, faults)
        found += [(exchange, fault) for fault in faults]
    return found
