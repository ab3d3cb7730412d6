"""A real Prometheus scrapes a run, and answers all that dashboard and alerts ask it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support.etcd_servers import free_ports
from tests.support.http_servers import Request, Wire, reply, serve
from tests.support.plans import PlanProject, plan_text, running
from tests.support.prometheus_servers import (
    Prometheus,
    eventually,
    needs_prometheus,
    prometheus,
)

pytestmark = pytest.mark.slow

AWKWARD = 'GET "a\\b"\n<script>alert(1)</script> {{ $x }}'

PLAN = r"""
name: 'shop "one" {{ x }}'
outputs: [{prometheus: {labels: [area], linger: 60s}}]
users:
  Browser:
    wait: 10ms
    tasks:
      - {get: /ok, weight: 3, tags: {area: list}}
      - {get: /missing, name: "GET \"a\\b\"\n<script>alert(1)</script> {{ $x }}", weight: 1}
      - {get: /ok, name: not measured, measure: false}
  Rare: {tasks: [{get: /slow, timeout: 100ms}]}
phases:
  - {name: warm, users: {Browser: 3}, hold: 3s, warmup: 1s}
  - {name: open, rate: {Rare: 20/s}, max_users: 1, hold: 3s}
thresholds:
  - p95 < 1us
  - warn: error_rate < 1%
  - p99 of "GET /ok" in phase warm < 5s
  - avg of not task:"GET /ok" < 5s
  - count of status:5xx == 0
  - rate of error:timeout < 50%
  - share of status:404 among /script/ < 200%
  - throughput of "GET /*" > 1/s
  - p95 of each request < 10s
  - max of generator.loop_lag < 10s
  - dropped < 1000000
  - errors over 2s for 2 windows < 1000000
  - growth < 10s
  - dropped < 100%
  - p95 service_time < 10s
"""


async def answer(request: Request, wire: Wire) -> None:
    if request.target == "/slow":
        await wire.hang()
    else:
        await wire.send(reply(200 if request.target == "/ok" else 404, b"ok"))


def expressions(dashboard: dict[str, Any]) -> Iterator[str]:
    """Yield every query of a dashboard, with all variables at `All`."""
    found = [target["expr"] for panel in panels(dashboard) for target in panel["targets"]]
    found += [one["expr"] for one in dashboard["annotations"]["list"]]
    for expression in found:
        every = re.sub(r"\$(plan|run|phase|request)\b", ".*", expression)
        yield every.replace("$__rate_interval", "4s")


def panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            yield from panel.get("panels", ())
        else:
            yield panel


def scrape_often(configuration: Path) -> None:
    """Have a run of seconds scraped as often as one of minutes is."""
    yaml = YAML()
    settings = yaml.load(configuration)
    settings["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    yaml.dump(settings, configuration)


@needs_prometheus
def test_prometheus_scrapes_a_run_and_answers_dashboard_and_alerts(project: PlanProject) -> None:
    """Its last numbers are those of metrics.json; no query of the dashboard comes back empty."""
    [port] = free_ports(1)
    with running(serve(answer)) as target:
        project.write({"plan.yaml": f"{PLAN}http: {{base_url: '{target.url}'}}\n"})
        written = project.run(*("monitoring", "m m", "plan.yaml", "--target", f"127.0.0.1:{port}"))
        assert written.code == 0, written.err
        configuration = written.files["m m/prometheus/prometheus.yml"]
        scrape_often(configuration)
        checked = subprocess.run(
            ["promtool", "check", "config", configuration],
            capture_output=True,
            text=True,
            check=False,
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr
        with prometheus(configuration) as server:
            ended = project.run(
                *("execute", "plan.yaml", "--output", f"prometheus=:{port}", "--label", "team=a"),
            )
            assert ended.code == 1, ended.err  # p95 < 1us
            assert "prometheus" not in ended.out
            check_numbers(server, ended.metrics)
            check_dashboard(
                server, json.loads(written.files[DASHBOARD].read_text("utf-8")), ended.metrics
            )
            check_alerts(server, written.files[RULES].read_text("utf-8"))


def test_files_of_the_user_are_not_overwritten(project: PlanProject) -> None:
    """Unless that is asked for; prefix and port are those of the plan, if it has them."""
    output = "outputs: [{prometheus: {port: 9999, prefix: x}}]"
    project.write({"plan.yaml": plan_text(output)})
    again = [project.run("monitoring", "m", *more) for more in ((), (), ("plan.yaml",))]
    forced = project.run("monitoring", "m", "plan.yaml", "--force")

    assert [ended.code for ended in again] == [0, 0, 2]
    assert "performance-testing.json` exists" in again[2].err
    assert forced.code == 0
    assert "x_requests_total" in (project.directory / "m" / DASHBOARD[4:]).read_text("utf-8")
    assert "- 127.0.0.1:9999" in (project.directory / "m/prometheus/prometheus.yml").read_text()


DASHBOARD = "m m/grafana/dashboards/performance-testing.json"
RULES = "m m/prometheus/rules/performance-alerts.yml"


def last(series: str) -> str:
    """Return the query for the last value of series that may have gone since."""
    return f"last_over_time({series}[5m])"


def check_numbers(server: Prometheus, metrics: dict[str, Any]) -> None:
    totals, name = metrics["totals"], "perf_test_{}{{warmup='false'}}".format
    requests, errors = name("requests_total"), name("errors_total")
    counted = name("request_duration_seconds_count")

    assert server.value(f"sum({last(requests)})") == totals["total_requests"]
    assert server.value(f"sum({last(errors)})") == totals["failed_requests"]
    assert server.value(f"sum({last(counted)})") == totals["total_requests"]
    assert server.value(f"sum({last(name('request_duration_seconds_sum'))})") == pytest.approx(
        totals["average_response_time"] * totals["total_requests"]
    )
    assert server.value(f"sum({last('perf_test_dropped_total')})") == sum(
        load["dropped"] for load in metrics["loads"]
    )
    assert server.value("sum(last_over_time(perf_test_requests_total{warmup='true'}[5m]))") > 0
    by_request = server.instant(f"sum by (request) ({last(requests)})")
    assert {one["metric"]["request"] for one in by_request} == {"GET /ok", AWKWARD, "GET /slow"}
    [info] = server.instant(last("perf_test_run_info"))
    assert info["metric"]["run"] == metrics["run_id"]
    assert (info["metric"]["plan"], info["metric"]["team"]) == ('shop "one" {{ x }}', "a")
    assert {one["metric"].get("area") for one in server.instant(last(requests))} == {"list", None}
    verdicts = server.instant(f"{last('perf_test_threshold')} == 1")
    assert {one["metric"]["threshold"]: one["metric"]["verdict"] for one in verdicts} == {
        one["threshold"]: one["verdict"] for one in metrics["judgements"]
    }


def check_dashboard(server: Prometheus, dashboard: dict[str, Any], metrics: dict[str, Any]) -> None:
    end = server.value("vector(time())")
    empty = [
        expression
        for expression in expressions(dashboard)
        if not server.ask("query_range", query=expression, start=end - 120, end=end, step=1)[
            "result"
        ]
    ]
    assert empty == []
    for variable in dashboard["templating"]["list"][1:]:
        series, label = re.fullmatch(
            r"label_values\((.*), (\w+)\)", variable["query"]["query"]
        ).groups()  # type: ignore[union-attr]
        every = re.sub(r"\$\w+", ".*", series)
        assert server.ask(f"label/{label}/values", **{"match[]": every}), variable["name"]


def check_alerts(server: Prometheus, rules: str) -> None:
    """All rules are evaluated without an error, and the threshold that fails has fired."""
    groups = eventually(
        lambda: [
            group
            for group in server.ask("rules")["groups"]
            if all(rule["health"] == "ok" for rule in group["rules"])
        ]
    )
    assert len(groups) == 2
    fired = server.instant('max_over_time(ALERTS{alertstate="firing"}[5m])')
    assert ("PerfTestThresholdFailed", "p95 < 1us") in {
        (one["metric"]["alertname"], one["metric"].get("threshold")) for one in fired
    }
    unsaid = [line for line in rules.splitlines() if line.startswith("#   ")]
    assert len(unsaid) == 3  # growth, dropped in percent, service_time
