"""Two runs against each other, and baselines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planrunner.errors import UsageError
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.recorded_values import RecordedValues
from planrunner.metrics.snapshot import Accumulated, Snapshot
from planrunner.metrics.thresholds.parser import parse_threshold
from planrunner.report.changes import cells_of
from planrunner.results.bootstrap import estimates, measured_intervals
from planrunner.results.changes import ChangeOutcome
from planrunner.results.comparison import compare
from planrunner.results.files.baseline import measure_in, promote, read_baseline
from planrunner.results.matrices.picked import picked_words
from planrunner.results.model import Validity, ValidityLevel
from planrunner.results.record import (
    ComponentFigures,
    RequestPoints,
    Stretch,
    make_series,
    read_series,
)
from tests.support.long_run import make_long_run
from tests.support.matrices import make_matrix_run
from tests.support.noisy_runs import neighbours
from tests.support.results import make_result


def run(*, seed: int, slower: float = 1.0, requests: int = 4):
    return make_long_run(seconds=90, requests=requests, seed=seed, slower=slower)


@pytest.fixture(scope="module")
def before():
    return run(seed=1)


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_noise_is_no_change(before, seed):
    """Runs of the same thing never fail a build."""
    found = compare(before, run(seed=seed))

    assert found.outcome in (ChangeOutcome.SAME, ChangeOutcome.UNCLEAR)
    assert ChangeOutcome.WORSE not in {change.outcome for change in found.changes}


@pytest.mark.parametrize("load", ["open", "closed"])
def test_a_busy_machine_fails_no_build(load):
    """Runs one after the other of the same target, measured while others used the processors."""
    changes = [change for pair in neighbours(load, "A") for change in compare(*pair).changes]

    assert len(changes) == 180
    assert {change.outcome for change in changes} <= {ChangeOutcome.SAME, ChangeOutcome.UNCLEAR}


@pytest.mark.parametrize("load", ["open", "closed"])
@pytest.mark.parametrize(("target", "least"), [("slow20", 3), ("err2", 6), ("rate10", 4)])
def test_a_busy_machine_hides_no_large_change(load, target, least):
    """20 % slower, 2 % failed, 10 % fewer requests: half of the pairs show it, or more."""
    found = [compare(*pair).outcome for pair in neighbours(load, target)]

    assert len(found) == 6
    assert found.count(ChangeOutcome.WORSE) >= least
    assert ChangeOutcome.BETTER not in found


def test_a_slower_run_is_worse_and_the_other_way_round_better(before):
    """Each percentile of all requests together says so."""
    slow = run(seed=5, slower=1.6)

    assert compare(before, slow).outcome is ChangeOutcome.WORSE
    assert compare(slow, before).outcome is ChangeOutcome.BETTER
    p50 = compare(before, slow).changes[0]
    assert (p50.request, p50.figure) == ("", "typical_p50")
    assert p50.low < 0.6 < p50.high


def test_the_same_two_runs_always_give_the_same(before):
    """The bootstrap has its own seed."""
    other = run(seed=6)

    assert compare(before, other) == compare(before, other)


@pytest.mark.parametrize("seconds", [1, 2, 5])
def test_a_short_run_cannot_tell(before, seconds):
    """Five seconds say nothing about the next five; one second is less than a block."""
    short = make_long_run(seconds=seconds, requests=4)

    found = compare(before, short)
    assert found.outcome is ChangeOutcome.UNCLEAR
    assert {change.outcome for change in found.changes} == {ChangeOutcome.UNCLEAR}
    assert (
        f"the second run measured only {seconds} s, which is too short to compare" in found.remarks
    )


@pytest.mark.slow
def test_only_what_is_surely_beyond_the_tolerance_is_a_change(before):
    """The tolerance covers what two runs differ by for no reason."""
    slow = run(seed=5, slower=1.6)
    p50 = compare(before, slow).changes[0]

    def outcome(tolerance):
        return compare(before, slow, tolerance=tolerance).changes[0].outcome

    assert outcome(p50.low - 0.01) is ChangeOutcome.WORSE
    assert outcome((p50.low + p50.high) / 2) is ChangeOutcome.UNCLEAR
    assert outcome(p50.high + 0.01) is ChangeOutcome.SAME


def test_throughput_is_that_of_the_report(before):
    """Requests that end after the time that counts make no second of their own."""
    late = replace(before.measured[-1], end_ns=before.measured[-1].end_ns - 9 * 10**8)
    cut = replace(before, measured=(*before.measured[:-1], late))
    throughput = next(c for c in compare(cut, cut).changes if c.figure == "throughput")

    seconds = sum(part.end_ns - part.start_ns for part in cut.measured) / 1e9
    requests = sum(before.request_points[0].requests)
    assert throughput.before == pytest.approx(requests / seconds)


def test_a_few_bad_seconds_are_no_change(before):
    """Another program had the processor for a while."""
    points = [
        replace(one, p50_ns=tuple(20 * v if n % 9 == 0 else v for n, v in enumerate(one.p50_ns)))
        for one in before.request_points
    ]
    p50 = compare(before, replace(before, request_points=tuple(points))).changes[0]

    assert p50.change == pytest.approx(0, abs=0.1)
    assert p50.outcome in (ChangeOutcome.SAME, ChangeOutcome.UNCLEAR)


def test_what_is_unclear_of_all_requests_makes_the_comparison_unclear(before):
    """`same` would promise more than is known."""
    found = compare(before, run(seed=2))
    together = {change.outcome for change in found.changes if not change.request}

    assert ChangeOutcome.UNCLEAR in together
    assert found.outcome is ChangeOutcome.UNCLEAR


def test_requests_that_came_or_went_are_named(before):
    """They have nothing to be compared with."""
    fewer = run(seed=1, requests=3)

    assert compare(before, fewer).gone == ("GET /items/03",)
    assert compare(fewer, before).new == ("GET /items/03",)


def test_runs_without_a_request_in_common_compare_nothing(before):
    """All requests together are then other requests, whatever their figures say."""
    points = [replace(one, name=one.name and f"{one.name} moved") for one in before.request_points]
    found = compare(before, replace(before, request_points=tuple(points)))

    assert found.nothing_compared == "the second run has none of the first one's requests"
    assert not compare(before, before).nothing_compared


def test_runs_too_short_for_any_figure_compare_nothing():
    """Whoever asks for regressions gets no pass from that."""
    short = make_long_run(seconds=4, requests=2, seed=1)

    assert compare(short, short).nothing_compared == "no figure of these runs could be compared"


def test_a_run_under_a_second_has_shares_and_work_and_no_rates(before):
    """A component takes milliseconds: nothing a second, and no failure, would be made up."""
    shares = {"asked": (10,), "broken": (1,), "requests": (10,), "failed": (4,), "work": (7.0,)}
    short = replace(
        recording(before, work=50),
        measured=(Stretch(before.measured[0].phase, "", 0, 2 * 10**8),),
        request_points=tuple(
            replace(one, seconds=(1,), p50_ns=(5,), p95_ns=(5,), p99_ns=(5,), **shares)
            for one in before.request_points
        ),
    )

    found = compare(short, short)

    values = {change.figure: change.before for change in found.changes if not change.request}
    assert values == {
        **dict.fromkeys(("typical_p50", "typical_p95", "typical_p99", "throughput"), 0),
        "error_rate": 0.4,
        "checks": 0.9,
        "work_rate": values["work_rate"],
    }
    assert values["work_rate"] > 0
    assert {change.outcome for change in found.changes} == {ChangeOutcome.UNCLEAR}
    (shown,) = (row for row in cells_of(found.changes[:6]) if row["figure"] == "throughput")
    assert (shown["before"], shown["change"]) == ("–", "–")
    assert "the first run measured less than a second, which is too short to compare" in (
        found.remarks
    )


def test_expectations_that_fail_more_often_are_a_change(before):
    """Soft ones fail no request, so nothing else would show it."""

    def holding(broken):
        return replace(
            before,
            request_points=tuple(
                replace(
                    one, asked=one.requests, broken=tuple(n * broken // 10 for n in one.requests)
                )
                for one in before.request_points
            ),
        )

    def outcomes(was, now):
        changes = compare(holding(was), holding(now)).changes
        return {one.outcome for one in changes if one.figure == "checks" and not one.request}

    assert outcomes(0, 2) == {ChangeOutcome.WORSE}
    assert outcomes(2, 0) == {ChangeOutcome.BETTER}
    assert outcomes(0, 0) == {ChangeOutcome.SAME}


def test_the_tails_that_a_typical_second_leaves_out_are_shown(before):
    """A stall is in the whole run's p99 and in that of its worst second."""
    slow = run(seed=2, slower=2)
    found = {change.figure: change for change in compare(before, slow).whole if not change.request}

    assert found.keys() == {"p99", "worst_p99"}
    assert {change.outcome for change in found.values()} == {ChangeOutcome.NOT_JUDGED}
    assert found["worst_p99"].before >= found["p99"].before > 0
    assert 1.5 < found["p99"].after / found["p99"].before < 2.5


def test_what_makes_runs_hard_to_compare_is_said(before):
    """Another plan, another machine, numbers that can't be trusted."""
    other = replace(
        before,
        plan_hash="other",
        host={"python": "3.13"},
        validity=Validity(ValidityLevel.BIASED, ("late",)),
    )

    remarks = " ".join(compare(before, other).remarks)
    assert "the plan changed between the runs" in remarks
    assert "the host's python differs" in remarks
    assert "the numbers of the second run are biased" in remarks


def recording(result, **values):
    """Return a run each of whose requests records these values."""
    words = {name if name == "work" else f"metric.{name}": value for name, value in values.items()}
    own = {word: RecordedValues([value * 1_000_000]) for word, value in words.items()}
    series = {
        replace(labels, records=tuple(words)): replace(delta, measures=own)
        for labels, delta in read_series(result.series).items()
    }
    total = Accumulated()
    total.add(Snapshot(0, 10**9, {}, series))
    points = [
        replace(one, work=(float(values["work"]),) * len(one.seconds)) if "work" in values else one
        for one in result.request_points
    ]
    rows = [
        replace(row, work_per_second=float(values["work"])) if "work" in values else row
        for row in result.rows
    ]
    return replace(
        result,
        series=make_series(total.totals, started_ns=0),
        request_points=tuple(points),
        rows=tuple(rows),
    )


def test_what_only_one_run_records_is_said(before):
    """Nothing of it can be compared, and nothing is left out in silence."""
    tokens, rows = recording(before, tokens=5, both=1), recording(before, work=5, both=1)

    found = compare(tokens, rows)

    assert found.remarks == (
        "only the first run records `metric.tokens`",
        "only the second run records `work`",
    )
    assert "metric.both" in {change.figure for change in found.whole}


@pytest.mark.parametrize(
    ("was", "now", "outcome"),
    [(5, 0, ChangeOutcome.WORSE), (0, 0, ChangeOutcome.SAME), (0, 5, ChangeOutcome.UNCLEAR)],
)
def test_a_work_rate_of_nothing_is_a_rate(before, was, now, outcome):
    """A component that has stopped to do anything is no equal of the one before."""
    found = compare(recording(before, work=was), recording(before, work=now))

    rates = [change for change in found.changes if change.figure == "work_rate"]
    assert {change.outcome for change in rates} == {outcome}
    assert len(rates) == len(found.changes) // 6


def test_params_that_differ_are_named(before):
    """They change the hash of the plan too, which then says nothing more."""
    after = replace(before, plan_hash="other", params=dict(before.params) | {"users": "50"})

    assert compare(before, after).remarks == ("the param `users` differs: `20` and `50`",)


def test_a_run_without_time_cannot_be_compared(before):
    """A sentence, no traceback."""
    with pytest.raises(UsageError, match="no requests over time"):
        compare(make_result(), before)


def p50_of_an_item(result):
    """Of one request in one stage, from its own series."""
    merged = Histogram()
    for labels, delta in read_series(result.series).items():
        if labels.request == "GET /items/01" and labels.stage == "hold" and labels.is_result:
            merged.merge(delta.latency)
    return merged.percentile(50)


@pytest.mark.parametrize(
    ("sentence", "value_in"),
    [
        ("p95 < 110% of baseline", lambda run: run.totals.p95_response_time * 1e9),
        ("error_rate < 110% of baseline", lambda run: run.totals.error_rate / 100),
        ('p50 of "GET /items/01" in stage hold < 110% of baseline', p50_of_an_item),
        ("throughput > 90% of baseline", lambda run: run.totals.requests_per_second),
    ],
)
def test_a_baseline_gives_what_thresholds_ask_for(before, tmp_path, sentence, value_in):
    """Whatever the aggregation and selector, the numbers that the run itself shows."""
    promote(before, tmp_path / "new" / "baseline.json")
    baseline = read_baseline(tmp_path / "new" / "baseline.json")
    threshold = parse_threshold(sentence)

    assert baseline is not None
    found = measure_in(baseline)(threshold.metrics[0])

    assert found == pytest.approx(value_in(before), rel=1e-6)


def test_a_baseline_agrees_with_the_totals_of_its_run(before):
    """One rule for both."""
    p95 = measure_in(before)(parse_threshold("p95 < 1s").metrics[0])

    assert p95 == pytest.approx(before.totals.p95_response_time * 1e9)


def test_what_a_baseline_lacks_has_no_value(before):
    """Then the threshold has no data."""
    metric = parse_threshold('p95 of "GET /other" < 1s').metrics[0]

    assert measure_in(before)(metric) is None


def test_no_file_is_no_baseline(tmp_path):
    """A first run has none."""
    assert read_baseline(tmp_path / "none.json") is None


def test_a_run_that_cannot_be_trusted_is_no_baseline(before, tmp_path):
    """Nothing should be held against wrong numbers."""
    wrong = replace(before, validity=Validity(ValidityLevel.INVALID, ("killed",)))

    with pytest.raises(UsageError, match="invalid"):
        promote(wrong, tmp_path / "baseline.json")


def test_seconds_without_a_latency_are_no_typical_ones(before):
    """A step that fails before it does its work has none; a zero is no latency of zero."""
    points = before.request_points[0]
    half = len(points.seconds) // 2
    zeros = {
        name: (*(0,) * (half + 1), *getattr(points, name)[half + 1 :])
        for name in ("p50_ns", "p95_ns", "p99_ns")
    }
    intervals = measured_intervals(before)

    found = estimates(replace(points, **zeros), intervals, seed="a")

    whole = estimates(points, intervals, seed="a")
    assert found["typical_p50"].value == pytest.approx(whole["typical_p50"].value, rel=0.2)
    assert found["throughput"] == whole["throughput"]


def medians_of(baseline, phases, *, matrix="ingestion"):
    """Return the median of imports in a baseline, in ms, for a run of these phases."""
    running = dict.fromkeys(phases, matrix)
    median = measure_in(baseline, running)(parse_threshold("med of import < 1s").metrics[0])
    return None if median is None else round(median / 1e6)


def test_combinations_are_compared_with_themselves():
    """The median of all sizes is no limit for the small one, nor that of the large one alone."""
    small, large = (f"ingestion[case={case},format=csv]" for case in ("small", "large"))
    everything = make_matrix_run()
    only_large = make_matrix_run(sizes={"large": 100_000}, formats=("csv",))

    assert medians_of(everything, [small]) == 10
    assert medians_of(everything, [large]) == 1_000
    assert medians_of(only_large, [small]) is None
    assert medians_of(only_large, [small, large]) == 1_000
    assert medians_of(only_large, ["other"], matrix="") == 1_000


def test_runs_of_other_combinations_say_which():
    """Their requests have the same names and other things to do."""
    small, large = make_matrix_run(sizes={"small": 1_000}), make_matrix_run()

    assert picked_words([small, large, small]) == ["case=small", "", "case=small"]
    assert picked_words([large, large]) == ["", ""]


def of_components(factor=1.0, *, stable=True, cases=("small", "large")):
    """Return a run of components that takes less than a second."""
    run = make_matrix_run(
        lambda _, __, rows: factor * rows / 100,
        sizes={case: {"small": 1_000, "large": 100_000}[case] for case in cases},
        formats=("csv",),
    )
    components = tuple(
        ComponentFigures(name, one.phase, 5, 1, 1, stable)
        for one in run.combinations
        for name in ("import", "check")
    )
    points = (RequestPoints("", 1, (1,), (1,), (0,), (5,), (5,), (5,)),)
    return replace(run, components=components, request_points=points)


def test_components_are_compared_by_their_samples():
    """In each phase: sizes together would be none of them."""
    found = compare(of_components(), of_components(1.5))

    medians = {one.request: one for one in found.changes if one.figure == "p50"}
    assert list(medians) == [
        f"ingestion[case={case},format=csv]: {name}"
        for name in ("check", "import")
        for case in ("large", "small")
    ]
    failed = medians.pop("ingestion[case=large,format=csv]: import")  # once, which took long
    assert failed.outcome is ChangeOutcome.UNCLEAR
    assert {one.outcome for one in medians.values()} == {ChangeOutcome.WORSE}
    assert all(one.low < 0.5 < one.high for one in medians.values())
    assert {one.figure for one in found.changes} == {"p50", "error_rate", "work_rate"}
    assert found.whole == ()
    assert found.is_by_samples
    assert not any("too short" in remark for remark in found.remarks)


def test_a_noisy_component_tells_nothing():
    """What disturbed it is in no interval."""
    found = compare(of_components(), of_components(1.5, stable=False))

    assert found.outcome is ChangeOutcome.UNCLEAR
    medians = {one.outcome for one in found.changes if one.figure == "p50"}
    assert medians == {ChangeOutcome.UNCLEAR}
    assert (
        "`import`, `check` of the second run are noisy, so medians aren't judged; run it with more "
        "iterations"
    ) in found.remarks


def test_components_of_other_cases_have_nothing_in_common():
    found = compare(of_components(cases=("small",)), of_components(cases=("large",)))

    assert found.nothing_compared == "the second run has none of the first one's requests"
    assert "the runs have different phases: `case=small` and `case=large`" in found.remarks
