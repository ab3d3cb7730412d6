"""What happens when a step that is no request fails: a sample, and the end of the iteration."""

from __future__ import annotations

from typing import Final

from planrunner.engine.recording.recorder import Site
from planrunner.engine.users.user_context import Actor, IterationEnded
from planrunner.graph.run_graph import Evaluate
from planrunner.language.expressions.values import EvaluationError
from planrunner.protocols.base import FailureKind

__all__ = ["StepFailures"]

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
