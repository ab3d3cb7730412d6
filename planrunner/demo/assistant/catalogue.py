"""The assistant's GraphQL: its models, notes that users leave, and what tests want to see.

Imported when an assistant starts, as graphql-core takes 150 ms.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Coroutine
from inspect import isawaitable
from typing import Any, Final

import graphql

from planrunner.demo.assistant.answers import MODELS
from planrunner.demo.http_server import AnyResponse, Request, Response, StreamedResponse

__all__ = ["Catalogue"]

_SCHEMA: Final = """
type Query {
  "The models, by name."
  models(first: Int = 10, after: ID): [Model!]!
  "One of them; an error when there is none of that name."
  model(id: ID!): Model
  "The Authorization header of the request."
  authorization: String
  "The same number, after as many milliseconds."
  later(ms: Int!): Int!
  notes: [Note!]!
}
type Subscription {
  "Numbers from 1 on, each after as many milliseconds."
  ticks(count: Int!, ms: Int!): Int!
}
type Mutation { add(note: NoteInput!): Note! }
type Model { id: ID! context: Int! }
type Note { id: ID! text: String! tags: [String!]! score: Float }
input NoteInput { text: String! tags: [String!] = [] score: Float }
"""

Info = graphql.GraphQLResolveInfo[Any]

_MOST_NOTES: Final = 1_000
_MOST_QUERIES: Final = 1_000
_MOST_MS: Final = 10_000


class Catalogue:
    """The state of `/graphql`."""

    def __init__(self) -> None:
        self._schema = graphql.build_schema(_SCHEMA)
        self._known: OrderedDict[str, str] = OrderedDict()
        self._notes: deque[dict[str, Any]] = deque(maxlen=_MOST_NOTES)
        self._count = 0

    def answer(self, request: Request) -> AnyResponse | Coroutine[Any, Any, Response]:
        """Execute a query; what is wrong with it is in the reply, whose status is 200."""
        asked = request.json()
        if not isinstance(asked, dict):
            return Response({"errors": [{"message": "the body is not a JSON object"}]}, status=400)
        query = self._query(asked)
        if not isinstance(query, str):
            return Response({"errors": [query]}, status=200 if "extensions" in query else 400)
        if "text/event-stream" in request.headers.get("accept", ""):
            return StreamedResponse(self._events(query, asked), "text/event-stream; charset=utf-8")
        return self._execute(query, asked, request)

    async def _execute(self, query: str, asked: dict[str, Any], request: Request) -> Response:
        result = await graphql.graphql(
            self._schema,
            query,
            root_value=_Root(self, request),
            variable_values=asked.get("variables"),
            operation_name=asked.get("operationName"),
        )
        return Response(dict(result.formatted))

    async def _events(self, query: str, asked: dict[str, Any]) -> AsyncGenerator[bytes]:
        """Yield the results of a subscription. Source: GraphQL over SSE, distinct connections."""
        try:
            found = graphql.subscribe(
                self._schema,
                graphql.parse(query),
                root_value=_Ticks(),
                variable_values=asked.get("variables"),
                operation_name=asked.get("operationName"),
            )
            found = await found if isawaitable(found) else found
        except graphql.GraphQLError as wrong:
            found = graphql.ExecutionResult(None, [wrong])
        if isinstance(found, graphql.ExecutionResult):
            yield _event("next", json.dumps(found.formatted))
        else:
            async for result in found:
                yield _event("next", json.dumps(result.formatted))
        yield _event("complete", "")

    def _query(self, asked: dict[str, Any]) -> str | dict[str, Any]:
        """Return the text of a query, or the error that there is none.

        One that comes with its hash is known from then on, as servers of Apollo do it.
        """
        query, extensions = asked.get("query"), asked.get("extensions")
        persisted = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
        if isinstance(persisted, dict):
            key = str(persisted.get("sha256Hash"))
            if isinstance(query, str) and hashlib.sha256(query.encode()).hexdigest() == key:
                self._known[key] = query
                while len(self._known) > _MOST_QUERIES:
                    self._known.popitem(last=False)
            query = query or self._known.get(key)
            if query is None:
                code = {"code": "PERSISTED_QUERY_NOT_FOUND"}
                return {"message": "PersistedQueryNotFound", "extensions": code}
        return query if isinstance(query, str) else {"message": "the body has no query"}

    def add(self, note: dict[str, Any]) -> dict[str, Any]:
        self._count += 1
        added = {"id": str(self._count), **note}
        self._notes.append(added)
        return added

    @property
    def notes(self) -> list[dict[str, Any]]:
        return list(self._notes)


def _event(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()


class _Ticks:
    """Resolves the fields of subscriptions."""

    async def ticks(self, _: Info, count: int, ms: int) -> AsyncGenerator[dict[str, int]]:
        for number in range(1, count + 1):
            await asyncio.sleep(min(max(ms, 0), _MOST_MS) / 1000)
            yield {"ticks": number}


class _Root:
    """Resolves the fields of queries and mutations."""

    def __init__(self, catalogue: Catalogue, request: Request) -> None:
        self._catalogue, self._request = catalogue, request

    def models(self, _: Info, first: int, after: str | None = None) -> list[dict[str, Any]]:
        names = [name for name, _ in MODELS]
        start = names.index(after) + 1 if after in names else 0
        found = MODELS[start : start + max(first, 0)]
        return [{"id": name, "context": context} for name, context in found]

    def model(self, _: Info, id: str) -> dict[str, Any]:  # noqa: A002 - the schema's name
        if id not in dict(MODELS):
            raise graphql.GraphQLError(f"there is no model {id}")
        return {"id": id, "context": dict(MODELS)[id]}

    def authorization(self, _: Info) -> str | None:
        return self._request.headers.get("authorization")

    async def later(self, _: Info, ms: int) -> int:
        await asyncio.sleep(min(max(ms, 0), _MOST_MS) / 1000)
        return ms

    def notes(self, _: Info) -> list[dict[str, Any]]:
        return self._catalogue.notes

    def add(self, _: Info, note: dict[str, Any]) -> dict[str, Any]:
        return self._catalogue.add(note)
