"""Whom a run tells what came of it."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum

from planrunner.values import dataclass

__all__ = ["NotificationNode", "NotifyOn"]


class NotifyOn(StrEnum):
    """Which ends of a run are told."""

    FAIL = "fail"
    ALWAYS = "always"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class NotificationNode:
    """One entry of `notify:`.

    Attributes:
        position: In the plan's list, from 0.
        url: Of apprise, or a webhook; a secret. Empty: nobody is told.
        attach: Report formats whose files go with it.
    """

    position: int
    url: str = field(repr=False)
    on: NotifyOn = NotifyOn.FAIL
    attach: tuple[str, ...] = ()

    @property
    def service(self) -> str:
        """What the URL begins with, which is no secret: `slack`; empty without one."""
        return self.url.partition("://")[0].lower()
