"""The demo platform: login, workspaces, workflows that take a while, search, admin pages.

Every account that logs in owns its workspaces, and requests without a token share the guest's.
State lives in memory and is bounded; delays are drawn from a seeded generator.
"""

from __future__ import annotations

import random
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import field

from planrunner.demo.http_server import Request, Response, Router
from planrunner.values import dataclass

__all__ = ["platform"]

_MAX_SESSIONS = 20_000
_MAX_WORKSPACES = 20_000
_MAX_WORKFLOWS = 20_000
_WORKFLOW_SECONDS = 1.5
_GUEST = "guest"
_LISTED = 20
_TOPICS = ("python", "javascript", "docker", "kubernetes", "api")


@dataclass(slots=True)
class _Workspace:
    name: str
    owner: str
    notes: list[str] = field(default_factory=list)
    workflows: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Workflow:
    """One that its owner may run from any of its workspaces."""

    owner: str
    started_s: float | None = None


class _Platform:
    def __init__(self, seed: int, now_s: Callable[[], float]) -> None:
        self._rng = random.Random(seed)
        self._now_s = now_s
        self._sessions: OrderedDict[str, str] = OrderedDict()
        self._workspaces: OrderedDict[str, _Workspace] = OrderedDict()
        self._workflows: OrderedDict[str, _Workflow] = OrderedDict()
        self._next = 0

    def _delay_s(self, typical_ms: float) -> float:
        return self._rng.lognormvariate(0.0, 0.35) * typical_ms / 1000

    def _new_id(self, kind: str) -> str:
        self._next += 1
        return f"{kind}-{self._next}"

    # -- sessions ------------------------------------------------------------------------------

    def login(self, request: Request) -> Response:
        given = request.json()
        name = given.get("username") if isinstance(given, dict) else None
        if not isinstance(name, str) or given.get("password") != name.replace("user", "pass-"):
            return Response({"error": "wrong username or password"}, status=401)
        token = f"token-{self._rng.getrandbits(64):016x}"
        self._sessions[token] = name
        while len(self._sessions) > _MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return Response({"token": token}, delay_s=self._delay_s(5.0))

    def logout(self, request: Request) -> Response:
        self._sessions.pop(_token(request), None)
        return Response(status=204)

    def for_account(self, handler: Callable[[Request, str], Response]) -> Callable[..., Response]:
        """Return a handler that serves guests, and answers 401 to a token that is not valid."""

        def guarded(request: Request) -> Response:
            token = _token(request)
            account = self._sessions.get(token) if token else _GUEST
            if account is None:
                return Response({"error": "log in first"}, status=401)
            return handler(request, account)

        return guarded

    # -- workspaces ----------------------------------------------------------------------------

    def workspaces(self, _request: Request, account: str) -> Response:
        own = [
            {"id": identity, "name": workspace.name}
            for identity, workspace in self._workspaces.items()
            if workspace.owner == account
        ]
        return Response(own[-_LISTED:], delay_s=self._delay_s(3.0))

    def create_workspace(self, request: Request, account: str) -> Response:
        given = request.json()
        name = given.get("name") if isinstance(given, dict) else None
        if not isinstance(name, str) or not name:
            return Response({"error": "a workspace needs a name"}, status=400)
        identity = self._new_id("ws")
        self._workspaces[identity] = _Workspace(name, account)
        while len(self._workspaces) > _MAX_WORKSPACES:
            self._workspaces.popitem(last=False)
        return Response({"id": identity, "name": name}, status=201, delay_s=self._delay_s(6.0))

    def delete_workspace(self, request: Request, account: str) -> Response:
        if self._own(request, account) is None:
            return _missing("workspace")
        del self._workspaces[request.params["id"]]
        return Response(status=204)

    def _own(self, request: Request, account: str) -> _Workspace | None:
        workspace = self._workspaces.get(request.params["id"])
        return workspace if workspace is not None and workspace.owner == account else None

    # -- workflows -----------------------------------------------------------------------------

    def create_workflow(self, request: Request, account: str) -> Response:
        workspace = self._own(request, account)
        if workspace is None:
            return _missing("workspace")
        identity = self._new_id("wf")
        workspace.workflows = [*workspace.workflows, identity][-_LISTED:]
        self._workflows[identity] = _Workflow(account)
        while len(self._workflows) > _MAX_WORKFLOWS:
            self._workflows.popitem(last=False)
        return Response({"id": identity}, status=201, delay_s=self._delay_s(5.0))

    def workflows(self, request: Request, account: str) -> Response:
        workspace = self._own(request, account)
        if workspace is None:
            return _missing("workspace")
        own = [{"id": identity} for identity in workspace.workflows]
        return Response(own, delay_s=self._delay_s(3.0))

    def execute_workflow(self, request: Request, account: str) -> Response:
        workflow = self._own_workflow(request, account)
        if workflow is None:
            return _missing("workflow")
        workflow.started_s = self._now_s()
        return Response({"status": "running"}, status=202, delay_s=self._delay_s(4.0))

    def executions(self, request: Request, account: str) -> Response:
        workflow = self._own_workflow(request, account)
        if workflow is None:
            return _missing("workflow")
        if workflow.started_s is None:
            return Response({"status": "created"})
        done = self._now_s() - workflow.started_s >= _WORKFLOW_SECONDS
        return Response({"status": "done" if done else "running"}, delay_s=self._delay_s(2.0))

    def _own_workflow(self, request: Request, account: str) -> _Workflow | None:
        workflow = self._workflows.get(request.params["workflow"])
        is_own = workflow is not None and workflow.owner == account
        return workflow if is_own and self._own(request, account) is not None else None

    # -- knowledge -----------------------------------------------------------------------------

    def add_knowledge(self, request: Request, account: str) -> Response:
        workspace, given = self._own(request, account), request.json()
        if workspace is None:
            return _missing("workspace")
        if not isinstance(given, dict) or not isinstance(given.get("title"), str):
            return Response({"error": "a note needs a title"}, status=400)
        if len(workspace.notes) < 1000:
            workspace.notes.append(given["title"])
        return Response({"notes": len(workspace.notes)}, status=201, delay_s=self._delay_s(4.0))

    def search(self, request: Request, account: str) -> Response:
        workspace = self._own(request, account)
        if workspace is None:
            return _missing("workspace")
        word = request.query.get("query", "")
        hits = [title for title in workspace.notes if word in title]
        if word in _TOPICS:
            hits = hits or workspace.notes[:1]
        items = [{"title": title} for title in hits[:10]]
        return Response({"items": items, "total": len(hits)}, delay_s=self._delay_s(8.0))

    # -- the rest ------------------------------------------------------------------------------

    def health(self, _request: Request) -> Response:
        return Response({"status": "ok"})

    def admin(self, request: Request, _account: str) -> Response:
        page = request.path.rpartition("/")[2]
        body = {"page": page, "sessions": len(self._sessions), "items": []}
        return Response(body, delay_s=self._delay_s(10.0))

    def generate_project(self, request: Request) -> Response:
        given = request.json()
        name = given.get("name", "project") if isinstance(given, dict) else "project"
        return Response({"project": name, "files": 120}, delay_s=self._delay_s(250.0))

    def search_all(self, request: Request) -> Response:
        """Search a large set of data; long, and with a long reply."""
        limit = request.query.get("limit", "")
        count = min(int(limit), 1000) if limit.isascii() and limit.isdigit() else 10
        content = {"content": "x" * 200} if request.query.get("include_content") == "true" else {}
        items = [{"id": f"doc-{number}", **content} for number in range(count)]
        return Response({"items": items, "total": 100_000}, delay_s=self._delay_s(120.0))

    def analyze_codebase(self, request: Request) -> Response:
        given = request.json()
        if not isinstance(given, dict) or not isinstance(given.get("repository"), str):
            return Response({"error": "an analysis needs a repository"}, status=400)
        body = {"repository": given["repository"], "findings": 12}
        return Response(body, delay_s=self._delay_s(200.0))


def _token(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def _missing(what: str) -> Response:
    return Response({"error": f"no such {what}"}, status=404)


def platform(seed: int = 1, now_s: Callable[[], float] = time.monotonic) -> Router:
    """Return the platform's routes with fresh state; `now_s` is what workflows take time by."""
    state = _Platform(seed, now_s)
    workspace, workflow = "/api/workspaces/:id", "/api/workspaces/:id/workflows/:workflow"
    router = Router()
    router.add("GET", "/health", state.health)
    router.add("POST", "/api/auth/login", state.login)
    router.add("POST", "/api/auth/logout", state.logout)
    router.add("GET", "/api/workspaces", state.for_account(state.workspaces))
    router.add("POST", "/api/workspaces", state.for_account(state.create_workspace))
    router.add("DELETE", workspace, state.for_account(state.delete_workspace))
    router.add("GET", f"{workspace}/workflows", state.for_account(state.workflows))
    router.add("POST", f"{workspace}/workflows", state.for_account(state.create_workflow))
    router.add("POST", f"{workflow}/execute", state.for_account(state.execute_workflow))
    router.add("GET", f"{workflow}/executions", state.for_account(state.executions))
    router.add("POST", f"{workspace}/knowledge", state.for_account(state.add_knowledge))
    router.add("GET", f"{workspace}/knowledge/search", state.for_account(state.search))
    for page in ("metrics", "audit-logs", "users", "costs"):
        router.add("GET", f"/api/admin/{page}", state.for_account(state.admin))
    router.add("POST", "/api/generator/project", state.generate_project)
    router.add("GET", "/api/knowledge/search", state.search_all)
    router.add("POST", "/api/analysis/codebase", state.analyze_codebase)
    return router
