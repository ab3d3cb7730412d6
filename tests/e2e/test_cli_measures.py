"""Measures from the plan's sentence to every report, against a server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.http_servers import HttpServer
from tests.support.plans import Ended, PlanProject, plan_text

COUNTED = "phases: [{users: 3, iterations: 60}]"
SENTENCES = (
    'max ttfb of "GET /" < 5s',
    "p95 connect < 5s",
    "avg service_time of user:A < 5s",
    "max size < 1KB",
    "max size == 2B",
    "ratio(p50 ttfb, p50 service_time) <= 1.01",
)


def plan_of(target: HttpServer, *sentences: str) -> str:
    judged = "thresholds:\n" + "\n".join(f"  - {sentence!r}" for sentence in sentences)
    users = "users: {A: {steps: [{get: /}]}}"
    return plan_text(users, COUNTED, judged, url=target.url)


def observed(ended: Ended) -> dict[str, Any]:
    return {one["threshold"]: one["observed"] for one in ended.metrics["judgements"]}


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_they_are_judged_and_reported(
    project: PlanProject, target: HttpServer, workers: str
) -> None:
    """With their units, and three connections for three users."""
    project.write({"plan.yaml": plan_of(target, *SENTENCES)})
    options = (
        "--out",
        "out",
        "--workers",
        workers,
        "--formats",
        "report.html,junit.xml,summary.md",
    )

    ended = project.run("execute", "plan.yaml", *options)

    assert ended.code == 0, ended.out + ended.err
    found = observed(ended)
    assert found["max size == 2B"] == found["max size < 1KB"] == "2 B"
    assert found['max ttfb of "GET /" < 5s'].endswith("s")
    (series,) = [one for one in ended.metrics["series"] if one["kind"] == "request"]
    counts = {word: sum(one["buckets"][1::2]) for word, one in series["measures"].items()}
    assert counts == {"ttfb": 60, "connect": 3, "size": 60}
    shown = found['max ttfb of "GET /" < 5s']
    assert shown in ended.out
    for name in ("report.html", "junit.xml", "summary.md"):
        assert shown in ended.files[f"out/{name}"].read_text("utf-8"), name


def test_a_run_without_them_keeps_none(project: PlanProject, target: HttpServer) -> None:
    """Latency and service time are of every sample; nothing else is counted."""
    text = plan_of(target, "p95 < 5s", "p95 service_time < 5s")

    ended = project.write({"plan.yaml": text}).run("execute", "plan.yaml", "--out", "out")

    assert ended.code == 0, ended.out + ended.err
    assert ended.metrics["measures"] == []
    assert {len(one["measures"]) for one in ended.metrics["series"]} == {0}


@pytest.mark.slow
def test_a_baseline_has_what_its_plan_asked_for(project: PlanProject, target: HttpServer) -> None:
    """What it lacks is no data, and no latency in its place."""
    sentence = "avg size < 110% of baseline"
    before = project.write({"plan.yaml": plan_of(target, "p95 < 5s")})
    assert before.run("execute", "plan.yaml", "--out", "old").code == 0
    assert project.run("baseline", "promote", "old").code == 0

    project.write({"plan.yaml": plan_of(target, sentence)})
    lacking = project.run("execute", "plan.yaml", "--out", "first")
    assert project.run("baseline", "promote", "first").code == 0
    having = project.run("execute", "plan.yaml", "--out", "second")

    assert (lacking.code, lacking.metrics["judgements"][0]["verdict"]) == (1, "no_data")
    assert lacking.metrics["judgements"][0]["observed"] == "not in baseline"
    assert having.code == 0, having.out
    (judgement,) = having.metrics["judgements"]
    assert (judgement["observed"], judgement["limit"]) == ("2 B", "2 B (of 2 B)")
