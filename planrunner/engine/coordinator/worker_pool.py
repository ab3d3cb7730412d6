"""Whoever runs the users of a run: the one worker of this process, or several in their own."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from planrunner.engine.scheduling.timeline import Timeline
from planrunner.engine.workers.local import Drained
from planrunner.engine.workers.presence.begins import BeginsApart
from planrunner.engine.workers.worker_state import WorkerStanding, WorkerState
from planrunner.graph.loads import LoadModel, RunnableLoad
from planrunner.graph.run_graph import PhaseNode
from planrunner.metrics.book import Crowded

__all__ = ["RunningPhase", "WorkerPool"]


class RunningPhase(Protocol):
    """A phase on all workers.

    Attributes:
        stopped: A step said `stop: phase`.
        lead_ns: How long before its begin it must be told to run.
        shortage: Why loads can't be sent as the plan has them; empty when they can.
    """

    stopped: bool
    lead_ns: int

    @property
    def shortage(self) -> str: ...

    async def run(self, load: RunnableLoad, begin_ns: int) -> None:
        """Run a load that begins then (clock time) until the last user has gone."""

    def change(self, load: LoadModel, begin_ns: int) -> None:
        """Go on with another load of the same model from then on (clock time)."""


class WorkerPool(Protocol):
    """The workers of a run, as one.

    Attributes:
        overflowed: Whether a request name found no room.
        crowded: What had more words than it may.
        sampling_stopped: Why raw samples are written no more; empty while they are.
        lead_ns: As in a phase.
        watches: Run as long as the load does.
        size: How many workers there are.
        links: What is known of each of several.
        start_spread_ns: How far apart they were, at most, when they began a phase.
        apart: The hosts that were further apart then than their clocks explain; None if none was.
    """

    @property
    def overflowed(self) -> bool: ...
    @property
    def crowded(self) -> tuple[Crowded, ...]: ...
    @property
    def sampling_stopped(self) -> str: ...
    @property
    def lead_ns(self) -> int: ...
    @property
    def watches(self) -> Sequence[Callable[[], Coroutine[Any, Any, None]]]: ...
    @property
    def size(self) -> int: ...
    @property
    def links(self) -> Sequence[WorkerState]: ...
    @property
    def start_spread_ns(self) -> int: ...
    @property
    def apart(self) -> BeginsApart | None: ...

    def standings(self) -> Sequence[WorkerStanding]:
        """Return how each of several is."""

    def open_phase(self, phase: PhaseNode, timeline: Timeline) -> RunningPhase:
        """Make a phase ready to run."""

    def drain(self) -> Drained:
        """Return what is new of all workers."""

    async def catch_up(self) -> None:
        """Return when what all of them did until now is here, or one of them is late with it."""

    async def second_is_in(self, second: int) -> None:
        """Return when what all of them did until then is here, or one of them is late with it."""
