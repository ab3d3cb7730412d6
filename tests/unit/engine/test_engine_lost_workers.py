"""Workers that are silent for a while, and runs that go on without some of theirs."""

from __future__ import annotations

from planrunner.engine import Ending
from planrunner.engine.coordinator.events import Noticed, Tick
from tests.support.graphs import Told, closed, counts, make_graph, pause, user_class
from tests.support.remote_pools import run_fleet


def notices(told: Told) -> list[str]:
    return [event.words for event in told.events if isinstance(event, Noticed)]


def test_silence_is_said_within_two_seconds_and_taken_back() -> None:
    """While it lasts the worker stands out; what it says afterwards counts, and only once."""
    graph = make_graph(user_class(wait=pause(1)), closed(4, 12))
    seen = []

    def look(event: object) -> None:
        if isinstance(event, Tick):
            seen.append([one.is_silent for one in event.insight.workers()])

    told = run_fleet(graph, 2, mute_at={3.1: 1}, speak_at={8.2: 1}, listener=look)

    silent, heard = notices(told)
    assert silent.startswith("worker 2 of 2 has said nothing for 2")
    assert heard.startswith("worker 2 of 2 is heard again, after 5.")
    assert [second for second, (_, two) in enumerate(seen, 1) if two] == [5, 6, 7, 8]
    assert told.outcome.ending is Ending.FINISHED
    assert counts(told.outcome, "request") == counts(run_fleet(graph, 2).outcome, "request")
