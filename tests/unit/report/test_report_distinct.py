"""Rows of tables stay apart, whatever their names and the width of the terminal are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from planrunner.report.columns import Column, blocks, table
from planrunner.report.distinct import fold_each, shorten_each
from planrunner.report.plain import plain, shorten

NAMES = st.lists(st.text(alphabet="ab/é漢 ", min_size=1, max_size=90).map(plain), max_size=8)
LONG = "GET /api/v2/customers/{id}/orders/{order}/lines/{kind}/history-of-changes"


@given(NAMES, st.integers(8, 60))
def test_cut_names_fit_and_differ_where_the_names_do(names, width):
    """Alike are only those that are the same."""
    shown = shorten_each(names, width)

    assert all(cell_len(text) <= width for text in shown)
    assert len(set(shown)) == len(set(names))


@given(NAMES, st.integers(8, 30), st.integers(1, 3))
def test_folded_names_differ_where_the_names_do(names, width, most):
    """A name that looks like another has all of its lines."""
    spaceless = [name.replace(" ", "") for name in names]
    folded = fold_each(spaceless, [width] * len(names), most=most)

    assert len({"".join(lines) for lines in folded}) == len(set(spaceless))


def test_what_differs_in_the_middle_is_what_is_shown():
    """With the verb, and a little of what comes before."""
    names = [LONG.replace("{kind}", kind) for kind in ("open", "closed", "void")]

    assert {shorten(name, 24) for name in names} == {"GET /api/v2/…-of-changes"}
    assert shorten_each(names, 24) == [
        "GET …es/open/history-of…",
        "GET …es/closed/history-…",
        "GET …es/void/history-of…",
    ]


def test_a_name_alone_keeps_its_ends():
    """Nothing is to be told apart."""
    assert shorten_each([LONG, LONG, "GET /"], 30) == [shorten(LONG, 30)] * 2 + ["GET /"]


def test_names_that_differ_beyond_any_width_are_numbered():
    """Here in two places at once."""
    names = ["a" * 40 + end + "c" * 40 for end in ("x" * 20 + "y", "x" * 20 + "z")]

    assert len(set(shorten_each(names, 8))) == 2


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_two_rows_of_a_table_look_alike(width):
    """Cut or folded."""
    names = [LONG.replace("{kind}", f"{'k' * 300}{number}{'k' * 300}") for number in range(4)]
    columns = [Column("request", names, floor=12), Column("count", ["1"] * 4)]

    rows = [line.plain for line in table(columns, width)[1:]]
    folded = ["".join(line.plain for line in block) for block in blocks(columns, width)[1:]]

    assert len(set(rows)) == len(set(folded)) == 4
    assert all(cell_len(row) <= width for row in rows)
