"""A real sshd on loopback with keys of its own, gone with the block that has it."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.support.etcd_servers import free_ports
from tests.support.net_hosts import wait_until

__all__ = ["SshServer", "needs_sshd", "ssh_server"]

_SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

needs_sshd = pytest.mark.skipif(
    _SSHD is None and not os.environ.get("CI"), reason="needs sshd: apt-get install openssh-server"
)


@dataclass(frozen=True)
class SshServer:
    """Where it listens; `home` is that of a user whom it lets in."""

    port: int
    home: Path
    process: subprocess.Popen[bytes]

    @property
    def host(self) -> str:
        """A line of a file of hosts."""
        return f"{getpass.getuser()}@127.0.0.1:{self.port}"

    def dask_processes(self) -> list[psutil.Process]:
        """Return what runs for whoever logged in; a session's processes may outlive it."""
        found = []
        for one in psutil.process_iter():
            with suppress(psutil.Error):
                if one.environ().get("SSH_CONNECTION", "").endswith(f" {self.port}"):
                    found.append(one)
        return found


def _key(path: Path) -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


@contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    """Run one until the block ends."""
    [port] = free_ports(1)
    keys = folder / "home" / ".ssh"
    keys.mkdir(parents=True, mode=0o700)
    host_key = _key(folder / "host_key")
    (keys / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}\n")
    (folder / "authorized_keys").write_text(_key(keys / "id_ed25519") + "\n")
    config = folder / "sshd_config"
    config.write_text(
        f'Port {port}\nListenAddress 127.0.0.1\nHostKey "{folder}/host_key"\n'
        f'AuthorizedKeysFile "{folder}/authorized_keys"\nPidFile none\nStrictModes no\n'
        "UsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    with (folder / "sshd.log").open("wb") as log:
        process = subprocess.Popen(
            [str(_SSHD), "-D", "-e", "-f", str(config)], stdout=log, stderr=log
        )
    try:
        wait_until(lambda: _answers(port))
        yield SshServer(port, folder / "home", process)
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
