"""Report formats: one record each, which plans, the command line and the reference all read."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from planrunner.cli.plan_options import complete_formats, parse_formats
from planrunner.errors import UsageError
from planrunner.formats import REPORT_FORMATS, FormatFile, ReportFormat, partial_words
from planrunner.plan.schema.json_schema import plan_schema
from planrunner.report.formats.writers import writer_of
from tests.support.run_directories import make_run_directory

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "outputs.md"
FILES = [file for report in REPORT_FORMATS.values() for file in report.files]


def row_of(report: ReportFormat) -> str:
    """Return the format's line in the reference."""
    files = ", ".join(f"`{file.name}`" for file in report.files)
    return f"| `{report.name}` | {files} | {report.meaning} |"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_has_its_writer(file: FormatFile) -> None:
    """The name in the table leads to a function of that module."""
    assert f"{writer_of(file).__module__}:{writer_of(file).__name__}" == file.writer


def test_no_two_formats_write_the_same_file() -> None:
    """Each could be asked for beside any other."""
    names = [file.name for file in FILES]

    assert sorted(set(names)) == sorted(names)


def test_plans_and_the_command_line_know_the_same_formats() -> None:
    """Schema, `--formats` and its completion."""
    schema = plan_schema()["definitions"]["Report"]["properties"]["formats"]

    assert schema["items"]["enum"] == list(REPORT_FORMATS)
    assert parse_formats(",".join(REPORT_FORMATS)) == tuple(REPORT_FORMATS)
    with pytest.raises(UsageError) as caught:
        parse_formats("pdf")
    assert caught.value.hint == f"formats: {', '.join(REPORT_FORMATS)}"


def test_a_list_of_formats_is_completed_at_its_end() -> None:
    """What stands before the last comma stays."""
    offered = complete_formats(None, None, "jtl,re")  # type: ignore[arg-type]  # it needs neither

    assert offered == ["jtl,results.csv", "jtl,report.html"]


def test_the_reference_lists_every_format() -> None:
    """In the words of the table, and no other."""
    rows = re.findall(r"^\| `.*\|$", PAGE.read_text("utf-8").split("\n\n##")[0], re.MULTILINE)

    assert sorted(rows) == sorted(map(row_of, REPORT_FORMATS.values()))


@pytest.mark.parametrize(
    ("formats", "samples", "words"),
    [
        ("results.csv,jtl", "all", ""),
        ("junit.xml", "failures", ""),
        ("metrics.json,report.html,results.csv", "failures", ""),  # nobody asked for these
        ("jtl", "failures", "results.jtl lists failures only"),
        ("jtl", "0%", "results.jtl lists failures only"),
        ("results.csv,jtl", "failures", "results.csv and results.jtl list failures only"),
        ("results.csv", "2.5%", "results.csv lists all failures and 2.5% of all other samples"),
        ("jtl", "none", "results.jtl is not written"),
    ],
)
def test_reports_that_lack_samples_are_named(formats: str, samples: str, words: str) -> None:
    """With the setting that makes them whole."""
    rest = f", because of `samples: {samples}`; `samples: all` keeps all of them" if words else ""

    assert partial_words(formats.split(","), samples) == words + rest


_WRITER = """
def write(result, out):
    out.write(f"{result.totals.total_requests} requests\\n")
"""

_ADDING = """
import json, sys
from planrunner.formats import REPORT_FORMATS, FormatFile, ReportFormat

# In the source this is a record of the table.
file = FormatFile("words.txt", "words:write")
REPORT_FORMATS["words.txt"] = ReportFormat("words.txt", "people", (file,))

from click.testing import CliRunner
from planrunner.cli.group import cli
from planrunner.cli.plan_options import complete_formats

def said(*words):
    done = CliRunner().invoke(cli, words)
    return done.output + str(done.exception or "") + getattr(done.exception, "hint", "")

run, plan = sys.argv[1:]
json.dump({
    "made": said("report", run, "--format", "words.txt", "--out", "-"),
    "misspelt": said("report", run, "--format", "word.txt"),
    "offered": complete_formats(None, None, "w"),
    "schema": json.loads(said("schema"))["definitions"]["Report"]["properties"]["formats"],
    "valid": said("validate", plan),
    "reference": said("schema", "reference"),
}, sys.stdout)
"""

_PLAN = """\
name: shop
http: {base_url: "http://127.0.0.1:1"}
report: {formats: [words.txt]}
stages: [{duration: 1s, users: 1}]
users: {Visitor: {steps: [{get: /}]}}
"""


@pytest.mark.slow
def test_a_record_and_a_module_are_all_that_a_new_format_takes(tmp_path: Path) -> None:
    """The steps of ARCHITECTURE.md: every command and the schema then know it."""
    result = make_run_directory(tmp_path / "run")
    (tmp_path / "words.py").write_text(_WRITER)
    (tmp_path / "plan.yaml").write_text(_PLAN)

    done = subprocess.run(
        [sys.executable, "-c", _ADDING, tmp_path / "run", tmp_path / "plan.yaml"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
    )

    found = json.loads(done.stdout)
    assert found["made"] == f"{result.totals.total_requests} requests\n"
    assert "did you mean `words.txt`?" in found["misspelt"]
    assert found["offered"] == ["words.txt"]
    assert "words.txt" in found["schema"]["items"]["enum"]
    assert "valid" in found["valid"]
    assert "`words.txt`" in found["reference"]
