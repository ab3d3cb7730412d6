"""The contract of an output: whatever receives a run while it lasts.

Three methods make an output. What only some need is a capability: a protocol with one method more,
which an output has or has not.

All methods of an output are awaited in one task, one after the other, so what `start` opens may be
closed by `stop`. Other outputs and the load share the thread: await whatever takes time, and take
long lists in pieces (`outputs/slices.py`).

An output needs no buffer. While `add` waits, the seconds that follow wait in front of it, up to
64 MB for all outputs together; what comes then is dropped and counted (`outputs/fan_out.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from planrunner.engine.coordinator.events import (
    Insight,
    Logged,
    Noticed,
    PhaseEnded,
    PhaseStarted,
    RunStarted,
    Standing,
    Stopping,
)
from planrunner.engine.recording.generator_health import Health
from planrunner.engine.steering import ChangedLoad
from planrunner.metrics.snapshot import Snapshot
from planrunner.results.model import RunResult
from planrunner.values import dataclass

__all__ = [
    "Output",
    "RunEvent",
    "RunInfo",
    "Second",
    "WantedOutput",
    "WithEvents",
    "WithInsight",
    "WithLinger",
    "WithLosses",
    "WithResult",
    "WithSamples",
    "WithStandings",
]

RunEvent = RunStarted | PhaseStarted | PhaseEnded | ChangedLoad | Logged | Noticed | Stopping
"""What happens in a run between its seconds."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What is known of a run before its load begins.

    Attributes:
        plan: Its name.
        profile: Of the plan; empty without profiles.
        labels: What the caller calls this run, by name.
        directory: Where its files are.
        mask: Takes secrets out of what the plan says.
        locate: Returns where a file is that the plan names; raises CannotRun if the plan may write
            none there.
        samples: Where raw samples are written during the load; None where none are kept.
        tell: Takes a sentence for the user, before and after the load.
    """

    run_id: str
    plan: str
    profile: str
    seed: int
    labels: Mapping[str, str]
    directory: Path
    mask: Callable[[str], str] = str
    locate: Callable[[str], Path] = Path
    samples: Path | None = None
    tell: Callable[[str], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Second:
    """What one second of a run was; the snapshots of all of them add up to the result.

    Attributes:
        number: It ended `number` seconds after the start of the run.
        ended: When that was, in UTC.
        phases: Those that ran at its end.
        snapshot: What was new in it, by label set. All outputs share it: read, don't write.
        health: Of the generator; None for the last.
        is_last: The rest of the run after its last whole second.
    """

    number: int
    ended: datetime
    phases: tuple[str, ...]
    snapshot: Snapshot
    health: Health | None = None
    is_last: bool = False


class Output(Protocol):
    """Receives one run; a second run takes another output."""

    @property
    def name(self) -> str:
        """What notices call it."""

    async def start(self, run: RunInfo) -> None:
        """Get ready; the load begins afterwards.

        Raises:
            CannotRun: It can't be reached. A run that was asked for this output does not begin
                then. Whatever else is raised, here and below, is a fault of the output.
        """

    async def add(self, second: Second) -> None:
        """Take in one second. While this lasts others wait; when too many do, they are dropped."""

    async def stop(self) -> None:
        """Let go of everything; called once after `start`, even after a failure."""


@dataclass(frozen=True, slots=True)
class WantedOutput:
    """An output that the plan or the command line asks for.

    Attributes:
        is_optional: The run begins without it when it can't start.
        is_required: A run that it did not get all of is not as it was asked for.
    """

    output: Output
    is_optional: bool = False
    is_required: bool = False


@runtime_checkable
class WithEvents(Protocol):
    """An output that follows phases, `log` lines and requests to stop as well."""

    async def hear(self, event: RunEvent) -> None:
        """Take in what happened; events and seconds come in their order."""


@runtime_checkable
class WithStandings(Protocol):
    """An output that shows how thresholds stand."""

    def use_standings(self, standings: Callable[[], Sequence[Standing]]) -> None:
        """Keep what looks at them, before the start; call it whenever they are shown."""


@runtime_checkable
class WithInsight(Protocol):
    """An output that shows more of a run than its seconds say."""

    def use_insight(self, insight: Callable[[], Insight]) -> None:
        """Keep what returns it, before the start; what it gives is empty until the first second.

        Its `standings` take no more than 1 % of the time, as those of `WithStandings`.
        """


@runtime_checkable
class WithResult(Protocol):
    """An output that wants what came of the run."""

    async def take_result(self, result: RunResult) -> None:
        """Take in the result, after the last second; not called when there is none."""


@runtime_checkable
class WithSamples(Protocol):
    """An output that may want each sample and not only sums: it reads them where they are kept."""

    @property
    def wants_samples(self) -> bool:
        """Whether it does: then they are kept, even if no report is made of them."""


@runtime_checkable
class WithLinger(Protocol):
    """An output that is asked for the run, and may be asked once more after its end."""

    @property
    def linger_s(self) -> float:
        """How long the end of the run waits for that, at most; an interrupt ends it."""

    async def linger(self) -> None:
        """Return when it was asked, or won't be; called after the last second and the result."""


@runtime_checkable
class WithLosses(Protocol):
    """An output that takes seconds in before it passes them on, and knows what got lost."""

    @property
    def lost_seconds(self) -> int:
        """How many of the seconds given to `add` have not arrived, those on their way included."""

    @property
    def loss(self) -> str:
        """Why, in a few words; empty while nothing is lost."""
