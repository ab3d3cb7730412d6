"""What outputs see of a run, and what an output that fails, dawdles or hangs costs: itself."""

from __future__ import annotations

import asyncio
import logging
import random
import tracemalloc
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from planrunner.engine import Ending, PhaseEnded, PhaseStarted, RunOutcome, RunStarted, Stop, run
from planrunner.engine.coordinator.events import Insight, Standing, Tick
from planrunner.engine.recording.generator_health import Health
from planrunner.errors import CannotRun
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.verdict import Verdict
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import Accumulated, SeriesDelta, Snapshot
from planrunner.outputs.base import Output, RunEvent, RunInfo, Second, WantedOutput
from planrunner.outputs.fan_out import FanOut, SparingStandings
from planrunner.outputs.waiting_room import MOST_BYTES, WaitingRoom, bytes_of
from planrunner.results.model import RunResult
from planrunner.units import NS_PER_S
from tests.support.graphs import FakeTarget, closed, make_graph, user_class
from tests.support.results import make_result
from tests.support.virtual_time import VirtualClock, run_virtual

RUN = RunInfo("r1", "shop", "load", 7, {"build": "1"}, Path("run"))
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Kept:
    """An output that keeps what it is given, in order; `waits_s` is how long it takes for each."""

    def __init__(self, name: str = "kept", *, waits_s: float = 0) -> None:
        self.name = name
        self.calls: list[str] = []
        self.seconds: list[Second] = []
        self._waits_s = waits_s

    async def start(self, run: RunInfo) -> None:
        self.calls.append(f"start {run.run_id}")

    async def add(self, second: Second) -> None:
        self.calls.append(f"add {second.number}")
        self.seconds.append(second)
        if self._waits_s:
            await asyncio.sleep(self._waits_s)

    async def stop(self) -> None:
        self.calls.append("stop")


class Curious(Kept):
    """An output with every capability."""

    def __init__(self) -> None:
        super().__init__("curious")
        self.standings: Callable[[], Sequence[Standing]] = tuple

    async def hear(self, event: RunEvent) -> None:
        self.calls.append(type(event).__name__)

    def use_standings(self, standings: Callable[[], Sequence[Standing]]) -> None:
        self.standings = standings

    def use_insight(self, insight: Callable[[], Insight]) -> None:
        self.insight = insight

    async def take_result(self, result: RunResult) -> None:
        self.calls.append(f"result {result.run_id}")


class Lingering(Kept):
    """An output that is asked for the run `wait_s` after its end; it waits 60 s for that."""

    linger_s = 60.0

    def __init__(self, wait_s: float) -> None:
        super().__init__("lingering")
        self._wait_s = wait_s

    async def linger(self) -> None:
        await asyncio.sleep(self._wait_s)
        self.calls.append("asked")


class Failing(Kept):
    """An output that raises in one of its methods."""

    def __init__(self, method: str, error: Exception | None = None) -> None:
        super().__init__("failing")
        self._method = method
        self._error = error or ValueError("no such host: swordfish")

    async def start(self, run: RunInfo) -> None:
        await super().start(run)
        self._fail("start")

    async def add(self, second: Second) -> None:
        await super().add(second)
        self._fail("add")

    async def stop(self) -> None:
        await super().stop()
        self._fail("stop")

    def _fail(self, method: str) -> None:
        if method == self._method:
            raise self._error


class Hanging(Kept):
    """An output that waits for ever in one of its methods; cancelled, it goes on if it is deaf."""

    def __init__(self, method: str, *, is_deaf: bool = False) -> None:
        super().__init__("hanging")
        self._method = method
        self._is_deaf = is_deaf

    async def start(self, run: RunInfo) -> None:
        await super().start(run)
        await self._hang("start")

    async def add(self, second: Second) -> None:
        await super().add(second)
        await self._hang("add")

    async def stop(self) -> None:
        await super().stop()
        await self._hang("stop")

    async def _hang(self, method: str) -> None:
        if method != self._method:
            return
        try:
            await asyncio.sleep(1e6)
        except asyncio.CancelledError:
            if not self._is_deaf:
                raise
            await asyncio.sleep(60)


class Seen(NamedTuple):
    """What became of a block with outputs, and how many seconds it took to start and to end."""

    notices: tuple[str, ...]
    start_s: float
    end_s: float
    has_all_required: bool


def feed(
    *outputs: Output | WantedOutput,
    seconds: int = 3,
    pause_s: float = 1,
    result: RunResult | None = None,
    most_bytes: int = MOST_BYTES,
) -> Seen:
    """Let outputs see a run of empty seconds in virtual time."""

    async def main() -> Seen:
        clock = asyncio.get_running_loop().time
        before = clock()
        fan_out = FanOut(outputs, RUN, mask=mask, now=lambda: NOON, most_bytes=most_bytes)
        async with fan_out:
            started = clock()
            fan_out.tell(RunStarted("r1", "shop", 7, 0, seconds * NS_PER_S))
            for number in range(1, seconds + 1):
                await asyncio.sleep(pause_s)
                fan_out.tell(tick(number))
            ending = clock()
            await fan_out.close(result)
        took = (started - before, clock() - ending)
        return Seen(fan_out.notices(), *took, fan_out.has_all_required)

    return run_virtual(main())


def mask(text: str) -> str:
    return text.replace("swordfish", "***")


def tick(number: int, standings: Callable[[], Sequence[Standing]] = tuple) -> Tick:
    snapshot = Snapshot((number - 1) * NS_PER_S, number * NS_PER_S)
    return Tick(number, ("main",), snapshot, Accumulated(), Health(0, 0.0), Insight(standings))


def watched(*outputs: Output, hold_s: float = 2.5) -> tuple[RunOutcome, tuple[str, ...]]:
    """Run a user who sends a request each 10 ms, in virtual time."""

    async def main() -> tuple[RunOutcome, tuple[str, ...]]:
        async with FanOut(outputs, RUN, mask=mask, now=lambda: NOON) as fan_out:
            outcome = await run(
                make_graph(user_class(), closed(1, hold_s)),
                clients={"fake": FakeTarget().open},
                clock=VirtualClock(),
                listener=fan_out.tell,
                stop=Stop(),
            )
        return outcome, fan_out.notices()

    return run_virtual(main())


def requests(seconds: Sequence[Second]) -> list[int]:
    """Count the requests of each second."""
    return [
        sum(
            delta.count
            for labels, delta in second.snapshot.deltas.items()
            if labels.kind == "request"
        )
        for second in seconds
    ]


class TestARun:
    def test_an_output_sees_every_second_and_the_rest(self) -> None:
        """Between its start and its stop; what it sees adds up to the result."""
        kept = Kept()

        outcome, notices = watched(kept)

        assert kept.calls == ["start r1", "add 1", "add 2", "add 3", "stop"]
        assert [second.is_last for second in kept.seconds] == [False, False, True]
        assert [second.phases for second in kept.seconds] == [("main",), ("main",), ()]
        assert requests(kept.seconds) == [99, 100, 51]  # one ends in the next second
        assert outcome.ending is Ending.FINISHED
        assert notices == ()

    def test_seconds_have_a_date(self) -> None:
        """That of their end, so that a database can store them."""
        kept = Kept()

        watched(kept)

        gone = [second.ended - NOON for second in kept.seconds]
        assert gone == [timedelta(seconds=1), timedelta(seconds=2), timedelta(seconds=2.5)]

    def test_events_come_between_the_seconds_to_those_that_want_them(self) -> None:
        """In the order in which things happened."""
        curious = Curious()

        watched(curious, hold_s=1.5)

        names = [event.__name__ for event in (RunStarted, PhaseStarted, PhaseEnded)]
        start, begin, end = names
        assert curious.calls == ["start r1", start, begin, "add 1", end, "add 2", "stop"]

    def test_the_result_comes_last_to_those_that_want_it(self) -> None:
        """After every second; an output without that capability misses nothing."""
        curious, kept = Curious(), Kept()

        feed(curious, kept, seconds=1, result=make_result())

        assert curious.calls[-2:] == [f"result {make_result().run_id}", "stop"]
        assert kept.calls == ["start r1", "add 1", "stop"]

    def test_standings_are_looked_at_when_an_output_asks(self) -> None:
        """They are those of now."""
        curious = Curious()
        standing = Standing("p95 < 1s", Verdict.PASS, "1 ms")

        async def main() -> Sequence[Standing]:
            async with FanOut([curious], RUN, mask=mask) as fan_out:
                assert not curious.insight().doubts()
                fan_out.tell(tick(1, lambda: [standing]))
                assert list(curious.insight().standings()) == [standing]
                return curious.standings()

        assert run_virtual(main()) == [standing]


def test_looking_at_thresholds_takes_at_most_a_hundredth_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A look of 20 ms is good for 2 s; until then everybody sees what it found."""
    now_s, looks = 0.0, 0

    def judge() -> Sequence[Standing]:
        nonlocal now_s, looks
        now_s, looks = now_s + 0.02, looks + 1
        return [Standing("p95 < 1s", Verdict.PASS, f"{looks} ms")]

    def look_at(moment_s: float) -> str:
        nonlocal now_s
        now_s = moment_s
        return standings()[0].observed

    monkeypatch.setattr("planrunner.outputs.fan_out.perf_counter", lambda: now_s)
    standings = SparingStandings()
    standings.judge = judge

    found = [look_at(moment_s) for moment_s in (0.0, 1.0, 2.0, 2.1)]

    assert found == ["1 ms", "1 ms", "1 ms", "2 ms"]


class TestFailures:
    @pytest.mark.parametrize(
        ("method", "calls", "lost"),
        [
            ("start", ["start r1"], ""),
            ("add", ["start r1", "add 1", "stop"], "; 3 seconds of the run did not reach it"),
            ("stop", ["start r1", "add 1", "add 2", "add 3", "stop"], ""),
        ],
    )
    def test_an_output_that_fails_is_named_and_dropped_alone(
        self, caplog: pytest.LogCaptureFixture, method: str, calls: list[str], lost: str
    ) -> None:
        """Others see everything; the notice says what it was, without secrets, like the log."""
        failing, kept = Failing(method), Kept()

        with caplog.at_level(logging.ERROR):
            outcome, notices = watched(failing, kept)

        assert failing.calls == calls
        assert kept.calls == ["start r1", "add 1", "add 2", "add 3", "stop"]
        assert outcome.ending is Ending.FINISHED
        words = "failed and was switched off: ValueError: no such host: ***"
        assert notices == (f"the output `failing` {words}{lost}",)
        assert "no such host: ***" in caplog.text
        assert "swordfish" not in caplog.text

    def test_an_output_that_foresaw_its_end_says_why(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A sentence: no traceback, and no type of Python's."""
        gone = CannotRun("the process of the page has ended")

        _, notices = watched(Failing("add", gone))

        words = "failed and was switched off: the process of the page has ended"
        assert notices == (f"the output `failing` {words}; 3 seconds of the run did not reach it",)
        assert "Traceback" not in caplog.text

    def test_an_output_may_refuse_the_run(self) -> None:
        """Before the load, when it could not deliver anything; the others are stopped."""
        refusal = CannotRun("nothing listens on 127.0.0.1:1", hint="start it")
        kept = Kept()

        with pytest.raises(CannotRun) as refused:
            feed(Failing("start", refusal), kept)

        assert refused.value.message == "output `failing`: nothing listens on 127.0.0.1:1"
        assert refused.value.hint == "start it"
        assert kept.calls == ["start r1", "stop"]

    def test_outputs_stop_when_the_run_fails(self) -> None:
        """They are told of no result."""
        curious = Curious()

        async def main() -> None:
            async with FanOut([curious], RUN, mask=mask):
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            run_virtual(main())
        assert curious.calls == ["start r1", "stop"]


class Lossy(Kept):
    """An output that knows that a second did not arrive where it sends them."""

    lost_seconds = 1
    loss = "401 Unauthorized for swordfish"


class TestWantedOutputs:
    @pytest.mark.parametrize(
        ("output", "why"),
        [
            (Failing("start", CannotRun("nothing listens")), "nothing listens"),
            (Failing("start"), "ValueError: no such host: ***"),
            (Hanging("start"), "did not start within 10 s"),
        ],
    )
    def test_the_load_does_not_begin_without_one(self, output: Output, why: str) -> None:
        """Whatever keeps it from starting, unless it is optional."""
        with pytest.raises(CannotRun) as refused:
            feed(WantedOutput(output))

        assert refused.value.message == f"output `{output.name}`: {why}"
        assert "optional: true" in refused.value.hint

    def test_an_optional_one_is_left_out(self) -> None:
        """The others see the run, and a notice says why it did not."""
        refusal = CannotRun("nothing listens for swordfish")
        kept = Kept()

        seen = feed(WantedOutput(Failing("start", refusal), is_optional=True), kept)

        assert len(kept.seconds) == 3
        assert seen.notices == ("the output `failing` was left out: nothing listens for ***",)
        assert seen.has_all_required

    @pytest.mark.parametrize(
        ("output", "is_delivered"),
        [(Kept(), True), (Failing("add"), False), (Failing("stop"), False), (Lossy(), False)],
    )
    def test_a_required_one_has_to_get_all_of_the_run(
        self, output: Output, *, is_delivered: bool
    ) -> None:
        """Into its hands, and to where it sends it."""
        seen = feed(WantedOutput(output, is_required=True), seconds=2)

        assert seen.has_all_required == is_delivered
        words = f"the output `{output.name}` is required, and did not get all of the run"
        assert (words in seen.notices) != is_delivered

    def test_what_got_lost_behind_an_output_is_said(self) -> None:
        """With the reason, without secrets."""
        seen = feed(Lossy(), seconds=1)

        why = "401 Unauthorized for ***"
        assert seen.notices == (f"the output `kept` could not deliver 1 second of the run: {why}",)


class TestWaitingRoom:
    def test_one_that_is_stuck_costs_no_other_a_second(self) -> None:
        """What waits for it fills the room; those that keep up need none."""
        stuck, kept = Hanging("add"), Kept()

        seen = feed(stuck, kept, seconds=20, most_bytes=5_000)

        assert len(kept.seconds) == 20
        assert seen.notices[0].endswith("20 seconds of the run did not reach it")

    def test_what_waits_for_several_is_counted_once(self) -> None:
        """Memory holds it once."""
        room = WaitingRoom(most_bytes=2_500)
        found = []
        for number in range(1, 6):
            entry, has_room = room.enter(second(number))
            found.append(has_room)
            entry.readers = 2 if number < 4 else 0

        assert found == [True, True, True, False, False]

    def test_the_size_is_what_memory_says(self) -> None:
        """Within a third, for few values and for many, and where only some series are looked at."""
        bytes_of(second(1, series=20, values=200))
        for series, values in ((20, 3), (20, 200), (250, 3)):
            tracemalloc.start()
            held = second(1, series=series, values=values)
            taken, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()

            assert bytes_of(held) == pytest.approx(taken, rel=1 / 3)


def second(number: int, *, series: int = 0, values: int = 0) -> Second:
    """Return a second whose series have latencies that are all different."""
    draw = random.Random(number)
    deltas = {}
    for n in range(series):
        latency = Histogram([draw.randrange(10**6, 10**9) for _ in range(values)])
        labels = Labels(f"GET /{number}/{n}", "GET", "main", "hold", "User", "task")
        deltas[labels] = SeriesDelta(latency, latency)
    return Second(number, NOON, ("main",), Snapshot(0, NS_PER_S, {}, deltas))


class TestSlowOutputs:
    def test_seconds_that_find_no_room_are_dropped_and_counted(self) -> None:
        """For that output alone, which then goes on."""
        slow, kept = Kept("slow", waits_s=2), Kept()

        seen = feed(slow, kept, seconds=40, most_bytes=1_000)

        delivered = [second.number for second in slow.seconds]
        assert len(kept.seconds) == 40
        assert delivered == sorted(set(delivered))
        assert 20 < len(delivered) < 40
        assert seen.notices[-1] == (
            f"the output `slow` was too slow: {40 - len(delivered)} seconds of the run "
            "did not reach it"
        )

    def test_one_that_catches_up_at_the_end_misses_nothing(self) -> None:
        """The run waits for what is still in the queue."""
        slow = Kept("slow", waits_s=0.5)

        seen = feed(slow, seconds=8, pause_s=0.125)

        assert len(slow.seconds) == 8
        assert seen.notices == ()
        assert 0 < seen.end_s <= 4

    @pytest.mark.parametrize("method", ["add", "stop"])
    @pytest.mark.parametrize("is_deaf", [False, True])
    def test_the_end_waits_five_seconds_for_one_that_is_stuck(
        self, method: str, *, is_deaf: bool
    ) -> None:
        """Cancelled or not; whatever has not reached it is counted."""
        kept = Kept()

        seen = feed(Hanging(method, is_deaf=is_deaf), kept)

        assert 4 < seen.end_s <= 5
        assert kept.calls == ["start r1", "add 1", "add 2", "add 3", "stop"]
        words = "the output `hanging` did not end within 5 s and was abandoned"
        lost = "; 3 seconds of the run did not reach it" if method == "add" else ""
        assert seen.notices == (words + lost,)

    @pytest.mark.parametrize(
        ("wait_s", "asked_to_end_s", "took_s", "was_asked"),
        [(0, None, 0, True), (20, None, 20, True), (90, None, 60, False), (90, 7, 7, False)],
    )
    def test_one_that_lingers_is_waited_for_longer(
        self, wait_s: float, asked_to_end_s: float | None, took_s: float, *, was_asked: bool
    ) -> None:
        """As long as it says, unless an interrupt ends that; it stops all the same."""
        lingering = Lingering(wait_s)

        async def main() -> float:
            loop = asyncio.get_running_loop()
            async with FanOut([lingering], RUN, mask=mask) as fan_out:
                stop, ending_s = Stop(), loop.time()
                stop.settle(0, lambda: None)
                if asked_to_end_s is not None:
                    loop.call_later(asked_to_end_s, stop.request, "Ctrl-C")
                with stop.listening(fan_out.hurry):
                    await fan_out.close(make_result())
            assert fan_out.notices() == ()
            return loop.time() - ending_s

        assert run_virtual(main()) == took_s
        assert lingering.calls == ["start r1", *(["asked"] if was_asked else []), "stop"]

    def test_one_that_lingers_gives_another_one_no_time(self) -> None:
        """Which is stuck, and abandoned after 5 s as always."""
        seen = []

        class Stuck(Hanging):
            async def stop(self) -> None:
                seen.append(asyncio.get_running_loop().time() - ending_s)

        async def main() -> None:
            async with FanOut([Lingering(20), Stuck("add")], RUN, mask=mask) as fan_out:
                fan_out.tell(tick(1))
                nonlocal ending_s
                ending_s = asyncio.get_running_loop().time()
                await fan_out.close(make_result())
            seen.append(asyncio.get_running_loop().time() - ending_s)

        ending_s = 0.0
        run_virtual(main())

        assert seen == [4.5, 20]

    def test_one_that_hangs_at_its_start_is_left_out(self) -> None:
        """The load begins without it."""
        hanging, kept = Hanging("start"), Kept()

        seen = feed(hanging, kept)

        assert seen.start_s == 10
        assert hanging.calls == ["start r1"]
        assert kept.calls == ["start r1", "add 1", "add 2", "add 3", "stop"]
        assert seen.notices == ("the output `hanging` did not start within 10 s and was left out",)

    def test_a_run_that_is_refused_waits_for_no_start(self) -> None:
        """One output says so while another one is still getting ready."""
        hanging = Hanging("start")

        async def main() -> float:
            clock = asyncio.get_running_loop().time
            before = clock()
            with pytest.raises(CannotRun):
                async with FanOut([hanging, Failing("start", CannotRun("no"))], RUN, mask=mask):
                    pass
            return clock() - before

        assert run_virtual(main()) == 0
        assert hanging.calls == ["start r1"]

    def test_one_that_cancels_itself_is_named(self) -> None:
        """A library inside it may."""

        class Cancelling(Kept):
            async def add(self, second: Second) -> None:
                await super().add(second)
                raise asyncio.CancelledError

        cancelling, kept = Cancelling("odd"), Kept()

        seen = feed(cancelling, kept)

        assert cancelling.calls == ["start r1", "add 1", "stop"]
        assert len(kept.seconds) == 3
        lost = "1 second of the run did not reach it"
        assert seen.notices == (f"the output `odd` was cancelled by itself; {lost}",)

    def test_a_caller_that_is_cancelled_does_not_wait(self) -> None:
        """Neither for outputs that are stuck."""

        async def hang() -> None:
            async with FanOut([Hanging("add")], RUN, mask=mask) as fan_out:
                fan_out.tell(tick(1))

        assert run_virtual(_cancelled_after(hang(), 1)) == 1


async def _cancelled_after(main: Coroutine[Any, Any, None], seconds: float) -> float:
    clock = asyncio.get_running_loop().time
    before = clock()
    task = asyncio.create_task(main)
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.wait([task])
    return clock() - before
