"""What every test of the command line starts from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.plans import PlanProject


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> PlanProject:
    """An empty directory to run the command line in."""
    return PlanProject(tmp_path, monkeypatch, capsys)
