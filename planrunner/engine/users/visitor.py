"""Whom a user plays: one visitor for its whole life, or another one in each iteration.

| renewal | an iteration begins with                                   | on_start and on_stop |
|---------|------------------------------------------------------------|----------------------|
| nothing | what the one before it left                                | once a user          |
| session | no cookies, headers and tokens, and the first values of    | once a user          |
|         | its state                                                  |                      |
| life    | the same, and rows drawn `per: user`                       | around it            |
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from enum import Enum, auto
from typing import Final

from planrunner.engine.users.bound_class import BoundProgram
from planrunner.engine.users.evaluate import evaluated
from planrunner.engine.users.user_context import Actor, IterationEnded, Step, StepsStopped
from planrunner.graph.run_graph import OnFail, Renewal
from planrunner.units import NS_PER_S

__all__ = ["RETRY_NS", "Arrival", "Visitor", "run_once"]

RETRY_NS: Final = NS_PER_S
"""Between a failed block of steps and its next try."""


class Arrival(Enum):
    """How a visitor's begin ended."""

    READY = auto()
    FAILED = auto()
    NO_ROWS = auto()


async def run_once(actor: Actor, steps: Sequence[Step]) -> bool:
    """Run steps that are no iteration; False at the first failure."""
    actor.failure = ""
    try:
        for step in steps:
            if (rest := step(actor)) is not None:
                await rest
            if actor.failure:
                return False
    except StepsStopped:
        return True
    except IterationEnded:
        return False
    return True


class Visitor:
    """Draws rows, sets the first values of the state, signs in, and out again."""

    __slots__ = ("_actor", "_bound", "_has_begun", "_is_in", "_is_new")

    def __init__(self, bound: BoundProgram, actor: Actor) -> None:
        self._bound = bound
        self._actor = actor
        self._has_begun = False
        self._is_in = False
        self._is_new = True

    async def begin(self) -> Arrival:
        """Come: rows, state, on_start; what went wrong is counted."""
        actor, bound = self._actor, self._bound
        if self._has_begun:
            self._forget()
        self._has_begun = True
        if not bound.feeds.start(actor.scope, actor.rng):
            return Arrival.NO_ROWS
        on_fail = bound.program.on_start_fail
        has_state = self._set_state()
        if not has_state or not await self._runs(bound.on_start, on_fail, may_stop=True):
            counters, key = actor.counters, (bound.phase, bound.program.name)
            if bound.renewal is Renewal.LIFE:
                counters.visit_failed(*key, actor.words)
            else:
                counters.start_failed(*key, actor.words)
            self._failed("on_start", on_fail)
            return Arrival.FAILED
        self._is_in = True
        return Arrival.READY

    def renew(self) -> bool:
        """Let another visitor have the user's connections; False if its state has no value."""
        if self._is_new:  # the user has just begun as this one
            self._is_new = False
            return True
        self._forget()
        if self._set_state():
            return True
        self._actor.counters.visit_failed(
            self._bound.phase, self._bound.program.name, self._actor.words
        )
        return False

    async def end(self) -> None:
        """Go: on_stop, if it had come."""
        if not self._is_in:
            return
        self._is_in = False
        program = self._bound.program
        if not await self._runs(self._bound.on_stop, program.on_stop_fail, may_stop=False):
            self._actor.counters.stop_failures += 1
            self._failed("on_stop", program.on_stop_fail)

    def leave(self) -> None:
        """Give its rows back."""
        self._bound.feeds.end(self._actor.scope)

    def _forget(self) -> None:
        actor, program = self._actor, self._bound.program
        for session in actor.sessions:
            session.renew()
        for name in program.start_names:
            actor.scope.pop(name, None)
        actor.forget(actor.lasting)
        actor.uncover(program.hidden_names)

    def _set_state(self) -> bool:
        actor = self._actor
        try:
            for name, evaluate in self._bound.program.state:
                # A constant is one object for all users; what one user changes must be its own.
                actor.scope[name] = deepcopy(evaluated(actor, evaluate))
        except IterationEnded:
            return False
        return True

    def _failed(self, what: str, on_fail: OnFail) -> None:
        if on_fail is OnFail.STOP_PLAN:
            words, name = self._actor.words, self._bound.program.name
            self._bound.stop_plan(f"`{what}` of a user `{name}` failed: {words}")

    async def _runs(self, steps: Sequence[Step], on_fail: OnFail, *, may_stop: bool) -> bool:
        """Run steps that are no iteration; False when they failed for good.

        With `may_stop`, a user that has been told to stop doesn't try again.
        """
        actor = self._actor
        while not await run_once(actor, steps):
            if on_fail is not OnFail.RETRY or (may_stop and actor.sleeper.cut):
                return False
            actor.counters.retries += 1
            if may_stop:
                await actor.pause(RETRY_NS)
            else:
                await actor.clock.sleep_until(actor.clock.now_ns() + RETRY_NS)
        return True
