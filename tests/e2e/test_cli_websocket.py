"""WebSocket plans against the demo assistant, whole."""

from __future__ import annotations

import pytest

import planrunner
from tests.support.plans import PlanProject

pytestmark = pytest.mark.slow

PLAN = """
name: rooms
params:
  password: {type: str, default: open-sesame, secret: true}
services: {assistant: {demo: assistant}}
http: {base_url: "${services.assistant.url}", headers: {X-Password: "${password}"}}
users:
  Chatter:
    on_start:
      - ws.connect: {url: "/chat?room=1", on: kept}
      - ws.receive: {on: kept, until: json.type == 'welcome'}
    steps:
      - ws.connect: {url: "/chat?room=${user.id + 2}", on: own, subprotocols: [chat.v1]}
      - ws.receive: {on: own, name: welcome, until: json.type == 'welcome', extract: {me: $.id}}
      - repeat: 2
        do:
          - ws.send: {on: own, json: {type: say, text: "${password}"}}
          - ws.receive:
              on: own
              name: echo
              until: json.type == 'said'
              timeout: 5s
              expect: {json: {$.from: "${me}"}, time: < 5s}
      - ws.send: {on: kept, json: {type: say, text: "${password}"}}
      - ws.receive: {on: kept, name: all, until: json.type == 'said', timeout: 5s}
  Misled:
    steps:
      - ws.connect: {url: "/health"}
      - ws.receive: {name: never}
      - ws.send: {text: unsent}
phases:
  - {users: {Chatter: 2, Misled: 1}, iterations_per_user: 2}
thresholds:
  - p95 of echo < 5s
  - max unmatched of echo < 100
  - count of error:connect == 2
report: {formats: [metrics.json, results.csv]}
"""


def test_a_run(project: PlanProject) -> None:
    """Kept connections last, others end; what can't be sent ends its iteration."""
    project.write({"plan.yaml": PLAN})

    ended = project.run_apart("execute", "plan.yaml", "--workers", "2", "--out", "out")

    assert ended.code == 0, ended.out + ended.err
    rows = [(row["endpoint"], row["status_code"], row["kind"]) for row in ended.rows]
    names = sorted({row["endpoint"] for row in ended.rows})
    assert names == [
        "all",
        "echo",
        "never",
        "welcome",
        "ws.connect /chat?room=${user.id + 2}",
        "ws.connect /health",
    ]
    assert rows.count(("echo", "OK", "")) == 8
    assert rows.count(("all", "OK", "")) == 4
    assert rows.count(("ws.connect /health", "200", "status")) == 2
    assert [row for row in rows if row[0] == "never"] == [("never", "0", "connect")] * 2
    assert {row["protocol"] for row in ended.rows} == {"ws"}
    assert "open-sesame" not in "".join(map(str, ended.rows))


def test_once_shows_what_was_said(project: PlanProject) -> None:
    """Each message that was sent and each that fit, secrets masked."""
    project.write({"plan.yaml": PLAN.replace("/health", "/chat")})

    ended = project.run_apart("execute", "plan.yaml", "--once", "--verbose")

    assert "GET ws://127.0.0.1:" in ended.out
    assert '"type": "say"' in ended.out
    assert '"type": "said"' in ended.out
    assert "X-Password: ***" in ended.out
    assert "open-sesame" not in ended.out


async def talk(user: planrunner.User) -> None:
    """Talk as the steps of a plan do."""
    await user.ws.connect(url="/chat")
    welcome = await user.ws.receive(name="welcome", until="json.type == 'welcome'")
    await user.ws.send(json={"type": "say", "text": "by a function"})
    said = await user.ws.receive(name="said", until="json.type == 'said'")
    if said.json["from"] != welcome.json["id"]:
        user.fail("somebody else was heard")
    await user.ws.close()


def test_functions_talk_too() -> None:
    """What a function opens is known to its other requests."""
    result = planrunner.run(
        planrunner.Plan(
            services={"assistant": {"demo": "assistant"}},
            http={"base_url": "${services.assistant.url}"},
            ws={"ping": "20s"},
            users={"Chatter": {"tasks": {"talk": talk}}},
            phases=[{"users": 1, "iterations": 3}],
        )
    )

    assert [result.requests[name].count for name in ("welcome", "said")] == [3, 3]
    assert not result.failures
