"""`planrunner import`: what it reads, writes, refuses, and how it ends."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from planrunner.cli.group import run

TEST = """\
config: {target: "http://127.0.0.1:8000", payload: {path: people.csv, fields: [name]}}
scenarios:
  - flow:
      - get: {url: "/people/{{ name }}"}
      - get: {url: /, ifTrue: "/a b"}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a test of Artillery that reads a data file."""
    monkeypatch.chdir(tmp_path)
    Path("load.yml").write_text(TEST, encoding="utf-8")
    Path("people.csv").write_text("ada\n", encoding="utf-8")
    return tmp_path


def test_a_loss_ends_with_1_and_may_be_allowed() -> None:
    """The report may be JSON, and every loss is a comment in the plan."""
    assert run(["import", "load.yml", "--output", "out/plan.yaml"]) == 1
    words = ["--allow-loss", "--json", "--report", "losses.json"]
    assert run(["import", "load.yml", "load.yml", "--output", "again/plan.yaml", *words]) == 0

    plan = Path("out/plan.yaml").read_bytes()
    assert Path("again/plan.yaml").read_bytes() == plan
    assert Path("out/people.csv").read_text(encoding="utf-8") == "ada\n"
    assert b"# TODO import: load.yml:5: scenarios[0].flow[1].get.ifTrue (left out)" in plan
    losses = json.loads(Path("losses.json").read_text(encoding="utf-8"))
    assert losses["total"] == len(losses["constructs"]) == 12


def test_a_report_of_json_is_all_that_stderr_gets(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--output", "out/plan.yaml"], []):
        assert run(["import", "load.yml", "--json", *words]) == 1
        assert json.loads(capsys.readouterr().err)["total"] == 12


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["load.yml", "--output", "load.yml", "--force"], "--output would overwrite"),
        (["load.yml", "--output", "a.yaml", "--report", "a.yaml"], "--report would overwrite"),
        (["load.yml", "--output", "taken/plan.yaml"], "people.csv` exists"),
        (["load.yml", "--output", "people.csv"], "`people.csv` exists"),
        (["load.yml", "--from", "gatling"], "no format to import is called `gatling`"),
        (["people.csv"], "not a test that planrunner knows"),
        (["load.yml", "--once"], "--once tries the plan that --output writes"),
        ([], "no file to import"),
    ],
)
def test_what_cannot_be_done_is_refused(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing of the user's is overwritten, and nothing is half done."""
    Path("taken").mkdir()
    Path("taken/people.csv").write_text("precious", encoding="utf-8")
    assert run(["import", *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert Path("load.yml").read_text(encoding="utf-8") == TEST
    assert Path("taken/people.csv").read_text(encoding="utf-8") == "precious"
    assert not Path("taken/plan.yaml").exists()


def test_what_comes_through_pipes_is_read_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From standard input, and from `<(…)` of a shell, which is a pipe with a name."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(TEST.encode())))
    assert run(["import", "-"]) == 1
    assert "get: /people/" in capsys.readouterr().out

    read, write = os.pipe()
    os.write(write, TEST.encode())
    os.close(write)
    assert run(["import", f"/dev/fd/{read}"]) == 1
    assert "get: /people/" in capsys.readouterr().out
    os.close(read)


def test_code_of_the_original_is_not_run_by_an_import(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "load.py").write_text(
        "from locust import HttpUser, task\n"
        "class A(HttpUser):\n"
        "    host = 'http://127.0.0.1:9'\n"
        "    @task\n"
        "    def t(self):\n"
        "        n = sum(x for x in range(9) if x % 2)\n"
        "        self.client.get(f'/{n}')\n"
    )

    code = run(
        ["import", str(tmp_path / "load.py"), "--output", str(tmp_path / "p.yaml"), "--once"]
    )

    assert code == 0
    assert "not tried, as hooks.py has code of the original" in capsys.readouterr().err
    assert "for x in range(9)" in (tmp_path / "hooks.py").read_text()
