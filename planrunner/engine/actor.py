"""What the steps of a plan read and write of the virtual user that runs them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from random import Random
from typing import Any

from planrunner.clock import Clock
from planrunner.engine.nap import Nap
from planrunner.engine.tally import Tally
from planrunner.load.pauses import Pause, pause_drawer
from planrunner.protocols.base import Reply, Scope, Session

__all__ = ["Actor", "IterationEnded", "Step"]

Send = Callable[[Any, Scope], Awaitable[Reply]]


class IterationEnded(Exception):  # noqa: N818 - an event of the plan, not an error of ours
    """A step ended the iteration: an expression or a required extraction failed."""


class Actor:
    """One virtual user as its steps see it; plain fields, as every request touches them.

    Attributes:
        scope: The names its expressions see.
        sends: `Session.send` of each protocol, by the number that steps were bound with.
        due_ns: When the schedule wanted the iteration's first request; 0 once that one was sent,
            and always in a closed phase.
        moment_ns: When the last thing happened to it: the reply, or the end of a pause.
        thought_ns: Time spent in pauses so far, which groups leave out.
        failure: Kind of the first failed request since it was last cleared, else empty.
        refusals: Connections refused in a row (kinds dns, connect, tls).
        tally: What the worker counts beside samples.
    """

    __slots__ = (
        "_drawers",
        "clock",
        "due_ns",
        "failure",
        "moment_ns",
        "nap",
        "refusals",
        "rng",
        "scope",
        "sends",
        "sessions",
        "tally",
        "thought_ns",
    )

    def __init__(
        self,
        *,
        clock: Clock,
        scope: Scope,
        sessions: Sequence[Session],
        rng: Random,
        tally: Tally,
    ) -> None:
        self.clock = clock
        self.scope = scope
        self.sessions = sessions
        self.sends: tuple[Send, ...] = tuple(session.send for session in sessions)
        self.rng = rng
        self.tally = tally
        self._drawers: dict[int, Callable[[], int]] = {}
        self.nap = Nap(clock)
        self.due_ns = 0
        self.moment_ns = clock.now_ns()
        self.thought_ns = 0
        self.failure = ""
        self.refusals = 0

    def drawer(self, pause: Pause) -> Callable[[], int]:
        """What draws the lengths of a pause of the plan from this user's stream."""
        draw = self._drawers.get(id(pause))  # the plan's own object, so its identity stays its own
        if draw is None:
            draw = self._drawers[id(pause)] = pause_drawer(pause, self.rng)
        return draw

    async def pause(self, pause_ns: int) -> None:
        """Do nothing for `pause_ns`, or until the user is told to stop."""
        began_ns = self.clock.now_ns()
        if pause_ns > 0:
            await self.nap.until(began_ns + pause_ns)
        self.moment_ns = self.clock.now_ns()
        self.thought_ns += self.moment_ns - began_ns


Step = Callable[[Actor], Coroutine[Any, Any, None]]
"""A step bound to its place in the plan; one function serves all users."""
