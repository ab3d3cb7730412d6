"""What a plan may write about gRPC: the `grpc:` block and `grpc.call`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import Discriminator, Field, Tag
from planrunner.language.fields.mapping import Fault, PlanMapping
from planrunner.language.fields.rows import RowsField
from planrunner.language.fields.types import (
    Duration,
    Flag,
    PositiveInt,
    TextField,
    ValueField,
)
from planrunner.protocols.json_replies.spec import JsonExpectation, shape
from planrunner.protocols.operation_model import Extractions, OperationModel
from planrunner.protocols.streamed.expect import EventsField, FirstEventField, GapField

__all__ = ["SOURCES", "GrpcCall", "GrpcCertificate", "GrpcExpect", "GrpcModel"]

SOURCES: Final = ("proto", "reflection", "descriptor")
"""The keys that say where services and messages are described."""

OneOrMoreTexts = Annotated[
    Annotated[TextField, Tag("<scalar>")]
    | Annotated[list[TextField], Field(min_length=1), Tag("<list>")],
    Discriminator(shape),
]


class GrpcCertificate(PlanMapping):
    """A client certificate, and the key that is in a file of its own."""

    cert: TextField = Field(description="PEM file with the certificate.", examples=["client.pem"])
    key: TextField = Field(description="PEM file with its key.", examples=["client.key"])


class GrpcModel(PlanMapping):
    """The address of a gRPC server, and what describes its services."""

    synonyms: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("address", "host", "endpoint", "url", "base_url"), "target"),
        **dict.fromkeys(("protos", "proto_file", "proto_files", "protofile"), "proto"),
        **dict.fromkeys(("protoset", "descriptor_set", "descriptors"), "descriptor"),
        **dict.fromkeys(("proto_path", "include", "import_path"), "import_paths"),
        **dict.fromkeys(("headers", "header"), "metadata"),
        "connections": "channels",
    }
    elsewhere: ClassVar[Mapping[str, str]] = {
        "plaintext": "leave it out: without `tls`, `ca` and `cert` nothing is encrypted",
        "insecure": "leave it out: without `tls`, `ca` and `cert` nothing is encrypted",
        "key": "write `cert: {cert: client.pem, key: client.key}`",
    }

    target: TextField | None = Field(
        None, description="Host and port of the server.", examples=["127.0.0.1:50051"]
    )
    proto: OneOrMoreTexts | None = Field(
        None,
        description="The .proto files that describe the services.",
        examples=["protos/shop.proto", "[shop.proto, users.proto]"],
    )
    reflection: Flag | None = Field(
        None,
        description="True: the server is asked for its services before the load.",
        examples=["true"],
    )
    descriptor: TextField | None = Field(
        None,
        description="A descriptor set; `protoc --include_imports --descriptor_set_out` writes one.",
        examples=["shop.binpb"],
    )
    import_paths: OneOrMoreTexts | None = Field(
        None,
        description="With `proto`: folders in which imports are looked for. Default the folder of "
        "each file, and that of the plan.",
        examples=["[protos, third_party]"],
    )
    tls: Flag | None = Field(
        None,
        description="True: speak TLS. Default where there is a `ca` or a `cert`.",
        examples=["true"],
    )
    ca: TextField | None = Field(
        None,
        description="PEM file with the authorities to trust; turns TLS on.",
        examples=["ca.pem"],
    )
    cert: (
        Annotated[
            Annotated[TextField, Tag("<scalar>")] | Annotated[GrpcCertificate, Tag("<mapping>")],
            Discriminator(shape),
        ]
        | None
    ) = Field(
        None,
        description="PEM file with the client certificate and its key; turns TLS on.",
        examples=["client.pem", "{cert: client.pem, key: client.key}"],
    )
    metadata: dict[str, TextField] | None = Field(
        None,
        description="Metadata of every call; values of names that end in `-bin` are base64.",
        examples=["{x-client: planrunner}"],
    )
    timeout: Duration | None = Field(
        None,
        description="The time limit for one call, its deadline for the server. Default 30s.",
        examples=["5s"],
    )
    channels: PositiveInt | None = Field(
        None,
        description="Connections that all users share. Default one for each user.",
        examples=["4"],
    )

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        found = [key for key in data if key in SOURCES and data[key] is not False]
        for other in found[1:]:
            yield Fault(
                Code.CONFLICTING_KEYS,
                f"`{found[0]}` and `{other}` both describe the services",
                "keep one of them",
                other,
            )
        if "import_paths" in data and "proto" not in data:
            hint = "name the files with `proto:`"
            yield Fault(Code.MISSING_KEY, "`import_paths` needs `proto`", hint, "import_paths")


class GrpcExpect(PlanMapping):
    """Which replies are acceptable; without `status` only OK is."""

    synonyms: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("code", "status_code", "grpc_status"), "status"),
        **dict.fromkeys(("message", "body", "reply", "jsonpath"), "json"),
        **dict.fromkeys(("messages", "count"), "events"),
        **dict.fromkeys(("response_time", "duration", "latency"), "time"),
        "warn": "soft",
    }

    status: OneOrMoreTexts | None = Field(
        None,
        description="The name of a status, or a list of them. Default OK.",
        examples=["OK", "[OK, NOT_FOUND]"],
    )
    time: TextField | None = Field(
        None,
        description="The accepted latency.",
        examples=["< 10ms"],
        json_schema_extra={
            "pattern": r"^<=?\s*(\d.*|\$\{.*)$",
            "patternErrorMessage": "write a limit such as `< 10ms`",
        },
    )
    json_: dict[str, JsonExpectation] | None = Field(
        None,
        alias="json",
        min_length=1,
        description="JSONPath to the value or the rule it must meet; of a stream, in its last "
        "message. Fields are called as in the .proto file.",
        examples=["{$.point_count: 3}", "{$.name: {matches: Berkshire}}"],
    )
    first_event: FirstEventField = None
    gap: GapField = None
    events: EventsField = None
    soft: bool | None = Field(
        None, description="True: a failure is only a warning.", examples=["true"]
    )


class GrpcCall(OperationModel):
    """Call a method: unary, or with a stream in one direction or both."""

    short_schema: ClassVar[Mapping[str, Any]] = {
        "type": "string",
        "markdownDescription": "The method to call with an empty message.",
    }
    synonyms: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("call", "rpc", "path"), "method"),
        **dict.fromkeys(("json", "body", "data", "payload", "request"), "message"),
        **dict.fromkeys(("headers", "header"), "metadata"),
    }

    method: TextField = Field(
        description="The method: `package.Service/Method`.",
        examples=["routeguide.RouteGuide/GetFeature"],
    )
    message: ValueField | None = Field(
        None,
        description="The message, by the names of its fields. Default an empty one.",
        examples=["{latitude: 409146138, longitude: -746188906}"],
    )
    messages: list[ValueField] | None = Field(
        None,
        description="The messages of a method that takes a stream.",
        examples=["[{latitude: 1, longitude: 2}, {latitude: 3, longitude: 4}]"],
    )
    stream_from: RowsField | None = Field(
        None,
        description="What gives the messages of a method that takes a stream: the name of a "
        "source of `data`, each of whose rows is one message; or a list, such as a param, a "
        "variable, or the user's row of a source whose rows are lists.",
        examples=["routes"],
    )
    metadata: dict[str, TextField] | None = Field(
        None,
        description="Metadata of this call, over that of `grpc:`.",
        examples=["{authorization: 'Bearer ${token}'}"],
    )
    expect: GrpcExpect | None = Field(
        None, description="Which replies are acceptable.", examples=["{status: [OK, NOT_FOUND]}"]
    )
    extract: Extractions | None = Field(
        None,
        description="Variables to take from the reply, by JSONPath; of a stream, from its last "
        "message.",
        examples=["{distance: $.distance}"],
    )
    max_messages: PositiveInt | None = Field(
        None,
        description="Of a method that replies with a stream: the call is cancelled after so many "
        "messages, and that is a success.",
        examples=["10"],
    )

    @classmethod
    def expand(cls, data: object) -> object:
        return {"method": data} if isinstance(data, str) else data

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        found = [key for key in data if key in ("message", "messages", "stream_from")]
        for other in found[1:]:
            yield Fault(
                Code.CONFLICTING_KEYS,
                f"`{found[0]}` and `{other}` both say what is sent",
                "keep one of them",
                other,
            )
        yield from super().find_faults(data)

    def default_name(self, action: str) -> str:
        """Return `grpc` and the method as written."""
        return f"{action.partition('.')[0]} {self.method.source}"
