"""`expect: {schema: FILE}`: compile a JSON Schema once, judge bodies with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from planrunner.language.diagnostics import Code
from planrunner.language.fields.text import Text
from planrunner.language.files import FileFault
from planrunner.language.patterns.pattern import LIMIT_MS, MatchTimeoutError
from planrunner.protocols.base import Check, Reply, Scope
from planrunner.protocols.json_replies.description import describe_body
from planrunner.protocols.lowering import Lowering, SpecPath
from planrunner.protocols.received import NOT_JSON, read_json
from planrunner.protocols.rules import shorten, show

__all__ = ["Judge", "compile_schema"]

Judge = Callable[[Any], str | None]
"""Says what is wrong with a document: None when the schema accepts it."""


def compile_schema(file: Text, lowering: Lowering) -> Check | None:
    """Compile the schema in a file; faults stay in `lowering`."""
    path: SpecPath = ("expect", "schema")
    name = lowering.constant(file, path)
    schema = None if name is None else _read(name, lowering, path)
    judge = None if schema is None else _compile(schema, name or "", lowering, path)
    if judge is None:
        return None

    def check(reply: Reply, _: Scope) -> str | None:
        data = reply.parsed(read_json)
        if data is NOT_JSON:
            return f"{describe_body(reply)}, expected what {name} describes"
        return judge(data)

    return check


def _read(name: str, lowering: Lowering, path: SpecPath) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(lowering.files.read(name))
    except FileFault as fault:
        lowering.file_fault(path, name, fault)
    except (ValueError, RecursionError) as failed:
        lowering.fault(path, Code.INVALID_VALUE, f"`{name}` is not JSON: {failed}")
    return None


def _compile(schema: Any, name: str, lowering: Lowering, path: SpecPath) -> Judge | None:  # noqa: ANN401 - JSON
    for reference in _foreign_references(schema):
        lowering.fault(
            path,
            Code.NOT_ALLOWED,
            f"`{name}` refers to `{shorten(reference, 60)}`, outside the file",
            "put it under `$defs` in the same file",
        )
        return None
    # 100 ms that plans without a schema need not pay.
    import jsonschema  # noqa: PLC0415

    from planrunner.protocols.http.replies.schema_patterns import (  # noqa: PLC0415 - the same
        match_patterns,
    )

    validator = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        validator.check_schema(schema)
    except jsonschema.SchemaError as failed:
        lowering.fault(
            path,
            Code.INVALID_VALUE,
            f"`{name}` is not a JSON Schema: {shorten(failed.message, 90)}",
        )
        return None
    validator = match_patterns(validator, schema, lowering, path)
    return _judge(schema, validator(schema, registry=_no_network()))


def _no_network() -> Any:  # noqa: ANN401 - referencing is jsonschema's own dependency
    import referencing  # noqa: PLC0415

    return referencing.Registry()


def _foreign_references(schema: object) -> Iterator[str]:
    """Yield references that only another file or the network could answer."""
    known: set[str] = set()
    references: list[str] = []
    waiting: list[object] = [schema]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            known.update(key for key in (item.get("$id"), item.get("id")) if isinstance(key, str))
            reference = item.get("$ref")
            if isinstance(reference, str):
                references.append(reference)
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    for reference in references:
        base = reference.partition("#")[0]
        if base and not any(identity.rstrip("#").endswith(base) for identity in known):
            yield reference


def _judge(schema: object, validator: Any) -> Judge:  # noqa: ANN401 - one of jsonschema's classes
    is_valid = _fast_check(schema) or validator.is_valid
    errors = validator.iter_errors

    def judge(data: Any) -> str | None:  # noqa: ANN401 - JSON
        try:
            # Nearly every body is valid; only the others pay for a sentence.
            if is_valid(data) or (error := next(errors(data), None)) is None:
                return None
            return _sentence(error)
        except RecursionError:
            return "the body is nested too deeply for its schema"
        except MatchTimeoutError:
            return f"looking for a pattern of the schema took over {LIMIT_MS} ms"

    return judge


def _fast_check(schema: Any) -> Callable[[Any], bool] | None:  # noqa: ANN401 - JSON
    """Use jsonschema-rs where it is installed: many times faster, the same verdicts."""
    try:
        import jsonschema_rs  # noqa: PLC0415 - optional
    except ImportError:
        return None
    try:
        validator = jsonschema_rs.validator_for(schema, retriever=_retrieve_nothing)
        check: Callable[[Any], bool] = validator.is_valid
    except (ValueError, TypeError):
        return None  # it refuses some schemas that jsonschema takes
    return check


def _retrieve_nothing(uri: str) -> NoReturn:
    """Keep a schema from reading files and the network, which it would do by itself."""
    raise ValueError(uri)


def _sentence(error: Any) -> str:  # noqa: ANN401 - jsonschema's ValidationError
    """Name the place and the schema's own words; jsonschema's message would show the value."""
    rule = f"{error.validator}: {show(error.validator_value)}"
    return f"`{shorten(error.json_path, 80)}` breaks the schema's `{rule}`"
