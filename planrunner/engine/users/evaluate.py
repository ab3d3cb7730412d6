"""Evaluating the expressions that belong to a user and to no step."""

from __future__ import annotations

from planrunner.engine.users.user_context import Actor, IterationEnded
from planrunner.graph.run_graph import Evaluate
from planrunner.language.expressions.values import EvaluationError
from planrunner.protocols.base import FailureKind

__all__ = ["evaluated", "note_failure"]


def evaluated(user: Actor, evaluate: Evaluate) -> object:
    """Evaluate an expression of no step.

    Raises:
        IterationEnded: It has no value; the user fails as `extract`.
    """
    try:
        return evaluate(user.scope)
    except EvaluationError as error:
        words = str(error)
        note_failure(user, words, FailureKind.EXTRACT)
        raise IterationEnded(words) from error


def note_failure(user: Actor, words: str, kind: FailureKind) -> None:
    """Note why a user fails now."""
    user.failure = user.failure or kind.value
    user.words = words
    user.moment_ns = user.clock.now_ns()
