"""Rows of sources: the same by number, in order and in blocks, for users and for files."""

from __future__ import annotations

from itertools import chain

import pytest

from planrunner.engine.users.source_rows import MadeTable, source_blocks, source_table
from planrunner.language.expressions.values import EvaluationError
from tests.support.plans import compiled

FIELDS = "{id: rand.uuid(), size: 'rand.int(1, 900)', word: 'rand.choice([1, 2]) ~ run.seed'}"
SCOPE = {"run": {"seed": 3}}


def source(rows=20, kind=None):
    made = f"generate: {{rows: {rows}, fields: {FIELDS}}}"
    return compiled(f"data: {{orders: {{{kind or made}}}}}").data[0]


def rows_of(node, count, seed=3):
    return list(chain.from_iterable(source_blocks(node, seed, dict(SCOPE), count)))


def test_a_made_row_depends_on_seed_and_number_alone():
    """Not on how many there are, nor on which were asked for before."""
    node = source(20)
    table = MadeTable(node, 3, dict(SCOPE))

    in_order = list(table.stream())
    by_number = {place: table.at(place) for place in (19, 3, 8, 7, 0, 3)}

    assert len({row["id"] for row in in_order}) == 20
    assert all(in_order[place] == row for place, row in by_number.items())
    assert [list(row.values()) for row in in_order] == rows_of(node, 20)
    assert rows_of(node, 3_000)[:20] == rows_of(node, 20)
    assert rows_of(node, 20, seed=4) != rows_of(node, 20)


def test_users_draw_the_rows_that_files_have():
    """So that a user asks the target for what it was loaded with."""
    node = source(20)

    drawn = source_table(node, 3, dict(SCOPE)).stream()

    assert [list(row.values()) for row in drawn] == rows_of(node, 20)


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("list: [a, b, c]", [["a"], ["b"], ["c"], ["a"], ["b"]]),
        ("list: [{a: 1, b: x}, {a: 2}]", [[1, "x"], [2, None], [1, "x"], [2, None], [1, "x"]]),
    ],
)
def test_rows_that_are_given_begin_again(kind, rows):
    """A column that a row lacks is null."""
    assert rows_of(source(kind=kind), 5) == rows


def test_a_row_that_has_no_value_is_an_error():
    """With the expression."""
    node = source(kind="generate: {rows: 2, fields: {a: 'rand.int(9, 1)'}}")

    with pytest.raises(EvaluationError, match=r"rand\.int\(9, 1\)"):
        rows_of(node, 2)
