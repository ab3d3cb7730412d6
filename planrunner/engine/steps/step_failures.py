"""Steps that are no requests: one that fails has a sample, and ends the iteration."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

from planrunner.engine.recording.recorder import Site
from planrunner.engine.users.user_context import Actor, IterationEnded, Step
from planrunner.graph.run_graph import Evaluate, RequestNode
from planrunner.language.expressions.values import EvaluationError
from planrunner.protocols.base import FailureKind, Reply

__all__ = ["StepFailures", "silent_step"]

_MOST_WORDS: Final = 200


class StepFailures:
    """The failures of one step, under its own name; it has no other samples.

    Args:
        site: Its place in the plan.
        origin: Where it stands: `plan.yaml:12`; empty where nobody knows.
    """

    __slots__ = ("_origin", "_site")

    def __init__(self, site: Site, origin: str) -> None:
        self._site = site
        self._origin = origin

    def evaluated(self, user: Actor, evaluate: Evaluate) -> object:
        """Evaluate an expression of the step.

        Raises:
            IterationEnded: It has no value; the step fails as `extract`.
        """
        try:
            return evaluate(user.scope)
        except EvaluationError as error:
            raise self.failed(user, str(error)) from error

    def failed(
        self,
        user: Actor,
        words: str,
        *,
        kind: FailureKind = FailureKind.EXTRACT,
        began_ns: int = 0,
    ) -> IterationEnded:
        """Record a failure; returns what to raise.

        Args:
            user: Whose step it is.
            words: What is wrong.
            kind: `extract` where a value is missing, `error` where something else was done wrong.
            began_ns: When the step began; 0 for now.
        """
        site = self._site
        now_ns = user.clock.now_ns()
        began_ns = began_ns or now_ns
        site.recorder.look_at(user.scope)
        words = site.recorder.mask(words)[:_MOST_WORDS]
        table = site.table_at(began_ns)
        series = site.series(table, status=0, failure=kind.value, answered=False)
        series.same_ns.append(now_ns - began_ns)
        site.row(series, start_ns=began_ns, took_ns=now_ns - began_ns, words=words)
        user.moment_ns = now_ns
        user.failure = kind.value
        name = f"`{site.labels.request}`"
        user.words = words if words.startswith(name) else f"{name} failed: {words}"
        return IterationEnded(words, self._origin)


def silent_step(  # noqa: C901 - one function for what comes at once, and one for the rest
    node: RequestNode,
    failures: StepFailures,
    position: int,
    bound: Any,  # noqa: ANN401 - as `bind` gave
) -> Step:
    """A step that does something here and isn't measured: it has a sample only if it fails."""
    accept = node.exchange.accept

    def step(user: Actor) -> Awaitable[Reply] | None:
        try:
            sent: Any = user.sends[position](bound, user.scope)
        except EvaluationError as error:
            raise failures.failed(user, str(error)) from error
        try:
            failure = sent.failure
        except AttributeError:  # no reply yet; this costs those nothing that are there at once
            return rest(user, sent)
        user.reply = sent
        if failure is not None or sent.status not in accept:
            raise failed(user, sent)
        user.moment_ns = sent.ended_ns
        return None

    async def rest(user: Actor, sent: Awaitable[Reply]) -> Reply:
        try:
            reply = await sent
        except EvaluationError as error:
            raise failures.failed(user, str(error)) from error
        if reply.failure is not None or reply.status not in accept:
            raise failed(user, reply)
        user.moment_ns = reply.ended_ns
        return reply

    def failed(user: Actor, reply: Reply) -> IterationEnded:
        kind = (reply.ends_iteration and reply.failure) or FailureKind.ERROR
        return failures.failed(user, reply.detail, kind=kind, began_ns=reply.asked_ns)

    return step
