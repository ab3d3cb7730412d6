"""A worker of a cluster with the client of `null_client` in it."""

from __future__ import annotations

from benchmarks.null_client import factories
from planrunner.runner import worker_main

__all__ = ["main"]


def main() -> int:
    """Work as a worker does."""
    worker_main.client_factories = factories
    return worker_main.main()
