"""A gRPC server of every kind of call, which does what its messages ask, and clients to try it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from planrunner.protocols.over_grpc.network import grpc  # isort: skip  # it settles how gRPC behaves

from grpc_reflection.v1alpha.reflection import enable_server_reflection

from planrunner.clock import MonotonicClock
from planrunner.protocols.base import Exchange, Reply, Scope
from planrunner.protocols.grpc.clients.caller import GrpcCaller
from planrunner.protocols.grpc.compile.settings import GrpcDefaults
from planrunner.protocols.grpc.compile.step import compile_call
from planrunner.protocols.grpc.operation import GrpcSettings
from planrunner.protocols.grpc.schema.methods import GrpcSchema
from planrunner.protocols.grpc.schema.protos import ProtoFile, compile_protos
from planrunner.protocols.grpc.spec import GrpcCall
from tests.support.etcd_steps import NoFiles

__all__ = [
    "KITCHEN",
    "KitchenServer",
    "Send",
    "call",
    "honest",
    "kitchen",
    "reflecting",
    "serve_kitchen",
    "with_caller",
]

KITCHEN = """\
syntax = "proto3";
package kitchen;

import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";

enum Size { SMALL = 0; LARGE = 1; }

message Dish {
  int32 small = 1;
  int64 big = 2;
  uint64 huge = 3;
  double exact = 4;
  float rough = 5;
  bool yes = 6;
  string text = 7;
  bytes data = 8;
  Size size = 9;
  repeated int32 numbers = 10;
  map<string, int32> counts = 11;
  oneof choice { string one = 12; int32 other = 13; }
  Dish inner = 14;
  repeated Dish many = 15;
  google.protobuf.Timestamp at = 16;
  google.protobuf.Duration took = 17;
  google.protobuf.Struct free = 18;
  google.protobuf.Int64Value wrapped = 19;
  google.protobuf.Any any = 20;
  google.protobuf.Value value = 21;
  map<int32, Dish> by_number = 22;
  optional int32 maybe = 23;
}

service Kitchen {
  rpc Cook(Dish) returns (Dish);
  rpc Serve(Dish) returns (stream Dish);
  rpc Collect(stream Dish) returns (Dish);
  rpc Talk(stream Dish) returns (stream Dish);
}
"""


@cache
def kitchen() -> GrpcSchema:
    """Return the schema, for which protoc runs at most once on a machine."""
    file = ProtoFile("kitchen.proto", KITCHEN.encode(), "kitchen.proto")
    return GrpcSchema(compile_protos([file], ["kitchen.proto"]))


def dish(**fields: Any) -> Any:
    return kitchen().new(kitchen().method("kitchen.Kitchen/Cook").takes)()(**fields)


@dataclass
class KitchenServer:
    """A server that listens; what it was sent is here.

    Attributes:
        metadata: Of the last call.
        dishes: The messages of the last call.
    """

    port: int = 0
    metadata: dict[str, str | bytes] = field(default_factory=dict)
    dishes: list[Any] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def obey(self, asked: Any, context: Any) -> None:
        """Do what the text of a dish asks for."""
        self.metadata = dict(context.invocation_metadata())
        self.dishes.append(asked)
        word, _, rest = asked.text.partition(" ")
        if word == "fail":
            await context.abort(getattr(grpc.StatusCode, rest), "as asked")
        elif word == "rich":
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                "as asked",
                (("grpc-status-details-bin", rich_details()),),
            )
        elif word == "wait":
            await asyncio.Event().wait()
        elif word == "trail":
            await context.send_initial_metadata((("x-first", "1"),))
            context.set_trailing_metadata((("x-last", "2"), ("x-raw-bin", b"\x00\xff")))

    async def cook(self, asked: Any, context: Any) -> Any:
        self.dishes = []
        await self.obey(asked, context)
        return b"\xff\xff" if asked.text == "nonsense" else asked.SerializeToString()

    async def serve(self, asked: Any, context: Any) -> AsyncIterator[Any]:
        self.dishes = []
        for number in range(asked.small):
            asked.big = number
            yield asked.SerializeToString()
        await self.obey(asked, context)

    async def collect(self, asked: AsyncIterator[Any], context: Any) -> Any:
        self.dishes = []
        async for one in asked:
            await self.obey(one, context)
        total = asked_class()(small=sum(one.small for one in self.dishes))
        return total.SerializeToString()

    async def talk(self, asked: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        self.dishes = []
        async for one in asked:
            await self.obey(one, context)
            yield one.SerializeToString()


def asked_class() -> Any:
    return kitchen().new(kitchen().method("kitchen.Kitchen/Cook").takes)


def rich_details() -> bytes:
    from google.rpc import error_details_pb2, status_pb2  # noqa: PLC0415 - few tests need it

    status = status_pb2.Status(code=3, message="as asked")
    violation = error_details_pb2.BadRequest.FieldViolation(field="small", description="too small")
    status.details.add().Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    return status.SerializeToString()


@asynccontextmanager
async def serve_kitchen(
    *,
    credentials: Any = None,
    options: Mapping[str, int] | None = None,
    port: int = 0,
    reflection: Callable[[Any], None] | None = None,
) -> AsyncIterator[KitchenServer]:
    """Serve on a free port of loopback; `reflection` adds that to the server."""
    found = KitchenServer()
    server = grpc.aio.server(options=tuple((options or {}).items()))
    kinds = {
        "Cook": (grpc.unary_unary_rpc_method_handler, found.cook),
        "Serve": (grpc.unary_stream_rpc_method_handler, found.serve),
        "Collect": (grpc.stream_unary_rpc_method_handler, found.collect),
        "Talk": (grpc.stream_stream_rpc_method_handler, found.talk),
    }
    parse = asked_class().FromString
    handlers = {
        name: make(behaviour, request_deserializer=parse)
        for name, (make, behaviour) in kinds.items()
    }
    generic = grpc.method_handlers_generic_handler("kitchen.Kitchen", handlers)
    server.add_generic_rpc_handlers((generic,))
    if reflection is not None:
        reflection(server)
    address = f"localhost:{port}" if credentials else f"127.0.0.1:{port}"
    if credentials is None:
        found.port = server.add_insecure_port(address)
    else:
        found.port = server.add_secure_port(address, credentials)
    await server.start()
    try:
        yield found
    finally:
        await server.stop(None)


def honest(server: Any) -> None:
    """Describe the kitchen, in the older version of reflection."""
    enable_server_reflection(["kitchen.Kitchen"], server, pool=kitchen().pool)


def reflecting(*answers: Any) -> Callable[[Any], None]:
    """Return what answers the questions of reflection, v1, with these one after the other."""

    left = iter(answers)

    async def converse(asked: AsyncIterator[bytes], _: Any) -> AsyncIterator[bytes]:
        async for _question in asked:
            if (answer := next(left, None)) is not None:
                yield answer.SerializeToString()

    handlers = {"ServerReflectionInfo": grpc.stream_stream_rpc_method_handler(converse)}

    def add(server: Any) -> None:
        name = "grpc.reflection.v1.ServerReflection"
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))

    return add


def call(
    method: str = "Cook", *, settings: GrpcSettings | None = None, reads: str = "", **keys: Any
) -> Exchange:
    """Compile a step that has no fault."""
    settings = settings or GrpcSettings(schema=kitchen())
    model = GrpcCall.model_validate({"method": f"kitchen.Kitchen/{method}", **keys})
    result = compile_call(
        model,
        constants={},
        defaults=GrpcDefaults(settings),
        files=NoFiles(),
        reads=frozenset(reads.split()),
    )
    assert not result.faults, result.faults
    return result.exchange


Send = Callable[..., Coroutine[Any, Any, Reply]]


def with_caller(
    use: Callable[[KitchenServer, Send, GrpcCaller], Coroutine[Any, Any, None]],
    run: Callable[..., Any] = asyncio.run,
    **more: Any,
) -> None:
    """Serve, open a client, use both, and close them.

    `use` is given the server, what sends a step on one session, and the client.
    """

    async def main() -> None:
        async with serve_kitchen() as server:
            settings = replace(
                GrpcSettings(target=server.address, schema=kitchen(), timeout_ns=5_000_000_000),
                **more,
            )
            client = GrpcCaller(settings, MonotonicClock())
            session = client.session()

            async def send(method: str, scope: Scope | None = None, **keys: Any) -> Reply:
                step = call(method, settings=settings, **keys)
                return await session.send(client.bind(step), {} if scope is None else scope)

            try:
                await use(server, send, client)
                await session.close()
            finally:
                await client.close()

    run(main())
