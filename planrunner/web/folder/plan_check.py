"""What `validate` and `explain` say of a plan, and what a form needs to start it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from planrunner.compiler import compile_plan
from planrunner.errors import UsageError
from planrunner.explain.explain import explain_text
from planrunner.explain.plan_names import names_by_kind
from planrunner.graph.run_graph import RunGraph
from planrunner.language.diagnostics import PlanError
from planrunner.language.secrets import Masker
from planrunner.plan.loader import CheckedPlan, InvalidPlan
from planrunner.plan.models.params import ParamModel
from planrunner.plan.no_exec import commands_of
from planrunner.runner.request import folder_of_runs
from planrunner.web.folder.choices import PlanChoices
from planrunner.web.folder.order import digest_of, loaded_plan

__all__ = ["plan_check"]

_KINDS: Final = ("profiles", "environments", "cases", "phases", "users", "tasks", "tags")


def plan_check(
    path: Path, choices: PlanChoices, environ: dict[str, str], *, no_exec: bool
) -> dict[str, Any]:
    """Return it as JSON, secrets masked."""
    faults: list[dict[str, Any]] = []
    plan, graph = None, None
    try:
        plan = loaded_plan(path, choices, environ, no_exec=no_exec)
        graph = compile_plan(plan, selection=choices.selection)
    except PlanError as error:
        faults = [one.as_json() for one in error.diagnostics]
        plan = plan or _draft(error)
    except UsageError as error:  # a choice that the plan doesn't have
        faults = [_fault(path, error)]
    found: dict[str, Any] = {
        "path": str(path),
        "name": path.name,
        "description": "",
        "faults": faults,
        "notices": [],
        "explain": None,
        "params": [],
        "commands": [],
        "digest": "",
        "reports": "",
        "files": sorted({str(one["file"]) for one in faults}),
        **{kind: [] for kind in _KINDS},
    }
    if plan is not None:
        found |= _of_plan(plan, choices, graph)
        found["files"] = sorted({*found["files"], *plan.bundle.texts})
    if plan is not None and graph is not None:
        mask = Masker(graph.secrets)
        found |= {"notices": list(graph.notices), "explain": mask(explain_text(graph))}
        found["reports"] = _reports(plan, graph)
    return found


def _reports(plan: CheckedPlan, graph: RunGraph) -> str:
    with suppress(UsageError):  # whoever starts it is told
        return str(folder_of_runs(graph, plan.bundle.folders))
    return ""


def _draft(error: PlanError) -> CheckedPlan | None:
    """Return what is sound of an invalid plan, so that a form keeps its fields."""
    cause = error if isinstance(error, InvalidPlan) else error.__cause__
    return cause.draft if isinstance(cause, InvalidPlan) else None


def _fault(path: Path, error: UsageError) -> dict[str, Any]:
    place = {"line": 1, "column": 1, "end_line": 1, "end_column": 1}
    words = {"severity": "error", "code": "usage", "message": error.message, "hint": error.hint}
    return {"file": str(path), **place, **words}


def _of_plan(plan: CheckedPlan, choices: PlanChoices, graph: RunGraph | None) -> dict[str, Any]:
    mask, commands = Masker(plan.secrets), commands_of(plan)
    names = names_by_kind(plan, choices.selection.profile)
    return {
        "name": mask(plan.model.name or ""),
        "description": mask(plan.model.description or ""),
        "params": list(_params(plan, graph)),
        "commands": [{key: mask(text) for key, text in asdict(one).items()} for one in commands],
        "digest": digest_of(plan, commands),
        **{kind: names[kind] for kind in _KINDS},
    }


def _params(plan: CheckedPlan, graph: RunGraph | None) -> Iterator[dict[str, Any]]:
    shown = graph.params if graph else {}
    for name, model in (plan.model.params or {}).items():
        yield {
            "name": name,
            "type": str(model.type),
            "default": None if model.secret else _text(model.default),
            "value": None if model.secret else shown.get(name),
            "choices": [_text(one) for one in model.choices or ()],
            "min": _text(model.min),
            "max": _text(model.max),
            "secret": model.secret,
            "required": _is_required(model),
            "help": model.help or "",
            "env": model.env,
        }


def _is_required(model: ParamModel) -> bool:
    return model.is_required and not model.env


def _text(value: object) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
