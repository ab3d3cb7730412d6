"""Requests that wait for their turn under the cap of their phase."""

from __future__ import annotations

from planrunner.engine.steps.requests import Attempt, JudgeReply, SendAttempt
from planrunner.engine.users.user_context import Actor, NeverBegun, Step
from planrunner.load.turns import Turns

__all__ = ["throttled", "throttled_attempt"]


def throttled(step: Step, turns: Turns) -> Step:
    """Return the request step, sent no sooner than its turn comes."""

    async def request(user: Actor) -> None:
        await _wait(user, turns)
        await step(user)

    return request


def throttled_attempt(attempt: Attempt, turns: Turns) -> Attempt:
    """Return what `poll` sends again and again, each time no sooner than its turn comes."""

    async def request(user: Actor, send: SendAttempt, judge: JudgeReply) -> None:
        await _wait(user, turns)
        await attempt(user, send, judge)

    return request


async def _wait(user: Actor, turns: Turns) -> None:
    """Wait for a turn; the wait is neither latency nor time of a group.

    Raises:
        NeverBegun: The user was told to stop before its iteration had sent anything.
    """
    asked_ns = user.clock.now_ns()
    due_ns = turns.take(asked_ns)
    if due_ns <= asked_ns:
        return
    is_first = user.moment_ns == user.began_ns
    await user.sleeper.until(due_ns, soundly=not is_first)
    user.moment_ns = user.clock.now_ns()
    if is_first and user.sleeper.cut and user.moment_ns < due_ns:
        raise NeverBegun
    waited_ns = user.moment_ns - asked_ns
    user.thought_ns += waited_ns
    if user.due_ns:
        user.due_ns += waited_ns
