"""What a plan names as a file: pipes, devices and directories are refused, and so is what is far.

Opening a pipe waits for a writer and a device has no end, so a test that gets this wrong hangs.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.http_servers import HttpServer
from tests.support.plans import PlanProject, plan_text

TASK = "users: {{A: {{tasks: [{{post: /, {}}}]}}}}"

NAMED: Mapping[str, str] = {
    "imports": "imports: [FILE]",
    "hooks": "hooks: FILE",
    "csv": "data: {d: {csv: FILE}}",
    "json": "data: {d: {json: FILE}}",
    "jsonl": "data: {d: {jsonl: FILE}}",
    "schema": TASK.format("expect: {schema: FILE}"),
    "body_file": TASK.format("body_file: FILE"),
    "multipart": TASK.format("multipart: {f: {file: FILE}}"),
    "ca": "http: {base_url: 'https://127.0.0.1:1', ca: FILE}",
    "cert": "http: {base_url: 'https://127.0.0.1:1', cert: FILE}",
    "cert and key": "http: {base_url: 'https://127.0.0.1:1', cert: {cert: plan.yaml, key: FILE}}",
    "ca of a class": "users: {A: {http: {ca: FILE}, tasks: [{get: /}]}}",
    "etcd ca": "etcd: {endpoints: ['https://127.0.0.1:1'], ca: FILE}",
    "etcd key": "etcd: {endpoints: ['https://127.0.0.1:1'], cert: plan.yaml, key: FILE}",
}
"""Every key that names a file, in a plan."""

OUTSIDE = {name: text for name, text in NAMED.items() if name != "hooks"}


def named(what: str, file: str) -> str:
    return plan_text(NAMED[what].replace("FILE", f"'{file}'"))


def make_pipe(directory: Path) -> str:
    os.mkfifo(directory / "pipe.json")
    return "pipe.json"


def make_directory(directory: Path) -> str:
    (directory / "folder.json").mkdir()
    return "folder.json"


def make_socket(directory: Path) -> str:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.path.relpath(directory / "socket.json"))
    return "socket.json"


def make_link_to_pipe(directory: Path) -> str:
    (directory / "link.json").symlink_to(make_pipe(directory))
    return "link.json"


def make_device(_: Path) -> str:
    return "/dev/zero"


@pytest.mark.parametrize(
    "make", [make_pipe, make_directory, make_socket, make_link_to_pipe, make_device]
)
@pytest.mark.parametrize("what", NAMED)
def test_what_is_no_file_is_refused_where_it_is_named(
    project: PlanProject, monkeypatch: pytest.MonkeyPatch, what: str, make: object
) -> None:
    """At once, by `validate`, with the line that names it."""
    monkeypatch.chdir(project.directory)
    assert callable(make)
    project.write({"plan.yaml": named(what, make(project.directory))})

    ended = project.run("validate", "plan.yaml")

    assert ended.code == 2
    assert "plan.yaml:1:" in ended.err
    assert "error[not-a-file]" in ended.err


@pytest.mark.parametrize("what", ["imports", "hooks", "schema", "ca", "json"])
def test_a_file_without_end_is_not_read(project: PlanProject, what: str) -> None:
    """A sparse file of 10 TB is refused by its size."""
    with (project.directory / "huge.json").open("wb") as file:
        file.truncate(10_000_000_000_000)
    project.write({"plan.yaml": named(what, "huge.json")})

    ended = project.run("validate", "plan.yaml")

    assert ended.code == 2
    assert "plan.yaml:1:" in ended.err
    assert "error[file-too-large]" in ended.err


@pytest.mark.parametrize("make", [make_pipe, make_directory, make_device])
def test_an_environment_file_is_a_file(project: PlanProject, make: object) -> None:
    """It is named on the command line, and is no other kind of thing either."""
    assert callable(make)
    file = project.directory / make(project.directory)
    project.write({"plan.yaml": plan_text()})

    ended = project.run("validate", "plan.yaml", "--env-file", str(file))

    assert ended.code == 2
    assert "Traceback" not in ended.err


# -- plans from strangers ------------------------------------------------------------------


@pytest.mark.parametrize("way", ["absolute", "above", "link"])
@pytest.mark.parametrize("what", OUTSIDE)
def test_no_exec_reads_nothing_outside_the_plans_folder(
    project: PlanProject, what: str, way: str
) -> None:
    """Whichever way leads out; not a line of the file is printed."""
    project.write({"far/secret.json": "root:x:0:0 top secret\n"})
    far = project.directory / "far" / "secret.json"
    (project.directory / "near").mkdir()
    (project.directory / "near" / "link.json").symlink_to(far)
    names = {"absolute": str(far), "above": "../far/secret.json", "link": "link.json"}
    project.write({"near/plan.yaml": named(what, names[way])})

    ended = project.run("validate", "near/plan.yaml", "--no-exec")

    assert ended.code == 2
    assert "near/plan.yaml:1:" in ended.err
    assert "error[not-allowed]" in ended.err
    assert "--allow-read" in ended.err
    assert "top secret" not in ended.err


@pytest.mark.parametrize("command", ["validate", "explain", "execute"])
def test_allow_read_opens_a_folder(project: PlanProject, target: HttpServer, command: str) -> None:
    """And what is below it, for every command."""
    project.write(
        {
            "far/body.json": "{}",
            "near/plan.yaml": plan_text(
                TASK.format("body_file: ../far/body.json"),
                "phases: [{users: 1, iterations: 20}]",
                url=target.url,
            ),
        }
    )

    assert project.run(command, "near/plan.yaml", "--no-exec").code == 2
    assert project.run(command, "near/plan.yaml", "--no-exec", "--allow-read", "far").code == 0


def test_allow_read_alone_is_a_mistake(project: PlanProject) -> None:
    """It forbids nothing, so nobody may believe that it does."""
    project.write({"plan.yaml": plan_text()})

    ended = project.run("validate", "plan.yaml", "--allow-read", ".")

    assert ended.code == 2
    assert "--allow-read needs --no-exec" in ended.err


@pytest.mark.slow
def test_no_exec_reads_what_lies_beside_the_plan(project: PlanProject, target: HttpServer) -> None:
    """Also below it, and through a link that stays inside; workers too."""
    project.write(
        {
            "near/parts/users.yaml": "data: {d: {csv: rows.csv}}",
            "near/parts/rows.csv": "a\n1\n2\n",
            "near/plan.yaml": plan_text(
                "imports: [parts/users.yaml]",
                "users: {A: {tasks: [{post: '/${d.a}', multipart: {f: {file: link.txt}}}]}}",
                "phases: [{users: 2, iterations: 20}]",
                url=target.url,
            ),
        }
    )
    (project.directory / "near" / "link.txt").symlink_to("parts/rows.csv")

    assert project.run("execute", "near/plan.yaml", "--no-exec").code == 0
    assert project.run("execute", "near/plan.yaml", "--no-exec", "--workers", "2").code == 0


def test_no_exec_confines_files_whose_names_are_known_late(
    project: PlanProject, target: HttpServer
) -> None:
    """A link that leads out is refused when a user names it, and nothing of it is sent."""
    project.write({"far.txt": "top secret"})
    project.write(
        {
            "near/plan.yaml": plan_text(
                "users: {A: {tasks: [{post: /, multipart: {f: {file: '${iteration}.txt'}}}]}}",
                "phases: [{users: 1, iterations: 1}]",
                url=target.url,
            )
        }
    )
    (project.directory / "near" / "0.txt").symlink_to("../far.txt")

    ended = project.run("execute", "near/plan.yaml", "--no-exec")

    assert ended.code == 1
    assert target.requests == []


@pytest.mark.parametrize("key", ["baseline: /etc/hostname", "report: {dir: /tmp/elsewhere}"])
def test_no_exec_confines_what_planrunner_reads_and_writes_itself(
    project: PlanProject, target: HttpServer, key: str
) -> None:
    """The current folder and the plan's are enough for a run directory and a baseline."""
    project.write({"plan.yaml": plan_text(key, url=target.url)})

    ended = project.run("execute", "plan.yaml", "--no-exec")

    assert ended.code == 2
    assert "is outside the plan's folder" in ended.err
    assert target.requests == []
