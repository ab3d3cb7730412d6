"""What a task needs before it runs, and which task runs in its place."""

from __future__ import annotations

from collections.abc import Sequence

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.names.known_names import Known
from planrunner.graph.run_graph import Needs, TaskProgram
from planrunner.language.diagnostics import Code, suggest
from planrunner.plan.models.users import NeedsModel
from planrunner.plan.yaml.document import PlanPath

__all__ = ["check_substitutes", "compile_needs"]

_WORDS = ("skip", "repick")


def compile_needs(
    work: Compilation, model: NeedsModel | None, path: PlanPath, known: Known
) -> Needs | None:
    if model is None:
        return None
    condition = work.expression(model.is_, (*path, "is"), known)
    return Needs(condition.evaluate, model.is_.source, model.else_)


def check_substitutes(work: Compilation, tasks: Sequence[TaskProgram], path: PlanPath) -> None:
    """Check that every task named by a `needs` exists, and that none waits for itself.

    `path` is that of the list of tasks.
    """
    substitutes = {task.name: _substitute(task) for task in tasks}
    names = list(substitutes)
    for index, task in enumerate(tasks):
        where = (*path, index, "needs", "else")
        name = substitutes[task.name]
        if name and name not in substitutes:
            hint = suggest(name, (*names, *_WORDS)) or "`skip`, `repick` or a task of this class"
            work.fault(where, Code.UNKNOWN_NAME, f"unknown task `{name}`", hint=hint)
        elif task.name in (chain := _chain(task.name, substitutes)):
            cycle = " → ".join((task.name, *chain))
            message = f"tasks run in each other's place: {cycle}"
            work.fault(where, Code.REFERENCE_CYCLE, message)


def _substitute(task: TaskProgram) -> str:
    needs = task.needs
    return "" if needs is None or needs.otherwise in _WORDS else needs.otherwise


def _chain(name: str, substitutes: dict[str, str]) -> list[str]:
    """Return the tasks that may run in the place of `name`, one for the other."""
    chain: list[str] = []
    while (name := substitutes.get(name, "")) and name not in chain:
        chain.append(name)
    return chain
