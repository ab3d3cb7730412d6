"""tests/examples/components.yaml: components of a data team, over sizes and formats, for real."""

from __future__ import annotations

import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.plans import PlanProject

EXAMPLES = Path(__file__).parents[1] / "examples"
SMALL = ["ingestion[case=small,format=csv]", "ingestion[case=small,format=parquet]"]

pytest.importorskip("pyarrow", reason="a matrix over Parquet needs it")


@pytest.fixture
def components(project: PlanProject) -> PlanProject:
    for name in ("components.yaml", "components.py"):
        shutil.copy(EXAMPLES / name, project.directory)
    return project


@pytest.mark.slow
def test_the_pull_requests_minute_measures_what_it_picks(components: PlanProject) -> None:
    """Five iterations each, of which the first is warm-up; what isn't picked is no failure."""
    ended = components.run("execute", "components.yaml", "--case", "small", "--quiet")

    assert ended.code == 0, ended.out + ended.err
    metrics = ended.metrics
    assert [one["phase"] for one in metrics["combinations"]] == [*SMALL, "quality[case=small]"]
    assert metrics["combinations"][0]["axes"] == [
        {"axis": "case", "value": "small"},
        {"axis": "format", "value": "csv"},
    ]
    assert metrics["combinations"][0]["sizes"] == [
        {"name": "rows", "value": 1000.0, "unit": ""},
        {"name": "limit", "value": 1.0, "unit": "duration"},
    ]
    rows = {row["name"]: row for row in metrics["rows"] if row["by"] == "phase"}
    assert {name: row["count"] for name, row in rows.items()} == {
        **dict.fromkeys(SMALL, 4),
        "quality[case=small]": 4,
    }
    verdicts = {one["threshold"]: one["verdict"] for one in metrics["judgements"]}
    assert verdicts["error_rate == 0"] == "pass"
    assert {verdict for text, verdict in verdicts.items() if "scalability" in text} == {"n/a"}
    assert {verdict for text, verdict in verdicts.items() if "case=large" in text} == {"n/a"}
    assert {
        verdict for text, verdict in verdicts.items() if "med of" in text and "case=small" in text
    } == {"pass"}
    [report] = [path for name, path in ended.files.items() if name.endswith("junit.xml")]
    assert "scalability" in ElementTree.parse(report).getroot().tag + report.read_text("utf-8")


@pytest.mark.slow
def test_warm_up_is_in_the_raw_samples_alone(components: PlanProject) -> None:
    """With two workers as with one."""
    ended = components.run(
        *("execute", "components.yaml", "--workers", "2", "--quiet"),
        *("--phase", "quality[case=small]", "--override", "phases.quality.users=2"),
    )

    assert ended.code == 0, ended.out + ended.err
    assert sorted(row["warmup"] for row in ended.rows) == ["false"] * 4 + ["true"]
    assert ended.metrics["totals"]["total_requests"] == 4
