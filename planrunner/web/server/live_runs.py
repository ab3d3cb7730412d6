"""The runs that a server knows: one of a command, or those of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from planrunner.values import dataclass
from planrunner.web.feed.messages import PageAsks
from planrunner.web.live.hub import LiveHub

__all__ = ["LiveRuns", "RunFiles"]


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The files of a run that may be read.

    Attributes:
        names: Of those in its directory; no others are.
    """

    directory: Path
    names: tuple[str, ...]


class LiveRuns(Protocol):
    """What the routes ask about runs.

    Attributes:
        mode: `run` or `folder`.
    """

    mode: str

    @property
    def current(self) -> str | None:
        """The run that goes on, or went on last."""

    def hub(self, run_id: str) -> LiveHub | None:
        """Return a run that was shown live; None for others."""

    def ask(self, run_id: str, request: PageAsks) -> None:
        """Pass on what a viewer asks of a run."""

    def files(self, run_id: str) -> RunFiles | None:
        """Return the files of a run that is over."""

    def facts(self) -> dict[str, object]:
        """Return what else `api/session` says."""
