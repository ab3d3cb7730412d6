"""Standard output, whatever the terminal can show."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from planrunner.cli.group import run
from tests.support.run_directories import HOSTILE_NAMES, make_run_directory


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with names that no terminal likes."""
    path = tmp_path_factory.mktemp("stdout") / "run"
    make_run_directory(path, names=HOSTILE_NAMES, seconds=6)
    return path


def printed(monkeypatch: pytest.MonkeyPatch, encoding: str, *words: str) -> bytes:
    """Return what a command writes to a terminal of that encoding."""
    out = io.BytesIO()
    terminal = io.TextIOWrapper(out, encoding=encoding, newline="\r\n")
    monkeypatch.setattr("sys.stdout", terminal)
    assert run(words) == 0
    terminal.flush()
    return out.getvalue()


@pytest.mark.parametrize("name", ["results.csv", "junit.xml", "metrics.json", "summary.md"])
def test_a_report_on_stdout_has_the_bytes_of_its_file(
    name: str, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every locale, line ends included."""
    assert run(["report", str(directory), "--format", name, "--out", str(tmp_path)]) == 0
    words = ("report", str(directory), "--format", name, "--out", "-")

    assert printed(monkeypatch, "ascii", *words) == (tmp_path / name).read_bytes()


def test_json_on_stdout_is_utf_8(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its readers expect nothing else."""
    words = ("compare", str(directory), str(directory), "--json")

    data = json.loads(printed(monkeypatch, "cp1252", *words).decode())

    assert {change["request"] for change in data["changes"]} >= {"GET /half\ud83d", "=1+1"}


def test_a_letter_that_the_terminal_lacks_ends_no_command(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The summary is shown without it."""
    assert b"GET /" in printed(monkeypatch, "ascii", "report", str(directory))
