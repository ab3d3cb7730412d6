"""The plan's data sources, as they are with the params of each phase."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.data.sources import data_notices
from planrunner.compiler.names.references import references_in
from planrunner.graph.data import DataNode
from planrunner.language.expressions.expression import Reference
from planrunner.plan.yaml.document import PlanPath

if TYPE_CHECKING:
    from planrunner.compiler.data.one_source import DataFiles
    from planrunner.plan.models.data_sources import DataModel

__all__ = ["PlanData"]


class PlanData:
    """Compiles each source once for all phases whose params make no difference to it.

    Attributes:
        nodes: The sources with the plan's own params, in file order; a faulty one has none.
    """

    def __init__(
        self,
        work: Compilation,
        models: Mapping[str, DataModel],
        files_at: Callable[[PlanPath], DataFiles],
    ) -> None:
        self._models, self._files_at = models, files_at
        self._found: dict[tuple[str, str], DataNode | None] = {}
        self._counts: dict[str, int] = {}
        self._places = {name: place for place, name in enumerate(models)}
        own = [self.source(work, name) for name in models]
        self.nodes = tuple(node for node in own if node is not None)

    def source(self, work: Compilation, name: str) -> DataNode | None:
        """Return a source as it is with the constants of `work`; None when it is faulty."""
        key = name, self.values(work, name)
        if key not in self._found:
            from planrunner.compiler.data.one_source import compile_source  # noqa: PLC0415 - many plans have none

            node = compile_source(work, name, self._models[name], self._files_at)
            number = self._counts.get(name, 0)
            self._counts[name] = number + 1
            self._found[key] = node if node is None else replace(node, variant=number)
        return self._found[key]

    def read_by(
        self, work: Compilation, references: Iterable[Reference]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the keys of the sources that are drawn from, and of those that are read whole."""
        drawn: dict[str, None] = {}
        whole: dict[str, None] = {}
        for reference in sorted(references, key=lambda one: self._places.get(one.root, 0)):
            node = self.source(work, reference.root) if reference.root in self._models else None
            if node is not None:
                is_whole = reference.is_whole and node.columns
                (whole if is_whole else drawn)[node.key] = None
        return tuple(drawn), tuple(whole)

    def drawn(self, keys: Iterable[str]) -> tuple[DataNode, ...]:
        """Return the plan's sources, and of the others those with these keys."""
        wanted = set(keys)
        others = (node for node in self._found.values() if node is not None and node.variant)
        return (*self.nodes, *(node for node in others if node.key in wanted))

    def notices(self) -> Iterator[str]:
        """Yield what was not looked at."""
        return data_notices(self.nodes)

    def values(self, work: Compilation, name: str) -> str:
        """Return the constants that decide which rows a source has."""
        roots = {reference.root for reference in self.references(name)}
        return repr([(root, work.constants[root]) for root in sorted(roots & {*work.constants})])

    def references(self, name: str) -> Iterator[Reference]:
        """Yield what a source reads."""
        return (reference for _, reference in references_in(self._models[name]))

    def __contains__(self, name: str) -> bool:
        return name in self._models

    @property
    def names(self) -> Sequence[str]:
        """All sources of the plan, those too that are faulty."""
        return list(self._models)
