"""One compiled etcd request, and the settings: what `compile` makes and the client binds."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import Final

from planrunner.language.expressions.values import EvaluationError
from planrunner.protocols.base import Evaluate, TextParts
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = [
    "Delete",
    "EtcdAction",
    "EtcdOperation",
    "EtcdSettings",
    "Get",
    "Lease",
    "Put",
    "Txn",
    "TxnCompare",
    "Watch",
    "whole_number",
]

_INT64: Final = range(-(2**63), 2**63)
"""What etcd counts revisions, versions and leases in."""


@dataclass(frozen=True, slots=True)
class Put:
    """Store a value; `lease` gives the number of the lease that the key lives with."""

    key: TextParts
    value: TextParts
    lease: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class Get:
    """Read a key, or with `prefix` all that begin with it; a `limit` of 0 is none."""

    key: TextParts
    prefix: bool = False
    limit: int = 0
    serializable: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a key, or with `prefix` all that begin with it."""

    key: TextParts
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class TxnCompare:
    """One condition of a transaction.

    Attributes:
        target: `value`, `version`, `create`, `mod` or `lease`.
        op: `=`, `!=`, `<` or `>`.
    """

    key: TextParts
    target: str
    op: str
    value: Evaluate


@dataclass(frozen=True, slots=True)
class Txn:
    """Do `success` when all of `compare` holds, else `failure`."""

    compare: tuple[TxnCompare, ...]
    success: tuple[Put | Get | Delete, ...]
    failure: tuple[Put | Get | Delete, ...]


@dataclass(frozen=True, slots=True)
class Lease:
    """Take a lease for `ttl_s` seconds, the unit of etcd."""

    ttl_s: int


@dataclass(frozen=True, slots=True)
class Watch:
    """Wait for a change of a key, or until it has the value `until`."""

    key: TextParts
    until: TextParts | None = None


EtcdAction = Put | Get | Delete | Txn | Lease | Watch


@dataclass(frozen=True, slots=True)
class EtcdOperation:
    """One etcd step, compiled.

    Attributes:
        needs_body: An expression reads the reply as `json` or `body`.
    """

    action: EtcdAction
    needs_body: bool = False


@dataclass(frozen=True, slots=True)
class EtcdSettings:
    """The plan's `etcd:` block, resolved; `RunGraph.settings["etcd"]`.

    Attributes:
        endpoints: `host:port` each, tried in this order.
        is_secure: TLS, because there is a `ca`, a `cert` or an `https://` endpoint.
        connections: Shared by all users of a worker; 0 gives each user its own.
    """

    endpoints: tuple[str, ...] = ()
    timeout_ns: int = 30 * NS_PER_S
    username: str = ""
    password: str = field(default="", repr=False)
    is_secure: bool = False
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    connections: int = 0


def whole_number(value: object, what: str) -> int:
    """Return a number that etcd can be sent.

    Raises:
        EvaluationError: It isn't whole, or has over 64 bits.
    """
    try:
        if isinstance(value, int | str) and not isinstance(value, bool):
            number = int(value)
            if number in _INT64:
                return number
    except ValueError:
        pass
    raise EvaluationError(f"{what} is not a whole number of at most 64 bits")
