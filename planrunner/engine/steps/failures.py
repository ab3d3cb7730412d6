"""What happens to a request that did not simply succeed: how it is counted, and what follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from planrunner.engine.recording.recorder import Site
from planrunner.engine.users.user_context import Actor, GroupLeft, IterationEnded, Step
from planrunner.graph.run_graph import OnError, StepNode
from planrunner.metrics.series import ABORTED, Tags
from planrunner.protocols.base import FailureKind, Reply
from planrunner.units import NS_PER_MS, NS_PER_S

__all__ = ["REFUSALS", "FailureRecorder", "ending_on_error", "kind_of_cut"]

REFUSALS: Final = frozenset({FailureKind.DNS, FailureKind.CONNECT, FailureKind.TLS})
"""Kinds that say that no host answers, so that asking again at once is useless."""

_BACKOFF_NS: Final = 100 * NS_PER_MS
_LONG_BACKOFF_NS: Final = NS_PER_S
_LONG_AFTER: Final = 10


def kind_of_cut(user: Actor) -> str:
    """Return what became of steps that are being cancelled: their task's time is up, or all is."""
    is_late = user.limit is not None and user.limit.expired()
    return FailureKind.TIMEOUT.value if is_late else ABORTED


class FailureRecorder:
    """The failures of one request step.

    | what happened                        | sample          | then                            |
    |--------------------------------------|-----------------|---------------------------------|
    | no connection (dns, connect, tls)    | the kind        | the user backs off              |
    | another failure, status, expectation | the kind        | the iteration goes on           |
    | required extraction failed           | extract         | the iteration ends              |
    | a step that does something here did  |                 |                                 |
    | not come to a result                 | the kind        | the iteration ends              |
    | the reply says so                    | the kind        | the iteration ends              |
    | an expression failed after the reply | extract         | the iteration ends              |
    | an expression failed before sending  | extract, 0 long | the iteration ends              |
    | cancelled while waiting              | aborted         | the cancellation goes on        |
    | the task's timeout is over           | timeout         | the iteration ends              |
    """

    __slots__ = ("_origin", "_position", "_site")

    def __init__(self, site: Site, position: int, origin: str = "") -> None:
        self._site = site
        self._origin = origin
        self._position = position

    async def failed(
        self, user: Actor, reply: Reply, kind: FailureKind, due_ns: int, words: str, tags: Tags
    ) -> Reply:
        """Record a failed reply, and return it.

        Raises:
            IterationEnded: The kind is `extract`, or a step has no result.
        """
        site = self._site
        site.recorder.look_at(user.scope)
        words = site.recorder.mask(reply.cover(words))
        table = site.table_at(due_ns)
        series = site.series(
            table,
            status=reply.status,
            failure=kind.value,
            tags=tags,
            answered=reply.failure is None or reply.status != 0,
            judged=reply.failure is None,
            spoken=reply.spoken,
        )
        site.record(series, reply, due_ns)
        if kind is FailureKind.STATUS and site.stated_status and reply.failure is None:
            series.note_broken([(site.stated_status, False)])
        series.note_broken(user.broken)
        user.broken = ()
        site.reply_row(series, reply, due_ns, words)
        self._keep(user, reply, kind.value, words, due_ns, reply.ended_ns)
        user.moment_ns = max(user.moment_ns, reply.ended_ns)
        user.failure = user.failure or kind.value
        user.words = f"`{site.labels.request}` failed: {words}"
        if reply.ends_iteration:
            raise IterationEnded(words, self._origin)
        if kind in REFUSALS:
            await _back_off(user)
            return reply
        user.refusals = 0
        if kind is FailureKind.EXTRACT:
            user.failure = kind.value
            raise IterationEnded(words, self._origin)
        if site.ends_iterations and kind is not FailureKind.EXPECT:
            user.failure = FailureKind.ERROR.value  # the time of what is around it says nothing
            raise IterationEnded(words, self._origin)
        return reply

    def unsent(self, user: Actor, error: Exception) -> IterationEnded:
        """Record a request that an expression kept from being sent; returns what to raise."""
        now_ns = user.clock.now_ns()
        start_ns = user.due_ns or now_ns
        self._site.recorder.look_at(user.scope)
        words = self._site.recorder.mask(str(error))
        self._lost(start_ns, now_ns, FailureKind.EXTRACT.value, words)
        self._keep(user, None, FailureKind.EXTRACT.value, words, start_ns, now_ns)
        user.due_ns = 0
        user.moment_ns = now_ns
        user.failure = FailureKind.EXTRACT.value
        user.words = f"`{self._site.labels.request}` failed: {words}"
        return IterationEnded(words, self._origin)

    def aborted(self, user: Actor) -> None:
        """Record the request in flight of a user, or of its task, that is being cancelled."""
        now_ns = user.clock.now_ns()
        # The session knows when it was asked; `moment_ns` is that but for the loop's own delay.
        start_ns = user.due_ns or user.moment_ns
        kind = kind_of_cut(user)
        if kind == ABORTED:
            self._lost(start_ns, now_ns, ABORTED, "")
            user.failure = ABORTED
            return
        words = "the task timed out"
        self._lost(start_ns, now_ns, kind, words)
        self._keep(user, None, kind, words, start_ns, now_ns)
        user.due_ns, user.moment_ns = 0, now_ns
        user.failure = user.failure or kind

    def _keep(
        self, user: Actor, reply: Reply | None, kind: str, words: str, due_ns: int, ended_ns: int
    ) -> None:
        recorder = self._site.recorder
        if recorder.failing is not None:
            recorder.failing.add(
                self._site.labels,
                user.senders[self._position],
                reply,
                kind=kind,
                words=words,
                after_ns=due_ns - recorder.origin_ns,
                took_ns=ended_ns - due_ns,
                status_text=self._site.status_text,
            )

    def _lost(self, start_ns: int, ended_ns: int, failure: str, words: str) -> None:
        site = self._site
        series = site.series(site.table_at(start_ns), status=0, failure=failure, answered=False)
        series.same_ns.append(ended_ns - start_ns)
        site.row(series, start_ns=start_ns, took_ns=ended_ns - start_ns, words=words)


async def _back_off(user: Actor) -> None:
    user.refusals += 1
    user.counters.backoffs += 1
    pause_ns = _LONG_BACKOFF_NS if user.refusals >= _LONG_AFTER else _BACKOFF_NS
    await user.pause(pause_ns, soundly=True)


def ending_on_error(
    step: Step,
    node: StepNode,
    quit_user: Callable[[Actor], None] | None,
    on_error: OnError,
) -> Step:
    """Return a step that sends requests, and ends the iteration if one of them fails.

    Args:
        step: A request, or requests that belong together.
        node: The step in the plan.
        quit_user: Called with the user who fails and stops altogether; None if it goes on.
        on_error: What ends then: the iteration, or a protocol's group within it.
    """
    ends = GroupLeft if on_error is OnError.LEAVE_GROUP else IterationEnded
    origin = node.origin.place

    async def request(user: Actor) -> Reply | None:
        before, user.failure = user.failure, ""
        try:
            rest = step(user)
            reply = None if rest is None else await rest
        finally:
            failure = user.failure
            user.failure = before or failure
        if failure:
            if quit_user is not None:
                quit_user(user)
                user.sleeper.cut_short()
            raise ends(user.words, origin)
        return reply

    return request
