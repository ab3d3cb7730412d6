"""What a call needs of its schema: its method, and what makes its messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from planrunner.data.tables import AllRows
from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import EvaluationError
from planrunner.language.expressions.values import Lowered, Scope, kind_of
from planrunner.protocols.grpc.messages.template import (
    TemplateMapping,
    TemplateValue,
    as_template,
)
from planrunner.protocols.grpc.messages.writer import MessageWriter, Write
from planrunner.protocols.grpc.operation import CallTemplate, GrpcOperation
from planrunner.protocols.grpc.schema.methods import GrpcMethod, GrpcSchema, SchemaError
from planrunner.protocols.lowering import SpecFault
from planrunner.values import dataclass

__all__ = ["PreparedCall", "prepare_call"]


@dataclass(frozen=True, slots=True)
class PreparedCall:
    """A call that only lacks a user.

    Attributes:
        write: Makes the message of a method that takes one.
        write_all: Makes those of a method that takes a stream.
        read: Returns a message as data.
    """

    method: GrpcMethod
    write: Write
    write_all: Callable[[Scope], list[bytes]]
    read: Callable[[Any], Any]


def prepare_call(
    schema: GrpcSchema, operation: GrpcOperation, faults: list[SpecFault]
) -> PreparedCall | None:
    """Prepare a call; what doesn't fit the schema is added to `faults`.

    None when there is no such method.
    """
    try:
        method = schema.method(operation.method)
    except SchemaError as fault:
        code = Code.UNKNOWN_NAME
        faults.append(SpecFault(operation.place, code, fault.message, fault.hint))
        return None
    faults.extend(_unfit(method, operation))
    faults.extend(_unfit_rows(schema, method, operation.template.columns))
    writer, template = MessageWriter(schema, faults), operation.template
    write = writer.write(method.takes, template.message, ("message",))
    return PreparedCall(method, write, _stream(writer, method, template, write), schema.reader.read)


def _unfit(method: GrpcMethod, operation: GrpcOperation) -> Iterator[SpecFault]:
    """Yield what is said of streams where there is none."""
    name, template = method.path.rpartition("/")[2], operation.template
    if not method.takes_stream:
        for key in ("messages", "stream_from"):
            if getattr(template, {"stream_from": "stream"}.get(key, key)) is not None:
                words = f"`{name}` takes one message, and no stream"
                yield SpecFault((key,), Code.NOT_ALLOWED, words, "write `message:`", is_key=True)
    if not method.gives_stream:
        for path in operation.about_streams:
            words = f"`{name}` replies with one message, and no stream"
            yield SpecFault(path, Code.NOT_ALLOWED, words, "remove it", is_key=True)


def _stream(
    writer: MessageWriter, method: GrpcMethod, template: CallTemplate, write: Write
) -> Callable[[Scope], list[bytes]]:
    if template.stream is not None:
        return _from_list(writer, method, template.stream)
    if template.messages is None:
        return lambda scope: [write(scope)]
    writes = [
        writer.write(method.takes, item, ("messages", at))
        for at, item in enumerate(template.messages)
    ]
    return lambda scope: [write(scope) for write in writes]


def _from_list(
    writer: MessageWriter, method: GrpcMethod, stream: Lowered
) -> Callable[[Scope], list[bytes]]:
    path = ("stream_from",)
    if stream.is_constant and isinstance(stream.value, list):
        writes = [writer.write(method.takes, as_template(item), path) for item in stream.value]
        return lambda scope: [write(scope) for write in writes]
    return _MessagesOfList(writer, method, stream).write_all


def _unfit_rows(
    schema: GrpcSchema, method: GrpcMethod, columns: tuple[str, ...]
) -> Iterator[SpecFault]:
    """Yield which columns of a source are no fields of its messages."""
    found: list[SpecFault] = []
    row = TemplateMapping(tuple((name, name, TemplateValue(Lowered(_unknown))) for name in columns))
    if columns:
        MessageWriter(schema, found).message(method.takes, row, ())
    for fault in found:
        yield replace(fault, path=("stream_from",), is_key=False)


def _unknown(_: Scope) -> object:
    """Stand for a value of a row."""
    return None


class _MessagesOfList:
    """Makes messages of a list, those of a whole source only once."""

    __slots__ = ("_evaluate", "_known", "_rows", "_takes", "_writer")

    def __init__(self, writer: MessageWriter, method: GrpcMethod, stream: Lowered) -> None:
        self._writer, self._takes = writer, method.takes
        self._evaluate = stream.evaluate
        self._rows: AllRows | None = None
        self._known: list[bytes] = []

    def write_all(self, scope: Scope) -> list[bytes]:
        found = self._evaluate(scope)
        if found is self._rows and found is not None:
            return self._known
        if not isinstance(found, list | tuple):
            raise EvaluationError(f"`stream_from` gives {kind_of(found)}, and no list")
        made = [self._message(number, item) for number, item in enumerate(found, 1)]
        if isinstance(found, AllRows):
            self._rows, self._known = found, made
        return made

    def _message(self, number: int, item: object) -> bytes:
        try:
            return self._writer.write_known(self._takes, as_template(item))
        except EvaluationError as error:
            words = f"message {number} of `stream_from`: {error.message}"
            raise EvaluationError(words, hint=error.hint) from error
