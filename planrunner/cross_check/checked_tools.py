"""Which tools take part in a cross-check, each with the plan's load in its own words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Final

from planrunner.compiler.load.selection import PlanSelection
from planrunner.cross_check.command_lines import LINES, arguments_of
from planrunner.cross_check.one_request import CanNotSend, one_request
from planrunner.cross_check.own import PLANRUNNER
from planrunner.engine.workers.local import requests_of
from planrunner.exporters.exporting import export_plan
from planrunner.exporters.registry import all_exporters
from planrunner.graph.run_graph import RunGraph
from planrunner.loss.ledger import Construct, Fate
from planrunner.plan.loader import CheckedPlan
from planrunner.protocols.http.content import ACCEPTED_ENCODINGS
from planrunner.protocols.http.operation import HttpOperation
from planrunner.tools.contract import Tool, ToolJob
from planrunner.tools.installed import installed
from planrunner.tools.registry import all_tools, named_tool
from planrunner.values import dataclass

__all__ = [
    "CheckedLoad",
    "CheckedTool",
    "LeftOutTool",
    "OtherTools",
    "ToolWish",
    "known_names",
    "other_tools",
    "own_tool",
]

_NO_LOAD: Final = (
    "baseline",
    "monitors",
    "notify",
    "outputs",
    "preflight",
    "report",
    "teardown",
    "thresholds",
)
"""Keys of a plan that say nothing about what is sent while it is measured."""

_NAMES: Final = frozenset(("description", "name", "tags", "warmup"))
"""Keys at any place that likewise say nothing of it; a warm-up counts with all tools."""

_KEY: Final = re.compile(r"[A-Za-z_]\w*")

_LOAD_KEYS: Final = (
    "iterations",
    "iterations_per_user",
    "ramp_up",
    "rate",
    "spawn_rate",
    "stages",
    "throttle",
)
"""Keys of a phase without which its load is another one."""

_SUFFIXES: Final = {"k6": ".js", "locust": ".py", "jmeter": ".jmx"}
_MOST_REASONS: Final = 3

MakeJob = Callable[[Path], ToolJob]
"""Makes a job that may write to a folder of its own."""


@dataclass(frozen=True, slots=True)
class CheckedTool:
    """A tool that takes part.

    Attributes:
        warm_up: Makes a job that sends less of the same load; None where there is none.
        environ: What its script takes from its environment.
        caveats: Where its load isn't that of the plan, each a part of a sentence.
    """

    tool: Tool
    version: str
    job: MakeJob
    warm_up: MakeJob | None = None
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOutTool:
    """A tool that doesn't; the reason is a part of a sentence."""

    name: str
    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class OtherTools:
    taking_part: tuple[CheckedTool, ...]
    left_out: tuple[LeftOutTool, ...]


@dataclass(frozen=True, slots=True)
class ToolWish:
    """Which tools are asked for.

    Attributes:
        names: Empty for all.
        allow_loss: Also those whose tests lack a part of the plan.
        selection: Which phases, classes and tasks they send.
    """

    names: tuple[str, ...] = ()
    allow_loss: bool = False
    selection: PlanSelection = field(default_factory=PlanSelection)


def known_names() -> tuple[str, ...]:
    """Return the tools that plans' loads can be given to, in the order of `planrunner tools`."""
    return tuple(name for name in all_tools() if name in LINES or name in all_exporters())


def own_tool(arguments: Sequence[str], shorter: Sequence[str] = ()) -> CheckedTool:
    """Return planrunner itself, with the arguments of `execute`, also those of its warm-up."""

    def job_of(words: Sequence[str]) -> MakeJob:
        return lambda folder: ToolJob(PLANRUNNER.programs[0], None, tuple(words), folder)

    return CheckedTool(PLANRUNNER, "", job_of(arguments), job_of(shorter) if shorter else None)


@dataclass(frozen=True, slots=True)
class CheckedLoad:
    """What tools are to send.

    Attributes:
        plan: Loaded with its secrets.
        graph: The same, compiled.
        scripts: Where scripts of tools are written.
    """

    plan: CheckedPlan
    graph: RunGraph
    scripts: Path


def other_tools(
    load: CheckedLoad,
    shorter: CheckedLoad | None,
    wish: ToolWish,
    environ: Mapping[str, str],
) -> OtherTools:
    """Return those that can give a plan's load, and those that can't, with the reason.

    Args:
        load: The plan's.
        shorter: Less of the same, for a warm-up; None for none.
        wish: Which tools, and how strictly.
        environ: Where programs are looked for.

    Raises:
        UsageError: A tool of that name is unknown.
    """
    taking_part, left_out = list[CheckedTool](), list[LeftOutTool]()
    for name in dict.fromkeys(wish.names or known_names()):
        tool = named_tool(name)
        here = installed(tool, environ)
        if not here.program:
            left_out.append(LeftOutTool(name, "it is not installed", tool.how_to_get))
            continue
        try:
            found = _checked(tool, here.program, load, wish)
            warm_up = None if shorter is None else _checked(tool, here.program, shorter, wish).job
        except CanNotSend as error:
            left_out.append(LeftOutTool(name, str(error)))
        else:
            taking_part.append(replace(found, version=here.version, warm_up=warm_up))
    return OtherTools(tuple(taking_part), tuple(left_out))


def _checked(tool: Tool, program: str, load: CheckedLoad, wish: ToolWish) -> CheckedTool:
    if tool.name not in LINES:
        return _of_script(tool, program, load, wish)
    job = LINES[tool.name](one_request(load.graph), program, load.scripts / tool.name)
    return CheckedTool(tool, "", lambda folder: replace(job, directory=folder))


def _of_script(tool: Tool, program: str, load: CheckedLoad, wish: ToolWish) -> CheckedTool:
    exporter = all_exporters().get(tool.name)
    if exporter is None:
        raise CanNotSend("planrunner writes no tests for it")
    exported = export_plan(
        load.plan,
        exporter,
        selection=wish.selection,
        folder=load.scripts,
        headers=_unasked(load.graph),
    )
    losses = [one for one in exported.ledger.constructs if _bears_on_load(one)]
    lost = _reasons([one for one in losses if _is_lost(one)])
    changed = [
        one for one in losses if one.fate is not None and one.fate.is_loss and not _is_lost(one)
    ]
    if lost and not wish.allow_loss:
        raise CanNotSend(f"its test lacks parts of the plan: {'; '.join(lost)}")
    script = load.scripts / f"{tool.name}{_SUFFIXES.get(tool.name, '')}"
    script.write_text(exported.test.text, encoding="utf-8")
    args = arguments_of(tool.name, exported.test.commands)
    return CheckedTool(
        tool,
        "",
        lambda folder: ToolJob(program, script, args, folder),
        environ=exported.environ,
        caveats=(*lost, *_reasons(changed)),
    )


def _unasked(graph: RunGraph) -> Mapping[str, str]:
    """Return what planrunner sends unasked, and changes how much a target does and sends."""
    operations = (one.exchange.operation for one in requests_of(graph))
    named = {
        header.name.lower()
        for one in operations
        if isinstance(one, HttpOperation)
        for header in one.headers
    }
    return {} if "accept-encoding" in named else {"Accept-Encoding": ACCEPTED_ENCODINGS}


def _bears_on_load(one: Construct) -> bool:
    keys = set(_KEY.findall(one.words))
    root = _KEY.match(one.words)
    is_beside = root is not None and root[0] in _NO_LOAD
    return one.kind != "threshold" and not is_beside and not keys & _NAMES


def _is_lost(one: Construct) -> bool:
    """Return whether a tool gives another load without this, and not another judgement alone."""
    judges = "expect" in _KEY.findall(one.words)
    return _changes_load(one) or (one.fate is Fate.LEFT_OUT and not judges)


def _changes_load(one: Construct) -> bool:
    return one.fate is Fate.CHANGED and one.words.rpartition(".")[2] in _LOAD_KEYS


def _reasons(findings: Sequence[Construct]) -> list[str]:
    """Return why, without the parts of parts, and the first few of many."""
    found = [one for one in findings if not one.why.startswith("with `")]
    said = [f"`{one.words}` (line {one.place.line}): {one.why}" for one in found[:_MOST_REASONS]]
    if left := len(found) - len(said):
        said.append(f"and {left:,} more, which `planrunner export` names")
    return said
