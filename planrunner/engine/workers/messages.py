"""What coordinator and workers say to each other; values that pickle, at most a few a second.

What users share goes the same way, as often as they use it: see `engine.sharing.messages`.

```
coordinator                                          worker
  Assignment: which worker you are, and the plan  →
                                                  ←    Ready: I have compiled this plan
  Start: the run begins; time counts from here    →
                                                  ←    WorkerSecond: what happened, once a second
  Begin: run your part of this phase from then on →
                                                  ←    Ended: its last user has gone
  Look: say now what happened                     →
                                                  ←    WorkerSecond: what happened, out of turn
  Halt, EndPhase: the run, or the phase, ends now →
  Steer: the phase has another load from then on  →
  Shift: your clock differs by so much from mine  →
                                                  ←    Asked, SaidStop: please end it
  Quit                                            →
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from planrunner.engine.stop import Among, Ending, StopLevel
from planrunner.engine.workers.local import Drained
from planrunner.engine.workers.traffic import Traffic
from planrunner.graph.loads import LoadModel, RunnableLoad
from planrunner.graph.run_graph import RunGraph
from planrunner.language.hashes import blake2b
from planrunner.metrics.book import Crowded
from planrunner.results.files.samples import SampleFile
from planrunner.schedule.partition import WorkerShare
from planrunner.values import dataclass

__all__ = [
    "Asked",
    "Assignment",
    "Begin",
    "Broken",
    "EndPhase",
    "Ended",
    "Halt",
    "Look",
    "Quit",
    "Ready",
    "SaidStop",
    "Shift",
    "Start",
    "Steer",
    "StillHere",
    "WorkerSecond",
    "fingerprint",
]


@dataclass(frozen=True, slots=True)
class Assignment:
    """The first message.

    Attributes:
        names: What users see as `run`.
        source: What the worker makes its own graph from; opaque to the engine.
        clock_offset_ns: The coordinator's time, less that of the worker's host; None where both
            have the same clock.
        lease_s: How long the worker goes on without a word from the coordinator, of which there is
            at least one `StillHere` a second; 0 for as long as their connection lasts.
    """

    share: WorkerShare
    names: Mapping[str, object]
    source: Any = field(repr=False)
    clock_offset_ns: int | None = None
    lease_s: int = 0


@dataclass(frozen=True, slots=True)
class Start:
    """The run begins.

    Attributes:
        started_ns: From which moment everybody counts (clock time).
        samples: Where raw samples go; None keeps none.
    """

    started_ns: int
    samples: SampleFile | None


@dataclass(frozen=True, slots=True)
class Begin:
    """Run a phase, or the next level of a search.

    Attributes:
        begin_ns: The instant at which all workers begin (clock time).
        names: What `setup` set for every user.
        level: What the level is called, and its load; empty and None but for a search.
        given: What the worker's own pools get to begin with.
        scope: Names that the users of this phase start with beside those of all.
    """

    phase: str
    begin_ns: int
    names: Mapping[str, object]
    level: str = ""
    load: RunnableLoad | None = None
    given: Mapping[str, list[object]] = field(default_factory=dict)
    scope: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Look:
    """Say what happened until now, and not only when the second is over."""

    number: int


@dataclass(frozen=True, slots=True)
class EndPhase:
    """Begin the graceful stop of a phase: a step of some worker said so."""

    phase: str


@dataclass(frozen=True, slots=True)
class Steer:
    """Go on with another load in a phase from then on (clock time): somebody changed it."""

    phase: str
    begin_ns: int
    load: LoadModel


@dataclass(frozen=True, slots=True)
class Shift:
    """Follow the coordinator's time, which has been compared anew with that of the worker's host.

    For workers that were given an offset in their `Assignment`.
    """

    offset_ns: int


@dataclass(frozen=True, slots=True)
class StillHere:
    """Nothing but a word: who carries it may hang without being gone."""


@dataclass(frozen=True, slots=True)
class Halt:
    """The run ends early."""

    level: StopLevel
    reason: str
    ending: Ending


@dataclass(frozen=True, slots=True)
class Quit:
    """There is nothing more to do."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The plan is compiled."""

    fingerprint: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The worker can't go on.

    Attributes:
        words: Why.
        hint: What to do about it.
        is_asked: The plan asks for something that cannot be: no fault of this worker.
    """

    words: str
    hint: str = ""
    is_asked: bool = False


@dataclass(frozen=True, slots=True)
class WorkerSecond:
    """What happened since the last one.

    Attributes:
        number: Of the second that is complete now, from 1; 0 at the end of a phase, and when asked.
        look: The number of the `Look` that this answers; else 0.
        ends_ns: When the load of each phase ends or has ended: earlier than planned if cut.
        counts_ns: When each phase that begins with iterations of warm-up came to the first other.
        rows: How many raw samples are in the worker's file: those of all that it has reported.
        began_ns: When the worker's first load really began; 0 before that.
    """

    number: int
    drained: Drained
    ends_ns: Mapping[str, int]
    counts_ns: Mapping[str, int] = field(default_factory=dict)
    look: int = 0
    rows: int = 0
    traffic: Traffic = Traffic()
    began_ns: int = 0
    overflowed: bool = False
    crowded: tuple[Crowded, ...] = ()
    sampling_stopped: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """The worker's last user of a phase has gone; everything about it has been sent.

    Attributes:
        began_ns: When the load really began.
    """

    phase: str
    began_ns: int


@dataclass(frozen=True, slots=True)
class SaidStop:
    """A step said `stop: phase`."""

    phase: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Something in the worker asks for the end of the run."""

    reason: str
    ending: Ending
    among: Among | None


def fingerprint(graph: RunGraph) -> str:
    """Return what is the same wherever the same plan was compiled for the same run."""
    phases = [(phase.name, phase.classes, repr(phase.load)) for phase in graph.phases]
    words = repr((graph.plan_hash, graph.seed, graph.profile, phases))
    return blake2b(words.encode(), digest_size=16).hexdigest()
