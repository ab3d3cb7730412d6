"""Real databases on free ports, gone with the block that has them."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, TypeVar

import pytest

from tests.support.etcd_servers import free_ports

__all__ = [
    "DatabaseServer",
    "MariaServer",
    "PostgresServer",
    "needs_mariadb",
    "needs_postgres",
    "serving",
]

IS_CI = bool(os.environ.get("CI"))
_POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", *map(str, _POSTGRES)))
"""Debian keeps the programs of servers out of the path."""


def _needs(program: str, package: str) -> pytest.MarkDecorator:
    is_missing = shutil.which(program, path=_PATH) is None and not IS_CI
    return pytest.mark.skipif(is_missing, reason=f"needs {program}: apt-get install {package}")


needs_postgres = _needs("initdb", "postgresql")
needs_mariadb = _needs("mariadbd", "mariadb-server")


@dataclass
class DatabaseServer(ABC):
    """One server.

    Attributes:
        directory: Its data.
        owner: Who runs it: it refuses to be run by root.
    """

    directory: Path
    port: int
    owner: str | None
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    dialect: ClassVar[str]
    database: ClassVar[str]
    usual_owner: ClassVar[str]
    restarting: ClassVar[signal.Signals]
    """What it is sent by a restart, which ends all connections."""

    @abstractmethod
    def initialise(self) -> None:
        """Make its data, and a user `me`."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Return what runs it."""

    @abstractmethod
    def is_ready(self, said: bytes) -> bool:
        """Say whether it takes connections; one before that would be refused."""

    def url(self, driver: str, user: str = "me", password: str = "pw-of-me") -> str:
        where = f"127.0.0.1:{self.port}/{self.database}"
        return f"{self.dialect}+{driver}://{user}:{password}@{where}"

    def start(self, within_s: float = 30) -> None:
        log = self.directory.parent / "log"
        begin = log.stat().st_size if log.exists() else 0
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command(), stdout=out, stderr=out, user=self.owner, cwd="/",
                env={"PATH": _PATH}, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + within_s
        while not self.is_ready(said := log.read_bytes()[begin:]):
            assert self.process.poll() is None, said[-2000:].decode()
            assert time.monotonic() < deadline, said[-2000:].decode()
            time.sleep(0.01)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(self.restarting)
            self.process.wait(20)
            self.process = None

    def prepare(self, *command: str) -> None:
        subprocess.run(
            command, check=True, capture_output=True, user=self.owner, cwd="/",
            env={"PATH": _PATH, "LC_ALL": "C"},
        )  # fmt: skip

    def readable(self, name: str, text: str) -> Path:
        """Write a file that the owner can read."""
        path = self.directory.parent / name
        path.write_text(text)
        path.chmod(0o644)
        return path


class PostgresServer(DatabaseServer):
    dialect = "postgresql"
    database = "postgres"
    usual_owner = "postgres"
    restarting = signal.SIGINT

    def initialise(self) -> None:
        password = self.readable("password", "pw-of-me")
        self.prepare(
            "initdb", "-D", str(self.directory), "-U", "me", "--auth=scram-sha-256",
            f"--pwfile={password}", "--no-sync", "--no-instructions", "-E", "UTF8",
        )  # fmt: skip

    def command(self) -> Sequence[str]:
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
        return ["postgres", "-D", str(self.directory), *options]

    def is_ready(self, said: bytes) -> bool:
        status = self.directory / "postmaster.pid"
        lines = status.read_text().splitlines() if status.exists() else []
        return len(lines) > 7 and lines[7].strip() == "ready"


class MariaServer(DatabaseServer):
    """MariaDB, which speaks the protocol of MySQL."""

    dialect = "mysql"
    database = "shop"
    usual_owner = "mysql"
    restarting = signal.SIGTERM

    def initialise(self) -> None:
        self.prepare(
            "mariadb-install-db", "--no-defaults", f"--datadir={self.directory}",
            "--skip-test-db", "--skip-name-resolve", "--auth-root-authentication-method=normal",
        )  # fmt: skip

    def command(self) -> Sequence[str]:
        user = "me@'127.0.0.1'"
        users = self.readable(
            "users.sql",
            "CREATE DATABASE IF NOT EXISTS shop;\n"
            f"CREATE USER IF NOT EXISTS {user} IDENTIFIED BY 'pw-of-me';\n"
            f"GRANT ALL ON shop.* TO {user};\n",
        )
        settings = {
            "init-file": users,
            "datadir": self.directory,
            "port": self.port,
            "bind-address": "127.0.0.1",
            "socket": self.directory / "socket",
            "innodb-buffer-pool-size": "8M",
            "innodb-flush-log-at-trx-commit": 0,
            "innodb-fast-shutdown": 2,
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return ["mariadbd", "--no-defaults", *options, "--skip-name-resolve", "--skip-log-bin"]

    def is_ready(self, said: bytes) -> bool:
        return b"ready for connections" in said


Server = TypeVar("Server", bound=DatabaseServer)


@contextmanager
def serving(kind: type[Server]) -> Iterator[Server]:
    """Run a server until the block ends; its data lies where another user may go."""
    with tempfile.TemporaryDirectory(prefix="planrunner-db-", dir="/tmp") as above:
        Path(above).chmod(0o755)
        directory = Path(above) / "data"
        directory.mkdir(mode=0o700)
        owner = None
        if os.geteuid() == 0:
            known = {entry.pw_name for entry in pwd.getpwall()}
            owner = kind.usual_owner if kind.usual_owner in known else "nobody"
            shutil.chown(directory, owner)
        server = kind(directory, free_ports(1)[0], owner)
        server.initialise()
        server.start()
        try:
            yield server
        finally:
            server.stop()
