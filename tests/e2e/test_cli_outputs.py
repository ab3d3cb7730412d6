"""Outputs of a plan, from the command line and from Python, in whole runs."""

from __future__ import annotations

import json
from pathlib import Path
from time import perf_counter
from typing import Any

import jsonschema
import pytest

import planrunner
from planrunner.outputs import RunInfo, Second
from planrunner.outputs.jsonl.records import seconds_schema
from tests.support.http_servers import HttpServer, Request, Wire, serve
from tests.support.plans import PlanProject, plan_text, running

EXAMPLES = Path(__file__).parents[1] / "examples"

pytestmark = pytest.mark.slow

PLAN = """
params: {key: {type: str, default: swordfish, secret: true}}
users:
  Visitor:
    tasks:
      - {get: /s, name: "GET ${key}/${iteration % 2}", weight: 2}
      - {get: /a, name: 'GET "a"', tags: [read], record: {items: 2.5}, work: "3"}
      - {get: /missing, expect: {status: 201}}
phases:
  - {name: main, users: 2, iterations: 40, warmup: 4}
"""


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_seconds_and_samples_add_up_to_the_result(project: PlanProject, target: HttpServer) -> None:
    """Without the warm-up; each line is as the schema says, and names its run."""
    outputs = """
outputs:
  - jsonl: {file: "${run.dir}/seconds.jsonl", labels: [read, none]}
  - jsonl: {file: all.jsonl, samples: true}
report: {formats: [metrics.json]}
"""
    project.write({"plan.yaml": plan_text(PLAN, outputs, url=target.url)})

    ended = project.run("execute", "plan.yaml", "--out", "out")

    metrics = ended.metrics
    seconds = lines_of(project.directory / "out" / "seconds.jsonl")
    samples = lines_of(project.directory / "all.jsonl")
    validator = jsonschema.Draft202012Validator(seconds_schema())
    for line in (*seconds, *samples):
        validator.validate(line)
        assert line["run"] == metrics["run_id"]
    cold = [one for second in seconds for one in second["requests"] if not one["warmup"]]
    wanted = {
        row["name"]: (row["count"], row["failed"])
        for row in metrics["rows"]
        if row["by"] == "request" and not row["phase"]
    }
    assert _sums((one["request"], one["count"], one["failed"]) for one in cold) == wanted
    measured = [one for one in samples if not one["warmup"]]
    assert _sums((one["request"], 1, bool(one["failure"])) for one in measured) == wanted
    assert len(samples) == 40
    assert {one["protocol"] for one in samples} == {"http/1.1"}
    columns = {"worker": 1, "after": False, "first_event": None, "events": None}
    assert all(one | columns == one for one in samples)
    [tags] = {tuple(one["tags"].items()) for one in cold if one["request"] == 'GET "a"'}
    assert tags == (("read", "true"), ("none", ""))
    of_a = [one for one in samples if one["request"] == 'GET "a"']
    assert {(one["work"], one["metrics"]["items"]) for one in of_a} == {(3.0, 2.5)}
    assert seconds[-1]["is_last"]
    assert "swordfish" not in json.dumps([seconds, samples])
    assert "GET ***/1" in json.dumps([seconds, samples])


def _sums(parts: Any) -> dict[str, tuple[int, int]]:
    sums: dict[str, tuple[int, int]] = {}
    for name, count, failed in parts:
        before = sums.get(name, (0, 0))
        sums[name] = (before[0] + count, before[1] + failed)
    return sums


def test_samples_need_a_plan_that_keeps_some(project: PlanProject, target: HttpServer) -> None:
    """The run says so before any load."""
    outputs = "outputs: [{jsonl: {file: x, samples: true}}]\nreport: {samples: none}"
    project.write({"plan.yaml": plan_text(outputs, url=target.url)})

    ended = project.run("execute", "plan.yaml")

    assert ended.code == 3
    assert "output `jsonl`: the plan keeps no samples" in ended.err
    assert target.requests == []


def test_a_plan_from_a_stranger_writes_nowhere_else(
    project: PlanProject, target: HttpServer
) -> None:
    """With --no-exec, as for reports."""
    project.write({"plan.yaml": plan_text("outputs: [{jsonl: {file: ../x}}]", url=target.url)})

    ended = project.run("execute", "plan.yaml", "--no-exec")

    assert ended.code == 3
    assert "output `jsonl`: `../x` is outside the plan's folder" in ended.err
    assert not (project.directory.parent / "x").exists()


def test_a_required_output_that_loses_something_has_an_exit_code(
    project: PlanProject, target: HttpServer
) -> None:
    """The run is kept, and its notices say what is missing."""
    load = "phases: [{name: main, users: 1, iterations: 2}]"
    project.write({"plan.yaml": plan_text(load, url=target.url)})

    full = project.run("execute", "plan.yaml", "--output", "jsonl={file: /dev/full}", "--out", "a")
    needed = "jsonl={file: /dev/full, required: true}"
    required = project.run("execute", "plan.yaml", "--output", needed, "--out", "b")

    lost = "the output `jsonl` could not deliver 1 second of the run: cannot write `/dev/full`"
    assert (full.code, required.code) == (0, 3)
    for ended in (full, required):
        assert any(notice.startswith(lost) for notice in ended.metrics["notices"])
        assert ended.metrics["totals"]["total_requests"] == 2
    assert required.metrics["exit_code"] == 3


def test_an_output_that_never_answers_costs_five_seconds_at_the_end(
    project: PlanProject, target: HttpServer
) -> None:
    """And nothing else: every request is sent, and the exit code is the verdict."""
    answers = iter([b"HTTP/1.1 204 No Content\r\n\r\n"] * 2)  # a database, and its first point

    async def answer_the_start_only(request: Request, wire: Wire) -> None:
        if reply := next(answers, b""):
            await wire.send(reply)
        else:
            await wire.hang()

    load = "phases: [{name: main, users: 1, iterations: 20}]"
    project.write({"plan.yaml": plan_text(load, url=target.url)})
    with running(serve(answer_the_start_only)) as stuck:
        began_s = perf_counter()
        option = f"influxdb=http://me:hunter22@127.0.0.1:{stuck.origin.port}/k6"
        ended = project.run("execute", "plan.yaml", "--output", option, "--out", "out")
        took_s = perf_counter() - began_s

    notices = ended.metrics["notices"]
    assert ended.code == 0
    assert ended.metrics["totals"]["total_requests"] == 20
    assert 4 < took_s < 10
    assert notices[0].startswith("the output `influxdb` did not end within 5 s and was abandoned")
    assert "hunter22" not in ended.out + ended.err + str(ended.metrics)


def test_a_plan_with_outputs_and_notices_runs_as_it_is_written(project: PlanProject) -> None:
    """tests/examples/observed.yaml, for a shorter time; the file has what the result has."""
    text = (EXAMPLES / "observed.yaml").read_text("utf-8")
    project.write({"plans/observed.yaml": text})

    ended = project.run(
        *("execute", "plans/observed.yaml", "--out", "out", "--users", "3", "--hold", "1s"),
        *("--override", "phases.steady.ramp_up=0s"),
    )

    seconds = lines_of(project.directory / "out" / "seconds.jsonl")
    requests = [one for second in seconds for one in second["requests"]]
    assert ended.code == 0
    assert "http://127.0.0.1:" in ended.err  # where Prometheus finds it
    assert sum(one["count"] for one in requests) == ended.metrics["totals"]["total_requests"] > 0
    assert {name for one in requests for name in one["metrics"]} == {"items"}


def test_every_command_that_runs_a_plan_takes_outputs(
    project: PlanProject, target: HttpServer
) -> None:
    """Several runs append to the same file, and each line names its run."""
    load = "phases: [{name: main, users: 1, iterations: 2}]"
    project.write({"plan.yaml": plan_text(load, url=target.url)})
    option = ("--output", "jsonl=x.jsonl", "--quiet")

    several = project.run("execute", "plan.yaml", "--repeat", "2", *option)
    url = project.run("run", target.url, "--users", "1", "--hold", "200ms", *option)

    assert (several.code, url.code) == (0, 0)
    runs = {line["run"]: line["plan"] for line in lines_of(project.directory / "x.jsonl")}
    assert sorted(runs.values())[1:] == ["test", "test"]
    assert len(runs) == 3


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("influxdb=http://localhost:8086/k6", "influxdb=…"),
        ("json=x.json", "jsonl=…"),
    ],
)
def test_an_output_where_the_directory_belongs_is_no_directory(
    project: PlanProject, given: str, meant: str
) -> None:
    """As k6 has it; nothing is made or sent."""
    project.write({"plan.yaml": plan_text()})

    ended = project.run("execute", "plan.yaml", "--out", given)

    assert ended.code == 2
    assert f"write `--output {meant}`" in ended.err
    assert ended.files == {}


def test_a_call_from_python_names_outputs_in_each_way(
    project: PlanProject, target: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the command line, as in a plan, and an object of the caller."""
    monkeypatch.chdir(project.directory)
    load = "phases: [{name: main, users: 1, iterations: 2}]"
    project.write({"plan.yaml": plan_text(load, url=target.url)})
    own = Seen()

    result = planrunner.run(
        "plan.yaml", outputs=["jsonl=a.jsonl", {"jsonl": {"file": "b.jsonl"}}, own]
    )
    with pytest.raises(planrunner.PlanError) as refused:
        planrunner.run("plan.yaml", outputs=["jsnl=x"])

    assert result.passed
    written = [lines_of(project.directory / name) for name in ("a.jsonl", "b.jsonl")]
    assert written[0] == written[1]
    assert own.seconds == len(written[0])
    assert refused.value.diagnostics[0].argument == "outputs"


class Seen:
    """Counts seconds."""

    name = "seen"

    def __init__(self) -> None:
        self.seconds = 0

    async def start(self, run: RunInfo) -> None:
        """Nothing is opened."""

    async def add(self, second: Second) -> None:
        self.seconds += 1

    async def stop(self) -> None:
        """Nothing is closed."""
