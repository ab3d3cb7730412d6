"""Processes that several event loops of one process start at once."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from planrunner.runner.event_loop import run_on_fast_loop
from planrunner.spawn import spawn


async def _ended(number: int) -> tuple[int | None, bytes]:
    process = await spawn(
        sys.executable, "-S", "-c", f"print({number})", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    return process.returncode, out.strip()


@pytest.mark.slow
def test_loops_in_several_threads_start_processes_at_once() -> None:
    """None of them is refused, and each hears of the end of its own."""

    def work(number: int) -> list[tuple[int | None, bytes]]:
        async def main() -> list[tuple[int | None, bytes]]:
            return await asyncio.gather(*(_ended(number) for _ in range(4)))

        return run_on_fast_loop(main())

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(work, range(4)))

    assert results == [[(0, str(number).encode())] * 4 for number in range(4)]


def test_what_cannot_be_started_is_an_error_at_once() -> None:
    """As without it."""
    with pytest.raises(FileNotFoundError):
        run_on_fast_loop(spawn("/there/is/no/such/program"))


def test_a_start_that_is_cancelled_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cancellation reaches the loop's own code, which cleans up."""
    told = []

    async def start(*_: str) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            told.append("cancelled")
            raise

    async def main() -> None:
        task = asyncio.create_task(spawn("program"))
        await asyncio.sleep(0)
        task.cancel()
        await task

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
    with pytest.raises(asyncio.CancelledError):
        run_on_fast_loop(main())

    assert told == ["cancelled"]
