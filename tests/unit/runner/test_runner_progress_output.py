"""What the progress view shows of a run."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from planrunner.engine import Logged, PhaseEnded, PhaseStarted, RunStarted
from planrunner.engine.coordinator.events import Standing, Stopping
from planrunner.engine.coordinator.outcome import PhaseTimes
from planrunner.engine.stop import Ending
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.verdict import Verdict
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta, Snapshot
from planrunner.outputs.base import Output, RunEvent, RunInfo, Second
from planrunner.report.terminal.progress import Progress, SilentView
from planrunner.runner.outputs.progress_output import ProgressOutput
from planrunner.units import NS_PER_S

RUN = RunInfo("r", "p", "", 1, {}, Path())
SECOND = Second(1, datetime.now(UTC), ("main",), Snapshot(0, NS_PER_S))


class Seen(SilentView):
    """Keeps what it is shown and told."""

    def __init__(self) -> None:
        self.progress: list[Progress] = []
        self.lines: list[str] = []

    def show(self, progress: Progress) -> None:
        self.progress.append(progress)

    def say(self, line: str) -> None:
        self.lines.append(line)


def follow(output: Output, *happened: RunEvent | Second) -> None:
    """Let an output see a run from its start to its stop."""

    async def main() -> None:
        await output.start(RUN)
        for item in happened:
            if isinstance(item, Second):
                await output.add(item)
            else:
                await output.hear(item)
        await output.stop()

    asyncio.run(main())


def started(name: str, at_s: int, planned_s: int) -> PhaseStarted:
    return PhaseStarted(name, at_s * NS_PER_S, planned_s * NS_PER_S, 1)


def ended(name: str, begin_s: int, gone_s: int) -> PhaseEnded:
    begin_ns, gone_ns = begin_s * NS_PER_S, gone_s * NS_PER_S
    return PhaseEnded(PhaseTimes(name, begin_ns, gone_ns, gone_ns, begin_ns, (), ()))


def test_the_time_that_is_left_follows_what_phases_took() -> None:
    """Iterations that are done before `max_duration`, and graceful stops; not what runs beside."""
    seen = Seen()
    output = ProgressOutput(seen)
    events: tuple[RunEvent, ...] = (
        RunStarted("r", "p", 1, 0, 640 * NS_PER_S),
        started("counted", 0, 600),
        ended("counted", 0, 2),
        started("long", 2, 40),
        started("beside", 10, 5),
        ended("beside", 10, 30),
        ended("long", 2, 50),
    )

    follow(output, *(item for event in events for item in (event, SECOND)))

    planned = [progress.planned_s for progress in seen.progress]
    assert planned == [640, 640, 42, 42, 42, 42, 50]


def test_nobody_knows_how_long_another_tool_takes() -> None:
    """Its `timeout` is no plan, and what its phase took says nothing of what follows."""
    seen = Seen()
    events = (RunStarted("r", "p", 1, 0, 0), started("k6", 0, 3_600), ended("k6", 0, 3))

    follow(ProgressOutput(seen), *(item for event in events for item in (event, SECOND)))

    assert [progress.planned_s for progress in seen.progress] == [0, 0, 0]


def test_lines_of_the_plan_stand_above_the_progress() -> None:
    """With how many more there were."""
    seen = Seen()

    follow(ProgressOutput(seen), Logged(("a", "b"), 1_200))

    assert seen.lines == ["a", "b", "(1,200 more lines of `log` in this second)"]


def test_the_rest_of_a_run_is_for_the_summary() -> None:
    """It is shorter than a second, so its figures would be no rates."""
    seen = Seen()
    rest = Second(2, datetime.now(UTC), (), Snapshot(NS_PER_S, 2 * NS_PER_S), is_last=True)

    follow(ProgressOutput(seen), SECOND, rest)

    assert [progress.second for progress in seen.progress] == [1]


def test_thresholds_are_judged_only_for_a_view_that_shows_them() -> None:
    """Those that fail come before those that warn."""
    seen = Seen()
    output = ProgressOutput(seen)
    asked = []

    def standings() -> list[Standing]:
        asked.append(1)
        return [
            Standing("p95 < 1s", Verdict.WARN, "2 s"),
            Standing("errors < 1", Verdict.FAIL, "3"),
            Standing("rps > 1", Verdict.PASS, "9"),
        ]

    output.use_standings(standings)
    follow(output, SECOND)
    before = len(asked)
    found = seen.progress[0].thresholds()

    assert before == 0
    assert found.broken == ("errors < 1 (3)", "p95 < 1s (2 s)")
    assert (found.holding, found.is_serious) == (1, True)


def test_steps_that_failed_at_once_count_but_are_not_fast_requests() -> None:
    """The microseconds until they failed are nobody's latency."""
    seen = Seen()
    labels = Labels("boom", "python", phase="main", stage="hold", user="U", task="t")
    timed, failed = Histogram([40_000_000]), Histogram([2_000] * 99)
    deltas = {
        replace(labels, request="GET /", status=200): SeriesDelta(timed, timed),
        replace(labels, failure="error"): SeriesDelta(failed, failed),
    }
    second = replace(SECOND, snapshot=replace(SECOND.snapshot, deltas=deltas))

    follow(ProgressOutput(seen), second)

    (shown,) = seen.progress
    assert (shown.requests_per_second, shown.failed) == (100, 99)
    assert shown.p50_ns == pytest.approx(40_000_000, rel=0.004)


def test_a_pair_is_one_threshold() -> None:
    """As the plan has it; the worse of its two verdicts counts."""
    seen = Seen()
    output = ProgressOutput(seen)
    output.use_standings(
        lambda: [
            Standing("p95 < 1s", Verdict.WARN, "2 s", pair=1),
            Standing("p95 < 3s", Verdict.PASS, "2 s", pair=1),
            Standing("p99 < 1s", Verdict.WARN, "4 s", pair=2),
            Standing("p99 < 3s", Verdict.FAIL, "4 s", pair=2),
            Standing("errors < 1", Verdict.PASS, "0"),
        ]
    )
    follow(output, SECOND)
    found = seen.progress[0].thresholds()

    assert found.broken == ("p99 < 3s (4 s)", "p95 < 1s (2 s)")
    assert (found.holding, found.warnings) == (1, 1)


def test_requests_are_followed_one_by_one() -> None:
    """Totals over the run, rates and latencies of the last second, failures by status."""
    seen = Seen()
    labels = Labels("GET /a", "GET", phase="main", stage="hold", user="U", task="t", status=200)
    ten = Histogram([10_000_000] * 10)
    first = {
        labels: SeriesDelta(ten, ten),
        replace(labels, status=500, failure="status"): SeriesDelta(ten, ten),
        replace(labels, request="GET /b"): SeriesDelta(ten, ten),
    }
    then = {replace(labels, request="GET /b"): SeriesDelta(ten, ten)}
    snapshots = [replace(SECOND.snapshot, users={"U": 3, "V": 1}, deltas=d) for d in (first, then)]

    follow(ProgressOutput(seen), *(replace(SECOND, snapshot=one) for one in snapshots))

    last = seen.progress[-1]
    assert [
        (row.name, row.total, row.failed, row.requests_per_second) for row in last.requests
    ] == [
        ("GET /a", 20, 10, 0),
        ("GET /b", 20, 0, 10),
    ]
    assert [row.p95_ns for row in last.requests] == [0, 10_000_000]
    assert last.failures == {"500": 10}
    assert last.classes == {"U": 3, "V": 1}
    assert last.rates == (30, 10)


def test_ctrl_c_says_how_long_it_may_take_and_how_to_have_it_sooner() -> None:
    """At once, and not with the next second; a threshold that ends the run has no second key."""
    seen = Seen()
    phases = [
        replace(started(name, 0, 60), ending_ns=s * NS_PER_S) for name, s in (("a", 30), ("b", 5))
    ]

    follow(
        ProgressOutput(seen),
        *phases,
        ended("a", 0, 60),
        Stopping(Ending.INTERRUPTED, "interrupted by SIGINT"),
    )
    follow(ProgressOutput(seen), phases[0], Stopping(Ending.ABORTED, "`errors < 1` is broken: 3"))

    assert seen.lines == [
        "stopping: interrupted by SIGINT; iterations that run may take up to 5 s to end; "
        "press Ctrl-C again to stop at once",
        "stopping: `errors < 1` is broken: 3; iterations that run may take up to 30 s to end",
    ]


def test_failures_by_expectation_say_by_which() -> None:
    """Hard ones, summed over the seconds; secrets that a plan writes into them are masked."""
    labels = Labels("a", "GET", "main", "hold", "U", "", status=200, failure="expect")
    broken = {("contains s3cret", False): 2, ("time < 1s", True): 1}
    latency = Histogram([1] * 3)
    delta = SeriesDelta(latency, latency, broken=broken)
    second = replace(SECOND, snapshot=Snapshot(0, NS_PER_S, deltas={labels: delta}))
    view = Seen()
    output = ProgressOutput(view)

    async def main() -> None:
        await output.start(replace(RUN, mask=lambda text: text.replace("s3cret", "***")))
        await output.add(second)
        await output.add(second)

    asyncio.run(main())

    assert view.progress[-1].failures == {"expect": 6}
    assert view.progress[-1].expected == {"contains ***": 4}
