"""Whether the generator had to wait for its processor, and what of that is in latencies.

A reply that arrives while the generator waits is seen late. Under steady traffic that happens to as
many replies as the share of time that it waits. Where replies are rare, each of them wakes it, and
the wait before that turn is added to the latency.
"""

from __future__ import annotations

from typing import Final

from planrunner.timing.run_queue import Waits
from planrunner.units import NS_PER_US, format_duration

__all__ = ["Starvation"]

_BIASED_SHARE: Final = 0.03
"""Of the time: with the target on the same idle machine it is under 0.02, and with a processor of
its own under 0.002. At 0.05 the 95th percentile begins to move.
"""

_INVALID_SHARE: Final = 0.25
"""Of the time: users sent a quarter less, so the load was another one."""

_LONG_TURN_NS: Final = 50 * NS_PER_US
"""Shorter waits before a turn are what waking costs on any machine."""

_BIASED_LATENCY: Final = 0.1
_INVALID_LATENCY: Final = 0.5

_ADVICE: Final = (
    "latencies include the wait; free the generator's host, or keep other work off its processors"
)


class Starvation:
    """The waits of each interval beside the requests that ended in it.

    Attributes:
        is_asked: Whether anything was there to say how long the generator waited.
        is_known: Whether it could.
        wait_share: Of the time, in the worst interval; what a hypervisor took is part of it.
        turn_wait_ns: The mean wait before a turn, in the worst interval.
    """

    def __init__(self) -> None:
        self.is_asked = self.is_known = False
        self.wait_share = 0.0
        self.turn_wait_ns = 0
        self._requests = self._latency_ns = 0.0
        self._met = self._stolen = self._added_ns = 0.0

    def add(
        self,
        waits: Waits | None,
        length_ns: int,
        requests: int,
        latency_ns: float,
        *,
        reads_replies: bool = True,
    ) -> None:
        """Take in an interval: its waits, its requests and the sum of their latencies.

        Where it reads no replies, as components take their own time, nothing is seen late.
        """
        if waits is None:
            return
        self.is_asked = True
        self.is_known = self.is_known or waits.waited_ns is not None
        stolen = waits.stolen_ns / max(length_ns, 1)
        share = min((waits.waited_ns or 0) / max(length_ns, 1) + stolen, 1.0)
        turn_ns = (waits.waited_ns or 0) / waits.turns if waits.turns else 0.0
        self.wait_share = max(self.wait_share, share)
        self.turn_wait_ns = max(self.turn_wait_ns, round(turn_ns))
        self._requests += requests
        self._latency_ns += latency_ns
        self._met += share * requests
        self._stolen += stolen * requests
        if reads_replies and turn_ns > _LONG_TURN_NS:
            self._added_ns += turn_ns * requests

    def doubt(self) -> tuple[str, bool] | None:
        """Return why latencies are not the target's alone, and whether the load was another one."""
        if not self._requests:
            return None
        share, stolen = self._met / self._requests, self._stolen / self._requests
        if share > _BIASED_SHARE:
            stolen_words = (
                f" ({stolen:.1%} of it taken by the hypervisor)" if stolen > share / 2 else ""
            )
            reason = (
                f"the generator was ready to run for {share:.1%} of the time{stolen_words} while "
                f"other work had its processor: {_ADVICE}"
            )
            return reason, share > _INVALID_SHARE
        added = min(self._added_ns / max(self._latency_ns, 1.0), 1.0)
        if added > _BIASED_LATENCY:
            each = format_duration(round(self._added_ns / self._requests))
            reason = (
                f"the generator waited {each} for its processor before it could read a reply, "
                f"which is {added:.0%} of the mean latency: {_ADVICE}"
            )
            return reason, added > _INVALID_LATENCY
        return None

    def limit(self) -> str:
        """Say of a load that it can't have been the one asked for, in a few words; or nothing."""
        doubt = self.doubt()
        return "it had to wait for its processor" if doubt and doubt[1] else ""

    def unknown(self) -> str:
        """Return a notice where the system doesn't say how long the generator waits."""
        if self.is_known or not self.is_asked:
            return ""
        return (
            "this system doesn't report how long a process waits for a processor, so nothing "
            "distinguishes a starved generator from a slow target; keep its host free of other work"
        )
