"""The door of the server: every request comes through here before anything else looks at it."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from planrunner.web.server.access import PageAccess
from planrunner.web.server.policy import HEADERS

__all__ = ["PageGate"]

_LOOKS: Final = ("GET", "HEAD")

_ENTRANCE: Final = """<!doctype html>
<meta charset="utf-8"><meta http-equiv="refresh" content="0; url={base}">
<link rel="icon" href="data:,"><title>planrunner</title>
<p><a href="{base}">Go on to the page</a></p>
"""
"""A page that goes on by itself. A redirection would still count as sent by the site that has the
link, and then a browser keeps a strict cookie back."""

_HINT: Final = "open the address that planrunner printed when it started"


class PageGate:
    """Lets requests through that may come in; what is behind it sees paths below `Access.base`.

    | request                                     | answer                                     |
    |---------------------------------------------|--------------------------------------------|
    | for another host                            | 403: a name that someone else has given us |
    | `/?token=…`, right                          | a cookie, and the way to the page          |
    | below the base, by the page or with a token | passed on                                  |
    | anything else                               | 403                                        |
    """

    def __init__(self, app: ASGIApp, access: PageAccess) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":  # there is nothing to upgrade to
            answer = self._answer(Request(scope))
            await (answer or self._behind)(scope, receive, _with_headers(send))

    async def _behind(self, scope: Scope, receive: Receive, send: Send) -> None:
        base = self._access.base
        inner = {**scope, "root_path": base.rstrip("/")}
        await self._app(inner, receive, send)

    def _answer(self, request: Request) -> Response | None:
        """Return what the gate answers itself; None for what comes through."""
        if not self._access.is_own_host(request.headers.get("host", "")):
            return _refused("this server doesn't go by that name")
        if request.url.path == "/":
            return self._entrance(request)
        if not request.url.path.startswith(self._access.base):
            return _refused("this page belongs to a run that has ended, or there is none")
        if reason := self._reason(request.headers, changes=request.method not in _LOOKS):
            return _refused(reason)
        return None

    def _entrance(self, request: Request) -> Response:
        access, query = self._access, request.query_params
        token, ticket = query.get("token", ""), query.get("ticket", "")
        if request.method not in _LOOKS or not access.admits(token=token, ticket=ticket):
            return _refused("the address has no token, or that of another run")
        page = _ENTRANCE.format(base=access.base)
        return HTMLResponse(page, headers={"set-cookie": access.set_cookie()})

    def _reason(self, headers: Headers, *, changes: bool) -> str:
        """Say why a request for something below the base is refused; empty when it isn't."""
        access, bearer = self._access, headers.get("authorization", "")
        if not access.knows(cookie=_cookie(headers, access.cookie), authorization=bearer):
            return "this browser has not been let in"
        if not bearer and not access.is_own_page(headers, changes=changes):
            return "the request comes from another site"
        content = headers.get("content-type", "").partition(";")[0]
        return "only JSON is taken" if changes and content != "application/json" else ""


def _refused(message: str) -> Response:
    return JSONResponse({"error": {"message": message, "hint": _HINT}}, 403)


def _cookie(headers: Headers, name: str) -> str:
    found = ""
    for header in headers.getlist("cookie"):
        try:
            morsel = SimpleCookie(header).get(name)
        except CookieError:
            continue
        found = morsel.value if morsel else found
    return found


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
