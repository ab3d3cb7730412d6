"""Chat completions as OpenAI's API has them: at once, or as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import field
from typing import Any, Final

from planrunner.demo.assistant.answers import MODELS, PlannedAnswer, plan_answer
from planrunner.demo.http_server import AnyResponse, Request, Response, StreamedResponse
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["Completions", "SentTokens"]

_MOST_LOGGED: Final = 20_000
_MOST_TOKENS: Final = 10_000
_SSE: Final = "text/event-stream; charset=utf-8"


@dataclass(slots=True)
class SentTokens:
    """When the tokens of an answer left.

    Attributes:
        id: Of the completion, which each of its chunks has too.
        asked_ns: When the request was there.
        sent_ns: When each token was written.
        is_whole: The client was there for all of it.
    """

    id: str
    asked_ns: int
    sent_ns: list[int] = field(default_factory=list)
    is_whole: bool = False


class Completions:
    """The state of `/v1/chat/completions`.

    Attributes:
        sent: The log of the latest answers, oldest first.
    """

    def __init__(self, seed: int, now_ns: Callable[[], int]) -> None:
        self._seed = seed
        self._now_ns = now_ns
        self._count = 0
        self.sent: deque[SentTokens] = deque(maxlen=_MOST_LOGGED)

    def health(self, _request: Request) -> Response:
        return Response({"status": "ok"})

    def models(self, _request: Request) -> Response:
        data = [{"id": name, "object": "model", "context": context} for name, context in MODELS]
        return Response({"object": "list", "data": data})

    def log(self, request: Request) -> Response:
        """AnyResponse with when the tokens of each answer left, by the clock of the machine."""
        wanted = request.query.get("id")
        return Response(
            [
                {
                    "id": one.id,
                    "asked_ns": one.asked_ns,
                    "sent_ns": one.sent_ns,
                    "whole": one.is_whole,
                }
                for one in self.sent
                if wanted in (None, one.id)
            ]
        )

    def complete(self, request: Request) -> AnyResponse:
        asked_ns = self._now_ns()
        given = request.json()
        if (wrong := _wrong(given)) is not None:
            return wrong
        self._count += 1
        entry = SentTokens(f"chatcmpl-{self._count}", asked_ns)
        most = given.get("max_completion_tokens", given.get("max_tokens"))
        answer = plan_answer(self._seed, self._count, most)
        self.sent.append(entry)
        usage = _usage(given["messages"], len(answer.tokens))
        chunk = {"id": entry.id, "object": "chat.completion.chunk", "model": given["model"]}
        if given.get("stream"):
            pieces = self._events(entry, answer, chunk, usage)
            return StreamedResponse(pieces, _SSE, headers=(("Cache-Control", "no-cache"),))
        return _whole(chunk, answer, usage)

    async def _events(
        self,
        entry: SentTokens,
        answer: PlannedAnswer,
        chunk: dict[str, Any],
        usage: dict[str, int],
    ) -> AsyncGenerator[bytes]:
        """Yield each token when it is due by the plan, and the end."""
        due_ns = entry.asked_ns
        delta: dict[str, str] = {"role": "assistant"}
        for token, delay_s in zip(answer.tokens, answer.delays_s, strict=True):
            due_ns += round(delay_s * NS_PER_S)
            await asyncio.sleep(max(0, due_ns - self._now_ns()) / NS_PER_S)
            piece = _event({**chunk, "choices": [_choice({**delta, "content": token}, None)]})
            entry.sent_ns.append(self._now_ns())
            yield piece
            delta = {}
        end = {**chunk, "choices": [_choice({}, _reason(answer))], "usage": usage}
        yield _event(end) + b"data: [DONE]\n\n"
        entry.is_whole = True


def _event(value: object) -> bytes:
    return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"


def _choice(delta: dict[str, str], reason: str | None) -> dict[str, object]:
    return {"index": 0, "delta": delta, "finish_reason": reason}


def _reason(answer: PlannedAnswer) -> str:
    return "length" if answer.is_cut else "stop"


def _whole(chunk: dict[str, Any], answer: PlannedAnswer, usage: dict[str, int]) -> Response:
    message = {"role": "assistant", "content": "".join(answer.tokens)}
    choice = {"index": 0, "message": message, "finish_reason": _reason(answer)}
    body = {**chunk, "object": "chat.completion", "choices": [choice], "usage": usage}
    return Response(body, delay_s=sum(answer.delays_s))


def _usage(messages: list[dict[str, str]], completion: int) -> dict[str, int]:
    prompt = sum(len(message["content"].split()) for message in messages)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def _wrong(given: Any) -> Response | None:  # noqa: ANN401 - whatever the client sent
    """Return what a request that asks for nothing is answered."""
    if not isinstance(given, dict):
        return _refusal(400, "send a JSON object", None)
    if given.get("model") not in dict(MODELS):
        return _refusal(404, "there is no such model: ask for `demo`", "model")
    messages = given.get("messages")
    if not isinstance(messages, list) or not messages or not all(map(_is_message, messages)):
        return _refusal(400, "`messages` is a list of roles with their content", "messages")
    for key in ("max_tokens", "max_completion_tokens"):
        most = given.get(key, 1)
        if type(most) is not int or not 1 <= most <= _MOST_TOKENS:
            return _refusal(400, f"`{key}` is a number from 1 to {_MOST_TOKENS}", key)
    return None


def _is_message(message: object) -> bool:
    if not isinstance(message, dict):
        return False
    return isinstance(message.get("role"), str) and isinstance(message.get("content"), str)


def _refusal(status: int, words: str, param: str | None) -> Response:
    error = {"message": words, "type": "invalid_request_error", "param": param, "code": None}
    return Response({"error": error}, status=status)
