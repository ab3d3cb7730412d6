"""The combinations of a matrix: what each size took, and how time grows."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.results.files.metrics_json import from_json, to_text
from planrunner.results.matrices.fits import fit_exponent, student_quantile
from planrunner.results.matrices.limits import limits_of_line
from planrunner.results.matrices.tables import make_scaling, matrix_tables
from planrunner.results.record import AxisChoice, PhaseCombination, SizeValue
from tests.support.matrices import make_matrix_run


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (10, 2.228), (30, 2.042)],
)
def test_quantiles_are_those_of_the_tables(freedom, quantile):
    """Of Student's t, two-sided 95 %."""
    assert student_quantile(0.975, freedom) == pytest.approx(quantile, abs=0.0006)


@given(
    st.floats(-2, 4),
    st.floats(1e-6, 1e6),
    st.lists(st.integers(1, 10**6), min_size=3, max_size=9, unique=True),
)
def test_a_power_law_has_its_exponent(exponent, factor, sizes):
    """Whatever the unit, and an interval that is as narrow as the arithmetic."""
    found, low, high = fit_exponent(sizes, [factor * size**exponent for size in sizes])

    assert found == pytest.approx(exponent, abs=1e-5)
    assert low <= found <= high
    assert high - low < 1e-3


def test_the_interval_is_that_of_a_textbook():
    """Four points: slope 1.1, residual variance 0.05 / 2, Sxx 5 in decades."""
    amounts = [10**y for y in (0, 1.3, 2.1, 3.4)]
    exponent, low, high = fit_exponent([1, 10, 100, 1000], amounts)

    assert exponent == pytest.approx(1.1)
    assert high - exponent == pytest.approx(4.303 * (0.05 / 2 / 5) ** 0.5, rel=1e-3)
    assert exponent - low == pytest.approx(high - exponent)


def test_two_sizes_have_no_interval():
    """They lie on a line whatever they are."""
    assert fit_exponent([10, 1000], [1, 100]) == (pytest.approx(1.0), None, None)


def test_a_matrix_is_a_table_of_sizes():
    """A line for each request and format; the cases give the sizes, smallest first."""
    (table,) = matrix_tables(make_matrix_run(sizes={"large": 100_000, "small": 1_000}))

    assert (table.name, table.over) == ("ingestion", "rows")
    assert [(row.name, row.size) for row in table.rows] == [("small", 1e3), ("large", 1e5)]
    assert [(line.request, dict(line.axes)) for line in table.lines] == [
        ("check", {"format": "csv"}),
        ("check", {"format": "parquet"}),
        ("import", {"format": "csv"}),
        ("import", {"format": "parquet"}),
    ]
    small, large = table.lines[2].cells
    assert (small.count, large.count, large.failed) == (5, 6, 1)


def test_each_line_has_its_exponent():
    """CSV is linear, and Parquet grows more slowly."""
    fits = {(fit.request, fit.axes["format"]): fit for fit in make_matrix_run().scaling}

    assert fits["import", "csv"].exponent == pytest.approx(1.0, abs=0.01)
    assert fits["import", "parquet"].exponent == pytest.approx(0.8, abs=0.01)
    assert fits["import", "csv"].sizes == (1e3, 1e4, 1e5)
    assert fits["import", "csv"].low <= 1.0 <= fits["import", "csv"].high


def test_work_is_counted_by_the_time_at_work():
    """Of a phase that counts iterations; 1,000 rows in 10 ms are 100,000 a second."""
    (table,) = matrix_tables(make_matrix_run())

    row = table.lines[2].cells[0]
    assert row.work_per_second == pytest.approx(5 * 1000 / 0.0506)
    assert row.work_unit == "rows"
    assert table.lines[0].cells[0].work_per_second is None


def test_the_size_is_what_scalability_is_judged_over():
    """Else the first param with several sizes; users and rate are loads, not sizes."""
    run = make_matrix_run()
    by_seconds = tuple(
        replace(
            one,
            sizes=(
                SizeValue("users", 2 * rows),
                SizeValue("seconds", rows / 3),
                SizeValue("rows", rows),
            ),
        )
        for one in run.combinations
        for rows in (one.size("rows"),)
    )
    judged = make_matrix_run(limit="< 1.3").judgements

    assert {fit.over for fit in make_scaling(run.rows, by_seconds)} == {"seconds"}
    assert {fit.over for fit in make_scaling(run.rows, by_seconds, judged)} == {"rows"}


def test_a_time_is_a_size_only_if_it_is_judged_over():
    """With the rows set to one number, cases differ in a limit, which is no more to do."""
    run = make_matrix_run()
    combinations = tuple(
        replace(
            one,
            sizes=(SizeValue("rows", 5.0), SizeValue("limit", one.size("limit"), "duration")),
        )
        for one in run.combinations
    )
    (judgement,) = make_matrix_run(limit="< 1.3").judgements
    judged = [replace(judgement, sizes=replace(judgement.sizes, over="limit"))]

    assert make_scaling(run.rows, combinations) == ()
    assert {fit.over for fit in make_scaling(run.rows, combinations, judged)} == {"limit"}


def test_a_matrix_without_sizes_has_no_exponent():
    """Formats and users are configurations."""
    run = make_matrix_run()
    axes = (AxisChoice("users", "1"),)
    users = [
        PhaseCombination(one.phase, "x", axes, (SizeValue("users", 1.0),))
        for one in run.combinations
    ]

    assert make_scaling(run.rows, users) == ()


def test_an_axis_of_numbers_is_the_size():
    """Then there is no case to name it."""
    run = make_matrix_run()
    combinations = tuple(
        replace(one, axes=(AxisChoice("rows", f"{one.size('rows'):g}"), one.axes[1]))
        for one in run.combinations
    )
    (table,) = matrix_tables(
        replace(run, combinations=combinations, scaling=make_scaling(run.rows, combinations))
    )

    assert [row.name for row in table.rows] == ["", "", ""]
    assert {tuple(line.axes) for line in table.lines} == {("format",)}


def test_limits_are_those_of_the_lines_they_judge():
    """One on a format is about no other."""
    run = make_matrix_run(limit="< 1.3")
    (table,) = matrix_tables(run)

    found = [limits_of_line(run.judgements, table, line) for line in table.lines]
    assert found == [[], [], [1.3], []]


@pytest.mark.parametrize(
    "change",
    [
        {"requests": ("check", "import")},
        {"requests": ()},
        {"over": "limit"},
        {"phases": ("other[rows=1]",)},
    ],
)
def test_no_line_has_the_limit_of_others(change):
    """Nor has one of two requests that are judged together."""
    run = make_matrix_run(limit="< 2")
    (table,) = matrix_tables(run)
    (judged,) = run.judgements
    judged = replace(judged, sizes=replace(judged.sizes, **change))

    assert not any(limits_of_line([judged], table, line) for line in table.lines)


def test_a_report_made_again_has_the_same_tables():
    """The order of axes and params is the plan's, not the alphabet's."""
    run = make_matrix_run()
    combinations = tuple(
        replace(
            one,
            axes=(*one.axes, AxisChoice("bulk", "true")),
            sizes=(SizeValue("rows", one.size("rows")), SizeValue("bytes", one.size("limit"))),
        )
        for one in run.combinations
    )
    run = replace(run, combinations=combinations, scaling=make_scaling(run.rows, combinations))
    again = matrix_tables(from_json(json.loads(to_text(run))))

    assert [(table.over, [line.fit.exponent for line in table.lines]) for table in again] == [
        (table.over, [pytest.approx(line.fit.exponent) for line in table.lines])
        for table in matrix_tables(run)
    ]
    assert again[0].over == "rows"
