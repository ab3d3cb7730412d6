"""The requests of a draft: where their verb and URL stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from planrunner.importers.draft import DraftPlan, DraftStep, Keys, all_steps, steps_within

__all__ = ["VERBS", "DraftRequest", "all_requests", "measure"]

VERBS: Final = ("get", "post", "put", "patch", "delete", "head", "options")


class DraftRequest:
    """A request in a draft.

    Attributes:
        keys: The mapping that has the verb: a step's own, or that of a `poll`.
        verb: In lower case.
    """

    __slots__ = ("keys", "step", "verb")

    def __init__(self, step: DraftStep, keys: Keys, verb: str) -> None:
        self.step, self.keys, self.verb = step, keys, verb

    @property
    def url(self) -> str:
        """As the draft has it."""
        return str(self.keys[self.verb])

    @url.setter
    def url(self, url: str) -> None:
        self.keys[self.verb] = url


def all_requests(draft: DraftPlan) -> Iterator[DraftRequest]:
    """Yield every request of a draft."""
    for step in all_steps(draft):
        for keys in (step.body, step.body.get("poll")):
            if isinstance(keys, dict):
                for verb in VERBS:
                    if verb in keys:
                        yield DraftRequest(step, keys, verb)


def measure(steps: list[DraftStep]) -> None:
    """Make the requests of steps count that are no part of the load, unless they say otherwise."""
    for step in steps_within(steps):
        if not step.body.keys().isdisjoint(VERBS):
            step.body.setdefault("measure", True)
