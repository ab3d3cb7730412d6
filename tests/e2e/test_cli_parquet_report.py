"""The report `parquet` of the command line."""

from __future__ import annotations

import io

import pytest

from tests.support.missing import hidden
from tests.support.plans import PlanProject
from tests.support.run_directories import make_run_directory

PLAN = """
name: shop
services: {shop: {demo: shop}}
http: {base_url: "${services.shop.url}"}
users: {Visitor: {tasks: [{get: /products}]}}
phases: [{users: 2, iterations: 20}]
report: {formats: [parquet]}
"""


@pytest.mark.slow
def test_a_run_writes_it_and_report_makes_the_same_bytes(project: PlanProject) -> None:
    """As any report."""
    project.write({"plan.yaml": PLAN})

    run = project.run("execute", "plan.yaml", "--out", "r")
    found = (project.directory / "r" / "results.parquet").read_bytes()
    again = project.run("report", "r", "--format", "parquet", "--out", "again")

    assert (run.code, again.code) == (0, 0), run.err + again.err
    assert pytest.importorskip("pyarrow.parquet").read_table(io.BytesIO(found)).num_rows == 20
    assert (project.directory / "again" / "results.parquet").read_bytes() == found


def test_without_the_package_the_plan_is_refused(project: PlanProject) -> None:
    """At its place, before anything is sent; `--formats` and `report` say the same."""
    project.write({"plan.yaml": PLAN})
    make_run_directory(project.directory / "run")

    with hidden("pyarrow"):
        checked = project.run("validate", "plan.yaml")
        asked = project.run("report", "run", "--format", "parquet")

    assert (checked.code, asked.code) == (2, 2)
    assert "plan.yaml:7:20: error[not-available]: the report `parquet` needs" in checked.err
    assert "pip install" in checked.err
    assert "the report `parquet` needs the package pyarrow" in asked.err
