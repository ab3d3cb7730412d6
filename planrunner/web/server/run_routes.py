"""What browsers ask about one run, and of it."""

from __future__ import annotations

import json
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from planrunner.web.feed.messages import LoadAsked, PageAsks, StopAsked
from planrunner.web.live.hub import LiveHub
from planrunner.web.server.event_stream import EventStream
from planrunner.web.server.live_runs import LiveRuns
from planrunner.web.server.policy import FILE_POLICY

__all__ = ["ApiError", "RunRoutes", "body_of", "error_response"]

_MOST_BYTES: Final = 1_000_000
_SHOWN: Final = (".html", ".svg", ".png", ".txt", ".md", ".log")
"""Files that a browser shows; it saves others."""


class ApiError(Exception):
    """A request that can't be fulfilled.

    Attributes:
        more: Further keys of the answer.
    """

    def __init__(self, status: int, message: str, *, hint: str = "", **more: Any) -> None:  # noqa: ANN401 - JSON
        super().__init__(message)
        self.status, self.message, self.hint, self.more = status, message, hint, more


async def error_response(_: Request, error: Exception) -> Response:
    """Answer what a route has raised."""
    assert isinstance(error, ApiError)
    said = {"message": error.message, "hint": error.hint}
    return JSONResponse({"error": said, **error.more}, error.status)


async def body_of(request: Request) -> dict[str, Any]:
    """Return the JSON object that was sent.

    Raises:
        ApiError: There is none.
    """
    sent = b""
    async for chunk in request.stream():
        sent += chunk
        if len(sent) > _MOST_BYTES:
            raise ApiError(400, "the request is too large")
    try:
        found = json.loads(sent or b"{}")
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "the request is not JSON") from error
    if not isinstance(found, dict):
        raise ApiError(400, "the request is not a JSON object")
    return found


class RunRoutes:
    """The routes of single runs.

    Args:
        runs: Those that there are.
    """

    def __init__(self, runs: LiveRuns) -> None:
        self._runs = runs

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("/api/runs/{run}/state", self._state),
            Route("/api/runs/{run}/events", self._events),
            Route("/api/runs/{run}/stop", self._stop, methods=["POST"]),
            Route("/api/runs/{run}/load", self._load, methods=["POST"]),
            Route("/runs/{run}/report.html", self._file),
            Route("/runs/{run}/files/{name}", self._file),
        )

    def _hub(self, request: Request) -> LiveHub:
        run_id = request.path_params["run"]
        hub = self._runs.hub(run_id)
        if hub is None:
            raise ApiError(404, f"there is no live run `{run_id}`")
        return hub

    async def _state(self, request: Request) -> Response:
        return Response(self._hub(request).state(), media_type="application/json")

    async def _events(self, request: Request) -> ASGIApp:
        seen = request.headers.get("last-event-id") or request.query_params.get("after", "0")
        return EventStream(self._hub(request), int(seen) if seen.isdecimal() else 0)

    async def _stop(self, request: Request) -> Response:
        hub, body = self._hub(request), await body_of(request)
        how = body.get("how", "graceful")
        if how not in ("graceful", "at_once"):
            raise ApiError(400, "`how` is `graceful` or `at_once`")
        return self._asked(hub, StopAsked(at_once=how == "at_once"))

    async def _load(self, request: Request) -> Response:
        hub, body = self._hub(request), await body_of(request)
        phase, how, level = (body.get(name, "") for name in ("phase", "how", "level"))
        if how not in ("set", "pause", "resume"):
            raise ApiError(400, "`how` is `set`, `pause` or `resume`")
        return self._asked(hub, LoadAsked(str(phase), how, str(level)))

    def _asked(self, hub: LiveHub, request: PageAsks) -> Response:
        if hub.run.has_ended:
            raise ApiError(409, "the run has ended")
        self._runs.ask(hub.run.id, request)
        return JSONResponse({}, 202)

    async def _file(self, request: Request) -> Response:
        run_id = request.path_params["run"]
        name = request.path_params.get("name", "report.html")
        found = self._runs.files(run_id)
        if found is None or name not in found.names:
            raise ApiError(404, f"run `{run_id}` has no file `{name}`")
        return FileResponse(
            found.directory / name,
            headers={"content-security-policy": FILE_POLICY},
            filename=None if name.endswith(_SHOWN) else name,
        )
