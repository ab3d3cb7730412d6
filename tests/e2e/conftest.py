"""What every test of the command line starts from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.http_servers import HttpServer, always, reply, serve
from tests.support.own_pytest import RunsPytest
from tests.support.plans import PlanProject, running


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> PlanProject:
    """An empty directory to run the command line in."""
    return PlanProject(tmp_path, monkeypatch, capsys)


@pytest.fixture
def target() -> Iterator[HttpServer]:
    """A server that answers everything with `ok`."""
    with running(serve(always(reply(200, b"ok")))) as server:
        yield server


@pytest.fixture
def run_pytest(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> RunsPytest:
    """Run pytest in the folder of `pytester`, with this plugin and those that are named."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)

    def run(*arguments: str | Path) -> pytest.RunResult:
        return pytester.runpytest_inprocess("-p", "planrunner.pytest_plugin.plugin", *arguments)

    return run
