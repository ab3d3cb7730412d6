"""Whether the numbers of a run can be trusted, in words: what is wrong and what to do about it.

Pure. Reasons that make a run `invalid`: the generator could not do what the plan asks for, so the
numbers describe another load. `biased`: they are about the right load, but something is in them
that is not the target's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from itertools import groupby
from typing import Final

from planrunner.engine.recording.counters import Counters
from planrunner.engine.recording.generator_health import HealthLog
from planrunner.engine.recording.stalls import Stall
from planrunner.engine.recording.starvation import Starvation
from planrunner.engine.steering import ChangedLoad, level_words
from planrunner.engine.workers.presence.begins import BeginsApart
from planrunner.engine.workers.worker_state import KNOWN_WITHIN_NS, WorkerStanding
from planrunner.graph.loads import BY_HAND
from planrunner.graph.run_graph import PhaseNode, RequestNode, RunGraph, walk_steps
from planrunner.metrics.task_mix import chance_error
from planrunner.protocols import registry
from planrunner.results.aggregate import TaskCount, mix_errors
from planrunner.results.loads import GENERATOR, GeneratorFacts, PhaseLoad, Sustainable
from planrunner.results.record.hosts import HostFigures, MissingLoad, workers_of_hosts
from planrunner.units import NS_PER_MS, NS_PER_S, format_count, format_duration
from planrunner.values import dataclass

__all__ = [
    "Doubts",
    "doubts_of_clients",
    "doubts_of_clocks",
    "doubts_of_generator",
    "doubts_of_hands",
    "doubts_of_health",
    "doubts_of_loads",
    "doubts_of_mix",
    "doubts_of_searches",
    "doubts_of_starvation",
    "doubts_of_workers",
    "losses_so_far",
    "phases_apart",
    "phases_of_own_work",
    "stall_notices",
]

INVALID_SHARE: Final = 0.05
"""Of arrivals dropped or iterations that a pace missed: the load is not the one asked for."""

BIASED_SHARE: Final = 0.001
"""Of arrivals dropped: fewer than one in a thousand move no percentile that people look at."""

LATE_SHARE: Final = 0.01
"""Of arrivals late: then the 99th percentile of latency has the generator's lateness in it."""

QUEUED_SHARE: Final = 0.05
"""Of latencies spent in the client before a request left; what comes after that isn't seen."""

_MOST_PHASES: Final = 4
"""Named in a reason."""

_LONG_COLLECTION_NS: Final = 50 * NS_PER_MS
_FULL_SHARE: Final = 0.9  # of the open files that the process may have
_OWN_PROCESSES: Final = (
    "; where that is what the plan itself runs (`exec`, `isolate: process`), use fewer of those "
    "users, or leave a processor free"
)
_CHANCES: Final = 5  # mean deviations, 4 sigma: of two tasks, 1 run in 15,000 is further off
_MOST_MIX_ERROR: Final = 5.0  # percent; less is what small differences in speed make of any mix


@dataclass(slots=True)
class Doubts:
    """Reasons, each a sentence."""

    invalid: list[str] = field(default_factory=list)
    biased: list[str] = field(default_factory=list)

    def add(self, reason: str, *, is_invalid: bool) -> None:
        (self.invalid if is_invalid else self.biased).append(reason)


def doubts_of_workers(doubts: Doubts, hosts: Iterable[HostFigures]) -> None:
    """Name the workers that were gone before the end: from then on, their share was missing."""
    for _, worker in workers_of_hosts(hosts):
        if worker.lost_ns is not None:
            doubts.add(
                f"{worker.name} {worker.lost}; its share of the load was missing from "
                f"{worker.lost_ns / NS_PER_S:.1f} s on{_missing(worker.missing)}, and what it did "
                "after its last report is in no number",
                is_invalid=not worker.tolerated,
            )


def losses_so_far(standings: Iterable[WorkerStanding]) -> Iterator[str]:
    """Say while the run goes on which workers it goes on without."""
    for one in standings:
        if one.fate:
            yield f"{one.name} {one.fate}; its share of the load is missing"


def _missing(missing: Sequence[MissingLoad]) -> str:
    """Return how much it was, phase by phase."""
    if not missing:
        return ", when no load of its own was left"
    told = [
        f"phase `{phase}`: " + ", ".join(map(_share_words, of_phase))
        for phase, of_phase in groupby(missing, key=lambda one: one.phase)
    ]
    more = [f"{format_count(left, 'more phase')}"] if (left := len(told) - _MOST_PHASES) > 0 else []
    return f" ({'; '.join((*told[:_MOST_PHASES], *more))})"


def _share_words(one: MissingLoad) -> str:
    missing, whole = (f"{round(amount, 1):,.9g}" for amount in (one.missing, one.of))
    return f"{missing} of {whole} {one.unit} of `{one.user_class}`"


def doubts_of_clocks(
    doubts: Doubts, hosts: Iterable[HostFigures], apart: BeginsApart | None
) -> None:
    """Name the hosts of which it isn't known well enough when something happened there."""
    for host in hosts:
        if host.clock_error_ns > KNOWN_WITHIN_NS:
            doubts.add(
                f"the clock of host `{host.name}` is known to {_plus_minus(host)} only: phases "
                "began there that much earlier or later than elsewhere, and what happened counts "
                "in another second; use hosts that are nearer to the coordinator",
                is_invalid=False,
            )
    if apart is not None:
        doubts.add(
            f"hosts `{apart.first}` and `{apart.last}` began a phase "
            f"{format_duration(apart.spread_ns)} apart, more than the "
            f"{format_duration(apart.limit_ns)} that their clocks explain: one of them is busy; "
            "give it fewer workers than it has processors",
            is_invalid=False,
        )


def _plus_minus(host: HostFigures) -> str:
    return f"±{format_duration(host.clock_error_ns)}"


def doubts_of_loads(doubts: Doubts, loads: Iterable[PhaseLoad]) -> None:
    """Compare what was achieved with what was requested.

    Not of a search: there, levels that can't be achieved are what it looks for, and each is
    judged by itself.
    """
    for load in loads:
        if load.model != "search" and load.requested:
            if load.has_arrivals:
                _dropped(doubts, load)
            if load.is_paced:
                _late(doubts, load)


def doubts_of_hands(doubts: Doubts, changes: Iterable[ChangedLoad], *, started_ns: int) -> None:
    """Name the phases whose load somebody changed while they ran."""
    for phase, of_phase in groupby(sorted(changes, key=_phase_of), key=_phase_of):
        said = [
            f"from {level_words(one.before)} to {level_words(one.after)} at "
            f"{(one.at_ns - started_ns) / NS_PER_S:.1f} s"
            for one in of_phase
        ]
        doubts.add(
            f"changed by hand: the load of phase `{phase}` went {', '.join(said)}; requests from "
            f"then on have the stage `{BY_HAND}`, and are in no figure that is judged",
            is_invalid=False,
        )


def _phase_of(changed: ChangedLoad) -> str:
    return changed.phase


def doubts_of_searches(doubts: Doubts, searches: Iterable[Sustainable]) -> None:
    """Name the searches that the generator could take no further."""
    for search in searches:
        if search.broken_by == GENERATOR:
            result = "is a lower limit" if search.is_found else "has no result"
            doubts.add(
                f"the search of phase `{search.phase}` {result} for the target: {search.text}; "
                "share the load among `--workers`, or free the generator's host",
                is_invalid=not search.is_found,
            )


def _dropped(doubts: Doubts, load: PhaseLoad) -> None:
    share = load.dropped / load.requested
    if share > BIASED_SHARE:
        doubts.add(
            f"phase `{load.phase}` dropped {load.dropped:,} of {load.requested:,} arrivals "
            f"({share:.1%}) because all users were busy: the load was not reached, and the "
            "slowest requests were never sent; raise `max_users`, or lower the rate",
            is_invalid=share >= INVALID_SHARE,
        )


def _late(doubts: Doubts, load: PhaseLoad) -> None:
    share = load.late / load.requested
    if share <= LATE_SHARE:
        return
    if load.has_arrivals:
        reason = (
            f"{load.late:,} of {load.requested:,} arrivals of phase `{load.phase}` started over "
            f"5 ms late (p99 {format_duration(load.lateness_p99_ns)}), so latencies include the "
            "generator's own delay; lower the rate, or free its host"
        )
        doubts.add(reason, is_invalid=share > 10 * LATE_SHARE)
        return
    reason = (
        f"{load.late:,} of {load.requested:,} iterations of phase `{load.phase}` started later "
        f"than their pace says because earlier ones took longer, and {load.achieved:,} began; "
        "latencies include the delay, but the load was lower than planned: use more users, or a "
        "longer `pace`"
    )
    doubts.add(reason, is_invalid=load.share <= 1 - INVALID_SHARE)


def doubts_of_generator(doubts: Doubts, facts: GeneratorFacts) -> None:
    """Look at what else the generator's process was short of."""
    limit = facts.open_files_limit
    if limit and facts.open_files > limit * _FULL_SHARE:
        doubts.add(
            f"the generator had {facts.open_files:,} of {limit:,} open files; "
            f"raise the limit (`ulimit -n {2 * limit}`)",
            is_invalid=False,
        )


def doubts_of_health(doubts: Doubts, health: HealthLog, counters: Counters) -> None:
    """Look at whether the generator kept up, and at what held it up."""
    if health.counted_collection_ns > _LONG_COLLECTION_NS:
        longest = format_duration(health.counted_collection_ns)
        doubts.add(
            f"a garbage collection stopped the generator for {longest}; keep less in variables, or "
            "run fewer users",
            is_invalid=False,
        )
    reasons = health.reasons()
    for reason in reasons:
        doubts.add(reason, is_invalid=health.was_saturated)
    for name, took_ns in counters.blocked_ns.most_common(1 if reasons else 0):
        longest = format_duration(counters.longest_block_ns[name])
        doubts.add(
            f"the function `{name}` blocked everything else for up to {longest} at a time, "
            f"{format_duration(took_ns)} in all; make it `async` and await what it waits for, or "
            "make it do less",
            is_invalid=health.was_saturated,
        )


def doubts_of_starvation(doubts: Doubts, starvation: Starvation, graph: RunGraph) -> None:
    """Look at whether the generator got its processor when replies arrived."""
    if found := starvation.doubt():
        reason, is_invalid = found
        doubts.add(
            f"{reason}{_OWN_PROCESSES}" if _starts_processes(graph) else reason,
            is_invalid=is_invalid,
        )


def doubts_of_clients(doubts: Doubts, counters: Counters) -> None:
    """Look at what clients know of themselves that is in the numbers."""
    for protocol, number in counters.surplus_replies.items():
        if number:
            doubts.add(
                "replies that no request had asked for came on "
                f"{format_count(number, f'{protocol} connection')}; these were closed, but replies "
                "before may have been counted for other requests than theirs; look for what "
                "answers twice",
                is_invalid=False,
            )
    for protocol, queued_ns in counters.queued_ns.items():
        share = queued_ns / max(counters.queued_latency_ns[protocol], 1)
        if share > QUEUED_SHARE:
            doubts.add(
                f"{protocol} requests spent {share:.0%} of their latency waiting in their own "
                "client before they left, and as long again may have passed when replies came; use "
                "fewer users, more `--workers`, or a faster client",
                is_invalid=False,
            )


def doubts_of_mix(doubts: Doubts, counts: Sequence[TaskCount]) -> None:
    """Hold the achieved task mix against what was open of the declared one.

    Picks that `needs` refused are what the plan says, so they make no doubt.
    """
    for user, error in mix_errors(counts).items():
        chance = _CHANCES * chance_error([count.picks for count in counts if count.user == user])
        if error > max(_MOST_MIX_ERROR, chance):
            doubts.add(
                f"the tasks of `{user}` ran {error:.1f} % off their weights; look for tasks whose "
                "steps `stop` or fail early, and for users that end early",
                is_invalid=False,
            )


def stall_notices(
    loads: Iterable[PhaseLoad], stalls: Mapping[str, Stall], *, started_ns: int
) -> Iterator[str]:
    """Say what no figure of a closed model without a pace shows of a target that stalled."""
    for load in loads:
        stall = stalls.get(load.phase)
        if load.can_be_held_up and stall is not None:
            end_s = (stall.end_ns - started_ns) / NS_PER_S
            yield (
                f"the target stalled for {format_duration(stall.lasted_ns)} around second "
                f"{end_s:.0f}: phase `{load.phase}` is a closed model without `pace`, so its users "
                "waited too, and the queue that real users would form is not in the latencies"
            )


def _starts_processes(graph: RunGraph) -> bool:
    """Say whether users of the plan run anything in processes of its own."""
    return any(
        isinstance(step, RequestNode) and step.exchange.has_process
        for phase in graph.phases
        for program in graph.programs_of(phase)
        for task in program.tasks
        for step in walk_steps(task.steps)
    )


def phases_apart(graph: RunGraph) -> frozenset[str]:
    """Return the phases in which all that is measured takes its time in processes of its own.

    Their users may have every processor: a generator that waits for one only sees later what has
    been measured already.
    """
    return frozenset(
        phase.name
        for phase in graph.phases
        if {step.exchange.is_apart for step in _measured(graph, phase)} == {True}
    )


def phases_of_own_work(graph: RunGraph) -> frozenset[str]:
    """Return the phases in which nothing is measured but components, or what other tools send.

    They run here, and their time is taken where they run: a generator that is late meanwhile, or
    busy, is one that they keep busy, and adds nothing to what is measured.
    """
    return frozenset(
        phase.name
        for phase in graph.phases
        if phase.load.is_foreign
        or {registry.is_component(step.exchange.protocol) for step in _measured(graph, phase)}
        == {True}
    )


def _measured(graph: RunGraph, phase: PhaseNode) -> Iterator[RequestNode]:
    for program in graph.programs_of(phase):
        lists = (program.on_start, *(task.steps for task in program.tasks), program.on_stop)
        for step in walk_steps([step for steps in lists for step in steps]):
            if isinstance(step, RequestNode) and step.measured:
                yield step
