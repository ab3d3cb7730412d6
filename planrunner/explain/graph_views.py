"""The run graph as text, JSON, Mermaid and DOT: what runs after what, and what users do in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, TypeVar

from planrunner.explain.lines import as_lines, one_line
from planrunner.graph.data import FileNode
from planrunner.graph.run_graph import (
    Block,
    ParallelNode,
    PhaseNode,
    PoolNode,
    RequestNode,
    RunGraph,
    StepNode,
    TaskProgram,
    UserProgram,
    nested_steps,
)
from planrunner.units import few, split_few, write_milliseconds

__all__ = ["graph_dot", "graph_json", "graph_mermaid", "graph_text"]

T = TypeVar("T")

_MERMAID_MARKS: Final = re.compile(r'[#"<>`]')


def graph_json(graph: RunGraph) -> str:
    """Return the graph as a JSON document, whole however large; durations in nanoseconds."""
    return json.dumps(
        {
            "name": graph.name,
            "plan_hash": graph.plan_hash,
            "profile": graph.profile,
            "profile_reason": graph.profile_reason,
            **(
                {"origins": {each.key: each.source for each in graph.origins}}
                if graph.origins
                else {}
            ),
            "services": [
                {"name": s.name, "demo": s.demo, "run": s.shown, "monitor": list(s.monitor)}
                for s in graph.services
            ],
            "monitors": [{"name": m.name, "gauges": list(m.gauges)} for m in graph.monitors],
            "phases": [_phase(graph, phase) for phase in graph.phases],
            "preflight": _steps(graph.preflight),
            "setup": _block(graph.setup),
            **({"pools": [_pool(pool) for pool in graph.pools]} if graph.pools else {}),
            **(
                {"files": [_file(node) for node in graph.written_files]}
                if graph.written_files
                else {}
            ),
            "users": [_user(user) for user in graph.users],
            "teardown": _block(graph.teardown),
            "thresholds": [str(threshold) for threshold in graph.thresholds],
        },
        indent=2,
        ensure_ascii=False,
    )


def _phase(graph: RunGraph, phase: PhaseNode) -> dict[str, Any]:
    return {
        "name": phase.name,
        **({"profile": phase.profile} if phase.profile else {}),
        "start_at_ns": phase.start_at_ns,
        "warmup_ns": phase.warmup_ns,
        "warmup_iterations": phase.warmup_iterations,
        "graceful_stop_ns": phase.graceful_stop_ns,
        "users": list(phase.classes),
        "tasks": {
            program.name: [task.name for task in program.tasks if task.name]
            for program in graph.programs_of(phase)
        },
        "params": dict(phase.params),
        **phase.load.as_json(),
    }


def _file(node: FileNode) -> dict[str, object]:
    return {
        "name": node.name,
        "file": node.file,
        "from": node.source.name,
        "rows": node.rows,
        "format": node.format,
    }


def _pool(pool: PoolNode) -> dict[str, Any]:
    return {
        "name": pool.name,
        "shared": "run" if pool.of_run else "worker",
        "max": pool.most,
        "values": len(pool.values),
    }


def _user(user: UserProgram) -> dict[str, Any]:
    return {
        "name": user.name,
        "weight": user.weight,
        "count": user.count,
        "wait": None if user.wait is None else user.wait.words,
        "pace_ns": user.pace_ns or None,
        "on_start": _steps(user.on_start),
        "tasks": [_task(task) for task in user.tasks],
        "on_stop": _steps(user.on_stop),
    }


def _task(task: TaskProgram) -> dict[str, Any]:
    needs = task.needs
    return {
        "name": task.name,
        "weight": task.weight,
        "needs": None if needs is None else {"is": needs.shown, "else": needs.otherwise},
        "timeout_ns": task.timeout_ns or None,
        **({"next": dict(task.following)} if task.following else {}),
        "steps": _steps(task.steps),
    }


def _block(block: Block | None) -> list[dict[str, Any]]:
    return [] if block is None else _steps(block.steps)


def _steps(steps: Sequence[StepNode]) -> list[dict[str, Any]]:
    return [_step(step) for step in steps]


def _step(step: StepNode) -> dict[str, Any]:
    shown: dict[str, Any] = {step.action: step.subject}
    if isinstance(step, RequestNode):
        shown["measured"] = step.measured
        if step.inherited:
            shown["inherited"] = list(step.inherited)
    if isinstance(step, RequestNode | ParallelNode) and step.pause is not None:
        shown["pause"] = step.pause.pause.words
    for key, steps in nested_steps(step):
        shown[key if key in ("then", "else") else "steps"] = _steps(steps)
    return shown


def graph_text(graph: RunGraph) -> str:
    """Return the graph as an indented tree."""
    return as_lines([graph.name, *_drawn(_branches(graph))])


Branch = tuple[str, Sequence["Branch"]]
"""A line of a tree, and what hangs from it."""


def _drawn(branches: Sequence[Branch], indent: str = "") -> Iterator[str]:
    for left, (words, inner) in zip(range(len(branches))[::-1], branches, strict=True):
        yield f"{indent}{'├── ' if left else '└── '}{words}"
        yield from _drawn(inner, indent + ("│   " if left else "    "))


def _branches(graph: RunGraph) -> list[Branch]:
    return [
        *_branch("preflight", graph.preflight),
        *_branch("setup", graph.setup.steps if graph.setup else ()),
        *_few_branches(
            graph.phases,
            lambda phase: (f"phase {phase.name} ({_length(phase)})", _leaves(phase.classes)),
        ),
        *_branch("teardown", graph.teardown.steps if graph.teardown else ()),
        *_few_branches(graph.users, lambda user: (f"user {user.name}", _branches_of(user))),
    ]


def _few_branches(items: Sequence[T], branch: Callable[[T], Branch]) -> list[Branch]:
    shown, more = split_few(items)
    return [*map(branch, shown), *_leaves([more] if more else [])]


def _leaves(names: Sequence[str]) -> list[Branch]:
    return [(name, ()) for name in few(names)]


def _branches_of(user: UserProgram) -> list[Branch]:
    return [
        *_branch("on start", user.on_start),
        *_few_branches(
            user.tasks, lambda task: (task.name or "each iteration", _twigs(task.steps))
        ),
        *_branch("on stop", user.on_stop),
    ]


def _branch(name: str, steps: Sequence[StepNode]) -> list[Branch]:
    return [(name, _twigs(steps))] if steps else []


def _twigs(steps: Sequence[StepNode]) -> list[Branch]:
    twigs: list[Branch] = []
    shown, more = split_few(steps)
    for step in shown:
        words = _request_words(step) if isinstance(step, RequestNode) else step.summary
        inside = {key: _twigs(inner) for key, inner in nested_steps(step)}
        otherwise = inside.pop("else", None)
        twigs.append((words, next(iter(inside.values()), ())))
        if otherwise is not None:
            twigs.append(("else", otherwise))
    return [*twigs, *_leaves([more] if more else [])]


def _request_words(request: RequestNode) -> str:
    """Return a request with what holds for it because a scope around says so."""
    if request.is_silent:
        return request.summary
    inherited = request.inherited_words
    return f"request {request.name_words}" + (f" ({inherited})" if inherited else "")


def _length(phase: PhaseNode) -> str:
    length = write_milliseconds(phase.load.planned_ns)
    return f"at most {length}" if phase.load.is_open_ended else length


def graph_mermaid(graph: RunGraph) -> str:
    """Return the graph as a Mermaid flowchart."""
    lines = ["flowchart TD"]
    for identity, label in _nodes(graph):
        lines.append(f'  {identity}["{_mermaid(label)}"]')
    lines += [f"  {tail} --> {head}" for tail, head in _edges(graph)]
    return "\n".join(lines)


def _mermaid(label: str) -> str:
    """Return a label without what Mermaid reads as its own marks, HTML or Markdown."""
    return _MERMAID_MARKS.sub(lambda mark: f"#{ord(mark[0])};", one_line(label)).replace(
        "#34;", "#quot;"
    )


def graph_dot(graph: RunGraph) -> str:
    """Return the graph in Graphviz's language."""
    lines = ["digraph plan {", "  rankdir=TB; node [shape=box];"]
    lines += [
        f"  {identity} [label={json.dumps(one_line(label), ensure_ascii=False)}];"
        for identity, label in _nodes(graph)
    ]
    lines += [f"  {tail} -> {head};" for tail, head in _edges(graph)]
    return "\n".join([*lines, "}"])


def _nodes(graph: RunGraph) -> list[tuple[str, str]]:
    nodes = [("start", graph.name), *((block, block) for block in _blocks_before(graph))]
    phases, more = split_few(graph.phases)
    nodes += [
        (f"p{number}", f"{phase.name}: {_length(phase)}") for number, phase in enumerate(phases)
    ]
    nodes += _rest("p", more)
    if graph.teardown is not None:
        nodes.append(("teardown", "teardown"))
    users, more = split_few(graph.users)
    for number, user in enumerate(users):
        nodes.append((f"u{number}", user.name))
        nodes += [(f"u{number}{end}", name) for end, name in _tasks(user)]
    return [*nodes, *_rest("u", more)]


def _rest(of: str, more: str) -> list[tuple[str, str]]:
    """Return the node that stands for those that are not shown."""
    return [(f"{of}more", more)] if more else []


def _tasks(user: UserProgram) -> list[tuple[str, str]]:
    tasks, more = split_few(user.tasks)
    shown = [(f"t{index}", task.name or "each iteration") for index, task in enumerate(tasks)]
    return [*shown, *_rest("t", more)]


def _blocks_before(graph: RunGraph) -> list[str]:
    """Return what comes before the load."""
    return [
        *(["preflight"] if graph.preflight else []),
        *(["setup"] if graph.setup is not None else []),
    ]


def _edges(graph: RunGraph) -> list[tuple[str, str]]:
    """Return what starts after what, and which users a phase has."""
    before = ["start", *_blocks_before(graph)]
    edges = list(pairwise(before))
    begin = last = before[-1]
    users, _ = split_few(graph.users)
    numbers = {user.name: str(number) for number, user in enumerate(users)}
    ends: list[str] = []  # of phases that run beside the others
    phases, more = split_few(graph.phases)
    for number, phase in enumerate(phases):
        identity = f"p{number}"
        if phase.start_at_ns is not None:
            edges.append((begin, identity))
            ends.append(identity)
        else:
            edges.append((last, identity))
            last = identity
        of_phase = dict.fromkeys(numbers.get(name, "more") for name in phase.classes)
        edges += [(identity, f"u{user}") for user in of_phase]
    for identity, _ in _rest("p", more):
        edges.append((last, identity))
        last = identity
    if graph.teardown is not None:
        edges += [(end, "teardown") for end in ([*ends, last] if last != begin else ends)]
    for number, user in enumerate(users):
        edges += [(f"u{number}", f"u{number}{end}") for end, _ in _tasks(user)]
    return edges
