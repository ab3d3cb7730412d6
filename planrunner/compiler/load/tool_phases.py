"""Phases that other tools run: what they are started with, known before the run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from planrunner.compiler.compilation import Compilation
from planrunner.graph.loads import ToolLoad
from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import to_text
from planrunner.language.fields.text import Text
from planrunner.language.files import ANY_SIZE, FileFault, check_file
from planrunner.language.secrets import Masker
from planrunner.plan.models.load.workload import PhaseModel
from planrunner.plan.yaml.document import PlanPath
from planrunner.tools.reading.command_lines import gives
from planrunner.tools.registry import named_tool
from planrunner.units import NS_PER_S

__all__ = ["compile_tool"]

_TIMEOUT_NS: Final = 3_600 * NS_PER_S


def compile_tool(work: Compilation, phase: PhaseModel, path: PlanPath) -> ToolLoad | None:
    """Compile what a tool runs; what can't be leaves a fault and gives None."""
    before = len(work.faults)
    directory = Path(work.span((*path, "tool")).file).absolute().parent
    script, shown = _script(work, phase.script, (*path, "script"), directory)
    args = _args(work, str(phase.tool), phase.args or (), (*path, "args"))
    names = tuple(phase.env or {})
    values = [_text(work, value, (*path, "env", name)) for name, value in (phase.env or {}).items()]
    timeout_ns = work.settle(phase.timeout, (*path, "timeout"), _TIMEOUT_NS)
    if not timeout_ns:
        hint = "write a longer `timeout`"
        work.fault((*path, "timeout"), Code.NO_LOAD, "the phase takes no time", hint=hint)
    if len(work.faults) > before:
        return None
    mask = Masker(to_text(work.constants[name]) for name in work.secrets)
    shown_args = tuple(map(mask, args))
    for index in (place for place, word in enumerate(args) if word != shown_args[place]):
        work.notice(
            (*path, "args", index),
            f"a secret is on the command line of {phase.tool}, which everybody on its machine can "
            "read: give it in `env`",
        )
    return ToolLoad(
        tool=str(phase.tool),
        timeout_ns=timeout_ns,
        script=script,
        shown_script=mask(shown),
        args=args,
        shown_args=shown_args,
        env=tuple(zip(names, values, strict=True)),
        directory=directory,
    )


def _script(
    work: Compilation, text: Text | None, path: PlanPath, directory: Path
) -> tuple[Path | None, str]:
    if text is None:
        return None, ""
    name = _text(work, text, path)
    script = directory / name
    try:
        if name and not work.is_of_worker:
            check_file(script, most=ANY_SIZE)
    except FileFault as fault:
        work.fault(path, fault.code, f"`{name}` {fault.message}", hint=fault.hint)
    return script, name


def _args(work: Compilation, name: str, texts: Sequence[Text], path: PlanPath) -> tuple[str, ...]:
    found = tuple(_text(work, text, (*path, index)) for index, text in enumerate(texts))
    for index, word in enumerate(found):
        for option, hint in named_tool(name).reserved.items():
            if gives(word, option):
                message = f"planrunner gives {name} its `{option}` itself"
                work.fault((*path, index), Code.CONFLICTING_KEYS, message, hint=hint)
    return found


def _text(work: Compilation, text: Text, path: PlanPath) -> str:
    return work.constant_text(text, path, work.constant_names) or ""
