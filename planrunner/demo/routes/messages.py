"""The service and messages of the route guide, as a .proto file would describe them.

They are built here: reading a .proto file takes a compiler, which the demo shouldn't need.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

__all__ = ["FILE", "PACKAGE", "SERVICE", "describe_routes", "message_class", "route_pool"]

PACKAGE: Final = "routeguide"
SERVICE: Final = f"{PACKAGE}.RouteGuide"
FILE: Final = "routeguide.proto"

_INT32: Final = descriptor_pb2.FieldDescriptorProto.TYPE_INT32
_STRING: Final = descriptor_pb2.FieldDescriptorProto.TYPE_STRING

_MESSAGES: Final[dict[str, dict[str, int | str]]] = {
    "Point": {"latitude": _INT32, "longitude": _INT32},  # degrees × 10⁷
    "Rectangle": {"lo": "Point", "hi": "Point"},
    "Feature": {"name": _STRING, "location": "Point"},
    "RouteNote": {"location": "Point", "message": _STRING},
    "RouteSummary": {
        "point_count": _INT32,
        "feature_count": _INT32,
        "distance": _INT32,  # metres
        "elapsed_time": _INT32,  # seconds
    },
}

_METHODS: Final = (  # name, what it takes, what it gives, and which of them are streams
    ("GetFeature", "Point", "Feature", False, False),
    ("ListFeatures", "Rectangle", "Feature", False, True),
    ("RecordRoute", "Point", "RouteSummary", True, False),
    ("RouteChat", "RouteNote", "RouteNote", True, True),
)


def describe_routes() -> Any:  # noqa: ANN401 - protobuf has no types
    """Return the descriptor of the file."""
    file = descriptor_pb2.FileDescriptorProto(name=FILE, package=PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, (field, kind) in enumerate(fields.items(), 1):
            added = message.field.add(name=field, number=number, label=1)
            if isinstance(kind, str):
                added.type, added.type_name = added.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
            else:
                added.type = kind
    service = file.service.add(name=SERVICE.rpartition(".")[2])
    for name, takes, gives, takes_stream, gives_stream in _METHODS:
        service.method.add(
            name=name,
            input_type=f".{PACKAGE}.{takes}",
            output_type=f".{PACKAGE}.{gives}",
            client_streaming=takes_stream,
            server_streaming=gives_stream,
        )
    return file


@cache
def route_pool() -> Any:  # noqa: ANN401
    """Return a pool of descriptors with the file in it."""
    pool = descriptor_pool.DescriptorPool()
    pool.Add(describe_routes())
    return pool


def message_class(name: str) -> Any:  # noqa: ANN401
    """Return the class of a message: `Point`."""
    return message_factory.GetMessageClass(route_pool().FindMessageTypeByName(f"{PACKAGE}.{name}"))
