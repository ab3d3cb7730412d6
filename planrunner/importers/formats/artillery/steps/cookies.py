"""Cookies of requests: Artillery keeps them for the later requests of a visit, too."""

from __future__ import annotations

from typing import Final

from planrunner.importers.draft import DraftStep, Keys, steps_within
from planrunner.importers.formats.artillery.script import ArtilleryTest
from planrunner.importers.shaping.requests import VERBS

__all__ = ["judge_cookies"]

_ONCE: Final = "it is sent with this request only, not with later ones too"
_AGAIN: Final = ("repeat", "foreach", "while")


def judge_cookies(test: ArtilleryTest, steps: list[DraftStep]) -> None:
    """Judge the cookies of a scenario: they mean the same where each later request has them, too.

    Args:
        test: What has read the scenario.
        steps: Its steps.
    """
    if not test.cookies:
        return
    every = list(steps_within(steps))
    requests = [one.body for one in every if not one.body.keys().isdisjoint(VERBS)]
    repeats = any(key in one.body for one in every for key in _AGAIN)
    sent = {id(step): names for _, step, names in test.cookies}
    for construct, step, names in test.cookies:
        first = 0 if repeats else _place(requests, step)
        if not all(names <= sent.get(id(one), frozenset()) for one in requests[first:]):
            construct.changed(_ONCE)


def _place(requests: list[Keys], step: Keys) -> int:
    return next((number for number, one in enumerate(requests) if one is step), 0)
