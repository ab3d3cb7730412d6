"""A protocol of another package, installed and used: planrunner itself knows nothing of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planrunner.protocols import registry
from tests.support.echo_servers import ECHO, EchoServer, install, serve_echo
from tests.support.plans import PlanProject, running

PLAN = """\
name: echo
echo: {{address: "127.0.0.1:{port}"}}
preflight:
  - echo.send: {{text: are you there}}
users:
  Talker:
    on_start:
      - poll: {{echo.send: {{text: "ready?"}}}}
        until: echoed == 'ready?'
    steps:
      - echo.send:
          text: hello ${{iteration}} of ${{user.class}}
          name: greet
          expect: {{text: "hello ${{iteration}} of Talker"}}
          extract: {{number: "1"}}
          tags: [polite]
      - {{if: "echoed != body", then: [{{log: never}}]}}
      - echo.send: {{text: "!no"}}
      - echo.send: {{text: unseen, measure: false}}
      - parallel: [{{echo.send: {{text: a}}}}, {{echo.send: {{text: b}}}}]
      - while: "loops is not defined or echoed != 'c'"
        max: 3
        do:
          - set: {{loops: 1}}
          - echo.send: {{text: c}}
phases: [{{users: 2, iterations: 10}}]
thresholds:
  - p95 of greet < 5s
  - count of greet == 10
  - count of echo.send == 50
  - count of status:REFUSED == 10
  - count of tag:polite == 10
  - max length of greet < 30
  - max length of greet > 16
  - p95 ttfb of greet < 5s
"""


@pytest.fixture
def server() -> Iterator[EchoServer]:
    with running(serve_echo()) as server:
        yield server


@pytest.fixture
def echo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package is installed for the length of a test."""
    site = tmp_path / "site"
    site.mkdir()
    install(ECHO, site, monkeypatch)
    yield
    monkeypatch.undo()
    registry.forget_packages()


@pytest.fixture
def talking(project: PlanProject, server: EchoServer, echo: None) -> PlanProject:
    del echo
    text = PLAN.format(port=server.port)
    return project.write({"plan.yaml": text})


def test_without_the_package_the_step_is_unknown(project: PlanProject) -> None:
    """The key is an error like any other."""
    ended = project.write({"plan.yaml": PLAN.format(port=1)}).run("validate", "plan.yaml")

    assert ended.code == 2
    assert "unknown key `echo.send`" in ended.err


def test_it_is_validated_and_explained(talking: PlanProject) -> None:
    """Steps, settings and names of the reply are checked as for every protocol."""
    assert talking.run("validate", "plan.yaml").code == 0
    explained = talking.run("explain", "plan.yaml").out

    assert "greet" in explained
    assert "sends echo with the streams client" in explained


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("echo.send: {text: a}", "echo.sned: {text: a}", "did you mean `echo.send`?"),
        ("echo.send: {text: a}", "echo.send: {txt: a}", "did you mean `text`?"),
        ("text: a}", "text: '${nothing}'}", "unknown name `nothing`"),
        ('echo: {address: "127.0.0.1', 'echo: {adress: "127.0.0.1', "did you mean `address`?"),
        ('echo: {address: "127.0.0.1:', 'x-echo: {address: "', "does not say where the echo"),
        ("until: echoed ==", "until: ehoed ==", "did you mean `echoed`?"),
        ("max length of", "max lenght of", "did you mean `length`?"),
        ("ttfb of greet < 5s", "size of greet < 5MB", "echo requests have no `size`"),
    ],
)
def test_its_mistakes_are_said_with_their_place(
    talking: PlanProject, right: str, wrong: str, message: str
) -> None:
    """Line, column and what was meant, from the models of the package."""
    file = talking.directory / "plan.yaml"
    text = file.read_text()
    assert right in text
    file.write_text(text.replace(right, wrong, 1))

    ended = talking.run("validate", "plan.yaml")

    assert ended.code == 2
    assert message in ended.err
    assert ended.err.startswith("plan.yaml:")


def test_it_runs_and_is_judged_and_reported(talking: PlanProject, server: EchoServer) -> None:
    """Counts equal the server's; status, failures and tags have the package's own words."""
    formats = "results.csv,report.html,junit.xml,summary.md"
    ended = talking.run("execute", "plan.yaml", "--out", "out", "--formats", formats)

    assert ended.code == 0, ended.out + ended.err
    metrics = json.loads((talking.directory / "out" / "metrics.json").read_text())
    assert metrics["totals"]["total_requests"] == 50
    assert metrics["totals"]["failed_requests"] == 10
    with (talking.directory / "out" / "results.csv").open() as rows:
        found = [
            (row["endpoint"], row["method"], row["status_code"]) for row in csv.DictReader(rows)
        ]
    assert found.count(("greet", "send", "OK")) == 10
    assert found.count(("echo.send !no", "send", "REFUSED")) == 10
    assert len(found) == 50
    observed = {one["threshold"]: one["observed"] for one in metrics["judgements"]}
    assert observed["max length of greet > 16"] == "17"
    assert metrics["measures"] == [
        {"name": "length", "unit": "number", "protocols": ["echo"]},
        {"name": "ttfb", "unit": "ns", "protocols": ["echo"]},
    ]
    for name in ("report.html", "junit.xml", "summary.md"):
        assert "greet" in (talking.directory / "out" / name).read_text("utf-8")
    assert server.lines.count("unseen") == 10
    assert server.lines.count("ready?") == 2


@pytest.mark.slow
def test_two_workers_find_it_too(talking: PlanProject, server: EchoServer) -> None:
    """Each of them is an interpreter of its own."""
    ended = talking.run("execute", "plan.yaml", "--out", "out", "--workers", "2", "--quiet")

    assert ended.code == 0, ended.err
    assert sum(line.startswith("hello") for line in server.lines) == 10


def test_once_shows_its_steps(talking: PlanProject) -> None:
    """A client that can't show what it sends has its names, replies and verdicts shown."""
    ended = talking.run("execute", "plan.yaml", "--once", "-v")

    assert ended.code == 1  # `!no` is refused
    assert "greet" in ended.out
    assert "hello 0 of Talker" in ended.out
    assert "REFUSED" in ended.out


def test_a_server_that_is_down_ends_the_run_before_it_begins(talking: PlanProject) -> None:
    """The package says where load is aimed, and what to do."""
    file = talking.directory / "plan.yaml"
    text = file.read_text().replace("preflight:\n  - echo.send: {text: are you there}\n", "")
    port = text.split("127.0.0.1:")[1].split('"')[0]
    file.write_text(text.replace(port, "1"))

    ended = talking.run("execute", "plan.yaml")

    assert ended.code == 3
    assert "no echo server answers at `127.0.0.1:1`: connection refused" in ended.err


def decisions(schema: dict[str, Any]) -> Iterator[list[str]]:
    """Yield what decides which keys can stand beside others, from the first to the last."""
    while "if" in schema:
        yield schema["if"]["required"]
        schema = schema["else"]


def test_schema_and_reference_have_it(talking: PlanProject) -> None:
    """Editors complete its keys with the printed schema, and the pages list them."""
    schema = json.loads(talking.run("schema").out)
    reference = talking.run("schema", "reference").out
    protocols = talking.run("schema", "protocols").out

    assert schema["properties"]["echo"]["$ref"] == "#/definitions/EchoSettings"
    for mapping in ("StepKeys", "TaskKeys", "LoneRequest", "Poll"):
        definition = schema["definitions"][mapping]
        keys = definition.get("anyOf", [definition])[0]["properties"]
        assert "echo.send" in keys, mapping
    for mapping in ("Step", "Task"):
        assert ["echo.send"] in list(decisions(schema["definitions"][mapping])), mapping
    assert "`echo.send: {text: hello, expect: {text: hello}}`" in reference
    assert "`length`" in talking.run("schema", "thresholds").out
    assert "- `echoed` in expressions after a reply: the line that came back" in protocols
    assert "| `reset` | the connection ended before the line came back |" in protocols
