"""The command line around running: help, validate, explain, init, schema, demo, completion."""

from __future__ import annotations

import json
import signal
import urllib.request

import pytest

from planrunner import __version__
from planrunner.cli.group import _COMMANDS
from tests.support.plans import PlanProject, plan_text

ALL = sorted(_COMMANDS)


def test_the_menu_has_every_command_with_examples(project: PlanProject) -> None:
    """A new user starts here, often in a window of 80 columns."""
    ended = project.run("--help")

    assert ended.code == 0
    assert all(f"  {name} " in ended.out for name in ALL)
    assert "Examples:" in ended.out
    assert "Exit codes:" in ended.out
    assert [line for line in ended.out.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("name", ALL)
def test_the_help_of_every_command_has_examples(project: PlanProject, name: str) -> None:
    """People copy them."""
    ended = project.run(name, "-h")

    assert ended.code == 0
    assert f"planrunner {name}" in ended.out.split("Examples:")[1]


def test_an_unknown_command_is_a_misuse_with_a_suggestion(project: PlanProject) -> None:
    """Exit 2, on stderr."""
    ended = project.run("exceute", "plan.yaml")

    assert (ended.code, ended.out) == (2, "")
    assert "did you mean `execute`?" in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("validate",),
        ("execute",),
        ("execute", "plan.yaml", "--sed", "3"),
        ("execute", "plan.yaml", "--seed", "x"),
        ("explain", "plan.yaml", "--graph", "svg"),
        ("execute", "plan.yaml", "--formats", "reslts.csv"),
        ("completion", "tcsh"),
        ("demo", "nothing"),
    ],
)
def test_a_misuse_is_exit_2(project: PlanProject, arguments: tuple[str, ...]) -> None:
    """Whatever the command, nothing happens."""
    project.write({"plan.yaml": plan_text()})

    ended = project.run(*arguments)

    assert (ended.code, ended.out, ended.files) == (2, "", {})
    assert "rror" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.slow
def test_the_installed_command_and_the_module_say_their_version(project: PlanProject) -> None:
    """`python -m planrunner` is the same as `planrunner`."""
    for flag in ("--version", "-V"):
        ended = project.run_apart(flag)
        assert (ended.code, ended.out) == (0, f"planrunner {__version__}\n")


def test_validate_says_that_a_plan_is_valid(project: PlanProject) -> None:
    """One line for each on stdout; nothing on stderr."""
    project.write({"plan.yaml": plan_text()})

    ended = project.run("validate", "plan.yaml")

    assert (ended.code, ended.out, ended.err) == (0, "plan.yaml: valid\n", "")


def test_validate_has_json_for_other_programs(project: PlanProject) -> None:
    """One document, whatever was found, and the same exit code."""
    project.write({"good.yaml": plan_text(), "bad.yaml": plan_text("users: {A: {tsaks: []}}")})

    ended = project.run("validate", "good.yaml", "bad.yaml", "--format", "json")

    assert (ended.code, ended.err) == (2, "")
    found = json.loads(ended.out)
    assert {(item["file"], item["severity"]) for item in found} == {("bad.yaml", "error")}
    assert {"line", "column", "end_line", "end_column", "code", "message", "hint"} < set(found[0])
    assert json.loads(project.run("validate", "good.yaml", "--format", "json").out) == []


def test_validate_has_notices_in_json_too(project: PlanProject) -> None:
    """In the form of a diagnostic about the whole plan; a plan with notices is valid."""
    text = (
        "name: seats\nusers:\n"
        "  A: {weight: 98, steps: [{think: 1s}]}\n"
        "  B: {weight: 1, steps: [{think: 1s}]}\n"
        "phases: [{users: 2, hold: 1s}]\n"
    )
    project.write({"plan.yaml": text})

    ended = project.run("validate", "plan.yaml", "--format", "json")
    shown = project.run("validate", "plan.yaml").out

    (notice,) = json.loads(ended.out)
    assert ended.code == 0
    assert (notice["file"], notice["severity"], notice["code"]) == ("plan.yaml", "notice", "notice")
    assert notice["message"].startswith("user class `B` gets none")
    assert f"  notice: {notice['message']}\n" in shown


def test_a_notice_about_one_place_has_it_in_json(project: PlanProject) -> None:
    project.write(
        {"plan.yaml": plan_text(r"users: {A: {steps: [{get: /, expect: {matches: '(a)\1'}}]}}")}
    )

    ended = project.run("validate", "plan.yaml", "--format", "json")

    (notice,) = json.loads(ended.out)
    assert (notice["file"], notice["line"], notice["column"]) == ("plan.yaml", 1, 48)
    assert notice["message"].startswith("the pattern")


def test_validate_and_explain_send_nothing(project: PlanProject) -> None:
    """Port 1 refuses connections; neither notices."""
    project.write({"plan.yaml": plan_text(url="http://127.0.0.1:1")})

    assert project.run("validate", "plan.yaml").code == 0
    assert project.run("explain", "plan.yaml").code == 0


@pytest.mark.parametrize("view", ["text", "json", "mermaid", "dot"])
def test_explain_draws_the_graph(project: PlanProject, view: str) -> None:
    """Each view names the plan's phase and class."""
    project.write({"plan.yaml": plan_text("users: {Visitor: {tasks: [{get: /}]}}")})

    ended = project.run("explain", "plan.yaml", "--graph", view)

    assert ended.code == 0
    assert "Visitor" in ended.out
    assert "main" in ended.out


@pytest.mark.slow
@pytest.mark.parametrize("which", [(), ("plan",), ("metrics",)])
def test_schemas_are_printed_or_written(project: PlanProject, which: tuple[str, ...]) -> None:
    """Both ways give the same bytes."""
    printed = project.run("schema", *which)
    written = project.run("schema", *which, "--output", "out/schema.json")

    assert (printed.code, written.code) == (0, 0)
    assert json.loads(printed.out)["$schema"].startswith("http://json-schema.org/draft-07") or which
    assert written.files["out/schema.json"].read_text("utf-8") == printed.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(project: PlanProject, shell: str) -> None:
    """It calls back with the variable that click looks for."""
    ended = project.run("completion", shell)

    assert ended.code == 0
    assert "_PLANRUNNER_COMPLETE" in ended.out


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_serves_until_it_is_told_to_end(project: PlanProject, how: signal.Signals) -> None:
    """Port 0 takes a free one and says which."""
    process = project.spawn("demo", "shop", "--port", "0")
    assert process.stdout is not None
    line = process.stdout.readline()
    url = line.split()[-1]

    with urllib.request.urlopen(f"{url}/products", timeout=5) as reply:
        assert reply.status == 200
    process.send_signal(how)

    assert project.end(process).code == 0


@pytest.mark.slow
def test_a_demo_on_a_busy_port_is_refused(project: PlanProject) -> None:
    """Exit 3 and the way out."""
    process = project.spawn("demo", "shop", "--port", "0")
    assert process.stdout is not None
    port = process.stdout.readline().rsplit(":", 1)[1].strip()

    ended = project.run_apart("demo", "shop", "--port", port)
    process.send_signal(signal.SIGTERM)
    project.end(process)

    assert ended.code == 3
    assert f"cannot listen on 127.0.0.1:{port}" in ended.err
    assert "Traceback" not in ended.err
