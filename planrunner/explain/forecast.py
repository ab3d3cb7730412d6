"""How large results.csv will be, from the load that the plan asks for, as far as it says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from planrunner.explain.bounds import most_requests
from planrunner.formats import REPORT_FORMATS, FormatSource
from planrunner.graph.loads import LOAD_TYPES, any_open_ended
from planrunner.graph.run_graph import (
    CallNode,
    ChooseNode,
    FunctionNode,
    GroupNode,
    IfNode,
    ParallelNode,
    PhaseNode,
    RepeatNode,
    RequestNode,
    RunGraph,
    StepNode,
    SwitchNode,
    ThinkNode,
    UserProgram,
    nested_steps,
    walk_steps,
)
from planrunner.results.files.samples import ROW_BYTES, parse_keep
from planrunner.schedule.pauses import Pause, PauseKind
from planrunner.units import format_count, format_size
from planrunner.values import dataclass

__all__ = ["forecast"]

_CELLS: Final = 112
"""Characters of a line beside its names: time, figures, commas."""
_MOST_ROUNDS: Final = 1_000
_PER_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class _Pass:
    """One iteration, on average over a class's tasks or over classes.

    Attributes:
        requests: Each counted once where the plan doesn't say how often it is sent.
        characters: Of the names in their lines.
        pause_ns: How long the user does nothing.
    """

    requests: float
    characters: float
    pause_ns: float


def forecast(graph: RunGraph) -> Iterator[str]:
    """Yield what becomes of raw samples, in words."""
    keep = parse_keep(graph.report.samples)
    listed = [
        name for name in graph.report.formats if REPORT_FORMATS[name].source is FormatSource.SAMPLES
    ]
    if keep is None or not listed:
        return
    files = f"{' and '.join(listed)} {'lists' if len(listed) == 1 else 'list'}"
    if not keep.share:
        yield f"{files} failed requests only: the size depends on how many fail"
        return
    passes = [(phase, _pass(graph.programs_of(phase), phase)) for phase in graph.phases]
    counts = [phase.load.requests(one.requests, one.pause_ns) for phase, one in passes]
    kept = "" if keep.share == 1 else f", of which {graph.report.samples} and all failures are kept"
    width = _CELLS + max((one.characters for _, one in passes), default=0)
    has_functions = any(isinstance(step, FunctionNode) for step in _all_steps(graph))
    if has_functions or None in counts:
        size = format_size(round(width * _PER_MILLION * keep.share))
        raw = format_size(ROW_BYTES * _PER_MILLION)
        yield f"results.csv: about {size} per million requests{kept}"
        yield "  how many depends on " + (
            "functions, whose requests are known when they run"
            if has_functions
            else "another tool, which decides what it sends"
            if any_open_ended(phase.load for phase in graph.phases)
            else "the target: some phase has no waits, pace, throttle or rate"
        )
        yield f"  {raw} more for raw samples"
        return
    requests = sum(count for count in counts if count is not None)
    size = format_size(round(width * requests * keep.share))
    raw = format_size(round(ROW_BYTES * requests * keep.share))
    most = most_requests(graph)
    about = "" if most == round(requests) else "about "
    yield f"results.csv: about {size}, from {about}{format_count(round(requests), 'request')}{kept}"
    yield from (f"  {line}" for line in _how(graph))
    if most is not None and about:
        yield f"  at most {format_count(most, 'request')}"
    yield f"  {raw} more for raw samples"


def _all_steps(graph: RunGraph) -> Iterator[StepNode]:
    for program in graph.programs():
        for task in program.tasks:
            yield from walk_steps(task.steps)


def _how(graph: RunGraph) -> Iterator[str]:
    kinds = {type(phase.load) for phase in graph.phases}
    return (load.forecast_basis for load in LOAD_TYPES if load in kinds and load.forecast_basis)


def _pass(programs: Iterable[UserProgram], phase: PhaseNode) -> _Pass:
    """Return the iteration of an average user of a phase."""
    parts = [(program.count or program.weight, _of_class(program, phase)) for program in programs]
    return _mean(parts)


def _of_class(program: UserProgram, phase: PhaseNode) -> _Pass:
    tasks = []
    for task, share in zip(program.tasks, program.task_shares(phase.load), strict=True):
        sent = [*_sent(task.steps)]
        names = f"{phase.name}hold{program.name}{task.name}"
        tags = sum(len(f"{key}={value};") for key, value in task.tags)
        tasks.append(
            (
                share,
                _Pass(
                    len(sent),
                    len(names) + tags + _mean_length(sent),
                    sum(_pauses(task.steps)) + _length_ns(program.wait),
                ),
            )
        )
    one = _mean(tasks)
    return _Pass(one.requests, one.characters, max(one.pause_ns, program.pace_ns))


def _mean(parts: Sequence[tuple[float, _Pass]]) -> _Pass:
    total = sum(weight for weight, _ in parts) or 1
    return _Pass(
        sum(weight * one.requests for weight, one in parts) / total,
        sum(weight * one.characters for weight, one in parts) / total,
        sum(weight * one.pause_ns for weight, one in parts) / total,
    )


def _mean_length(sent: Sequence[RequestNode]) -> float:
    lengths = [len(node.name) + len(node.exchange.method) for node in sent]
    return sum(lengths) / len(lengths) if lengths else 0


def _sent(steps: Sequence[StepNode]) -> Iterator[RequestNode]:
    """Yield each request that one pass sends.

    Of branches it is the one that sends most, of loops one round unless the plan writes how many.
    """
    for step in steps:
        match step:
            case RequestNode():
                yield from () if step.is_silent else (step,)
            case RepeatNode() if step.shown.isdecimal():
                for _ in range(min(int(step.shown), _MOST_ROUNDS)):
                    yield from _sent(step.steps)
            case IfNode() | ChooseNode() | SwitchNode():
                yield from max(([*_sent(inner)] for _, inner in nested_steps(step)), key=len)
            case _:
                for _, inner in nested_steps(step):
                    yield from _sent(inner)


def _pauses(steps: Sequence[StepNode]) -> Iterator[float]:
    """Yield the think times that every pass has."""
    for step in steps:
        if isinstance(step, ThinkNode) and step.when is None:
            yield _length_ns(step.pause)
        elif isinstance(step, RequestNode | ParallelNode) and step.when is None:
            yield 0 if step.pause is None else _length_ns(step.pause.pause)
        elif isinstance(step, GroupNode | CallNode):
            yield from _pauses(step.steps)


def _length_ns(pause: Pause | None) -> float:
    if pause is None:
        return 0
    if pause.kind is PauseKind.UNIFORM:
        return (pause.first + pause.second) / 2
    return pause.first
