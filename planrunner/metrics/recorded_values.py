"""Values that a plan's expressions give of samples, as whole numbers: exact, signed, mergeable.

They are kept in millionths: a sum of decimals is the sum, and workers in any order make the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import ClassVar, Final, Self

from planrunner.metrics.histogram import Histogram

__all__ = ["MILLIONTHS", "MOST", "RecordedValues", "RecordingList", "to_millionths"]

MILLIONTHS: Final = 1_000_000
"""How many of what is kept make 1."""

MOST: Final = 9_000_000_000_000
"""The greatest magnitude of a value: in millionths it fits into 64 bits."""

_FACTS: Final = Struct("<Qqq")  # booleans, last, its time


def to_millionths(value: object) -> int | None:
    """Return a number or boolean as it is kept; None for anything else, and for what is too great.

    A boolean is 1 or 0, so that an average is a share.
    """
    if not isinstance(value, int | float) or not abs(value) <= MOST:  # nothing is beside NaN
        return None
    return round(value * MILLIONTHS)


class RecordingList:
    """The values of one series since the last drain; the request appends.

    Attributes:
        values: In millionths, in the order in which samples ended.
        booleans: How many of them were true or false.
        last_ns: When the last of them came.
    """

    __slots__ = ("booleans", "last_ns", "values")

    def __init__(self) -> None:
        self.values: list[int] = []
        self.booleans = self.last_ns = 0

    def append(self, value: int, at_ns: int, *, is_boolean: bool) -> None:
        self.values.append(value)
        self.booleans += is_boolean
        self.last_ns = at_ns

    def drain(self) -> RecordedValues:
        """Return what came since the last drain, and forget it."""
        taken = RecordedValues(self.values, booleans=self.booleans, last_ns=self.last_ns)
        self.values.clear()
        self.booleans = self.last_ns = 0
        return taken


class RecordedValues(Histogram):
    """A histogram of recorded values, which also knows the last one.

    Attributes:
        booleans: How many of them were true or false.
        last_ns: When that came (clock time); 0 while there are none.
    """

    __slots__ = ("_last", "booleans", "last_ns")

    _takes_negatives: ClassVar[bool] = True

    def __init__(self, values: Sequence[int] = (), *, booleans: int = 0, last_ns: int = 0) -> None:
        super().__init__(values)
        self.booleans = booleans
        self._last = values[-1] if values else 0
        self.last_ns = last_ns

    @property
    def last(self) -> int:
        return self._last

    @property
    def are_booleans(self) -> bool:
        """Whether each of them was true or false, so that their average is a share."""
        return 0 < self.count == self.booleans

    def merge(self, other: Histogram) -> None:
        """Add what `other` holds; of two last values that came at once the greater one stays."""
        super().merge(other)
        if isinstance(other, RecordedValues) and other.count:
            self.booleans += other.booleans
            mine = (self.last_ns, self._last) if self.count > other.count else (-1, 0)
            self.last_ns, self._last = max(mine, (other.last_ns, other.last))

    def copy(self) -> Self:
        return super().copy().with_facts(self.booleans, self._last, self.last_ns)

    def to_bytes(self) -> bytes:
        return _FACTS.pack(self.booleans, self._last, self.last_ns) + super().to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        whole = super().from_bytes(data[_FACTS.size :])
        return whole.with_facts(*_FACTS.unpack_from(data))

    def with_facts(self, booleans: int, last: int, last_ns: int) -> Self:
        """Give these values what their buckets don't say, and return them."""
        self.booleans, self._last, self.last_ns = booleans, last, last_ns
        return self
