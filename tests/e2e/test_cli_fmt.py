"""`planrunner fmt`: files in place, standard input, builds."""

from __future__ import annotations

import io
import sys

import pytest

from tests.support.doc_pages import ROOT
from tests.support.plans import PlanProject

UNTIDY = "a:   1 # x\n"
TIDY = "a: 1   # x\n"


def test_files_are_written_in_place_and_counted(project: PlanProject) -> None:
    """A broken one doesn't keep the others from it; links and modes stay."""
    project.write({"a.yaml": UNTIDY, "b.yaml": TIDY, "broken.yaml": "a: [\n"})
    (project.directory / "link.yaml").symlink_to("a.yaml")
    (project.directory / "a.yaml").chmod(0o640)

    ended = project.run("fmt", "broken.yaml", "link.yaml", "b.yaml", "none.yaml", ".")

    assert (ended.code, ended.out) == (2, "")
    assert "broken.yaml:2:1: error[yaml-syntax]: " in ended.err
    assert "none.yaml:1:1: error[no-such-file]: " in ended.err
    assert ".:1:1: error[not-a-file]: " in ended.err
    assert ended.err.endswith("\n1 file formatted, 1 left unchanged, 3 refused\n")
    assert (project.directory / "link.yaml").is_symlink()
    assert (project.directory / "a.yaml").read_text() == TIDY
    assert (project.directory / "a.yaml").stat().st_mode & 0o777 == 0o640
    assert len(list(project.directory.iterdir())) == 4


def test_check_and_diff_write_nothing(project: PlanProject) -> None:
    """Only `--check` decides the exit code."""
    project.write({"a.yaml": UNTIDY, "b.yaml": TIDY})

    checked = project.run("fmt", "--check", "a.yaml", "b.yaml")
    shown = project.run("fmt", "--diff", "a.yaml", "b.yaml")
    both = project.run("fmt", "--check", "--diff", "a.yaml")
    tidy = project.run("fmt", "--check", "b.yaml")

    assert (checked.code, checked.out) == (1, "would be formatted: a.yaml\n")
    assert checked.err == "1 file would be formatted, 1 already formatted\n"
    assert (shown.code, shown.out) == (
        0,
        f"--- a.yaml\n+++ a.yaml (formatted)\n@@ -1 +1 @@\n-{UNTIDY}+{TIDY}",
    )
    assert (both.code, both.out) == (1, shown.out)
    assert (tidy.code, tidy.out, tidy.err) == (0, "", "1 file already formatted\n")
    assert (project.directory / "a.yaml").read_text() == UNTIDY


@pytest.mark.parametrize(
    ("given", "code", "out", "err"),
    [
        (UNTIDY.encode(), 0, TIDY, ""),
        ("a:   'é😀'".encode(), 0, "a: é😀\n", ""),
        (b"", 0, "", ""),
        (b"a: [\n", 2, "", "<stdin>:2:1: error[yaml-syntax]: "),
        (b"a: \xff\n", 2, "", "<stdin>:1:4: error[not-utf8]: "),
    ],
)
def test_standard_input_goes_to_standard_output(
    project: PlanProject,
    monkeypatch: pytest.MonkeyPatch,
    given: bytes,
    code: int,
    out: str,
    err: str,
) -> None:
    """Or nothing does, and an editor keeps its text."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
    ended = project.run("fmt", "-")

    assert (ended.code, ended.out) == (code, out)
    assert ended.err.startswith(err) if err else ended.err == ""


def test_plans_of_the_repository_are_formatted(project: PlanProject) -> None:
    """And templates, which people begin with."""
    folders = ["plans", "plans/shared", "planrunner/plan/templates"]
    paths = [str(path) for folder in folders for path in sorted((ROOT / folder).glob("*.yaml"))]
    ended = project.run("fmt", "--check", *paths)

    assert (ended.code, ended.out) == (0, ""), ended.err


def test_what_other_commands_write_is_formatted(project: PlanProject) -> None:
    """A plan to start from, and what `run` has run."""
    project.run("init", "http://127.0.0.1:1/products", "a.yaml")
    project.run("run", "http://127.0.0.1:1/", "--save", "b.yaml", "--hold", "1s")

    assert project.run("fmt", "--check", "a.yaml", "b.yaml").code == 0
