"""Real tools: what they report is what the server counted."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from pathlib import Path

import pytest

from planrunner.tools.contract import ToolJob, ToolSample
from planrunner.tools.registry import named_tool
from planrunner.tools.tool_run import ToolEnd, ToolRun, ToolSetting
from tests.support.http_servers import HttpServer, Request, Wire, reply, serve
from tests.support.load_tools import need_tool, tool_environment
from tests.support.plans import running

pytestmark = pytest.mark.slow

LOCUSTFILE = """\
from locust import HttpUser, task

class Visitor(HttpUser):
    @task
    def look(self):
        for path in ("/a", "/a", "/missing"):
            self.client.get(path)
        self.client.get("/b?x=1", name="b")
        self.environment.runner.quit()
"""
ARTILLERY = """\
config:
  target: URL
  phases: [{duration: 1, arrivalCount: 2}]
  plugins: {expect: {outputFormat: silent}}
scenarios:
  - flow:
      - get: {url: /a, expect: [{statusCode: 200}]}
      - get: {url: "/missing?x=1", name: gone, expect: [{statusCode: 200}]}
      - get: {url: "http://127.0.0.1:1/down"}
"""
SUFFIXES = {"wrk": ".lua", "artillery": ".yaml"}
LUA = "request = function() return wrk.format('GET', '/a') end"


async def answer(request: Request, wire: Wire) -> None:
    """As servers answer that keep no connection of HTTP/1.0."""
    await wire.send(reply(404 if "missing" in request.target else 200, b"ok"))
    if b"HTTP/1.0" in request.raw:
        await wire.close()


def run_tool(
    name: str, folder: Path, *args: str, script: str = "", once: bool = False
) -> tuple[ToolEnd, list[ToolSample]]:
    """Run a tool; skips the test where it isn't installed, but not in CI."""
    tool = named_tool(name)
    environ = tool_environment()
    program = need_tool(name, environ)
    path = None
    if script:
        path = folder / "script"
        path = path.with_suffix(SUFFIXES.get(name, ".py"))
        path.write_text(script)
    job = ToolJob(program, path, args, folder / "work", once=once)
    setting = ToolSetting(folder, folder / "log", environ)
    found: list[ToolSample] = []
    ended = asyncio.run(ToolRun(tool, job, setting).run(found.extend))
    assert not ended.failed, ended.failed
    return ended, found


def sent_to(server: HttpServer) -> Counter[str]:
    return Counter(request.target for request in server.requests)


def told_in(found: list[ToolSample]) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for one in found:
        counts[one.request, one.failure] += one.count
    return counts


def test_locust(tmp_path: Path) -> None:
    """Names and failures are its own."""
    with running(serve(answer)) as server:
        _, found = run_tool("locust", tmp_path, "--host", server.url, script=LOCUSTFILE)

    assert sent_to(server) == {"/a": 2, "/missing": 1, "/b?x=1": 1}
    assert told_in(found) == {("GET /a", ""): 2, ("GET /missing", "status"): 1, ("GET b", ""): 1}
    assert all(one.took_ns and one.start_ns for one in found)


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node.js")
def test_artillery(tmp_path: Path) -> None:
    """With what its plugin expects; that some of it did not hold is a verdict, and no error."""
    with running(serve(answer)) as server:
        ended, found = run_tool("artillery", tmp_path, script=ARTILLERY.replace("URL", server.url))

    assert sent_to(server) == {"/a": 2, "/missing?x=1": 2}
    assert told_in(found) == {
        ("GET /a", ""): 2,
        ("gone", "status"): 2,
        ("GET http://127.0.0.1:1/down", "connect"): 2,
        ("statusCode", ""): 2,
        ("statusCode", "expect"): 2,
    }
    assert ended.verdict.endswith("expectations of its plugin `expect` failed")
    assert all(one.start_ns for one in found)


@pytest.mark.parametrize("name", ["ab", "hey"])
def test_tools_that_count_requests(name: str, tmp_path: Path) -> None:
    """All of them, and no other."""
    with running(serve(answer)) as server:
        _, good = run_tool(name, tmp_path, "-n", "20", "-c", "2", f"{server.url}/a")
        _, bad = run_tool(name, tmp_path, "-n", "20", f"{server.url}/missing", once=True)

    assert sent_to(server) == {"/a": 20, "/missing": 1}
    assert told_in(good) == {("GET /a", ""): 20}
    assert told_in(bad) == {("GET /missing", "status"): 1}


def test_wrk(tmp_path: Path) -> None:
    """It leaves at its end what is on its way, one request for each connection."""
    with running(serve(answer)) as server:
        url = f"{server.url}/missing"
        ended, found = run_tool("wrk", tmp_path, "-t1", "-c2", "-d1s", url, script=LUA)

    [(request, count)] = told_in(found).items()
    assert request == ("/missing", "")  # it knows one URL, whatever its script asks for
    assert 0 <= sent_to(server)["/a"] - count <= 2
    assert 0.9e9 < ended.lasted_ns < 5e9
    assert all(one.took_ns for one in found)
