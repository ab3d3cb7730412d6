"""What workers ask for the end of the run for, where it takes all that share something."""

from __future__ import annotations

from collections.abc import Sequence

from planrunner.engine.stop import Among, Stop
from planrunner.engine.workers.assignment import who_shares
from planrunner.engine.workers.messages import Asked
from planrunner.engine.workers.worker_state import WorkerState
from planrunner.graph.run_graph import RunGraph

__all__ = ["StopAsks"]


class StopAsks:
    """Asks the run to end when everybody has asked who has to.

    Args:
        graph: What runs.
        links: All workers.
        stop: Of the run.
    """

    def __init__(self, graph: RunGraph, links: Sequence[WorkerState], stop: Stop) -> None:
        self._graph = graph
        self._links = links
        self._stop = stop
        self._asked: dict[Among, tuple[Asked, set[int]]] = {}

    def heard(self, worker: int, asked: Asked) -> None:
        """Take in what a worker asks for."""
        if asked.among is None:
            self._stop.request(asked.reason, ending=asked.ending)
            return
        _, asking = self._asked.setdefault(asked.among, (asked, set()))
        asking.add(worker)
        self.look()

    def look(self) -> None:
        """End the run if nobody is left who has to ask as well: one has asked, or is gone."""
        alive = {link.number for link in self._links if link.alive}
        for among, (asked, asking) in self._asked.items():
            if asking >= who_shares(self._graph, len(self._links), among) & alive:
                self._stop.request(asked.reason, ending=asked.ending)
