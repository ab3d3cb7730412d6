"""`planrunner doctor`: what this machine can generate, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from planrunner.cli.clusters.options import wanted_cluster, with_tls_options
from planrunner.cli.limits import need_descriptors, wished_workers
from planrunner.cli.machine.capacity import Capacity, measure_capacity
from planrunner.cli.machine.checks import Machine, read_machine, warnings_of
from planrunner.cli.plan_options import json_option
from planrunner.cli.streams import print_json
from planrunner.errors import UsageError
from planrunner.extras import EXTRAS, install_hint
from planrunner.process_limits import available_processors
from planrunner.results.exit_codes import ExitCode
from planrunner.runner.event_loop import run_on_fast_loop
from planrunner.units import NS_PER_MS, format_duration

__all__ = ["command"]

_LATE_NS = 5 * NS_PER_MS
_NEEDED_DESCRIPTORS = 512


@click.command(
    "doctor",
    short_help="measure what this machine can generate",
    epilog="""\b
Examples:
  planrunner doctor
  planrunner doctor --workers auto --seconds 5
  planrunner doctor --json > machine.json
  planrunner doctor --cluster tcp://scheduler:8786
""",
)
@click.option(
    "--seconds",
    type=click.IntRange(1, 60),
    default=2,
    show_default=True,
    help="How long each of the two measurements takes.",
)
@click.option(
    "--workers",
    metavar="N|auto",
    callback=wished_workers,
    help="Measure with N processes, 1 by default; `auto`: one for each processor.",
)
@click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Measure the hosts of a Dask cluster instead, as `planrunner cluster check` does.",
)
@with_tls_options
@json_option
def command(
    seconds: int, workers: int | None, cluster: str | None, *, as_json: bool, **tls: Path | None
) -> int:
    """Measure rate and lateness against a built-in null server, and check limits.

    Everything stays on 127.0.0.1. The server runs beside planrunner and takes a processor of its
    own, so with few processors the rate is that of both together.
    """
    wanted = wanted_cluster(cluster, tls["cluster_ca"], tls["cluster_cert"], tls["cluster_key"])
    if wanted is not None:
        from planrunner.cli.clusters.check import check_and_show  # noqa: PLC0415 - seldom used

        if workers is not None:
            hint = "leave --workers out, or leave --cluster out to measure this machine"
            raise UsageError("each Dask worker of a cluster is measured with one worker", hint=hint)
        return check_and_show(wanted, seconds, as_json=as_json)
    processes = 1 if workers is None else workers or available_processors()
    machine = read_machine()
    need_descriptors(_NEEDED_DESCRIPTORS)
    click.echo(f"measuring for about {2 * seconds + 3} s on 127.0.0.1", err=True)
    capacity = run_on_fast_loop(measure_capacity(seconds, processes))
    warnings = [*warnings_of(machine), *_doubts(machine, capacity)]
    if as_json:
        found = {
            "machine": {**asdict(machine), "most_users": machine.most_users},
            "capacity": asdict(capacity),
            "warnings": warnings,
        }
        print_json(found)
        return ExitCode.OK
    for line in (*_about_machine(machine), *_about_load(capacity)):
        click.echo(line)
    for warning in warnings:
        click.echo(f"warning: {warning}")
    return ExitCode.OK


def _doubts(machine: Machine, capacity: Capacity) -> Iterator[str]:
    """Say what of the measurement was worse than it should be."""
    arrivals = capacity.arrivals
    if capacity.timer.p99_ns > _LATE_NS:
        yield (
            f"timers of an empty loop are up to {format_duration(capacity.timer.p99_ns)} late "
            "(p99): other processes keep this machine busy, which affects every latency"
        )
    elif arrivals.late or arrivals.dropped:
        yield (
            f"{arrivals.late:,} of {arrivals.requested:,} arrivals started over 5 ms late and "
            f"{arrivals.dropped:,} were dropped at {capacity.rate:,}/s: stay below that rate here"
        )
    if capacity.workers >= machine.processors > 1:
        yield (
            f"{capacity.workers} workers and the null server share {machine.processors} "
            "processors: with a target elsewhere, the rate is higher"
        )


def _about_machine(machine: Machine) -> Iterator[str]:
    loop = "uvloop" if machine.fast_loop else "asyncio"
    yield f"machine     {machine.processors} processors, Python {machine.python}, {loop}"
    installed = [name for name, is_installed in machine.extras.items() if is_installed]
    yield f"extras      {', '.join(installed) or 'none'}"
    for extra in EXTRAS:
        if extra.name not in installed:
            yield f"            without {extra.name}: {extra.purpose}; {install_hint(extra.name)}"
    if machine.most_open_files:
        yield f"open files  {machine.open_files:,}; up to {machine.most_open_files:,} when needed"
    if machine.ports:
        yield f"ports       {machine.ports:,} connections to one address"
    if machine.most_users:
        yield f"users       up to {machine.most_users:,} per worker, with one connection each"


def _about_load(capacity: Capacity) -> Iterator[str]:
    arrivals, workers = capacity.arrivals, capacity.workers
    who = f"{workers} workers" if workers > 1 else "one worker"
    share = (
        f", the busiest at {capacity.cpu_share:.0%} of a processor" if capacity.cpu_share else ""
    )
    yield f"rate        {capacity.requests_per_second:,.0f} requests/s by {who}{share}"
    yield (
        f"arrivals    {arrivals.achieved:,} of {arrivals.requested:,} started at "
        f"{capacity.rate:,}/s, {arrivals.dropped:,} dropped, {arrivals.late:,} over 5 ms late"
    )
    yield (
        f"lateness    p99 {format_duration(arrivals.lateness_p99_ns)}, "
        f"most {format_duration(arrivals.lateness_max_ns)}"
    )
    timer = capacity.timer
    yield (
        f"timers      p99 {format_duration(timer.p99_ns)} late, "
        f"most {format_duration(timer.max_ns)}, in a loop that does nothing else"
    )
