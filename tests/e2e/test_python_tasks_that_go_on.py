"""Functions of a plan that do not end when they should, or leave something behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import planrunner
from planrunner import Result, User
from tests.support.http_servers import HttpServer

pytestmark = pytest.mark.slow

_ENDLESS_S = 3600


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports are written below the current directory."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    monkeypatch.chdir(folder)


def run_briefly(target: HttpServer, function: object, **load: object) -> Result:
    """Run it in a phase that soon cuts whatever still runs."""
    load = load or {"hold": "400ms"}
    plan = planrunner.Plan(
        http={"base_url": target.url},
        users={"Buyer": {"tasks": {"buy": function}}},
        phases=[{"name": "main", "users": 1, "graceful_stop": "20ms", **load}],
    )
    return planrunner.run(plan)


async def sends_on(user: User) -> None:
    while True:
        try:
            await user.get("/a")
            await asyncio.sleep(0.005)
        except asyncio.CancelledError:
            pass


async def sends_only(user: User) -> None:
    while True:
        try:
            await user.get("/a")
        except asyncio.CancelledError:
            continue


async def sleeps_on(user: User) -> None:
    await user.get("/a")
    while True:
        try:
            await asyncio.sleep(_ENDLESS_S)
        except asyncio.CancelledError:
            continue


@pytest.mark.parametrize("function", [sends_on, sends_only, sleeps_on])
def test_one_that_goes_on_when_it_is_cut_is_ended_by_force(
    target: HttpServer, function: object
) -> None:
    """A second later; it sends nothing more, and a notice tells of it."""
    result = run_briefly(target, function)

    assert result.duration.s < 5
    assert "went on when it was cancelled, and was ended by force (1 time)" in str(
        result.raw.notices
    )
    assert {one.target for one in target.requests} == {"/a"}


def test_one_that_hides_that_it_was_cut_counts_as_aborted(target: HttpServer) -> None:
    """As its iteration was not what it should be."""

    async def hides(user: User) -> None:
        await user.get("/a")
        try:
            await asyncio.sleep(_ENDLESS_S)
        except asyncio.CancelledError:
            return

    result = run_briefly(target, hides)

    assert "1 iteration was aborted at the end of the graceful stop" in result.raw.notices


def test_one_may_clean_up_when_it_is_cut(target: HttpServer) -> None:
    """With what it awaits, for a second."""
    cleaned = []

    async def cleans(user: User) -> None:
        await user.get("/a")
        try:
            await asyncio.sleep(_ENDLESS_S)
        finally:
            await asyncio.sleep(0.01)
            cleaned.append("up")

    result = run_briefly(target, cleans)

    assert cleaned == ["up"]
    assert "was ended by force" not in str(result.raw.notices)


def test_timeouts_of_its_own_cut_nothing_else(target: HttpServer) -> None:
    """It goes on after them, and may still send."""

    async def patient(user: User) -> None:
        try:
            async with asyncio.timeout(0.005):
                try:
                    await asyncio.sleep(_ENDLESS_S)
                finally:
                    await user.get("/in-between")
        except TimeoutError:
            await user.get("/after")

    result = run_briefly(target, patient, iterations=4)

    assert not result.failures
    assert {one.target for one in target.requests} == {"/in-between", "/after"}


def test_what_it_leaves_behind_sends_nothing_in_later_iterations(target: HttpServer) -> None:
    """Their requests would be on the connection where others are under way."""

    async def leaves(user: User) -> None:
        async def later() -> None:
            await again.wait()
            await user.get("/late")

        if left:
            again.set()
        else:
            left.append(asyncio.create_task(later()))
        await user.get("/a")

    again = asyncio.Event()
    left: list[asyncio.Task[None]] = []
    result = run_briefly(target, leaves, iterations=4)

    assert {one.target for one in target.requests} == {"/a"}
    assert "after its iteration had ended, so they were not sent" in str(result.raw.notices)


def test_a_task_that_can_not_be_cancelled_does_not_keep_the_result(target: HttpServer) -> None:
    """Though the loop of the run can't be closed then."""

    async def leaves(user: User) -> None:
        if not left:
            left.append(asyncio.create_task(sleeps_on(user)))
        await user.get("/b")

    left: list[asyncio.Task[None]] = []
    result = run_briefly(target, leaves)

    assert result.requests["GET /b"].count > 0
