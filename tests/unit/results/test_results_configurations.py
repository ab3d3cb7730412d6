"""Several configurations beside each other: who is best, and when nobody is."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.errors import UsageError
from planrunner.report.configurations.rows import sections_of
from planrunner.results.bootstrap import Estimate
from planrunner.results.configurations.contest import contests
from planrunner.results.configurations.loads import load_differences
from planrunner.results.configurations.names import configuration_names
from planrunner.results.configurations.runs import compare_configurations
from planrunner.results.loads import PhaseLoad
from planrunner.results.model import Validity, ValidityLevel
from planrunner.results.record import Stretch
from tests.support.long_run import make_long_run
from tests.support.noisy_runs import NOISY_RUNS
from tests.support.results import make_result
from tests.unit.results.test_results_comparison import recording


def run(seed: int, *, slower: float = 1.0):
    return make_long_run(seconds=48, requests=2, seed=seed, slower=slower)


@pytest.fixture(scope="module")
def fast():
    return run(1)


@pytest.fixture(scope="module")
def slow():
    return run(2, slower=2.5)


@pytest.fixture(scope="module")
def slower():
    return run(3, slower=6)


def figure(table, name, request=""):
    return next(one for one in table.figures if (one.request, one.figure) == (request, name))


def test_the_best_is_better_than_every_other(fast, slow, slower):
    """In each percentile; the throughput, which the plan sets, is the same."""
    table = compare_configurations((slow, fast, slower), ("slow", "fast", "slower"))

    p95 = figure(table, "typical_p95")
    assert table.configurations[table.best].name == "fast"
    assert (p95.best, p95.leading) == (1, (1,))
    assert p95.worse == ((2,), (0, 2), ())
    assert figure(table, "throughput").best is None
    assert table.nothing_compared == ""


@pytest.mark.slow
def test_noise_makes_none_the_best(fast):
    """Three runs of the same thing."""
    table = compare_configurations((fast, run(4), run(5)), "abc")

    assert table.best is None
    assert {one.best for one in table.figures} == {None}
    assert {len(one.leading) for one in table.figures} == {3}


@pytest.mark.slow
@pytest.mark.parametrize("load", ["open", "closed"])
def test_a_busy_machine_makes_none_the_best(load):
    """Runs of the same target, measured while others used the processors, three in a row each."""
    runs = [one for (kind, target, _), one in NOISY_RUNS.items() if (kind, target) == (load, "A")]
    tables = [compare_configurations(runs[n : n + 3], "abc") for n in range(len(runs) - 2)]

    assert len(tables) > 3
    assert {one.best for table in tables for one in table.figures} == {None}


def test_two_that_lead_together_are_both_named(fast, slow):
    """Neither is better than the other, and both are better than the third."""
    table = compare_configurations((fast, slow, run(6)), ("a", "slow", "b"))

    p50 = figure(table, "typical_p50")
    assert (p50.best, p50.leading) == (None, (0, 2))
    assert (table.best, table.unbeaten) == (None, (0, 2))


@pytest.mark.slow
def test_the_same_runs_always_give_the_same(fast, slow, slower):
    """The bootstrap has its own seed."""
    runs = (fast, slow, slower)

    assert compare_configurations(runs, "abc") == compare_configurations(runs, "abc")


@pytest.mark.slow
def test_the_order_makes_nobody_else_the_best(fast, slow, slower):
    """Each run draws by its place, which may change an interval a little."""
    runs = {"fast": fast, "slow": slow, "slower": slower}
    best = set()
    for names in permutations(runs):
        table = compare_configurations([runs[name] for name in names], names)
        best.add(table.configurations[table.best].name)

    assert best == {"fast"}


def test_a_best_that_is_worse_in_one_request_is_none(fast, slow, slower):
    """All together are faster, and one request is slower than another's."""
    points = {one.name: one for one in slow.request_points}
    name = next(name for name in points if name)
    mixed = replace(
        slow,
        request_points=tuple(
            next(one for one in slower.request_points if one.name == name)
            if points.name == name
            else points
            for points in fast.request_points
        ),
    )
    table = compare_configurations((mixed, slow, slower), ("mixed", "slow", "slower"))

    assert figure(table, "typical_p95").best == 0
    assert table.best is None
    assert table.unbeaten == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"plan": "x"}, "the plans differ: `a` ran `{plan}`, `b` ran `x`, `c` ran `{plan}`"),
        ({"plan_text": "name: x"}, "the plan changed between the runs"),
        ({"plan_hash": "0"}, "the plan changed between the runs"),
        ({"profile": "soak"}, "the profiles differ: `a` none, `b` `soak`, `c` none"),
        (
            {"loads": (PhaseLoad("main", "closed", "users", 20, 20),)},
            "the load of phase `main` differs: `a` 10 users, `b` 20 users, `c` 10 users",
        ),
        (
            {"loads": (PhaseLoad("main", "open", "arrivals", 20, 20),)},
            "the load of phase `main` differs: `a` closed, `b` open, `c` closed",
        ),
        (
            {"measured": (Stretch("main", "hold", 0, 60 * 10**9),)},
            "the measured time of phase `main`, stage `hold` differs: `a` 40 s, `b` 1 m, `c` 40 s",
        ),
    ],
)
def test_another_load_is_told(fast, slow, slower, change, said):
    """What differs, with what it is in each."""
    loads = (PhaseLoad("main", "closed", "users", 10, 10),)
    runs = [replace(one, loads=loads) for one in (fast, slow, slower)]
    runs[1] = replace(runs[1], **change)

    assert said.format(plan=fast.plan) in load_differences(runs, "abc")


def test_another_load_makes_none_the_best(fast, slow):
    """The figures stand beside each other without marks."""
    table = compare_configurations((fast, replace(slow, plan="x")), "ab")

    assert (table.best, table.nothing_compared) == (None, "the load differs")
    assert table.differences
    assert not any(one.leading or one.best is not None for one in table.figures)


def test_drawn_arrivals_are_no_other_load(fast, slow):
    """Poisson arrivals differ by a few from seed to seed."""
    loads = [(PhaseLoad("main", "open", "arrivals", count, count),) for count in (9000, 9070)]
    runs = [replace(one, loads=load) for one, load in zip((fast, slow), loads, strict=True)]

    assert load_differences(runs, "ab") == []


def test_counted_phases_may_last_as_long_as_they_take(fast, slow):
    """Their time is what is measured."""
    counted = (PhaseLoad("main", "counted", "iterations", 100, 100),)
    longer = tuple(replace(one, end_ns=2 * one.end_ns) for one in slow.measured)
    runs = (replace(fast, loads=counted), replace(slow, loads=counted, measured=longer))

    assert load_differences(runs, "ab") == []


def test_params_make_configurations(fast, slow):
    """They differ on purpose, and with them the hash of the plan."""
    one = replace(fast, params={"pool": "5", "port": "80"}, plan_hash="1")
    other = replace(slow, params={"pool": "10", "port": "80"}, plan_hash="2")

    table = compare_configurations((one, other), ("small", "large"))
    assert [dict(each.values) for each in table.configurations] == [{"pool": "5"}, {"pool": "10"}]
    assert table.differences == ()


def test_nothing_follows_from_invalid_numbers(fast, slow, slower):
    """An invalid run is neither better nor worse, so nothing is better than every other."""
    invalid = replace(slower, validity=Validity(ValidityLevel.INVALID, ("starved",)))

    table = compare_configurations((fast, slow, invalid), "abc")
    assert "the numbers of `c` are invalid" in table.remarks
    assert table.best is None
    assert figure(table, "typical_p95").worse == ((1,), (), ())


def test_short_runs_say_nothing():
    """Five seconds are too few."""
    runs = [make_long_run(seconds=5, requests=2, seed=seed) for seed in (1, 2, 3)]

    table = compare_configurations(runs, "abc")
    assert table.nothing_compared == "no figure of these could be compared"
    assert "`a` measured only 5 s, which is too short to compare" in table.remarks


def test_requests_that_some_lack_are_remarked(fast, slow):
    """They are in no figure."""
    lacking = replace(slow, request_points=slow.request_points[:-1])
    name = slow.request_points[-1].name

    table = compare_configurations((fast, lacking), "ab")
    assert f"`a` has requests that not all have: `{name}`" in table.remarks
    assert name not in table.requests


AMOUNTS = st.floats(0.001, 1000)
ESTIMATES = st.builds(
    lambda value, share, freedom: Estimate(value, value * share, freedom),
    AMOUNTS,
    st.floats(0.0001, 0.5),
    st.integers(2, 40),
)


@pytest.mark.slow
@given(st.lists(ESTIMATES, min_size=2, max_size=6))
def test_no_best_where_intervals_overlap(values):
    """Whoever looks at the intervals of a chart sees that the best one stands by itself."""
    figures = ("throughput", "typical_p50", "typical_p95", "typical_p99")
    found = [{"": dict.fromkeys(figures, one)} for one in values]

    for one in contests(found, tolerance=0.0):
        if one.best is None:
            continue
        others = [place for place in range(len(values)) if place != one.best]
        if one.figure == "throughput":
            assert one.low[one.best] > max(one.high[place] for place in others)
        else:
            assert one.high[one.best] < min(one.low[place] for place in others)


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (("reports/nginx", "reports/caddy"), ["nginx", "caddy"]),
        (("monday/run", "tuesday/run"), ["monday/run", "tuesday/run"]),
        (("a/one/run", "b/one/run", "b/two/run"), ["a/one/run", "b/one/run", "b/two/run"]),
        (("reports/old.json", "reports/new/metrics.json"), ["old", "new"]),
        (("reports/12-a", "reports/nginx"), ["pool=5", "pool=10"]),
    ],
)
def test_names_are_as_short_as_tells_them_apart(paths, names):
    """Directories that were made for the run are called by what it was made with."""
    runs = [
        replace(make_result(), run_id=run_id, params={"pool": pool, "port": "1"})
        for run_id, pool in (("12-a", "5"), ("13-b", "10"), ("14-c", "20"))
    ]

    assert configuration_names(runs[: len(paths)], list(map(Path, paths))) == names


def test_runs_of_the_same_params_are_called_by_their_directories():
    """Nothing else tells them apart."""
    runs = [replace(make_result(), run_id=one) for one in ("12-a", "13-b")]

    assert configuration_names(runs, [Path("x/12-a"), Path("x/13-b")]) == ["12-a", "13-b"]


def test_labels_name_configurations_too():
    """They are what the user called the run."""
    runs = [replace(make_result(), run_id=one, labels={"commit": one}) for one in ("1a", "2b")]

    names = configuration_names(runs, [Path("x/1a"), Path("x/2b")])
    assert names == ["commit=1a", "commit=2b"]


def test_a_run_is_named_once():
    """It would be as good as itself."""
    with pytest.raises(UsageError, match="`x` is named twice"):
        configuration_names([make_result(), make_result()], [Path("x"), Path("x")])


def test_metrics_of_the_plans_are_shown_and_decide_nothing():
    """Whether more tokens are better only their author knows; what one run lacks is said."""
    run = make_long_run(seconds=30, requests=2)
    runs = [recording(run, my_tokens=3), recording(run, my_tokens=4), recording(run, my_tokens=5)]

    table = compare_configurations(runs, "abc")

    whole = sections_of(table)[0]
    assert whole.titles[-1] == "avg metric.my_tokens"
    assert [row.cells[-1].text for row in whole.rows] == ["3", "4", "5"]
    assert table.best is None
    some = compare_configurations([run, *runs[1:]], "abc")
    assert "`b` records what not all do: `metric.my_tokens`" in some.remarks
