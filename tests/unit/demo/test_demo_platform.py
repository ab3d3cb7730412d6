"""The demo platform: accounts own what they create, and workflows take their time."""

from __future__ import annotations

import json

from planrunner.demo.http_server import Request, Response
from planrunner.demo.platform import platform


class Visitor:
    """Talks to the routes without a socket; the shop's tests cover the wire."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._router = platform(now_s=lambda: self.now_s)
        self._headers: dict[str, str] = {}

    def ask(
        self, method: str, path: str, body: object = None, query: dict[str, str] | None = None
    ) -> Response:
        data = b"" if body is None else json.dumps(body).encode()
        return self._router.answer(Request(method, path, query or {}, self._headers, data))

    def log_in(self, number: str = "001") -> None:
        reply = self.ask(
            "POST",
            "/api/auth/login",
            {"username": f"user{number}", "password": f"pass-{number}"},
        )
        assert isinstance(reply.body, dict)
        self._headers = {"authorization": f"Bearer {reply.body['token']}"}


def test_strangers_are_turned_away() -> None:
    """Nothing but login, health and the generator answers without a token."""
    visitor = Visitor()

    assert visitor.ask("GET", "/api/workspaces").status == 401
    assert visitor.ask("GET", "/api/admin/metrics").status == 401
    assert visitor.ask("GET", "/health").status == 200
    assert visitor.ask("POST", "/api/generator/project", {"name": "x"}).status == 200


def test_wrong_password_is_refused() -> None:
    """A login with another account's password gives no token."""
    reply = Visitor().ask(
        "POST", "/api/auth/login", {"username": "user001", "password": "pass-002"}
    )

    assert reply.status == 401


def test_accounts_see_their_own_workspaces_only() -> None:
    """What one account creates, another can neither list nor delete."""
    visitor = Visitor()
    visitor.log_in("001")
    created = visitor.ask("POST", "/api/workspaces", {"name": "mine"}).body
    assert isinstance(created, dict)
    visitor.log_in("002")

    assert visitor.ask("GET", "/api/workspaces").body == []
    assert visitor.ask("DELETE", f"/api/workspaces/{created['id']}").status == 404
    visitor.log_in("001")
    assert visitor.ask("DELETE", f"/api/workspaces/{created['id']}").status == 204


def test_workflow_is_done_after_a_while() -> None:
    """An execution runs for a second and a half before it is done."""
    visitor = Visitor()
    visitor.log_in()
    workspace = visitor.ask("POST", "/api/workspaces", {"name": "w"}).body
    assert isinstance(workspace, dict)
    base = f"/api/workspaces/{workspace['id']}/workflows"
    workflow = visitor.ask("POST", base, {}).body
    assert isinstance(workflow, dict)
    path = f"{base}/{workflow['id']}"
    visitor.ask("POST", f"{path}/execute", {})

    assert visitor.ask("GET", f"{path}/executions").body == {"status": "running"}
    visitor.now_s = 1.5
    assert visitor.ask("GET", f"{path}/executions").body == {"status": "done"}


def test_search_finds_what_was_added() -> None:
    """An empty workspace has no hits; a note is found by its words."""
    visitor = Visitor()
    visitor.log_in()
    workspace = visitor.ask("POST", "/api/workspaces", {"name": "w"}).body
    assert isinstance(workspace, dict)
    base = f"/api/workspaces/{workspace['id']}/knowledge"

    first = visitor.ask("GET", f"{base}/search", query={"query": "note"}).body
    visitor.ask("POST", base, {"title": "note one"})
    second = visitor.ask("GET", f"{base}/search", query={"query": "note"}).body

    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert (first["total"], second["total"]) == (0, 1)
