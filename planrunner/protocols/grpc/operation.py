"""One compiled call, and the settings: what `compile` makes and the client binds."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import field
from pathlib import Path

from planrunner.language.expressions.values import Lowered
from planrunner.protocols.base import TextParts
from planrunner.protocols.grpc.messages.template import Template
from planrunner.protocols.grpc.schema.methods import GrpcSchema
from planrunner.protocols.lowering import SpecPath
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = [
    "CallMetadata",
    "CallTemplate",
    "GrpcOperation",
    "GrpcSettings",
    "MetadataItem",
    "ReplyPath",
]

CallMetadata = tuple[tuple[str, str | bytes], ...]
"""Names and values, as gRPC takes them."""

MetadataItem = tuple[str, TextParts]
"""A name in lower case, and what its value is made of."""


@dataclass(frozen=True, slots=True)
class GrpcSettings:
    """The plan's `grpc:` block, resolved; `RunGraph.settings["grpc"]`.

    Attributes:
        target: `host:port`.
        reflects: The server describes its services itself.
        schema: What files of the plan say of them; None when the server is asked.
        metadata: Of every call.
        channels: Connections shared by all users of a worker; 0 gives each user its own.
    """

    target: str = ""
    reflects: bool = False
    schema: GrpcSchema | None = field(default=None, repr=False, compare=False)
    is_secure: bool = False
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    metadata: CallMetadata = field(default=(), repr=False)
    timeout_ns: int = 30 * NS_PER_S
    channels: int = 0


@dataclass(frozen=True, slots=True)
class CallTemplate:
    """What a plan says of the messages of a call, before it is known what they are.

    Attributes:
        message: Of a single message.
        messages: Of several; None where there is one.
        stream: Gives a list of messages; None where the plan has them.
        columns: The fields of each of these, as far as they are known.
    """

    message: Template | None = None
    messages: tuple[Template, ...] | None = None
    stream: Lowered | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplyPath:
    """A plain JSONPath that has to find something in a reply.

    Attributes:
        where: It stands, below the step.
        keys: The names and indices on its way.
        is_key: It is a key of the plan, and no value.
    """

    where: SpecPath
    keys: tuple[str | int, ...]
    is_key: bool = False


@dataclass(frozen=True, slots=True)
class GrpcOperation:
    """One `grpc.call`, compiled.

    Attributes:
        method: `package.Service/Method`.
        place: Where the method stands, below the step.
        accept: The codes that are no failure.
        metadata: Of this call alone.
        most_messages: How many messages of a stream are read; 0 for all.
        reads_body: Something reads the reply as text.
        reads_head: An expression reads the reply's metadata.
        about_streams: What the step says of a reply that is a stream.
        reads: Where it looks in the reply's JSON.
    """

    method: str
    template: CallTemplate
    accept: Container[int]
    metadata: tuple[MetadataItem, ...] = ()
    most_messages: int = 0
    reads_body: bool = False
    reads_head: bool = False
    about_streams: tuple[SpecPath, ...] = ()
    reads: tuple[ReplyPath, ...] = ()
    place: SpecPath = ("method",)
