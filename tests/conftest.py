"""Options and settings of all tests."""

from __future__ import annotations

import gc
import os
import random
import signal
from collections.abc import Generator
from typing import Final

import pytest
from hypothesis import settings, strategies

# A run says that it ignores the environment's proxies; whether tests run behind one is no matter.
for _name in ("http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(_name, None)
    os.environ.pop(_name.upper(), None)

# Who starts the tests with `nohup` wants them to go on; what they start is to hear the signal.
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# The same examples at every run: a test that fails now and then is worse than none. Time limits
# are measured where they matter, not by an example that ran while another process did.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("few", settings.get_profile("repeatable"), max_examples=20)
settings.load_profile("repeatable")

# Sixteen times what a test may take that isn't marked slow: processors differ, others use them, and
# the first test of a process imports what the next ones need too.
_MOST_CPU_S: Final = 4.0


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write what is seen now as the expectation of golden tests; review the diff",
    )
    parser.addoption(
        "--fuzz-minutes",
        type=float,
        default=0,
        help="run tests/fuzz for so long in all, with other inputs each time",
    )
    parser.addoption(
        "--fuzz-seed",
        type=int,
        default=random.SystemRandom().randrange(1_000_000),
        help="what those inputs are made from; another one each time by default",
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let no garbage collection look through tests and what they import, which stay to the end.

    Each would take a third of a second.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_collection_finish() -> None:
    # In a fresh checkout this takes 1 s, which is no fault of the first test that draws a text.
    strategies.text().validate()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, or one worker ends with it while the others are idle."""
    items.sort(key=_seconds, reverse=True)


def _seconds(item: pytest.Item) -> float:
    mark = item.get_closest_marker("slow")
    seconds: float = mark.kwargs.get("seconds", 0) if mark else 0
    return seconds


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a fast test that is slow, by its processor time and that of what it started."""
    before = sum(os.times()[:4])
    yield
    spent = sum(os.times()[:4]) - before
    may_be_slow = item.get_closest_marker("slow") or item.config.getoption("--fuzz-minutes")
    if spent > _MOST_CPU_S and not may_be_slow:
        message = f"it took {spent:.1f} s of processor time: make it cheaper, or mark it `slow`"
        pytest.fail(message, pytrace=False)


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden tests are to write their expectation instead of comparing it."""
    return bool(request.config.getoption("--update-golden"))
