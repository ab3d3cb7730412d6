"""A real InfluxDB 1.x on a free port, gone with the block that has it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

__all__ = ["InfluxServer", "influx_server", "needs_influxdb"]

IS_CI = bool(os.environ.get("CI"))

needs_influxdb = pytest.mark.skipif(
    shutil.which("influxd") is None and not IS_CI, reason="needs InfluxDB: apt-get install influxdb"
)

_LISTENING = re.compile(r'msg="Listening on HTTP".* addr=(\S+)')


class InfluxServer:
    def __init__(self, address: str) -> None:
        self.url = f"http://{address}"

    def ask(self, query: str, database: str = "", **auth: str) -> list[dict[str, Any]]:
        """Return the rows of all series that answer, each with the tags that it is grouped by."""
        reply = httpx.post(
            f"{self.url}/query", params={"db": database, "epoch": "ns", **auth}, data={"q": query}
        )
        result = reply.json()["results"][0]
        assert "error" not in result, result
        return [
            {**series.get("tags", {}), **dict(zip(series["columns"], row, strict=True))}
            for series in result.get("series", ())
            for row in series["values"]
        ]


@contextmanager
def influx_server(directory: Path, *, has_auth: bool = False) -> Iterator[InfluxServer]:
    """Run a server with its files below `directory` until the block ends."""
    config, log = directory / "influxdb.conf", directory / "influxdb.log"
    config.write_text(_config(directory, has_auth=has_auth))
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["influxd", "run", "-config", str(config)], stdout=output, stderr=output
        )
    try:
        yield InfluxServer(_address(log))
    finally:
        process.kill()
        process.wait()


def _address(log: Path, within_s: float = 20) -> str:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if found := _LISTENING.search(log.read_text(errors="replace")):
            return found[1]
        time.sleep(0.005)
    raise AssertionError(log.read_text(errors="replace")[-2000:])


def _config(directory: Path, *, has_auth: bool) -> str:
    return f"""
reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
  dir = "{directory}/meta"
[data]
  dir = "{directory}/data"
  wal-dir = "{directory}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:0"
  log-enabled = false
  auth-enabled = {str(has_auth).lower()}
"""
