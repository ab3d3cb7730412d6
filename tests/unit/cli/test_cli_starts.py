"""What commands that end at once may load, counted; the times are a matter of `make bench`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from planrunner.formats import REPORT_FORMATS

_PLAN = """\
name: start
http: {base_url: "http://127.0.0.1:8080"}
params: {size: {type: int, default: 10}}
stages: [{duration: 1s, users: 1}]
thresholds: [p95 < 1s]
users:
  Visitor:
    wait: 1s..2s
    tasks:
      - task: look
        steps:
          - set: {item: "${rand.int(1, 500)}"}
          - get: /items/${item}
            query: {size: "${size}"}
            expect: {status: 200}
"""

_IDLE = """\
name: idle
stages: [{duration: 100ms, users: 1}]
users: {Visitor: {tasks: [{task: rest, steps: [{think: 10ms}]}]}}
"""

_HEAVY = {
    "aiosqlite",
    "asyncio",
    "difflib",
    "email",
    "etcd3",
    "faker",
    "google.protobuf",
    "graphql",
    "grpc",
    "grpc_tools",
    "hashlib",
    "html",
    "httptools",
    "httpx",
    "importlib.metadata",
    "jh2",
    "jinja2",
    "jmespath",
    "jsonschema",
    "lxml",
    "multiprocessing",
    "picows",
    "psutil",
    "pydantic",
    "pydantic_core",
    "rich",
    "sqlalchemy",
    "ssl",
    "subprocess",
    "uvloop",
}
"""Modules that cost a tenth of a bare start or more each, and that no check of a plan needs."""

_NOT_THIS_PLAN = {
    "planrunner.demo",
    "planrunner.engine",
    "planrunner.metrics.thresholds.rewriting",
    "planrunner.plan.models.data_sources",
    "planrunner.plan.models.report_settings",
    "planrunner.plan.models.load.search",
    "planrunner.plan.models.services",
    "planrunner.protocols.etcd.compile",
    "planrunner.protocols.etcd.spec",
    "planrunner.report",
    "planrunner.target",
}

_EVERY_PROTOCOL = """
name: every protocol
http: {base_url: "http://127.0.0.1:1", version: 2}
sql: {url: "sqlite:///a.db"}
users:
  A:
    steps:
      - {get: /}
      - ws.connect: /chat
      - ws.close: {}
      - sql.query: select 1
phases: [{users: 1, iterations: 1}]
"""

_FACTS = """\
import json, sys
from planrunner.cli.main import main
sys.argv = ["planrunner", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert end.code in (None, 0, 1), end.code  # 1: a threshold without data
facts = {"modules": sorted(sys.modules)}
facts["costly"] = sorted(
    f"{module.__name__}.{name}"
    for module in list(sys.modules.values()) if module.__name__.startswith("planrunner.")
    for name, cls in vars(module).items()
    if isinstance(cls, type) and cls.__module__ == module.__name__
    and "__given__" not in vars(cls)  # as those of planrunner.values have
    and getattr(cls, "__dataclass_params__", None) and "__slots__" in vars(cls)
    and cls.__dataclass_params__.frozen
)
json.dump(facts, sys.stderr)
"""


def _facts(*arguments: str) -> dict[str, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", _FACTS, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    facts: dict[str, list[str]] = json.loads(done.stderr)
    return facts


def _count_of_ours(modules: set[str]) -> int:
    """Return how many modules of planrunner were imported: each takes a hundredth of a start."""
    return sum(name.partition(".")[0] == "planrunner" for name in modules)


@pytest.fixture(scope="module")
def validating(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    path: Path = tmp_path_factory.mktemp("start") / "plan.yaml"
    path.write_text(_PLAN)
    return _facts("validate", str(path))


def test_the_version_is_told_without_importing_anything() -> None:
    """CI jobs ask for it: no click, and of our own only the way to `main`."""
    modules = set(_facts("--version")["modules"])

    ours = {name for name in modules if name.startswith("planrunner")}
    assert ours == {"planrunner", "planrunner.cli", "planrunner.cli.main"}
    assert sorted(modules & _HEAVY) == []
    assert sorted(modules & {"click", "dataclasses", "importlib.metadata", "pydantic"}) == []


def test_validating_imports_nothing_that_runs_plans_or_speaks_to_etcd(
    validating: dict[str, list[str]],
) -> None:
    """No event loop, no TLS, no client, no report, no template engine, no foreign protocol."""
    modules = set(validating["modules"])

    assert sorted(modules & _HEAVY) == []
    assert sorted(modules & _NOT_THIS_PLAN) == []
    assert _count_of_ours(modules) <= 309
    assert [
        name for name in sorted(modules) if name.startswith("planrunner") and "clients" in name
    ] == []


@pytest.mark.slow
def test_validating_looks_for_clients_of_protocols_without_importing_them(tmp_path: Path) -> None:
    """That a package is there can be known for less."""
    path = tmp_path / "plan.yaml"
    path.write_text(_EVERY_PROTOCOL)

    modules = set(_facts("validate", str(path))["modules"])

    clients = {"aiosqlite", "asyncio", "grpc", "httptools", "httpx", "jh2", "picows", "sqlalchemy"}
    assert sorted(modules & clients) == []


@pytest.mark.slow
def test_running_imports_no_report_and_no_view_that_nobody_asked_for(tmp_path: Path) -> None:
    """What a run without them imports for reports is processor time taken from its requests."""
    path = tmp_path / "plan.yaml"
    path.write_text(_IDLE)

    arguments = ("--quiet", "--formats", "metrics.json", "--out", str(tmp_path / "run"))
    modules = set(_facts("execute", str(path), *arguments)["modules"])

    drawing = {
        "jinja2",
        "rich",
        "xml.sax",
        *(
            file.writer.partition(":")[0]
            for report in REPORT_FORMATS.values()
            for file in report.files
        ),
        "planrunner.report.terminal.live",
    }
    drawing.remove("planrunner.results.files.metrics_json")  # which the run itself is
    of_few = {"csv", "email", "importlib.metadata", "psutil", "pydantic", "statistics"}
    of_few |= {"webbrowser"}
    assert sorted(modules & (drawing | of_few)) == []
    assert _count_of_ours(modules) <= 540


@pytest.mark.slow
def test_frozen_classes_are_declared_the_cheap_way(validating: dict[str, list[str]]) -> None:
    """They import `dataclass` from planrunner.values: ADR 12 says why."""
    assert validating["costly"] == []
