"""Options of every command that reaches a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from planrunner.cli.plan_options import Command
from planrunner.cluster.wanted import ClusterWanted, SamplesBack
from planrunner.errors import UsageError

__all__ = ["RUN_OPTIONS", "TLS_OPTIONS", "wanted_cluster", "with_tls_options"]

_PEM: Final = click.Path(path_type=Path, dir_okay=False)

TLS_OPTIONS: Final = (
    click.option(
        "--cluster-ca",
        type=_PEM,
        metavar="FILE",
        help="The certificate authority of a cluster with TLS, in PEM format. By default what "
        "Dask's own configuration says.",
    ),
    click.option(
        "--cluster-cert", type=_PEM, metavar="FILE", help="The certificate to show to it."
    ),
    click.option(
        "--cluster-key", type=_PEM, metavar="FILE", help="That certificate's private key."
    ),
)

RUN_OPTIONS: Final = (
    click.option(
        "--cluster",
        metavar="ADDRESS",
        help="Run the load on the Dask workers of a cluster: tcp://SCHEDULER:8786, tls://…, "
        "ssh:hosts.txt, or local:4 to try it. One worker on each, or N of them with --workers N. "
        "Needs the extra `cluster`.",
    ),
    *TLS_OPTIONS,
    click.option(
        "--cluster-samples",
        type=click.Choice(["stream", "at_end"]),
        default="stream",
        show_default=True,
        help="When raw samples of other hosts come back: while the load runs, or after it.",
    ),
)


def with_tls_options(function: Command) -> Command:
    """Add the options that authenticate."""
    for option in reversed(TLS_OPTIONS):
        function = option(function)
    return function


def wanted_cluster(
    cluster: str | None,
    ca: Path | None,
    cert: Path | None,
    key: Path | None,
    samples: SamplesBack = "stream",
) -> ClusterWanted | None:
    """Return the cluster that options mean; None for none.

    Raises:
        UsageError: It is none, or there is only half of what it takes.
    """
    if cluster is not None:
        return ClusterWanted(cluster, ca, cert, key, samples)
    for option, value in (("ca", ca), ("cert", cert), ("key", key)):
        if value is not None:
            raise _alone(option)
    if samples != "stream":
        raise _alone("samples")
    return None


def _alone(option: str) -> UsageError:
    return UsageError(f"--cluster-{option} needs --cluster", hint="add it, or leave this out")
