"""Plans under pytest: each is a test, and each of its thresholds a subtest."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import planrunner
from tests.support.http_servers import HttpServer
from tests.support.own_pytest import RunsPytest
from tests.support.plans import plan_text

pytest_plugins = ["pytester"]

PLAN = """
planrunner: 1
name: {name}
users: {{A: {{tasks: [{{get: /, tags: [reading]}}]}}}}
phases: [{{name: main, users: 1, iterations: 3}}]
thresholds: [{thresholds}]
"""


@pytest.fixture
def plans(pytester: pytest.Pytester, target: HttpServer) -> Path:
    """A folder with a plan that passes, one that fails, defaults, and YAML that is no plan."""
    folder = pytester.mkdir("plans")
    texts = {
        "good.yaml": PLAN.format(name="a good plan", thresholds="p95 < 9s, error_rate == 0"),
        "strict.yml": PLAN.format(
            name="strict", thresholds="p95 < 1ns, error_rate == 0, p95 < 110% of baseline"
        ),
    }
    for name, text in texts.items():
        (folder / name).write_text(plan_text(text, url=target.url), "utf-8")
    (folder / "planrunner.yaml").write_text("params: {}\n", "utf-8")
    (folder / "data.yaml").write_text("x: {planrunner: 1}\n", "utf-8")
    return folder


def collected(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if "::" in line]


class TestCollecting:
    """Which files are tests; nothing is run."""

    @pytest.fixture(autouse=True)
    def _plans(self, plans: Path) -> None:
        """Each test has the folder."""

    def test_a_folder_is_opted_in(self, run_pytest: RunsPytest) -> None:
        """Else its YAML files are nobody's business."""
        without = run_pytest("--collect-only", "-q", "plans")
        result = run_pytest("--collect-only", "-q", "plans", "--planrunner")

        assert without.ret == pytest.ExitCode.NO_TESTS_COLLECTED
        assert collected(result) == ["plans/good.yaml::a good plan", "plans/strict.yml::strict"]

    def test_patterns_of_the_ini_file_opt_in(
        self, run_pytest: RunsPytest, pytester: pytest.Pytester
    ) -> None:
        """They are relative to it, and `planrunner.yaml` is never a plan."""
        pytester.makeini("[pytest]\nplanrunner_plans =\n    plans/*.yaml\n")

        result = run_pytest("--collect-only", "-q", ".")

        assert collected(result) == ["plans/good.yaml::a good plan"]

    def test_a_file_that_is_named_needs_no_key(self, run_pytest: RunsPytest, plans: Path) -> None:
        """As its name says what is meant, also where the shell wrote it for `plans/*.yaml`."""
        text = (plans / "good.yaml").read_text("utf-8").replace("planrunner: 1\n", "")
        (plans / "good.yaml").write_text(text, "utf-8")

        result = run_pytest("--collect-only", "-q", "plans/good.yaml", "plans/planrunner.yaml")

        assert collected(result) == ["plans/good.yaml::a good plan"]

    @pytest.mark.parametrize("name", ["plans/good.yaml", "plans/../plans/good.yaml::a good plan"])
    def test_a_file_that_is_named_beside_its_folder_is_collected(
        self, run_pytest: RunsPytest, name: str
    ) -> None:
        """Once, and the other plans of the folder are not."""
        result = run_pytest("--collect-only", "-q", ".", name)

        assert collected(result) == ["plans/good.yaml::a good plan"]

    def test_a_file_of_another_plugin_is_left_to_it(
        self, run_pytest: RunsPytest, pytester: pytest.Pytester
    ) -> None:
        """Unless it says that it is a plan."""
        pytester.makeconftest(
            """
            import pytest

            class File(pytest.File):
                def collect(self):
                    return []

            def pytest_collect_file(file_path, parent):
                if file_path.suffix == ".yaml":
                    return File.from_parent(parent, path=file_path)
            """
        )

        result = run_pytest("--collect-only", "-q", "plans/good.yaml", "plans/data.yaml")

        assert collected(result) == ["plans/good.yaml::a good plan"]

    @pytest.mark.parametrize(
        ("options", "found"),
        [
            (["-k", "reading"], 2),
            (["-k", "strict"], 1),
            (["-k", "writing"], 0),
            (["-m", "planrunner"], 2),
            (["-m", "not planrunner"], 0),
        ],
    )
    def test_names_tags_and_the_mark_select(
        self, run_pytest: RunsPytest, options: list[str], found: int
    ) -> None:
        """As they do for other tests, with strict markers too."""
        result = run_pytest(
            "--collect-only", "-q", "--planrunner", "--strict-markers", "plans", *options
        )

        assert len(collected(result)) == found

    def test_a_test_that_runs_a_plan_has_the_mark_too(
        self, run_pytest: RunsPytest, pytester: pytest.Pytester
    ) -> None:
        """So `-m "not planrunner"` is the fast part of a suite."""
        pytester.makepyfile("def test_a(planrunner_run): ...\ndef test_b(): ...\n")

        result = run_pytest("--collect-only", "-q", "-m", "not planrunner")

        assert collected(result) == ["test_a_test_that_runs_a_plan_has_the_mark_too.py::test_b"]

    def test_what_is_no_yaml_is_an_error_of_collection(
        self, run_pytest: RunsPytest, plans: Path
    ) -> None:
        """With the place of the fault, and without a traceback."""
        (plans / "broken.yaml").write_text("planrunner: 1\nname: [a\n", "utf-8")

        result = run_pytest("plans/broken.yaml")

        assert result.ret == pytest.ExitCode.INTERRUPTED
        result.stdout.fnmatch_lines(["plans/broken.yaml:2:7: error?yaml-syntax?: this*"])
        result.stdout.no_fnmatch_line("*.py:*")

    def test_defaults_alone_are_no_plan(self, run_pytest: RunsPytest) -> None:
        """As for the command."""
        result = run_pytest("plans/planrunner.yaml")

        assert result.ret == pytest.ExitCode.INTERRUPTED
        result.stdout.fnmatch_lines(["plans/planrunner.yaml:1:1: error*is not a plan*"])

    @pytest.mark.slow
    def test_an_invalid_plan_is_a_failure_with_its_places(
        self, run_pytest: RunsPytest, plans: Path
    ) -> None:
        """All of them, and without a traceback."""
        (plans / "bad.yaml").write_text("name: bad\nuers: 3\nstages: [{duration: 1}]\n", "utf-8")

        result = run_pytest("plans/bad.yaml")

        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(
            [
                "*_ bad _*",
                "plans/bad.yaml:2:1: error*",
                "*did you mean `users`?",
                "plans/bad.yaml:3:*",
            ]
        )
        result.stdout.no_fnmatch_line("*.py:*")


@pytest.mark.slow
class TestRunning:
    """What the test of a plan says."""

    def test_each_threshold_is_a_subtest(self, run_pytest: RunsPytest, plans: Path) -> None:
        """With what was observed; the summary says where the reports are."""
        result = run_pytest("-v", "--planrunner", plans)

        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(
            [
                "plans/good.yaml::a good plan SUBPASSED?p95 < 9s?*",
                "plans/good.yaml::a good plan PASSED*",
                "plans/strict.yml::strict SUBFAILED?p95 < 1ns?*",
                "plans/strict.yml::strict SUBPASSED?error_rate == 0?*",
                "plans/strict.yml::strict SUBPASSED?p95 < 110% of baseline: n/a: *",
                "plans/strict.yml:*: p95 < 1ns: fail: observed *, limit 1 ns",
                "plans/strict.yml: fail: 3 thresholds, 1 broken, 1 held, 1 not applicable",
                "*= planrunner =*",
                "pass  a good plan: reports/a-good-plan/*",
                "fail  strict: reports/strict/*",
            ]
        )
        result.assert_outcomes(passed=1, failed=2)

    def test_without_subtests_the_failure_lists_all(
        self, run_pytest: RunsPytest, plans: Path
    ) -> None:
        """As before pytest 9."""
        result = run_pytest("-p", "no:subtests", plans / "strict.yml")

        result.stdout.fnmatch_lines(
            [
                "plans/strict.yml:*: p95 < 1ns: fail: observed *, limit 1 ns",
                "plans/strict.yml:*: error_rate == 0: pass: observed 0 %, limit 0",
                "reports: *",
            ]
        )
        result.assert_outcomes(failed=1)

    def test_the_run_is_named_in_junit_xml(
        self, run_pytest: RunsPytest, plans: Path, tmp_path: Path
    ) -> None:
        """Beside what was broken."""
        run_pytest(f"--junitxml={tmp_path / 'out.xml'}", plans / "strict.yml")

        [case] = ET.parse(tmp_path / "out.xml").iter("testcase")
        [run] = case.iter("property")
        assert (case.get("classname"), case.get("name")) == ("plans.strict.yml", "strict")
        assert run.get("name") == "planrunner_run"
        assert (Path(run.get("value", "")) / "metrics.json").exists()
        assert "observed" in str(next(case.iter("failure")).get("message"))
        assert not [*case.iter("skipped")]  # though a threshold is n/a

    def test_the_first_failure_may_end_it(self, run_pytest: RunsPytest, plans: Path) -> None:
        """With `-x`, no other plan runs."""
        result = run_pytest("-x", plans / "strict.yml", plans / "good.yaml")

        result.stdout.no_fnmatch_line("*a good plan*")

    def test_fixtures_of_every_scope_reach_a_plan(
        self, run_pytest: RunsPytest, plans: Path, pytester: pytest.Pytester
    ) -> None:
        """Such as one that starts a database."""
        pytester.makeconftest(
            """
            import pytest

            @pytest.fixture(scope="session", autouse=True)
            def of_session(): print("session begins")

            @pytest.fixture(scope="module", autouse=True)
            def of_module(): print("module begins")

            @pytest.fixture(autouse=True)
            def of_test(): print("test begins")
            """
        )

        result = run_pytest("-s", plans / "good.yaml")

        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines(["*session begins", "module begins", "test begins"])

    def test_what_is_not_there_is_said_without_a_traceback(
        self, run_pytest: RunsPytest, plans: Path
    ) -> None:
        """A target that doesn't answer is a failure of the test."""
        (plans / "off.yaml").write_text(plan_text("name: off"), "utf-8")

        result = run_pytest("plans/off.yaml")

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["plans/off.yaml: *127.0.0.1:1*", "hint: *"])
        result.stdout.no_fnmatch_line("*.py:*")


SIZED = """
planrunner: 1
name: sized
params: {rows: {type: int, default: 1}}
cases: {small: {rows: 1}, large: {rows: 100}}
users: {A: {tasks: [{get: "/${rows}"}]}}
phases:
  - {name: sized, users: 1, iterations: 2, matrix: {case: [small, large]}}
  - {name: timed, users: 1, hold: 10ms}
"""


@pytest.mark.slow
def test_sizes_are_cases_and_iterations_are_counts_of_phases(
    run_pytest: RunsPytest, plans: Path, target: HttpServer
) -> None:
    """Of a plan that has some; the size must be one of its cases."""
    (plans / "sized.yaml").write_text(plan_text(SIZED, url=target.url), "utf-8")

    small = run_pytest(plans / "sized.yaml", "--perf-size=small", "--perf-iterations=5")
    medium = run_pytest(plans / "sized.yaml", "--perf-size=medium")
    others = run_pytest(plans / "good.yaml", "--perf-size=medium", "--perf-iterations=7")

    small.assert_outcomes(passed=1)
    medium.assert_outcomes(failed=1)
    medium.stdout.fnmatch_lines(["case: error*", "hint: *`small`, `large`*"])
    others.assert_outcomes(passed=1)
    [run] = (plans.parent / "reports" / "sized").iterdir()
    assert planrunner.load(run).phases["sized[case=small]"].count == 5
    [run] = (plans.parent / "reports" / "a-good-plan").iterdir()
    assert planrunner.load(run).total.count == 7


TEST = """\
import planrunner
import pytest


def test_runs(planrunner_run):
    result = planrunner_run("plans/shop.yaml", times=4)
    assert result.passed, result.explain()
    assert result.total.count == 4


def test_refuses(planrunner_run):
    with pytest.raises(planrunner.PlanError, match="times"):
        planrunner_run("plans/shop.yaml", times="many")
"""


@pytest.mark.slow
def test_a_test_may_run_a_plan(
    run_pytest: RunsPytest, pytester: pytest.Pytester, target: HttpServer
) -> None:
    """With values for its params, from wherever pytest was started."""
    section = """
        name: shop
        params: {times: {type: int, default: 1}}
        phases: [{users: 1, iterations: "${times}"}]
    """
    pytester.mkdir("plans")
    (pytester.path / "plans" / "shop.yaml").write_text(plan_text(section, url=target.url), "utf-8")
    pytester.makepyfile(TEST)
    pytester.makeini("[pytest]")

    result = run_pytest()

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["pass  shop: reports/shop/*"])


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--dist", "loadgroup"]], ids=["load", "loadgroup"])
def test_workers_run_one_plan_at_a_time(
    run_pytest: RunsPytest,
    plans: Path,
    target: HttpServer,
    options: list[str],
) -> None:
    """And what they note comes to the one report."""
    for name in ("first", "second"):
        text = PLAN.format(name=name, thresholds="p95 < 9s").replace("get: /", f"get: /{name}")
        text = text.replace("iterations: 3", "iterations: 300")
        (plans / f"{name}.yaml").write_text(plan_text(text, url=target.url), "utf-8")

    result = run_pytest(
        "-p", "xdist.plugin", "-n", "2", *options, plans / "first.yaml", plans / "second.yaml"
    )

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines_random(
        ["pass  first: reports/first/*", "pass  second: reports/second/*"]
    )
    seen = [request.target for request in target.requests if request.target != "/"]
    assert seen in (sorted(seen), sorted(seen, reverse=True))
    assert len(seen) == 600
