"""The assistant: chat completions, GraphQL, rooms to talk in, and logs of when what was sent."""

from __future__ import annotations

import time
from collections.abc import Callable

from planrunner.demo.assistant.chat import SUBPROTOCOL, Rooms
from planrunner.demo.assistant.completions import Completions
from planrunner.demo.http_server import Router

__all__ = ["assistant"]


def assistant(seed: int = 1, now_ns: Callable[[], int] = time.perf_counter_ns) -> Router:
    """Return the assistant's routes with fresh state; `now_ns` is what its log tells time by."""
    from planrunner.demo.assistant.catalogue import Catalogue  # noqa: PLC0415 - other demos need no GraphQL

    completions = Completions(seed, now_ns)
    router = Router()
    router.add("GET", "/health", completions.health)
    router.add("GET", "/v1/models", completions.models)
    router.add("POST", "/v1/chat/completions", completions.complete)
    router.add("GET", "/log", completions.log)
    router.add("POST", "/graphql", Catalogue().answer)
    rooms = Rooms(seed, now_ns)
    router.add_socket("/chat", rooms.enter, SUBPROTOCOL)
    router.add("GET", "/chat/log", rooms.log)
    return router
