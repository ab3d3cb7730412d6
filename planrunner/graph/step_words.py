"""A step of the run graph in a few words, for people and for programs that draw it."""

from __future__ import annotations

from typing import Any, assert_never

from planrunner.graph.run_graph import Pause, PauseKind
from planrunner.graph.steps import (
    CallNode,
    ExecNode,
    ForeachNode,
    GroupNode,
    HeaderNode,
    IfNode,
    LogNode,
    ParallelNode,
    PollNode,
    PopNode,
    PushNode,
    PythonNode,
    RepeatNode,
    RequestNode,
    SetNode,
    StepNode,
    StopNode,
    ThinkNode,
    WhileNode,
)
from planrunner.units import format_count, write_duration

__all__ = ["pause_words", "step_label", "step_words"]


def step_label(step: StepNode) -> tuple[str, Any]:  # noqa: C901, PLR0911, PLR0912 - one a node
    """Return a step's action and what it acts on, as a plan writes them."""
    match step:
        case RequestNode():
            return "request", step.name
        case ThinkNode():
            return "think", pause_words(step.pause)
        case SetNode():
            return "set", [name for name, _ in step.values]
        case PushNode():
            return "push", [name for name, _ in step.values]
        case PopNode():
            return "pop", f"{step.which} of {step.source}"
        case HeaderNode():
            return "header", [name for name, _ in step.values]
        case GroupNode():
            return "group", step.name
        case IfNode():
            return "if", step.shown
        case RepeatNode():
            return "repeat", step.shown
        case WhileNode():
            return "while", step.shown
        case ForeachNode():
            return "foreach", f"{step.variable} in {step.shown}"
        case PollNode():
            return "poll", step.request.name
        case ParallelNode():
            return "parallel", format_count(len(step.requests), "request")
        case CallNode():
            return "call", step.flow
        case LogNode():
            return "log", step.shown
        case StopNode():
            return "stop", step.what.value
        case PythonNode():
            return "python", step.function
        case ExecNode():
            return "exec", step.shown
        case _ as unreachable:
            assert_never(unreachable)


def step_words(step: StepNode) -> str:
    """Return one line that says what a step does."""
    if isinstance(step, RequestNode):
        return step.name + ("" if step.measured else " (not measured)")
    word, value = step_label(step)
    shown = ", ".join(value) if isinstance(value, list) else value
    match step:
        case WhileNode():
            return f"while {shown}, at most {step.most:,} times"
        case PollNode():
            every, limit = write_duration(step.every_ns), write_duration(step.timeout_ns)
            return f"poll until {step.shown}, every {every} for at most {limit}"
        case PopNode() | PythonNode() | ExecNode() if step.target:
            return f"{word} {shown} as {step.target}"
        case _:
            return f"{word} {shown}"


def pause_words(pause: Pause) -> str:
    """Return a pause as a plan writes it."""
    first = write_duration(pause.first)
    match pause.kind:
        case PauseKind.CONSTANT:
            return first
        case PauseKind.UNIFORM:
            return f"{first}..{write_duration(int(pause.second))}"
        case PauseKind.PARETO:
            return f"pareto({first}, {pause.second:g})"
        case PauseKind.NORMAL:
            return f"normal({first}, {write_duration(int(pause.second))})"
        case PauseKind.EXPONENTIAL:
            return f"exponential({first})"
