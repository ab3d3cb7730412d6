"""Whom the runs of a plan tell what came of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from planrunner.graph.notification import NotificationNode, NotifyOn
from planrunner.language.secrets import Masker
from planrunner.results.exit_codes import ExitCode
from planrunner.values import dataclass

__all__ = ["Recipients"]


@dataclass(frozen=True, slots=True)
class Recipients:
    """Whom the runs of a plan tell.

    Attributes:
        nodes: Those with a URL.
        mask: Takes secrets out of what is said of them.
        confined: The plan is a stranger's.
        environ: What the run sees as environment variables.
    """

    nodes: tuple[NotificationNode, ...] = ()
    mask: Masker = field(default_factory=Masker, compare=False)
    confined: bool = False
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def ask_for_change(self) -> bool:
        """Whether what the last run came to makes a difference."""
        return any(node.on is NotifyOn.CHANGE for node in self.nodes)

    def wanting(self, verdict: str, exit_code: int, last: str) -> Iterator[NotificationNode]:
        """Yield those who want to know.

        An interrupted run was judged by nobody, and whoever stopped it knows.

        Args:
            verdict: In a word.
            exit_code: Of the run.
            last: The verdict of the run before; empty without one. All was well then, as far as
                anybody knows.
        """
        is_judged = exit_code != ExitCode.INTERRUPTED
        wanted = {
            NotifyOn.ALWAYS: True,
            NotifyOn.FAIL: is_judged and exit_code != ExitCode.OK,
            NotifyOn.CHANGE: is_judged and verdict != (last or "pass"),
        }
        return (node for node in self.nodes if wanted[node.on])
