"""Compile a GraphQL request to the body that is posted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from planrunner.language.diagnostics import Code
from planrunner.language.fields.text import Text
from planrunner.language.files import FileFault
from planrunner.protocols.http.compile.bodies import compile_json
from planrunner.protocols.http.graphql.spec import GraphqlModel
from planrunner.protocols.http.operation import Body, StaticBody
from planrunner.protocols.lowering import Files, FileText, Lowering, SpecFault, SpecPath
from planrunner.values import dataclass

if TYPE_CHECKING:
    from planrunner.protocols.http.graphql.document import QueryFault

__all__ = ["compile_query", "read_query_file"]


@dataclass(frozen=True, slots=True)
class QueryText:
    """The text of a query, and where it stands.

    Attributes:
        path: Of the text, or of the file's name.
        source: As the plan writes it, where that differs.
        file: The file that it is in; None when it is in the plan.
        operation: The name of the one that is sent; None where the plan says nothing.
        is_streamed: The reply is read piece by piece.
    """

    text: str
    path: SpecPath
    source: str = ""
    file: FileText | None = None
    operation: str | None = None
    is_streamed: bool = False

    def note(self, fault: QueryFault, lowering: Lowering) -> None:
        """Note a fault at its line and column."""
        if fault.offset is None:
            lowering.fault(("graphql", "operation"), fault.code, fault.message, fault.hint)
            return
        offset = fault.offset
        for shift, escape in enumerate(_ESCAPES.finditer(self.source)):
            offset += escape.start() - shift < fault.offset
        found = SpecFault(self.path, fault.code, fault.message, fault.hint, offset)
        lowering.add(replace(found, inside=self.file))


_ESCAPES: Final = re.compile(r"\$\$\{")


def compile_query(
    given: Text | GraphqlModel,
    beside: Mapping[str, object] | None,
    lowering: Lowering,
    *,
    is_streamed: bool,
) -> Body:
    """Return what is posted; faults stay in `lowering`.

    Args:
        given: What the plan says at `graphql`.
        beside: The variables that stand beside it.
        lowering: Takes the faults.
        is_streamed: The reply is read piece by piece.
    """
    variables, inside = beside or {}, _BESIDE
    if isinstance(given, GraphqlModel) and given.variables is not None:
        variables, inside = given.variables, ("graphql",)
    query, name = _query_text(given, lowering), _operation_name(given, lowering)
    if query is None:
        return StaticBody(b"")
    query = replace(query, operation=name, is_streamed=is_streamed)
    return compile_json(_checked(query, variables, inside, lowering), lowering, inside)


_BESIDE: Final[SpecPath] = ()


def _checked(
    query: QueryText,
    variables: Mapping[str, object],
    inside: SpecPath,
    lowering: Lowering,
) -> Mapping[str, object]:
    """Return what is posted as a value of the plan; `variables` stand `inside` these keys."""
    # 150 ms that plans without GraphQL need not pay.
    from planrunner.protocols.http.graphql.document import check_query, sent_text  # noqa: PLC0415
    from planrunner.protocols.http.graphql.variables import (  # noqa: PLC0415 - the same
        check_variables,
        lacking,
    )

    operation, faults = check_query(query.text, query.operation, is_streamed=query.is_streamed)
    for fault in faults:
        query.note(fault, lowering)
    if operation is None:
        return {}
    check_variables(operation, variables, lowering, (*inside, "variables"))
    for fault in lacking(operation, variables):
        query.note(fault, lowering)
    called = "" if operation.name is None else operation.name.value
    body = {
        "query": sent_text(query.text, called),
        "variables": variables,
        "operationName": called,
    }
    return {key: value for key, value in body.items() if value}


def _query_text(given: Text | GraphqlModel, lowering: Lowering) -> QueryText | None:
    """Return the text; None leaves a fault behind."""
    if isinstance(given, Text):
        return _in_plan(given, ("graphql",), lowering)
    if given.query is not None:
        return _in_plan(given.query, ("graphql", "query"), lowering)
    assert given.file is not None
    path: SpecPath = ("graphql", "file")
    name = lowering.constant(given.file, path)
    if name is None:
        return None
    try:
        text = read_query_file(lowering.files, name)
    except FileFault as fault:
        lowering.file_fault(path, name, fault)
        return None
    return QueryText(text, path, file=FileText(str(lowering.files.directory / name), text))


def read_query_file(files: Files, name: str) -> str:
    """Return what is in a file of queries.

    Raises:
        FileFault: There is none, or it can't be read.
    """
    try:
        return files.read(name).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileFault(Code.NOT_UTF8, "is not UTF-8", hint="save it as UTF-8") from None


def _in_plan(text: Text, path: SpecPath, lowering: Lowering) -> QueryText | None:
    """Return a text that the plan has; values are never pasted into it."""
    if text.is_constant:
        return QueryText(str(text.lower().value), path, text.source)
    at, expression = next(
        (offset, part)
        for part, offset in zip(text.parts, text.offsets, strict=True)
        if not isinstance(part, str)
    )
    source = expression.source.strip()
    if text.is_single:
        words = "the query would be known only when it is sent, and can't be checked"
        hint = (
            "send a query that is data as JSON: `post: /graphql`, "
            f"`json: {{query: '${{{source}}}'}}`"
        )
    else:
        words = f"`${{{source}}}` is inside the query: its value could change what is asked"
        name = source.rpartition(".")[2]
        name = name if name.isidentifier() else "value"
        hint = (
            f"write `${name}` there, declare it at the operation, and give it beside the query: "
            f"`variables: {{{name}: '${{{source}}}'}}`"
        )
    lowering.add(SpecFault(path, Code.NOT_ALLOWED, words, hint, at - len("${")))
    return None


def _operation_name(given: Text | GraphqlModel, lowering: Lowering) -> str | None:
    if isinstance(given, Text) or given.operation is None:
        return None
    return lowering.constant(given.operation, ("graphql", "operation"))
