"""The server as an application: its routes, and the gate before them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from planrunner import __version__
from planrunner.web.server.access import PageAccess
from planrunner.web.server.gate import PageGate
from planrunner.web.server.live_runs import LiveRuns
from planrunner.web.server.run_routes import ApiError, RunRoutes, error_response

__all__ = ["application"]

_STATIC: Final = Path(__file__).parent.parent / "static"
_COLORS: Final = Path(__file__).parents[2] / "report" / "templates" / "colors.css"
"""Those of reports: the page's charts have the same."""


class _PageFiles(StaticFiles):
    """The page's own files: a browser asks each time whether they have changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "no-cache"
        return response


def application(access: PageAccess, runs: LiveRuns, routes: Iterable[BaseRoute] = ()) -> ASGIApp:
    """Return the server.

    Args:
        access: Who may use it.
        runs: Those that it shows.
        routes: What else it answers.
    """

    async def page(_: Request) -> Response:
        return FileResponse(_STATIC / "index.html", media_type="text/html; charset=utf-8")

    async def colors(_: Request) -> Response:
        return FileResponse(_COLORS, headers={"cache-control": "no-cache"})

    async def session(_: Request) -> Response:
        facts = {"mode": runs.mode, "version": __version__, "run": runs.current, **runs.facts()}
        return JSONResponse(facts)

    inner = Starlette(
        routes=[
            Route("/", page),
            Route("/api/session", session),
            *RunRoutes(runs).routes(),
            *routes,
            Route("/static/colors.css", colors),
            Mount("/static", _PageFiles(directory=_STATIC)),
        ],
        exception_handlers={ApiError: error_response},
        # Nothing is gained by it on one machine, and the load needs its processors.
        middleware=[] if access.is_local else [Middleware(GZipMiddleware)],
    )
    inner.router.redirect_slashes = False
    return PageGate(inner, access)
