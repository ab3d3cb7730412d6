"""Actions to messages: what is constant is rendered once, before the run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from planrunner.language.expressions.values import evaluation_error, to_text
from planrunner.protocols.base import Evaluate, Scope, TextParts
from planrunner.protocols.etcd.operation import (
    Delete,
    EtcdAction,
    Get,
    Lease,
    Put,
    Txn,
    TxnCompare,
    Watch,
    whole_number,
)

__all__ = ["Build", "message_builder", "prefix_end", "renderer"]

Build = Callable[[Scope], Any]
"""Makes the message of a request; raises `EvaluationError` when an expression has no value."""

Bytes = Callable[[Scope], bytes]

_OPS: Final = {"=": "EQUAL", "!=": "NOT_EQUAL", "<": "LESS", ">": "GREATER"}
_FIELDS: Final = {
    "value": "value",
    "version": "version",
    "create": "create_revision",
    "mod": "mod_revision",
    "lease": "lease",
}


def renderer(parts: TextParts) -> Bytes:
    """Return what renders a text to the bytes that etcd stores."""
    if not parts:
        return lambda _: b""
    if len(parts) == 1:
        return _piece(parts[0])
    pieces = tuple(map(_piece, parts))
    return lambda scope: b"".join([piece(scope) for piece in pieces])


def _piece(part: str | Evaluate) -> Bytes:
    if isinstance(part, str):
        constant = part.encode()
        return lambda _: constant
    evaluate = part

    def render(scope: Scope) -> bytes:
        value = evaluate(scope)
        try:
            if type(value) is str:
                return value.encode()
            return value if isinstance(value, bytes) else to_text(value).encode()
        except UnicodeError as error:
            raise evaluation_error(error, "a key or value of the step") from error

    return render


def prefix_end(prefix: bytes) -> bytes:
    """Return the first key after all that begin with `prefix`.

    Source: etcd's API guarantees, "key ranges": one more in the last byte that can be raised.
    """
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else b"\0"


def message_builder(stubs: Any, action: EtcdAction) -> Build:  # noqa: ANN401 - generated code
    """Return what makes the message of `action`; a constant one is made once."""
    build = _message(stubs, action)

    def guarded(scope: Scope) -> Any:  # noqa: ANN401 - a message of protobuf
        try:
            return build(scope)
        except Exception as error:
            # The boundary: no value may end the run, whatever protobuf thinks of it.
            raise evaluation_error(error, "a value of the step") from error

    return guarded


def _message(stubs: Any, action: EtcdAction) -> Build:  # noqa: ANN401 - made at run time
    match action:
        case Put() | Get() | Delete():
            return _single(stubs, action)
        case Txn():
            return _txn(stubs, action)
        case Lease():
            message = stubs.LeaseGrantRequest(TTL=action.ttl_s)
            return lambda _: message
        case Watch():
            return _range(stubs.RangeRequest, action.key)


def _single(stubs: Any, action: Put | Get | Delete) -> Build:  # noqa: ANN401
    match action:
        case Put():
            return _put(stubs.PutRequest, action)
        case Get():
            return _range(
                stubs.RangeRequest,
                action.key,
                is_prefix=action.prefix,
                limit=action.limit,
                serializable=action.serializable,
            )
        case Delete():
            return _range(stubs.DeleteRangeRequest, action.key, is_prefix=action.prefix)


def _put(message: Any, put: Put) -> Build:  # noqa: ANN401
    key, value = renderer(put.key), renderer(put.value)
    if put.lease is None:
        return lambda scope: message(key=key(scope), value=value(scope))
    lease = _whole(put.lease, "the lease")
    return lambda scope: message(key=key(scope), value=value(scope), lease=lease(scope))


def _range(message: Any, parts: TextParts, *, is_prefix: bool = False, **rest: Any) -> Build:  # noqa: ANN401
    key = renderer(parts)
    if not is_prefix:
        return lambda scope: message(key=key(scope), **rest)

    def build(scope: Scope) -> Any:  # noqa: ANN401
        begin = key(scope)
        # An empty prefix is every key, which etcd writes as from \0 to \0.
        return message(key=begin or b"\0", range_end=prefix_end(begin), **rest)

    return build


def _txn(stubs: Any, txn: Txn) -> Build:  # noqa: ANN401
    compare = [_compare(stubs.Compare, item) for item in txn.compare]
    success = [_request_op(stubs, action) for action in txn.success]
    failure = [_request_op(stubs, action) for action in txn.failure]

    def build(scope: Scope) -> Any:  # noqa: ANN401
        return stubs.TxnRequest(
            compare=[make(scope) for make in compare],
            success=[make(scope) for make in success],
            failure=[make(scope) for make in failure],
        )

    return build


def _request_op(stubs: Any, action: Put | Get | Delete) -> Build:  # noqa: ANN401
    build = _single(stubs, action)
    field = {Put: "request_put", Get: "request_range", Delete: "request_delete_range"}[type(action)]
    return lambda scope: stubs.RequestOp(**{field: build(scope)})


def _compare(message: Any, compare: TxnCompare) -> Build:  # noqa: ANN401
    key = renderer(compare.key)
    target = message.CompareTarget.Value(compare.target.upper())
    result = message.CompareResult.Value(_OPS[compare.op])
    field = _FIELDS[compare.target]
    value: Callable[[Scope], bytes | int]
    if compare.target == "value":
        value = renderer((compare.value,))
    else:
        value = _whole(compare.value, f"the {compare.target}")
    return lambda scope: message(
        key=key(scope), target=target, result=result, **{field: value(scope)}
    )


def _whole(evaluate: Evaluate, what: str) -> Callable[[Scope], int]:
    return lambda scope: whole_number(evaluate(scope), what)
