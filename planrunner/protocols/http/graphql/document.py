"""Queries, read and judged without a server's schema; graphql-core does the reading.

Imported when a plan has a query: it takes 150 ms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

import graphql
from graphql import DocumentNode, OperationDefinitionNode

from planrunner.language.diagnostics import Code, suggest
from planrunner.language.fields.mapping import in_words
from planrunner.protocols.rules import shorten
from planrunner.values import dataclass

__all__ = ["QueryFault", "check_query", "name_in", "sent_text"]


@dataclass(frozen=True, slots=True)
class QueryFault:
    """What is wrong with a query.

    Attributes:
        offset: Characters into its text; None when it is the name that the plan asks for.
    """

    offset: int | None
    code: Code
    message: str
    hint: str = ""


def check_query(
    text: str, name: str | None, *, is_streamed: bool
) -> tuple[OperationDefinitionNode | None, Sequence[QueryFault]]:
    """Return the operation that is sent, unless something is wrong with the text.

    Args:
        text: A document.
        name: Of the operation; None where the plan says nothing.
        is_streamed: Its reply is read piece by piece, so a subscription will do.
    """
    document = parse_query(text)
    if isinstance(document, QueryFault):
        return None, (document,)
    if faults := list(_faults_in(document)):
        return None, faults
    operation = _choose(operations_in(document), name)
    if isinstance(operation, QueryFault):
        return None, (operation,)
    return operation, () if is_streamed else tuple(_unanswered(operation))


@lru_cache(maxsize=256)
def parse_query(text: str) -> DocumentNode | QueryFault:
    """Read a document, or say why it is none."""
    try:
        return graphql.parse(text, allow_empty_selection_sets=False)
    except graphql.GraphQLSyntaxError as failed:
        offset = min(_offset(failed), len(text.rstrip()))
        words = _sentence(failed.message.removeprefix("Syntax Error: "))
    hint = ""
    if text[offset - 1 : offset + 1] == "${":
        hint = "declare a variable, such as `$id`, and give it a value under `variables`"
    elif not text.strip():
        hint = "write one such as `query Models { models { id } }`"
    return QueryFault(offset, Code.INVALID_VALUE, f"this is not GraphQL: {words}", hint)


def _offset(error: graphql.GraphQLError) -> int:
    return next(iter(error.positions or (0,)))


def operations_in(document: DocumentNode) -> Sequence[OperationDefinitionNode]:
    """Return the queries, mutations and subscriptions of a document."""
    return [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]


@lru_cache(maxsize=256)
def name_in(text: str) -> str:
    """Return what a request with this document is called."""
    document = parse_query(text)
    operations = () if isinstance(document, QueryFault) else operations_in(document)
    if len(operations) != 1:
        return "graphql"
    if operations[0].name is not None:
        return operations[0].name.value
    fields = (getattr(one, "alias", None) or one.name for one in _fields(operations[0]))
    return shorten(f"graphql {{ {' '.join(field.value for field in fields)} }}", 80)


def _fields(operation: OperationDefinitionNode) -> Iterator[graphql.FieldNode]:
    selections = operation.selection_set.selections
    return (one for one in selections if isinstance(one, graphql.FieldNode))


def sent_text(text: str, name: str) -> str:
    """Return what is sent of a document for the operation called `name`.

    With others beside it, it goes alone with the fragments that it uses, as clients made from
    such files send it; otherwise the text goes as it is.
    """
    document = parse_query(text)
    if isinstance(document, QueryFault) or len(operations_in(document)) == 1:
        return text
    return graphql.print_ast(graphql.separate_operations(document)[name])


_RULES: Final = (
    graphql.ExecutableDefinitionsRule,
    graphql.LoneAnonymousOperationRule,
    graphql.UniqueOperationNamesRule,
    graphql.UniqueFragmentNamesRule,
    graphql.KnownFragmentNamesRule,
    graphql.NoFragmentCyclesRule,
    graphql.NoUnusedFragmentsRule,
    graphql.UniqueVariableNamesRule,
    graphql.NoUndefinedVariablesRule,
    graphql.NoUnusedVariablesRule,
    graphql.UniqueArgumentNamesRule,
    graphql.UniqueInputFieldNamesRule,
)
"""Those that judge without knowing the server's schema."""


def _faults_in(document: DocumentNode) -> Iterator[QueryFault]:
    """Yield what is wrong with a document whatever the server's schema is."""
    if not operations_in(document):
        words = "there are only fragments here, and no operation to send"
        yield QueryFault(0, Code.INVALID_VALUE, words, "add one such as `query Models { … }`")
        return
    schema = graphql.GraphQLSchema(assume_valid=True)
    for error in graphql.validate(schema, document, _RULES):
        code, hint = Code.INVALID_VALUE, ""
        match error.nodes:
            case [graphql.VariableNode() as used, OperationDefinitionNode() as operation, *_]:
                code = Code.UNKNOWN_NAME
                declared = [f"${name}" for name in _declared(operation)]
                name = f"${used.name.value}"
                hint = suggest(name, declared) or f"declare it at the operation: `({name}: Int)`"
            case [graphql.NameNode() as fragment]:
                code = Code.UNKNOWN_NAME
                hint = suggest(fragment.value, _fragments(document)) or _no_imports(document)
            case _:
                pass
        yield QueryFault(_offset(error), code, _sentence(error.message), hint)


def _no_imports(document: DocumentNode) -> str:
    """Return what to do about a fragment that the author expects from another file."""
    text = "" if document.loc is None else document.loc.source.body
    if not re.search(r"^\s*#\s*import\b", text, re.MULTILINE):
        return ""
    return "`#import` is a comment in GraphQL: copy the fragment into this query"


def _declared(operation: OperationDefinitionNode) -> list[str]:
    return [one.variable.name.value for one in operation.variable_definitions or ()]


def _fragments(document: DocumentNode) -> list[str]:
    found = (one for one in document.definitions if isinstance(one, graphql.FragmentDefinitionNode))
    return [one.name.value for one in found]


def _choose(
    operations: Sequence[OperationDefinitionNode], name: str | None
) -> OperationDefinitionNode | QueryFault:
    names = [one.name.value for one in operations if one.name is not None]
    if name is not None:
        found = [one for one in operations if one.name is not None and one.name.value == name]
        if found:
            return found[0]
        hint = suggest(name, names) or (f"it has {in_words(names)}" if names else "")
        return QueryFault(None, Code.UNKNOWN_NAME, f"the query has no operation `{name}`", hint)
    if len(operations) == 1:
        return operations[0]
    second = operations[1].loc.start if operations[1].loc else 0
    hint = f"say which one is sent: `graphql: {{…, operation: {(names or ['Models'])[0]}}}`"
    words = f"there are {len(operations)} operations here, and nothing says which to send"
    return QueryFault(second, Code.MISSING_KEY, words, hint)


def _unanswered(operation: OperationDefinitionNode) -> Iterator[QueryFault]:
    """Yield the fault of an operation that one reply can't answer."""
    if operation.operation is graphql.OperationType.SUBSCRIPTION:
        start = operation.loc.start if operation.loc else 0
        words = "a subscription is answered again and again, and this request reads one reply"
        hint = "read what comes as server-sent events: `stream: events`"
        yield QueryFault(start, Code.NOT_ALLOWED, words, hint)


def _sentence(message: str) -> str:
    """Return graphql-core's words as ours are written."""
    text = re.sub(r"'([^']*)'", r"`\1`", message).rstrip(".")
    return text[:1].lower() + text[1:]
