"""What the command line says about plans that are none: always exit 2, never a traceback."""

from __future__ import annotations

import pytest

from tests.support.cpu_time import within_cpu
from tests.support.plans import Ended, PlanProject, plan_text

COMMANDS = ("validate", "explain", "execute")


def said(ended: Ended) -> str:
    """Check what every refusal has in common, and return what was said."""
    assert ended.code == 2
    assert ended.out == ""
    assert ended.files == {}
    assert "Traceback" not in ended.err
    return ended.err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "plan.yaml:1:1: error[no-such-file]: there is no such file"),
        (b"", "plan.yaml:1:1: error[empty-plan]"),
        (b"# nothing but a comment\n", "error[empty-plan]"),
        (b"name: caf\xe9\n", "plan.yaml:1:10: error[not-utf8]: byte 0xe9"),
        (b"\xff\xfen\x00", "it looks like UTF-16"),
        (b"- a\n- b\n", "error[wrong-type]"),
        (b"name: [\n", "error[yaml-syntax]"),
        (b"\x00\x01\x02binary", "error[yaml-syntax]"),
    ],
    ids=["missing", "empty", "comment", "latin-1", "utf-16", "list", "broken", "binary"],
)
def test_a_file_that_is_no_plan_is_refused(
    project: PlanProject, command: str, content: bytes | None, words: str
) -> None:
    """With the place, the reason, and nothing written."""
    if content is not None:
        project.write({"plan.yaml": content})

    assert words in said(project.run(command, "plan.yaml"))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_directory_is_no_plan(project: PlanProject, command: str) -> None:
    """A likely slip: `planrunner execute plans`."""
    project.write({"plans/a.yaml": ""})

    assert "plans:1:1: error[not-a-file]: this is a directory, not a plan" in said(
        project.run(command, "plans")
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_of_50_mb_is_refused_without_being_read(project: PlanProject, command: str) -> None:
    """Somebody passed the data and not the plan."""
    with (project.directory / "plan.yaml").open("wb") as file:
        file.truncate(50_000_000)

    text = within_cpu(1, lambda: said(project.run(command, "plan.yaml")))

    assert "error[file-too-large]: the file is 50.0 MB; a plan can be at most 1 MB" in text


def test_a_missing_file_that_resembles_another_is_suggested(project: PlanProject) -> None:
    """A typo in a path costs one look."""
    project.write({"plans/checkout.yaml": plan_text()})

    assert "hint: did you mean `plans/checkout.yaml`?" in said(
        project.run("validate", "plans/chekout.yaml")
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_faults_of_shape_and_of_names_are_shown_at_once(project: PlanProject, command: str) -> None:
    """One look at the output, one pass through the editor."""
    project.write(
        {
            "plan.yaml": plan_text(
                "users: {A: {tasks: [{get: '/${nope}', wieght: 3}, {get: '/${gone}'}]}}",
                "thresholds: [p95 of task:none < 1s, p95 < fast]",
            )
        }
    )

    text = said(project.run(command, "plan.yaml"))

    for words in (
        "error[unknown-key]: unknown key `wieght`",
        "error[unknown-name]: unknown name `gone`",
        "error[unknown-selector]: no task of the plan is called `none`",
        "error[threshold-syntax]",
    ):
        assert words in text


SECRET = plan_text(
    "params: {token: {type: str, secret: true, env: TOKEN_OF_TEST}}",
    'http: {base_url: "http://127.0.0.1:1", headers: {X-Token: "${token}"}}',
)


def test_a_missing_secret_is_asked_for_only_to_run(project: PlanProject) -> None:
    """Plans are checked where nobody has the secrets."""
    project.write({"plan.yaml": SECRET})

    assert project.run("validate", "plan.yaml").code == 0
    assert project.run("explain", "plan.yaml").code == 0
    text = said(project.run("execute", "plan.yaml"))
    assert "error[missing-param]" in text
    assert "TOKEN_OF_TEST" in text


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("users=many", "`many`"),
        ("users=0", "1"),
        ("users=2.5", "`2.5`"),
        ("hold=fast", "`fast`"),
        ("hold=30", "30"),
        ("verbose=perhaps", "`perhaps`"),
        ("size=huge", "`huge`"),
        ("usres=3", "did you mean `users`?"),
        ("users", "write `--set name=value`"),
        ("=3", "write `--set name=value`"),
    ],
)
def test_values_of_set_are_checked_by_their_type(
    project: PlanProject, setting: str, words: str
) -> None:
    """Whoever types it gets the reason and the right form."""
    project.write(
        {
            "plan.yaml": plan_text(
                """
                params:
                  users: {type: int, default: 1, min: 1}
                  hold: {type: duration, default: 1s}
                  verbose: {type: bool, default: false}
                  size: {type: size, default: 1KB}
                """
            )
        }
    )

    assert words in said(project.run("validate", "plan.yaml", "--set", setting))


def test_the_last_of_two_settings_wins(project: PlanProject) -> None:
    """So that a script can append."""
    project.write(
        {
            "plan.yaml": plan_text(
                "params: {users: {type: int, default: 1}}",
                "phases: [{users: '${users}', hold: 1s}]",
            )
        }
    )

    ended = project.run("explain", "plan.yaml", "--set", "users=7", "--set", "users=9")

    assert "at most 9 users" in ended.out


def test_several_plans_are_checked_in_one_go(project: PlanProject) -> None:
    """One wrong plan fails the whole command; the others are still looked at."""
    project.write({"a.yaml": plan_text(), "b.yaml": "name: b\n", "c.yaml": plan_text()})

    ended = project.run("validate", "a.yaml", "b.yaml", "c.yaml", "d.yaml")

    assert ended.code == 2
    assert ended.out.splitlines() == ["a.yaml: valid", "c.yaml: valid"]
    assert "b.yaml: " in ended.err
    assert "d.yaml:1:1: error[no-such-file]" in ended.err
