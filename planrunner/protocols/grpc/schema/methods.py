"""Descriptors of services as one schema: methods by name, classes of messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from planrunner.errors import PlanrunnerError
from planrunner.language.diagnostics import suggest, visible
from planrunner.protocols.grpc.schema.reader import MessageReader
from planrunner.values import dataclass

__all__ = [
    "GrpcMethod",
    "GrpcSchema",
    "SchemaError",
    "file_name",
    "imports_of",
    "read_descriptor_set",
]

_WELL_KNOWN: Final = "google/protobuf/"
_MOST_LISTED: Final = 8


class SchemaError(PlanrunnerError):
    """Descriptors can't be used, or have no such method.

    What servers and files call things may have any characters; messages are printable.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(visible(message), hint=visible(hint))


@dataclass(frozen=True, slots=True)
class GrpcMethod:
    """A method of a service.

    Attributes:
        path: As calls name it: `/package.Service/Method`.
        takes: The descriptor of what it is sent.
        gives: That of what it replies with.
        takes_stream: It is sent any number of them.
        gives_stream: It replies with any number.
        parse: Makes a reply of its bytes.
    """

    path: str
    takes: Any
    gives: Any
    takes_stream: bool
    gives_stream: bool
    parse: Callable[[bytes], Any]


class GrpcSchema:
    """The services and messages that files describe.

    Args:
        files: Descriptors of files, serialized, in any order.
        known: Names of services that there are besides, for suggestions.

    Raises:
        SchemaError: They don't fit together.

    Attributes:
        pool: All of it, as protobuf has it.
        described: The whole names of the services.
        reader: Reads the messages.
    """

    def __init__(self, files: Iterable[bytes], known: Sequence[str] = ()) -> None:
        self.pool = descriptor_pool.DescriptorPool()
        self.described: list[str] = []
        parsed = [_parse(data) for data in files]
        self._add_all({file.name: file for file in parsed})
        self._names = list(dict.fromkeys((*self.described, *known)))
        self.reader = MessageReader(self.pool)

    def _add_all(self, files: Mapping[str, Any]) -> None:
        done: set[str] = set()

        def add(name: str, waiting: tuple[str, ...]) -> None:
            if name in done:
                return
            file = files[name] if name in files else _well_known(name)
            if file is None:
                hint = "write the set with `protoc --include_imports`"
                needing = waiting[-1] if waiting else ""
                raise SchemaError(f"`{needing}` imports `{name}`, which isn't there", hint=hint)
            if name in waiting:
                raise SchemaError(f"files import each other in a circle: {' → '.join(waiting)}")
            for needed in file.dependency:
                add(needed, (*waiting, name))
            done.add(name)
            try:
                self.pool.AddSerializedFile(file.SerializeToString())
                self.pool.FindFileByName(name)
            except (TypeError, KeyError, ValueError) as error:
                reason = str(error).rpartition("pool: ")[2].strip() or "invalid"
                raise SchemaError(f"the descriptor of `{name}` is not valid: {reason}") from error
            package = f"{file.package}." if file.package else ""
            self.described += (f"{package}{service.name}" for service in file.service)

        for name in files:
            add(name, ())

    def new(self, descriptor: Any) -> Callable[[], Any]:  # noqa: ANN401
        """Return the class of a message."""
        found: Callable[[], Any] = message_factory.GetMessageClass(descriptor)
        return found

    def method(self, name: str) -> GrpcMethod:
        """Return the method that `package.Service/Method` means.

        Raises:
            SchemaError: There is none.
        """
        service_name, _, method_name = name.rpartition("/")
        if service_name not in self.described:
            hint = suggest(service_name, self._names) or _listed("services", self._names)
            raise SchemaError(f"there is no service `{service_name}`", hint=hint)
        service = self.pool.FindServiceByName(service_name)
        method = service.methods_by_name.get(method_name)
        if method is None:
            names = [one.name for one in service.methods]
            hint = suggest(method_name, names) or _listed("methods", names)
            raise SchemaError(f"`{service_name}` has no method `{method_name}`", hint=hint)
        proto = descriptor_pb2.MethodDescriptorProto()
        method.CopyToProto(proto)
        gives: Any = message_factory.GetMessageClass(method.output_type)
        return GrpcMethod(
            path=f"/{service_name}/{method_name}",
            takes=method.input_type,
            gives=method.output_type,
            takes_stream=proto.client_streaming,
            gives_stream=proto.server_streaming,
            parse=gives.FromString,
        )


def _listed(what: str, names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_MOST_LISTED])
    return f"{what}: {shown}{' …' if len(names) > _MOST_LISTED else ''}" if names else ""


def file_name(data: bytes) -> str:
    """Return what a file is called that a descriptor describes.

    Raises:
        SchemaError: It is none.
    """
    return str(_parse(data).name)


def imports_of(data: bytes) -> list[str]:
    """Return the names of the files that it imports, but for those that come with protobuf.

    Raises:
        SchemaError: It is no descriptor.
    """
    return [name for name in _parse(data).dependency if not name.startswith(_WELL_KNOWN)]


def _parse(data: bytes) -> Any:  # noqa: ANN401
    try:
        return descriptor_pb2.FileDescriptorProto.FromString(data)
    except DecodeError as error:
        raise SchemaError("a descriptor of a file can't be read") from error


def _well_known(name: str) -> Any:  # noqa: ANN401
    """Return the descriptor of a file that comes with protobuf; None for any other."""
    if not name.startswith(_WELL_KNOWN):
        return None
    module = name.removeprefix(_WELL_KNOWN).removesuffix(".proto").replace("/", ".")
    try:
        found = import_module(f"google.protobuf.{module}_pb2")
    except ImportError:
        return None
    return descriptor_pb2.FileDescriptorProto.FromString(found.DESCRIPTOR.serialized_pb)


def read_descriptor_set(data: bytes) -> list[bytes]:
    """Return the descriptors of files in a descriptor set.

    Raises:
        SchemaError: It is none.
    """
    try:
        found = descriptor_pb2.FileDescriptorSet.FromString(data)
    except DecodeError as error:
        raise SchemaError(_NO_SET, hint=_HOW) from error
    if not found.file or not all(file.name for file in found.file):
        raise SchemaError(_NO_SET, hint=_HOW)
    return [file.SerializeToString() for file in found.file]


_NO_SET: Final = "it is not a descriptor set"
_HOW: Final = "write it with `protoc --include_imports --descriptor_set_out=FILE`"
