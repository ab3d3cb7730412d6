"""Real etcd servers on free ports, alone or as a cluster, gone with the block that has them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

__all__ = ["Cluster", "Member", "cluster", "needs_etcd"]

IS_CI = bool(os.environ.get("CI"))

needs_etcd = pytest.mark.skipif(
    shutil.which("etcd") is None and not IS_CI, reason="needs etcd: apt-get install etcd-server"
)


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@dataclass
class Member:
    """One server; `options` are its own beside what every member has."""

    name: str
    client_port: int
    peer_port: int
    directory: Path
    options: Sequence[str] = ()
    scheme: str = "http"
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    members: str = ""

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.client_port}"

    def start(self) -> None:
        client = f"{self.scheme}://{self.endpoint}"
        handle = f"http://127.0.0.1:{self.peer_port}"
        output = (self.directory / f"{self.name}.log").open("ab")
        self.process = subprocess.Popen(
            ["etcd", "--name", self.name, "--data-dir", str(self.directory / self.name),
             "--listen-client-urls", client, "--advertise-client-urls", client,
             "--listen-peer-urls", handle, "--initial-advertise-peer-urls", handle,
             "--initial-cluster", self.members, "--logger", "zap",
             "--heartbeat-interval", "50", "--election-timeout", "500", *self.options],
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
        output.close()

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def wait(self, within_s: float = 20) -> None:
        """Wait until it accepts connections."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.client_port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError((self.directory / f"{self.name}.log").read_text()[-2000:])


@dataclass
class Cluster:
    members: list[Member]

    @property
    def endpoints(self) -> tuple[str, ...]:
        return tuple(member.endpoint for member in self.members)


@contextmanager
def cluster(
    directory: Path, size: int = 1, *, options: Sequence[str] = (), scheme: str = "http"
) -> Iterator[Cluster]:
    """Run a cluster of `size` members until the block ends."""
    ports = free_ports(2 * size)
    members = [
        Member(f"m{number}", ports[2 * number], ports[2 * number + 1], directory, options, scheme)
        for number in range(size)
    ]
    whole = ",".join(f"{m.name}=http://127.0.0.1:{m.peer_port}" for m in members)
    try:
        for member in members:
            member.members = whole
            member.start()
        for member in members:
            member.wait()
        yield Cluster(members)
    finally:
        for member in members:
            if member.process is not None and member.process.poll() is None:
                member.kill()
