"""What browsers ask about a folder, and start from it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from planrunner.errors import UsageError
from planrunner.web.folder.choices import PlanChoices, choices_of
from planrunner.web.folder.order import RunOrder
from planrunner.web.folder.past import PastRunsOfFolder
from planrunner.web.folder.plans import PlansOfFolder
from planrunner.web.folder.runs import FolderRuns
from planrunner.web.live.live_run import LiveRun
from planrunner.web.server.policy import FILE_POLICY
from planrunner.web.server.run_routes import ApiError, body_of

__all__ = ["FolderRoutes"]


class FolderRoutes:
    """The routes of `planrunner ui`; what reads files has a thread, as viewers wait for none."""

    def __init__(self, plans: PlansOfFolder, past: PastRunsOfFolder, runs: FolderRuns) -> None:
        self._plans = plans
        self._past = past
        self._runs = runs
        self._reading = asyncio.Lock()
        self._confirmed: set[str] = set()

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("/api/plans", self._list),
            Route("/api/plans/{plan:path}/check", self._check, methods=["POST"]),
            Route("/api/plans/{plan:path}/start", self._start, methods=["POST"]),
            Route("/api/plans/{plan:path}", self._check),
            Route("/api/runs", self._history),
            Route("/api/runs/{run}/summary", self._summary),
            Route("/api/compare", self._compare),
            Route("/compare.html", self._compare_page),
        )

    async def _list(self, _: Request) -> Response:
        async with self._reading:
            rows = await asyncio.to_thread(self._plans.rows)
        return JSONResponse({"folder": str(self._plans.folder), "plans": rows})

    async def _check(self, request: Request) -> Response:
        body = await body_of(request) if request.method == "POST" else {}
        path = await self._plan(request)
        return JSONResponse(await self._checked(path, choices_of(body)))

    async def _plan(self, request: Request) -> Path:
        plan_id = request.path_params["plan"]
        path = await asyncio.to_thread(self._plans.find, plan_id)
        if path is None:
            raise ApiError(404, f"there is no plan `{plan_id}` in `{self._plans.folder}`")
        return path

    async def _checked(self, path: Path, choices: PlanChoices) -> dict[str, Any]:
        found = await asyncio.to_thread(self._plans.check, path, choices)
        return {**found, "confirmed": found["digest"] in self._confirmed}

    async def _start(self, request: Request) -> Response:
        body = await body_of(request)
        choices = choices_of(body.get("choices"))
        path = await self._plan(request)
        found = await self._checked(path, choices)
        if found["faults"]:
            raise ApiError(400, "the plan is not valid", faults=found["faults"])
        if found["commands"] and not found["confirmed"]:
            if body.get("confirmed") != found["digest"]:
                raise ApiError(
                    409,
                    "the plan runs commands on this machine",
                    hint="read them, and confirm that you want to run them",
                    needs="confirmation",
                    commands=found["commands"],
                    digest=found["digest"],
                )
            self._confirmed.add(found["digest"])
        order = RunOrder(path, choices, self._plans.environ, self._plans.no_exec, found["digest"])
        return JSONResponse({"run": await self._runs.start(order)}, 201)

    async def _history(self, _: Request) -> Response:
        async with self._reading:
            rows, notices = await asyncio.to_thread(self._past.rows)
        # Of a run whose reports are being written there is a file already.
        live = [_live_row(run) for run in self._runs.live() if not run.is_over]
        going = {row["id"] for row in live}
        over = [row for row in rows if row["id"] not in going]
        return JSONResponse({"runs": [*live, *over], "notices": notices})

    async def _summary(self, request: Request) -> Response:
        return JSONResponse(await self._asked(self._past.summary, request.path_params["run"]))

    async def _compare(self, request: Request) -> Response:
        return JSONResponse(await self._asked(self._past.comparison, *_two_runs(request)))

    async def _compare_page(self, request: Request) -> Response:
        page = await self._asked(self._past.comparison_page, *_two_runs(request))
        return HTMLResponse(page, headers={"content-security-policy": FILE_POLICY})

    async def _asked(self, question: Any, *about: str) -> Any:  # noqa: ANN401 - any of the past's
        async with self._reading:
            try:
                return await asyncio.to_thread(question, *about)
            except UsageError as error:
                raise ApiError(404, error.message, hint=error.hint) from error


def _two_runs(request: Request) -> tuple[str, str]:
    query = request.query_params
    return query.get("before", ""), query.get("after", "")


def _live_row(run: LiveRun) -> dict[str, Any]:
    state = run.state()
    totals, result = state["totals"], state["result"]
    requests, seconds = totals["requests"], state["status"]["second"]
    return {
        "id": run.id,
        "plan": run.facts["plan"],
        "plan_path": run.facts["plan_path"],
        "profile": run.facts["profile"],
        "started": state["status"]["started"],
        "duration_s": seconds,
        "verdict": result["verdict"] if result else None,
        "exit_code": result["exit_code"] if result else None,
        "requests": requests,
        "error_rate": totals["failed"] / requests if requests else None,
        "p95": totals["p95"],
        "rate": requests / seconds if seconds else None,
        "report": result["report"] if result else None,
        "live": not run.is_over,
        "directory": run.facts["directory"],
    }
