"""How long each fuzzer runs; see CONTRIBUTING.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fuzzing import FuzzTime

FOLDER = Path(__file__).parent
FINDINGS = ".fuzz"


def pytest_report_header(config: pytest.Config) -> list[str]:
    if not config.getoption("--fuzz-minutes"):
        return []
    return [f"fuzzing with SEED={config.getoption('--fuzz-seed')}"]


@pytest.fixture
def fuzz_time(request: pytest.FixtureRequest) -> FuzzTime:
    """Its share of the time for all fuzzers."""
    fuzzers = sum(FOLDER in item.path.parents for item in request.session.items)
    option = request.config.getoption
    seconds = option("--fuzz-minutes") * 60 / fuzzers
    return FuzzTime(seconds, option("--fuzz-seed"), request.config.rootpath / FINDINGS)
