"""Old runs are removed, and nothing else."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from planrunner.cli.group import run
from planrunner.results.files.metrics_json import write_metrics
from tests.support.plans import PlanProject
from tests.support.results import RESULTS


def make_runs(project: PlanProject, count: int, *, plan: str = "shop", baseline: str = "") -> None:
    """Write `count` runs, the oldest first, as `reports/PLAN/N`."""
    for n in range(count):
        result = replace(
            RESULTS["passing"],
            plan=plan,
            run_id=f"{plan}-{n}",
            started=f"2026-11-{n + 1:02}T12:00:00.000Z",
            baseline=baseline,
        )
        path = project.directory / "reports" / plan / str(n)
        path.mkdir(parents=True)
        write_metrics(result, path / "metrics.json")
        (path / "report.html").write_text("x")


def left(project: PlanProject, plan: str = "shop") -> list[str]:
    return sorted(path.name for path in (project.directory / "reports" / plan).iterdir())


def test_the_last_runs_of_each_plan_stay(project: PlanProject) -> None:
    make_runs(project, 5)
    make_runs(project, 2, plan="cart")

    ended = project.run("clean", "reports", "--keep", "3")

    assert ended.code == 0
    assert ended.out.split() == [str(Path("reports/shop/0")), str(Path("reports/shop/1"))]
    assert ended.err == "removed 2 runs\n"
    assert (left(project), left(project, "cart")) == (["2", "3", "4"], ["0", "1"])


def test_a_dry_run_removes_nothing(project: PlanProject) -> None:
    make_runs(project, 4)

    ended = project.run("clean", "reports", "--keep", "1", "--dry-run")

    assert len(ended.out.splitlines()) == 3
    assert ended.err == "would remove 3 runs\n"
    assert left(project) == ["0", "1", "2", "3"]


@pytest.mark.parametrize("where", ["base.json", "reports/shop/0/base.json"])
def test_a_baseline_is_never_removed(project: PlanProject, where: str) -> None:
    """Neither the run that was promoted nor a directory that holds the baseline's file."""
    make_runs(project, 4, baseline=where)
    source = "reports/shop/1" if where == "base.json" else "reports/shop/3"
    assert project.run("baseline", "promote", source).code == 0

    ended = project.run("clean", "reports", "--keep", "1")

    assert left(project) == (["1", "3"] if where == "base.json" else ["0", "3"])
    assert ended.err == "removed 2 runs, kept 1 old one\n"


@pytest.mark.parametrize("folder", [".", "reports", "reports/shop/0", "elsewhere"])
def test_a_baseline_stays_wherever_the_command_is_run(
    project: PlanProject, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its path counts from where the runs were started."""
    make_runs(project, 4, baseline="reports/base.json")
    assert project.run("baseline", "promote", "reports/shop/1").code == 0
    here = project.directory / folder
    here.mkdir(exist_ok=True)
    monkeypatch.chdir(here)

    code = run(["clean", os.path.relpath(project.directory / "reports"), "--keep", "0"])

    assert code == 0
    assert left(project) == ["1"]


def test_what_is_no_finished_run_stays(project: PlanProject) -> None:
    """A run under way, an edited one, one around another, and files of somebody else."""
    make_runs(project, 3)
    project.write(
        {
            "reports/shop/under-way/unfinished.json": "{}",
            "reports/shop/edited/metrics.json": "{",
            "reports/shop/notes/readme.txt": "mine",
        }
    )
    inner = project.directory / "reports" / "shop" / "metrics.json"
    write_metrics(replace(RESULTS["passing"], started="2020-01-01T00:00:00.000Z"), inner)

    ended = project.run("clean", "reports", "--keep", "1")

    assert ended.code == 0
    assert left(project) == ["2", "edited", "metrics.json", "notes", "under-way"]
    assert "not finished" in ended.err


def test_a_directory_without_runs_is_an_error(project: PlanProject) -> None:
    (project.directory / "empty").mkdir()

    assert project.run("clean", "empty").code == 2
    assert project.run("clean", "nowhere").code == 2


def make_suites(project: PlanProject, count: int) -> None:
    """Write suites, the oldest first, as `reports/suite/N`, each with two runs of a plan."""
    for n in range(count):
        suite = project.directory / "reports" / "suite" / str(n)
        for repeat in (1, 2):
            result = replace(
                RESULTS["passing"],
                plan="shop",
                run_id=f"{n}-{repeat}",
                started=f"2026-11-{n + 1:02}T12:0{repeat}:00.000Z",
                baseline="base.json",
            )
            (suite / "shop" / str(repeat)).mkdir(parents=True)
            write_metrics(result, suite / "shop" / str(repeat) / "metrics.json")
        (suite / "suite.json").write_text("{}")


def test_a_suite_goes_or_stays_as_a_whole(project: PlanProject) -> None:
    """It counts as one run of its plan, and its table goes with it."""
    make_suites(project, 4)

    ended = project.run("clean", "reports", "--keep", "2")

    assert ended.err == "removed 4 runs\n"
    assert ended.out.split() == [str(Path("reports/suite", name)) for name in "01"]
    assert left(project, "suite") == ["2", "3"]


def test_a_suite_with_a_baseline_or_an_unfinished_run_stays(project: PlanProject) -> None:
    make_suites(project, 4)
    assert project.run("baseline", "promote", "reports/suite/0/shop/2").code == 0
    project.write({"reports/suite/1/cart/unfinished.json": "{}"})

    ended = project.run("clean", "reports", "--keep", "1")

    assert left(project, "suite") == ["0", "1", "3"]
    assert ended.err.splitlines()[-1] == "removed 2 runs, kept 4 old ones"


def test_a_suite_with_a_run_that_is_not_old_stays(project: PlanProject) -> None:
    """Another plan ran in it alone."""
    make_suites(project, 2)
    result = replace(RESULTS["passing"], plan="cart", run_id="cart")
    (project.directory / "reports" / "suite" / "0" / "cart").mkdir()
    write_metrics(result, project.directory / "reports/suite/0/cart/metrics.json")

    project.run("clean", "reports", "--keep", "1")

    assert left(project, "suite") == ["0", "1"]


def test_a_suite_itself_is_no_place_to_clean(project: PlanProject) -> None:
    make_suites(project, 2)

    ended = project.run("clean", "reports/suite/0", "--keep", "0")

    assert ended.code == 2
    assert "is a suite, which is removed as a whole" in ended.err
