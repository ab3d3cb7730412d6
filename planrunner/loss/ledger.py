"""The ledger: every construct of what is translated, each with exactly one fate.

Whoever reads a file first adds all of its constructs; what nobody has judged at the end counts as
left out. So a construct that a translator doesn't know can't disappear.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

__all__ = ["UNKNOWN", "Construct", "Fate", "Ledger", "LossCounts", "SourcePlace"]

UNKNOWN: Final = "planrunner does not know it; write what it did yourself"
"""Why a construct that nobody judged is left out."""


class Fate(StrEnum):
    """What became of a construct, from the best to what must be read first."""

    TRANSLATED = "translated"
    SUSPICIOUS = "suspicious"
    NEEDS_YOU = "needs_you"
    CHANGED = "changed"
    LEFT_OUT = "left_out"

    @property
    def words(self) -> str:
        """As reports say it."""
        return _WORDS[self]

    @property
    def is_loss(self) -> bool:
        """Whether the translation means something else than the original."""
        return self in (Fate.CHANGED, Fate.LEFT_OUT)


_WORDS: Final = {
    Fate.TRANSLATED: "translated",
    Fate.SUSPICIOUS: "suspicious in the original",
    Fate.NEEDS_YOU: "needs you",
    Fate.CHANGED: "changed in meaning",
    Fate.LEFT_OUT: "left out",
}
_ORDER: Final = {fate: number for number, fate in enumerate(Fate)}


@dataclass(frozen=True, slots=True, order=True)
class SourcePlace:
    """Where something stands in a file; lines and columns count from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(slots=True, eq=False)
class Construct:
    """One construct of the original: a call, an element, a key.

    Attributes:
        kind: What it is: `call`, `element`, `key`, `row`.
        words: It, as a person recognizes it; one short line.
        number: How many of its kind it stands for, where they are too many to name each: the keys
            of an entry, the lines of a log with the same request.
        fate: None as long as nobody has judged it.
        why: How the meaning changed, what to write instead, or what to do.
    """

    kind: str
    words: str
    place: SourcePlace
    number: int = 1
    fate: Fate | None = None
    why: str = ""

    def translated(self) -> None:
        """It means the same in the translation."""
        self.judge(Fate.TRANSLATED, "")

    def suspicious(self, why: str) -> None:
        """The original does something that its author can't have meant."""
        self.judge(Fate.SUSPICIOUS, why)

    def needs_you(self, what: str) -> None:
        """It is translated as soon as a person adds something: a file, a secret, a host."""
        self.judge(Fate.NEEDS_YOU, what)

    def changed(self, how: str) -> None:
        """It is in the translation, and means something else there."""
        self.judge(Fate.CHANGED, how)

    def left_out(self, instead: str) -> None:
        """It is not in the translation."""
        self.judge(Fate.LEFT_OUT, instead)

    def judge(self, fate: Fate, why: str) -> None:
        """Keep the fate that must be read first, of equal ones the one given first."""
        if self.fate is None or _ORDER[fate] > _ORDER[self.fate]:
            self.fate, self.why = fate, why


@dataclass(frozen=True, slots=True)
class LossCounts:
    """How many constructs got which fate."""

    counts: dict[Fate, int]

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.counts.values())

    @property
    def translated_percent(self) -> float:
        """Share of translated ones among all, in percent, cut to one decimal; 100 when none are."""
        if not self.total:
            return 100.0
        return self.counts[Fate.TRANSLATED] * 1000 // self.total / 10

    @property
    def has_loss(self) -> bool:
        """Whether anything changed in meaning or was left out."""
        return any(number for fate, number in self.counts.items() if fate.is_loss)


@dataclass(slots=True)
class Ledger:
    """The constructs of one translation, in the order in which they were added."""

    constructs: list[Construct] = field(default_factory=list)
    _by_place: dict[SourcePlace, list[Construct]] = field(default_factory=dict)
    _placed: int = 0

    def add(self, kind: str, words: str, place: SourcePlace, number: int = 1) -> Construct:
        """Add a construct that somebody will judge, or several that share a fate."""
        construct = Construct(kind, words, place, number)
        self.constructs.append(construct)
        return construct

    def part(self, kind: str, words: str, place: SourcePlace) -> Construct:
        """Return a construct for a part of what stands at a place, which has counted already.

        What stands there counts for one less, or is the part itself if it counts for one; what got
        a finding stays as it is. Where there is nothing else, the part is added.
        """
        for one in self.constructs[self._placed :]:
            self._by_place.setdefault(one.place, []).append(one)
        self._placed = len(self.constructs)
        for whole in self._by_place.get(place, ()):
            if whole.fate not in (None, Fate.TRANSLATED):
                continue
            if whole.number == 1:
                whole.words = f"{whole.words}: {words}"
                return whole
            whole.number -= 1
            return self.add(whole.kind, words, place)
        return self.add(kind, words, place)

    def close(self) -> None:
        """Judge what nobody has judged: it is left out."""
        for construct in self.constructs:
            if construct.fate is None:
                construct.left_out(UNKNOWN)

    def findings(self) -> Iterator[Construct]:
        """Yield what was not plainly translated, by place."""
        found = (one for one in self.constructs if one.fate is not Fate.TRANSLATED)
        yield from sorted(found, key=lambda one: (one.place.file, one.place.line, one.place.column))

    def tally(self) -> LossCounts:
        """Count the judgements."""
        return _counted(self.constructs)

    def tally_of_kinds(self) -> dict[str, LossCounts]:
        """Count the judgements of each kind of construct, in the order of first sight."""
        by_kind: dict[str, list[Construct]] = {}
        for one in self.constructs:
            by_kind.setdefault(one.kind, []).append(one)
        return {kind: _counted(those) for kind, those in by_kind.items()}


def _counted(constructs: Iterable[Construct]) -> LossCounts:
    counts: Counter[Fate | None] = Counter()
    for one in constructs:
        counts[one.fate] += one.number
    return LossCounts({fate: counts[fate] for fate in Fate})
