"""What the live view is told of a run."""

from __future__ import annotations

from planrunner.engine import PhaseEnded, PhaseStarted, RunStarted
from planrunner.engine.coordinator.events import Tick
from planrunner.engine.coordinator.outcome import PhaseTimes
from planrunner.engine.recording.generator_health import Health
from planrunner.metrics.snapshot import Accumulated, Snapshot
from planrunner.report.terminal.progress import Progress, SilentView
from planrunner.runner.progress_output import ProgressListener
from planrunner.units import NS_PER_S

TICK = Tick(1, ("main",), Snapshot(0, NS_PER_S), Accumulated(), Health(0, 0.0), tuple)


class Seen(SilentView):
    """Keeps what it is shown."""

    def __init__(self) -> None:
        self.progress: list[Progress] = []

    def show(self, progress: Progress) -> None:
        self.progress.append(progress)


def started(name: str, at_s: int, planned_s: int) -> PhaseStarted:
    return PhaseStarted(name, at_s * NS_PER_S, planned_s * NS_PER_S, 1)


def ended(name: str, begin_s: int, gone_s: int) -> PhaseEnded:
    begin_ns, gone_ns = begin_s * NS_PER_S, gone_s * NS_PER_S
    return PhaseEnded(PhaseTimes(name, begin_ns, gone_ns, gone_ns, begin_ns, (), ()))


def test_the_time_that_is_left_follows_what_phases_took() -> None:
    """Iterations that are done before `max_duration`, and graceful stops; not what runs beside."""
    seen = Seen()
    listener = ProgressListener(seen)
    planned = []
    for event in (
        RunStarted("r", "p", 1, 0, 640 * NS_PER_S),
        started("counted", 0, 600),
        ended("counted", 0, 2),
        started("long", 2, 40),
        started("beside", 10, 5),
        ended("beside", 10, 30),
        ended("long", 2, 50),
    ):
        listener(event)
        listener(TICK)
        planned.append(seen.progress[-1].planned_s)

    assert planned == [640, 640, 42, 42, 42, 42, 50]
