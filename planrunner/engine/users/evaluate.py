"""Evaluating the expressions of steps that are no requests."""

from __future__ import annotations

from planrunner.engine.users.user_context import Actor, IterationEnded
from planrunner.graph.run_graph import Evaluate
from planrunner.language.expressions.values import EvaluationError
from planrunner.protocols.base import FailureKind

__all__ = ["end_iteration", "evaluated"]


def evaluated(user: Actor, evaluate: Evaluate) -> object:
    """Evaluate an expression of a step that is no request.

    Raises:
        IterationEnded: It has no value; the iteration fails as `extract`.
    """
    try:
        return evaluate(user.scope)
    except EvaluationError as error:
        raise end_iteration(user, str(error)) from error


def end_iteration(user: Actor, words: str, kind: FailureKind = FailureKind.EXTRACT) -> Exception:
    """Note why a step that is no request failed; returns what to raise."""
    user.failure = user.failure or kind.value
    user.words = words
    user.moment_ns = user.clock.now_ns()
    return IterationEnded(words)
