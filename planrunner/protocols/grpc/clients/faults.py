"""What a call that failed means, in the words of planrunner."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.message import DecodeError

from planrunner.protocols.base import FailureKind
from planrunner.protocols.over_grpc.failures import LATE, NOT_SENT, briefly, unavailable_kind
from planrunner.protocols.over_grpc.network import grpc
from planrunner.protocols.rules import shorten

__all__ = ["details_in", "map_failure", "was_refused"]

_CODE: Final = grpc.StatusCode
_KINDS: Final = {
    _CODE.DEADLINE_EXCEEDED: FailureKind.TIMEOUT,
    _CODE.PERMISSION_DENIED: FailureKind.PERMISSION,
    _CODE.UNAUTHENTICATED: FailureKind.PERMISSION,
    _CODE.CANCELLED: FailureKind.RESET,
}
_INSIDE: Final = (_CODE.INTERNAL, _CODE.UNKNOWN, _CODE.UNIMPLEMENTED)
_RESET: Final = "rst_stream"
_REFUSED_STREAM: Final = "rst_stream with error code 7"
_BROKEN: Final = (
    "http2 header with status",
    "http1.x server",
    "content-type",
    "failed parsing",
    "frame",
    "compression bit",
    "error parsing",
)
"""What gRPC says when its framing, and not the server's program, is at fault."""

_TOO_LARGE: Final = "message larger than max"
_LOST: Final = NOT_SENT | {FailureKind.RESET}
"""Kinds that no status of a server is, whatever is expected."""

_DETAILS: Final = "grpc-status-details-bin"
_MOST_DETAIL: Final = 200


def map_failure(
    error: grpc.aio.AioRpcError,
    accept: Container[int],
    pool: Any = None,  # noqa: ANN401
) -> tuple[FailureKind | None, int, str]:
    """Return the kind of a failed call, its code, and a message for people.

    The kind is None when the plan accepts the code. `pool` knows the plan's own messages, which may
    stand in the details.
    """
    code, details = error.code(), (error.details() or "").strip()
    number, kind = int(code.value[0]), _kind(code, details)
    if number in accept and kind not in _LOST:
        return None, number, ""
    words = LATE if code is _CODE.DEADLINE_EXCEEDED else briefly(details) or "no message"
    rich = "; ".join(details_in(error.trailing_metadata() or (), pool))
    return kind, number, f"{code.name}: {words}" + (f"; {rich}" if rich else "")


def _kind(code: Any, details: str) -> FailureKind:  # noqa: ANN401 - grpc has no types
    words = details.lower()
    if code is _CODE.UNAVAILABLE:
        return FailureKind.RESET if _RESET in words else unavailable_kind(words)
    if code is _CODE.RESOURCE_EXHAUSTED and _TOO_LARGE in words:
        return FailureKind.TOO_LARGE
    if code is not _CODE.CANCELLED and _RESET in words:
        return FailureKind.PROTOCOL
    if code in _INSIDE and any(sign in words for sign in _BROKEN):
        return FailureKind.PROTOCOL
    return _KINDS.get(code, FailureKind.STATUS)


def was_refused(error: grpc.aio.AioRpcError) -> bool:
    """Say whether the server has done nothing for the call: REFUSED_STREAM, or GOAWAY before it.

    A connection that was cut after GOAWAY is something else: the call may have been taken.
    """
    if error.code() is not _CODE.UNAVAILABLE:
        return False
    words = briefly(error.details() or "").lower()
    return words.startswith("goaway received") or _REFUSED_STREAM in words


def details_in(metadata: Any, pool: Any = None) -> Iterator[str]:  # noqa: ANN401
    """Yield the rich details of an error, each its kind and what is in it."""
    data = next((value for key, value in metadata if key == _DETAILS), None)
    if not isinstance(data, bytes):
        return
    try:
        from google.rpc import error_details_pb2, status_pb2  # noqa: PLC0415 - few errors have any

        del error_details_pb2  # its messages are known from now on
        status = status_pb2.Status.FromString(data)
    except (ImportError, DecodeError):
        return
    for detail in status.details:
        name = detail.type_url.rpartition("/")[2].rpartition(".")[2]
        yield shorten(f"{name} {_shown(detail, pool)}".strip(), _MOST_DETAIL)


def _shown(detail: Any, pool: Any) -> str:  # noqa: ANN401
    for known in (None, pool):
        try:
            data = json_format.MessageToDict(
                detail, preserving_proto_field_name=True, descriptor_pool=known
            )
        except (TypeError, ValueError, KeyError, DecodeError):
            continue
        data.pop("@type", None)
        return json.dumps(data, ensure_ascii=False) if data else ""
    return ""
