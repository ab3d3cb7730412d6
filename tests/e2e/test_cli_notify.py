"""`notify:`: people are told what came of a run, and a run never depends on that."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
from typing import Any

import pytest

from planrunner.runner.notify import sender
from tests.support.http_servers import HttpServer, Request, Wire, closed_port, reply, serve
from tests.support.missing import hidden
from tests.support.plans import PlanProject, plan_text, running

pytestmark = pytest.mark.slow

COUNTED = "phases: [{users: 1, iterations: 3}]"


async def answer(request: Request, wire: Wire) -> None:
    """Take what is sent, unless the path says otherwise."""
    await wire.send(reply(500 if request.target.startswith("/broken") else 200, b"ok"))


def sent_to(server: HttpServer, path: str) -> dict[str, Any]:
    [request] = [one for one in server.requests if one.target == path]
    found: dict[str, Any] = json.loads(request.body)
    return found


def test_a_failing_run_tells_everybody_it_names(project: PlanProject, target: HttpServer) -> None:
    """A webhook gets JSON and the report, a chat its own form; one that fails is a notice."""
    with running(serve(answer)) as hooks:
        host = hooks.url.removeprefix("http://")
        notify = f"""
        params: {{hook: {{type: str, env: HOOK, default: null}}}}
        notify:
          - {{url: "${{hook}}", attach: [report.html]}}
          - {{url: "mmost://{host}/chat-token-2", on: always}}
          - {{url: "json://{host}/broken/path-token-3", on: change}}
        report: {{formats: [report.html]}}
        """
        text = plan_text(COUNTED, "thresholds: [count < 1]", notify, url=target.url)
        project.write({"plan.yaml": text})
        hook = f"hook={hooks.url}/hook?sig=query-token-1"

        ended = project.run("execute", "plan.yaml", "--set", hook)
        told = sent_to(hooks, "/hook?sig=query-token-1")
        chat = sent_to(hooks, "/hooks/chat-token-2")

    [page] = [path for name, path in ended.files.items() if name.endswith("report.html")]
    assert ended.code == 1
    assert (told["title"], told["type"]) == ("fail: test", "failure")
    assert "1 threshold, 1 broken\nfail: count < 1: 3, limit 1" in told["message"]
    assert base64.b64decode(told["attachments"][0]["base64"]) == page.read_bytes()
    assert chat["text"].startswith("fail: test\r\n1 threshold, 1 broken")
    [notice] = [one for one in ended.metrics["notices"] if "notification" in one]
    assert notice.startswith("notification 3 (json) was not delivered: ")
    assert "error=500" in notice
    assert notice in ended.out
    shown = [ended.out, ended.err, *(path.read_text("utf-8") for path in ended.files.values())]
    for token in ("query-token-1", "chat-token-2", "path-token-3"):
        assert not [text for text in shown if token in text]


def test_a_plan_that_is_repeated_tells_once(project: PlanProject, target: HttpServer) -> None:
    """What the medians come to, with the page of all runs; not for runs with --no-notify."""
    with running(serve(answer)) as hooks:
        notify = f"notify: [{{url: '{hooks.url}/hook', on: always}}]"
        project.write({"plan.yaml": plan_text(COUNTED, notify, url=target.url)})
        options = ("--repeat", "2", "--out", "out", "--formats", "metrics.json")

        ended = project.run("execute", "plan.yaml", *options)
        quiet = project.run("execute", "plan.yaml", "--no-notify", "--out", "quiet")
        told = sent_to(hooks, "/hook")

    assert (ended.code, quiet.code) == (0, 0)
    assert told["title"] == "pass: test"
    assert "medians of 2 runs" in told["message"]
    assert f"report: {project.directory / 'out' / 'index.html'}" in told["message"]


def test_who_does_not_answer_is_given_up(
    project: PlanProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a run that could not begin too; its exit code stays."""

    async def hang(_: Request, __: Wire) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(sender, "_MOST_S", 0.2)
    with running(serve(hang)) as hooks:
        notify = f"notify: [{{url: '{hooks.url}/hook'}}]"
        nobody = f"http://127.0.0.1:{closed_port()}"
        project.write({"plan.yaml": plan_text(COUNTED, notify, url=nobody)})

        ended = project.run("execute", "plan.yaml")

    assert ended.code == 3
    assert ended.err.endswith(
        "notice: notification 1 (http) was not delivered: no answer within 0 s\n"
    )


def test_urls_are_looked_at_before_anything_is_sent(project: PlanProject) -> None:
    """At their lines, and without their secrets."""
    notify = """
    notify:
      - {url: "foo://h.test/token-1"}
      - {url: "slack://token-2"}
      - {url: "syslog://"}
      - {url: "https://h.test/token-4"}
    """
    project.write({"plan.yaml": plan_text(notify)})

    ended = project.run("validate", "plan.yaml", "--no-exec")
    with hidden("apprise"):
        missing = project.run("execute", "plan.yaml")

    lines = ended.err.splitlines()
    assert [line for line in lines if line.startswith("plan.yaml:")] == [
        "plan.yaml:2:11: error[invalid-value]: no service has URLs that begin with `foo`",
        "plan.yaml:3:11: error[invalid-value]: the `slack` URL can't be used: An invalid Slack "
        "(first) Token (***) was specified.; Could not load Slack URL: ***",
        "plan.yaml:4:11: error[not-allowed]: `syslog` is refused: with --no-exec, a plan can't "
        "reach this machine",
        "plan.yaml: 3 errors",
    ]
    assert "token" not in ended.err
    assert (ended.code, missing.code) == (2, 2)
    assert "error[not-available]: `notify` needs the package apprise" in missing.err
    assert "planrunner[notify]" in missing.err or "pip install apprise" in missing.err


CONFINED = """
import os, socket, subprocess, sys
from planrunner.runner.notify.child import _confine
_confine([sys.argv[1]])
open(sys.argv[1]).close()
open(os.__file__).close()
import wave
tries = (
    lambda: open("/etc/hostname"),
    lambda: open(sys.argv[1], "w"),
    lambda: subprocess.run(["true"]),
    lambda: os.system("true"),
    lambda: socket.socket(socket.AF_UNIX).connect("/dev/log"),
)
for one in tries:
    try:
        one()
    except PermissionError as error:
        print(error)
"""


def test_a_stranger_s_url_reaches_the_network_only(project: PlanProject) -> None:
    """Whatever a service may do with its URL: read a template, start a program."""
    report = project.write({"report.html": "r"}).directory / "report.html"

    done = subprocess.run(
        [sys.executable, "-c", CONFINED, report], capture_output=True, text=True, check=True
    )

    assert [line.partition("can't ")[2] for line in done.stdout.splitlines()] == [
        "use files",
        "use files",
        "start anything",
        "start anything",
        "use this machine's services",
    ]
