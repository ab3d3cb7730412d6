"""The rows of "Where to add …" in ARCHITECTURE.md, each done once, in a process of its own.

Each test writes the module that the row asks for, and puts the record or line that the row asks for
into its table before the command line starts. Rows tested elsewhere: a report format in
unit/report/test_report_formats_table.py, a protocol and a measure in
e2e/test_cli_foreign_protocol.py, an output of another package in e2e/test_cli_foreign_output.py, a
load model in unit/graph/test_graph_loads.py.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter

import pytest

from tests.support.http_servers import HttpServer
from tests.support.plans import Ended, PlanProject, plan_text

pytestmark = pytest.mark.slow

# In the source, FORMAT is imported by `data/formats.py`.
FIXED_WIDTH = '''\
"""Columns at fixed places, as their header says."""

from planrunner.data.data_format import DataFormat
from planrunner.data.formats import DATA_FORMATS
from planrunner.data.survey import Survey
from planrunner.data.tables import MemoryTable, RowFault


def read(path, most=None):
    header, *lines = path.read_text("utf-8").splitlines()
    columns = tuple(header.split())
    starts = [header.index(name) for name in columns]
    rows = []
    for number, line in enumerate(lines[:most], 2):
        if len(line) > len(header):
            raise RowFault("the row is longer than the header", line=number)
        ends = [*starts[1:], None]
        cells = [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]
        rows.append(dict(zip(columns, cells, strict=True)))
    return columns, rows, most is None or len(lines) <= most


def survey(path, most):
    columns, rows, is_complete = read(path, most)
    return Survey(columns, len(rows), is_complete)


FORMAT = DataFormat(
    "fixed",
    description="A file whose header says where its columns begin.",
    example="data/users.txt",
    survey=survey,
    open_rows=lambda path, columns: MemoryTable(read(path)[1]),
)
DATA_FORMATS[FORMAT.key] = FORMAT
'''

PEOPLE = """\
name  city
ann   oslo
bob   rome
cid   bonn
"""

READS_PEOPLE = """
data: {people: {fixed: people.txt}}
users:
  Visitor:
    tasks: [{get: "/${people.city}/${people.name}", name: GET /person}]
phases: [{users: 1, iterations: 6}]
"""


class TestDataFormat:
    """A module in `data/` with its record, and its name in the table."""

    @pytest.fixture(autouse=True)
    def _files(self, project: PlanProject, target: HttpServer) -> None:
        project.write(
            {
                "fixed_width.py": FIXED_WIDTH,
                "people.txt": PEOPLE,
                "plan.yaml": plan_text(READS_PEOPLE, url=target.url),
            }
        )

    def command(self, project: PlanProject, *words: str) -> Ended:
        return project.run_apart(*words, first="import fixed_width")

    def test_a_plan_may_name_such_a_file(self, project: PlanProject) -> None:
        """Columns are known before the run, so a misspelt one is a fault with its place."""
        wrong = (project.directory / "plan.yaml").read_text().replace("people.city", "people.town")
        project.write({"wrong.yaml": wrong})

        valid = self.command(project, "validate", "plan.yaml")
        invalid = self.command(project, "validate", "wrong.yaml")

        assert (valid.code, valid.err) == (0, "")
        assert invalid.code == 2
        assert "`people` has no column `town`" in invalid.err
        assert "columns: `name`, `city`" in invalid.err

    def test_a_fault_in_such_a_file_has_its_line(self, project: PlanProject) -> None:
        """The format says what is wrong, planrunner says where."""
        project.write({"people.txt": PEOPLE + "x" * 80})

        ended = self.command(project, "validate", "plan.yaml")

        assert ended.code == 2
        assert "people.txt:5: the row is longer than the header" in ended.err

    def test_schema_reference_and_hints_know_its_key(self, project: PlanProject) -> None:
        """After the formats that planrunner has, and before the other sources of rows."""
        project.write({"misspelt.yaml": plan_text("data: {people: {fixd: people.txt}}")})

        schema = json.loads(self.command(project, "schema").out)
        reference = self.command(project, "schema", "reference").out
        misspelt = self.command(project, "validate", "misspelt.yaml")

        keys = [*schema["definitions"]["Data"]["properties"]]
        formats = ["csv", "json", "jsonl", "parquet", "avro", "fixed"]
        assert keys[:8] == [*formats, "list", "generate"]
        assert "A file whose header says where its columns begin." in reference
        assert "did you mean `fixed`?" in misspelt.err

    def test_a_plan_can_be_explained_and_tried(
        self, project: PlanProject, target: HttpServer
    ) -> None:
        """`explain` sends nothing, and `--once` sends the first row."""
        explained = self.command(project, "explain", "plan.yaml")
        before = list(target.requests)
        tried = self.command(project, "execute", "plan.yaml", "--once")

        assert (explained.code, tried.code) == (0, 0)
        assert "GET /person" in explained.out
        assert before == []
        assert [request.target for request in target.requests] == ["/oslo/ann"]

    def test_a_run_draws_its_rows(self, project: PlanProject, target: HttpServer) -> None:
        """Six iterations draw each of three rows twice, and the target sees their columns."""
        ended = self.command(project, "execute", "plan.yaml", "--out", "out")

        sent = Counter(request.target for request in target.requests)
        with ended.files["out/results.csv"].open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert ended.code == 0
        assert sent == {"/oslo/ann": 2, "/rome/bob": 2, "/bonn/cid": 2}
        assert len(rows) == ended.metrics["totals"]["total_requests"] == 6


# In the source this is a record of `metrics/aggregations/table.py`.
RANGE = """\
from planrunner.metrics.aggregations.computation import OfValues
from planrunner.metrics.aggregations.record import Aggregation
from planrunner.metrics.aggregations.table import AGGREGATIONS

AGGREGATIONS["range"] = Aggregation(
    "range",
    meaning="the greatest value less the smallest",
    computation=OfValues(lambda values, _: values.max - values.min),
    phrase="the range of {of}",
    examples=('range of "GET /" < 50ms',),
)
"""


class TestAggregation:
    """A record in the table."""

    @pytest.fixture(autouse=True)
    def _files(self, project: PlanProject, target: HttpServer) -> None:
        judged = "thresholds: ['range < 10s', {warn: 'range of \"GET /\" over 1s < 1us'}]"
        load = "phases: [{users: 1, iterations: 5}]"
        project.write(
            {"range.py": RANGE, "plan.yaml": plan_text(judged, load, url=target.url)},
        )

    def command(self, project: PlanProject, *words: str) -> Ended:
        return project.run_apart(*words, first="import range")

    def test_every_command_knows_it(self, project: PlanProject) -> None:
        """Plans, editors, `explain` and the reference."""
        valid = self.command(project, "validate", "plan.yaml")
        explained = self.command(project, "explain", "plan.yaml")
        schema = self.command(project, "schema")
        reference = self.command(project, "schema", "thresholds")

        assert (valid.code, valid.err) == (0, "")
        assert "the range of the latency" in explained.out
        assert 'range of \\"GET /\\" < 50ms' in schema.out
        assert "The greatest value less the smallest." in reference.out

    def test_a_run_is_judged_by_it(self, project: PlanProject) -> None:
        """With a window and without; the verdict and the console have its number."""
        ended = self.command(project, "execute", "plan.yaml", "--out", "out")

        judged = {each["threshold"]: each["verdict"] for each in ended.metrics["judgements"]}
        assert ended.code == 0
        assert judged == {"range < 10s": "pass", 'range of "GET /" over 1s < 1us': "warn"}


# In the source these are the modules `kind`, `spec` and `output` of a package in `outputs/`.
TALLY = """\
import sys
from pathlib import Path

import planrunner.outputs
from planrunner.language.fields.types import TextField
from planrunner.outputs import OutputKind, OutputModel
from planrunner.outputs.totals import is_shown


class TallyModel(OutputModel):
    '''Settings of the tally.'''

    file: TextField


class Tally:
    name = "tally"

    def __init__(self, *, file, labels):
        self.path, self.labels, self.count = Path(file), labels, 0

    async def start(self, run):
        self.run = run

    async def add(self, second):
        deltas = second.snapshot.deltas.items()
        self.count += sum(delta.count for labels, delta in deltas if is_shown(labels))

    async def stop(self):
        self.path.write_text(f"{self.run.plan} {self.count} {' '.join(self.labels)}")


KIND = OutputKind(
    "tally",
    description="Count requests in a file.",
    example="{file: tally.txt}",
    model="tally.kind:TallyModel",
    make="tally.kind:Tally",
    read_words=lambda text: {"file": text},
)
sys.modules["planrunner.outputs.tally.kind"] = sys.modules[__name__]
planrunner.outputs.__path__.append(str(Path(__file__).parent.parent))
"""


def test_an_output_is_known_everywhere_and_gets_the_run(
    project: PlanProject, target: HttpServer
) -> None:
    """A folder with its record: plans, options, editors, the reference, and a run."""
    plan = "outputs: [{tally: {file: '${run.dir}/t.txt', labels: [read]}}]"
    load = "users: {A: {tasks: [{get: /, tags: [read]}]}}\nphases: [{users: 1, iterations: 3}]"
    project.write(
        {
            "tally/__init__.py": "",
            "tally/kind.py": TALLY,
            "plan.yaml": plan_text(load, plan, url=target.url),
            "wrong.yaml": plan_text("outputs: [{tally: {fil: x}}]"),
        }
    )

    def command(*words: str) -> Ended:
        return project.run_apart(*words, first="import tally.kind")

    ended = command("execute", "plan.yaml", "--out", "out")
    option = command("execute", "plan.yaml", "--output", "tally=mine.txt", "-q")
    wrong = command("validate", "wrong.yaml")
    schema = json.loads(command("schema").out)
    reference = command("schema", "reference").out

    assert (ended.code, option.code, wrong.code) == (0, 0, 2)
    assert ended.files["out/t.txt"].read_text() == "test 3 read"
    assert option.files["mine.txt"].read_text() == "test 3 read"
    assert "did you mean `file`?" in wrong.err
    assert "tally" in schema["definitions"]["OutputEntry"]["properties"]
    assert "Count requests in a file." in reference


# In the source this is `cli/commands/greet.py`, and a line of `_COMMANDS` in `cli/group.py`.
GREET = """\
import sys

import click

from planrunner.cli import group


@click.command()
@click.argument("name")
def command(name):
    click.echo(f"hello {name}")


sys.modules["planrunner.cli.commands.greet"] = sys.modules[__name__]
group._COMMANDS["greet"] = "say hello"
"""


def test_a_subcommand_is_in_the_menu_and_runs(project: PlanProject) -> None:
    """A module that defines `command`, and its line in the menu."""
    project.write({"greet.py": GREET})

    menu = project.run_apart("--help", first="import greet")
    greeted = project.run_apart("greet", "world", first="import greet")
    misspelt = project.run_apart("gret", first="import greet")

    assert re.search(r"^ +greet +say hello$", menu.out, re.MULTILINE)
    assert greeted.out == "hello world\n"
    assert "greet" in misspelt.err
