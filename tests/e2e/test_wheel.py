"""What people install: built as a release is, put into a fresh environment, used from elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

from tests.support.browser import CHROMIUM, Browser

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow(seconds=40)

MARKUP = """\
name: markup
http: {base_url: "http://127.0.0.1:1"}
users:
  Reader:
    steps:
      - get: /
        extract: {title: {css: "title::text"}}
stages: [{duration: 1s, users: 1}]
"""


def called(*command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program as a user does who has no checkout."""
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
    )


def build(out: Path, *options: str) -> Path:
    done = called(
        sys.executable, "-m", "build", "--no-isolation", "--outdir", out, *options, ROOT, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [wheel] = out.glob("*.whl")
    return wheel


def install(commands: Path, what: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Install into an environment; most of what comes is never imported, so nothing is compiled."""
    pip = (sys.executable, "-m", "pip", "--python", commands / "python", "install", "--quiet")
    return called(*pip, "--no-compile", what, cwd=cwd)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is made of the source distribution, which lies beside it."""
    return build(tmp_path_factory.mktemp("a dist"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment that has the wheel and what it requires, no extra."""
    folder = tmp_path_factory.mktemp("an ü env")
    assert called(sys.executable, "-m", "venv", "--without-pip", "env", cwd=folder).returncode == 0
    commands = folder / "env" / ("Scripts" if sys.platform == "win32" else "bin")
    done = install(commands, wheel, cwd=folder)
    if done.returncode and not os.environ.get("CI"):
        pytest.skip(f"pip could not install what planrunner requires: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    return commands


def test_the_wheel_has_what_runs_and_nothing_else(wheel: Path) -> None:
    """Templates, the starter plan, types, the charts' script and the licences; no test."""
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "planrunner"], capture_output=True, text=True, check=False, cwd=ROOT
    ).stdout.split()
    info = f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"

    assert set(tracked) <= names
    assert names - set(tracked) - {"planrunner/report/vega/vega.js"} == {
        f"{info}/{name}"
        for name in (
            "METADATA",
            "RECORD",
            "WHEEL",
            "entry_points.txt",
            "licenses/LICENSE",
            "licenses/planrunner/report/vega/LICENSES.txt",
        )
    }
    assert "planrunner/report/vega/vega.js" in names


def test_the_source_distribution_has_what_it_is_built_of(wheel: Path) -> None:
    """And the plans and pages that people read; nothing of the workplace."""
    [source] = wheel.parent.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {"/".join(PurePosixPath(name).parts[1:]) for name in archive.getnames()}

    assert {"hatch_build.py", "LICENSE", "README.md", "CHANGELOG.md"} <= names
    assert {"plans/stress.yaml", "schema/plan.schema.json", "docs/tutorial/first-plan.md"} <= names
    assert {name.partition("/")[0] for name in names} == {
        *("planrunner", "plans", "schema", "docs"),
        *("hatch_build.py", "pyproject.toml", "LICENSE", "README.md", "CHANGELOG.md", "PKG-INFO"),
        ".gitignore",
    }
    assert "planrunner/report/vega/vega.js" not in names


def test_a_checkout_and_the_source_distribution_give_the_same_wheel(
    wheel: Path, tmp_path: Path
) -> None:
    """Byte for byte, at any time."""
    assert build(tmp_path, "--wheel").read_bytes() == wheel.read_bytes()


def test_the_demo_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """`init`, `execute`, and a report with its charts, in a folder that has nothing else."""
    program = installed / "planrunner"
    assert called(program, "init", cwd=tmp_path).returncode == 0

    done = called(
        program,
        "execute",
        "plan.yaml",
        "--hold",
        "2s",
        "--users",
        "3",
        "--out",
        "run",
        cwd=tmp_path,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    report = tmp_path / "run" / "report.html"
    assert "window.vegaEmbed" in report.read_text("utf-8")
    if CHROMIUM:
        browser = Browser(tmp_path / "browser")
        browser.open(report)
        drawn = browser.evaluate("document.querySelectorAll('figure.drawn:has(svg)').length")
        browser.close()
        assert drawn >= 3
        assert browser.console == []


def test_one_url_needs_no_plan(installed: Path, tmp_path: Path) -> None:
    """Nothing listens there, which is said without a traceback."""
    done = called(
        installed / "planrunner",
        "run",
        "http://127.0.0.1:1/",
        "--users",
        "1",
        "--hold",
        "1s",
        cwd=tmp_path,
    )

    assert done.returncode == 3, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_missing_is_named_and_installs_as_the_message_says(
    installed: Path, tmp_path: Path
) -> None:
    """At the line of the plan; pip takes the hint without an index that has planrunner."""
    (tmp_path / "markup.yaml").write_text(MARKUP)

    done = called(installed / "planrunner", "validate", "markup.yaml", cwd=tmp_path)

    assert done.returncode == 2
    assert "markup.yaml:7:" in done.stdout + done.stderr
    assert "`css` needs the package lxml" in done.stdout + done.stderr
    assert "hint: pip install 'planrunner[html]'" in done.stdout + done.stderr
    pip = install(installed, "planrunner[html]", cwd=tmp_path)
    again = called(installed / "planrunner", "validate", "markup.yaml", cwd=tmp_path)
    assert (pip.returncode, again.returncode) == (0, 0), pip.stderr + again.stderr
