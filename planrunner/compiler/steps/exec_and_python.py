"""Steps that leave the plan: functions of its hooks file, and commands. Nothing is run here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from planrunner.compiler.steps.command_words import split_command
from planrunner.compiler.steps.walk import Hooks, StepWalk
from planrunner.graph.steps import Evaluate, ExecNode, PythonNode, StepNode, Word
from planrunner.language.diagnostics import Code, suggest
from planrunner.plan.models.steps import StepModel
from planrunner.plan.yaml.document import PlanPath
from planrunner.units import NS_PER_S

__all__ = ["compile_exec", "compile_python", "functions_in"]

_EXEC_TIMEOUT_NS: Final = 30 * NS_PER_S


def compile_python(
    walk: StepWalk, model: StepModel, path: PlanPath, when: Evaluate | None, _: frozenset[str]
) -> StepNode:
    python = model.python
    assert python is not None
    inside = (*path, "python")
    _must_be_defined(walk, python.call, walk.hooks, inside)
    arguments = [
        (name, walk.work.value(value, (*inside, "args", name), walk.known).evaluate)
        for name, value in (python.args or {}).items()
    ]
    if python.as_:
        walk.write_as(python.as_, (*inside, "as"))
    return PythonNode(python.call, tuple(arguments), python.as_ or "", when)


def _must_be_defined(walk: StepWalk, name: str, hooks: Hooks | None, path: PlanPath) -> None:
    if hooks is None:
        hint = "add `hooks: hooks.py`, a file with the function"
        walk.work.fault(path, Code.MISSING_KEY, "the plan names no `hooks:` file", hint=hint)
    elif hooks.functions is not None and name not in hooks.functions:
        known = sorted(hooks.functions)
        hint = suggest(name, known) or "functions: " + (", ".join(known) or "none")
        walk.work.fault(
            (*path, "call"),
            Code.UNKNOWN_NAME,
            f"`{hooks.path.name}` has no function `{name}`",
            hint=hint,
        )


def functions_in(source: bytes) -> frozenset[str]:
    """Return what a Python file defines or imports at its top level; it isn't run.

    Raises:
        SyntaxError: It is no Python.
        ValueError: It holds bytes that no source file can.
    """
    return frozenset(_defined(ast.parse(source).body))


def _defined(body: list[ast.stmt]) -> Iterator[str]:
    for statement in body:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ImportFrom(names=names):
                yield from (alias.asname or alias.name for alias in names)
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))
            case ast.If(body=then, orelse=otherwise):
                yield from _defined(then)
                yield from _defined(otherwise)
            case ast.Try(body=attempted, handlers=handlers):
                yield from _defined(attempted)
                for handler in handlers:
                    yield from _defined(handler.body)
            case _:
                pass


def compile_exec(
    walk: StepWalk, model: StepModel, path: PlanPath, when: Evaluate | None, _: frozenset[str]
) -> StepNode:
    command = model.exec_
    assert command is not None
    inside = (*path, "exec")
    timeout_ns = walk.work.settle(command.timeout, (*inside, "timeout"), _EXEC_TIMEOUT_NS)
    words: tuple[Word, ...] = ()
    if walk.work.check_all(command.run, (*inside, "run"), walk.known):
        words = split_command(walk.work, command.run, (*inside, "run"))
    if command.as_:
        walk.write_as(command.as_, (*inside, "as"))
    return ExecNode(
        words=words,
        shown=command.run.source,
        directory=_directory(walk, path),
        timeout_ns=timeout_ns,
        target=command.as_ or "",
        when=when,
    )


def _directory(walk: StepWalk, path: PlanPath) -> Path:
    return Path(walk.work.span(path).file).parent
