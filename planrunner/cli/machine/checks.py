"""What this machine allows a load generator, and what to do where that is little."""

from __future__ import annotations

import importlib.util
import platform
import sys
from collections.abc import Iterator, Mapping
from typing import Final

from planrunner.extras import EXTRAS
from planrunner.process_limits import available_processors, local_ports, open_files
from planrunner.runner.event_loop import OWN_DESCRIPTORS
from planrunner.values import dataclass

__all__ = ["Machine", "read_machine", "warnings_of"]

_FEW_USERS: Final = 4_000
_FEW_PORTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Machine:
    """Facts that limit what it can generate.

    Attributes:
        open_files: Of one process: allowed now, and after `planrunner` has raised that itself;
            0 where there is no limit to know.
        ports: Connections to one address and port at a time; 0 where unknown.
        extras: Whether the packages of each extra are installed.
    """

    system: str
    python: str
    processors: int
    fast_loop: bool
    open_files: int
    most_open_files: int
    ports: int
    extras: Mapping[str, bool]

    @property
    def most_users(self) -> int:
        """How many users with a connection each one worker can have; 0 where unknown."""
        limits = (self.most_open_files - OWN_DESCRIPTORS, self.ports)
        return min((limit for limit in limits if limit > 0), default=0)


def read_machine() -> Machine:
    """Look at this machine."""
    soft, hard = open_files()
    return Machine(
        platform.platform(),
        platform.python_version(),
        available_processors(),
        sys.platform != "win32" and importlib.util.find_spec("uvloop") is not None,
        soft,
        hard,
        local_ports(),
        {extra.name: extra.is_installed for extra in EXTRAS},
    )


def warnings_of(machine: Machine) -> Iterator[str]:
    """Say what is little, and what to do about it."""
    users = machine.most_open_files - OWN_DESCRIPTORS
    if machine.most_open_files and users < _FEW_USERS:
        yield (
            f"a process may have {machine.most_open_files:,} open files, enough for {users:,} "
            "users: raise the hard limit (`ulimit -Hn 65536`, or LimitNOFILE of the service)"
        )
    if machine.ports and machine.ports < _FEW_PORTS:
        yield (
            f"{machine.ports:,} ports are available for connections to one address: widen the "
            'range (`sysctl -w net.ipv4.ip_local_port_range="1024 65535"`), or let users connect '
            "from several addresses (`http.source_addresses`)"
        )
    if not machine.fast_loop and sys.platform == "win32":
        yield "there is no uvloop for Windows: on Linux, a worker sends about three times as much"
    elif not machine.fast_loop:
        yield "uvloop is not installed: with it, a worker sends about three times as much"
