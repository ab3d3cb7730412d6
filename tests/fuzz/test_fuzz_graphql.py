"""Queries and replies of GraphQL, whatever is in them: a fault in its place, a verdict."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from planrunner.protocols.base import Reply
from planrunner.protocols.http.graphql.document import name_in
from tests.support.fuzzing import bounded, fuzz
from tests.support.hostile import HOSTILE
from tests.support.http_specs import compile_request, exchange_of, reply_of
from tests.support.mutations import mutated_text

QUERIES = [
    "{ models { id } }",
    "query Q($first: Int! = 3, $ids: [ID!]) { models(first: $first, ids: $ids) { ...F } }\n"
    "fragment F on Model { id ... on Large @include(if: true) { context } }",
    'mutation M($n: NoteInput) { add(note: $n, at: {a: [1, 2.5e3], b: "x", c: """y""", d: ENUM}) }',
    "subscription S { ticks }",
]
# fmt: off
PIECES = [
    "{", "}", "(", ")", "[", "]", "$", "!", "...", "@", ":", "=", "|", "&", '"', '"""', "\\u{",
    "query ", "fragment ", "on ", "$first", "$other", "true", "null", "1", "# ", "\n", "\r", "\0",
    "$${", "type A { b: Int }", "[" * 50, "{a" * 50, "\u202e",
    "\N{LATIN SMALL LETTER DOTLESS I}",
]
# fmt: on
REPLIES = st.dictionaries(st.sampled_from(("data", "errors", "extensions")), HOSTILE, max_size=3)
(CHECK,) = exchange_of({"graphql": "{ a }"}).checks


@fuzz(
    st.tuples(mutated_text(QUERIES, PIECES), st.sampled_from((1, "1", None, [1], {}))), examples=30
)
def test_a_query_is_sent_or_has_faults(given: tuple[str, object], folder: Path) -> None:
    """Each fault lies in the text, or at the variables."""
    del folder
    text, value = given
    written = re.sub(r"\{(?=\{)", "{ ", text.replace("${", "$${"))  # as plans have to write it
    with bounded(2):
        name_in(text)
        compiled = compile_request({"graphql": {"query": written, "variables": {"first": value}}})

    for fault in compiled.faults:
        assert fault.message
        assert fault.offset is None or 0 <= fault.offset <= len(written)


@fuzz(st.one_of(REPLIES, HOSTILE, st.binary(max_size=40)), examples=30)
def test_a_reply_is_judged(body: Any, folder: Path) -> None:
    """A success has data and no errors; whatever else comes is a failure with its words."""
    del folder
    try:
        reply: Reply = reply_of(body)
    except (TypeError, ValueError):
        return  # no JSON has it
    with bounded(2):
        words = CHECK(reply, {})

    assert words is None or words
    if words is None:
        assert not json.loads(reply.body or b"").get("errors")
