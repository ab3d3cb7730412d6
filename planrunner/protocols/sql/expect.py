"""Compile `expect:` and `extract:` of a statement to checks and extractors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, cast

from planrunner.language.diagnostics import suggest
from planrunner.protocols.base import Check, Extractor, Reply, Scope
from planrunner.protocols.json_replies.expect import compile_json
from planrunner.protocols.lowering import Lowering
from planrunner.protocols.rules import compile_condition, compile_time, rule_words
from planrunner.protocols.sql.reply import SqlReply, plain_value
from planrunner.protocols.sql.spec import SqlExpect, SqlExtraction

__all__ = ["compile_expect", "compile_extract"]


class _RowChooser(Protocol):
    def choice(self, items: Sequence[Any], /) -> Any: ...  # noqa: ANN401 - one of them


def compile_expect(
    expect: SqlExpect | None, lowering: Lowering
) -> tuple[tuple[str, ...], tuple[Check, ...]]:
    """Compile the expectations of a statement: in words, and what looks whether they hold."""
    found = [] if expect is None else [*_checks(expect, lowering)]
    return tuple(words for words, _ in found), tuple(check for _, check in found)


def _checks(expect: SqlExpect, lowering: Lowering) -> Iterator[tuple[str, Check]]:
    if expect.time is not None and (check := compile_time(expect.time, lowering)):
        yield f"time {expect.time.source}", check
    if expect.rows is not None:
        yield f"rows{rule_words(expect.rows)}", _counts(expect.rows, lowering)
    for source, expected in (expect.json_ or {}).items():
        if check := compile_json(source, expected, lowering):
            yield f"json {source}{rule_words(expected)}", check


def _counts(expected: object, lowering: Lowering) -> Check:
    condition = compile_condition(expected, lowering, ("expect", "rows"))

    def check(reply: Reply, scope: Scope) -> str | None:
        count = cast("SqlReply", reply).count
        wanted = condition(count, scope)
        return None if wanted is None else f"rows is {count}, {wanted}"

    return check


def compile_extract(extract: Mapping[str, SqlExtraction] | None) -> tuple[Extractor, ...]:
    """Compile what a statement takes from its rows, in the order of the plan."""
    return tuple(_extractor(name, one) for name, one in (extract or {}).items())


def _extractor(name: str, one: SqlExtraction) -> Extractor:
    column, pick = one.column, _PICKS[one.row]

    def extract(reply: Reply, scope: Scope) -> str | None:
        result = cast("SqlReply", reply)
        if column not in result.columns:
            return _no_column(name, column, result.columns)
        if not result.rows and pick is not _all:
            return f"`{name}`: no row came back"
        at = result.columns.index(column)
        scope[name] = pick(result.rows, at, scope)
        return None

    return extract


def _no_column(name: str, column: str, columns: Sequence[str]) -> str:
    if not columns:
        return f"`{name}`: the statement has no rows"
    guess = suggest(column, [*columns])
    return f"`{name}`: the result has no column `{column}`" + (f"; {guess}" if guess else "")


_Pick = Callable[[Sequence[Sequence[Any]], int, Scope], Any]


def _first(rows: Sequence[Sequence[Any]], at: int, _: Scope) -> Any:  # noqa: ANN401 - of a column
    return plain_value(rows[0][at])


def _last(rows: Sequence[Sequence[Any]], at: int, _: Scope) -> Any:  # noqa: ANN401
    return plain_value(rows[-1][at])


def _random(rows: Sequence[Sequence[Any]], at: int, scope: Scope) -> Any:  # noqa: ANN401
    return plain_value(cast("_RowChooser", scope["rand"]).choice(rows)[at])


def _all(rows: Sequence[Sequence[Any]], at: int, _: Scope) -> list[Any]:
    return [plain_value(row[at]) for row in rows]


_PICKS: Final[Mapping[str, _Pick]] = {
    "first": _first,
    "last": _last,
    "random": _random,
    "all": _all,
}
