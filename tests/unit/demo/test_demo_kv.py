"""The demo key-value API: its cache, what it deletes, and what it refuses."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Mapping
from typing import Any

from planrunner.demo.http_server import Request, Response, Router
from planrunner.demo.kv import kv


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
