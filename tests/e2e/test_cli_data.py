"""`planrunner data`, and runs whose steps read the files of a plan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planrunner.results.exit_codes import ExitCode
from tests.support.plans import PlanProject

PLAN = """
name: components
seed: 11
params: {rows: {type: int, default: 40}, form: {type: str, default: csv}}
data:
  orders:
    generate:
      rows: "${rows}"
      fields: {id: rand.uuid(), customer: "rand.int(1, 500)", city: "rand.choice(['Oslo', 'Ås'])"}
files:
  orders: {from: orders, rows: "${rows}", format: "${form}"}
hooks: hooks.py
setup:
  - python: {call: check, args: {file: "${files.orders}"}}
users:
  Ingestion:
    count: 2
    steps:
      - python: {call: check, args: {file: "${files.orders}"}}
      - log: "${phase.name} read ${files.orders.rows} rows of ${files.orders.format}"
phases:
  - {name: small, iterations_per_user: 2}
  - {name: large, iterations_per_user: 2, params: {rows: 90, form: jsonl}}
thresholds: [{metric: error_rate, op: "<", value: 1%, on_no_data: pass}]
"""
HOOKS = """
import os


def check(path, rows, size, form):
    assert os.path.isabs(path)
    assert os.path.getsize(path) == size
    if form in ("csv", "jsonl"):
        with open(path, encoding="utf-8") as lines:
            assert len(lines.readlines()) == rows + (form == "csv")
"""
ARGS = (
    'args: {path: "${files.orders.path}", rows: "${files.orders.rows}", '
    'size: "${files.orders.bytes}", form: "${files.orders.format}"}'
)


@pytest.fixture
def files(project: PlanProject) -> PlanProject:
    """A project with the plan above."""
    plan = PLAN.replace('args: {file: "${files.orders}"}', ARGS)
    project.write({"plan.yaml": plan, "hooks.py": HOOKS})
    return project


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_each_phase_reads_the_file_of_its_params(files: PlanProject, workers: str) -> None:
    """They are written once, before the load, whoever reads them."""
    ended = files.run("execute", "plan.yaml", "--workers", workers, "--out", "out")

    assert ended.code == ExitCode.OK, ended.out + ended.err
    for name in ("orders-40.csv: 40 rows", "orders-90.jsonl: 90 rows"):
        assert ended.err.count(f"wrote files/{name}") == 1
    for line in ("small read 40 rows of csv", "large read 90 rows of jsonl"):
        assert ended.err.count(line) == 4
    kept = json.loads((files.directory / "out" / "metrics.json").read_text("utf-8"))["files"]
    assert [(one["file"], one["rows"], one["phases"]) for one in kept] == [
        ("orders-40.csv", 40, ["small"]),
        ("orders-90.jsonl", 90, ["large"]),
    ]
    for one in kept:
        assert (files.directory / "out" / "files" / one["file"]).stat().st_size == one["bytes"]


def test_once_writes_them_too(files: PlanProject) -> None:
    """Into a folder that goes with it."""
    ended = files.run("execute", "plan.yaml", "--once")

    assert ended.code == ExitCode.OK, ended.out + ended.err
    assert "» small read 40 rows of csv" in ended.out
    assert not (files.directory / "reports").exists()


@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "parquet", "avro"])
def test_the_command_writes_what_the_run_writes(files: PlanProject, form: str) -> None:
    """Byte for byte, with the plan's seed."""
    choice = ("--phase", "small", "--set", f"form={form}")
    files.run(
        "execute", "plan.yaml", *choice, "--out", "out", "--formats", "metrics.json", "--quiet"
    )
    ended = files.run("data", "plan.yaml", "orders", "--output", f"mine.{form}")

    assert ended.code == ExitCode.OK, ended.err
    run = Path(files.directory / "out" / "files" / f"orders-40.{form}").read_bytes()
    assert (files.directory / f"mine.{form}").read_bytes() == run
    assert ended.err.startswith(f"wrote mine.{form}: 40 rows, ")


def test_rows_go_to_stdout(files: PlanProject) -> None:
    """As many as one likes; another seed gives others."""
    first = files.run("data", "plan.yaml", "orders", "--rows", "60")
    again = files.run("data", "plan.yaml", "orders", "--rows", "60", "--seed", "11")
    other = files.run("data", "plan.yaml", "orders", "--rows", "2", "--seed", "12")

    assert first.out == again.out
    assert len(first.out.splitlines()) == 61
    assert first.out.splitlines()[1] != other.out.splitlines()[1]
    assert first.err == ""


def test_what_was_written_is_one_json_document(files: PlanProject) -> None:
    chosen = ("--rows", "3", "--seed", "11", "--output", "mine.csv")
    ended = files.run("data", "plan.yaml", "orders", *chosen, "--json")

    size = (files.directory / "mine.csv").stat().st_size
    written = {"written": "mine.csv", "format": "csv", "rows": 3, "seed": 11, "bytes": size}
    assert json.loads(ended.out) == written


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("order",), "did you mean `orders`?"),
        (("orders", "--format", "parquet"), "parquet can't be written to stdout"),
        (("orders", "--rows", "0"), "0 is not in the range"),
        (("orders", "--format", "xlsx"), "'xlsx' is not one of"),
        (("orders", "--json"), "--json says what was written to a file"),
    ],
)
def test_what_can_not_be_is_said(files: PlanProject, arguments: tuple[str, ...], said: str) -> None:
    """With exit code 2."""
    ended = files.run("data", "plan.yaml", *arguments)

    assert ended.code == ExitCode.PLAN_INVALID
    assert said in ended.err
    assert ended.out == ""


def test_a_file_that_can_not_be_written_leaves_nothing(files: PlanProject) -> None:
    """Nor does it touch what was there."""
    ended = files.run("data", "plan.yaml", "orders", "--output", "no/such/folder.csv")
    full = files.run("data", "plan.yaml", "orders", "--output", "/dev/full")

    assert (ended.code, full.code) == (ExitCode.CANNOT_RUN, ExitCode.CANNOT_RUN)
    assert "cannot write `no/such/folder.csv`: No such file or directory" in ended.err
    assert "No space left on device" in full.err
    assert sorted(path.name for path in files.directory.iterdir()) == ["hooks.py", "plan.yaml"]
