"""`planrunner init`: plans to start from, for a demo or a target of one's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from planrunner.plan.templates import template_names
from tests.support.http_servers import HttpServer
from tests.support.plans import PlanProject

ROOT = Path(__file__).parents[2]


def test_init_writes_a_valid_plan_and_never_over_a_file(project: PlanProject) -> None:
    """Unless told to."""
    ended = project.run("init", "plans/first.yaml")
    assert (ended.code, sorted(ended.files)) == (
        0,
        ["plans/first.yaml", "plans/plan.schema.json"],
    )
    assert project.run("validate", "plans/first.yaml").code == 0

    project.write({"plan.yaml": "mine"})
    refused = project.run("init")
    assert (refused.code, refused.err) == (
        2,
        "error: `plan.yaml` exists\nhint: choose another name, or add --force\n",
    )
    assert (project.directory / "plan.yaml").read_text() == "mine"
    assert project.run("init", "--force").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", template_names())
def test_each_task_of_a_template_runs_against_its_demo(project: PlanProject, name: str) -> None:
    """The commands that init prints are those that work next; the path may need quotes."""
    written = project.run("init", "my plan.yaml", "--template", name)
    explained = project.run("explain", "my plan.yaml")
    once = project.run("execute", "my plan.yaml", "--once")

    assert (written.code, explained.code, once.code) == (0, 0, 0), once.out + once.err
    assert "  planrunner execute 'my plan.yaml' --once " in written.out
    assert (
        "#   planrunner explain 'my plan.yaml' " in (project.directory / "my plan.yaml").read_text()
    )


@pytest.mark.parametrize("more", [[], ["--template", "benchmark"], ["--template", "breakpoint"]])
def test_init_for_a_url_sends_nothing_and_its_plan_requests_that_url(
    project: PlanProject, target: HttpServer, more: list[str]
) -> None:
    """What `execute` sends is the page with its query."""
    url = f"{target.url}/products?q=1&of=${{x}}"
    written = project.run("init", url, "plans/shop.yaml", *more)
    assert written.code == 0
    assert "demo" not in written.out
    assert target.requests == []

    ended = project.run("execute", "plans/shop.yaml", "--once")

    assert ended.code == 0, ended.out + ended.err
    assert [request.target for request in target.requests] == ["/products?q=1&of=$%7Bx%7D"]


@pytest.mark.parametrize("name", ["shop", "api", "ci", "login"])
def test_other_templates_take_the_url_as_the_base_of_their_paths(
    project: PlanProject, name: str
) -> None:
    """And say that these are not the target's own."""
    written = project.run("init", "https://shop.example/v1/", "--template", name)
    explained = project.run("explain", "plan.yaml")

    assert "paths in it are those of a demo" in written.out
    assert explained.code == 0
    assert "https://shop.example/v1" in (project.directory / "plan.yaml").read_text()
    assert "demo:" not in (project.directory / "plan.yaml").read_text()


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("plans/plan.schema.json", "plan.schema.json"),
        ("plans/schema/plan.schema.json", "schema/plan.schema.json"),
        ("schema/plan.schema.json", "../schema/plan.schema.json"),
    ],
)
def test_a_schema_that_is_there_is_named_and_kept(
    project: PlanProject, place: str, line: str
) -> None:
    """As docs/how-to/ide.md says."""
    project.write({place: "{}"})

    ended = project.run("init", "plans/first.yaml")

    assert list(ended.files) == ["plans/first.yaml"]
    first = (project.directory / "plans/first.yaml").read_text().splitlines()[0]
    assert first == f"# yaml-language-server: $schema={line}"


def test_templates_are_listed_with_what_they_are_for(project: PlanProject) -> None:
    """A line each, one below the other; nothing is written."""
    ended = project.run("init", "--list")

    width = max(map(len, template_names()))
    assert {line[width : width + 2] for line in ended.out.splitlines()} == {"  "}
    assert [line.split()[0] for line in ended.out.splitlines()] == list(template_names())
    assert ended.files == {}


def test_the_page_about_templates_has_all_of_them() -> None:
    """In the order of `--list`."""
    page = (ROOT / "docs" / "how-to" / "start-a-plan.md").read_text("utf-8")

    assert tuple(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == template_names()


@pytest.mark.parametrize(
    ("places", "error", "hint"),
    [
        (["localhost:8000"], "`localhost:8000` is not an http or https URL", "http://localhost"),
        (["localhost/x"], "is not an http or https URL", "http://localhost/x"),
        (["ftp://example.org"], "is not an http or https URL", ""),
        (["http://ada:secret@example.org"], "the URL has a user name or password", "http.auth"),
        (["http://[::1"], "is not a URL", ""),
        (["a.yaml", "b.yaml"], "more than one URL or path", "one plan at a time"),
    ],
)
def test_what_init_cannot_use_is_refused(
    project: PlanProject, places: list[str], error: str, hint: str
) -> None:
    """With what to write instead; a password is not repeated."""
    ended = project.run("init", *places)

    assert (ended.code, ended.files) == (2, {})
    assert error in ended.err
    assert hint in ended.err
    assert "secret@" not in ended.err


def test_init_into_what_is_no_directory_is_refused(project: PlanProject) -> None:
    """With the reason."""
    project.write({"file": ""})

    ended = project.run("init", "file/plan.yaml")

    assert ended.code == 2
    assert "cannot write `file/plan.yaml`" in ended.err
    assert "Traceback" not in ended.err
