"""The phases of a matrix that has no sizes, as configurations."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.metrics.histogram import Histogram
from planrunner.results.configurations.phases import matrix_configurations
from planrunner.results.iterations.medians import median_estimate, share_estimate
from planrunner.results.model import Validity, ValidityLevel
from planrunner.results.record import AxisChoice
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.matrices import make_load_run, make_matrix_run


def figure(table, name):
    return next(one for one in table.figures if (one.request, one.figure) == ("", name))


def test_a_matrix_over_users_is_a_table_of_configurations():
    """One user is faster; the throughput, which is the same here, has no best."""
    (found,) = matrix_configurations(make_load_run({"1": 10, "10": 15, "100": 40}))

    assert found.name == "load"
    assert [one.name for one in found.table.configurations] == ["users=1", "users=10", "users=100"]
    assert figure(found.table, "typical_p95").best == 0
    assert figure(found.table, "throughput").best is None
    assert figure(found.table, "throughput").values == (20.0, 20.0, 20.0)
    assert found.table.best == 0


def test_noise_makes_no_number_of_users_the_best():
    """The same times in each phase."""
    (found,) = matrix_configurations(make_load_run({"1": 10, "2": 10, "3": 10}))

    assert {one.best for one in found.table.figures} == {None}


def test_a_phase_is_judged_by_its_own_seconds():
    """Neither by those of the phase before it nor by those of the one after."""
    (found,) = matrix_configurations(make_load_run({"1": 10, "10": 1000, "100": 10}))

    p50 = figure(found.table, "typical_p50").values
    assert p50 == pytest.approx((0.01, 1.0, 0.01), rel=0.1)


def test_short_phases_say_so():
    """Five seconds are too few."""
    (found,) = matrix_configurations(make_load_run({"1": 10, "2": 90}, seconds=5))

    assert found.table.nothing_compared
    assert found.table.remarks[0].startswith("`users=1` measured only 5 s")


def test_phases_without_a_whole_second_have_their_own_rate():
    """It is what the table of phases has, and no second of theirs is typical."""
    run = make_load_run({"1": 10, "2": 90}, seconds=2)
    measured = tuple(
        replace(part, start_ns=part.start_ns + NS_PER_S // 2, end_ns=part.end_ns - NS_PER_S // 2)
        for part in run.measured
    )
    (found,) = matrix_configurations(replace(run, measured=measured))

    rates = [row.requests_per_second for row in run.rows if row.by == "phase"]
    assert list(figure(found.table, "throughput").values) == rates != []
    assert figure(found.table, "typical_p95").values == (0.0, 0.0)
    assert found.table.nothing_compared


def test_invalid_numbers_have_no_best():
    """Whatever the difference."""
    run = make_load_run({"1": 10, "2": 90})
    invalid = replace(run, validity=Validity(ValidityLevel.INVALID, ("starved",)))
    (found,) = matrix_configurations(invalid)

    assert found.table.best is None
    assert found.table.remarks == ("the numbers of the run are invalid",)


def test_formats_in_iterations_are_compared_by_medians():
    """Seconds say nothing of five iterations, and the order of their values does."""
    run = make_matrix_run(lambda _, form, __: 10 if form == "csv" else 2, sizes={"small": 1000})
    combinations = tuple(
        replace(one, axes=(AxisChoice("format", one.axes[1].value),), sizes=())
        for one in run.combinations
    )
    (found,) = matrix_configurations(replace(run, combinations=combinations))

    assert [one.name for one in found.table.configurations] == ["format=csv", "format=parquet"]
    assert figure(found.table, "p50").values == pytest.approx((0.01, 0.002), rel=0.05)
    imports = next(one for one in found.table.figures if one.request == "import")
    assert imports.figure == "p50"
    work = next(one for one in found.table.figures if one.figure == "work_rate")
    assert (work.request, work.leading) == ("import", ())


def test_sizes_are_no_configurations():
    """They have a table of their own."""
    assert matrix_configurations(make_matrix_run()) == []


@given(st.lists(st.integers(NS_PER_MS, 100 * NS_PER_MS), min_size=5, max_size=60))
def test_the_error_of_a_median_is_that_of_its_order(values):
    """It is no larger than the whole range of the logarithms, and none where all are alike."""
    found = median_estimate(Histogram(values))

    assert found.error >= 0
    assert found.error <= found.value * (max(values) / min(values))
    assert median_estimate(Histogram([values[0]] * 9)).error == 0


def test_the_error_of_a_median_is_that_of_the_paper():
    """25 values: the 8th and the 18th, and a quantile of 1.96 or so."""
    values = [round(NS_PER_MS * 1.1**n) for n in range(25)]
    found = median_estimate(Histogram(values))

    assert found.value == pytest.approx(1.1**12 / 1000, rel=0.01)
    assert found.error / found.value == pytest.approx(10 * 0.0953 / (2 * 2.05), rel=0.05)


def test_few_values_have_no_error():
    """Of four nothing follows."""
    assert median_estimate(Histogram([1, 2, 3, 4])).error < 0
    assert median_estimate(Histogram()).value == 0
    assert share_estimate(4, 1).error < 0
    assert share_estimate(100, 20).error == pytest.approx(0.04)
