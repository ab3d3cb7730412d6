"""The secrets of a run: those of the plan, those that its users meet, and what names give away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Final

from planrunner.graph.run_graph import (
    PopNode,
    PushNode,
    RequestNode,
    RunGraph,
    SetNode,
    StepNode,
)
from planrunner.language.growing_masker import GrowingMasker, texts_in
from planrunner.language.named_secrets import cover_message, cover_named, is_secret_name
from planrunner.protocols.base import Exchange, Reply, Scope

__all__ = ["RunMasker"]

_SHORTEST_NAMED: Final = 6
"""What only its name gives away is masked elsewhere if it is no short word such as `on` or `42`."""

_NO_SECRETS: Final = frozenset({"bearer", "basic", "digest", "cookie", "session", "undefined"})


class RunMasker(GrowingMasker):
    """Masks text of one worker.

    Args:
        graph: Has the plan's secrets.
        steps: All of the plan, for the names that they write.

    Attributes:
        names: Of users' values: variables that extractions declare to be secret.
    """

    __slots__ = ("_named", "_shows_named", "names")

    def __init__(self, graph: RunGraph, steps: Iterable[StepNode] = ()) -> None:
        super().__init__(graph.secrets)
        steps = tuple(steps)
        requests = [step for step in steps if isinstance(step, RequestNode)]
        self.names = frozenset(name for step in requests for name in step.exchange.secrets)
        self._shows_named = graph.shows_named
        self._named = () if graph.shows_named else tuple(_named(graph, steps))

    def look_at(self, scope: Mapping[str, object]) -> None:
        """Learn the values of a user whose names say that they are secret.

        Called when something of the user is about to be shown, and not before: plans have many
        such names, and each look costs its time.
        """
        for name, column in self._named:
            value = scope.get(name)
            if column:
                value = value.get(column) if isinstance(value, dict) else None
            for text in texts_in(value):
                if len(text) >= _SHORTEST_NAMED and text.lower() not in _NO_SECRETS:
                    self.learn(text)

    def watch(self, name: str) -> None:
        """Look at one more name of users, if it says that its value is secret."""
        if not self._shows_named and is_secret_name(name) and (name, "") not in self._named:
            self._named = (*self._named, (name, ""))

    def learn_names(self, scope: Mapping[str, object]) -> None:
        """Learn the values of the variables that are declared to be secret."""
        for name in self.names & scope.keys():
            self.learn(scope[name])

    def seek(self, exchange: Exchange, reply: Reply, scope: Scope) -> None:
        """Learn what a reply holds that its request would have extracted, had it gone well."""
        found = {name: value for name, value in scope.items() if name not in exchange.secrets}
        for extract in exchange.extractors:
            with suppress(Exception):  # whatever is wrong with the reply is known already
                extract(reply, found)
        for name in exchange.secrets:
            self.learn(found.get(name))

    def words(self, text: str) -> str:
        """Return what went wrong, as people may see it."""
        return self(text if self._shows_named else cover_named(text))

    def message(self, text: str) -> str:
        """Return a request or reply as people may see it."""
        return self(text if self._shows_named else cover_message(text))


def _named(graph: RunGraph, steps: Iterable[StepNode]) -> Iterator[tuple[str, str]]:
    """Yield the variables and columns whose names say so: (variable, column)."""
    for node in graph.data:
        if not node.columns and is_secret_name(node.name):
            yield node.name, ""
        yield from ((node.name, column) for column in node.columns if is_secret_name(column))
    written = {name for step in steps for name in _written(step)}
    written |= {name for program in graph.programs() for name, _ in program.state}
    yield from ((name, "") for name in sorted(written) if is_secret_name(name))


def _written(step: StepNode) -> Iterable[str]:
    match step:
        case RequestNode():
            return step.exchange.extracted
        case SetNode() | PushNode():
            return [name for name, _ in step.values]
        case PopNode():
            return [step.target]
        case _:
            return ()
