"""The extension for VS Code: its types, its tests against the real server, and its package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.doc_pages import ROOT

EXTENSION = ROOT / "editors" / "vscode"

pytestmark = pytest.mark.slow


def npm(*words: str, cwd: Path = EXTENSION, **variables: str) -> str:
    if not (EXTENSION / "node_modules").is_dir() or shutil.which("npm") is None:
        reason = "run `make editor-tools`"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    done = subprocess.run(
        ["npm", *words],
        cwd=cwd,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_holds_its_own_tests() -> None:
    """Types, grammar, answers, and the server over the library that the extension speaks with."""
    command = json.dumps([sys.executable, "-P", "-m", "planrunner"])

    out = npm("test", PLANRUNNER=command, PYTHONPATH=str(ROOT))

    assert "# fail 0" in out
    assert "# skipped 0" in out


def test_a_package_has_what_it_needs_and_no_more() -> None:
    """Neither sources nor modules; vsce has judged package.json."""
    npm("run", "package")

    with zipfile.ZipFile(EXTENSION / "dist" / "planrunner.vsix") as package:
        names = {name for name in package.namelist() if name.startswith("extension/")}
    assert names == {
        "extension/LICENSE.txt",
        "extension/package.json",
        "extension/readme.md",
        "extension/dist/extension.js",
        "extension/syntaxes/planrunner.json",
    }


def test_commands_that_menus_name_are_there() -> None:
    """A menu with a command that nobody registers does nothing when it is chosen."""
    says = json.loads((EXTENSION / "package.json").read_text("utf-8"))["contributes"]
    known = {one["command"] for one in says["commands"]}
    shown = {one["command"] for menu in says["menus"].values() for one in menu}
    sources = "".join(path.read_text("utf-8") for path in (EXTENSION / "src").glob("*.ts"))

    assert shown <= known
    assert all(f'"{command}"' in sources for command in known)
