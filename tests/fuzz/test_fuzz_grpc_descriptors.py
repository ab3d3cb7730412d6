"""Descriptors of gRPC, from files and servers, and replies: whatever comes is used or refused."""

from __future__ import annotations

from pathlib import Path

from google.protobuf import descriptor_pb2
from google.protobuf.message import DecodeError
from hypothesis import strategies as st

from planrunner.demo.routes.messages import describe_routes
from planrunner.protocols.grpc.messages.template import as_template
from planrunner.protocols.grpc.messages.writer import MessageWriter
from planrunner.protocols.grpc.schema.methods import GrpcSchema, SchemaError, read_descriptor_set
from planrunner.protocols.lowering import SpecFault
from tests.support.fuzzing import bounded, fuzz
from tests.support.mutations import damaged

ROUTES = describe_routes()
SET = descriptor_pb2.FileDescriptorSet(file=[ROUTES]).SerializeToString()
METHODS = tuple(f"routeguide.RouteGuide/{one.name}" for one in ROUTES.service[0].method)
FEATURE = b"\n\x04Mill\x12\x0c\x08\x90\xd0\xac\xf2\x01\x10\xff\xf1\xc5\x01"


@fuzz(damaged([SET]), examples=40)
def test_a_damaged_descriptor_set_is_used_or_refused(data: bytes, folder: Path) -> None:
    """What can be used makes messages too, of whatever its fields have become."""
    del folder
    with bounded(5):
        try:
            schema = GrpcSchema(read_descriptor_set(data))
            methods = [schema.method(name) for name in METHODS]
        except SchemaError as refused:
            assert refused.message.isprintable()
            return
        for method in methods:
            faults: list[SpecFault] = []
            value = {field.name: 1 for field in method.takes.fields}
            write = MessageWriter(schema, faults).write(method.takes, as_template(value), ())
            write({})


@fuzz(st.one_of(damaged([FEATURE]), st.binary(max_size=30)), examples=40)
def test_any_bytes_are_a_reply_or_not_one(data: bytes, folder: Path) -> None:
    """A message reads as data; what is not one says so."""
    del folder
    schema = GrpcSchema([ROUTES.SerializeToString()])
    method = schema.method("routeguide.RouteGuide/GetFeature")
    with bounded(5):
        try:
            message = method.parse(data)
        except DecodeError:
            return
        assert isinstance(schema.reader.read(message)["name"], str)
