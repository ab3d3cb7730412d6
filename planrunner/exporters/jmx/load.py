"""Loads of phases as thread groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil

from planrunner.exporters.contract import ExportRequest
from planrunner.exporters.jmx.elements import element, element_lines, prop
from planrunner.exporters.loads import (
    LoadLoss,
    class_rates,
    class_stages,
    lost_around,
    starts_ns,
)
from planrunner.graph.run_graph import ClosedLoad, CountedLoad, OpenLoad, PhaseNode
from planrunner.loss.ledger import Fate
from planrunner.schedule.arrivals import ArrivalKind
from planrunner.schedule.population import Stage
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["JmxGroup", "groups_of", "losses", "main_controller", "thread_group"]


@dataclass(frozen=True, slots=True)
class JmxGroup:
    """A thread group.

    Attributes:
        users: How many threads; 0 where a schedule says when iterations arrive.
        loops: Iterations of each thread; -1 for as many as its time allows.
    """

    of_class: str
    users: int = 0
    delay_ns: int = 0
    ramp_ns: int = 0
    lasting_ns: int = 0
    loops: int = -1
    schedule: str = ""


def groups_of(request: ExportRequest) -> Iterator[tuple[PhaseNode, JmxGroup]]:
    """Yield the thread groups of each phase."""
    for phase, start_ns in zip(request.phases, starts_ns(request.phases), strict=True):
        for group in _groups(request, phase, start_ns):
            yield phase, group


def _groups(request: ExportRequest, phase: PhaseNode, start_ns: int) -> Iterator[JmxGroup]:
    load = phase.load
    if isinstance(load, ClosedLoad):
        for name, stages in class_stages(request.graph, phase).items():
            yield from _layers(name, stages, start_ns)
    elif isinstance(load, CountedLoad):
        loops = load.per_user or ceil(Fraction(load.iterations, load.users))
        for name, stages in class_stages(request.graph, phase).items():
            users = stages[-1].level
            yield JmxGroup(name, users, start_ns, load.ramp_ns, load.max_duration_ns, loops)
    elif isinstance(load, OpenLoad):
        is_random = load.arrivals is ArrivalKind.POISSON
        for name, rates in class_rates(request.graph, phase).items():
            yield JmxGroup(name, schedule=_schedule(rates, start_ns, is_random=is_random))


def _layers(name: str, stages: Sequence[Stage], start_ns: int) -> Iterator[JmxGroup]:
    """Yield groups that add up to the stages: users who start together, and end together.

    Those who started last end first, in the middle of the stage in which their number falls.
    """
    layers: list[tuple[int, int, int]] = []
    now_ns, level = start_ns, 0
    for stage in stages:
        if stage.level > level:
            layers.append((stage.level - level, now_ns, stage.duration_ns))
        leaving, end_ns = level - stage.level, now_ns + stage.duration_ns // 2
        while leaving > 0:
            users, begin_ns, ramp_ns = layers.pop()
            gone = min(users, leaving)
            stay_ns = ramp_ns * (users - gone) // users
            if gone < users:
                layers.append((users - gone, begin_ns, stay_ns))
            first_ns = begin_ns + stay_ns
            yield JmxGroup(name, gone, first_ns, ramp_ns - stay_ns, end_ns - first_ns)
            leaving -= gone
        now_ns += stage.duration_ns
        level = stage.level
    for users, begin_ns, ramp_ns in layers:
        yield JmxGroup(name, users, begin_ns, ramp_ns, now_ns - begin_ns)


def _schedule(rates: Sequence[tuple[int, Fraction]], start_ns: int, *, is_random: bool) -> str:
    word = "random_arrivals" if is_random else "even_arrivals"
    words = [f"pause({_seconds(start_ns)} s)"] if start_ns else []
    words.append("rate(0/s)")
    for lasting_ns, rate in rates:
        if lasting_ns:
            words.append(f"{word}({_seconds(lasting_ns)} s)")
        words.append(f"rate({float(rate):g}/s)")
    return " ".join(words)


def _seconds(ns: int) -> str:
    return f"{ns / NS_PER_S:g}"


def thread_group(name: str, group: JmxGroup) -> Iterator[str]:
    """Yield the lines of a thread group."""
    if group.schedule:
        lines = [
            prop("ThreadGroup.on_sample_error", "continue"),
            prop("OpenModelThreadGroup.schedule", group.schedule),
            prop("OpenModelThreadGroup.random_seed", ""),
        ]
        kind = "OpenModelThreadGroupController"
        controller = element("ThreadGroup.main_controller", kind, [])
        yield from element_lines("OpenModelThreadGroup", name, [*lines, *controller])
        return
    lines = [
        prop("ThreadGroup.on_sample_error", "continue"),
        *main_controller(group.loops),
        prop("ThreadGroup.num_threads", str(group.users)),
        prop("ThreadGroup.ramp_time", str(ceil(group.ramp_ns / NS_PER_S))),
        prop("ThreadGroup.scheduler", value=True),
        prop("ThreadGroup.duration", str(ceil(group.lasting_ns / NS_PER_S))),
        prop("ThreadGroup.delay", str(ceil(group.delay_ns / NS_PER_S))),
        prop("ThreadGroup.same_user_on_next_iteration", value=True),
    ]
    yield from element_lines("ThreadGroup", name, lines)


def main_controller(loops: int) -> list[str]:
    """Return the property that says how often a thread runs."""
    lines = [
        prop("LoopController.continue_forever", value=False),
        prop("LoopController.loops", str(loops)),
    ]
    return element("ThreadGroup.main_controller", "LoopController", lines)


def losses(request: ExportRequest, phase: PhaseNode) -> Iterator[LoadLoss]:
    """Yield what thread groups don't do as a phase says it."""
    load = phase.load
    if not isinstance(load, ClosedLoad | CountedLoad | OpenLoad):
        yield LoadLoss("JMeter has no such load", fate=Fate.LEFT_OUT)
    if len(request.phases) > 1:
        yield LoadLoss("it begins at its time, whether or not the one before has ended", ("name",))
    if isinstance(load, ClosedLoad) and _falls(load.stages):
        yield LoadLoss("users that go end together, in the middle of their stage", ("stages",))
    if isinstance(load, CountedLoad) and load.iterations % load.users:
        yield LoadLoss("each user has the same number of iterations", ("iterations",))
    groups = [group for one, group in groups_of(request) if one is phase]
    if any(one.ramp_ns % NS_PER_S or one.lasting_ns % NS_PER_S for one in groups):
        yield LoadLoss("times are whole seconds", ("hold", "ramp_up", "stages", "spawn_rate"))
    yield from lost_around(phase)


def _falls(stages: Sequence[Stage]) -> bool:
    level = 0
    for stage in stages:
        if stage.level < level and stage.duration_ns:
            return True
        level = stage.level
    return False
