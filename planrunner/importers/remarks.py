"""Which comments stand where in an imported plan: notes of the draft, findings of the ledger."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from planrunner.importers.draft import DraftNode, DraftPlan, all_steps
from planrunner.loss.ledger import Construct, Fate, Ledger, SourcePlace

__all__ = ["Remarks"]

_MOST_ALIKE = 50
"""Findings of one place with the same words; the others are told by their number."""


@dataclass(frozen=True, slots=True)
class Remarks:
    """The findings above each node of a draft."""

    findings: dict[int, list[Construct]]

    @classmethod
    def place(cls, draft: DraftPlan, ledger: Ledger) -> Remarks:
        """Put each finding at the last node that begins before it in the same file."""
        by_file: dict[str, list[tuple[SourcePlace, DraftNode]]] = {}
        for node in _nodes(draft):
            if node.origin is not None:
                by_file.setdefault(node.origin.file, []).append((node.origin, node))
        for nodes in by_file.values():
            nodes.sort(key=lambda pair: pair[0])
        findings: dict[int, list[Construct]] = {}
        for one in ledger.findings():
            nodes = by_file.get(one.place.file, [])
            before = bisect_right(nodes, one.place, key=lambda pair: pair[0])
            node = nodes[before - 1][1] if before else draft
            findings.setdefault(id(node), []).append(one)
        return cls(findings)

    def above(self, node: DraftNode, indent: str) -> Iterator[str]:
        """Yield the comment lines that stand above a node."""
        for note in node.notes:
            for line in note.splitlines():
                yield f"{indent}# {_one_line(line)}".rstrip()
        alike: dict[tuple[object, str], list[Construct]] = {}
        for one in self.findings.get(id(node), []):
            alike.setdefault((one.fate, one.why), []).append(one)
        for found in alike.values():
            shown = found if len(found) <= _MOST_ALIKE + 1 else found[:_MOST_ALIKE]
            for one in shown:
                yield f"{indent}# {_remark(one)}"
            if len(shown) < len(found):
                more = ", ".join(str(one.place.line) for one in found[len(shown) :][:20])
                rest = len(found) - len(shown)
                yield f"{indent}# TODO import: {rest} more like this, lines {more}"


def _nodes(draft: DraftPlan) -> Iterator[DraftNode]:
    yield from draft.params.values()
    yield from draft.flows.values()
    for one in draft.users:
        yield one
        yield from one.tasks
    yield from draft.phases
    yield from draft.thresholds
    yield from all_steps(draft)


def _remark(one: Construct) -> str:
    assert one.fate is not None, "the ledger is closed before the plan is written"
    word = "import" if one.fate is Fate.SUSPICIOUS else "TODO import"
    where = f"{one.place.file}:{one.place.line}"
    return _one_line(f"{word}: {where}: {one.words} ({one.fate.words}): {one.why}")


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text).rstrip()
