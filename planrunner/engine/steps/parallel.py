"""Requests of one user that are under way at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextvars import copy_context
from functools import partial

from planrunner.engine.scheduling.driving import driven
from planrunner.engine.users.user_context import Actor, IterationEnded, NeverBegun, Step

__all__ = ["bind_parallel"]


def bind_parallel(requests: Sequence[Step]) -> Step:
    """Bind a step that sends all requests at once and returns when each has ended.

    Where the plan allows the user fewer connections, the rest follow as these become free. A
    request that ends the iteration keeps those from being sent that weren't yet, and cuts none.
    Turns come in order: where the first has none before the user is told to stop, none has one.
    """
    count = len(requests)

    async def parallel(user: Actor) -> None:
        actors = user.lanes(count)
        failure, user.failure = user.failure, ""
        waiting = iter(requests)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [_start(group, waiting, actor) for actor in actors]
        except BaseExceptionGroup as errors:
            if errors.split(NeverBegun)[1] is None:
                raise NeverBegun from None
            raise
        finally:
            _join(user, actors, failure)
        for task in tasks:
            if (ended := task.result()) is not None:
                raise ended

    return parallel


def _start(
    group: asyncio.TaskGroup, waiting: Iterator[Step], actor: Actor
) -> asyncio.Task[IterationEnded | None]:
    context = copy_context()
    send = driven(partial(_send, waiting, actor), context)
    return group.create_task(send, context=context)


async def _send(waiting: Iterator[Step], actor: Actor) -> IterationEnded | None:
    try:
        for step in waiting:
            if (rest := step(actor)) is not None:
                await rest
    except IterationEnded as ended:
        for _ in waiting:
            pass
        return ended
    return None


def _join(user: Actor, actors: Sequence[Actor], failure: str) -> None:
    """Let the user go on from where the last of its actors ended."""
    failed = [actor for actor in actors if actor.failure]
    user.moment_ns = max(actor.moment_ns for actor in actors)
    user.refusals = max(actor.refusals for actor in actors)
    if failed:
        user.words = failed[0].words
    user.failure = failure or (failed[0].failure if failed else "")
