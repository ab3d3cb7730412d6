"""What is to be known of a host before workers go there."""

from __future__ import annotations

import platform
import socket
from contextlib import suppress
from pathlib import Path

from planrunner import __version__
from planrunner.extras import EXTRAS
from planrunner.process_limits import available_processors, local_ports, open_files
from planrunner.values import dataclass

__all__ = ["HostFacts", "own_facts"]

_BOOT: Path = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class HostFacts:
    """Where a process is, and what it has.

    Attributes:
        name: Of the host.
        machine: The same for processes that see the same files.
        network: The same for processes that see the same loopback interface.
        time: The same for processes whose clocks are one.
        python: Its version.
        planrunner: Its version.
        processors: That the process may use.
        open_files: How many it may have open at most; 0 for no limit.
        ports: How many connections to one address it may have; 0 where unknown.
        extras: Those of planrunner that are installed.
    """

    name: str
    machine: str
    network: str
    time: str
    python: str
    planrunner: str
    processors: int
    open_files: int
    ports: int = 0
    extras: tuple[str, ...] = ()

    def hears_loopback_of(self, other: HostFacts) -> bool:
        """Whether `localhost` is the same place to both."""
        return self.network == other.network

    def sees_files_of(self, other: HostFacts) -> bool:
        """Whether a path is the same file to both."""
        return self.machine == other.machine

    def has_clock_of(self, other: HostFacts) -> bool:
        """Whether both read the same monotonic clock."""
        return self.time == other.time


def own_facts() -> HostFacts:
    """Return those of this process."""
    name = socket.gethostname()
    boot = name
    with suppress(OSError):
        boot = _BOOT.read_text("ascii").strip()
    return HostFacts(
        name=name,
        machine=f"{boot} {_namespace('mnt')}",
        network=f"{boot} {_namespace('net')}",
        time=f"{boot} {_namespace('time')}",
        python=platform.python_version(),
        planrunner=__version__,
        processors=available_processors(),
        open_files=open_files()[1],
        ports=local_ports(),
        extras=tuple(extra.name for extra in EXTRAS if extra.is_installed),
    )


def _namespace(kind: str) -> str:
    with suppress(OSError):
        return str(Path(f"/proc/self/ns/{kind}").readlink())
    return ""
