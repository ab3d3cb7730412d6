"""The tutorial as a reader follows it: its plans and commands, run in order, for real."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.plans import PlanProject

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "first-plan.md"
BLOCK = re.compile(r"^```(yaml|bash)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SECTION = re.compile(r"^## (.*)$", re.MULTILINE)
DEMO = "planrunner demo shop --port 8000"
URL = "http://127.0.0.1:8000"


class Block(NamedTuple):
    """A block of the page: a plan to save, or commands to type."""

    section: str
    is_plan: bool
    text: str


def blocks() -> list[Block]:
    text = PAGE.read_text("utf-8")
    headings = [(found.start(), found[1]) for found in SECTION.finditer(text)]
    return [
        Block(
            [heading for at, heading in headings if at < found.start()][-1],
            found[1] == "yaml",
            found[2],
        )
        for found in BLOCK.finditer(text)
    ]


def commands(section: str) -> list[list[str]]:
    """Return the command lines of planrunner in a section, without its name."""
    lines = [
        line
        for block in blocks()
        if block.section == section and not block.is_plan
        for line in block.text.splitlines()
    ]
    return [line.split()[1:] for line in lines if line.startswith("planrunner ")]


def plan(section: str) -> str:
    [found] = [block.text for block in blocks() if block.section == section and block.is_plan]
    return found


def shortened(text: str) -> str:
    """Return a plan that asks for less time, and lets a busy machine have more of it."""
    text = re.sub(r"(p95[^<\n]*< )100ms", r"\g<1>5s", text)
    return re.sub(r"(duration: |default: )[25]s", r"\g<1>1s", text)


@pytest.fixture
def demo(project: PlanProject) -> Iterator[str]:
    """The demo that the page starts, on a free port; gives its URL."""
    arguments = DEMO.replace("8000", "0").split()[1:]
    process = project.spawn(*arguments)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        yield found[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)


FIRST = plan("2. Write a plan")


def saved(project: PlanProject, text: str, url: str) -> list[str]:
    """Save the plan as the page says; returns how the page runs it."""
    assert commands("1. Start the target") == [DEMO.split()[1:]]
    project.write({"first.yaml": shortened(text).replace(URL, url)})
    [execute] = commands("4. Run it")
    return execute


def test_looking_before_leaping_finds_what_is_misspelt(project: PlanProject) -> None:
    """Section 3."""
    saved(project, FIRST, URL)
    for arguments in commands("3. Look before you leap"):
        assert project.run(*arguments).code == 0

    saved(project, FIRST.replace("weight", "wieght"), URL)
    ended = project.run("validate", "first.yaml")

    assert ended.code == 2
    assert "did you mean `weight`?" in ended.err


@pytest.mark.slow
def test_the_first_run_passes_and_leaves_its_files(project: PlanProject, demo: str) -> None:
    """Section 4."""
    ended = project.run(*saved(project, FIRST, demo))

    assert ended.code == 0
    names = {Path(name).name for name in ended.files}
    assert names >= {"metrics.json", "results.csv", "report.html"}


@pytest.mark.slow
def test_the_gate_fails_and_a_typo_in_it_is_refused(project: PlanProject, demo: str) -> None:
    """Section 5."""
    strict = FIRST.replace("p95 < 100ms", "p95 < 1ms")
    typo = 'p95 of "GET /prodcts" < 100ms'
    assert strict != FIRST
    assert typo in PAGE.read_text("utf-8")

    ended = project.run(*saved(project, strict, demo))
    assert ended.code == 1
    assert "FAIL" in ended.out
    assert project.run(*saved(project, FIRST.replace("p95 < 100ms", typo), demo)).code == 2


@pytest.mark.slow
def test_expectations_hold_against_the_demo(project: PlanProject, demo: str) -> None:
    """Section 6."""
    ended = project.run(*saved(project, plan("6. Say what a good reply is"), demo))

    assert ended.code == 0
    assert "GET /products/:id" in ended.out


@pytest.mark.slow
def test_the_plan_for_others_starts_its_demo(project: PlanProject) -> None:
    """Section 7."""
    section = "7. Make it a plan for others"
    saved(project, plan(section), URL)
    [execute] = commands(section)

    ended = project.run(*[word.replace("hold=30s", "hold=1s") for word in execute])

    assert ended.code == 0
    assert ended.metrics["totals"]["failed_requests"] == 0


def test_every_command_of_the_tutorial_is_run() -> None:
    """A command that is added has to be added to the tests above."""
    lines = [
        (block.section.split(".")[0], line)
        for block in blocks()
        if not block.is_plan
        for line in block.text.splitlines()
    ]

    assert lines == [
        ("1", DEMO),
        ("3", "planrunner validate first.yaml"),
        ("3", "planrunner explain first.yaml"),
        ("4", "planrunner execute first.yaml"),
        ("4", "echo $?"),
        ("7", "planrunner execute first.yaml --set visitors=20 --set hold=30s"),
    ]
