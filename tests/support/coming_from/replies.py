"""The shop that mappings are run against: what it answers, and what it counts."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.support.http_servers import Request, Respond, Wire, reply

__all__ = ["Shop"]


class Shop:
    """What a server answers: it counts logins, and an item is as good as another."""

    def __init__(self) -> None:
        self.logins = 0

    def respond(self) -> Respond:
        async def answer(request: Request, wire: Wire) -> None:
            await wire.send(self._reply(request.target.partition("?")[0], request.headers))

        return answer

    def _reply(self, path: str, headers: Mapping[str, str]) -> bytes:
        name, _, rest = path.removeprefix("/").partition("/")
        match name:
            case "status":
                made = reply(int(rest), b"{}")
            case "redirect":
                made = reply(302, b"", ("Location", "/landed"))
            case "digest" if "authorization" not in headers:
                asks = 'Digest realm="shop", nonce="n1", qop="auth"'
                made = reply(401, b"", ("WWW-Authenticate", asks))
            case "login":
                self.logins += 1
                cookie = ("Set-Cookie", f"sid={self.logins}; Path=/")
                made = _json(cookie, token=f"t{self.logins}")
            case "html":
                page = b'<html><body><input name="csrf" value="c1"></body></html>'
                made = reply(200, page, ("Content-Type", "text/html"))
            case "error":
                made = _json(error="no such item")
            case _:
                rows = [{"id": number, "name": f"n{number}"} for number in (1, 2, 3)]
                made = _json(ok=True, id=7, items=rows, total=3, path=path)
        return made


def _json(*headers: tuple[str, str], **content: object) -> bytes:
    fixed = (("Content-Type", "application/json"), ("X-Trace", "abc"))
    return reply(200, json.dumps(content).encode(), *fixed, *headers)
