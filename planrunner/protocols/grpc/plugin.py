"""gRPC as a protocol: unary calls and streams, to services that files or a server describe."""

from __future__ import annotations

from typing import Final

from planrunner.metrics.measures import CONNECT, SIZE, STREAMED
from planrunner.protocols.base import FailureKind
from planrunner.protocols.over_grpc.codes import CODES, code_name
from planrunner.protocols.plugin import Action, Plugin, Settings, lazily

__all__ = ["PLUGIN"]

_PACKAGE: Final = "planrunner.protocols.grpc"

PLUGIN: Final = Plugin(
    name="grpc",
    title="gRPC",
    actions={
        "grpc.call": Action(
            f"{_PACKAGE}.spec:GrpcCall",
            "gRPC: call a method, unary or with streams.",
            "{method: routeguide.RouteGuide/GetFeature, message: {latitude: 1, longitude: 2}}",
            head="grpc",
        ),
    },
    settings=Settings(
        model=f"{_PACKAGE}.spec:GrpcModel",
        description="The address of a gRPC server, and what describes its services, for "
        "`grpc.call`.",
        example="{target: '127.0.0.1:50051', reflection: true}",
        class_description="The gRPC server of this class; it overrides the plan's.",
        missing="the plan does not say where the gRPC server is",
        missing_hint="add `grpc: {target: '127.0.0.1:50051', reflection: true}`",
    ),
    compile_settings=lazily(f"{_PACKAGE}.compile.settings:compile_settings"),
    compile_request=lazily(f"{_PACKAGE}.compile.step:compile_call"),
    clients={"aio": f"{_PACKAGE}.clients.caller:open_caller"},
    choose_client=lazily(f"{_PACKAGE}.target:choose_client"),
    hosts=lazily(f"{_PACKAGE}.target:hosts"),
    reach=lazily(f"{_PACKAGE}.target:reach"),
    examine=lazily(f"{_PACKAGE}.clients.asking:examine"),
    transport=lazily(f"{_PACKAGE}.target:transport"),
    status_text=code_name,
    statuses=CODES,
    failures={
        FailureKind.DNS: "the name of the server doesn't resolve",
        FailureKind.CONNECT: "no connection to the server",
        FailureKind.TLS: "the handshake failed, or the certificate isn't trusted",
        FailureKind.TIMEOUT: "no reply within the deadline (`DEADLINE_EXCEEDED`)",
        FailureKind.RESET: "the connection broke, or the server cancelled the call (`CANCELLED`)",
        FailureKind.PROTOCOL: "what came is not gRPC, or not a message of the method",
        FailureKind.TOO_LARGE: "a message is larger than its receiver takes",
        FailureKind.UNAVAILABLE: "the server can't serve now (`UNAVAILABLE`)",
        FailureKind.PERMISSION: "`PERMISSION_DENIED`, `UNAUTHENTICATED`",
        FailureKind.STATUS: "any other status than `OK`, or than those expected",
        FailureKind.EXPECT: "an expectation does not hold",
        FailureKind.EXTRACT: "a required value isn't in the reply",
    },
    reply_names={
        "events": lazily(f"{_PACKAGE}.reply:events_of"),
        "event": lazily(f"{_PACKAGE}.reply:last_event"),
    },
    reply_words={
        "events": "how many messages came in a stream",
        "event": "the last message of a stream",
    },
    streaming="call a method that replies with a stream",
    # No time to the first byte: gRPC hands over whole messages.
    measures={measure.word: measure for measure in (CONNECT, SIZE, *STREAMED)},
)
