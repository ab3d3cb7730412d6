"""The demo of a set of small services: lists behind a key, document processing, a front page."""

from __future__ import annotations

import random
import secrets

from planrunner.demo.http_server import Request, Response, Router

__all__ = ["API_KEY", "passport"]

API_KEY = "only-for-the-demo"

_ITEMS = 40
_PAGE = b"<!doctype html><title>Demo services</title><h1>Demo services</h1>"


class _Services:
    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)

    def _delay_s(self, typical_ms: float) -> float:
        return self._rng.lognormvariate(0.0, 0.35) * typical_ms / 1000

    def page(self, _request: Request) -> Response:
        return Response(_PAGE, delay_s=self._delay_s(1.0))

    def health(self, _request: Request) -> Response:
        return Response({"status": "ok"})

    def ping(self, _request: Request) -> Response:
        return Response({"pong": True})

    def listing(self, request: Request) -> Response:
        if not secrets.compare_digest(request.headers.get("x-api-key", ""), API_KEY):
            return Response({"error": "send X-API-Key"}, status=401)
        name = request.path.rpartition("/")[2]
        items = [{"id": f"{name}-{number}"} for number in range(_ITEMS)]
        return Response({"items": items}, delay_s=self._delay_s(4.0))


def passport(seed: int = 5) -> Router:
    """Return the routes of all the services; each of them is asked for its own."""
    api = _Services(seed)
    router = Router()
    for path in ("/", "/docs"):
        router.add("GET", path, api.page)
    for path in ("/health", "/api/health"):
        router.add("GET", path, api.health)
    router.add("GET", "/api/ping", api.ping)
    for name in ("masterlist", "dsclist", "crl"):
        router.add("GET", f"/v1/{name}", api.listing)
    return router
