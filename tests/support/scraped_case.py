"""A place for the output `prometheus`, which sends nothing: what a last scrape gets."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from planrunner.outputs.prometheus.server import MetricsServer
from tests.support.etcd_servers import free_ports
from tests.support.output_places import Fault, Place

__all__ = ["scraped"]


@asynccontextmanager
async def scraped(folder: Path, fault: Fault | None) -> AsyncIterator[Place]:
    """Scrape the page just before it goes; a place that is absent is a port that is taken."""
    del folder
    if fault is Fault.ABSENT:
        with closing(socket.create_server(("127.0.0.1", 0))) as other:
            yield Place({"port": other.getsockname()[1]})
        return
    [port] = free_ports(1)
    pages: list[str] = []
    close = MetricsServer.close

    def scrape_and_close(server: MetricsServer) -> None:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
            pages.append(reply.read().decode())
        close(server)

    def counts() -> dict[str, int]:
        found: Counter[str] = Counter()
        for family in text_string_to_metric_families(pages[-1]):
            for sample in family.samples if family.name == "perf_test_requests" else ():
                found[sample.labels["request"]] += int(sample.value)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MetricsServer, "close", scrape_and_close)
        yield Place({"port": port}, counts)
