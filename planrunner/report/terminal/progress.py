"""How far a run is, and what shows it; no terminal is needed to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from types import TracebackType
from typing import Protocol, Self

from planrunner.values import dataclass

__all__ = ["Progress", "ProgressView", "RequestProgress", "SilentView", "Thresholds"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How the thresholds stand.

    Attributes:
        broken: Each with what was observed, those that only warn behind the others.
        is_serious: One of them is more than a warning.
        warnings: How many of them are no more than that.
        waiting: Have no data yet.
    """

    holding: int = 0
    broken: tuple[str, ...] = ()
    is_serious: bool = False
    warnings: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class RequestProgress:
    """One request so far, and in the last second.

    Attributes:
        p95_ns: Of the last second, 0 without samples.
    """

    name: str
    total: int
    failed: int
    requests_per_second: int
    p95_ns: int


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a run after one of its seconds.

    Attributes:
        planned_s: How long the phases take without their graceful stops; 0 where nobody knows.
        requests_per_second: Finished in the last second.
        p50_ns: Of the last second, 0 without samples; likewise p95_ns and p99_ns.
        total: Requests finished so far, warm-up included.
        failed: Of those, without an acceptable reply.
        ending: Why the run is stopping, empty while it goes on.
        thresholds: Looks at them; for views that show them, as it takes its time.
        requests: Each of them, those that failed most first, then the most frequent.
        classes: Users of each class.
        failures: What requests failed by so far: a status, or a failure kind.
        expected: What broke of the replies that failed by an expectation.
        workers: Says how several of them are, and whether one is gone or silent; empty for one.
        rates: Requests of each of the last seconds, the latest last; likewise p95s_ns.
    """

    second: int
    planned_s: float
    phase: str
    users: int
    requests_per_second: int
    p50_ns: int
    p95_ns: int
    p99_ns: int
    total: int
    failed: int
    ending: str = ""
    thresholds: Callable[[], Thresholds] = Thresholds
    requests: tuple[RequestProgress, ...] = ()
    classes: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    expected: Mapping[str, int] = field(default_factory=dict)
    workers: Callable[[], tuple[str, bool]] = lambda: ("", False)
    rates: tuple[int, ...] = ()
    p95s_ns: tuple[int, ...] = ()


class ProgressView(Protocol):
    """Shows progress between entering and leaving its block."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def show(self, progress: Progress) -> None: ...

    def say(self, line: str) -> None:
        """Print a line of the plan's own above what is shown."""


class SilentView:
    """Shows nothing (`--quiet`)."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def show(self, progress: Progress) -> None:
        pass

    def say(self, line: str) -> None:
        pass
