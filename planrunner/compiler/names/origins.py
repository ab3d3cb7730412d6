"""Where the values of a plan with defaults come from, for people."""

from __future__ import annotations

from collections.abc import Iterator

from planrunner.compiler.names.params import shown_param
from planrunner.graph.value_origin import ValueOrigin
from planrunner.plan.defaults.sections import SECTIONS
from planrunner.plan.loader import CheckedPlan
from planrunner.plan.params.resolve import Param, ParamSource
from planrunner.plan.yaml.document import PlanPath
from planrunner.plan.yaml.edits import COMMAND_LINE

__all__ = ["origins_of"]


def origins_of(plan: CheckedPlan) -> tuple[ValueOrigin, ...]:
    """Return each key that defaults can give, with its place; none for a plan without defaults."""
    return tuple(_origins(plan)) if plan.bundle.defaults else ()


def _origins(plan: CheckedPlan) -> Iterator[ValueOrigin]:
    for section in SECTIONS:
        value = plan.document.value((section,))
        if section == "params":
            yield from (_of_param(plan, name, param) for name, param in plan.params.items())
        elif isinstance(value, dict):
            yield from (
                ValueOrigin(f"{section}.{key}", _place(plan, (section, str(key)))) for key in value
            )
        elif value is not None:
            yield ValueOrigin(section, _place(plan, (section,)))


def _of_param(plan: CheckedPlan, name: str, param: Param) -> ValueOrigin:
    environment, place = plan.sources.environment, ("params", name)
    model = (plan.model.params or {}).get(name)
    match param.source:
        case ParamSource.OVERRIDE:
            where = f"--set {name}"
        case ParamSource.ENVIRONMENT:
            at = _place(plan, ("environments", str(environment), name))
            where = f"environment {environment}, {at}"
        case ParamSource.VARIABLE:
            where = f"environment variable {model.env if model else ''}"
        case ParamSource.MISSING:
            where = "no value"
        case ParamSource.DEFAULT:
            where = _place(plan, (*place, "default"))
    return ValueOrigin(f"params.{name}", where, shown_param(param))


def _place(plan: CheckedPlan, path: PlanPath) -> str:
    span = plan.document.span(path, "key")
    return "the command line" if span.file == COMMAND_LINE else f"{span.file}:{span.line}"
