"""What pytest loads: options, hooks and fixtures.

Every run of pytest imports this module, so it imports nothing but pytest; what plans and fixtures
need is imported when the first of them is there.

PYTEST_DONT_REWRITE: it has no asserts, and a session inside a test finds it imported already.
"""

from __future__ import annotations

import argparse
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from planrunner.pytest_plugin.components.perf import Perf
    from planrunner.pytest_plugin.plans.runs import PlanRuns
    from planrunner.pytest_plugin.session_end import SessionEnd

__all__ = ["SessionNotes", "perf", "planrunner_run"]

_SIZES: Final = ("small", "medium", "large")
_MARK: Final = "planrunner"
_MEASURING: Final = frozenset({"perf", "planrunner_run"})
"""Fixtures of tests that measure."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("planrunner", "planrunner: plans and components as tests")
    group.addoption(
        "--planrunner",
        action="store_true",
        help="collect each YAML file in the given directories that has `planrunner:` at its first "
        "level",
    )
    group.addoption(
        "--perf-size",
        type=_sizes,
        metavar="SIZE",
        help="the test data of components: small (default), medium or large, which is 1,000, "
        "10,000 or 100,000 records; several with commas, or all: each test that measures runs in "
        "each. Of a plan, the cases of these names",
    )
    group.addoption(
        "--perf-iterations",
        type=_count,
        metavar="N",
        help="how often each component is measured: default 20; of a plan, its iterations",
    )
    group.addoption(
        "--perf-baseline",
        metavar="RUN",
        help="the directory or metrics.json of an earlier session's components, to compare with; "
        "default the baseline that `planrunner baseline promote` made",
    )
    parser.addini(
        "perf_thresholds",
        "what components are judged by: `med of load < 1s`, or `small: med of load < 1s`",
        type="linelist",
        default=[],
    )
    parser.addini(
        "perf_plan",
        "the plan with data sources of `perf.data` and thresholds of components, relative to this "
        "file",
    )
    parser.addini(
        "planrunner_plans",
        "plans to collect in the given directories: patterns such as plans/*.yaml, relative to "
        "this file",
        type="linelist",
        default=[],
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{_MARK}: runs a plan or measures a component")
    baseline = config.getoption("perf_baseline")
    if baseline and not Path(baseline).exists():
        raise pytest.UsageError(f"--perf-baseline: there is no run `{baseline}`")
    if not hasattr(config, "workerinput"):  # a worker of xdist reports to the process above it
        config.pluginmanager.register(SessionNotes(), "planrunner notes")


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[Any], list[Any]]:
    found = yield
    if file_path.suffix in (".yaml", ".yml"):
        from planrunner.pytest_plugin.plans.files import plan_file  # noqa: PLC0415 - see above

        own = plan_file(file_path, parent, is_taken=bool(found))
        return found if own is None else [*found, own]
    return found


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let each test that measures run once in each size, if there are several."""
    sizes: tuple[str, ...] = metafunc.config.getoption("perf_size") or ()
    if len(sizes) > 1 and "perf" in metafunc.fixturenames:
        metafunc.parametrize("perf", sizes, indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what measures, before `-m` selects and xdist groups."""
    for item in items:
        if not _MEASURING.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(_MARK)
            if config.pluginmanager.has_plugin("xdist"):
                item.add_marker(pytest.mark.xdist_group(_MARK))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "teardown" and item.get_closest_marker(_MARK):
        from planrunner.pytest_plugin.notes import attach_notes  # noqa: PLC0415 - see above

        attach_notes(report, item)
    return report


class SessionNotes:
    """What tests noted about runs and components, in all processes of a session."""

    def __init__(self) -> None:
        self._reports: list[pytest.TestReport] = []
        self._end: SessionEnd | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if hasattr(report, "planrunner"):
            self._reports.append(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._reports:
            from planrunner.pytest_plugin.session_end import SessionEnd  # noqa: PLC0415 - see above

            self._end = SessionEnd(session.config, self._reports)
            if self._end.fails and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._end is not None:
            self._end.write(terminalreporter)


@pytest.fixture
def planrunner_run(request: pytest.FixtureRequest) -> PlanRuns:
    """Run a plan, with values for its params, and return its `planrunner.Result`."""
    from planrunner.pytest_plugin.plans.runs import PlanRuns  # noqa: PLC0415 - see above

    return PlanRuns(request.node)


@pytest.fixture
def perf(request: pytest.FixtureRequest) -> Perf:
    """Measure components: `perf(function, *args, work=n, limit="500ms")`, `perf.data(…)`."""
    from planrunner.pytest_plugin.components.perf import Perf  # noqa: PLC0415 - see above

    return Perf(request)


def _sizes(text: str) -> tuple[str, ...]:
    given = _SIZES if text == "all" else [one.strip() for one in text.split(",")]
    for one in given:
        if one not in _SIZES:
            known = ", ".join(_SIZES)
            raise argparse.ArgumentTypeError(f"`{one}` is not a size: choose from {known}, or all")
    return tuple(one for one in _SIZES if one in given)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"`{text}` is not a whole number from 1")
    return int(text)
