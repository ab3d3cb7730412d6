"""When a target is said to have stalled, and what is said of it."""

from __future__ import annotations

from planrunner.engine.coordinator.validity import stall_notices
from planrunner.engine.recording.stalls import StallWatch
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta, Snapshot
from planrunner.results.loads import PhaseLoad
from planrunner.units import NS_PER_MS, NS_PER_S


def second(number: int, *, users: int = 10, **latencies_ms: list[float]) -> Snapshot:
    """A second in which the requests of these names took so long."""
    deltas = {}
    for name, milliseconds in latencies_ms.items():
        latency = Histogram([round(one * NS_PER_MS) for one in milliseconds])
        labels = Labels(name, "GET", "main", "hold", "Visitor", "", status=200)
        deltas[labels] = SeriesDelta(latency, latency)
    return Snapshot((number - 1) * NS_PER_S, number * NS_PER_S, {"Visitor": users}, deltas)


def stalls(*seconds: Snapshot) -> dict[str, int]:
    """Return how many milliseconds the longest stall of each phase lasted."""
    watch = StallWatch()
    for one in seconds:
        watch.add(one)
    return {phase: stall.lasted_ns // NS_PER_MS for phase, stall in watch.longest.items()}


CALM = second(1, get=[10.0] * 100)


def test_a_stall_holds_most_users_up_at_once() -> None:
    """Each of them has one request that took as long as the stall."""
    assert stalls(CALM, second(2, get=[10.0] * 50 + [800.0] * 10)) == {"main": 800}
    assert stalls(CALM, second(2, get=[10.0] * 50 + [800.0] * 4)) == {}


def test_a_stall_may_end_at_the_end_of_a_second() -> None:
    """Some of those who waited are then counted in the next one."""
    parts = second(2, get=[900.0] * 3), second(3, get=[900.0] * 3 + [10.0] * 50)

    assert stalls(CALM, *parts) == {"main": 900}


def test_requests_that_are_slow_by_nature_are_no_stall() -> None:
    """A report takes its time; it is compared with other reports."""
    mixed = second(1, get=[10.0] * 100, report=[2_000.0] * 30)

    assert stalls(mixed, second(2, get=[10.0] * 50, report=[2_100.0] * 10)) == {}


def test_nothing_usual_is_known_at_the_start() -> None:
    """The first requests wait for connections, and caches are cold."""
    assert stalls(second(1, get=[500.0] * 10), second(2, get=[10.0] * 100)) == {}


def test_only_phases_whose_users_waited_say_so() -> None:
    """Arrivals and paces have a due time, so their latencies hold the queue."""
    watch = StallWatch()
    for one in (CALM, second(12, get=[1_200.0] * 10)):
        watch.add(one)
    closed = PhaseLoad("main", "closed", "users", 10, 10)
    arrivals = PhaseLoad("main", "open", "arrivals", 100, 100)

    [notice] = stall_notices([closed], watch.longest, started_ns=0)
    assert notice.startswith("the target stalled for 1.2 s around second 12: phase `main` is a ")
    assert not [*stall_notices([arrivals], watch.longest, started_ns=0)]
    assert not [*stall_notices([closed], {}, started_ns=0)]
