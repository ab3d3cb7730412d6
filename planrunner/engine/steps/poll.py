"""A request that is sent again until its reply is the right one, or its time is up."""

from __future__ import annotations

import asyncio

from planrunner.engine.steps.requests import Attempt, FoundFailure
from planrunner.engine.users.user_context import Actor, Step
from planrunner.graph.run_graph import Evaluate, PollNode
from planrunner.language.expressions.paths import MissingValue
from planrunner.language.expressions.values import EvaluationError
from planrunner.protocols.base import FailureKind, Reply
from planrunner.units import NS_PER_S, format_duration

__all__ = ["bind_poll"]


class _Polling:
    """One run of a poll by one user.

    Attributes:
        is_over: The reply was right, or there is no time for another attempt.
    """

    __slots__ = ("_ends_ns", "_node", "is_over")

    def __init__(self, node: PollNode, began_ns: int) -> None:
        self._node = node
        self._ends_ns = began_ns + node.timeout_ns
        self.is_over = False

    async def send(self, user: Actor, position: int, bound: object) -> Reply:
        """Send an attempt that ends when the time of all of them does."""
        asked_ns = user.clock.now_ns()
        left_ns = max(self._ends_ns - asked_ns, 0)
        try:
            async with asyncio.timeout(left_ns / NS_PER_S):
                return await user.sends[position](bound, user.scope)
        except TimeoutError:
            self.is_over = True
            return self._cut(asked_ns, user.clock.now_ns())

    def _cut(self, asked_ns: int, now_ns: int) -> Reply:
        reply = Reply()
        reply.asked_ns = reply.sent_ns = asked_ns
        reply.ended_ns = now_ns
        reply.failure, reply.detail = FailureKind.EXPECT, self._words()
        return reply

    def _words(self) -> str:
        return f"`{self._node.shown}` was not true within {format_duration(self._node.timeout_ns)}"

    def judge(
        self, user: Actor, until: Evaluate, reply: Reply, fault: FoundFailure | None
    ) -> FoundFailure | None:
        """Return what is wrong with an attempt, `fault` being what is wrong with its reply.

        What is to be extracted may be there in the last reply only. A reply that is a failure by
        itself may be what is waited for, such as the 404 of something that has gone.

        What `until` reads may come with the last reply only too: until then it isn't true.

        Raises:
            EvaluationError: `until` has no value, whatever comes.
        """
        is_acceptable = fault is None or fault[0] is FailureKind.EXTRACT
        try:
            is_met = bool(until(user.scope))
        except MissingValue:
            is_met = False
        except EvaluationError:
            if is_acceptable:
                raise
            return fault
        if is_met:
            self.is_over = True
        elif is_acceptable:
            if self.has_time(reply.ended_ns):
                return None
            self.is_over = True
            return FailureKind.EXPECT, self._words()
        return fault

    def has_time(self, now_ns: int) -> bool:
        """Whether another attempt can begin before the time is up."""
        return now_ns + self._node.every_ns < self._ends_ns


def bind_poll(node: PollNode, attempt: Attempt) -> Step:
    every_ns, until = node.every_ns, node.until

    async def poll(user: Actor) -> None:
        polling = _Polling(node, user.clock.now_ns())

        def judge(reply: Reply, fault: FoundFailure | None) -> FoundFailure | None:
            return polling.judge(user, until, reply, fault)

        while True:
            await attempt(user, polling.send, judge)
            if polling.is_over or not polling.has_time(user.moment_ns):
                return
            # Not interruptible: a user that is told to stop waits for its answer all the same.
            await user.clock.sleep_until(user.moment_ns + every_ns)
            user.moment_ns = user.clock.now_ns()

    return poll
