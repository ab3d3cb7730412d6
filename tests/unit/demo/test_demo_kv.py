"""The demo key-value API: its cache, what it deletes, and what it refuses."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

from planrunner.demo.http_server import Request, Response, Router
from planrunner.demo.kv import MemoryStore, kv


def send(
    api: Router, method: str, path: str, body: object = None, query: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    """Send one request to the routes, without a socket."""
    data = b"" if body is None else json.dumps(body).encode()
    answer = api.answer(Request(method, path, query or {}, {}, data))
    response = asyncio.run(answer) if inspect.iscoroutine(answer) else answer
    assert isinstance(response, Response)
    return response.status, response.body


def test_the_second_read_comes_from_the_cache_for_a_minute() -> None:
    """The reply says so; a write takes the value out again."""
    clock = [0.0]
    api = kv(now_s=lambda: clock[0])
    cached = []

    for at_s, value in ((0, "a"), (1, None), (2, None), (63, None), (64, "b"), (65, None)):
        clock[0] = at_s
        if value is not None:
            assert send(api, "POST", "/kv", {"key": "k", "value": value}) == (
                200,
                {"success": True},
            )
        cached.append(send(api, "GET", "/kv/k")[1]["cached"])

    assert cached == [False, True, True, False, False, True]


def test_what_is_not_there_is_404() -> None:
    """After a delete too, whatever the cache held."""
    api = kv()
    send(api, "POST", "/kv", {"key": "k", "value": "v"})
    send(api, "GET", "/kv/k")

    assert send(api, "DELETE", "/kv/k")[0] == 200
    assert send(api, "DELETE", "/kv/k")[0] == 404
    assert send(api, "GET", "/kv/k")[0] == 404


def test_only_the_secret_deletes_everything() -> None:
    """Without one nobody may."""
    api = kv(secret="s3")
    send(api, "POST", "/kv", {"key": "k", "value": "v"})

    assert send(api, "DELETE", "/kv", query={"secret": "wrong"})[0] == 403
    assert send(api, "DELETE", "/kv", query={"secret": "s3"})[0] == 200
    assert send(api, "GET", "/kv/k")[0] == 404
    assert send(kv(), "DELETE", "/kv", query={"secret": ""})[0] == 403


def test_a_body_that_is_no_pair_is_refused() -> None:
    """The server goes on."""
    assert send(kv(), "POST", "/kv", {"key": "k"})[0] == 400
    assert send(kv(), "POST", "/kv", [1])[0] == 400


class SlowReads(MemoryStore):
    """Gives what was there when a read began, whatever happens until it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = asyncio.Event()
        self.may_go_on = asyncio.Event()

    async def get(self, key: str) -> str | None:
        value = await super().get(key)
        self.reading.set()
        await self.may_go_on.wait()
        return value


class LosesAnswers(SlowReads):
    """Writes, and fails all the same."""

    async def put(self, key: str, value: str) -> None:
        await super().put(key, value)
        if self.reading.is_set():
            raise TimeoutError


@pytest.mark.parametrize(
    ("store", "change", "then"),
    [
        (SlowReads, ("POST", {"key": "k", "value": "new"}, {}), (200, "new")),
        (LosesAnswers, ("POST", {"key": "k", "value": "new"}, {}), (200, "new")),
        (SlowReads, ("DELETE /k", None, {}), (404, None)),
        (SlowReads, ("DELETE", None, {"secret": "s3"}), (404, None)),
    ],
    ids=["write", "unanswered write", "delete", "clear"],
)
def test_what_changes_while_it_is_read_is_not_cached(
    store: type[SlowReads],
    change: tuple[str, object, dict[str, str]],
    then: tuple[int, str | None],
) -> None:
    """The reader gets what it asked for; later ones don't get it for a minute."""

    async def overtake() -> tuple[Response, Response]:
        slow = store()
        api = kv(slow, secret="s3")
        await slow.put("k", "old")
        read = Request("GET", "/kv/k", {}, {}, b"")
        first = asyncio.ensure_future(_answer(api, read))
        await slow.reading.wait()
        (method, _, path), body, query = change[0].partition(" "), *change[1:]
        data = b"" if body is None else json.dumps(body).encode()
        with suppress(TimeoutError):
            await _answer(api, Request(method, f"/kv{path}", query, {}, data))
        slow.may_go_on.set()
        return await first, await _answer(api, read)

    before, after = asyncio.run(overtake())

    assert isinstance(before.body, dict)
    assert before.body["value"] == "old"
    assert isinstance(after.body, dict)
    assert after.body["cached"] is False
    assert (after.status, after.body.get("value")) == then


async def _answer(api: Router, request: Request) -> Response:
    answer = api.answer(request)
    response = await answer if inspect.isawaitable(answer) else answer
    assert isinstance(response, Response)
    return response


def test_readers_of_a_key_at_the_same_time_fill_the_cache_once() -> None:
    """However many there are, so that a key that is always being read is cached."""

    async def read_twice() -> list[Any]:
        slow = SlowReads()
        api = kv(slow)
        await slow.put("k", "v")
        read = Request("GET", "/kv/k", {}, {}, b"")
        pair = [asyncio.ensure_future(_answer(api, read)) for _ in range(2)]
        await slow.reading.wait()
        slow.may_go_on.set()
        return [*await asyncio.gather(*pair), await _answer(api, read)]

    assert [reply.body["cached"] for reply in asyncio.run(read_twice())] == [False, False, True]
