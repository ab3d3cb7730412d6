"""What every test of the command line starts from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.http_servers import HttpServer, always, reply, serve
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
