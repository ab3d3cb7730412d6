"""Ask a server for its services: gRPC server reflection, v1 and v1alpha.

What a server says is judged like any file: it may be wrong, endless or a lie.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final

from planrunner.errors import CannotRun
from planrunner.extras import need
from planrunner.protocols.grpc.clients.lines import GrpcLine
from planrunner.protocols.grpc.schema.methods import GrpcSchema, SchemaError, file_name, imports_of
from planrunner.protocols.over_grpc.failures import LATE, briefly
from planrunner.protocols.over_grpc.network import grpc

__all__ = ["reflect"]

_VERSIONS: Final = ("v1", "v1alpha")  # their messages are the same
_METHOD: Final = "/grpc.reflection.{}.ServerReflection/ServerReflectionInfo"
_MOST_FILES: Final = 2_000
_MOST_BYTES: Final = 32_000_000
_INSTEAD: Final = "describe the services with `proto:` or `descriptor:` instead"


async def reflect(
    line: GrpcLine,
    target: str,
    services: Iterable[str],
    metadata: Sequence[tuple[str, str | bytes]],
    timeout_s: float,
) -> GrpcSchema:
    """Return the schema of those of the services that the server has; it knows the others' names.

    Raises:
        CannotRun: The server has no reflection, doesn't answer, or what it says can't be true.
    """
    need("grpc_reflection", "server reflection")
    wanted = sorted(set(services))
    if not await line.connect(timeout_s):
        raise CannotRun(f"no connection to `{target}`, which was to describe its services")
    for version in _VERSIONS:
        asked = _Questions(line.channel, version, metadata, timeout_s)
        try:
            return await asked.schema(wanted)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNIMPLEMENTED:
                late = error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
                words = LATE if late else briefly(error.details() or "") or "no answer"
                raise CannotRun(
                    f"`{target}` doesn't say which services it has: {error.code().name}: {words}",
                    hint=_INSTEAD,
                ) from error
        except SchemaError as fault:
            words = f"what `{target}` says of its services can't be true: {fault.message}"
            raise CannotRun(words, hint=_INSTEAD) from fault
    raise CannotRun(f"`{target}` has no server reflection", hint=_INSTEAD)


class _Questions:
    """Questions to a server, and what it has said."""

    def __init__(self, channel: Any, version: str, metadata: Any, timeout_s: float) -> None:  # noqa: ANN401
        from grpc_reflection.v1alpha import reflection_pb2  # noqa: PLC0415 - an extra

        self._request = reflection_pb2.ServerReflectionRequest
        # The method takes a stream and gives one. With a single question that is a unary call on
        # the wire, and grpc.aio can lose the status of a stream that is refused at once.
        self._call = channel.unary_unary(
            _METHOD.format(version),
            request_serializer=self._request.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        self._metadata = metadata
        self._timeout_s = timeout_s
        self._files: dict[str, bytes] = {}
        self._bytes = 0

    async def schema(self, wanted: Sequence[str]) -> GrpcSchema:
        listed = await self._ask(list_services="")
        if not listed.HasField("list_services_response"):
            raise SchemaError("it answers something else than was asked")
        known = [service.name for service in listed.list_services_response.service]
        there = [name for name in wanted if name in known]
        for name in there:
            await self._take(await self._ask(file_containing_symbol=name))
        async for name in self._missing():
            await self._take(await self._ask(file_by_filename=name))
            if name not in self._files:
                raise SchemaError(f"it gives another file for `{name}`")
        schema = GrpcSchema(self._files.values(), known)
        for name in there:
            if name not in schema.described:
                raise SchemaError(f"no file has the service `{name}`, which it lists")
        return schema

    async def _ask(self, **question: str) -> Any:  # noqa: ANN401
        return await self._call(
            self._request(**question), timeout=self._timeout_s, metadata=self._metadata
        )

    async def _take(self, answer: Any) -> None:  # noqa: ANN401
        """Keep the files of an answer."""
        if answer.HasField("error_response"):
            words = answer.error_response.error_message or "no message"
            raise SchemaError(f"it can't show a file that it names: {words}")
        if not answer.HasField("file_descriptor_response"):
            raise SchemaError("it answers something else than was asked")
        for data in answer.file_descriptor_response.file_descriptor_proto:
            name = file_name(data)
            if self._files.setdefault(name, data) != data:
                raise SchemaError(f"it gives two different files for `{name}`")
            self._bytes += len(data)
            if len(self._files) > _MOST_FILES or self._bytes > _MOST_BYTES:
                raise SchemaError("it goes on without an end")

    async def _missing(self) -> AsyncIterator[str]:
        """Yield the files that others import, as long as there are such."""
        looked: set[str] = set()
        while todo := [name for name in self._files if name not in looked]:
            for name in todo:
                looked.add(name)
                for needed in imports_of(self._files[name]):
                    if needed not in self._files:
                        yield needed
