"""A real PostgreSQL on a free port, gone with the block that has it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.etcd_servers import free_ports

__all__ = ["PostgresServer", "needs_postgres", "postgres"]

IS_CI = bool(os.environ.get("CI"))


def _binaries() -> Path | None:
    """Return where PostgreSQL's programs are; Debian keeps them out of the path."""
    found = shutil.which("initdb")
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    at = Path(found) if found else (versions[-1] if versions else None)
    return None if at is None else at.parent


needs_postgres = pytest.mark.skipif(
    _binaries() is None and not IS_CI, reason="needs PostgreSQL: apt-get install postgresql"
)


@dataclass
class PostgresServer:
    """One server.

    Attributes:
        directory: Its data.
        owner: Who runs it: it refuses to be run by root.
    """

    directory: Path
    port: int
    owner: str | None
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def url(self, driver: str, user: str = "me", password: str = "pw-of-me") -> str:
        return f"postgresql+{driver}://{user}:{password}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "off",
            "shared_buffers": "16MB",
            "max_connections": 40,
            "autovacuum": "off",
        }
        options = [option for item in settings.items() for option in ("-c", "{}={}".format(*item))]
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self._program("postgres"), "-D", self.directory, *options],
                stdout=log, stderr=log, user=self.owner, cwd="/", start_new_session=True,
            )  # fmt: skip
        self._wait()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it; by default as a restart does, which ends all connections."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(10)
            self.process = None

    def initialise(self) -> None:
        password = self.directory.parent / "password"
        password.write_text("pw-of-me")
        password.chmod(0o644)
        subprocess.run(
            [self._program("initdb"), "-D", self.directory, "-U", "me", "--auth=scram-sha-256",
             f"--pwfile={password}", "--no-sync", "--no-instructions", "-E", "UTF8"],
            check=True, capture_output=True, user=self.owner, cwd="/", env={"LC_ALL": "C"},
        )  # fmt: skip

    def _program(self, name: str) -> Path:
        binaries = _binaries()
        assert binaries is not None, "PostgreSQL is not installed"
        return binaries / name

    def _wait(self, within_s: float = 20) -> None:
        """Wait until it says that it is ready: a connection before that would be refused."""
        deadline = time.monotonic() + within_s
        status = self.directory / "postmaster.pid"
        while time.monotonic() < deadline:
            lines = status.read_text().splitlines() if status.exists() else []
            if len(lines) > 7 and lines[7].strip() == "ready":
                return
            assert self.process is not None
            assert self.process.poll() is None, (self.directory / "log").read_text()[-2000:]
            time.sleep(0.01)
        raise AssertionError((self.directory / "log").read_text()[-2000:])


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    """Run a server until the block ends; its data lies where another user may go."""
    with tempfile.TemporaryDirectory(prefix="planrunner-pg-", dir="/tmp") as above:
        Path(above).chmod(0o755)
        directory = Path(above) / "data"
        directory.mkdir(mode=0o700)
        owner = None
        if os.geteuid() == 0:
            known = {entry.pw_name for entry in pwd.getpwall()}
            owner = "postgres" if "postgres" in known else "nobody"
            shutil.chown(directory, owner)
        server = PostgresServer(directory, free_ports(1)[0], owner)
        server.initialise()
        server.start()
        try:
            yield server
        finally:
            server.stop()
