"""What etcd answered: the message itself, and as data for expressions and JSONPath."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from planrunner.protocols.base import Reply

__all__ = ["EtcdReply", "read_data"]


class EtcdReply(Reply):
    """A reply with the protobuf message that came, None when none did."""

    __slots__ = ("_data", "_data_of", "message")

    message: Any

    def __init__(self) -> None:
        super().__init__()
        self.message = None
        self._data: dict[str, Any] = {}
        self._data_of: object = None

    def data(self) -> dict[str, Any]:
        """Return the message as JSON has it, in the words of etcd's API; texts are UTF-8."""
        message = self.message
        if message is None:
            return {}
        if self._data_of is not message:
            self._data = _SHAPES[message.DESCRIPTOR.name](message)
            self._data_of = message
        return self._data


def read_data(reply: Reply) -> dict[str, Any]:
    """Return what came as data."""
    return cast("EtcdReply", reply).data()


def _header(message: Any) -> dict[str, int]:  # noqa: ANN401 - protobuf has no types
    header = message.header
    return {
        "cluster_id": header.cluster_id,
        "member_id": header.member_id,
        "revision": header.revision,
        "raft_term": header.raft_term,
    }


def _pair(pair: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "key": pair.key.decode("utf-8", "replace"),
        "value": pair.value.decode("utf-8", "replace"),
        "create_revision": pair.create_revision,
        "mod_revision": pair.mod_revision,
        "version": pair.version,
        "lease": pair.lease,
    }


def _put(message: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"header": _header(message)}


def _range(message: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "header": _header(message),
        "kvs": [_pair(pair) for pair in message.kvs],
        "more": message.more,
        "count": message.count,
    }


def _delete(message: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"header": _header(message), "deleted": message.deleted}


def _txn(message: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "header": _header(message),
        "succeeded": message.succeeded,
        "responses": [_inside(response) for response in message.responses],
    }


def _inside(response: Any) -> dict[str, Any]:  # noqa: ANN401
    name = response.WhichOneof("response")
    inner = getattr(response, name)
    return {name: _SHAPES[inner.DESCRIPTOR.name](inner)}


def _lease(message: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"header": _header(message), "ID": message.ID, "TTL": message.TTL}


def _watch(message: Any) -> dict[str, Any]:  # noqa: ANN401
    events = [
        {"type": "DELETE" if event.type else "PUT", "kv": _pair(event.kv)}
        for event in message.events
    ]
    return {"header": _header(message), "events": events}


_SHAPES: Final[Mapping[str, Callable[[Any], dict[str, Any]]]] = {
    "PutResponse": _put,
    "RangeResponse": _range,
    "DeleteRangeResponse": _delete,
    "TxnResponse": _txn,
    "LeaseGrantResponse": _lease,
    "WatchResponse": _watch,
}
