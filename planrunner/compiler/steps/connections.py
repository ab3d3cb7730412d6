"""Connections with names, which one step opens for others: known on the way, as variables are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from planrunner.compiler.steps.walk import StepWalk
from planrunner.language.diagnostics import Code, suggest
from planrunner.plan.models.requests import Operation
from planrunner.plan.models.steps import FlowModel, StepModel
from planrunner.plan.yaml.document import PlanPath

__all__ = ["follow_connection", "kept_by", "lasting", "opened_by"]


def opened_by(request: Operation) -> frozenset[tuple[str, str]]:
    """Return the connection that a request opens, if it does."""
    if request.connection_use != "opens":
        return frozenset()
    return frozenset({(request.plugin.name, request.connection_name)})


def kept_by(
    steps: Iterable[StepModel], flows: Mapping[str, FlowModel]
) -> frozenset[tuple[str, str]]:
    """Return the connections that steps of iterations open for as long as their user lives.

    Whichever iteration opens one, all later ones have it, those of other tasks too.
    """
    found: set[tuple[str, str]] = set()
    seen: set[str] = set()
    waiting = [*steps]
    while waiting:
        step = waiting.pop()
        waiting += [inner for _, several in step.inside() for inner in several]
        if step.called in flows and step.called not in seen:
            seen.add(step.called)
            waiting += flows[step.called].do
        request = step.operation
        opened = frozenset() if request is None else opened_by(request)
        if opened and request is not None and getattr(request.spec, "keep", None) == "user":
            found |= opened
    return frozenset(found)


def follow_connection(walk: StepWalk, request: Operation, inside: PlanPath) -> None:
    """Note the connection that a request opens or ends, or a fault where it needs one in vain.

    `inside` is where its keys stand.
    """
    use = request.connection_use
    if not use:
        return
    name = request.connection_name
    own, known = (request.plugin.name, name), walk.known.connections
    if use == "opens":
        walk.known = replace(walk.known, connections=known | {own})
        return
    names = sorted(other for protocol, other in known if protocol == request.plugin.name)
    if not walk.known.is_open:  # else functions of the plan may open others
        _check(walk, request, names, inside)
    if use == "ends" and names:
        ended = own if name else (request.plugin.name, names[0])
        walk.known = replace(walk.known, connections=known - {ended})


def lasting(walk: StepWalk, request: Operation, spec: Any) -> Any:  # noqa: ANN401 - of any protocol
    """Return what a request says so that a connection opened outside an iteration is kept."""
    if request.connection_use != "opens" or walk.known.in_iteration or spec.keep is not None:
        return spec
    return spec.model_copy(update={"keep": "user"})


def _check(walk: StepWalk, request: Operation, names: list[str], inside: PlanPath) -> None:
    name, place = request.connection_name, (*inside, "on")
    opens = next(word for word, one in request.plugin.actions.items() if one.connection == "opens")
    listed = ", ".join(f"`{one}`" for one in names if one)
    if not names:
        message = f"no connection is open here, so there is nothing for `{request.action}`"
        hint = (
            f"add a step `{opens}` before it or in `on_start`, or `keep: user` to that of "
            "another task"
        )
        walk.work.fault(inside, Code.MISSING_KEY, message, hint=hint, part="key")
    elif name and name not in names:
        hint = suggest(name, names) or (f"connections: {listed}" if listed else "remove `on`")
        walk.work.fault(place, Code.UNKNOWN_NAME, f"unknown connection `{name}`", hint=hint)
    elif not name and len(names) > 1:
        message = f"`{request.action}` does not say which connection it is about"
        hint = (
            f"add `on:` with one of {listed}"
            if "" not in names
            else (f"give each `{opens}` a name with `on:`, and say it here too")
        )
        walk.work.fault(inside, Code.MISSING_KEY, message, hint=hint, part="key")
