"""The small parts of the engine: the timeline, the nap, the health of the generator."""

from __future__ import annotations

import asyncio
import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.engine.recording.generator_health import Health, HealthLog, HealthProbe
from planrunner.engine.scheduling.interruptible_sleep import InterruptibleSleep
from planrunner.engine.scheduling.timeline import FOREVER_NS, Timeline
from planrunner.schedule.population import Stage
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.graphs import closed
from tests.support.virtual_time import VirtualClock, run_virtual

stage_lists = st.lists(st.integers(0, 50), min_size=1, max_size=5).map(
    lambda durations: [Stage(str(n), d, 1) for n, d in enumerate(durations, 1)]
)


class TestTimeline:
    @given(stages=stage_lists, warmup_ns=st.integers(0, 120), moment_ns=st.integers(0, 300))
    def test_every_moment_is_in_the_stage_and_warm_up_that_the_plan_says(
        self, stages, warmup_ns, moment_ns
    ):
        """Whatever the stages; after the last one it is late, and still called by its name."""
        timeline = Timeline(closed(0, 0, stages=stages, warmup=warmup_ns / NS_PER_S), 1_000)

        window = timeline.at(1_000 + moment_ns)

        expected, end_ns = stages[-1].name, 0
        lengthy = [stage for stage in stages if stage.duration_ns]
        for stage in lengthy:
            end_ns += stage.duration_ns
            expected = stage.name
            if moment_ns < end_ns:
                break
        assert window.stage == expected
        if moment_ns < end_ns:
            assert window.warmup == (moment_ns < warmup_ns)
        assert window.after == (moment_ns >= end_ns > 0)
        assert window.begin_ns <= 1_000 + moment_ns < window.end_ns

    def test_windows_are_cut_at_the_edges_of_stages_and_warm_up(self):
        """Ramp of 1 s, hold of 9 s, warm-up of 3 s: three windows, and what comes after."""
        timeline = Timeline(closed(1, 9, ramp_up=1, warmup=3), 0)

        seen = {timeline.at(moment * NS_PER_MS) for moment in range(0, 20_000, 100)}

        assert sorted((w.begin_ns // NS_PER_S, w.stage, w.warmup, w.after) for w in seen) == [
            (0, "ramp", True, False),
            (1, "hold", True, False),
            (3, "hold", False, False),
            (10, "hold", False, True),
        ]

    def test_what_starts_after_a_cut_does_not_count(self):
        """The stages end where the timeline was cut, and whoever keeps a window is told."""
        timeline = Timeline(closed(1, 9, ramp_up=2), 0)
        cuts = []
        timeline.on_cut(lambda: cuts.append(timeline.at(NS_PER_S).after))

        timeline.cut(NS_PER_S)

        late = timeline.at(5 * NS_PER_S)
        assert (late.stage, late.after, late.end_ns) == ("ramp", True, FOREVER_NS)
        assert timeline.at(0).end_ns == NS_PER_S
        assert cuts == [True]
        assert list(timeline.stages()) == [("ramp", 0, NS_PER_S)]

    def test_cutting_after_the_end_changes_nothing(self):
        """The graceful stop is no part of measured time."""
        timeline = Timeline(closed(1, 9), 0)

        timeline.cut(100 * NS_PER_S)

        assert timeline.ends_ns == 9 * NS_PER_S


class TestNap:
    def test_a_nap_ends_when_it_is_due(self):
        """To the nanosecond, in virtual time."""

        async def main():
            clock = VirtualClock()
            began_ns = clock.now_ns()
            await InterruptibleSleep(clock).until(began_ns + 1_234_567_891)
            return clock.now_ns() - began_ns

        assert run_virtual(main()) == 1_234_567_891

    def test_a_cut_nap_ends_at_once_and_for_good(self):
        """Whoever sleeps wakes, and nobody falls asleep again."""

        async def main():
            clock = VirtualClock()
            sleeper, began_ns = InterruptibleSleep(clock), clock.now_ns()
            asyncio.get_running_loop().call_later(2, sleeper.cut_short)
            await sleeper.until(began_ns + 100 * NS_PER_S)
            await sleeper.until(began_ns + 100 * NS_PER_S)
            return (clock.now_ns() - began_ns) / NS_PER_S

        assert run_virtual(main()) == 2

    def test_a_cancelled_nap_leaves_no_timer(self):
        """Cancellation goes through."""

        async def main():
            sleeper = InterruptibleSleep(VirtualClock())
            async with asyncio.timeout(1):
                await sleeper.until(FOREVER_NS // 2**20)

        with pytest.raises(TimeoutError):
            run_virtual(main())


class TestHealth:
    def test_a_probe_reports_the_worst_lag_and_the_share_of_the_processor(self):
        """And starts again with each reading."""
        cpu = iter([0, 300, 300])
        probe = HealthProbe(1_000, cpu_ns=lambda: next(cpu))

        probe.woke(due_ns=1_100, now_ns=1_150)
        probe.woke(due_ns=1_200, now_ns=1_210)

        readings = [probe.read(2_000), probe.read(3_000)]
        probe.close()

        assert [(one.loop_lag_ns, one.cpu_share) for one in readings] == [(50, 0.3), (0, 0.0)]

    @pytest.mark.slow
    def test_a_probe_counts_full_garbage_collections_and_open_files(self):
        """Short collections of young objects happen all the time and are none of them."""
        probe = HealthProbe(0)

        gc.collect(0)
        gc.collect(2)
        reading = probe.read(1)
        probe.close()

        assert reading.collections == 1
        assert reading.collection_ns > 0
        assert reading.open_files > 2

    def test_one_hiccup_is_no_finding(self):
        """A tenth of the seconds must be bad before the numbers are in doubt."""
        log = HealthLog()

        for second in range(20):
            log.add(second, Health(loop_lag_ns=NS_PER_S if second == 7 else 0, cpu_share=0.5))

        assert log.reasons() == ()
        assert log.worst_lag_ns == NS_PER_S

    def test_a_busy_generator_is_told(self):
        """With what to do about it."""
        log = HealthLog()

        for second in range(4):
            log.add(second, Health(loop_lag_ns=80 * NS_PER_MS, cpu_share=0.97))

        busy, late = log.reasons()
        assert "busy in 4 of 4 seconds" in busy
        assert "up to 80 ms late" in late
