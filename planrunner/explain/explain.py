"""What a plan would do, in words: load over time, users by class, requests, thresholds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final, TypeVar

from planrunner.explain.forecast import forecast
from planrunner.explain.lines import as_lines
from planrunner.explain.senders import sender_lines
from planrunner.graph.loads import any_open_ended
from planrunner.graph.notification import NotificationNode, NotifyOn
from planrunner.graph.run_graph import (
    Block,
    ChooseNode,
    MonitorNode,
    OnError,
    PhaseNode,
    ReadyNode,
    Renewal,
    RunGraph,
    ServiceNode,
    StepNode,
    SwitchNode,
    TaskProgram,
    UserProgram,
    nested_steps,
    walk_steps,
)
from planrunner.graph.target import AUTO_PORT
from planrunner.graph.value_origin import ValueOrigin
from planrunner.metrics.thresholds.words import describe
from planrunner.schedule.population import level_at
from planrunner.units import few, format_count, split_few, write_duration, write_milliseconds

__all__ = ["all_steps", "class_counts", "explain_text", "stage_ends", "target_words"]


T = TypeVar("T")

_MOST_COLUMNS: Final = 12
"""Moments of a table of users: as many as fit into a terminal."""

_WITH: Final = "    with "


def explain_text(graph: RunGraph) -> str:
    """Return the explanation of a compiled plan, without a final newline."""
    lines = [f"{graph.name} ({graph.source})"]
    lines += [f"  {line}" for line in graph.description.splitlines()]
    lines.append(f"  seed {'drawn for each run' if graph.seed_was_drawn else graph.seed}")
    lines += [f"  {line}" for line in target_words(graph)]
    lines += [f"  {line}" for line in sender_lines(graph, all_steps(graph))]
    lines += _origins(graph.origins)
    profile = f" of profile {graph.profile} ({graph.profile_reason})" if graph.profile else ""
    count = len(graph.phases)
    at_most = "at most " if any_open_ended(phase.load for phase in graph.phases) else ""
    lines += [
        "",
        f"load: {count} phase{'s' if count != 1 else ''}{profile}, "
        f"{at_most}{write_milliseconds(graph.planned_ns)} in all",
    ]
    lines += _phases(graph)
    lines += [*_pools(graph), *_files(graph), *_outputs(graph)]
    if graph.preflight:
        lines += ["", "preflight: must pass before anything else is sent"]
        lines += _steps(graph.preflight, "  ")
    lines += _block("setup: once, before the load", graph.setup)
    lines += ["", "users"] if graph.users else []
    lines += _among(graph.users, _user, "  ")
    lines += _block("teardown: once, after the load", graph.teardown)
    if results := [*forecast(graph)]:
        lines += ["", "results", *(f"  {line}" for line in results)]
    lines += ["", "thresholds"]
    if graph.default_threshold:
        lines.append("  the plan has none, so this one applies:")
    lines += _among(graph.thresholds, lambda one: [f"  {one.level}: {describe(one)}"], "  ")
    lines += _notifications(graph.notifications)
    if graph.notices:
        lines += ["", "notes"]
        lines += [f"  {notice}" for notice in few(graph.notices)]
    return as_lines(lines)


_NOTIFIED_ON: Final = {
    NotifyOn.FAIL: "if it fails",
    NotifyOn.ALWAYS: "always",
    NotifyOn.CHANGE: "if the verdict differs from that of the last run",
}


def _notifications(nodes: Sequence[NotificationNode]) -> Iterator[str]:
    """Yield what is notified of the run."""
    if nodes:
        yield from ("", "notify: when the run has ended")
    for node in nodes:
        attached = f", with {' and '.join(node.attach)}" if node.attach else ""
        words = f"{node.service}: {_NOTIFIED_ON[node.on]}{attached}"
        yield f"  {words if node.url else 'nothing is sent: the URL is empty'}"


def _among(items: Sequence[T], words: Callable[[T], Iterable[str]], indent: str) -> Iterator[str]:
    """Yield the lines of each thing, or of the first few of very many."""
    shown, more = split_few(items)
    for item in shown:
        yield from words(item)
    if more:
        yield indent + more


def all_steps(graph: RunGraph) -> Iterator[StepNode]:
    yield from graph.preflight
    for block in (graph.setup, graph.teardown):
        yield from walk_steps(block.steps if block is not None else ())
    for program in graph.programs():
        for steps in (program.on_start, *(task.steps for task in program.tasks), program.on_stop):
            yield from walk_steps(steps)


def _origins(origins: Sequence[ValueOrigin]) -> Iterator[str]:
    if origins:
        yield ""
        yield "values, and where they come from"
        width = max(len(each.key) for each in origins)
        for each in origins:
            value = f" = {each.value}" if each.value else ""
            yield f"  {each.key:<{width}}  {each.source}{value}"


def _pools(graph: RunGraph) -> Iterator[str]:
    if graph.pools:
        yield from ("", "pools: shared by users, for the whole run")
        yield from (f"  {pool.summary}" for pool in graph.pools)


def _outputs(graph: RunGraph) -> Iterator[str]:
    if graph.outputs:
        yield from ("", "outputs: receive every second of the run while it lasts")
        yield from (f"  {node.summary}" for node in graph.outputs)


def _files(graph: RunGraph) -> Iterator[str]:
    """Yield the files of test data."""
    if not graph.written_files:
        return
    yield ""
    yield "files: written before the load, no part of the measured time"
    for node in graph.written_files:
        again = "" if node.source.fields or node.rows <= node.source.count else ", again and again"
        of = f"{format_count(node.rows, 'row')} of data `{node.source.name}`{again}"
        readers = [phase.name for phase in graph.phases if node in phase.files]
        readers += ["steps that run once"] if node in graph.files else []
        yield f"  files/{node.file}: {of}; read in {' and '.join(few(readers))}"


def _phases(graph: RunGraph) -> Iterator[str]:
    sizes = Counter(phase.matrix for phase in graph.phases if phase.matrix)
    known: dict[str, list[str]] = {}
    return _among(graph.phases, lambda phase: _combined(graph, phase, sizes, known), "  ")


def _combined(
    graph: RunGraph, phase: PhaseNode, sizes: Mapping[str, int], known: dict[str, list[str]]
) -> Iterator[str]:
    """Yield the lines of a phase; those of a matrix in full for the first of its combinations.

    Args:
        graph: The plan.
        phase: The next of it.
        sizes: How many combinations of each matrix run.
        known: The lines of the first combination of each; that of this phase is added.
    """
    lines, table, matrix = list(_phase(graph, phase)), list(_table(graph, phase)), phase.matrix
    if matrix in known:
        first = known[matrix]
        yield from (line for line in lines if line.startswith(_WITH) or line not in first)
        yield from () if set(table) <= set(first) else table
        return
    if sizes.get(matrix, 0) > 1:
        known[matrix] = [*lines, *table]
        yield f"  {matrix}: {sizes[matrix]} combinations; of all but the first, what differs"
    yield from (*lines, *table)


def _phase(graph: RunGraph, phase: PhaseNode) -> Iterator[str]:
    start = "" if phase.start_at_ns is None else f", from {write_duration(phase.start_at_ns)} on"
    words = list(phase.load.words())
    yield f"  {phase.name}: {words[0]}{start}"
    yield from (f"    {line}" for line in words[1:])
    yield from _own(graph, phase)
    if phase.warmup_iterations:
        whose = "" if phase.load.shared_iterations else " of each user"
        many = phase.warmup_iterations
        first = "iteration" if many == 1 else format_count(many, "iteration")
        yield f"    warm-up: samples of the first {first}{whose} are left out"
    if phase.warmup_ns:
        yield f"    warm-up: samples of the first {write_duration(phase.warmup_ns)} are left out"
    yield f"    graceful stop: up to {write_duration(phase.graceful_stop_ns)} for what still runs"
    if phase.load.has_due_times and not phase.load.is_search:
        yield from _ignored(graph, phase)
    yield from _sessions(graph, phase)
    yield from _unchained(graph, phase)


def _ignored(graph: RunGraph, phase: PhaseNode) -> Iterator[str]:
    """Yield what classes say and arrivals overrule."""
    yield from few(
        (
            f"    `{key}` of {program.name} does not apply: arrivals say when it starts"
            for program in graph.programs_of(phase)
            for key, given in (("wait", program.wait is not None), ("pace", program.pace_ns))
            if given
        ),
        "    ",
    )


def _unchained(graph: RunGraph, phase: PhaseNode) -> Iterator[str]:
    """Yield the classes whose `next` counts for nothing here."""
    for program in graph.programs_of(phase):
        if program.is_chained and program.renewal(phase.load) is not Renewal.NOTHING:
            yield (
                f"    `next` of {program.name} does not apply: each iteration is a new visitor, "
                "and no task of it ran before"
            )


_SESSIONS: Final[Mapping[Renewal, str]] = {
    Renewal.SESSION: "each arrival of {} is a new visitor: it has no cookies, headers, tokens and "
    "state of an earlier one",
    Renewal.LIFE: "each iteration of {} is a visitor of its own, from on_start to on_stop",
}
_RETURNING: Final = (
    "an arrival of {} is a customer who returns, still signed in by on_start; "
    "`session: iteration` makes each a new one"
)


_STAYING: Final = "each user of {} is one visitor for its whole life"


def _sessions(graph: RunGraph, phase: PhaseNode) -> Iterator[str]:
    """Yield what a visitor is."""
    words = dict[str, list[str]]()
    for program in graph.programs_of(phase):
        renewal = program.renewal(phase.load)
        if renewal is not Renewal.NOTHING:
            words.setdefault(_SESSIONS[renewal], []).append(program.name)
        elif phase.load.has_due_times and program.session is None:
            words.setdefault(_RETURNING, []).append(program.name)
        else:
            words.setdefault(_STAYING, []).append(program.name)
    for text, names in words.items():
        yield f"    {text.format(' and '.join(few(names)))}"


def _own(graph: RunGraph, phase: PhaseNode) -> Iterator[str]:
    """Yield what is different in this phase."""
    if phase.profile and phase.profile != phase.name:
        yield f"    from profile {phase.profile}"
    for name, value in phase.params.items():
        yield f"{_WITH}{name} = {value}"
    tasks = {user.name: [task.name for task in user.tasks] for user in graph.users}
    for program in phase.programs:
        names = [task.name for task in program.tasks]
        if names != tasks[program.name]:
            yield f"    {program.name} runs only {', '.join(few(names))}"


def _table(graph: RunGraph, phase: PhaseNode) -> Iterator[str]:
    """Yield users by class at the end of each stage; nothing where users come and go."""
    if not phase.load.population:
        return
    moments = stage_ends(phase)
    if left_out := moments[_MOST_COLUMNS - 1 : -1][: max(0, len(moments) - _MOST_COLUMNS)]:
        moments = [*moments[: _MOST_COLUMNS - 1], moments[-1]]
    counts = [class_counts(graph, phase, moment) for moment in moments]
    classes, more = split_few(phase.classes)
    width = max(len(name) for name in classes)
    columns = [write_milliseconds(moment) for moment in moments]
    yield f"    {'at':<{width}} " + " ".join(f"{column:>7}" for column in columns)
    for name in classes:
        cells = " ".join(f"{count[name]:>7,}" for count in counts)
        yield f"    {name:<{width}} {cells}"
    if more:
        yield f"    {more}"
    if left_out:
        yield f"    … {len(left_out):,} more moments before the last"


def stage_ends(phase: PhaseNode) -> list[int]:
    """Return the moments between the stages of a phase, its begin and end included, each once."""
    return sorted({0, *accumulate(duration_ns for _, duration_ns in phase.load.spans)})


def class_counts(graph: RunGraph, phase: PhaseNode, moment_ns: int) -> dict[str, int]:
    """Return the users of each class at a moment of the phase, by its level."""
    counts = dict.fromkeys(phase.classes, 0)
    if population := phase.load.population:
        seats = phase.class_of_seats(graph.programs_of(phase))
        for name in seats[: level_at(population, moment_ns)]:
            counts[name] += 1
    return counts


def _user(user: UserProgram) -> Iterator[str]:
    share = f"exactly {user.count}" if user.count is not None else f"weight {user.weight}"
    wait = f", waits {user.wait.words}" if user.wait is not None else ""
    if user.pace_ns:
        wait = f", one iteration every {write_duration(user.pace_ns)}"
    yield f"  {user.name} ({share}{wait})"
    if user.on_start:
        yield "    on start:"
        yield from _steps(user.on_start, "      ")
    if user.is_chained:
        yield "    `next` decides what follows: the shares are those of the long run"
    total = sum(task.weight for task in user.tasks)
    shares = dict(zip((task.name for task in user.tasks), user.task_shares(), strict=True))
    yield from _among(user.tasks, lambda task: _task(task, shares[task.name], total), "    ")
    if user.on_stop:
        yield "    on stop:"
        yield from _steps(user.on_stop, "      ")


def _task(task: TaskProgram, share: float, total: int) -> Iterator[str]:
    """Yield a task.

    Args:
        task: The task.
        share: Of the picks of its class.
        total: The weight of all tasks of the class.
    """
    if not task.name:
        yield "    each iteration:"
    else:
        tags = "".join(f" #{key}{f'={value}' if value else ''}" for key, value in task.tags)
        yield f"    {100 * share:.0f} %  {task.name}{tags}"
        yield from _following(task, total)
        yield from _conditions(task)
    yield from _steps(task.steps, "      ")


def _following(task: TaskProgram, total: int) -> Iterator[str]:
    """Yield what may follow a task."""
    whole = sum(weight for _, weight in task.following)
    shares = [f"{100 * weight / whole:.0f} % {name}" for name, weight in task.following]
    if shares:
        first = 100 * task.weight / total
        yield f"      {first:.0f} % of first picks; next: {', '.join(few(shares))}"


def _conditions(task: TaskProgram) -> Iterator[str]:
    if task.needs is not None:
        otherwise = task.needs.otherwise
        instead = {"skip": "is skipped", "repick": "another is picked"}.get(
            otherwise, f"{otherwise} runs instead"
        )
        yield f"      needs {task.needs.shown}, else {instead}"
    if task.timeout_ns:
        yield f"      ends after {write_duration(task.timeout_ns)} at most"
    if task.on_error is not OnError.CONTINUE:
        yield f"      {task.on_error.words}"


def _block(title: str, block: Block | None) -> Iterator[str]:
    if block is not None:
        yield from ("", title)
        yield from _steps(block.steps, "  ")


def _steps(steps: Sequence[StepNode], indent: str) -> Iterator[str]:
    return _among(steps, lambda step: _step(step, indent), indent)


def _step(step: StepNode, indent: str) -> Iterator[str]:
    inside = nested_steps(step)
    yield f"{indent}{step.summary}{':' if inside else ''}"
    has_keys = isinstance(step, ChooseNode | SwitchNode)
    for key, inner in inside:
        if has_keys or key == "else":
            yield f"{indent}{'  ' if has_keys else ''}{key}:"
        yield from _steps(inner, indent + ("    " if has_keys else "  "))


_MOST_SHOWN: Final = 70


def target_words(graph: RunGraph) -> Iterator[str]:
    """Yield the services in the order of their start, then the monitors."""
    for service in graph.services:
        yield f"starts service {service.name}: {_short(service.shown)}"
        yield from (f"  {line}" for line in _service(service))
    for monitor in graph.monitors:
        yield f"watches {monitor.name}: {_monitor(monitor)}"


def _short(command: str) -> str:
    words = " ".join(command.split())
    return words if len(words) <= _MOST_SHOWN else f"{words[: _MOST_SHOWN - 1]}…"


def _service(service: ServiceNode) -> Iterator[str]:
    if service.port:
        yield f"listens on port {'auto' if service.port == AUTO_PORT else service.port}"
    if (ready := service.ready) is not None:
        yield f"waits up to {write_duration(ready.timeout_ns)} until {_ready(ready)}"
    if service.monitor:
        yield f"measures its {' and '.join(service.monitor)}"


def _ready(ready: ReadyNode) -> str:
    if ready.get is not None:
        return "its URL answers as expected"
    if ready.grpc:
        return "its gRPC health service says SERVING"
    if ready.log is not None:
        return f"it prints `{ready.log.source}`"
    return "its port accepts connections"


def _monitor(monitor: MonitorNode) -> str:
    metrics = " and ".join(monitor.metrics)
    if monitor.is_host:
        return f"{metrics} of this machine"
    if monitor.query is not None:
        return f"a Prometheus query every {write_duration(monitor.every_ns)}"
    if monitor.command is not None:
        return f"{metrics} of processes that match `{monitor.command.source}`"
    return f"{metrics} of process {monitor.pid}"
