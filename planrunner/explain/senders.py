"""What sends the requests of a plan, and where to: a line or two for each protocol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from planrunner.graph.function_steps import FunctionNode
from planrunner.graph.run_graph import RequestNode, RunGraph, StepNode
from planrunner.protocols import registry
from planrunner.units import few

__all__ = ["hosts_by_channel", "sender_lines"]


def sender_lines(graph: RunGraph, steps: Iterable[StepNode]) -> Iterator[str]:
    """Yield what sends with each protocol that one of the steps uses, and the hosts it sends to.

    That is, those that are known before the run.
    """
    hosts = hosts_by_channel(graph, steps)
    for channel, (client, reason) in graph.clients.items():
        if channel in hosts:
            yield f"sends {channel} with the {client} client: {reason}"
            if hosts[channel]:
                yield f"  to {', '.join(few(tuple(hosts[channel])))}"


def hosts_by_channel(graph: RunGraph, steps: Iterable[StepNode]) -> dict[str, list[str]]:
    """Return the hosts that steps send to, by protocol, as far as they are known before the run."""
    hosts: dict[str, dict[str, None]] = {}
    for step in steps:
        if isinstance(step, RequestNode):
            channel = step.exchange.protocol
            plugin = registry.known().get(channel.partition(":")[0])
            found = () if plugin is None else plugin.hosts(step.exchange, graph.settings[channel])
            hosts.setdefault(channel, {}).update(
                dict.fromkeys(host.name for host in found if host.name)
            )
        elif isinstance(step, FunctionNode):
            for channel in step.channels:
                hosts.setdefault(channel, {})
    return {channel: list(names) for channel, names in hosts.items()}
