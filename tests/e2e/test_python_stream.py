"""`stream`: a run second by second."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

import planrunner
from tests.support.http_servers import HttpServer


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports are written below the current directory."""
    monkeypatch.chdir(tmp_path)


def plan_for(target: HttpServer, **phase: object) -> planrunner.Plan:
    return planrunner.Plan(
        http={"base_url": target.url},
        users={"Visitor": {"tasks": [{"get": "/a"}]}},
        phases=[{"users": 2, **phase}],
    )


def test_the_seconds_add_up_to_the_result(target: HttpServer) -> None:
    """The last one has the rest."""

    async def main() -> tuple[list[planrunner.RunSecond], planrunner.Result]:
        seconds = planrunner.stream(plan_for(target, iterations=40), out="r")
        return [second async for second in seconds], seconds.result

    seconds, result = asyncio.run(main())

    assert sum(one.total.count for one in seconds) == 40 == result.total.count
    assert sum(one.requests["GET /a"].count for one in seconds if one.requests) == 40
    assert [one.number for one in seconds] == list(range(1, len(seconds) + 1))
    assert result.directory == Path("r").absolute()


@pytest.mark.slow
def test_leaving_early_ends_the_run_with_its_reports(target: HttpServer) -> None:
    """Its result says so."""

    async def main() -> planrunner.Result:
        seconds = planrunner.stream(plan_for(target, hold="1h"))
        async with aclosing(seconds):
            async for second in seconds:
                if second.number > 1:
                    assert [one.threshold for one in second.thresholds] == ["error_rate < 1%"]
                    break
        return seconds.result

    result = asyncio.run(main())

    assert result.ended_because == "the stream was closed"
    assert planrunner.load(result.directory).total.count > 0


def test_what_cannot_run_is_raised_by_the_iteration() -> None:
    """As `run` raises it."""

    async def main() -> None:
        async for _ in planrunner.stream(planrunner.Plan()):
            pytest.fail("there is no second")

    with pytest.raises(planrunner.PlanError):
        asyncio.run(main())


def test_a_stream_is_one_run(target: HttpServer) -> None:
    """And has no result before its end."""

    async def main() -> None:
        seconds = planrunner.stream(plan_for(target, iterations=1))
        with pytest.raises(planrunner.UsageError, match="has not ended"):
            _ = seconds.result
        async for _ in seconds:
            pass
        async for _ in seconds:
            pass

    with pytest.raises(planrunner.UsageError, match="one run"):
        asyncio.run(main())
