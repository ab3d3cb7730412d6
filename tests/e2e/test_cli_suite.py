"""`execute` with several plans, and with `--repeat`: files, table, exit code, and what is left."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.support.http_servers import HttpServer
from tests.support.plans import Ended, PlanProject, plan_text

COUNTED = "phases: [{users: 1, iterations: 3}]"
BROKEN = f"{COUNTED}\nthresholds: [count < 1]"


def write(project: PlanProject, target: HttpServer, **plans: str) -> None:
    """Write plans, each named like its file."""
    for name, sections in plans.items():
        text = plan_text(f"name: {name}\n{sections}", url=target.url)
        project.write({f"plans/{name}.yaml": text})


def suite_of(project: PlanProject, directory: str = "out") -> dict[str, Any]:
    path = project.directory / directory / "suite.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def run(project: PlanProject, *arguments: str) -> Ended:
    return project.run("execute", *arguments, "--formats", "report.html", "--out", "out")


@pytest.mark.slow
def test_plans_run_one_after_the_other(project: PlanProject, target: HttpServer) -> None:
    """One table on stdout, one page, one junit.xml; a directory for each run."""
    write(project, target, a=COUNTED, b=COUNTED)

    ended = run(project, "plans/a.yaml", "plans/b.yaml", "--label", "build=7")

    assert ended.code == 0
    assert "PASS  2 plans: 2 pass" in ended.out
    assert ended.out.split()[-3:] == [
        str(Path("out", name)) for name in ("index.html", "junit.xml", "suite.json")
    ]
    assert [line for line in ended.err.splitlines() if line.startswith("plan ")] == [
        "plan 1 of 2: a (plans/a.yaml)",
        "plan 2 of 2: b (plans/b.yaml)",
    ]
    assert {str(Path("out", name, "metrics.json")) for name in "ab"} <= set(ended.files)
    assert suite_of(project)["labels"] == {"build": "7"}
    root = ET.parse(project.directory / "out" / "junit.xml").getroot()
    assert [suite.get("name") for suite in root] == ["a", "b"]


def test_what_an_option_can_not_do_names_the_plan(project: PlanProject, target: HttpServer) -> None:
    """The place of the fault is the command line, which is that of all plans."""
    write(project, target, a=COUNTED, b=COUNTED)

    ended = run(project, "plans/a.yaml", "plans/b.yaml", "--rate", "5/s")

    assert ended.code == 2
    assert "plans/a.yaml:1:1: note: in this plan\n" in ended.err
    assert "plans/b.yaml:1:1: note: in this plan\n" in ended.err


def test_nothing_is_sent_when_any_plan_is_invalid(project: PlanProject, target: HttpServer) -> None:
    """Faults of all plans are shown at once, also with `--keep-going`."""
    write(project, target, a=COUNTED, b="phases: [{users: 1}]", c="thresholds: [p95 of x < 1s]")

    ended = run(project, "plans/a.yaml", "plans/b.yaml", "plans/c.yaml", "--keep-going")

    assert ended.code == 2
    assert "plans/b.yaml:" in ended.err
    assert "plans/c.yaml:" in ended.err
    assert ended.err.endswith("2 of 3 plans invalid: nothing was sent\n")
    assert not target.requests
    assert not ended.files


@pytest.mark.slow
def test_the_first_plan_that_fails_ends_the_suite(project: PlanProject, target: HttpServer) -> None:
    write(project, target, a=BROKEN, b=COUNTED)

    ended = run(project, "plans/a.yaml", "plans/b.yaml")

    assert ended.code == 1
    assert "FAIL  2 plans: 1 fail, 1 not run" in ended.out
    assert "ended early: `a` came to fail; --keep-going runs the others too" in ended.out
    assert len(target.requests) == 3
    assert [plan["exit_code"] for plan in suite_of(project)["plans"]] == [1, None]


@pytest.mark.slow
def test_keep_going_runs_all_and_ends_with_the_worst_code(
    project: PlanProject, target: HttpServer
) -> None:
    write(project, target, a=BROKEN, b=COUNTED)

    ended = run(project, "plans/a.yaml", "plans/b.yaml", "--keep-going", "--quiet")

    assert (ended.code, ended.out, ended.err) == (1, "", "")
    assert [plan["exit_code"] for plan in suite_of(project)["plans"]] == [1, 0]


@pytest.mark.slow
def test_a_glob_that_found_one_plan_has_the_same_files(
    project: PlanProject, target: HttpServer
) -> None:
    """`--keep-going` is only said of several."""
    write(project, target, a=COUNTED)

    ended = run(project, "plans/a.yaml", "--keep-going")

    assert ended.code == 0
    assert str(Path("out", "index.html")) in ended.files


@pytest.mark.slow
def test_repeat_shows_median_and_spread(project: PlanProject, target: HttpServer) -> None:
    """Each run has its directory; `report` prints the table again."""
    write(project, target, a=BROKEN)

    ended = run(project, "plans/a.yaml", "--repeat", "3")
    again = project.run("report", "out")

    assert ended.code == 1
    assert "all requests  requests " in ended.out
    assert "fail: count < 1: observed 3, limit 1" in ended.out
    assert {str(Path("out", "a", str(n), "report.html")) for n in (1, 2, 3)} <= set(ended.files)
    assert again.out.strip() == ended.out.partition("\nout")[0].strip()


@pytest.mark.slow
def test_json_is_one_document(project: PlanProject, target: HttpServer) -> None:
    write(project, target, a=COUNTED)

    ended = run(project, "plans/a.yaml", "plans/a.yaml", "--json")

    assert json.loads(ended.out) == suite_of(project)
    assert [plan["directory"] for plan in suite_of(project)["plans"]] == ["a", "a-2"]


@pytest.mark.slow
def test_without_out_the_directory_is_new(project: PlanProject, target: HttpServer) -> None:
    """Below reports/suite; what the plans say about theirs does not apply."""
    write(project, target, a=f"{COUNTED}\nreport: {{dir: mine, formats: [metrics.json]}}")

    first = project.run("execute", "plans/a.yaml", "plans/a.yaml", "--quiet")
    second = project.run("execute", "plans/a.yaml", "plans/a.yaml", "--quiet")

    assert (first.code, second.code) == (0, 0)
    suites = list((project.directory / "reports" / "suite").iterdir())
    assert len(suites) == 2
    assert not (project.directory / "mine").exists()


@pytest.mark.slow
def test_options_of_a_run_apply_to_each_plan(project: PlanProject, target: HttpServer) -> None:
    write(project, target, a=COUNTED, b=COUNTED)

    ended = run(project, "plans/a.yaml", "plans/b.yaml", "--seed", "7", "--users", "2", "--strict")

    found = suite_of(project)
    assert (ended.code, found["seed"]) == (0, 7)
    for name in "ab":
        metrics = json.loads((project.directory / "out" / name / "metrics.json").read_text())
        assert metrics["seed"] == 7
        assert metrics["loads"][0]["requested"] == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--once",), "--once prints every request of a single plan"),
        (("--once", "--repeat", "2"), "nothing for --repeat to compare"),
        (("--repeat", "0"), "0 is not in the range x>=1"),
        (("--profile", "smoke"), "no profile is called `smoke`"),
    ],
)
def test_what_a_suite_cannot_do_is_said(
    project: PlanProject, target: HttpServer, options: tuple[str, ...], said: str
) -> None:
    write(project, target, a=COUNTED, b=COUNTED)

    ended = run(project, "plans/a.yaml", "plans/b.yaml", *options)

    assert ended.code == 2
    assert said in ended.err
    assert not target.requests


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_an_interrupt_ends_the_suite_and_keeps_what_ran(
    project: PlanProject, target: HttpServer
) -> None:
    """The plan under way has a result, the next one is named as not run."""
    long = "phases: [{users: 1, hold: 60s, graceful_stop: 1s}]"
    write(project, target, a=COUNTED, b=long, c=COUNTED)
    plans = [f"plans/{name}.yaml" for name in "abc"]

    process = project.spawn("execute", *plans, "--out", "out", "--formats", "metrics.json")
    deadline = time.monotonic() + 30
    while len(target.requests) < 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    ended = project.end(process)

    assert ended.code == 130
    assert "INTERRUPTED  3 plans: 1 pass, 1 interrupted, 1 not run" in ended.out
    found = suite_of(project)
    assert [plan["exit_code"] for plan in found["plans"]] == [0, 130, None]
    assert found["ended_because"] == "interrupted by SIGINT"
    assert str(Path("out", "junit.xml")) in ended.files


# -- looking back --------------------------------------------------------------------------


@pytest.mark.slow
def test_runs_of_a_suite_have_a_history(project: PlanProject, target: HttpServer) -> None:
    """However deep they are, and from wherever one looks."""
    write(project, target, a=COUNTED)
    project.run("execute", "plans/a.yaml", "--repeat", "2", "--formats", "metrics.json", "--quiet")

    for directory in ("reports", "reports/suite"):
        ended = project.run("history", directory)

        assert ended.code == 0
        assert sum(" pass " in line for line in ended.out.splitlines()) == 2


@pytest.mark.slow
def test_suites_are_compared_plan_by_plan(project: PlanProject, target: HttpServer) -> None:
    write(project, target, a=COUNTED, b=COUNTED, c=COUNTED)
    for name, plans in (("one", "ab"), ("two", "bc")):
        files = [f"plans/{plan}.yaml" for plan in plans]
        options = ("--out", name, "--formats", "metrics.json", "--quiet")
        assert project.run("execute", *files, *options).code == 0

    shown = project.run("compare", "one", "two")
    data = json.loads(project.run("compare", "one", "two", "--json").out)
    judged = project.run("compare", "one", "two", "--fail-on", "regression")

    assert shown.code == 0
    assert "gone: a" in shown.out
    assert "new: c" in shown.out
    assert [plan["plan"] for plan in data["plans"]] == ["b"]
    assert judged.code == 1  # three requests are too few to compare
    for arguments, said in (
        (("one", "one/a"), "`one` is a suite, and `one/a` is not"),
        (("one", "two", "--html", "x.html"), "--html shows runs, not suites"),
    ):
        refused = project.run("compare", *arguments)
        assert (refused.code, said in refused.err) == (2, True)
