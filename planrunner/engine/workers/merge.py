"""What several workers sent, as if one had: every sum is exact, the health is the worst one's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce

from planrunner.engine.recording.counters import Counters
from planrunner.engine.recording.generator_health import Health
from planrunner.engine.steps.step_services import MOST_LINES, LogSink
from planrunner.engine.workers.local import Drained
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.limited_words import LimitedWords
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import Snapshot
from planrunner.timing.run_queue import Waits

__all__ = ["health_of", "limited", "merge_drained"]

WorkerDrains = tuple[Sequence[Drained], Mapping[str, int]]
"""What a worker sent since the last time, and how many users of each class it has now."""


def merge_drained(
    home: Drained, workers: Sequence[WorkerDrains], *, counters: Counters, start_ns: int
) -> Drained:
    """Return all as one.

    Args:
        home: Of the coordinator's own process, in which there is no load.
        workers: Of each worker.
        counters: The totals of all workers.
        start_ns: Where the last merged interval ended.
    """
    sent = [part for parts, _ in workers for part in parts]
    both = Counters()
    both.add(home.counters)
    both.add(counters)
    lateness: dict[str, Histogram] = {}
    for part in sent:
        for phase, histogram in part.lateness.items():
            lateness.setdefault(phase, Histogram()).merge(histogram)
    return Drained(
        _snapshot(home, workers, start_ns),
        both,
        _worst([health_of(parts) for parts, _ in workers if parts]) if sent else home.health,
        _lines([home.log, *(part.log for part in sent)]),
        tuple(
            sorted(
                (counts for part in sent for counts in part.arrivals),
                key=lambda counts: counts.at_ns,
            )
        ),
        lateness,
        (*home.failing, *(sample for part in sent for sample in part.failing)),
    )


def limited(drained: Drained, names: LimitedWords) -> Drained:
    """Return what a worker sent with no more names of a template than the run keeps.

    Each worker keeps as many; of these, the first that come here stay.
    """
    if not any(labels.template for labels in drained.snapshot.deltas):
        return drained

    def rename(labels: Labels) -> Labels:
        if labels.template in ("", labels.request):
            return labels
        name = names.admit(labels.template, labels.request)
        return labels if name == labels.request else replace(labels, request=name)

    return replace(drained, snapshot=drained.snapshot.relabelled(rename))


def _snapshot(home: Drained, workers: Sequence[WorkerDrains], start_ns: int) -> Snapshot:
    sent = [part.snapshot for parts, _ in workers for part in parts]
    # The coordinator looks a moment later than workers do; nothing is known of that moment.
    end_ns = max((snapshot.end_ns for snapshot in sent), default=home.snapshot.end_ns)
    merged = home.snapshot.merge(*sent)
    users: dict[str, int] = {}
    for _, alive in workers:
        for name, number in alive.items():
            users[name] = users.get(name, 0) + number
    return Snapshot(start_ns, max(end_ns, start_ns), users, merged.deltas)


def health_of(parts: Sequence[Drained]) -> Health:
    """Return one health over several intervals, one after the other."""
    lengths = [max(part.snapshot.end_ns - part.snapshot.start_ns, 1) for part in parts]
    busy = sum(part.health.cpu_share * length for part, length in zip(parts, lengths, strict=True))
    healths = [part.health for part in parts]
    return Health(
        max(health.loop_lag_ns for health in healths),
        busy / sum(lengths),
        sum(health.collections for health in healths),
        max(health.collection_ns for health in healths),
        max(health.open_files for health in healths),
        _all_waits(healths),
    )


def _all_waits(healths: Sequence[Health]) -> Waits | None:
    waits = [health.waits for health in healths if health.waits is not None]
    return reduce(Waits.plus, waits) if waits else None


def _worst(healths: Sequence[Health]) -> Health:
    return Health(
        max(health.loop_lag_ns for health in healths),
        max(health.cpu_share for health in healths),
        sum(health.collections for health in healths),
        max(health.collection_ns for health in healths),
        max(health.open_files for health in healths),
        max(
            (health.waits for health in healths if health.waits is not None),
            key=lambda waits: waits.waited_ns or 0,
            default=None,
        ),
    )


def _lines(sinks: Sequence[LogSink]) -> LogSink:
    lines = [line for sink in sinks for line in sink.lines]
    suppressed = sum(sink.suppressed for sink in sinks) + max(len(lines) - MOST_LINES, 0)
    return LogSink(tuple(lines[:MOST_LINES]), suppressed)
