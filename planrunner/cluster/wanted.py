"""Which cluster a run is to use, as its user says it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Literal

from planrunner.errors import UsageError
from planrunner.values import dataclass

__all__ = ["ClusterWanted", "SamplesBack", "SshHost", "read_hosts"]

SamplesBack = Literal["stream", "at_end"]

_ADDRESS: Final = re.compile(r"(tcp|tls|ws|wss|ucx)://\S+:\d+(/\S*)?")
_BARE: Final = re.compile(r"[\w.-]+:\d+|\[[\da-fA-F:]+\]:\d+")
_HOST: Final = re.compile(
    r"(?:(?P<user>[^@\s]+)@)?(?P<host>[\w.-]+|\[[\da-fA-F:]+\])(?::(?P<port>\d+))?"
)
_FORMS: Final = "write tcp://SCHEDULER:8786, local:4 or ssh:hosts.txt"
_LINES: Final = "write [USER@]HOST[:PORT] in each line"


@dataclass(frozen=True, slots=True)
class ClusterWanted:
    """A cluster, and how it is reached.

    Attributes:
        address: Of Dask's scheduler; or `local:N`, or `ssh:FILE`, for one that lasts as long as
            the run.
        ca: The certificate authority's file, for TLS; so are `cert` and `key` for the client.
        samples: When raw samples come back: while the load runs, or when it is over.
    """

    address: str
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    samples: SamplesBack = "stream"

    def __post_init__(self) -> None:
        """Look at the address.

        Raises:
            UsageError: It is none.
        """
        address = self.address
        if address.startswith("local:"):
            self.local_workers  # noqa: B018 - it raises
        elif not (
            address.startswith("ssh:") or _ADDRESS.fullmatch(address) or _BARE.fullmatch(address)
        ):
            raise UsageError(f"`{address}` is not the address of a cluster", hint=_FORMS)
        given = [path for path in (self.ca, self.cert, self.key) if path is not None]
        for path in given:
            if not path.is_file():
                raise UsageError(
                    f"there is no file `{path}`", hint="name a certificate or key in PEM"
                )
        if given and address.startswith(("local:", "ssh:")):
            raise UsageError(
                f"`{address}` is started with the run, and takes no certificates",
                hint="leave --cluster-ca, --cluster-cert and --cluster-key out",
            )
        if given and self.cert is None:
            raise UsageError(
                "Dask's TLS authenticates both sides",
                hint="name --cluster-ca, --cluster-cert and --cluster-key",
            )

    @property
    def local_workers(self) -> int:
        """How many Dask workers a cluster on this machine has; 0 for any other cluster.

        Raises:
            UsageError: It is no number.
        """
        if not self.address.startswith("local:"):
            return 0
        number = self.address.removeprefix("local:")
        if not re.fullmatch(r"[1-9]\d{0,2}", number):
            raise UsageError(f"`{self.address}` has no number of workers", hint="write local:4")
        return int(number)

    @property
    def hosts_file(self) -> Path | None:
        """What has the hosts of a cluster over SSH."""
        if not self.address.startswith("ssh:"):
            return None
        return Path(self.address.removeprefix("ssh:"))

    @property
    def scheduler(self) -> str:
        """The address, with a protocol."""
        if self.local_workers or not _BARE.fullmatch(self.address):
            return self.address
        return f"{'tls' if self.cert else 'tcp'}://{self.address}"


@dataclass(frozen=True, slots=True)
class SshHost:
    """One line of a file of hosts: `[USER@]HOST[:PORT]`."""

    host: str
    user: str = ""
    port: int = 22


def read_hosts(path: Path) -> tuple[SshHost, ...]:
    """Read a file of hosts, one in a line; the first one has the scheduler as well.

    Raises:
        UsageError: It can't be read, or a line is no host.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise UsageError(f"can't read the hosts in `{path}`: {error}") from error
    found = []
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        match = _HOST.fullmatch(text)
        if match is None:
            raise UsageError(
                f"{path}:{number}:1: `{text}` is not a host",
                hint=_LINES,
            )
        found.append(
            SshHost(match["host"].strip("[]"), match["user"] or "", int(match["port"] or 22))
        )
    if not found:
        raise UsageError(f"there is no host in `{path}`", hint=_LINES)
    return tuple(found)
