"""The demo assistant answers as OpenAI's API does, and says when each token left."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import Any

import httpx
import pytest

from planrunner.demo import HttpServer
from planrunner.demo.assistant.answers import plan_answer
from planrunner.demo.assistant.routes import assistant
from planrunner.units import NS_PER_S

ASKED = {"model": "demo", "max_tokens": 3, "messages": [{"role": "user", "content": "say it all"}]}


def ask(*bodies: Any) -> list[httpx.Response]:
    """Serve the assistant and return its replies to each body, and its log."""

    async def serve() -> list[httpx.Response]:
        server = HttpServer(assistant(seed=7))
        base = f"http://127.0.0.1:{await server.start()}"
        try:
            async with httpx.AsyncClient(base_url=base, trust_env=False) as client:
                replies = [await client.post("/v1/chat/completions", json=body) for body in bodies]
                return [*replies, await client.get("/log")]
        finally:
            await server.stop()

    return asyncio.run(serve())


def test_a_streamed_answer_is_server_sent_events() -> None:
    """A chunk for each token, the usage in the last one, and the mark of the end."""
    streamed, log = ask({**ASKED, "stream": True})
    *chunks, end = [line.removeprefix("data: ") for line in streamed.text.split("\n\n") if line]
    *tokens, last = [json.loads(chunk) for chunk in chunks]

    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert end == "[DONE]"
    assert [token["choices"][0]["delta"] for token in tokens] == [
        {"role": "assistant", "content": "Once"},
        {"content": " upon"},
        {"content": " a"},
    ]
    assert last["choices"] == [{"index": 0, "delta": {}, "finish_reason": "length"}]
    assert last["usage"] == {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}
    (logged,) = log.json()
    assert logged["id"] == last["id"]
    assert logged["whole"] is True


def test_no_token_leaves_before_the_seed_says_so() -> None:
    """The log has the truth, which is never earlier than the plan of the answer."""
    _, log = ask({**ASKED, "stream": True})
    (logged,) = log.json()
    took_s = [(b - a) / NS_PER_S for a, b in pairwise((logged["asked_ns"], *logged["sent_ns"]))]

    assert took_s[0] >= plan_answer(7, 1, 3).delays_s[0] - 1e-9
    assert sum(took_s) >= sum(plan_answer(7, 1, 3).delays_s) - 1e-6
    assert plan_answer(7, 1, 3) == plan_answer(7, 1, 3) != plan_answer(8, 1, 3)


def test_an_answer_may_come_at_once() -> None:
    """Without `stream` it is one JSON object, after the same time."""
    whole, _ = ask(ASKED)

    assert whole.json()["choices"][0]["message"]["content"] == "Once upon a"
    assert whole.json()["usage"]["completion_tokens"] == 3


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ([], 400, None),
        ({**ASKED, "model": "other"}, 404, "model"),
        ({**ASKED, "messages": []}, 400, "messages"),
        ({**ASKED, "messages": [{"role": "user"}]}, 400, "messages"),
        ({**ASKED, "max_tokens": 0}, 400, "max_tokens"),
    ],
)
def test_what_asks_for_nothing_is_refused(body: object, status: int, param: str | None) -> None:
    """With an error as the API words it."""
    refused, log = ask(body)

    assert (refused.status_code, refused.json()["error"]["param"]) == (status, param)
    assert log.json() == []
