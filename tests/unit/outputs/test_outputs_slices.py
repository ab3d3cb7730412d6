"""Long work in pieces: how much of it the load waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from planrunner.outputs import slices


def test_whoever_waits_has_a_turn_after_each_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long things are a piece of their own, short ones share one, in a thread as on the loop."""
    now_ns, turns, pauses = 0, [0], list[float]()
    monkeypatch.setattr(slices, "perf_counter_ns", lambda: now_ns)
    monkeypatch.setattr(slices.time, "sleep", pauses.append)

    def work() -> Iterator[int]:
        nonlocal now_ns
        for takes_us in (*[50] * 10, 1_000, 1_000, 10):
            now_ns += takes_us * 1_000
            yield takes_us

    async def load() -> None:
        while True:
            turns[0] += 1
            await asyncio.sleep(0)

    async def main() -> list[int]:
        waiting = asyncio.create_task(load())
        done = [takes_us async for takes_us in slices.in_slices(work())]
        waiting.cancel()
        return done

    done = asyncio.run(main())

    assert [*slices.paced(work())] == done == [*work()]
    assert turns[0] == len(pauses) == 4
