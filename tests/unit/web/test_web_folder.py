"""The page of a folder: what it says of plans, and what it takes to start one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from planrunner.results.files.metrics_json import write_metrics
from tests.support.results import make_result
from tests.support.web_pages import ServedFolder, served_folder

SHOP = """\
name: the "shop" <script>
params:
  users: {type: int, default: 2, min: 1, help: how many}
  key: {type: str, default: swordfish, secret: true}
services: {shop: {demo: shop}}
http: {base_url: "${services.shop.url}"}
users:
  Buyer: {wait: 10ms, tasks: [{get: /products, tags: [read]}, {get: "/products/1?key=${key}"}]}
profiles:
  quick: [{name: look, users: "${users}", hold: 300ms}]
  slow: [{name: stay, users: "${users}", hold: 10m}]
"""

COMMANDS = """\
name: commands
http: {base_url: "http://127.0.0.1:9"}
services:
  api: {run: "true --port 9"}
users: {A: {tasks: [{get: /}]}}
phases: [{name: p, users: 1, hold: 1s}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Plans, and a file that is none."""
    monkeypatch.chdir(tmp_path)
    plans = tmp_path / "my plans"
    (plans / "more").mkdir(parents=True)
    (plans / "shop.yaml").write_text(SHOP)
    (plans / "more" / "commands.yaml").write_text(COMMANDS)
    (plans / "broken.yaml").write_text("users: {A: {tasks: [{gte: /}]}}\n")
    (plans / "compose.yaml").write_text("services: {db: {image: postgres}}\n")
    return plans


@pytest.fixture
def served(folder: Path) -> Iterator[ServedFolder]:
    with served_folder(folder) as page:
        yield page


@pytest.fixture
def browser(served: ServedFolder) -> Iterator[httpx.Client]:
    with served.browser() as client:
        yield client


def posted(browser: httpx.Client, page: ServedFolder, path: str, **body: Any) -> httpx.Response:
    return browser.post(page.url(f"api/plans/{path}"), json=body)


def test_plans_are_those_that_look_like_it(served: ServedFolder, browser: httpx.Client) -> None:
    """With what is wrong with them."""
    rows = browser.get(served.url("api/plans")).json()["plans"]

    assert [(row["id"], row["name"], row["valid"]) for row in rows] == [
        ("broken.yaml", "broken.yaml", False),
        ("more/commands.yaml", "commands", True),
        ("shop.yaml", 'the "shop" <script>', True),
    ]


def test_a_plan_is_checked_anew_when_a_file_of_it_has_changed(
    served: ServedFolder, browser: httpx.Client, folder: Path
) -> None:
    """Its own, or one that it imports."""
    (folder / "shop.yaml").write_text(f"imports: [gates.yml]\n{SHOP}")
    seen = []
    for limit in ("1s", "a second", "2s"):
        (folder / "gates.yml").write_text(f"thresholds: [p95 < {limit}]\n")
        rows = browser.get(served.url("api/plans")).json()["plans"]
        seen.append({row["id"]: row["valid"] for row in rows}["shop.yaml"])

    assert seen == [True, False, True]


def test_a_form_has_what_the_plan_has(served: ServedFolder, browser: httpx.Client) -> None:
    """Typed params, but no secret; what can be selected; what would happen."""
    plan = browser.get(served.url("api/plans/shop.yaml")).json()

    assert [(one["name"], one["type"], one["default"]) for one in plan["params"]] == [
        ("users", "int", "2"),
        ("key", "str", None),
    ]
    assert plan["profiles"] == ["quick", "slow"]
    assert plan["tags"] == ["read"]
    assert "at most 2 users" in plan["explain"]
    assert "swordfish" not in json.dumps(plan)


def test_a_wrong_value_is_found_where_it_is_typed(
    served: ServedFolder, browser: httpx.Client
) -> None:
    """And the form keeps its fields."""
    plan = posted(browser, served, "shop.yaml/check", params={"users": "many"}).json()

    assert [one["message"] for one in plan["faults"]] == [
        "`users` from `--set`: must be a whole number, got the text `many`"
    ]
    assert [one["name"] for one in plan["params"]] == ["users", "key"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("no-such.yaml/check", {}, 404),
        ("..%2Fsecret.yaml/check", {}, 404),
        ("shop.yaml/check", {"profile": "no-such"}, 200),
        ("shop.yaml/check", {"params": [1]}, 400),
        ("shop.yaml/check", {"workers": 0}, 400),
        ("shop.yaml/check", {"pharses": []}, 400),
        ("shop.yaml/start", {"choices": {"profile": "no-such"}}, 400),
        ("broken.yaml/start", {"choices": {}}, 400),
    ],
)
def test_what_cannot_be_is_said(
    served: ServedFolder, browser: httpx.Client, path: str, body: dict[str, Any], status: int
) -> None:
    """In words, and nothing runs."""
    answer = posted(browser, served, path, **body)

    said = answer.json()
    assert answer.status_code == status
    assert said["faults"] if status == 200 else said["error"]["message"]
    assert browser.get(served.url("api/session")).json()["run"] is None


def test_commands_are_agreed_to_as_they_are_on_disk(
    served: ServedFolder, browser: httpx.Client, folder: Path
) -> None:
    """A plan that was changed meanwhile, or Python code that it can run, asks again."""
    asked = posted(browser, served, "more/commands.yaml/start", choices={})
    file = folder / "more" / "commands.yaml"
    file.write_text(COMMANDS.replace("true --port", "rm -rf /tmp/x --port"))
    again = posted(
        browser, served, "more/commands.yaml/start", choices={}, confirmed=asked.json()["digest"]
    )
    (folder / "more" / "hooks.py").write_text("")
    third = posted(
        browser, served, "more/commands.yaml/start", choices={}, confirmed=again.json()["digest"]
    )

    (folder / "more" / "lib").mkdir()
    imported = folder / "more" / "lib" / "deep.py"
    file.write_text(COMMANDS + "hooks: hooks.py\n")
    (folder / "more" / "hooks.py").write_text("from lib import deep\n")
    digests = set()
    for text in ("ONE = 1", "ONE = 2"):
        imported.write_text(text)
        digests.add(browser.get(served.url("api/plans/more/commands.yaml")).json()["digest"])

    assert [one.status_code for one in (asked, again, third)] == [409] * 3
    assert len(digests) == 2
    assert asked.json()["needs"] == "confirmation"
    assert [one["command"] for one in again.json()["commands"]] == ["rm -rf /tmp/x --port 9"]


def test_no_exec_holds(folder: Path) -> None:
    """Whatever a person agrees to."""
    with served_folder(folder, no_exec=True) as page, page.browser() as browser:
        plan = browser.get(page.url("api/plans/more/commands.yaml")).json()
        answer = posted(
            browser, page, "more/commands.yaml/start", choices={}, confirmed=plan["digest"]
        )

    assert plan["faults"][0]["code"] == "not-allowed"
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("said", "runs"),
    [
        ("", []),
        ("out/run-${run.id}", ["out/run-1", "out/run-2"]),
        ("${folder}/now", ["kept/now"]),
    ],
)
def test_history_has_what_plans_write(
    served: ServedFolder, browser: httpx.Client, folder: Path, said: str, runs: list[str]
) -> None:
    """Wherever they say that it goes."""
    report = f'report: {{dir: "{said}"}}' if said else ""
    plan = SHOP.replace("params:", "params:\n  folder: {type: str, default: kept}")
    (folder / "shop.yaml").write_text(f"{plan}{report}\n")
    for name in ("reports/shop/1", "out/run-1", "out/run-2", "kept/now"):
        directory = folder.parent / name
        directory.mkdir(parents=True)
        write_metrics(make_result(run_id=name), directory / "metrics.json")

    found = browser.get(served.url("api/runs")).json()["runs"]

    assert sorted(row["directory"] for row in found) == [*runs, "reports/shop/1"]


@pytest.mark.slow
def test_a_run_is_started_watched_stopped_and_found_again(
    served: ServedFolder, browser: httpx.Client
) -> None:
    """One at a time; each is a process of its own, and its reports are kept."""
    choices = {"profile": "slow", "params": {"users": "3"}, "labels": {"by": "me"}}
    started = posted(browser, served, "shop.yaml/start", choices=choices)
    run = started.json()["run"]
    other = posted(browser, served, "shop.yaml/start", choices={"profile": "quick"})
    with browser.stream("GET", served.url(f"api/runs/{run}/events?after=0")) as events:
        states = _states(events, browser, served.url(f"api/runs/{run}/stop"))
    state = browser.get(served.url(f"api/runs/{run}/state")).json()
    history = browser.get(served.url("api/runs")).json()["runs"]
    summary = browser.get(served.url(f"api/runs/{run}/summary")).json()
    report = browser.get(served.url(summary["report"]))

    assert (started.status_code, other.status_code) == (201, 409)
    assert states == ["running", "stopping", "reporting", "ended"]
    assert state["columns"]["users"]["Buyer"][0] == 3
    assert state["run"]["labels"] == {"by": "me"}
    assert summary["result"]["ended_because"] == "stopped from the live page"
    assert [(one["id"], one["exit_code"], one["live"]) for one in history] == [(run, 130, False)]
    assert report.text.startswith("<!doctype html>")
    assert os.fspath(Path.cwd()) not in summary["directory"]


def _states(events: httpx.Response, browser: httpx.Client, stop: str) -> list[str]:
    """Return the states of a run that is stopped after its first second."""
    found: list[str] = []
    for line in events.iter_lines():
        if not line.startswith("data: "):
            continue
        update = json.loads(line.removeprefix("data: "))
        state = update.get("status", {}).get("state")
        if state and state not in found:
            found.append(state)
        if "column" in update and found == ["running"]:
            browser.post(stop, json={"how": "graceful"}).raise_for_status()
        if (update.get("result") or {}).get("files"):
            break
    return found
