"""What a session asked etcd last and what came back, in words."""

from __future__ import annotations

import json
from typing import Any

from planrunner.protocols.etcd.reply import EtcdReply

__all__ = ["recall", "sent_message"]


def recall(method: str, message: Any, reply: EtcdReply) -> tuple[str, str]:  # noqa: ANN401 - protobuf
    """Return a call as it left, and what was answered, for people to read."""
    if not reply.sent:
        return "", ""
    sent = f"{method}\n\n{sent_message(message)}"
    if reply.message is not None:
        return sent, _shown(reply.data())
    return sent, reply.detail


def sent_message(message: Any) -> str:  # noqa: ANN401 - protobuf
    """Return a request as JSON, as far as it says anything."""
    return _shown(_data(message))


def _shown(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2)


def _data(message: Any) -> dict[str, Any]:  # noqa: ANN401 - protobuf has no types
    return {field.name: _value(value) for field, value in message.ListFields()}


def _value(value: Any) -> object:  # noqa: ANN401 - of a field
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if hasattr(value, "ListFields"):
        return _data(value)
    return value if isinstance(value, str | int | float) else [_value(item) for item in value]
