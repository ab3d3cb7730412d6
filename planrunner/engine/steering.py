"""How the load of a running phase is changed by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from planrunner.clock import Clock
from planrunner.engine.scheduling.timeline import Timeline
from planrunner.errors import Misuse, UsageError
from planrunner.graph.loads import LoadModel, SetLevel
from planrunner.graph.run_graph import PhaseNode
from planrunner.schedule.population import Share
from planrunner.units import format_count, write_rate
from planrunner.values import dataclass

__all__ = ["ChangedLoad", "Steerable", "Steering", "level_words"]


class Steerable(Protocol):
    """A phase on all workers.

    Attributes:
        lead_ns: How long before it begins they must be told of another load.
    """

    lead_ns: int

    def change(self, load: LoadModel, begin_ns: int) -> None:
        """Go on with another load from then on (clock time)."""


@dataclass(frozen=True, slots=True)
class ChangedLoad:
    """Somebody changed the load of a phase.

    Attributes:
        at_ns: From when it was another one (clock time).
        before: Users, or arrivals per time, until then.
    """

    phase: str
    at_ns: int
    before: SetLevel
    after: SetLevel

    def __str__(self) -> str:
        return f"`{self.phase}` from {level_words(self.before)} to {level_words(self.after)}"


class Steering:
    """The one place where anyone may change the load of a run.

    Call it in the event loop of the run. A phase that was changed goes on so to its planned end; no
    iteration that begins after the change is a result.

    Attributes:
        changes: Those so far.
    """

    def __init__(self) -> None:
        self.changes: list[ChangedLoad] = []
        self._open: dict[str, _Steered] = {}
        self._listeners: list[Callable[[ChangedLoad], None]] = []

    def listen(self, listener: Callable[[ChangedLoad], None]) -> None:
        """Call `listener` for each change that is told from now on; it returns at once."""
        self._listeners.append(listener)

    @contextmanager
    def running(
        self,
        phase: PhaseNode,
        shares: Sequence[Share],
        timeline: Timeline,
        on: Steerable,
        clock: Clock,
    ) -> Iterator[None]:
        """Take changes of a phase while this lasts."""
        self._open[phase.name] = _Steered(phase, shares, timeline, on, clock)
        try:
            yield
        finally:
            del self._open[phase.name]

    def level(self, phase: str) -> SetLevel | None:
        """Return the users or arrivals that a phase is to have now; None where nobody sets them.

        Raises:
            UsageError: It doesn't run.
        """
        return self._steered(phase).level()

    def change(self, phase: str, level: SetLevel) -> ChangedLoad:
        """Have so many users, or so many arrivals, from now to the end of a phase.

        Raises:
            UsageError: It doesn't run, or can't have that.
        """
        return self._told(self._steered(phase).change(level))

    def pause(self, phase: str) -> ChangedLoad:
        """Let nobody begin anything in a phase; what has begun is finished.

        Raises:
            UsageError: It doesn't run, is paused, or has a load that nobody sets.
        """
        steered = self._steered(phase)
        if steered.paused_at is not None:
            raise UsageError(f"phase `{phase}` is paused already")
        return self._told(steered.change(None))

    def resume(self, phase: str) -> ChangedLoad:
        """Go on with what a phase had before its pause.

        Raises:
            UsageError: It doesn't run, or isn't paused.
        """
        steered = self._steered(phase)
        if steered.paused_at is None:
            raise UsageError(f"phase `{phase}` is not paused")
        return self._told(steered.change(steered.paused_at))

    def _steered(self, phase: str) -> _Steered:
        if phase not in self._open:
            running = ", ".join(f"`{name}`" for name in self._open) or "none"
            raise UsageError(f"phase `{phase}` doesn't run", hint=f"these run: {running}")
        return self._open[phase]

    def _told(self, changed: ChangedLoad) -> ChangedLoad:
        self.changes.append(changed)
        for listener in self._listeners:
            listener(changed)
        return changed


class _Steered:
    """One phase that runs.

    Attributes:
        paused_at: The level that it had before the one at which nothing begins; None at others.
    """

    def __init__(
        self,
        phase: PhaseNode,
        shares: Sequence[Share],
        timeline: Timeline,
        on: Steerable,
        clock: Clock,
    ) -> None:
        self._name = phase.name
        self._shares = shares
        self._timeline = timeline
        self._on = on
        self._clock = clock
        self._load: LoadModel = phase.load
        self._begin_ns = timeline.started_ns
        self.paused_at: SetLevel | None = None

    def level(self) -> SetLevel | None:
        return self._load.level_at(self._clock.now_ns() - self._begin_ns)

    def change(self, level: SetLevel | None) -> ChangedLoad:
        """Change to a level; None for that at which nothing begins."""
        # What is due at this very moment may have happened already.
        load, begin_ns = self._load, self._clock.now_ns() + max(self._on.lead_ns, 1)
        before = load.level_at(begin_ns - self._begin_ns)
        if before is None:
            raise UsageError(
                f"the load of phase `{self._name}` can't be changed by hand: it is a {load.kind} "
                "one, which sets it itself"
            )
        left_ns = self._timeline.ends_ns - begin_ns
        if left_ns <= 0:
            raise UsageError(f"phase `{self._name}` is ending")
        after = load.nobody if level is None else level
        changed = load.at_level(after, left_ns)
        try:
            changed.class_of_seats(self._shares)
        except Misuse as error:  # each class has a count of its own
            raise UsageError(f"phase `{self._name}` can't have that: {error}") from error
        self._on.change(changed, begin_ns)
        self._load, self._begin_ns = changed, begin_ns
        if after != load.nobody:
            self.paused_at = None
        elif self.paused_at is None:
            self.paused_at = before
        return ChangedLoad(self._name, begin_ns, before, after)


def level_words(level: SetLevel) -> str:
    return format_count(level, "user") if isinstance(level, int) else write_rate(level)
