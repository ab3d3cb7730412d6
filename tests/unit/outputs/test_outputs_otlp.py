"""What a receiver of OpenTelemetry gets of a run, and what a receiver that fails costs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planrunner.protocols.over_grpc.network import grpc  # isort: skip  # it settles how gRPC behaves

from planrunner.engine.coordinator.events import Insight, Standing
from planrunner.engine.recording.generator_health import Health
from planrunner.errors import CannotRun
from planrunner.metrics.judging.evidence import ArrivalCounts
from planrunner.metrics.judging.verdict import Verdict
from planrunner.metrics.recorded_values import RecordedValues
from planrunner.outputs.base import Second
from planrunner.outputs.otlp.output import OtlpOutput
from planrunner.runner import RunRequest, run
from planrunner.units import NS_PER_S
from tests.support.http_servers import HttpServer, closed_port, reply, serve
from tests.support.metric_receivers import ACCEPTED, Received, grpc_receiver, refused_points
from tests.support.plans import loaded
from tests.support.seconds import NOON, delta_of, labels_of, run_info, second_of

STUCK = b""


def second(number: int) -> Second:
    tokens = {"metric.tokens": RecordedValues((1_500_000,))}
    delta = delta_of(NS_PER_S, NS_PER_S, measures=tokens)
    return second_of(number, {labels_of(records=("metric.tokens",)): delta})


def output_for(server: HttpServer, **more: Any) -> OtlpOutput:
    return OtlpOutput(endpoint=server.url, every=NS_PER_S, now=lambda: NOON, **more)


def received(
    main: Callable[[HttpServer, Received], Coroutine[Any, Any, None]],
    answers: Sequence[bytes] = (ACCEPTED,),
) -> Received:
    async def inside() -> Received:
        receiver = Received([*answers])
        async with serve(receiver.respond) as server:
            await main(server, receiver)
        return receiver

    return asyncio.run(inside())


@pytest.mark.slow
def test_totals_of_a_run_are_those_of_its_result(tmp_path: Path) -> None:
    """Counters, histogram and errors, with a warm-up whose requests have a label."""
    target = Received([*[reply()] * 20, reply(500), reply()])

    async def main(server: HttpServer, receiver: Received) -> None:
        async with serve(target.respond) as shop:
            plan = loaded(
                f'http: {{base_url: "{shop.url}"}}',
                "users: {A: {tasks: [{get: /, tags: [read]}]}}",
                "phases: [{users: 2, iterations: 30, warmup: 10}]",
            )
            output = OtlpOutput(endpoint=server.url, every=NS_PER_S, labels=("read",))
            result = await run(RunRequest(plan, directory=tmp_path, formats=()), [output])
        totals = result.totals
        results = {"warmup": "false", "read": "true", "request": "GET /", "plan": result.plan}
        assert receiver.total("perf_test.requests", **results) == totals.total_requests == 20
        assert receiver.total("perf_test.requests", warmup="true") == result.warmup == 10
        assert receiver.total("perf_test.errors") == 1 == receiver.total(
            "perf_test.errors", kind="status", status="500"
        )  # fmt: skip
        assert sum(point.count for point in receiver.histograms.values()) == 30
        assert receiver.resource["service.instance.id"] == result.run_id
        assert receiver.total("perf_test.users") == 0
        [*_, ended] = receiver.attributes("perf_test.run.info")
        assert ended["exit_code"] == str(int(result.exit_code))
        assert ended["started"] < ended["ended"]

    received(main)


def test_thresholds_drops_and_the_generator_come_along() -> None:
    async def main(server: HttpServer, _: Received) -> None:
        counts = ArrivalCounts(0, "steady", due=10, started=6, dropped=4, late=0)
        held = Standing("p95 < 1s", Verdict.PASS, "12 ms")
        output = output_for(server)
        output.use_insight(lambda: Insight(lambda: (held,), arrivals={"steady": counts}))
        await output.start(run_info())
        await output.add(replace(second(1), health=Health(2_000_000, 0.25)))
        await output.stop()

    receiver = received(main)

    assert receiver.total("perf_test.dropped", phase="steady") == 4
    assert receiver.total("perf_test.threshold", threshold="p95 < 1s", verdict="pass") == 1
    assert receiver.total("perf_test.threshold", verdict="fail") == 0
    generator = [
        point.as_double for (name, _), point in receiver.numbers.items() if "generator" in name
    ]
    assert sorted(generator) == [0.002, 0.25]


def test_an_export_says_everything_that_changed_since_one_arrived() -> None:
    """So that one that failed costs nothing but time, and none of the seconds is lost."""

    async def main(server: HttpServer, _: Received) -> None:
        output = output_for(server)
        await output.start(run_info())
        await output.add(second(1))
        await output.add(second(2))
        assert (output.lost_seconds, output.loss) == (2, "400 Whatever: too many labels")
        await output.add(second(3))
        assert (output.lost_seconds, output.loss) == (0, "")
        await output.stop()

    failing = reply(400, b"too many\nlabels")
    receiver = received(main, [ACCEPTED, failing, failing, ACCEPTED])

    assert receiver.total("perf_test.requests") == 6
    histogram, tokens = receiver.histograms.values()
    assert (tokens.count, tokens.sum) == (3, 4.5)
    assert (histogram.count, histogram.sum, histogram.max) == (6, 6.0, 1.0)
    limits = dict(zip(histogram.explicit_bounds, histogram.bucket_counts, strict=False))
    assert {limit: count for limit, count in limits.items() if count} == {1.0: 6}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (reply(401, b"token swordfish is unknown"), "401 Whatever: token *** is unknown"),
        (reply(302, b"", ("Location", "/login")), "302 Whatever"),
        (refused_points(3, "too old"), "it refused 3 points: too old"),
        (STUCK, "it did not answer in time"),
    ],
    ids=["credentials", "redirect", "partly", "stuck"],
)
def test_a_receiver_that_takes_nothing_is_said_before_the_load(answer: bytes, why: str) -> None:
    async def main(server: HttpServer, _: Received) -> None:
        output = output_for(server, headers={"authorization": "swordfish"}, timeout_s=0.2)
        run = run_info(mask=lambda text: text.replace("swordfish", "***"))
        with pytest.raises(CannotRun) as caught:
            await output.start(run)
        assert caught.value.message == f"the receiver takes no metrics: {why}"

    received(main, [answer])


def test_nobody_listening_is_said_without_the_address() -> None:
    """Which may hold a password."""
    output = OtlpOutput(endpoint=f"http://me:swordfish@127.0.0.1:{closed_port()}")

    with pytest.raises(CannotRun, match=r"^the receiver takes no metrics: connection refused\b"):
        asyncio.run(output.start(run_info()))


@pytest.mark.parametrize("header", [("a b", "x"), ("a", "x\ny"), ("a", "€"), ("a", " x")])
def test_a_header_that_is_none_is_said_before_anything_is_sent(header: tuple[str, str]) -> None:
    """Without its value, which may be a secret."""
    output = OtlpOutput(endpoint="http://127.0.0.1:1", headers=dict([header]))

    with pytest.raises(CannotRun) as caught:
        asyncio.run(output.start(run_info()))

    assert caught.value.message == f"the header `{header[0]}` can't be sent"


def test_a_receiver_that_gets_stuck_holds_up_nothing() -> None:
    """A cancelled export leaves no thread that anything waits for."""

    async def main(server: HttpServer, receiver: Received) -> None:
        output = output_for(server, timeout_s=60)
        await output.start(run_info())
        sending = asyncio.create_task(output.add(second(1)))
        await receiver.is_stuck.wait()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await output.stop()
        assert output.lost_seconds == 1

    received(main, [ACCEPTED, STUCK])


class TestGrpc:
    def test_a_receiver_gets_everything_in_messages_of_a_bounded_size(self) -> None:
        """With the bounds of the plan, and headers whose names gRPC would refuse."""
        names = (f'"{n}" <b>\n\ud800' for n in range(700))  # half a pair, which protobuf can't have
        parts = {labels_of(request=name): delta_of(2 * NS_PER_S) for name in names}

        async def main(url: str) -> None:
            output = OtlpOutput(
                endpoint=url,
                protocol="grpc",
                headers={"Authorization": "Bearer swordfish", "Trace-Bin": "abc"},
                buckets=[5 * NS_PER_S, NS_PER_S],
                every=NS_PER_S,
                now=lambda: NOON,
            )
            await output.start(run_info())
            await output.add(second_of(1, parts))
            assert (output.lost_seconds, output.loss) == (0, "")
            await output.stop()

        received = Received()
        with grpc_receiver(received) as (url, servicer):
            asyncio.run(main(url))

        assert servicer.metadata["authorization"] == "Bearer swordfish"
        assert servicer.metadata["trace-bin"] == b"abc"
        assert received.total("perf_test.requests") == 700
        assert received.total("perf_test.requests", request='"6" <b>\n?') == 1
        assert len(received.histograms) == 700
        assert received.largest <= 2 * 300
        one = next(iter(received.histograms.values()))
        assert ([*one.explicit_bounds], [*one.bucket_counts]) == ([1.0, 5.0], [0, 1, 0])

    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED: not you, ***"),
            (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE: not you, ***"),
            ("too old", "it refused 3 points: too old"),
        ],
    )
    def test_one_that_takes_nothing_is_said_before_the_load(
        self, answer: grpc.StatusCode | str, why: str
    ) -> None:
        """At once: whatever may help later is tried by later exports."""
        run = run_info(mask=lambda text: text.replace("swordfish", "***"))
        with grpc_receiver(Received(), [answer]) as (url, _):
            output = OtlpOutput(endpoint=url, protocol="grpc")
            with pytest.raises(CannotRun) as caught:
                asyncio.run(output.start(run))
        assert caught.value.message == f"the receiver takes no metrics: {why}"

    def test_nobody_listening_is_said_without_the_address(self) -> None:
        output = OtlpOutput(endpoint=f"http://127.0.0.1:{closed_port()}", protocol="grpc")

        refused = r"^the receiver takes no metrics: connection refused\b"
        with pytest.raises(CannotRun, match=refused):
            asyncio.run(output.start(run_info()))

    def test_one_that_speaks_only_http_is_found_out(self) -> None:
        async def main(server: HttpServer, _: Received) -> None:
            output = OtlpOutput(endpoint=server.url, protocol="grpc", timeout_s=1)
            with pytest.raises(CannotRun) as caught:
                await output.start(run_info())
            assert "`protocol`" in caught.value.hint

        received(main)
