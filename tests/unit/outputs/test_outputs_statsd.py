"""What a StatsD server gets of a run, with tags and without."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.outputs.statsd.lines import packed
from planrunner.outputs.statsd.output import StatsdOutput
from planrunner.units import NS_PER_MS
from tests.support.seconds import delta_of, labels_of, run_info, second_of

ODD = labels_of(request="GET /a,b|c\n#:d", status=500, failure="status")


async def fed(output: StatsdOutput) -> None:
    await output.start(run_info())
    await output.add(second_of(1, {labels_of(): delta_of(NS_PER_MS, received=5), ODD: delta_of(1)}))
    await output.stop()
    assert output.lost_seconds == 0


def received(**more: Any) -> list[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0)
        asyncio.run(fed(StatsdOutput(address=f"127.0.0.1:{server.getsockname()[1]}", **more)))
        datagrams = []
        try:
            while True:
                datagrams.append(server.recv(65_536))
        except BlockingIOError:
            return b"\n".join(datagrams).decode().splitlines()


def test_labels_are_tags_of_dogstatsd() -> None:
    lines = received()

    items = "|#plan:shop,run:r1,phase:steady,user:Buyer,task:browse,request:GET /items,status:200,"
    assert f"perf_test.requests:1|c{items}warmup:false" in lines
    assert f"perf_test.request.p95:0.001|g{items}warmup:false" in lines
    assert "perf_test.users:3|g|#plan:shop,run:r1,user:Buyer" in lines
    [error] = [line for line in lines if line.startswith("perf_test.errors")]
    assert "request:GET /a_b_c__:d,status:500" in error


def test_without_tags_requests_are_parts_of_names() -> None:
    lines = received(tags=False, prefix="shop")

    assert "shop.requests.GET_items.200:1|c" in lines
    assert "shop.errors.GET_a_b_c_d.500.status:1|c" in lines
    assert not [line for line in lines if "#" in line]


@given(st.lists(st.text(st.characters(exclude_characters="\n"), min_size=1, max_size=600)))
@settings(max_examples=20)
def test_datagrams_hold_whole_lines_and_fit(lines: list[str]) -> None:
    datagrams = [*packed(lines)]

    assert b"\n".join(datagrams) == "\n".join(lines).encode("utf-8", "replace")
    assert all(len(one) <= 1432 or b"\n" not in one for one in datagrams)
