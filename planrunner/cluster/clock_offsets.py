"""How far the clock of another host is from the coordinator's, and how wrong that may be.

The coordinator asks, the host reads its clock, the coordinator receives what it read. However long
either way took, the clock was read between the two; so each exchange says for certain between which
bounds the offset was then. Later on they are wider, as the clocks drift apart. What lies within the
bounds of all exchanges is known: a slow one has bounds that say little, and does no harm.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from planrunner.clock import SLEW_PPM
from planrunner.engine.workers.worker_state import KNOWN_WITHIN_NS, ClockFacts
from planrunner.units import NS_PER_MS

__all__ = [
    "EXCHANGE_EVERY_NS",
    "FIRST_EXCHANGES",
    "KNOWN_WITHIN_NS",
    "ClockEstimate",
    "ClockExchange",
]

FIRST_EXCHANGES: Final = 20
"""One after the other, before workers get the offset: the fastest of so many is a fast one."""

EXCHANGE_EVERY_NS: Final = 500 * NS_PER_MS
"""Between two later ones; the bounds are 100 µs wider by then."""

_DRIFT_PPM: Final = 200
"""How fast two clocks drift apart at most: crystals are within 100 ppm, if nothing corrects them.

Source: NTP reckons with 15 ppm of a clock that it corrects, PHI in RFC 5905. While it corrects one,
by `SLEW_PPM` at most, clocks are further apart than said here by a fraction of their bounds.
"""

_UNKNOWN_NS: Final = 1 << 62


class ClockExchange(NamedTuple):
    """A question and its answer.

    Attributes:
        sent_ns: When the coordinator asked, by its clock.
        there_ns: What the host's clock said.
        received_ns: When the coordinator had the answer.
    """

    sent_ns: int
    there_ns: int
    received_ns: int


class ClockEstimate:
    """What is known of one host's clock from the exchanges so far.

    Attributes:
        offset_ns: The coordinator's time, less the host's. After `FIRST_EXCHANGES` it changes no
            faster than a `ShiftedClock` follows, so it is what the host's workers go by.
        worst_error_ns: The most that it can have been wrong since then.
    """

    def __init__(self) -> None:
        self.offset_ns = 0
        self.worst_error_ns = 0
        self._low_ns, self._high_ns = -_UNKNOWN_NS, _UNKNOWN_NS
        self._at_ns = self._moved_ns = self._exchanges = 0

    def add(self, exchange: ClockExchange) -> None:
        """Take in an exchange; in order of time."""
        sent_ns, there_ns, now_ns = exchange
        before_ns, passed_ns = self.error_ns(now_ns), now_ns - self._at_ns
        own_ns, drift_ns = _drift_ns(now_ns - sent_ns), _drift_ns(passed_ns)
        self._narrow(sent_ns - there_ns, now_ns - there_ns, own_ns, drift_ns)
        self._at_ns = now_ns
        self._exchanges += 1
        if self._exchanges <= FIRST_EXCHANGES:
            self.offset_ns = (self._low_ns + self._high_ns) // 2
        else:
            self._follow(passed_ns * SLEW_PPM // 1_000_000)
            self.worst_error_ns = max(self.worst_error_ns, before_ns, self.error_ns(now_ns))

    def error_ns(self, now_ns: int) -> int:
        """Return how wrong the offset can be at most, now, for the host's workers."""
        apart_ns = max(self._high_ns - self.offset_ns, self.offset_ns - self._low_ns)
        return apart_ns + _drift_ns(now_ns - self._at_ns) + self._moved_ns

    def facts(self, now_ns: int) -> ClockFacts:
        """Return what is known now; the error is the greatest that there was in use."""
        return ClockFacts(self.offset_ns, max(self.worst_error_ns, self.error_ns(now_ns)))

    def _narrow(self, low_ns: int, high_ns: int, own_ns: int, drift_ns: int) -> None:
        """Leave what lies within the bounds of an exchange and within those from before.

        Args:
            low_ns: The least that the offset was at some moment of the exchange.
            high_ns: The most.
            own_ns: How far it can have gone since.
            drift_ns: The same, since the exchange before.
        """
        low_ns, high_ns = low_ns - own_ns, high_ns + own_ns
        both_low_ns = max(low_ns, self._low_ns - drift_ns)
        both_high_ns = min(high_ns, self._high_ns + drift_ns)
        if both_low_ns <= both_high_ns:
            low_ns, high_ns = both_low_ns, both_high_ns
        # else the host's clock was set, or stood still: what was known is known no more
        self._low_ns, self._high_ns = low_ns, high_ns

    def _follow(self, most_ns: int) -> None:
        """Go no further than into the middle half of what is left, and no faster than workers."""
        before_ns, margin_ns = self.offset_ns, (self._high_ns - self._low_ns) // 4
        wanted_ns = max(self._low_ns + margin_ns, min(before_ns, self._high_ns - margin_ns))
        self.offset_ns = max(before_ns - most_ns, min(wanted_ns, before_ns + most_ns))
        self._moved_ns = abs(self.offset_ns - before_ns)


def _drift_ns(took_ns: int) -> int:
    """Return how far two clocks drift apart at most in so much time, and a rounded reading."""
    return took_ns * _DRIFT_PPM // 1_000_000 + 2
