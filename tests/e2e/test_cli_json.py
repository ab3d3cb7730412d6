"""What commands answer as JSON: one document on stdout, for programs and assistants."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import pytest

from planrunner.cli.group import cli
from tests.e2e.test_cli_clean import make_runs
from tests.support.plans import PlanProject

NO_ANSWER: Final = {
    "completion": "a script for the shell",
    "lsp": "serves editors in a protocol of its own",
    "mcp": "serves assistants in a protocol of its own",
    "schema": "is a document already",
}

PLAN: Final = """\
name: shop
params:
  secret: {type: str, secret: true, default: xyzzy}
http: {base_url: http://127.0.0.1:1, headers: {Authorization: "${secret}"}}
users:
  Reader:
    tasks:
      - {task: look, weight: 3, steps: [get: /a]}
      - {task: buy, steps: [get: /b]}
phases:
  - {name: rise, users: 4, ramp_up: 2s, hold: 8s}
thresholds:
  - p95 < 500ms
"""


def commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, f"{path}{name} ")
        elif command is not None:
            yield f"{path}{name}", command


def test_every_command_that_answers_does_so_as_json_too() -> None:
    without = {
        name
        for name, command in commands(cli)
        if not any("--json" in option.opts for option in command.params)
    }

    assert without == set(NO_ANSWER)


@pytest.fixture
def shop(project: PlanProject) -> PlanProject:
    (project.directory / "plan.yaml").write_text(PLAN)
    return project


def test_explain_tells_the_facts_of_a_plan(shop: PlanProject) -> None:
    ended = shop.run("explain", "plan.yaml", "--json")

    found = json.loads(ended.out)
    [phase] = found["phases"]
    assert (ended.code, found["duration_s"], found["hosts"]) == (0, 10, {"http": ["127.0.0.1"]})
    assert phase["users_at"] == [
        {"at_s": 0, "users": {"Reader": 0}},
        {"at_s": 2, "users": {"Reader": 4}},
        {"at_s": 10, "users": {"Reader": 4}},
    ]
    assert [task["share_percent"] for task in found["users"][0]["tasks"]] == [75, 25]
    assert found["thresholds"][0]["at"] == "plan.yaml:13:5"
    assert (found["names"]["tasks"], found["names"]["params"]) == (["look", "buy"], ["secret"])
    assert "xyzzy" not in ended.out


def test_explain_has_one_answer(shop: PlanProject) -> None:
    refused = shop.run("explain", "plan.yaml", "--json", "--graph", "mermaid")
    graph = shop.run("explain", "plan.yaml", "--json", "--graph", "json")

    assert (refused.code, refused.out) == (2, "")
    assert "`--json` and `--graph mermaid` are two answers" in refused.err
    assert json.loads(graph.out)["phases"]


def test_validate_has_a_short_form(shop: PlanProject) -> None:
    (shop.directory / "plan.yaml").write_text(PLAN.replace("users: 4", "usres: 4"))

    short, long = (
        shop.run("validate", "plan.yaml", *how) for how in (["--json"], ["--format", "json"])
    )

    assert (short.code, short.out, short.err) == (2, long.out, "")
    assert json.loads(short.out)[0]["line"] == 11


def test_fmt_says_what_became_of_each_file(shop: PlanProject) -> None:
    broken = shop.directory / "broken.yaml"
    broken.write_text("a: [")
    (shop.directory / "wide.yaml").write_text(PLAN.replace("name: shop", "name:   shop"))

    ended = shop.run("fmt", "--json", "--diff", "wide.yaml", "broken.yaml")

    wide, refused = json.loads(ended.out)
    assert (ended.code, wide["file"], wide["end"]) == (2, "wide.yaml", "changed")
    assert "-name:   shop" in wide["text"]
    assert (refused["end"], refused["faults"][0]["line"]) == ("refused", 1)


def test_history_and_clean_name_runs(project: PlanProject) -> None:
    make_runs(project, 3)

    history = json.loads(project.run("history", "reports", "--json").out)
    cleaned = json.loads(project.run("clean", "reports", "--keep", "1", "--json", "--dry-run").out)

    assert [run["run_id"] for run in history] == ["shop-0", "shop-1", "shop-2"]
    assert history[0]["directory"] == str(Path("reports/shop/0"))
    assert (history[0]["exit_code"], history[0]["verdict"]) == (0, "pass")
    assert cleaned == {
        "removed": [str(Path("reports/shop/0")), str(Path("reports/shop/1"))],
        "kept_old": 0,
        "dry_run": True,
    }


def test_a_run_is_told_as_its_metrics(project: PlanProject) -> None:
    make_runs(project, 1)
    run = project.directory / "reports/shop/0"

    ended = project.run("report", str(run), "--json")

    assert json.loads(ended.out) == json.loads((run / "metrics.json").read_text("utf-8"))


def test_what_writes_files_names_them(project: PlanProject) -> None:
    make_runs(project, 1)

    started = json.loads(project.run("init", "--json").out)
    promoted = json.loads(
        project.run("baseline", "promote", "reports/shop/0", "--to", "base.json", "--json").out
    )

    assert started == {"written": ["plan.yaml", "plan.schema.json"], "template": "shop"}
    assert promoted == {"run_id": "shop-0", "baseline": "base.json"}
