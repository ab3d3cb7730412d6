"""Components under pytest: what a test measures, what judges it, and the run of a session."""

from __future__ import annotations

from pathlib import Path

import pytest

import planrunner
from tests.support.missing import hidden
from tests.support.own_pytest import RunsPytest
from tests.support.plans import PlanProject, plan_text

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.slow

FAST = ("--perf-iterations=6",)


@pytest.fixture(autouse=True)
def _ini(pytester: pytest.Pytester) -> None:
    """The folder is pytest's root."""
    pytester.makeini("[pytest]\n")


def run_of(pytester: pytest.Pytester, size: str = "small") -> planrunner.Result:
    """Return the one run that a session wrote."""
    [directory] = (pytester.path / "reports" / f"components-{size}").iterdir()
    return planrunner.load(directory)


def test_a_component_is_measured_and_in_the_run_of_the_session(
    run_pytest: RunsPytest, pytester: pytest.Pytester
) -> None:
    """With its work; what the call returned is there to look at."""
    pytester.makepyfile("""
        def total(numbers):
            return sum(numbers)

        def test_total(perf):
            found = perf(total, range(perf.rows), work=perf.rows, unit="rows", limit="9s")
            assert found.value == perf.rows * (perf.rows - 1) // 2
            assert found.figures.med.ms < 9_000

        async def wait():
            return "waited"

        def test_wait(perf):
            assert perf(wait, limit=9, name="waiting").value == "waited"
    """)

    result = run_pytest(*FAST)

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "component * size * median ± MAD * p95 * work rate * limit",
            "total * small * ± * rows/s * med < 9s",
            "waiting * small * ± * med < 9s",
            "pass  components small: reports/components-small/*",
        ]
    )
    run = run_of(pytester)
    assert {name: one.count for name, one in run.requests.items()} == {"total": 6, "waiting": 6}
    assert [*run.phases] == ["total", "waiting"]
    assert [one.threshold for one in run.thresholds] == ["med of total < 9s", "med of waiting < 9s"]
    assert run.thresholds[0].place.startswith("test_a_component_is_measured")
    assert {path.name for path in run.directory.iterdir()} == {
        "metrics.json",
        "report.html",
        "junit.xml",
    }


@pytest.mark.parametrize(
    ("size", "rows"), [("small", 1000), ("medium", 10_000), ("large", 100_000)]
)
def test_the_size_is_that_of_the_session(
    run_pytest: RunsPytest, pytester: pytest.Pytester, size: str, rows: int
) -> None:
    """As a number of rows, and of the test data."""
    pytester.makepyfile(f"""
        def test_size(perf):
            assert (perf.size, perf.rows, perf.iterations) == ("{size}", {rows}, 3)
            perf(print, name="nothing")
    """)

    result = run_pytest(f"--perf-size={size}", "--perf-iterations=3")

    result.assert_outcomes(passed=1)
    assert run_of(pytester, size).labels == {"size": size}


def test_noisy_figures_are_said_wherever_the_numbers_are(
    run_pytest: RunsPytest, pytester: pytest.Pytester
) -> None:
    """Three samples are always too few; what raised has no figures."""
    pytester.makepyfile("""
        def load(): ...

        def check():
            raise ValueError("bad")

        def test_load(perf):
            perf(load)

        def test_check(perf):
            perf(check)
    """)

    result = run_pytest("--perf-iterations=3")

    why = "noisy: run again with more iterations (6 or more): 3 samples are too few *"
    result.stdout.fnmatch_lines(["load * noisy", f"- load: {why}"])
    run = run_of(pytester)
    [component] = run.raw.components
    assert (component.name, component.samples, component.stable) == ("load", 3, False)
    assert component.needed == 6
    page = (run.directory / "report.html").read_text("utf-8")
    assert "<dt>Numbers are</dt><dd>valid<small>1 of 1 noisy</small></dd>" in page
    assert 'name="load"' in (run.directory / "junit.xml").read_text("utf-8")


def test_a_broken_limit_fails_the_test_at_its_line(
    run_pytest: RunsPytest, pytester: pytest.Pytester
) -> None:
    """With what was observed, and whether that is to be trusted."""
    pytester.makepyfile(
        test_limit="""
        def test_limit(perf):
            perf(sum, range(1000), limit="1ns")
    """
    )

    result = run_pytest(*FAST)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">*perf(sum, range(1000), limit=*",
            "E*test_limit.py:2:1: med of sum < 1ns: fail: observed *, limit 1 ns",
            "E*sum: * ± *, *",
            "test_limit.py:2: Failed",
            "sum * small * FAIL med < 1ns",
            "fail  components small: *",
        ]
    )


def test_a_component_that_raises_fails_with_its_own_traceback(
    run_pytest: RunsPytest, pytester: pytest.Pytester
) -> None:
    """And is a failure of the run."""
    pytester.makepyfile("""
        def load():
            raise ValueError("no such file")

        def test_load(perf):
            perf(load)
    """)

    result = run_pytest(*FAST)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([">*perf(load)", ">*raise ValueError*", "E*no such file"])
    result.stdout.no_fnmatch_line("*/planrunner/*")
    [failure] = run_of(pytester).failures
    assert (failure.request, failure.kind) == ("load", "error")
    assert failure.reason == "ValueError: no such file"


THRESHOLDS = """
    [pytest]
    perf_thresholds =
        small: med of load < 1ns
        large: med of load < 9s
        p95 of stor < 1s
        work_rate of load > 1/s
        med of load < 200% of baseline
        error_rate == 0
"""


def test_thresholds_of_the_ini_file_are_by_component_and_size(
    run_pytest: RunsPytest, pytester: pytest.Pytester
) -> None:
    """In the language of plans; each is named with its line."""
    pytester.makeini(THRESHOLDS)
    pytester.makepyfile("""
        def load(): ...

        def test_load(perf):
            perf(load, work=50, unit="rows")
    """)

    small = run_pytest(*FAST)
    large = run_pytest(*FAST, "--perf-size=large")

    small.assert_outcomes(failed=1)
    small.stdout.fnmatch_lines(["E*tox.ini:3:5: med of load < 1ns: fail: observed *, limit 1 ns"])
    large.assert_outcomes(passed=1)
    assert [one.threshold for one in run_of(pytester, "large").thresholds] == [
        "med of load < 9s",
        "work_rate of load > 1/s",
        "med of load < 200% of baseline",
        "error_rate == 0",
    ]
    large.stdout.fnmatch_lines(["- tox.ini:5:5: `p95 of stor < 1s` is of no component *"])


def test_thresholds_of_a_plan_are_those_of_the_case(
    run_pytest: RunsPytest, pytester: pytest.Pytester
) -> None:
    """Wherever the plan looks at the component; what it says of other requests is left out."""
    plan = """
        params: {limit: {type: duration, default: 9s}}
        cases: {small: {limit: 9s}, large: {limit: 1ns}}
        users: {A: {steps: [{get: /, name: load}, {get: /other}]}}
        phases:
          - name: ingestion
            users: 1
            iterations: 1
            matrix: {case: [small, large]}
            thresholds: ["med of load < ${limit}"]
        thresholds: ["p95 of load < 9s", "p95 of each request < 9s", "p95 < 1ns"]
    """
    (pytester.path / "plan.yaml").write_text(plan_text(plan), "utf-8")
    pytester.makeini("[pytest]\nperf_plan = plan.yaml\n")
    pytester.makepyfile("""
        def load(): ...

        def test_load(perf):
            perf(load)
    """)

    small = run_pytest(*FAST)
    large = run_pytest(*FAST, "--perf-size=large")
    medium = run_pytest(*FAST, "--perf-size=medium")

    small.assert_outcomes(passed=1)
    large.assert_outcomes(failed=1)
    large.stdout.fnmatch_lines(
        ["E*plan.yaml:9:18: med of load in phase *: fail: observed *, limit 1 ns"]
    )
    medium.assert_outcomes(failed=1)
    medium.stdout.fnmatch_lines(["E*case: error*medium*"])
    assert len(run_of(pytester).thresholds) == 2


def test_a_threshold_of_all_components_fails_the_session(
    run_pytest: RunsPytest, pytester: pytest.Pytester
) -> None:
    """As no test can know it."""
    pytester.makeini("[pytest]\nperf_thresholds = p95 < 1ns\n")
    pytester.makepyfile("""
        def load(): ...

        def test_load(perf):
            perf(load)
    """)

    result = run_pytest(*FAST)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["FAIL  tox.ini:2:19: p95 < 1ns: fail: observed *, limit 1 ns"])


def test_a_session_is_compared_with_an_earlier_one(
    run_pytest: RunsPytest, pytester: pytest.Pytester
) -> None:
    """By its thresholds and in the table; sizes are not mixed."""
    pytester.makepyfile("""
        def test_load(perf):
            perf(sum, range(100_000), name="load")
    """)
    assert run_pytest(*FAST).ret == pytest.ExitCode.OK
    first = run_of(pytester).directory
    pytester.makeini("[pytest]\nperf_thresholds = med of load < 1% of baseline\n")

    second = run_pytest(*FAST, f"--perf-baseline={first}")
    other = run_pytest(*FAST, f"--perf-baseline={first}", "--perf-size=medium")
    absent = run_pytest(*FAST, "--perf-baseline=nowhere")

    second.assert_outcomes(failed=1)
    second.stdout.fnmatch_lines(["component * baseline", "load * FAIL med < 1% of baseline * ms"])
    other.stdout.fnmatch_lines(["E*is of size small", "E*hint: add `--perf-size=small`, *"])
    assert absent.ret == pytest.ExitCode.USAGE_ERROR
    absent.stderr.fnmatch_lines(["*--perf-baseline: there is no run `nowhere`"])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("perf(load); perf(load)", "a component `load` was measured in this test already"),
        ("perf(lambda: 1)", "a lambda has no name"),
        ('perf(load, limit="fast")', "limit: `fast` is not a duration"),
        ('perf(load, work="many")', "work: `'many'` is not a number"),
        ('perf.data({"a": "1"}, format="xml")', "format: there is no `xml`"),
        ('perf.data({"a": "1"}, rows=0)', "rows: `0` is not a number of rows"),
        ('perf.data({"a": "1"}, rows="many")', "rows: `many` is not a number of rows"),
        ('perf.data(["a"])', "source: `['a']` is neither fields nor a name"),
        ("perf(3)", "function: `3` can't be called"),
        ('perf.data({"a": "rand.in(1)"})', "did you mean `rand.int`?"),
        ('perf.data("orders")', "there is no plan with a data source `orders`"),
    ],
)
def test_what_cannot_be_is_said_at_the_line_of_the_test(
    run_pytest: RunsPytest, pytester: pytest.Pytester, call: str, words: str
) -> None:
    """Without a line of planrunner's own."""
    pytester.makepyfile(f"def load(): ...\n\ndef test_load(perf):\n    {call}\n")

    result = run_pytest(*FAST)

    result.assert_outcomes(failed=1)
    assert words in result.stdout.str()
    result.stdout.no_fnmatch_line("*/planrunner/*")


@pytest.mark.parametrize("option", ["--perf-size=tiny", "--perf-iterations=0"])
def test_an_option_that_cannot_be_is_an_error_of_usage(run_pytest: RunsPytest, option: str) -> None:
    """Before anything is collected."""
    result = run_pytest(option)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*argument {option.partition('=')[0]}: *"])


def test_tests_with_parameters_have_a_component_each(
    run_pytest: RunsPytest, pytester: pytest.Pytester
) -> None:
    """Two tests that share a name are told apart, or refused."""
    pytester.makepyfile("""
        import pytest

        def load(form): ...

        @pytest.mark.parametrize("form", ["csv", "json"])
        def test_load(perf, form):
            perf(load, form)

        def test_first(perf):
            perf(load, 1)

        def test_second(perf):
            perf(load, 2)
    """)

    result = run_pytest(*FAST)

    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["E*a component `load` was measured in `*::test_first` already"])
    assert {*run_of(pytester).requests} == {"load[csv]", "load[json]", "load"}


def test_an_async_test_awaits(run_pytest: RunsPytest, pytester: pytest.Pytester) -> None:
    """As its event loop runs already."""
    pytester.makepyfile("""
        import asyncio
        import planrunner
        import pytest

        async def load():
            return asyncio.get_running_loop()

        def test_load(perf):
            async def test():
                with pytest.raises(planrunner.UsageError, match="perf.awaited"):
                    perf(load, name="not this way")
                measured = await perf.awaited(load)
                assert measured.value is asyncio.get_running_loop()
            asyncio.run(test())
    """)

    run_pytest(*FAST).assert_outcomes(passed=1)


class TestData:
    """`perf.data`."""

    def test_the_same_bytes_for_the_same_seed(
        self, run_pytest: RunsPytest, pytester: pytest.Pytester
    ) -> None:
        """In each format, as many rows as the size has."""
        pytester.makepyfile("""
            import csv
            import pytest

            FIELDS = {"id": "rand.uuid()", "n": "rand.int(1, 9)"}

            @pytest.mark.parametrize("form", ["csv", "json", "jsonl", "parquet", "avro"])
            def test_formats(perf, form):
                path = perf.data(FIELDS, rows=10, format=form)
                bytes_ = path.read_bytes()
                path.unlink()
                assert path.suffix == f".{form}"
                assert perf.data(FIELDS, rows=10, format=form).read_bytes() == bytes_
                assert perf.data(FIELDS, rows=10, format=form, seed=7).read_bytes() != bytes_

            def test_rows(perf):
                with perf.data(FIELDS).open(newline="") as lines:
                    assert len(list(csv.DictReader(lines))) == perf.rows
                assert perf.data(FIELDS) == perf.data(FIELDS)
        """)

        run_pytest().assert_outcomes(passed=6)

    def test_a_data_source_of_a_plan(
        self, run_pytest: RunsPytest, pytester: pytest.Pytester, project: PlanProject
    ) -> None:
        """The bytes are those that `planrunner data` writes."""
        plan = """
            name: components
            seed: 3
            data: {orders: {generate: {rows: 5, fields: {id: rand.uuid()}}}}
            users: {A: {steps: [{think: 1s}]}}
            phases: [{users: 1, iterations: 1}]
        """
        project.write({"plan.yaml": "\n".join(line[12:] for line in plan.splitlines())})
        (pytester.path / "plan.yaml").write_bytes((project.directory / "plan.yaml").read_bytes())
        wanted = project.run("data", "plan.yaml", "orders", "--rows", "20").out
        pytester.makeini("[pytest]\nperf_plan = plan.yaml\n")
        pytester.makepyfile("""
            def test_orders(perf):
                print(perf.data("orders", rows=20).read_text())

            def test_misspelt(perf):
                perf.data("order")
        """)

        result = run_pytest("-s")

        result.assert_outcomes(passed=1, failed=1)
        assert wanted in result.stdout.str()
        result.stdout.fnmatch_lines(["E*no data source `order`", "E*did you mean `orders`?"])

    def test_a_package_that_is_missing_is_named(
        self, run_pytest: RunsPytest, pytester: pytest.Pytester
    ) -> None:
        """With the command that installs it."""
        pytester.makepyfile("""
            def test_parquet(perf):
                perf.data({"a": "1"}, format="parquet")
        """)

        with hidden("pyarrow"):
            result = run_pytest()

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(
            ["E*a Parquet file needs the package pyarrow", "E*pip install 'planrunner?data?'"]
        )


def test_what_workers_measure_comes_into_one_run(
    run_pytest: RunsPytest, pytester: pytest.Pytester, tmp_path: Path
) -> None:
    """One at a time, and nothing is lost."""
    pytester.makepyfile(f"""
        from pathlib import Path
        import pytest

        BUSY = Path({str(tmp_path)!r}) / "busy"

        def load():
            BUSY.touch(exist_ok=False)  # raises when another process measures too
            sum(range(100_000))
            BUSY.unlink()

        @pytest.mark.parametrize("n", range(4))
        def test_load(perf, n):
            perf(load)
    """)

    result = run_pytest("-p", "xdist.plugin", "-n", "2", "--dist", "loadscope", *FAST)

    result.assert_outcomes(passed=4)
    assert sorted(run_of(pytester).requests) == [f"load[{n}]" for n in range(4)]
