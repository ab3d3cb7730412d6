"""Data sources: what is known of their columns, who reads them, and enough rows for the users."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.names.known_names import Known
from planrunner.compiler.names.references import references_in
from planrunner.graph.data import DataNode
from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import Reference
from planrunner.language.fields.mapping import PlanMapping
from planrunner.plan.models.steps import StepModel

if TYPE_CHECKING:  # see `language.fields.mapping.later`
    pass

__all__ = [
    "check_row_counts",
    "data_notices",
    "references_reached",
    "with_columns",
]


def with_columns(known: Known, models: Iterable[str], nodes: Sequence[DataNode]) -> Known:
    """Return what is known with the data; of a faulty source, any column may be meant."""
    columns: dict[str, tuple[str, ...] | None] = dict.fromkeys(models)
    columns.update({node.name: node.columns for node in nodes})
    fresh = frozenset(node.name for node in nodes if not node.per_user)
    return replace(known, columns=columns, iteration_data=fresh)


def references_reached(piece: object, flows: Mapping[str, object]) -> Iterator[Reference]:
    """Yield what a piece of the model reads, in the flows that it calls too."""
    seen: set[str] = set()
    pieces = [piece]
    while pieces:
        current = pieces.pop()
        yield from (reference for _, reference in references_in(current))
        called = {name for name in _called(current) if name in flows} - seen
        seen |= called
        pieces += [flows[name] for name in called]


def _called(piece: object) -> Iterator[str]:
    """Yield the names of the flows that steps below `piece` call."""
    if isinstance(piece, StepModel) and piece.called:
        yield piece.called
    if isinstance(piece, PlanMapping):
        for name in piece.model_fields_set:
            yield from _called(getattr(piece, name))
    elif isinstance(piece, Mapping | list | tuple):
        for item in piece.values() if isinstance(piece, Mapping) else piece:
            yield from _called(item)


def check_row_counts(
    work: Compilation,
    nodes: Sequence[DataNode],
    phases: Iterable[tuple[Sequence[str], Mapping[str, Sequence[str]]]],
) -> None:
    """Note a fault for each source with fewer rows than users that hold one at a time.

    Args:
        work: Takes the faults.
        nodes: The sources.
        phases: Of each phase the class of each user at its peak, and the sources that each class
            reads.
    """
    peaks = list(phases)
    for node in nodes:
        if not node.is_held or not node.is_counted:
            continue
        users = max((_count(peak, node.key, readers) for peak, readers in peaks), default=0)
        if users > node.count:
            rows = f"{node.count:,} row{'s' if node.count != 1 else ''}"
            work.fault(
                ("data", node.name, "unique"),
                Code.INVALID_DATA,
                f"`{node.name}` has {rows} for {users:,} users at a time",
                hint="add rows, plan fewer users, or leave out `unique`",
            )


def _count(classes: Sequence[str], source: str, readers: Mapping[str, Sequence[str]]) -> int:
    return sum(source in readers.get(name, ()) for name in classes)


def data_notices(nodes: Iterable[DataNode]) -> Iterator[str]:
    """Yield what was not looked at."""
    for node in nodes:
        if not node.is_counted:
            yield (
                f"`{node.name}`: {node.file} is over 50 MB; its header and first "
                f"{node.count:,} rows were checked"
            )
