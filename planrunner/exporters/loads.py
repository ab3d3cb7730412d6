"""How many users of each class a phase has, and when: the split is the engine's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from planrunner.exporters.contract import ExportRequest
from planrunner.graph.run_graph import ClosedLoad, CountedLoad, OpenLoad, PhaseNode, RunGraph
from planrunner.loss.ledger import Fate
from planrunner.loss.source_nodes import SourceEntry, SourceNode
from planrunner.schedule.population import Stage
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = [
    "LoadLoss",
    "class_rates",
    "class_stages",
    "judge_loads",
    "lost_around",
    "never_ramps",
    "plateaus",
    "starts_ns",
    "users_of_class",
]


@dataclass(frozen=True, slots=True)
class LoadLoss:
    """What a tool does not do as a phase says it.

    Attributes:
        words: How the meaning changed, or why nothing of the phase is there.
        keys: Of the phase that say it; the first that stands in the plan is judged.
        fate: Of the key.
    """

    words: str
    keys: tuple[str, ...] = ()
    fate: Fate = Fate.CHANGED


def judge_loads(request: ExportRequest, losses: Callable[[PhaseNode], Iterable[LoadLoss]]) -> None:
    """Judge the keys that say the loads of the phases; thresholds of a phase are left for later."""
    for section in ("stages", "phases", "profiles"):
        found = request.tree.root.entry(section)
        if found is not None:
            found.construct.translated()
            for one in found.node.below():
                if one.key != "thresholds":
                    one.construct.translated()
            _judge_phases(found, [(phase, [*losses(phase)]) for phase in request.phases])


def _judge_phases(
    section: SourceEntry, found: Sequence[tuple[PhaseNode, Sequence[LoadLoss]]]
) -> None:
    said: dict[Fate, list[str]] = {}
    for phase, losses in found:
        node = _phase_node(section.node, phase)
        for loss in losses:
            words = f"phase `{phase.name}`: {loss.words}"
            if node is None or not _judge_key(node, loss, words):
                said.setdefault(loss.fate, []).append(words)
    for fate, sentences in said.items():
        section.construct.judge(fate, "; ".join(sentences))


def _judge_key(node: SourceNode, loss: LoadLoss, words: str) -> bool:
    """Judge the key of a phase that says what is lost; False when none does."""
    key = next(filter(None, map(node.entry, loss.keys)), None)
    if key is not None:
        key.construct.judge(loss.fate, words)
    return key is not None


def never_ramps(tool: str, phase: PhaseNode) -> Iterator[LoadLoss]:
    """Yield what tools lose that have a fixed number of users and nothing else."""
    load = phase.load
    before = 0
    for stage in load.stages if isinstance(load, ClosedLoad) else load.population:
        if stage.duration_ns and stage.level != before:
            keys = ("ramp_up", "spawn_rate", "stages")
            yield LoadLoss(f"{tool} has no ramps, only what holds is here", keys)
            break
        before = stage.level
    if phase.start_at_ns is not None:
        yield LoadLoss("phases run one after the other", ("start_at",))
    yield from lost_around(phase)


def lost_around(phase: PhaseNode) -> Iterator[LoadLoss]:
    """Yield what hardly any tool has of what stands around a load."""
    if getattr(phase.load, "throttle", None) is not None:
        yield LoadLoss("nothing caps the rate of requests", ("throttle",))
    if phase.warmup_ns or phase.warmup_iterations:
        yield LoadLoss("the warm-up counts in the figures", ("warmup",))
    if phase.programs:
        yield LoadLoss(
            "its own params and selection are not kept", ("params", "only", "skip", "matrix")
        )


def _phase_node(section: SourceNode, phase: PhaseNode) -> SourceNode | None:
    """Return the keys of a phase; None where it has no name to be found by."""
    listed = section.items or [
        one for entry in section.entries or () for one in entry.node.items or ()
    ]
    if len(listed) == 1:
        return listed[0]
    wanted = phase.matrix or phase.name
    return next(
        (one for one in listed if (name := one.get("name")) is not None and name.text() == wanted),
        None,
    )


def plateaus(phase: PhaseNode) -> Sequence[tuple[int, int]]:
    """Return how many users there are for how many ns, where their number stays the same.

    A phase that only ramps has its most users for all of its time.
    """
    load = phase.load
    if isinstance(load, CountedLoad):
        return [(load.users, load.planned_ns)]
    if not isinstance(load, ClosedLoad):
        return []
    before, found = 0, list[tuple[int, int]]()
    for stage in load.stages:
        if stage.level == before and stage.level and stage.duration_ns:
            found.append((stage.level, stage.duration_ns))
        before = stage.level
    return found or [(load.most_users, load.planned_ns)]


def users_of_class(graph: RunGraph, phase: PhaseNode, level: int) -> Mapping[str, int]:
    """Return how many users each class has when there are so many in all."""
    return Counter(phase.class_of_seats(graph.programs_of(phase))[:level])


def class_stages(graph: RunGraph, phase: PhaseNode) -> Mapping[str, Sequence[Stage]]:
    """Return the stages of each class of a phase that has users."""
    load = phase.load
    assert isinstance(load, ClosedLoad | CountedLoad)
    found: dict[str, list[Stage]] = {name: [] for name in phase.classes}
    for stage in load.population:
        users = users_of_class(graph, phase, stage.level)
        for name, stages in found.items():
            stages.append(Stage(stage.name, stage.duration_ns, users.get(name, 0)))
    return {name: stages for name, stages in found.items() if any(one.level for one in stages)}


def class_rates(graph: RunGraph, phase: PhaseNode) -> Mapping[str, Sequence[tuple[int, Fraction]]]:
    """Return the stages of each class of a phase with arrivals: ns, and arrivals a second."""
    load = phase.load
    assert isinstance(load, OpenLoad)
    if load.exact:
        lasting = sum(stage.duration_ns for stage in load.stages)
        return {
            name: [
                (0, _per_second(rate.count, rate.per_ns)),
                (lasting, _per_second(rate.count, rate.per_ns)),
            ]
            for name, rate in load.exact
            if rate.count
        }
    programs = graph.programs_of(phase)
    whole = sum(program.weight for program in programs)
    return {
        program.name: [
            (
                stage.duration_ns,
                _per_second(stage.rate.count, stage.rate.per_ns) * Fraction(program.weight, whole),
            )
            for stage in load.stages
        ]
        for program in programs
    }


def starts_ns(phases: Sequence[PhaseNode]) -> Sequence[int]:
    """Return when each phase begins, if none takes longer than planned."""
    found, at_ns = [], 0
    for phase in phases:
        found.append(at_ns if phase.start_at_ns is None else phase.start_at_ns)
        if phase.start_at_ns is None:
            at_ns += phase.load.planned_ns
    return found


def _per_second(count: int, per_ns: int) -> Fraction:
    return Fraction(count * NS_PER_S, per_ns)
