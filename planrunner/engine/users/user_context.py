"""What the steps of a plan read and write of the virtual user that runs them."""

from __future__ import annotations

from asyncio import CancelledError, Timeout
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from random import Random
from typing import Any

from planrunner.clock import Clock
from planrunner.engine.recording.counters import Counters
from planrunner.engine.scheduling.driving import InPlace
from planrunner.engine.scheduling.interruptible_sleep import InterruptibleSleep
from planrunner.engine.users.sessions import EndIteration
from planrunner.language.expressions.values import EvaluationError, kind_of
from planrunner.metrics.series import ExpectationKey
from planrunner.protocols.base import Reply, Scope, Session
from planrunner.protocols.telling_clients import ways_of
from planrunner.schedule.pauses import Pause, PauseKind, pause_drawer

__all__ = [
    "Actor",
    "GroupLeft",
    "IterationEnded",
    "NeverBegun",
    "PendingStep",
    "Step",
    "StepsStopped",
    "TaskTimedOut",
    "run_steps",
]

Send = Callable[[Any, Scope], Awaitable[Reply]]


class IterationEnded(Exception):  # noqa: N818 - an event of the plan, not an error of ours
    """A step ended the iteration: it failed, so that nothing after it can go well.

    Args:
        words: What was wrong.
        origin: Where the step stands: `plan.yaml:12`; empty where nobody knows.

    Attributes:
        is_cut: Its time was up: how long it took until then is still a latency.
    """

    is_cut = False

    def __init__(self, words: str, origin: str = "") -> None:
        super().__init__(words)
        self.origin = origin


class GroupLeft(IterationEnded):
    """A request failed in a protocol's group, which ends, and not the iteration around it."""


class TaskTimedOut(IterationEnded):
    """A task took longer than it may."""

    is_cut = True


class StepsStopped(Exception):  # noqa: N818 - an event of the plan, not an error of ours
    """A `stop` step was reached: no failure, but no further step of this run either."""


class NeverBegun(Exception):  # noqa: N818 - an event of the plan, not an error of ours
    """The user was told to stop while its iteration still waited for leave to send anything."""


class PendingStep:
    """What becomes of a step that has asked for a reply; one for all users.

    Attributes:
        conclude: Records the reply that the actor has waited for; returns what is left, if
            something is.
        aborted: Records that the actor has been cancelled.
    """

    __slots__ = ("aborted", "conclude")

    def __init__(
        self,
        conclude: Callable[[Actor], Awaitable[Reply] | None],
        aborted: Callable[[Actor], None],
    ) -> None:
        self.conclude = conclude
        self.aborted = aborted


class Actor(InPlace):
    """One virtual user as its steps see it; plain fields, as every request touches them.

    A step that only waits for a reply returns the actor itself, with `wait` and `pending` set.

    Attributes:
        scope: The names its expressions see.
        plan: The names that all users have in common, as they are before the user sets anything.
        sends: What each protocol's session sends with (`ways_of`), by the number that steps were
            bound with.
        senders: Whose that is.
        due_ns: When the schedule wanted the iteration's first request; 0 once that one was sent,
            and always in a closed phase.
        began_ns: When its iteration began.
        moment_ns: When the last thing happened to it: the reply, or the end of a pause.
        thought_ns: Time spent in pauses so far, which groups leave out.
        failure: Kind of the first failed request since it was last cleared, or of what ended the
            iteration; else empty.
        words: What was last wrong, in words; of use only after a failure.
        broken: Expectations beyond the status that did not hold of the reply that is being judged.
        reply: That of the last step that isn't measured.
        refusals: Connections refused in a row (kinds dns, connect, tls).
        limit: The timeout of the task that runs, if it has one.
        is_cut: It is being ended at once, and sends nothing more.
        ends: What to call after each iteration, for sessions that end something with it.
        made: Names that functions of the plan gave values for the iteration, …
        lasting: … and those that they gave values for as long as the visitor stays.
        counters: What the worker counts beside samples.
        wait: What it waits with for the reply that it has asked for last.
        pending: The step that has asked.
    """

    __slots__ = (
        "_drawers",
        "_lists",
        "_others",
        "began_ns",
        "broken",
        "clock",
        "counters",
        "due_ns",
        "ends",
        "failure",
        "is_cut",
        "lasting",
        "limit",
        "made",
        "moment_ns",
        "pending",
        "plan",
        "refusals",
        "reply",
        "rng",
        "scope",
        "senders",
        "sends",
        "sessions",
        "sleeper",
        "thought_ns",
        "words",
    )

    pending: PendingStep

    def __init__(
        self,
        *,
        clock: Clock,
        scope: Scope,
        sessions: Sequence[Session],
        rng: Random,
        counters: Counters,
        plan: Scope | None = None,
    ) -> None:
        self.clock = clock
        self.scope = scope
        self.plan = plan or {}
        self.ends: Sequence[EndIteration] = ()
        self.sessions = sessions
        ways = [(session, way) for session in sessions for way in ways_of(session)]
        self.sends: tuple[Send, ...] = tuple(getattr(session, way) for session, way in ways)
        self.senders = sessions if len(ways) == len(sessions) else [one for one, _ in ways]
        self.rng = rng
        self.counters = counters
        # Made when needed, as most users need none.
        self._drawers: dict[int, Callable[[], int]] | None = None
        self._lists: dict[str, list[object]] | None = None
        self._others: Sequence[Actor] = ()
        self.sleeper = InterruptibleSleep(clock)
        self.due_ns = 0
        self.began_ns = 0
        self.moment_ns = clock.now_ns()
        self.thought_ns = 0
        self.failure = ""
        self.words = ""
        self.broken: Sequence[ExpectationKey] = ()
        self.reply: Reply | None = None
        self.refusals = 0
        self.limit: Timeout | None = None
        self.is_cut = False
        self.made: dict[str, None] = {}
        self.lasting: dict[str, None] = {}

    def __await__(self) -> Generator[Any, None, Reply]:
        """Wait for the reply that was asked for, and record it; the hot path has this inline."""
        wait, conclude = self.wait, self.pending.conclude
        try:
            yield wait
        except BaseException as cut:
            self.hang_up(cut)
            raise
        reply: Reply = wait.reply
        rest = conclude(self)
        return reply if rest is None else (yield from _awaited(rest).__await__())

    __iter__ = __await__  # for `yield from`

    def hang_up(self, cut: BaseException) -> None:
        """Wait no longer for a reply."""
        self.wait.abandon()
        if isinstance(cut, CancelledError):
            self.pending.aborted(self)

    def drawer(self, pause: Pause) -> Callable[[], int]:
        """What draws the lengths of a pause of the plan from this user's stream."""
        drawers = self._drawers
        if pause.kind is PauseKind.CONSTANT:
            return pause_drawer(pause, self.rng)  # nothing of the user's own
        if drawers is None:
            drawers = self._drawers = {}
        draw = drawers.get(id(pause))  # the plan's own object, so its identity stays its own
        if draw is None:
            draw = drawers[id(pause)] = pause_drawer(pause, self.rng)
        return draw

    def own_list(self, name: str) -> list[object]:
        """The list with this name in the scope, as one that only this user holds.

        What `set` put there may be a constant of the plan or the value of another name: the first
        change of each such list is made in a copy, and so is the first after `let_go`.

        Raises:
            EvaluationError: The name has no value, or it is no list.
        """
        held = self.scope.get(name)
        if self._lists is None:
            self._lists = {}
        own = self._lists.get(name)
        if own is not None and held is own:
            return own
        if not isinstance(held, list | tuple):
            what = kind_of(held) if name in self.scope else "undefined"
            raise EvaluationError(f"`{name}` is {what}, not a list")
        own = self.scope[name] = self._lists[name] = list(held)
        return own

    def let_go(self, value: object) -> None:
        """Note that a value was given to another name or list: a list in it has two holders now."""
        if self._lists is not None and isinstance(value, list | dict | tuple):
            self._lists.clear()

    def uncover(self, names: Iterable[str]) -> None:
        """Let names of the plan have their own values again where the user has forgotten its."""
        for name in names:
            if name in self.plan:
                self.scope.setdefault(name, self.plan[name])

    def lanes(self, count: int) -> Sequence[Actor]:
        """Return up to `count` actors of this user, itself first, that may send side by side."""
        if len(self._others) < count - 1:
            self._open_lanes(count)
        others = self._others[: count - 1]
        for other in others:
            other.follow(self)
        return (self, *others)

    def lane(self, number: int) -> Actor | None:
        """Return the actor that sends beside so many others, itself one of them.

        None where the plan allows the user no more connections.
        """
        if len(self._others) < number:
            self._open_lanes(number + 1)
        if len(self._others) < number:
            return None
        return self._others[number - 1]

    def follow(self, first: Actor) -> None:
        """Begin where the user is, as one of its lanes."""
        self.due_ns = 0
        self.moment_ns = first.moment_ns
        self.failure = ""
        self.refusals = first.refusals
        self.limit = first.limit
        self.sleeper.cut = first.sleeper.cut
        self.sleeper.hurried = first.sleeper.hurried

    def forget(self, names: dict[str, None]) -> None:
        """Take away names that functions gave values."""
        for name in names:
            self.scope.pop(name, None)
        self.uncover(names)
        names.clear()

    def _open_lanes(self, count: int) -> None:
        lanes = zip(*(session.lanes(count) for session in self.sessions), strict=False)
        for sessions in tuple(lanes)[len(self._others) + 1 :]:
            other = Actor(
                clock=self.clock,
                scope=self.scope,
                sessions=sessions,
                rng=self.rng,
                counters=self.counters,
            )
            self._others = (*self._others, other)

    async def pause(self, pause_ns: int, *, soundly: bool = False) -> None:
        """Do nothing for `pause_ns`, or until the user is told to stop.

        Soundly: within an iteration, which a user who is told to stop finishes as it is. Without
        its pauses it would send faster than ever, just when the load goes down.
        """
        began_ns = self.clock.now_ns()
        if pause_ns > 0:
            await self.sleeper.until(began_ns + pause_ns, soundly=soundly)
        self.moment_ns = self.clock.now_ns()
        self.thought_ns += self.moment_ns - began_ns

    def waited(self, since_ns: int) -> None:
        """Note that others let it wait since then: neither latency nor time of a group."""
        self.moment_ns = self.clock.now_ns()
        waited_ns = self.moment_ns - since_ns
        self.thought_ns += waited_ns
        if self.due_ns:
            self.due_ns += waited_ns


Step = Callable[[Actor], Awaitable[Reply | None] | None]
"""A step bound to its place in the plan; one function serves all users.

One that has nothing to wait for is done when it returns None; else what is left of it is awaited,
which is the actor itself where that only waits for a reply.
Of one that sends a single request, the reply comes back; the session may use its object again.
"""


async def _awaited(rest: Awaitable[Reply]) -> Reply:
    """Await what a plain generator can't: a coroutine of either kind."""
    return await rest


async def run_steps(user: Actor, steps: Sequence[Step]) -> None:
    """Take one step after the other; the hot path has this inline."""
    for step in steps:
        if (rest := step(user)) is not None:
            await rest
