"""Real Dask schedulers and workers with TLS on loopback, gone with the block that has them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.etcd_servers import free_ports
from tests.support.net_hosts import wait_until

__all__ = ["DaskServers", "PemFiles", "tls_servers"]


@dataclass(frozen=True)
class PemFiles:
    """An authority and a certificate of it, as both ends of Dask's TLS want them."""

    ca: Path
    cert: Path
    key: Path

    @classmethod
    def make(cls, folder: Path) -> PemFiles:
        """Write those of a new authority into a new folder."""
        from distributed.security import Security  # noqa: PLC0415 - takes a second

        folder.mkdir()
        made = Security.temporary()
        files = cls(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
        files.ca.write_text(made.tls_ca_file)
        files.cert.write_text(made.tls_client_cert)
        files.key.write_text(made.tls_client_key)
        return files

    def options(self, prefix: str) -> list[str]:
        """Return a command's options that name them."""
        named = (("ca", self.ca), ("cert", self.cert), ("key", self.key))
        return [word for name, path in named for word in (f"--{prefix}-{name}", str(path))]


@dataclass(frozen=True)
class DaskServers:
    """A scheduler with one worker; `logs` are what both print."""

    address: str
    logs: tuple[Path, Path]

    @property
    def said(self) -> str:
        return "".join(log.read_text("utf-8") for log in self.logs)


@contextmanager
def tls_servers(folder: Path, pem: PemFiles) -> Iterator[DaskServers]:
    """Run a scheduler with TLS and a worker of it until the block ends."""
    [port] = free_ports(1)
    made = DaskServers(f"tls://127.0.0.1:{port}", (folder / "scheduler.log", folder / "worker.log"))
    common = ["--protocol", "tls", "--no-dashboard", "--tls-ca-file", str(pem.ca)]
    common += ["--tls-cert", str(pem.cert), "--tls-key", str(pem.key)]
    with ExitStack() as stack:
        for log, words in zip(
            made.logs,
            (
                ["scheduler", "--host", "127.0.0.1", "--port", str(port)],
                ["worker", made.address, "--nthreads", "1", "--no-nanny"],
            ),
            strict=True,
        ):
            with log.open("wb") as file:
                process = subprocess.Popen(
                    [sys.executable, "-m", "dask", *words, *common],
                    cwd=folder,
                    stdout=file,
                    stderr=file,
                )
            stack.callback(process.wait)
            stack.callback(process.kill)
        wait_until(lambda: "Registered to" in made.said, 60)
        yield made
