"""Addresses of this machine that users connect from: one for each of a target's families."""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Final

__all__ = ["Sources", "bind_to", "family_of"]

# The port is chosen when it connects, and may then be the same for different targets.
_BIND_ADDRESS_NO_PORT: Final = 24 if sys.platform == "linux" else 0


def family_of(address: str) -> socket.AddressFamily | None:
    """Return the family of a literal address; None for a name."""
    try:
        version = ip_address(address).version
    except ValueError:
        return None
    return socket.AF_INET6 if version == 6 else socket.AF_INET


class Sources:
    """What `http.source_addresses` says; users take them in turn."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._of: dict[int, list[str]] = {}
        for address in addresses:
            self._of.setdefault(family_of(address) or 0, []).append(address)

    def __bool__(self) -> bool:
        return bool(self._of)

    def of_user(self, number: int, family: int) -> str:
        """Return what a user connects from to an address of a family; empty for any.

        Raises:
            OSError: None of them is of this family.
        """
        if not self._of:
            return ""
        found = self._of.get(family)
        if found is None:
            raise OSError("none of `http.source_addresses` is of its family")
        return found[number % len(found)]


def bind_to(sock: socket.socket, source: str) -> None:
    """Let a socket connect from an address.

    Raises:
        OSError: It isn't one of this machine, or none of its ports is free.
    """
    if _BIND_ADDRESS_NO_PORT:
        with suppress(OSError):  # a system that lacks it takes the port now
            sock.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
    sock.bind((source, 0))
