"""Question 17: what a task that is a function costs beside the same steps."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # it is a script too

import planrunner  # noqa: E402 - needs the path above
from benchmarks.processes import nginx, run  # noqa: E402 - as above

SHORT = 200
"""Iterations of the run that is taken off a longer one, and with it start and reports."""

BODY = {"name": "x", "note": "y" * 40, "numbers": [1, 2, 3]}


async def ten_gets(user: planrunner.User) -> None:
    for _ in range(10):
        await user.get("/kv/42")


async def one_get(user: planrunner.User) -> None:
    await user.get("/kv/42")


async def read_json(user: planrunner.User) -> None:
    user.vars["value"] = (await user.get("/kv/42")).json["value"]


async def post_json(user: planrunner.User) -> None:
    number = user.random.randint(1, 1_000_000)
    await user.post("/kv", json={**BODY, "n": number}, headers={"X-Number": str(number)})


POST = {
    "post": "/kv",
    "json": {**BODY, "n": "${number}"},
    "headers": {"X-Number": "${number}"},
}
KINDS: dict[str, tuple[Callable, list[dict], int]] = {
    "ten GETs": (ten_gets, [{"get": "/kv/42"}] * 10, 10),
    "one GET": (one_get, [{"get": "/kv/42"}], 1),
    "JSON read": (read_json, [{"get": "/kv/42", "extract": {"value": "$.value"}}], 1),
    "JSON sent": (post_json, [{"set": {"number": "${rand.int(1, 1000000)}"}}, POST], 1),
}
"""A function, the same as steps, and how many requests that is."""


def function_tasks(rounds: int, seconds: int) -> dict:
    """CPU of a request of one user, by a function and by steps in turns."""
    raw: dict[str, list[dict[str, float]]] = {name: [] for name in KINDS}
    with nginx(cpu=0) as port:
        for name, found in raw.items():
            given = (str(port), name, str(rounds), str(seconds * 3_000))
            outcome = run([sys.executable, __file__, *given], cpu=1)
            if outcome.exit_code:
                raise RuntimeError(outcome.output + outcome.errors)
            found.extend(json.loads(outcome.output))
            print(f"  {name}: {found[-1]}", flush=True)
    return {"summary": summarise(raw), "us_per_request": raw}


def summarise(raw: dict[str, list[dict[str, float]]]) -> list[str]:
    """Compare in each turn."""
    ratios = {
        name: median(one["function"] / one["steps"] for one in found) for name, found in raw.items()
    }
    shown = ", ".join(f"{name} {ratio:.2f} ×" for name, ratio in ratios.items())
    return [f"CPU per request of a function beside steps: {shown} (target 1.3)"]


def _turns(port: int, name: str, turns: int, requests: int) -> list[dict[str, float]]:
    function, steps, each = KINDS[name]
    tasks = {"steps": [{"task": "t", "steps": steps}], "function": {"t": function}}
    plans = {
        way: {size: _plan(port, task, size) for size in (SHORT, SHORT + requests // each)}
        for way, task in tasks.items()
    }
    found = []
    for turn in range(turns + 1):  # the first one is warm-up
        cost = {}
        for way in list(plans)[:: -1 if turn % 2 else 1]:
            (few, short), (many, long) = plans[way].items()
            spent_s = _cpu_s(long) - _cpu_s(short)
            cost[way] = round(spent_s / (many - few) / each * 1e6, 2)
        found.append(cost)
    return found[1:]


def _plan(port: int, tasks: object, iterations: int) -> planrunner.Plan:
    return planrunner.Plan(
        http={"base_url": f"http://127.0.0.1:{port}"},
        users={"U": {"tasks": tasks}},
        phases=[{"name": "main", "users": 1, "iterations": iterations}],
        report={"formats": ["metrics.json"], "samples": "none"},
    )


def _cpu_s(plan: planrunner.Plan) -> float:
    with tempfile.TemporaryDirectory() as folder:
        began_s = time.process_time()
        result = planrunner.run(plan, out=Path(folder) / "run")
        spent_s = time.process_time() - began_s
    if result.total.failed:
        raise RuntimeError(result.explain())
    return spent_s


if __name__ == "__main__":
    _, of_port, of_kind, of_turns, of_requests = sys.argv
    answer = _turns(int(of_port), of_kind, int(of_turns), int(of_requests))
    sys.stdout.write(json.dumps(answer))
