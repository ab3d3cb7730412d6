"""The demo platform: accounts own what they create, and workflows take their time."""

from __future__ import annotations

import json

from planrunner.demo.http_server import Request, Response
from planrunner.demo.platform import platform


class Visitor:
    """Talks to the routes without a socket; the shop's tests cover the wire."""

    def __init__(self, token: str = "") -> None:
        self.now_s = 0.0
        self._router = platform(now_s=lambda: self.now_s)
        self._headers = {"authorization": f"Bearer {token}"} if token else {}

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


def listed(reply: Response) -> list[object]:
    assert isinstance(reply.body, list)
    return reply.body


def test_only_a_token_that_is_not_valid_is_turned_away() -> None:
    """A request without one is a guest's, so that plans without a login run too."""
    visitor, forger = Visitor(), Visitor("made-up")

    assert [forger.ask("GET", path).status for path in ("/api/workspaces", "/health")] == [401, 200]
    assert forger.ask("GET", "/api/admin/metrics").status == 401
    assert visitor.ask("GET", "/api/workspaces").body == []
    assert visitor.ask("GET", "/api/admin/metrics").status == 200


def test_guests_and_accounts_see_nothing_of_each_other() -> None:
    """The guest is an account like the others."""
    visitor = Visitor()
    visitor.ask("POST", "/api/workspaces", {"name": "of a guest"})
    assert len(listed(visitor.ask("GET", "/api/workspaces"))) == 1

    visitor.log_in()

    assert listed(visitor.ask("GET", "/api/workspaces")) == []


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


def test_workflows_of_a_workspace_are_listed() -> None:
    """Those of the account; another account's workspace is not there."""
    visitor = Visitor()
    visitor.log_in()
    workspace = visitor.ask("POST", "/api/workspaces", {"name": "w"}).body
    assert isinstance(workspace, dict)
    path = f"/api/workspaces/{workspace['id']}/workflows"

    before = listed(visitor.ask("GET", path))
    made = visitor.ask("POST", path, {}).body

    assert before == []
    assert listed(visitor.ask("GET", path)) == [made]
    visitor.log_in("002")
    assert visitor.ask("GET", path).status == 404


def test_heavy_routes_answer_at_length() -> None:
    """A large search has as many items as asked for; an analysis needs something to analyze."""
    visitor = Visitor()
    wide = {"query": "all of it", "limit": "100", "include_content": "true"}

    found = visitor.ask("GET", "/api/knowledge/search", query=wide).body
    odd = visitor.ask("GET", "/api/knowledge/search", query={"limit": "²"}).body
    analyzed = visitor.ask("POST", "/api/analysis/codebase", {"repository": "example/repo"})

    assert isinstance(found, dict)
    assert isinstance(odd, dict)
    assert [len(found["items"]), len(odd["items"])] == [100, 10]
    assert all(item["content"] for item in found["items"])
    assert analyzed.status == 200
    assert visitor.ask("POST", "/api/analysis/codebase", {}).status == 400
    assert visitor.ask("POST", "/api/generator/project", {"name": "x"}).status == 200
