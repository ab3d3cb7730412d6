"""Components in several sizes of one session: how their time grows, and what judges that."""

from __future__ import annotations

from pathlib import Path

import pytest

import planrunner
from planrunner.report.matrices.rows import exponent_words
from tests.support.own_pytest import RunsPytest
from tests.support.plans import plan_text

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.slow

FAST = "--perf-iterations=6"

TESTS = """
    import pytest

    def load(rows, form):
        return sum(range(rows))

    @pytest.mark.parametrize("form", ["csv", "json"])
    def test_load(perf, form):
        assert perf(load, perf.rows, form, work=perf.rows, unit="rows").value > perf.rows

    def check(rows): ...

    @pytest.fixture
    def rows(perf):
        return perf.rows

    def test_check(perf, rows):
        perf(check, rows, limit="9s")
"""
INI = """
    [pytest]
    perf_thresholds =
        med of "load*" < 9s
        medium: med of "load[csv]" < 1ns
        small: p95 < 9s
        scalability of "load*" over rows < 3
        scalability of check over rows < 0.001
        error_rate == 0
"""


def run_of(pytester: pytest.Pytester, sizes: str) -> planrunner.Result:
    """Return the last run that a session of such sizes wrote."""
    runs = sorted((pytester.path / "reports" / f"components-{sizes}").iterdir())
    return planrunner.load(runs[-1])


def test_each_test_measures_each_size(run_pytest: RunsPytest, pytester: pytest.Pytester) -> None:
    """The table, the run and its reports say how the time of a component grows."""
    pytester.makeini("[pytest]\n")
    pytester.makepyfile(TESTS)

    result = run_pytest("--perf-size=large,small", FAST, "-v")

    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["*::test_load[[]csv-small] PASSED*", "*::test_check[[]small] *"])
    run = run_of(pytester, "small-large")
    assert run.labels == {"size": "small large"}
    assert [*run.phases][:2] == ["load[csv][case=small]", "load[csv][case=large]"]
    grown = {fit.request: fit for fit in run.raw.scaling}
    assert {*grown} == {"load[csv]", "load[json]", "check"}
    assert grown["load[csv]"].sizes == (1000, 100_000)
    assert 0.8 < grown["load[csv]"].exponent < 1.2
    shown = exponent_words(grown["load[csv]"])
    result.stdout.fnmatch_lines(
        [
            "component * size * grows as *",
            "load[[]csv] * small *",
            f"load[[]csv] * large * {shown} *",
            "load[[]json] * small *",
        ]
    )
    assert shown in (run.directory / "report.html").read_text("utf-8")
    assert shown in run.explain()


def test_thresholds_are_by_component_and_size(
    run_pytest: RunsPytest, pytester: pytest.Pytester
) -> None:
    """Each test is judged by those of its size, and the session by growth."""
    pytester.makeini(INI)
    pytester.makepyfile(TESTS)

    several = run_pytest("--perf-size=small,medium", FAST)
    one = run_pytest(FAST)

    several.assert_outcomes(passed=5, failed=1)
    several.stdout.fnmatch_lines(["E*medium: med of *load[[]csv]* < 1ns: fail: observed *"])
    several.stdout.fnmatch_lines(["FAIL *: scalability of check over rows < 0.001: fail: *"])
    run = run_of(pytester, "small-medium")
    assert [(judged.threshold, judged.verdict) for judged in run.thresholds] == [
        ('small: med of "load*" < 9s', "pass"),
        ("small: p95 < 9s", "pass"),
        ('medium: med of "load*" < 9s', "pass"),
        ('medium: med of "load[csv]" < 1ns', "fail"),
        ("error_rate == 0", "pass"),
        ('scalability of "load*" over rows < 3', "pass"),
        ("scalability of check over rows < 0.001", "fail"),
        ("small: med of check < 9s", "pass"),
        ("medium: med of check < 9s", "pass"),
    ]
    one.assert_outcomes(passed=3)
    verdicts = {judged.threshold: judged.verdict for judged in run_of(pytester, "small").thresholds}
    assert verdicts["scalability of check over rows < 0.001"] == "n/a"


def test_a_session_of_sizes_is_compared_with_another(
    run_pytest: RunsPytest, pytester: pytest.Pytester
) -> None:
    """Size by size; workers change nothing."""
    pytester.makeini("[pytest]\n")
    pytester.makepyfile(TESTS)
    sizes = "--perf-size=all"
    assert run_pytest(sizes, FAST, "-n", "2", "-p", "xdist.plugin").ret == pytest.ExitCode.OK
    first = run_of(pytester, "small-medium-large").directory
    pytester.makeini('[pytest]\nperf_thresholds = med of "load*" < 0.1% of baseline\n')

    second = run_pytest(sizes, FAST, f"--perf-baseline={first}", "-k", "csv")
    other = run_pytest(FAST, f"--perf-baseline={first}", "-k", "csv")

    second.assert_outcomes(failed=3)
    second.stdout.fnmatch_lines(["load[[]csv] * large *rows^* FAIL med * of baseline * ?s"])
    other.stdout.fnmatch_lines(["E*hint: add `--perf-size=small,medium,large`, *"])


def test_a_plan_runs_the_cases_of_all_sizes(
    run_pytest: RunsPytest, pytester: pytest.Pytester
) -> None:
    """And its threshold of growth judges the components of its name."""
    plan = """
        params: {rows: {type: int, default: 1}}
        cases: {small: {rows: 1}, other: {rows: 2}, large: {rows: 3}}
        hooks: hooks.py
        users: {A: {steps: [{python: load, name: check, measure: true}]}}
        phases:
          - {name: main, users: 1, iterations: 1, matrix: {case: [small, other, large]}}
        thresholds: [scalability of check in phase main over rows < 0.001]
    """
    (pytester.path / "hooks.py").write_text("def load(): ...\n", "utf-8")
    (pytester.path / "plan.yaml").write_text(plan_text(plan), "utf-8")
    pytester.makeini("[pytest]\nperf_plan = plan.yaml\n")
    pytester.makepyfile(TESTS)

    of_plan = run_pytest("plan.yaml", "--perf-size=all")
    of_tests = run_pytest("-k", "check", "--perf-size=small,large", FAST)

    [directory] = Path(pytester.path / "reports" / "test").iterdir()
    assert [*planrunner.load(directory).phases] == ["main[case=small]", "main[case=large]"]
    assert of_plan.ret == pytest.ExitCode.TESTS_FAILED
    of_tests.assert_outcomes(passed=2)
    of_tests.stdout.fnmatch_lines(["FAIL  plan.yaml:*: scalability of check *: fail: *"])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("small: scalability of load over rows < 2", "is of several sizes"),
        ("scalability of load over users < 2", "`users` is not what sizes differ in"),
    ],
)
def test_a_threshold_that_cannot_be_is_named(
    run_pytest: RunsPytest, pytester: pytest.Pytester, line: str, words: str
) -> None:
    """With its line in the ini file."""
    pytester.makeini(f"[pytest]\nperf_thresholds = {line}\n")
    pytester.makepyfile(TESTS)

    result = run_pytest(FAST, "-k", "check")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"E*tox.ini:2:*{words}*"])


def test_a_size_that_is_none_is_an_error_of_usage(run_pytest: RunsPytest) -> None:
    """Which names those that there are."""
    result = run_pytest("--perf-size=small,huge")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*`huge` is not a size: choose from small, medium, large, or all"])
