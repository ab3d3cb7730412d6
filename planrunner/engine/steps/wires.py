"""The open clients of a run, as its steps see them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Any

from planrunner.errors import UsageError
from planrunner.graph.run_graph import RequestNode
from planrunner.protocols.base import Client, Exchange
from planrunner.protocols.telling_clients import (
    Accountable,
    CallCost,
    ClientAccount,
    Costing,
    Talking,
    ways_of,
)

__all__ = ["Wires"]


class Wires:
    """The open clients of a run, and every exchange bound to its client exactly once."""

    def __init__(self, clients: Mapping[str, Client]) -> None:
        self.by_channel = clients
        self.clients = tuple(clients.values())
        self._accountable = [
            (protocol, client)
            for protocol, client in clients.items()
            if isinstance(client, Accountable)
        ]
        firsts = accumulate((len(ways_of(client)) for client in self.clients), initial=0)
        self._firsts = dict(zip(clients, firsts, strict=False))
        # Keyed by identity: a frozen exchange may hold what cannot be hashed. The exchange is
        # kept beside its binding, so its identity stays its own.
        self._bound: dict[int, tuple[Exchange, Any]] = {}

    def accounts(self) -> Iterator[tuple[str, ClientAccount]]:
        """Yield what clients know of themselves, by protocol."""
        for protocol, client in self._accountable:
            yield protocol, client.account()

    def listen(self, tell: Callable[[str, Mapping[str, object]], None]) -> None:
        """Have `tell` print what requests want to say."""
        for client in self.clients:
            if isinstance(client, Talking):
                client.listen(tell)

    def bind_all(self, requests: Iterable[RequestNode]) -> None:
        """Bind requests before the load.

        Raises:
            CannotRun: One of them can't be sent.
            UsageError: One of them is of something that doesn't exist; says where it stands.
        """
        for request in requests:
            try:
                self.bind(request.exchange)
            except UsageError as error:
                place = request.origin.place
                words = f"{place}: {error.message}" if place else error.message
                raise UsageError(words, hint=error.hint) from error

    def costs(self, requests: Iterable[RequestNode]) -> dict[str, CallCost]:
        """Return what it costs to do nothing in the way of each measured step, by its name."""
        found: dict[str, CallCost] = {}
        for request in requests:
            if request.exchange.is_step and request.measured:
                _, bound = self.bind(request.exchange)
                client = self.by_channel[request.exchange.protocol]
                cost = client.cost_of(bound) if isinstance(client, Costing) else None
                if cost is not None:
                    found.setdefault(request.written, cost)
        return found

    def bind(self, exchange: Exchange) -> tuple[int, Any]:
        """Return the place in `Actor.sends` of what sends an exchange, and the bound operation."""
        client: Any = self.by_channel[exchange.protocol]
        known = self._bound.get(id(exchange))
        if known is None:
            known = exchange, client.bind(exchange)
            self._bound[id(exchange)] = known
        bound, first, ways = known[1], self._firsts[exchange.protocol], ways_of(client)
        return first if len(ways) == 1 else first + ways.index(client.way_of(bound)), bound
