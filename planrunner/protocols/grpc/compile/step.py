"""Compile a `grpc.call` to an `Exchange`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from planrunner.language.diagnostics import Code, suggest
from planrunner.language.fields.text import Text
from planrunner.protocols.base import Check, Exchange
from planrunner.protocols.grpc.compile.metadata import read_metadata
from planrunner.protocols.grpc.compile.prepare import prepare_call
from planrunner.protocols.grpc.compile.reply_paths import paths_read
from planrunner.protocols.grpc.compile.settings import GrpcDefaults
from planrunner.protocols.grpc.messages.template import lower_template
from planrunner.protocols.grpc.operation import CallTemplate, GrpcOperation
from planrunner.protocols.grpc.spec import GrpcCall, GrpcExpect
from planrunner.protocols.json_replies.expect import compile_json
from planrunner.protocols.json_replies.extract import compile_extract
from planrunner.protocols.lowering import Files, Lowering, SpecPath
from planrunner.protocols.operation_model import secret_extractions
from planrunner.protocols.over_grpc.codes import CODES
from planrunner.protocols.plugin import CompiledRequest
from planrunner.protocols.rules import compile_time, rule_words
from planrunner.protocols.streamed.expect import STREAM_EXPECTATIONS, compile_stream_checks

__all__ = ["compile_call"]

_OK: Final = 0


def compile_call(
    spec: GrpcCall,
    *,
    action: str = "",
    constants: Mapping[str, object],
    defaults: GrpcDefaults,
    files: Files,
    reads: frozenset[str] = frozenset(),
) -> CompiledRequest:
    """Compile one call; see `CompileRequest`."""
    del action  # there is one
    lowering = Lowering(constants, files)
    settings, expect = defaults.settings, spec.expect
    accept, shown = _statuses(expect, lowering)
    found = list(_checks(expect, lowering))
    checks, words = tuple(check for _, check in found), tuple(words for words, _ in found)
    is_soft = expect is not None and expect.soft is True
    operation = GrpcOperation(
        method=_method(spec.method, lowering),
        template=_template(spec, lowering),
        accept=accept,
        metadata=read_metadata(spec.metadata or {}, lowering),
        most_messages=lowering.number(spec.max_messages, ("max_messages",), 0),
        reads_body="body" in reads,
        reads_head="headers" in reads,
        about_streams=tuple(_about_streams(spec)),
        reads=tuple(paths_read(spec)),
    )
    prepared = None
    if settings.schema is not None and not lowering.faults:
        prepared = prepare_call(settings.schema, operation, lowering.faults)
    timeout_ns = lowering.duration(spec.timeout, ("timeout",), settings.timeout_ns)
    if timeout_ns <= 0:
        lowering.fault(("timeout",), Code.INVALID_VALUE, "a timeout must be more than 0")
    exchange = Exchange(
        protocol=defaults.channel,
        operation=operation,
        method="call",
        accept=accept,
        checks=() if is_soft else checks,
        extractors=compile_extract(spec.extract, lowering),
        timeout_ns=timeout_ns,
        soft_checks=checks if is_soft else (),
        expected=(f"status {shown}", *(() if is_soft else words)),
        softly_expected=words if is_soft else (),
        states_status=expect is not None and expect.status is not None,
        extracted=tuple(spec.extract or ()),
        secrets=secret_extractions(spec.extract),
        is_streamed=None if prepared is None else prepared.method.gives_stream,
    )
    return CompiledRequest(exchange, tuple(lowering.faults), tuple(lowering.notices))


def _method(text: Text, lowering: Lowering) -> str:
    path: SpecPath = ("method",)
    name = lowering.constant(text, path)
    if name is None:
        return ""
    service, _, method = name.strip().strip("/").rpartition("/")
    if not (service and method) or name.strip() != f"{service}/{method}":
        meant = f"{service}/{method}" if service else "/".join(method.rsplit(".", 1))
        hint = f"write `{meant}`" if "/" in meant else "write `package.Service/Method`"
        lowering.fault(path, Code.INVALID_VALUE, f"`{text.source}` is not a method", hint)
    return name


def _template(spec: GrpcCall, lowering: Lowering) -> CallTemplate:
    message = messages = stream = None
    if spec.message is not None:
        message = lower_template(spec.message, lowering, ("message",))
    if spec.messages is not None:
        messages = tuple(
            lower_template(item, lowering, ("messages", at))
            for at, item in enumerate(spec.messages)
        )
    if spec.stream_from is not None:
        stream = lowering.expression(spec.stream_from, ("stream_from",))
    columns = spec.stream_from.columns if spec.stream_from is not None else ()
    return CallTemplate(message, messages, stream, columns or ())


def _about_streams(spec: GrpcCall) -> Iterator[SpecPath]:
    """Yield what the step says of a reply that is a stream."""
    if spec.max_messages is not None:
        yield ("max_messages",)
    if spec.expect is not None:
        for key in STREAM_EXPECTATIONS:
            if getattr(spec.expect, key) is not None:
                yield ("expect", key)


def _statuses(expect: GrpcExpect | None, lowering: Lowering) -> tuple[frozenset[int], str]:
    written = None if expect is None else expect.status
    if written is None:
        return frozenset({_OK}), CODES[_OK]
    many: Sequence[Text] = [written] if isinstance(written, Text) else written
    found = []
    for index, text in enumerate(many):
        path: SpecPath = ("expect", "status")
        name = lowering.constant(text, path if isinstance(written, Text) else (*path, index))
        if name in CODES:
            found.append(CODES.index(name))
        elif name is not None:
            where = path if isinstance(written, Text) else (*path, index)
            hint = f"write `{CODES[int(name)]}`" if _is_code(name) else suggest(name, CODES)
            hint = hint or f"statuses: {', '.join(CODES[:8])} …"
            lowering.fault(where, Code.INVALID_VALUE, f"`{name}` is not a status of gRPC", hint)
    return frozenset(found), ", ".join(CODES[code] for code in found)


def _is_code(name: str) -> bool:
    return name.isdecimal() and int(name) < len(CODES)


def _checks(expect: GrpcExpect | None, lowering: Lowering) -> Iterator[tuple[str, Check]]:
    if expect is None:
        return
    if expect.time is not None and (check := compile_time(expect.time, lowering)):
        yield f"time {expect.time.source}", check
    for _, words, check in compile_stream_checks(expect, lowering):
        yield words, check
    for source, expected in (expect.json_ or {}).items():
        if check := compile_json(source, expected, lowering):
            yield f"json {source}{rule_words(expected)}", check
