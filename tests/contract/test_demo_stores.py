"""The demo key-value API over each of its stores, through a real socket: one conversation."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from planrunner.demo.http_server import HttpServer
from planrunner.demo.kv import EtcdStore, MemoryStore, Store, kv
from tests.support.etcd_servers import cluster, needs_etcd

pytestmark = pytest.mark.slow

Converse = Callable[[httpx.AsyncClient], Awaitable[None]]


async def served(store: Store, converse: Converse) -> None:
    server = HttpServer(kv(store, secret="s3"))
    port = await server.start()
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10
        ) as client:
            await converse(client)
    finally:
        await server.stop()
        if isinstance(store, EtcdStore):
            await store._line.close()


async def conversation(client: httpx.AsyncClient) -> None:
    """Write, read twice, overwrite, delete, and delete all."""
    said: list[tuple[int, Any]] = []

    async def send(method: str, path: str, body: object = None) -> None:
        reply = await client.request(method, path, json=body)
        said.append((reply.status_code, reply.json().get("value", reply.json().get("cached"))))

    await send("GET", "/kv/naïve key")
    await send("POST", "/kv", {"key": "naïve key", "value": "ä" * 1000})
    await send("GET", "/kv/naïve key")
    await send("POST", "/kv", {"key": "naïve key", "value": ""})
    await send("GET", "/kv/naïve key")
    await send("DELETE", "/kv/naïve key")
    await send("DELETE", "/kv/naïve key")
    await send("POST", "/kv", {"key": "other", "value": "1"})
    await send("DELETE", "/kv?secret=s3")
    await send("GET", "/kv/other")

    assert said == [
        (404, False),
        (200, None),
        (200, "ä" * 1000),
        (200, None),
        (200, ""),
        (200, None),
        (404, None),
        (200, None),
        (200, None),
        (404, False),
    ]


def test_memory_holds_the_conversation() -> None:
    """Without any other program."""
    asyncio.run(served(MemoryStore(), conversation))


@needs_etcd
def test_etcd_holds_the_same_conversation(tmp_path: Path) -> None:
    """What isn't the API's own stays when everything is deleted."""

    async def use(endpoint: str) -> None:
        store = EtcdStore(endpoint)
        stubs, calls = store._stubs, store._line.calls
        await calls["put"](stubs.PutRequest(key=b"/kvs", value=b"of somebody else"))

        await served(store, conversation)

        other = EtcdStore(endpoint)
        found = await other._line.calls["get"](stubs.RangeRequest(key=b"/", range_end=b"0"))
        await other._line.close()
        assert [pair.key for pair in found.kvs] == [b"/kvs"]

    with cluster(tmp_path) as started:
        asyncio.run(use(started.members[0].endpoint))


@needs_etcd
def test_an_etcd_that_is_gone_is_an_error_of_the_server(tmp_path: Path) -> None:
    """No hang, and the API is back when etcd is."""

    async def restarted(client: httpx.AsyncClient) -> None:
        pair = {"key": "k", "value": "v"}
        assert (await client.post("/kv", json=pair)).status_code == 200
        member.kill()
        began = time.monotonic()
        lost = await client.post("/kv", json=pair)
        assert lost.status_code == 500
        assert json.loads(lost.content)["error"]
        assert time.monotonic() - began < 6
        member.start()
        await asyncio.to_thread(member.wait)
        deadline = time.monotonic() + 10
        while (await client.get("/kv/k")).status_code != 200:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)

    async def use() -> None:
        await served(EtcdStore(member.endpoint), restarted)

    with cluster(tmp_path) as started:
        member = started.members[0]
        asyncio.run(use())
