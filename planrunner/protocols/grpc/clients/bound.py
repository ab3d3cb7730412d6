"""A step that is bound: what of it is the same for every call."""

from __future__ import annotations

from collections.abc import Callable, Container

from planrunner.language.expressions.expression import to_text
from planrunner.language.expressions.values import evaluation_error
from planrunner.protocols.base import Exchange, Scope, TextParts
from planrunner.protocols.grpc.compile.metadata import metadata_value
from planrunner.protocols.grpc.compile.prepare import PreparedCall
from planrunner.protocols.grpc.operation import CallMetadata, GrpcOperation
from planrunner.units import NS_PER_S

__all__ = ["BoundGrpcCall"]


class BoundGrpcCall:
    """A step, ready to send once its schema is known.

    Attributes:
        prepared: None until the server has described its services.
        metadata: Of the call; None when it differs from call to call.
        metadata_of: Makes it then.
    """

    __slots__ = (
        "accept",
        "metadata",
        "metadata_of",
        "operation",
        "prepared",
        "timeout_ns",
        "timeout_s",
    )

    @property
    def service(self) -> str:
        """The whole name of the service."""
        return self.operation.method.rpartition("/")[0]

    def __init__(
        self, exchange: Exchange, common: CallMetadata, prepared: PreparedCall | None
    ) -> None:
        operation: GrpcOperation = exchange.operation
        self.operation = operation
        self.prepared = prepared
        self.accept: Container[int] = operation.accept
        self.timeout_ns = exchange.timeout_ns
        self.timeout_s = exchange.timeout_ns / NS_PER_S
        own = {name for name, _ in operation.metadata}
        kept = tuple(item for item in common if item[0] not in own)
        self.metadata_of = _metadata_of(kept, operation)
        is_constant = all(
            isinstance(part, str) for _, parts in operation.metadata for part in parts
        )
        self.metadata: CallMetadata | None = self.metadata_of({}) if is_constant else None


def _metadata_of(kept: CallMetadata, operation: GrpcOperation) -> Callable[[Scope], CallMetadata]:
    own = operation.metadata

    def metadata(scope: Scope) -> CallMetadata:
        return (*kept, *((name, metadata_value(name, _text(parts, scope))) for name, parts in own))

    return metadata


def _text(parts: TextParts, scope: Scope) -> str:
    try:
        return "".join(part if isinstance(part, str) else to_text(part(scope)) for part in parts)
    except UnicodeError as error:
        raise evaluation_error(error, "metadata") from error
