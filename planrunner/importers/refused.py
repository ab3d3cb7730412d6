"""What the plan language refuses of a draft is taken out of it, and named as left out.

Readers know what a plan may say. This is for what nobody thought of: a duration of a million years,
a threshold that no compiler takes. So whatever an original holds, its plan validates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from planrunner.importers.draft import (
    DraftClass,
    DraftFlow,
    DraftNode,
    DraftParam,
    DraftPhase,
    DraftPlan,
    DraftStep,
    DraftTask,
    DraftThreshold,
    all_nodes,
)
from planrunner.language.diagnostics import Diagnostic
from planrunner.loss.ledger import Construct, Fate, Ledger, SourcePlace
from planrunner.plan.yaml.document import Document, PlanPath
from planrunner.plan.yaml.places import path_at, written_path
from planrunner.values import dataclass

__all__ = ["Refusals"]


@dataclass(frozen=True, slots=True)
class _DraftEntry:
    """An entry of a draft that can be taken out.

    Attributes:
        holder: The mapping or list that it is in.
        key: Its key or index there.
        path: Where it stands in the plan.
        node: The piece of the draft that it belongs to, as which comments and places know it.
    """

    holder: Any
    key: str | int
    path: PlanPath
    node: DraftNode


class Refusals:
    """Takes what is refused out of a draft, until nothing is.

    Args:
        ledger: Closed; the constructs that a piece was made of are judged again.
    """

    def __init__(self, draft: DraftPlan, ledger: Ledger) -> None:
        self._draft, self._ledger = draft, ledger
        self._named: set[int] = set()

    def take_out(self, text: Document, faults: Iterable[Diagnostic]) -> bool:
        """Take out what each fault is about; says whether there was anything.

        What is left may lack a key, which is a fault of the mapping around it: so asking again and
        again takes out ever larger pieces.

        Args:
            text: The plan that the draft was written as.
            faults: Of that text.
        """
        found: dict[PlanPath, tuple[_DraftEntry, Diagnostic]] = {}
        for fault in faults:
            entries = [*_entries_on(self._draft, path_at(text, fault.span))]
            if entries:
                found.setdefault(entries[-1].path, (entries[-1], fault))
        # From the back, as indexes count from the front.
        for path in sorted(found, key=_from_the_front, reverse=True):
            if any(path[:end] in found for end in range(1, len(path))):
                continue  # It goes with what it is in.
            entry, fault = found[path]
            self._name(entry, fault)
            del entry.holder[entry.key]
        return bool(found)

    def _name(self, entry: _DraftEntry, fault: Diagnostic) -> None:
        """Judge the constructs of a piece: all of a step's, else the one that is most like it."""
        what = written_path(entry.path)
        hint = f"; {fault.hint}" if fault.hint else ""
        why = f"the plan language refuses `{what}`: {fault.message}{hint}"
        own = [*self._constructs_of(entry.node)]
        if entry.holder[entry.key] is not entry.node:
            key = next((part for part in reversed(entry.path) if isinstance(part, str)), "").lower()
            own = [one for one in own if one.words.rpartition(".")[2].lower() == key][:1] or own[:1]
        for one in own:
            one.left_out(why)
        if not own and id(entry.node) not in self._named:
            first = min((one.place for one in self._ledger.constructs), default=SourcePlace("-", 1))
            self._ledger.add("piece", what, entry.node.origin or first).left_out(why)
        self._named.add(id(entry.node))

    def _constructs_of(self, node: DraftNode) -> Iterator[Construct]:
        """Yield the translated constructs between the place of a node and the next one."""
        begin = node.origin
        if begin is None:
            return
        places = (one.origin for one in all_nodes(self._draft) if one.origin is not None)
        end = min((one for one in places if one.file == begin.file and one > begin), default=None)
        for one in self._ledger.constructs:
            is_behind = one.place.file == begin.file and one.place >= begin
            if is_behind and (end is None or one.place < end) and one.fate is Fate.TRANSLATED:
                yield one


def _from_the_front(path: PlanPath) -> list[tuple[bool, int, str]]:
    return [(False, part, "") if isinstance(part, int) else (True, 0, part) for part in path]


def _entries_on(draft: DraftPlan, path: PlanPath) -> Iterator[_DraftEntry]:
    """Yield the entries of a draft on the way to a place of its plan, the outermost first."""
    node: DraftNode = draft
    value: object = draft
    for depth, part in enumerate(path, 1):
        holder, key = _holder_of(value, part)
        if holder is None:
            value = getattr(value, str(key))
            continue
        try:
            value = holder[key]
        except (LookupError, TypeError):
            return
        if isinstance(value, DraftNode):
            node = value
        yield _DraftEntry(holder, key, path[:depth], node)


def _holder_of(value: object, part: str | int) -> tuple[Any, str | int]:
    """Return what has the entry of a piece that is written under a key, and its key there.

    None as the first of them: it is an attribute of that name, a list or mapping of entries.
    """
    if (attribute := _PARTS.get(type(value), {}).get(str(part))) is not None:
        return None, attribute
    if isinstance(value, DraftTask) and not value.name and part not in value.keys:
        return value.steps[0].body, part
    if isinstance(value, list) and isinstance(part, str):
        return value, next((n for n, one in enumerate(value) if one.name == part), part)
    return getattr(value, _HOLDS.get(type(value), ""), value), part


_HOLDS: Final[Mapping[type, str]] = {
    DraftPlan: "extra",
    DraftClass: "keys",
    DraftTask: "keys",
    DraftPhase: "keys",
    DraftStep: "body",
    DraftParam: "spec",
    DraftFlow: "steps",
    DraftThreshold: "threshold",
}
"""Where a piece has the entries that are no attributes of it."""

_PARTS: Final[Mapping[type, Mapping[str, str]]] = {
    DraftPlan: {
        name: name
        for name in ("params", "http", "data", "flows", "setup", "users", "phases", "thresholds")
    }
    | {"teardown": "teardown"},
    DraftClass: {name: name for name in ("on_start", "tasks", "steps", "on_stop")},
    DraftTask: {"steps": "steps"},
    DraftFlow: {"args": "args", "do": "steps"},
}
"""What a piece has as an attribute, by the key of the plan."""
