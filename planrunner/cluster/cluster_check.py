"""What is known of a cluster before load is sent from it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from planrunner.cluster.clock_offsets import KNOWN_WITHIN_NS
from planrunner.cluster.cluster_workers import Nodes
from planrunner.cluster.dask_cluster import DaskNode
from planrunner.cluster.host_facts import HostFacts, own_facts
from planrunner.cluster.link import HostLost, Link, link_to
from planrunner.errors import CannotRun
from planrunner.units import NS_PER_MS, format_duration
from planrunner.values import dataclass

__all__ = ["CheckedHost", "check_nodes"]

_FAR_NS: Final = 20 * NS_PER_MS
_DOCTOR_S: Final = 60.0
_FAILED: Final = (OSError, TimeoutError, HostLost, CannotRun)


@dataclass(frozen=True, slots=True)
class CheckedHost:
    """One Dask worker, as it was found.

    Attributes:
        address: Of the Dask worker.
        facts: Of its host; None if planrunner can't run there.
        round_trip_ns: The shortest of some.
        clock_offset_ns: What is added to its clock to get this host's.
        clock_error_ns: How far off that may be.
        found: What `planrunner doctor --json` says there; empty if it was not asked.
        faults: What would keep a run from beginning.
        warnings: What would make its numbers worse.
    """

    address: str
    facts: HostFacts | None = None
    round_trip_ns: int = 0
    clock_offset_ns: int = 0
    clock_error_ns: int = 0
    found: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


async def check_nodes(
    cluster: Nodes,
    nodes: Sequence[DaskNode],
    *,
    module: str,
    doctor: Sequence[str],
    now_ns: Callable[[], int],
) -> Sequence[CheckedHost]:
    """Look at Dask workers; all of them measure at the same time, as they would send load.

    Args:
        cluster: Where they are.
        nodes: They themselves.
        module: Its `main` is the command line.
        doctor: The arguments of what measures a host and says so in JSON; empty for nothing.
        now_ns: This host's clock.
    """
    checks = (_check(cluster, node, module, doctor, now_ns) for node in nodes)
    return await asyncio.gather(*checks)


async def _check(
    cluster: Nodes, node: DaskNode, module: str, doctor: Sequence[str], now_ns: Callable[[], int]
) -> CheckedHost:
    if (fault := node.fault) is not None:
        return CheckedHost(node.address, faults=(_in_a_line(fault),))
    try:
        agent = await cluster.place(node, module)
        link = await link_to(agent, node.address, here=own_facts(), now_ns=now_ns)
    except _FAILED as error:
        return CheckedHost(node.address, faults=(_in_a_line(error),))
    facts = link.facts
    try:
        await link.open()
    except _FAILED as error:
        await link.close()
        return CheckedHost(node.address, faults=(_in_a_line(error),))
    try:
        found = await _measured(link, module, doctor) if doctor else {}
        clock = link.clock_facts
        warnings = (*_doubts(link), *found.get("warnings", ()))
    except _FAILED as error:
        return CheckedHost(
            node.address, facts, faults=(f"it can't be measured: {_in_a_line(error)}",)
        )
    finally:
        await link.close()
    lacking = [name for name in own_facts().extras if name not in facts.extras]
    return CheckedHost(
        node.address,
        facts,
        link.shortest_ns,
        clock.offset_ns,
        clock.error_ns,
        found,
        faults=(f"it lacks the extras {', '.join(lacking)} of planrunner",) if lacking else (),
        warnings=warnings,
    )


def _in_a_line(error: Exception) -> str:
    """Return what an error says and what to do about it."""
    if isinstance(error, CannotRun):
        return f"{error.message}; {error.hint}" if error.hint else error.message
    return str(error) or "it does not answer"


async def _measured(link: Link, module: str, doctor: Sequence[str]) -> Mapping[str, Any]:
    async with asyncio.timeout(_DOCTOR_S):
        code, text = await link.agent.said_by(module, doctor)
    if code:
        raise CannotRun(f"`planrunner {' '.join(doctor)}` ended there with exit code {code}")
    found: dict[str, Any] = json.loads(text)
    return found


def _doubts(link: Link) -> Iterator[str]:
    if link.shortest_ns > _FAR_NS:
        yield (
            f"a round trip takes {format_duration(link.shortest_ns)}: users that share pools or "
            "barriers wait as long for each other"
        )
    if link.clock_facts.error_ns > KNOWN_WITHIN_NS:
        yield (
            f"its clock is known to ±{format_duration(link.clock_facts.error_ns)}: phases begin as "
            "far apart, and a run is biased"
        )
