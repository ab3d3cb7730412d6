"""The observer of steps while they run: none under load, the trace with `--once`."""

from __future__ import annotations

from typing import Protocol

from planrunner.engine.steps.requests import Attempt
from planrunner.engine.users.user_context import Step
from planrunner.graph.run_graph import RequestNode, StepNode

__all__ = ["StepObserver"]


class StepObserver(Protocol):
    """Wraps what is bound, before the run."""

    def step(self, node: StepNode, step: Step) -> Step:
        """Return the step so that it is seen."""

    def guarded(self, node: StepNode, step: Step) -> Step:
        """Return the step with its condition around it, so that nothing it fails at is missed."""

    def attempt(self, node: RequestNode, attempt: Attempt) -> Attempt:
        """Return an attempt of a poll so that it is seen."""
