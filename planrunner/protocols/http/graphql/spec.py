"""What a plan may write about a GraphQL request: `graphql:`, and what stands beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import Discriminator, Field, Tag
from planrunner.language.fields.mapping import Fault, PlanMapping, exactly_one
from planrunner.language.fields.text import Text, parse_text
from planrunner.language.fields.types import TextField, ValueField
from planrunner.protocols.json_replies.spec import shape

__all__ = [
    "ENDPOINT",
    "GraphqlField",
    "GraphqlModel",
    "graphql_faults",
    "series_name",
]

ENDPOINT: Final = parse_text("/graphql")
"""Where most servers answer."""


class GraphqlModel(PlanMapping):
    """A query with its variables."""

    synonyms: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("document", "mutation", "text"), "query"),
        **dict.fromkeys(("path", "query_file"), "file"),
        **dict.fromkeys(("operation_name", "name"), "operation"),
        **dict.fromkeys(("params", "args", "vars"), "variables"),
    }
    elsewhere: ClassVar[Mapping[str, str]] = {
        "url": "write `url:` beside `graphql:`",
        "headers": "write `headers:` beside `graphql:`",
        "extensions": "write the whole body: `post: /graphql` with `json: {extensions: …}`",
    }

    query: TextField | None = Field(
        None,
        description="The query, as it is sent: values go into `variables`.",
        examples=["query Models { models { id } }"],
    )
    file: TextField | None = Field(
        None,
        description="A file with the query, maybe among others.",
        examples=["queries/models.graphql"],
    )
    variables: dict[str, ValueField] | None = Field(
        None, description="Values of its variables.", examples=["{first: 3}"]
    )
    operation: TextField | None = Field(
        None,
        description="Which operation is sent, where there are several, with the fragments that it "
        "uses.",
        examples=["Models"],
    )

    _content: str = ""

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        yield from exactly_one(cls, data, ("query", "file"), "what to ask")

    @property
    def content(self) -> str:
        """What is in the file, as far as somebody has read it."""
        return self._content

    def note_content(self, text: str) -> None:
        """Note what is in the file: the request may be called as an operation in it is."""
        self._content = text


GraphqlField = Annotated[
    Annotated[TextField, Tag("<scalar>")] | Annotated[GraphqlModel, Tag("<mapping>")],
    Discriminator(shape),
]


def graphql_faults(data: Mapping[Any, Any]) -> Iterator[Fault]:
    """Yield what is wrong between the keys of GraphQL and the others of a request's data."""
    query = data.get("graphql")
    if query is None:
        yield from _only_with_graphql(data)
        return
    if "post" in data and "url" in data:
        hint = "both say where it is sent: keep one of them"
        words = "`url` can't be combined with `post`"
        yield Fault(Code.CONFLICTING_KEYS, words, hint, "url")
    if isinstance(query, Mapping) and "variables" in query and "variables" in data:
        words = "`variables` are given in `graphql:` too"
        yield Fault(Code.CONFLICTING_KEYS, words, "keep one of them", "variables")


def _only_with_graphql(data: Mapping[Any, Any]) -> Iterator[Fault]:
    expect = data.get("expect")
    if isinstance(expect, Mapping) and "errors" in expect:
        words = "`errors` are those in a reply of GraphQL"
        hint = "write `json: {$.errors: {exists: false}}`"
        yield Fault(Code.CONFLICTING_KEYS, words, hint, "errors", ("expect",))
    for key, hint in _HINTS.items():
        if key in data:
            words = f"`{key}` belongs to `graphql`, and there is none"
            yield Fault(Code.CONFLICTING_KEYS, words, hint, key)


_HINTS: Final = {
    "url": "the URL is the verb's: `get: /path`",
    "variables": "write `set` in a step before it to give names values",
}


def series_name(given: Text | GraphqlModel) -> str:
    """Return what a request is called: as its operation, or after the fields of one without name.

    A query that is wrong has a fault anyway.
    """
    from planrunner.protocols.http.graphql.document import name_in  # noqa: PLC0415 - imports graphql-core

    if isinstance(given, Text):
        return name_in(given.source)
    if given.operation is not None and given.operation.is_constant:
        return str(given.operation.lower().value)
    text = given.content if given.query is None else given.query.source
    return name_in(text) if text or given.file is None else f"graphql {given.file.source}"
