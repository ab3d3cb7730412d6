"""The first requests that failed in each way: what was sent and what came back, for people.

Nothing here runs for a request that succeeds; sessions report what they sent last on demand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from planrunner.metrics.series import Labels
from planrunner.protocols.base import Recalling, Reply
from planrunner.results.record import FailingSample
from planrunner.units import NS_PER_S

__all__ = ["FailingRequests", "first_of_each"]

_OF_EACH: Final = 3
_MOST: Final = 120
_SHOWN: Final = 2_000
"""Characters of a message; metrics.json holds all of them."""
_MASKED: Final = 256 * 1024
"""Characters in which secrets are looked for before the rest is cut off: half a secret is none."""

_Way = tuple[str, str, int]


class FailingRequests:
    """What one worker keeps.

    Args:
        mask: Takes secrets out of text.
        cover: Takes them out of a request or reply.
    """

    def __init__(self, mask: Callable[[str], str], cover: Callable[[str], str]) -> None:
        self._mask = mask
        self._cover = cover
        self._seen: Counter[_Way] = Counter()
        self._kept = 0
        self._new: list[FailingSample] = []

    def add(  # noqa: PLR0913 - what a sample is made of
        self,
        labels: Labels,
        session: object,
        reply: Reply | None,
        *,
        kind: str,
        words: str,
        after_ns: int,
        took_ns: int,
        status_text: Callable[[int], str] = str,
    ) -> None:
        """Keep a failed request if it is one of the first; at once, before the session goes on.

        Args:
            labels: Of its place in the plan.
            session: That sent it; None where it was another tool.
            reply: None when nothing came, and when nothing was sent.
            kind: The failure kind.
            words: What failed, masked.
            after_ns: When it was due, from the start of the run.
            took_ns: How long it took.
            status_text: A status as people know it.
        """
        status = 0 if reply is None else reply.status
        way = labels.request, kind, status
        if self._seen[way] >= _OF_EACH or self._kept >= _MOST:
            return
        self._seen[way] += 1
        self._kept += 1
        sent, received = "", ""
        if reply is not None and isinstance(session, Recalling):
            sent, received = session.recall()
        self._new.append(
            FailingSample(
                request=labels.request,
                phase=labels.phase,
                kind=kind,
                reason=words[:_SHOWN],
                method=labels.method,
                status=status,
                second=round(after_ns / NS_PER_S, 3),
                latency_ns=took_ns,
                sent=_fit(sent, self._cover),
                received=_fit(received, self._cover),
                tags={key: _fit(value, self._mask) for key, value in labels.tags},
                status_name=_name(status, status_text),
            )
        )

    def drain(self) -> tuple[FailingSample, ...]:
        """Return those kept since the last time."""
        new = tuple(self._new)
        self._new.clear()
        return new


def _name(status: int, status_text: Callable[[int], str]) -> str:
    name = status_text(status) if status else ""
    return "" if name == str(status) else name


def _fit(text: str, mask: Callable[[str], str]) -> str:
    masked = mask(text[:_MASKED])
    return masked if len(masked) <= _SHOWN else f"{masked[:_SHOWN]}…"


def first_of_each(samples: Iterable[FailingSample]) -> tuple[FailingSample, ...]:
    """Return the first of all workers' samples, in order of time."""
    seen: Counter[_Way] = Counter()
    kept: list[FailingSample] = []
    for sample in sorted(samples, key=lambda one: (one.second, one.request, one.kind, one.status)):
        way = sample.request, sample.kind, sample.status
        if seen[way] < _OF_EACH and len(kept) < _MOST:
            seen[way] += 1
            kept.append(sample)
    return tuple(kept)
