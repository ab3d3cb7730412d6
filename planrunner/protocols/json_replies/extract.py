"""Compile `extract` of JSONPaths: what a step takes from its reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from planrunner.language.expressions.expression import to_text
from planrunner.language.fields.text import Text
from planrunner.protocols.base import Extractor, Reply, Scope
from planrunner.protocols.jsonpath import compile_path
from planrunner.protocols.lowering import Lowering, SpecPath
from planrunner.protocols.operation_model import Extraction
from planrunner.protocols.received import NOT_JSON, read_json
from planrunner.protocols.rules import shorten

__all__ = ["ReadReply", "compile_extract"]

ReadReply = Callable[[Reply], object]
"""Returns a reply as data; `NOT_JSON` when there is none."""


def compile_extract(
    extract: Mapping[str, Text | Extraction] | None,
    lowering: Lowering,
    read: ReadReply = lambda reply: reply.parsed(read_json),
) -> tuple[Extractor, ...]:
    """Compile what a step takes from its reply, in the order of the plan."""
    found = (_extractor(name, text, lowering, read) for name, text in (extract or {}).items())
    return tuple(extractor for extractor in found if extractor is not None)


def _extractor(
    name: str, given: Text | Extraction, lowering: Lowering, read: ReadReply
) -> Extractor | None:
    path: SpecPath = ("extract", name)
    text = given
    if isinstance(text, Extraction):
        text, path = text.jsonpath, (*path, "jsonpath")
    source = lowering.constant(text, path)
    if source is None:
        return None
    with lowering.at(path):
        find = compile_path(to_text(source))
        missing = f"`{shorten(name, 30)}`: nothing at `{shorten(source, 50)}` in the reply"

        def extract(reply: Reply, scope: Scope) -> str | None:
            data = read(reply)
            values = [] if data is NOT_JSON else find(data)
            if not values:
                return missing
            scope[name] = values[0]
            return None

        return extract
    return None
