"""`planrunner cluster`: look at a Dask cluster before load is sent from it."""

from __future__ import annotations

from pathlib import Path

import click

from planrunner.cli.clusters.check import check_and_show
from planrunner.cli.clusters.options import wanted_cluster, with_tls_options
from planrunner.cli.plan_options import json_option

__all__ = ["command"]


@click.group(
    "cluster",
    short_help="look at a cluster before it sends load",
    epilog="""\b
Examples:
  planrunner cluster check tcp://scheduler:8786
  planrunner execute plan.yaml --cluster tcp://scheduler:8786
""",
)
def command() -> None:
    """Look at a Dask cluster, from whose hosts `execute --cluster` sends load."""


@command.command(
    "check",
    epilog="""\b
Examples:
  planrunner cluster check tcp://scheduler:8786
  planrunner cluster check local:4 --seconds 1
  planrunner cluster check tls://scheduler:8786 --cluster-ca ca.pem --cluster-cert me.pem
  planrunner cluster check ssh:hosts.txt --json > cluster.json
""",
)
@click.argument("address")
@with_tls_options
@click.option(
    "--seconds",
    type=click.IntRange(0, 60),
    default=2,
    show_default=True,
    help="How long each of two measurements of what a host can generate takes; 0: none.",
)
@json_option
def check(
    address: str,
    cluster_ca: Path | None,
    cluster_cert: Path | None,
    cluster_key: Path | None,
    seconds: int,
    *,
    as_json: bool,
) -> int:
    """Say what each Dask worker at ADDRESS has and can generate, and what would go wrong.

    Versions of planrunner and Python, clocks, round trips, open files, ports, and with a null
    server on each host the rate and lateness that it reaches. The exit code is 3 if a run could
    not begin.
    """
    wanted = wanted_cluster(address, cluster_ca, cluster_cert, cluster_key)
    assert wanted is not None
    return check_and_show(wanted, seconds, as_json=as_json)
