"""A real Prometheus on a free port, gone with the block that has it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.support.etcd_servers import free_ports

__all__ = ["Prometheus", "eventually", "needs_prometheus", "prometheus"]

T = TypeVar("T")

needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None and not os.environ.get("CI"),
    reason="needs prometheus and promtool: apt-get install prometheus",
)


@dataclass(frozen=True)
class Prometheus:
    """A server that runs."""

    url: str

    def ask(self, path: str, **parameters: object) -> Any:
        """Return `data` of a reply of its HTTP API."""
        with urlopen(f"{self.url}/api/v1/{path}?{urlencode(parameters)}", timeout=10) as reply:
            return json.load(reply)["data"]

    def instant(self, query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("query", query=query)["result"]
        return found

    def value(self, query: str) -> float:
        """Return the only value of a query."""
        [sample] = self.instant(query)
        return float(sample["value"][1])


def eventually(look: Callable[[], T], within_s: float = 15) -> T:
    """Return the first thing found that is true; look a few times a second."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)
    return found


@contextmanager
def prometheus(configuration: Path, *options: str) -> Iterator[Prometheus]:
    """Run a server with a configuration until the block ends; its data are beside that."""
    [port] = free_ports(1)
    address = f"127.0.0.1:{port}"
    command: Sequence[str] = [
        *("prometheus", f"--config.file={configuration}", f"--web.listen-address={address}"),
        *(f"--storage.tsdb.path={configuration.parent / 'data'}", *options),
    ]
    log = configuration.parent / "prometheus.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        server = Prometheus(f"http://{address}")
        eventually(lambda: process.poll() is not None or _is_ready(server))
        assert process.poll() is None, log.read_text()
        yield server
    finally:
        process.terminate()
        process.wait(10)


def _is_ready(server: Prometheus) -> bool:
    try:
        with urlopen(f"{server.url}/-/ready", timeout=1) as reply:
            return bool(reply.status == 200)
    except (URLError, OSError):
        return False
