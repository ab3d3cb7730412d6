"""Requests of one function that are under way at the same time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from planrunner.engine.users.user_context import Actor

__all__ = ["Lanes"]


class Lanes:
    """The actors of one user, for one call of a function.

    Where the plan allows the user fewer connections, requests wait until one is free.
    """

    def __init__(self, user: Actor) -> None:
        self._user = user
        self._opened = 1
        self._free: list[Actor] = []
        self._is_first_taken = False
        self._waiting: deque[asyncio.Future[Actor]] = deque()
        self._under_way: set[asyncio.Task[Any]] = set()

    @property
    def is_busy(self) -> bool:
        return bool(self._under_way)

    @asynccontextmanager
    async def one(self, *, is_first_free: bool) -> AsyncIterator[Actor]:
        """Have an actor that sends nothing else meanwhile."""
        task = asyncio.current_task()
        assert task is not None  # it runs
        self._under_way.add(task)
        try:
            actor = await self._taken(is_first_free=is_first_free)
            if actor is not self._user:
                actor.follow(self._user)
                actor.scope = dict(self._user.scope)
            try:
                yield actor
            finally:
                self.give_back(actor)
        finally:
            self._under_way.discard(task)

    async def _taken(self, *, is_first_free: bool) -> Actor:
        if is_first_free and not self._is_first_taken:
            self._is_first_taken = True
            return self._user
        if self._free:
            return self._free.pop()
        lane = self._user.lane(self._opened)
        if lane is not None:
            self._opened += 1
            return lane
        waiter: asyncio.Future[Actor] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        return await waiter

    def give_back(self, actor: Actor) -> None:
        """Let another request have the actor."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                self._is_first_taken |= actor is self._user
                waiter.set_result(actor)
                return
        if actor is self._user:
            self._is_first_taken = False
        else:
            self._free.append(actor)

    def join(self, lane: Actor, extracted: tuple[str, ...]) -> None:
        """Let the user go on from where one of its actors is."""
        user = self._user
        if lane is user:
            return
        user.moment_ns = max(user.moment_ns, lane.moment_ns)
        user.refusals = max(user.refusals, lane.refusals)
        if lane.failure:
            user.failure, user.words = user.failure or lane.failure, lane.words
        user.scope.update({name: lane.scope[name] for name in extracted if name in lane.scope})

    async def emptied(self, *, cut: bool) -> None:
        """Return when nothing is under way."""
        while self._under_way:
            if cut:
                for task in self._under_way:
                    task.cancel()
            await asyncio.wait(self._under_way.copy())
