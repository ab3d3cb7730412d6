"""What a real InfluxDB 1.x, and a double of 2.x, get of a run; and what they don't."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.errors import CannotRun
from planrunner.metrics.recorded_values import RecordedValues
from planrunner.outputs.influxdb.destination import destination_of
from planrunner.outputs.influxdb.line_protocol import line, tags_text
from planrunner.outputs.influxdb.output import InfluxdbOutput
from planrunner.runner import RunRequest, run
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.http_servers import HttpServer, Request, Wire, reply, serve
from tests.support.influx_servers import InfluxServer, influx_server, needs_influxdb
from tests.support.plans import loaded
from tests.support.results import AWKWARD_NAMES
from tests.support.seconds import NOON, delta_of, labels_of, run_info, second_of

AWKWARD = st.text(st.sampled_from("\\,= \"'n\n\t#é🛒a\x00"), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    with influx_server(tmp_path_factory.mktemp("influx db")) as server:
        yield server


def output_for(url: str, **more: Any) -> InfluxdbOutput:
    return InfluxdbOutput(destination_of(url, **more), now=lambda: NOON)


def served(
    respond: Callable[[Request, Wire], Coroutine[Any, Any, None]],
    main: Callable[[HttpServer], Coroutine[Any, Any, None]],
) -> list[Request]:
    async def inside() -> list[Request]:
        async with serve(respond) as server:
            await main(server)
            return server.requests

    return asyncio.run(inside())


async def accept(_: Request, wire: Wire) -> None:
    await wire.send(reply(204))


@needs_influxdb
@pytest.mark.slow
def test_runs_in_one_database_can_be_told_apart_and_add_up(
    influx: InfluxServer, tmp_path: Path
) -> None:
    """The database is created, and asked back it has the totals of each result."""

    async def shop(request: Request, wire: Wire) -> None:
        await wire.send(reply(500 if request.target == "/broken" else 200, b"four"))

    async def main(shop: HttpServer) -> None:
        users = (
            "users: {A: {steps: [{get: /, tags: {team: red}}, {get: /broken, name: 'a \"b\"'}]}}"
        )
        plan = loaded(
            f'http: {{base_url: "{shop.url}"}}',
            users,
            "phases: [{users: 2, iterations: 20, warmup: 5}]",
            "thresholds: [error_rate < 100%]",
        )
        for number in (1, 2):
            output = InfluxdbOutput(destination_of(f"{influx.url}/k6"), labels=["team"])
            wanted = RunRequest(plan, directory=tmp_path / str(number), formats=())
            result = await run(wanted, [output])
            where = f"WHERE run = '{result.run_id}'"
            [of_results] = influx.ask(
                f"SELECT sum(count) AS count, sum(failed) AS failed FROM perf_test_requests "
                f"{where} AND warmup = 'false'", "k6",
            )  # fmt: skip
            assert of_results["count"] == result.totals.total_requests
            assert of_results["failed"] == result.totals.failed_requests
            [errors] = influx.ask(f"SELECT sum(count) FROM perf_test_errors {where}", "k6")
            assert errors["sum"] == 20
            sums = influx.ask(
                f"SELECT sum(bytes_received) FROM perf_test_requests {where} "
                "GROUP BY request, team, status", "k6",
            )  # fmt: skip
            assert [(row["request"], row["team"], row["status"], row["sum"]) for row in sums] == [
                ("GET /", "red", "200", 80), ('a "b"', "", "500", 80),
            ]  # fmt: skip
            [row] = influx.ask(f"SELECT last(count) FROM perf_test_users {where}", "k6")
            assert row["last"] == 0
            events = influx.ask(f"SELECT event, exit_code FROM perf_test_runs {where}", "k6")
            assert [(row["event"], row["exit_code"]) for row in events] == [
                ("started", None), ("ended", 0),
            ]  # fmt: skip

    served(shop, main)


@needs_influxdb
def test_names_of_any_kind_come_back(influx: InfluxServer) -> None:
    """But for what the protocol can't carry: control characters, and backslashes that escape."""
    names = [*AWKWARD_NAMES, "\\", "a\\", "\\,", "\\\\,b", "a b=c,d", "#", "time"]
    seconds = [
        second_of(number, {labels_of(request=name): delta_of(NS_PER_MS)})
        for number, name in enumerate(names, 1)
    ]

    async def main() -> None:
        output = output_for(f"{influx.url}/names")
        await output.start(run_info(plan='a "plan",\n=1 \\'))
        for second in seconds:
            await output.add(second)
        await output.stop()
        assert output.lost_seconds == 0

    asyncio.run(main())
    rows = influx.ask("SELECT request, count FROM perf_test_requests", "names")
    came = {name: (row["request"] or "") for name, row in zip(names, rows, strict=True)}
    plain = {name: text for name, text in came.items() if "\\" not in name and name.isprintable()}
    assert plain == {name: name for name in plain}
    assert [came["\\"], came["a\\"], came["\\,"], came["\\\\,b"]] == ["/", "a/", "/,", "//,b"]
    [plan] = influx.ask("SHOW TAG VALUES FROM perf_test_requests WITH KEY = plan", "names")
    assert plan["value"] == 'a "plan",\ufffd=1 /'


@given(st.dictionaries(AWKWARD, AWKWARD, min_size=1, max_size=4), AWKWARD)
@settings(max_examples=25)
def test_a_point_is_one_line_whose_parts_can_be_told(tags: dict[str, str], text: str) -> None:
    """By the rules of the protocol: a backslash escapes, and quotes matter in values only."""
    written = line("m", tags_text(tags), {"count": 7, "avg": 0.5, "words": text}, 12)

    head, fields = parsed(written)
    assert "\n" not in written[: len(head)]
    assert fields.endswith(" 12")
    keys = [part.partition("=")[0] for part in split(head, ",")[1:]]
    assert len(keys) == len(tags)
    assert all(not part.endswith("\\") for part in split(head, ","))


def parsed(written: str) -> tuple[str, str]:
    head = split(written, " ")[0]
    return head, written[len(head) + 1 :]


def split(text: str, at: str) -> list[str]:
    """Split where the character isn't escaped."""
    parts, start, place = [], 0, 0
    while place < len(text):
        if text[place] == "\\":
            place += 2
            continue
        if text[place] == at:
            parts.append(text[start:place])
            start = place + 1
        place += 1
    return [*parts, text[start:]]


def test_a_bucket_of_2_x_gets_the_same_points_with_a_token() -> None:
    async def main(server: HttpServer) -> None:
        output = output_for(f"{server.url}/influx/", org="o", bucket="b c", token="swordfish")
        await output.start(run_info())
        delta = delta_of(NS_PER_S, received=5, measures={"work": RecordedValues((2_500_000,))})
        await output.add(second_of(1, {labels_of(records=("work",)): delta}))
        await output.stop()

    began, second = served(accept, main)
    assert began.target == second.target == "/influx/api/v2/write?org=o&bucket=b+c&precision=ns"
    assert second.headers["authorization"] == "Token swordfish"
    tags = "phase=steady,plan=shop,request=GET\\ /items,run=r1,status=200,task=browse,user=Buyer"
    same = "p50={0},p90={0},p95={0},p99={0},max={0},avg={0}"
    assert second.body.decode().splitlines() == [
        f"perf_test_users,plan=shop,run=r1,user=Buyer count=3i {ns(1)}",
        f"perf_test_requests,{tags},warmup=false "
        "count=1i,failed=0i,bytes_received=5i,bytes_sent=0i,"
        f"{same.format(1.0)} {ns(1)}",
        f"perf_test_metrics,metric=work,{tags},warmup=false count=1i,sum=2.5,"
        f"{same.format(2.5)} {ns(1)}",
    ]


def ns(second: int) -> int:
    return (int(NOON.timestamp()) + second) * NS_PER_S


async def begun(output: InfluxdbOutput) -> None:
    await output.start(run_info())
    await output.stop()


@needs_influxdb
@pytest.mark.slow
def test_who_may_not_write_is_told_before_the_load(tmp_path: Path) -> None:
    """By the real server; one who may write need not be allowed to create the database."""
    with influx_server(tmp_path, has_auth=True) as server:
        server.ask("CREATE USER admin WITH PASSWORD 'pw' WITH ALL PRIVILEGES")
        for query in ("CREATE DATABASE k6", "CREATE USER me WITH PASSWORD 'me'",
                      "GRANT ALL ON k6 TO me"):  # fmt: skip
            server.ask(query, u="admin", p="pw")
        address = server.url.removeprefix("http://")

        asyncio.run(begun(output_for(f"http://me:me@{address}/k6")))
        with pytest.raises(CannotRun) as caught:
            asyncio.run(output_for(f"http://me:swordfish@{address}/k6").start(run_info()))

    assert "401 Unauthorized" in caught.value.message
    assert "swordfish" not in caught.value.message
