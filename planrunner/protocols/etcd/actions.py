"""What the steps of etcd are called; apart from their models, which few plans need."""

from __future__ import annotations

from typing import Final

__all__ = ["ETCD_ACTIONS"]

ETCD_ACTIONS: Final = (
    "etcd.put",
    "etcd.get",
    "etcd.delete",
    "etcd.txn",
    "etcd.lease",
    "etcd.watch",
)
