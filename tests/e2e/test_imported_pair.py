"""A Locust file and a script of k6 against the demo platform, and what an import makes of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from planrunner.demo import HttpServer
from planrunner.demo.http_server import Request
from planrunner.demo.platform import platform
from planrunner.plan.yaml.document import parse
from planrunner.tools.installed import find_program
from planrunner.tools.registry import named_tool
from tests.support.imported_pair import IN_ORDER, K6_SCRIPT, LOCUSTFILE
from tests.support.plans import PlanProject, running

pytestmark = pytest.mark.slow

LOCUST: Final = Path(__file__).parents[2] / ".tools" / "locust" / "bin"


class Counted(NamedTuple):
    """A platform that counts what it is asked for."""

    url: str
    requests: Counter[str]


@asynccontextmanager
async def counting() -> AsyncIterator[Counted]:
    """Serve a platform of its own."""
    router = platform()
    counted: Counter[str] = Counter()
    answer = router.answer

    def counts(request: Request) -> Any:
        query = {**request.query, **({"query": "*"} if "query" in request.query else {})}
        said = f"{request.method} {request.path} {sorted(query.items())} {request.body.decode()}"
        counted[re.sub(r"(-)([a-z]{8,10}|\d+)(?=[/\"} ])", r"\1*", said).replace(" ", "")] += 1
        return answer(request)

    router.answer = counts  # type: ignore[method-assign]
    server = HttpServer(router)
    yield Counted(f"http://127.0.0.1:{await server.start()}", counted)
    await server.stop()


def run_tool(name: str, words: list[str], folder: Path, **environ: str) -> str:
    """Run a tool; skips the test where it isn't installed, but not in CI."""
    tool = named_tool(name)
    place = {**os.environ, "PATH": f"{LOCUST}{os.pathsep}{os.environ['PATH']}", **environ}
    program = find_program(tool, place)
    if not program:
        assert not os.environ.get("CI"), f"{name} is missing: {tool.install}"
        pytest.skip(f"needs {name}: {tool.install}")
    ended = subprocess.run(
        [program, *words],
        cwd=folder,
        env=place,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert not ended.returncode, ended.stdout + ended.stderr
    return ended.stdout


def test_tasks_of_a_locust_file_send_what_locust_sends(
    project: PlanProject,
) -> None:
    """Each task once, in its order; and Locust picks each as often as the plan weighs it."""
    files = {"locustfile.py": LOCUSTFILE, "in_order.py": IN_ORDER}
    made = project.write(files)
    imported = made.run("import", "locustfile.py", "--output", "plan.yaml")
    assert imported.code == 0, imported.err
    with running(counting()) as original:
        words = ["-f", "in_order.py", "--headless", "-u", "3", "-r", "3", "--host", original.url]
        printed = run_tool("locust", words, made.directory)
    with running(counting()) as ours:
        ended = made.run("execute", "plan.yaml", "--once", "--set", f"host={ours.url}")

    assert ended.code == 0, ended.out
    assert ours.requests == original.requests
    assert original.requests.total() == 16
    [line] = [one for one in printed.splitlines() if one.startswith("{")]
    users = parse((made.directory / "plan.yaml").read_text(), "plan.yaml").data["users"]
    assert json.loads(line) == {
        name: {task["task"]: task.get("weight", 1) for task in one["tasks"]}
        for name, one in users.items()
    }


def test_iterations_of_a_script_of_k6_send_and_check_what_k6_does(
    project: PlanProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project.write({"load.js": K6_SCRIPT})
    imported = made.run("import", "load.js", "--output", "plan.yaml", "--allow-loss")
    assert imported.code == 0, imported.err
    with running(counting()) as original:
        words = ["run", "--quiet", "--summary-export", "k6.json", "load.js"]
        run_tool("k6", words, made.directory, BASE_URL=original.url)
    with running(counting()) as ours:
        monkeypatch.setenv("BASE_URL", ours.url)
        ended = made.run("execute", "plan.yaml")

    assert ended.code == 0, ended.out
    assert ours.requests == original.requests
    assert original.requests.total() == 3 * 3 + 2 * 2  # the first iteration finds no workspace
    checks = json.loads((made.directory / "k6.json").read_text())["metrics"]["checks"]
    held = re.findall(r"\(soft\) +(\d+) +0$", ended.out, re.MULTILINE)
    assert sum(map(int, held)) == checks["passes"] == 3 * 8 + 2 * 4
    assert len(held) == 12
