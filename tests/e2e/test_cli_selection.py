"""Options that pick a part of a plan, or change it: for `execute`, `validate` and `explain`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from planrunner.cli.plan_names import names_in
from tests.support.http_servers import HttpServer, always, reply, serve
from tests.support.plans import PlanProject, plan_text, running

PLAN = """
params:
  area: {type: str, default: east, env: AREA}
  token: {type: str, env: TOKEN, secret: true, default: null}
environments:
  staging: {area: north}
users:
  Reader:
    tasks:
      - {get: "/home/${area}", name: home, tags: [fast]}
      - {task: search, tags: {kind: slow}, steps: [{get: "/search"}]}
  Writer: {tasks: [{post: /items, name: create}]}
profiles:
  smoke: [{name: only, users: 2, hold: 200ms}]
  load:
    - {name: low, users: 2, hold: 200ms, only: {users: [Reader]}, params: {area: west}}
    - {name: high, users: 4, hold: 200ms, skip: {tags: [kind]}, thresholds: [p95 < 10s]}
"""


@pytest.fixture
def target() -> Iterator[HttpServer]:
    with running(serve(always(reply(200, b"ok")))) as server:
        yield server


def paths(target: HttpServer) -> Counter[str]:
    return Counter(request.target for request in target.requests)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--user", "Writer"), {"/items"}),
        (("--task", "search", "--task", "create"), {"/search", "/items"}),
        (("--tag", "fast"), {"/home/east"}),
        (("--skip-tag", "fast", "--skip-tag", "kind=slow"), {"/items"}),
        (("--profile", "load", "--phase", "low"), {"/home/west", "/search"}),
        (("--profile", "load", "--phase", "high"), {"/home/east", "/items"}),
        (("--user", "Reader", "--task", "home", "--env", "staging"), {"/home/north"}),
        (("--tag", "fast", "--override", "users.Reader.tasks.home.get=/x"), {"/x"}),
        (("--tag", "fast", "--env-file", ".env"), {"/home/from file"}),
    ],
)
def test_only_what_is_selected_is_sent(
    project: PlanProject,
    target: HttpServer,
    options: tuple[str, ...],
    expected: set[str],
) -> None:
    """And all of it."""
    project.write({"plan.yaml": plan_text(PLAN, url=target.url), ".env": "AREA='from file'\n"})

    ended = project.run("execute", "plan.yaml", "--quiet", *options)

    assert ended.code == 0, ended.err
    assert {path.replace("%20", " ") for path in paths(target)} == expected


def test_the_environment_wins_over_files_and_the_last_file_over_others(
    project: PlanProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with docker compose; `--env` and `--set` win over both."""
    project.write({"plan.yaml": plan_text(PLAN), "a.env": "AREA=one", "b.env": "AREA=two"})
    files = ("--env-file", "a.env", "--env-file", "b.env")

    def area(*options: str) -> str:
        # A threshold shows the value without a run.
        shown = ("--override", "thresholds=['p95 of tag:${area} < 1s']")
        ended = project.run("validate", "plan.yaml", *shown, *options)
        return ended.err.split("is called `")[1].split("`")[0]

    assert area() == "east"
    assert area(*files) == "two"
    monkeypatch.setenv("AREA", "three")
    assert area(*files) == "three"
    assert area(*files, "--env", "staging") == "north"
    assert area(*files, "--env", "staging", "--set", "area=four") == "four"


def test_env_files_are_read_only_when_asked_for(project: PlanProject) -> None:
    """A `.env` beside the plan changes nothing by itself."""
    plan = plan_text("params: {key: {env: API_KEY, default: 1, type: int}}")
    project.write({"plan.yaml": plan, ".env": "API_KEY=many"})

    assert project.run("validate", "plan.yaml").code == 0
    ended = project.run("validate", "plan.yaml", "--env-file", ".env")
    assert ended.code == 2
    assert "from the environment variable `API_KEY`" in ended.err


def test_a_faulty_env_file_is_a_misuse(project: PlanProject) -> None:
    """With its line, and without what may be a secret."""
    project.write({"plan.yaml": plan_text(), ".env": "A=1\ns3cret\n"})

    ended = project.run("validate", "plan.yaml", "--env-file", ".env")

    assert ended.code == 2
    assert "error: .env:2: not a variable" in ended.err
    assert "s3cret" not in ended.err


@pytest.mark.parametrize("command", ["execute", "validate", "explain"])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--user", "Raeder"), "no user class is called `Raeder`"),
        (("--task", "x"), "the plan has the tasks `home`, `search`, `create`"),
        (("--profile", "laod"), "did you mean `load`?"),
        (("--phase", "low"), "the plan has the phases `only`"),
        (("--user", "Writer", "--tag", "fast"), "the selection leaves nothing"),
    ],
)
def test_a_selection_of_nothing_is_an_error(
    project: PlanProject, command: str, options: tuple[str, ...], words: str
) -> None:
    """A run without load must not pass."""
    project.write({"plan.yaml": plan_text(PLAN)})

    ended = project.run(command, "plan.yaml", *options)

    assert ended.code == 2
    assert "error[empty-selection]" in ended.err
    assert words in ended.err


def test_explain_shows_what_is_selected_and_changed(project: PlanProject) -> None:
    """The same options as for `execute`."""
    project.write({"plan.yaml": plan_text(PLAN)})

    ended = project.run(
        "explain", "plan.yaml", "--profile", "load", "--user", "Reader", "--users", "7"
    )

    assert "of profile load" in ended.out
    assert "at most 7 users" in ended.out
    assert "with area = west" in ended.out
    assert "Reader runs only home" in ended.out
    assert "Writer (" not in ended.out
    assert "user class `Writer` left out" in ended.out


COMMANDS = """
hooks: hooks.py
services: {app: {run: node index.js}}
flows: {clean: [{group: g, do: [{exec: make clean}]}]}
users:
  A:
    on_start: [{python: make_token}]
    tasks: [{task: t, steps: [{if: "true", then: [{get: /}], else: [{exec: ls}]}]}]
"""


@pytest.mark.parametrize("command", ["execute", "validate", "explain"])
def test_no_exec_refuses_whatever_would_run_here(project: PlanProject, command: str) -> None:
    """Each at its key; nothing of it is run."""
    project.write({"plan.yaml": plan_text(COMMANDS), "hooks.py": "def make_token(): pass\n"})

    ended = project.run(command, "plan.yaml", "--no-exec")

    places = [line.split(": error[not-allowed]: ") for line in ended.err.splitlines()]
    found = [parts[1].split(" is refused")[0] for parts in places if len(parts) == 2]
    assert ended.code == 2
    assert sorted(found) == ["`exec`", "`exec`", "`hooks`", "`python`", "`run`"]
    assert "plan.yaml:2:18: error[not-allowed]" in ended.err


def test_no_exec_minds_nothing_else(project: PlanProject, target: HttpServer) -> None:
    """A plan that only sends requests runs; what isn't called `exec` as a step is no step."""
    users = 'users: {A: {tasks: [{post: /, json: {exec: x, python: y, run: "z"}}]}}'
    project.write(
        {"plan.yaml": plan_text(users, "phases: [{users: 1, iterations: 3}]", url=target.url)}
    )

    assert project.run("execute", "plan.yaml", "--quiet", "--no-exec").code == 0


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("params", ["area=", "token="]),
        ("environments", ["staging"]),
        ("profiles", ["smoke", "load"]),
        ("phases", ["only", "low", "high"]),
        ("users", ["Reader", "Writer"]),
        ("tasks", ["home", "search", "create"]),
        ("tags", ["fast", "kind", "kind=slow"]),
    ],
)
def test_shells_complete_what_the_plan_names(
    project: PlanProject, kind: str, expected: list[str]
) -> None:
    """Nothing for a plan that can't be read: there is nobody to tell."""
    project.write({"plan.yaml": plan_text(PLAN), "bad.yaml": "name: ["})

    assert names_in(project.directory / "plan.yaml", kind) == expected
    assert names_in(project.directory / "bad.yaml", kind) == []


@pytest.mark.slow
def test_bash_asks_for_the_names_of_the_plan_on_the_line(project: PlanProject) -> None:
    """Through click's own protocol."""
    project.write({"plan.yaml": plan_text(PLAN)})

    ended = project.run_apart(
        env={
            "_PLANRUNNER_COMPLETE": "bash_complete",
            "COMP_WORDS": "planrunner execute plan.yaml --profile load --phase ",
            "COMP_CWORD": "6",
        }
    )

    assert ended.out.split() == ["plain,low", "plain,high"]


@pytest.mark.slow
def test_labels_are_in_every_report(project: PlanProject, target: HttpServer) -> None:
    """So that runs can be found and compared; one without a name is a misuse."""
    project.write({"plan.yaml": plan_text(PLAN, url=target.url)})
    reports = "metrics.json,report.html,junit.xml"
    options = ("--out", "out", "--label", "branch=main", "--label", "build=1=2")

    ended = project.run("execute", "plan.yaml", "--formats", reports, *options)

    assert "branch=main" in ended.out
    assert "build=1=2" in ended.out
    written = {name: (project.directory / "out" / name).read_text() for name in reports.split(",")}
    assert json.loads(written["metrics.json"])["labels"] == {"branch": "main", "build": "1=2"}
    assert "build=1=2" in written["report.html"]
    assert "build=1=2" in written["junit.xml"]

    assert project.run("execute", "plan.yaml", "--label", "main").code == 2
