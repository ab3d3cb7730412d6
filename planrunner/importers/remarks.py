"""Which comments stand where in an imported plan: notes of the draft, findings of the ledger."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from operator import itemgetter

from planrunner.importers.draft import DraftNode, DraftPlan, all_nodes
from planrunner.loss.ledger import Construct, Fate, Ledger
from planrunner.values import dataclass

__all__ = ["Remarks"]

_FIRST = itemgetter(0)
_MOST_ALIKE = 50
"""Losses of one place with the same words; the others are told by their number."""

_LOSSES = frozenset({Fate.CHANGED, Fate.LEFT_OUT})
"""Of other findings with the same words one is enough."""


@dataclass(frozen=True, slots=True)
class Remarks:
    """The findings above each node of a draft."""

    findings: dict[int, list[Construct]]

    @classmethod
    def place(cls, draft: DraftPlan, ledger: Ledger) -> Remarks:
        """Put each finding at the last node that begins before it in the same file.

        Behind the end of code there is none until another begins: the plan has those findings.
        """
        by_file: dict[str, list[tuple[tuple[int, int], DraftNode]]] = {}
        places = [(node.origin, node) for node in all_nodes(draft) if node.origin is not None]
        for place, node in (*places, *((end, draft) for end in draft.ends)):
            by_file.setdefault(place.file, []).append(((place.line, place.column), node))
        for nodes in by_file.values():
            nodes.sort(key=_FIRST)
        # A bundle has 100,000 findings: pairs of numbers compare without a call.
        starts = {file: [place for place, _ in nodes] for file, nodes in by_file.items()}
        findings: dict[int, list[Construct]] = {}
        for one in ledger.findings():
            file = one.place.file
            before = bisect_right(starts.get(file, ()), (one.place.line, one.place.column))
            node = by_file[file][before - 1][1] if before else draft
            findings.setdefault(id(node), []).append(one)
        return cls(findings)

    def above(self, node: DraftNode, indent: str) -> Iterator[str]:
        """Yield the comment lines that stand above a node."""
        for note in node.notes:
            for line in note.splitlines():
                yield f"{indent}# {_one_line(line)}".rstrip()
        alike: dict[tuple[object, str, str], list[Construct]] = {}
        for one in self.findings.get(id(node), []):
            alike.setdefault((one.fate, one.why, one.place.file), []).append(one)
        for found in alike.values():
            most = _MOST_ALIKE if found[0].fate in _LOSSES else 1
            shown = found if len(found) <= most + 1 else found[:most]
            for one in shown:
                yield f"{indent}# {_remark(one)}"
            if len(shown) < len(found):
                lines = dict.fromkeys(str(one.place.line) for one in found[len(shown) :])
                rest = len(found) - len(shown)
                more = ", ".join([*lines][:20])
                file = _one_line(found[0].place.file)
                yield f"{indent}# {_word(found[0])}: {file}: {rest} more like this, lines {more}"


def _remark(one: Construct) -> str:
    assert one.fate is not None, "the ledger is closed before the plan is written"
    where = f"{one.place.file}:{one.place.line}"
    return _one_line(f"{_word(one)}: {where}: {one.words} ({one.fate.words}): {one.why}")


def _word(one: Construct) -> str:
    return "import" if one.fate is Fate.SUSPICIOUS else "TODO import"


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text).rstrip()
