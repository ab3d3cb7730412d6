"""Question 14: what a measured step costs, and whether commands take what hyperfine says."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from statistics import median
from types import SimpleNamespace

import planrunner
from planrunner.clock import MonotonicClock
from planrunner.compiler import compile_plan
from planrunner.engine.load_models.blocks import once_timeline
from planrunner.engine.recording.counters import Counters
from planrunner.engine.recording.recorder import PhaseRecorder
from planrunner.engine.steps.binder import Binder, StepPlace
from planrunner.engine.steps.wires import Wires
from planrunner.engine.users.user_context import Actor
from planrunner.metrics.book import SeriesBook
from planrunner.plan.loader import load
from planrunner.protocols import registry

STEPS = 20_000
"""Of one turn; the drain of their samples is part of it."""

RUNS = 15
"""Of a command, in one turn."""

PLAN = """
name: components
users: {U: {steps: [%s]}}
phases: [{users: 1, iterations: %d}]
report: {samples: none}
"""
INLINE = "{python: {call: 'components:empty', inline: true}, measure: true}"
COMMANDS = {"true": ["true"], "python": [sys.executable, "-S", "-c", "pass"]}


def measured_steps(rounds: int, seconds: int) -> dict:
    """CPU of an empty measured step, and medians of commands beside those of hyperfine."""
    del seconds
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        (directory / "components.py").write_text("def empty(): ...\n")
        steps = asyncio.run(_steps(directory, 5 * rounds))
        commands = _commands(directory, rounds)
    return {"summary": [*_of_steps(steps), *_of_commands(commands)], "ns": steps, "s": commands}


async def _steps(directory: Path, turns: int) -> dict[str, list[float]]:
    """CPU nanoseconds of a step as a user runs it, in turns with the bare function."""
    plan = directory / "steps.yaml"
    plan.write_text(PLAN % (INLINE, 1))
    graph, clock = compile_plan(load(plan, environ={})), MonotonicClock()
    client = registry.client_factory("python")(None, clock)
    now_ns = clock.now_ns()
    book = SeriesBook(now_ns)
    recorder = PhaseRecorder(
        "main",
        timeline=once_timeline("main", now_ns),
        book=book,
        samples=None,
        origin_ns=now_ns,
        measures=graph.measures,
    )
    services = SimpleNamespace(log=SimpleNamespace(mask=SimpleNamespace(learn=None)))
    binder = Binder(recorder, Wires({"python": client}), services)
    (step,) = binder.steps(graph.users[0].tasks[0].steps, StepPlace("U"))
    actor = Actor(
        clock=clock,
        scope={},
        sessions=(client.session(),),
        rng=Random(0),
        counters=Counters(),
    )
    function: Callable[[], object] = sys.modules["components"].empty
    found: dict[str, list[float]] = {"step": [], "function": []}
    for _ in range(turns):
        began_ns = time.thread_time_ns()
        for _ in range(STEPS):
            await step(actor)
        book.drain(clock.now_ns(), {})
        found["step"].append((time.thread_time_ns() - began_ns) / STEPS)
        began_ns = time.thread_time_ns()
        for _ in range(STEPS):
            function()
        found["function"].append((time.thread_time_ns() - began_ns) / STEPS)
    await client.close()
    return found


def _commands(directory: Path, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Median seconds of each command by planrunner and by hyperfine, in turns."""
    if shutil.which("hyperfine") is None:
        return {}
    found: dict[str, dict[str, list[float]]] = {}
    for name, words in COMMANDS.items():
        found[name] = {"planrunner": [], "hyperfine": []}
        line = " ".join(words)
        plan = directory / f"{name}.yaml"
        plan.write_text(PLAN % (f'{{exec: "{line}", name: command, measure: true}}', RUNS))
        for _ in range(rounds):
            run = planrunner.run(plan)
            found[name]["planrunner"].append(run.requests["command"].p50.s)
            found[name]["hyperfine"].append(_hyperfine(line, directory))
    return found


def _hyperfine(line: str, directory: Path) -> float:
    out = directory / "hyperfine.json"
    command = [
        "hyperfine",
        "-N",
        "--warmup",
        "1",
        "--runs",
        str(RUNS),
        "--style",
        "none",
        "--ignore-failure",
    ]
    subprocess.run([*command, "--export-json", str(out), line], check=True, capture_output=True)
    return json.loads(out.read_text())["results"][0]["median"]


def _of_steps(found: dict[str, list[float]]) -> list[str]:
    step, function = median(found["step"]), median(found["function"])
    return [
        f"an empty measured inline step takes {step / 1000:.2f} µs of CPU, its sample included "
        f"(target 3 µs); the bare function {function / 1000:.3f} µs"
    ]


def _of_commands(found: dict[str, dict[str, list[float]]]) -> list[str]:
    lines = []
    for name, by in found.items():
        mine, theirs = median(by["planrunner"]), median(by["hyperfine"])
        lines.append(
            f"`{name}` by `exec` {mine * 1000:.1f} ms, by hyperfine {theirs * 1000:.1f} ms: "
            f"{(mine - theirs) * 1000:+.1f} ms for starting it from Python"
        )
    return lines or ["hyperfine is not installed"]
