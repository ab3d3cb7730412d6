"""Ending a run early: the first request, the second, and who asked."""

from __future__ import annotations

import asyncio

import pytest

from planrunner.engine import Ending, Stop, StopLevel, Stopping, run
from planrunner.engine.stop import interrupted_by
from planrunner.errors import Interrupted
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.graphs import (
    Answer,
    FakeTarget,
    closed,
    counts,
    make_graph,
    pause,
    request,
    run_graph,
    task,
    think,
    user_class,
)
from tests.support.virtual_time import VirtualClock, run_virtual

STEADY = user_class(task("t", request(operation=Answer(delay_ns=700 * NS_PER_MS))))
STUCK = user_class(task("t", request(operation=Answer(delay_ns=1000 * NS_PER_S))))


class TestStop:
    def test_the_first_request_is_graceful_and_the_second_is_not(self):
        """As with Ctrl-C: once to end, twice to leave."""
        stop = Stop()

        levels = [stop.level]
        for _ in range(3):
            stop.request("interrupted")
            levels.append(stop.level)

        assert levels == [0, StopLevel.GRACEFUL, StopLevel.AT_ONCE, StopLevel.AT_ONCE]

    def test_only_a_person_makes_it_more_urgent(self):
        """A threshold that breaks while the run winds down doesn't cut it."""
        stop = Stop()

        stop.request("interrupted")
        stop.request("p95 broke", ending=Ending.ABORTED)

        assert (stop.level, stop.ending) == (StopLevel.GRACEFUL, Ending.INTERRUPTED)

    def test_the_first_reason_stays(self):
        """It is why the run ended; what came later only hastened it."""
        stop = Stop()

        stop.request("p95 broke", ending=Ending.ABORTED)
        stop.request("interrupted")

        assert (stop.reason, stop.level) == ("p95 broke", StopLevel.AT_ONCE)

    def test_a_listener_can_leave(self):
        """It hears nothing more."""
        heard = []
        stop = Stop()
        forget = stop.listen(lambda: heard.append(stop.level))

        stop.request("a")
        forget()
        stop.request("b")

        assert heard == [StopLevel.GRACEFUL]

    def test_a_listener_may_hear_each_interrupt(self):
        """Those at the highest level too, which change nothing else."""
        heard = []
        stop = Stop()
        forget = stop.listen(lambda: heard.append(stop.level), each=True)

        for _ in range(3):
            stop.request("a")
        stop.request("p95 broke", ending=Ending.ABORTED)
        forget()
        stop.request("a")

        assert heard == [StopLevel.GRACEFUL, StopLevel.AT_ONCE, StopLevel.AT_ONCE]


class TestInterrupted:
    def test_a_request_cancels_the_block(self):
        """The task itself is as it was before."""

        async def main():
            stop = Stop()
            asyncio.get_running_loop().call_later(1, stop.request, "enough")
            with pytest.raises(Interrupted, match="enough"), interrupted_by(stop):
                await asyncio.sleep(60)
            return asyncio.current_task().cancelling()

        assert run_virtual(main()) == 0

    def test_a_block_is_not_entered_after_a_request(self):
        """There is nothing left to begin."""

        async def main():
            stop = Stop()
            stop.request("enough")
            with pytest.raises(Interrupted), interrupted_by(stop):
                raise AssertionError

        run_virtual(main())

    def test_what_the_block_gives_ends_that(self):
        """The load, once it runs, ends in its own way."""

        async def main():
            stop = Stop()
            with interrupted_by(stop) as is_begun:
                is_begun()
                stop.request("enough")
                await asyncio.sleep(60)
            return True

        assert run_virtual(main())

    def test_cancelling_the_task_stays_what_it_is(self):
        """Only a request to stop is an interrupt, even when both come at once."""

        async def hang(stop):
            with interrupted_by(stop):
                await asyncio.sleep(60)

        async def main():
            stop = Stop()
            task = asyncio.create_task(hang(stop))
            await asyncio.sleep(1)
            stop.request("enough")
            task.cancel()
            await asyncio.wait([task])
            return task.cancelled()

        assert run_virtual(main())


class TestGraceful:
    def test_iterations_finish_and_the_run_ends(self):
        """Nothing is lost: each request that was sent is a whole sample."""
        told = run_graph(make_graph(STEADY, closed(2, 60)), stop_at={1: "interrupted"})

        assert counts(told.outcome, "failure") == {"": 4}
        assert told.seconds(told.outcome.ended_ns) == pytest.approx(1.4)
        assert (told.outcome.ending, told.outcome.reason) == (Ending.INTERRUPTED, "interrupted")

    def test_measured_time_ends_when_the_stop_was_asked_for(self):
        """Rates are not diluted by stages that never came."""
        told = run_graph(make_graph(STEADY, closed(2, 60, ramp_up=10)), stop_at={4: "interrupted"})

        assert [told.seconds(part.end_ns) for part in told.outcome.measured()] == [4.0]

    def test_what_still_runs_belongs_to_the_stage_of_the_stop(self):
        """Not to a stage that would have begun meanwhile."""
        step = request(operation=Answer(delay_ns=2 * NS_PER_S))
        users = user_class(task("t", step, step, step))

        told = run_graph(make_graph(users, closed(1, 10, ramp_up=3)), stop_at={1: "interrupted"})

        assert counts(told.outcome, "stage") == {"ramp": 3}

    def test_no_phase_begins_after_a_stop(self):
        """Neither the next one nor one that waits for its `start_at`."""
        phases = closed(1, 5, name="a"), closed(1, 5, name="b"), closed(1, 5, name="c", start_at=3)

        told = run_graph(make_graph(STEADY, *phases), stop_at={2: "interrupted"})

        assert [phase.name for phase in told.outcome.phases] == ["a"]
        assert told.seconds(told.outcome.ended_ns) < 3

    def test_waiting_users_are_woken(self):
        """Ctrl-C isn't held up by the wait between iterations."""
        told = run_graph(
            make_graph(user_class(wait=pause(100)), closed(3, 600)), stop_at={5: "interrupted"}
        )

        assert told.seconds(told.outcome.ended_ns) == 5.0

    def test_thinking_users_are_woken(self):
        """Nor by think time; a phase that ends by itself leaves them to it."""
        thinks = user_class(task("t", request(), think(20), request("b"), think(20)))

        told = run_graph(
            make_graph(thinks, closed(3, 2, graceful_stop=60)), stop_at={5: "interrupted"}
        )

        assert told.seconds(told.outcome.ended_ns) == pytest.approx(5.01)

    def test_the_listener_hears_of_it(self):
        """So that a live view can say what it waits for."""
        told = run_graph(make_graph(STEADY, closed(1, 60)), stop_at={1: "interrupted"})

        assert Stopping(Ending.INTERRUPTED, "interrupted") in told.events


class TestAtOnce:
    def test_the_second_request_cuts_everything(self):
        """The outcome is still there, and every request in flight is in it."""
        told = run_graph(
            make_graph(STUCK, closed(3, 60)), stop_at={1: "interrupted", 2: "interrupted"}
        )

        assert told.seconds(told.outcome.ended_ns) == 2.0
        assert counts(told.outcome, "failure") == {"aborted": 3}
        assert told.target.sessions_closed == 3

    def test_users_that_had_not_begun_are_cut_as_well(self):
        """A task that never ran its first step must not be waited for."""

        async def main():
            stop = Stop()
            stop.request("a")
            loop = asyncio.get_running_loop()
            loop.call_soon(stop.request, "b")
            target = FakeTarget()
            graph = make_graph(STUCK, closed(3, 60))
            return await run(graph, clients={"fake": target.open}, clock=VirtualClock(), stop=stop)

        outcome = run_virtual(main())

        assert outcome.ended_ns - outcome.started_ns == 0

    def test_a_cancelled_run_leaves_nothing_behind(self):
        """Whoever embeds the engine may cancel it like any coroutine."""
        target = FakeTarget()

        async def main():
            graph = make_graph(STUCK, closed(3, 60))
            async with asyncio.timeout(1):
                await run(graph, clients={"fake": target.open}, clock=VirtualClock())

        with pytest.raises(TimeoutError):
            run_virtual(main())
        assert (target.sessions_closed, target.clients_closed, target.waiting) == (3, 1, 0)
