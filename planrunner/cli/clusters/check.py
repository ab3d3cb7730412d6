"""Checks a cluster, and shows what was found."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Final

import click

from planrunner.clock import MonotonicClock
from planrunner.cluster.cluster_check import CheckedHost, check_nodes
from planrunner.cluster.dask_cluster import open_cluster
from planrunner.cluster.wanted import ClusterWanted
from planrunner.results.exit_codes import ExitCode
from planrunner.runner.event_loop import run_on_fast_loop
from planrunner.units import format_count, format_duration

__all__ = ["check_and_show"]

_COLUMNS: Final = (
    "host", "Dask worker", "Python", "cores", "round trip", "clock", "open files", "ports",
    "requests/s", "late (p99)",
)  # fmt: skip


def check_and_show(wanted: ClusterWanted, seconds: int, *, as_json: bool) -> int:
    """Check every Dask worker of a cluster; return the exit code.

    Args:
        wanted: The cluster.
        seconds: How long each of two measurements of each host takes; 0 for none.
        as_json: Write one JSON object, and no table.

    Raises:
        CannotRun: It can't be reached.
    """
    hosts = run_on_fast_loop(_checked(wanted, seconds))
    if as_json:
        click.echo(json.dumps({"hosts": [asdict(host) for host in hosts]}, indent=2))
    else:
        for line in _lines(hosts):
            click.echo(line)
    has_faults = any(host.faults for host in hosts)
    return ExitCode.CANNOT_RUN if has_faults else ExitCode.OK


async def _checked(wanted: ClusterWanted, seconds: int) -> Sequence[CheckedHost]:
    doctor = ("doctor", "--json", "--seconds", str(seconds)) if seconds else ()
    async with open_cluster(wanted, _tell) as cluster:
        nodes = await cluster.nodes()
        if seconds:
            found = format_count(len(nodes), "Dask worker")
            _tell(f"measuring {found} at once for about {2 * seconds + 5} s")
        return await check_nodes(
            cluster,
            nodes,
            module="planrunner.cli.main",
            doctor=doctor,
            now_ns=MonotonicClock.now_ns,
        )


def _tell(words: str) -> None:
    click.echo(words, err=True)


def _lines(hosts: Sequence[CheckedHost]) -> Iterator[str]:
    rows = [_COLUMNS, *(_row(host) for host in hosts)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    for host in hosts:
        name = f"{host.facts.name}: " if host.facts else ""  # else they say where that is
        for kind, found in (("error", host.faults), ("warning", host.warnings)):
            for words in found:
                yield f"{kind}: {name}{words}"
    rates = [_rate(host) for host in hosts]
    if all(rates):
        yield f"{format_count(len(hosts), 'Dask worker')} together: {sum(rates):,.0f} requests/s"


def _rate(host: CheckedHost) -> float:
    return float(host.found["capacity"]["requests_per_second"]) if host.found else 0.0


def _row(host: CheckedHost) -> Sequence[str]:
    facts, found = host.facts, host.found
    if facts is None:
        return ("?", host.address, *[""] * (len(_COLUMNS) - 2))
    error = f" ±{format_duration(host.clock_error_ns)}" if host.clock_error_ns else ""
    return (
        facts.name,
        host.address,
        facts.python,
        str(facts.processors),
        format_duration(host.round_trip_ns),
        f"{'known' if error else 'the same'}{error}",
        f"{facts.open_files:,}" if facts.open_files else "no limit",
        f"{facts.ports:,}" if facts.ports else "?",
        f"{_rate(host):,.0f}" if found else "",
        format_duration(found["capacity"]["arrivals"]["lateness_p99_ns"]) if found else "",
    )
