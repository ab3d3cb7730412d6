"""Binds the steps of a plan to their place in a phase: one coroutine function per step.

Requests, the hot path, have a module of their own: `requests`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, assert_never

from planrunner.compiler.graph import (
    Evaluate,
    GroupNode,
    HeaderNode,
    RequestNode,
    SetNode,
    StepNode,
    ThinkNode,
)
from planrunner.engine.actor import Actor, IterationEnded, Step
from planrunner.engine.recorder import PhaseRecorder, Site, span_recorder
from planrunner.engine.requests import demanding_request, plain_request
from planrunner.language.values import EvaluationError, to_text
from planrunner.metrics.series import Labels
from planrunner.protocols.base import Client, Exchange, FailureKind

__all__ = ["Binder", "Place", "Wires"]

Tags = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the plan a step stands: the part of its labels that comes from around it."""

    user: str
    task: str = ""
    groups: tuple[str, ...] = ()
    tags: Tags = ()


class Wires:
    """The open clients of a run, and every exchange bound to its client exactly once."""

    def __init__(self, clients: Mapping[str, Client]) -> None:
        self.clients = tuple(clients.values())
        self._positions = {name: position for position, name in enumerate(clients)}
        # Keyed by identity: a frozen exchange may hold what cannot be hashed. The exchange is
        # kept beside its binding, so its identity stays its own.
        self._bound: dict[int, tuple[Exchange, Any]] = {}

    def bind(self, exchange: Exchange) -> tuple[int, Any]:
        """Position of the exchange's client in `clients`, and the bound operation."""
        position = self._positions[exchange.protocol]
        known = self._bound.get(id(exchange))
        if known is None:
            known = exchange, self.clients[position].bind(exchange)
            self._bound[id(exchange)] = known
        return position, known[1]


class Binder:
    """Binds steps for one phase."""

    def __init__(self, recorder: PhaseRecorder, wires: Wires) -> None:
        self._recorder = recorder
        self._wires = wires

    def steps(self, nodes: Sequence[StepNode], place: Place) -> tuple[Step, ...]:
        return tuple(_only_when(node.when, self._step(node, place)) for node in nodes)

    def span(self, kind: str, name: str, place: Place) -> Callable[[int, int, str], None]:
        """Return what records the iterations or a group of this place."""
        return span_recorder(Site(self._recorder, self._labels(kind, name, "", place)))

    def _step(self, node: StepNode, place: Place) -> Step:
        match node:
            case RequestNode():
                return self._request(node, place)
            case ThinkNode():
                return _think(node)
            case SetNode():
                return _set(node)
            case HeaderNode():
                return _header(node)
            case GroupNode():
                return self._group(node, place)
            case _ as unreachable:
                assert_never(unreachable)

    def _request(self, node: RequestNode, place: Place) -> Step:
        exchange = node.exchange
        labels = self._labels("request", node.name, exchange.method, place, tags=node.tags)
        site = Site(self._recorder, replace(labels, measured=node.measured), accept=exchange.accept)
        position, bound = self._wires.bind(exchange)
        if exchange.checks or exchange.extractors or node.reads_reply or node.reply_tags:
            return demanding_request(node, site, position, bound)
        return plain_request(site, position, bound)

    def _group(self, node: GroupNode, place: Place) -> Step:
        inside = replace(place, groups=(*place.groups, node.name))
        return _group(self.steps(node.steps, inside), self.span("group", node.name, place))

    def _labels(
        self, kind: str, name: str, method: str, place: Place, *, tags: Tags = ()
    ) -> Labels:
        return Labels(
            request=name,
            method=method,
            kind=kind,
            phase=self._recorder.phase,
            stage="",
            user=place.user,
            task=place.task,
            groups=place.groups,
            tags=tuple(sorted({*place.tags, *tags})),
        )


def _only_when(when: Evaluate | None, step: Step) -> Step:
    if when is None:
        return step

    async def step_if(user: Actor) -> None:
        if evaluated(user, when):
            await step(user)

    return step_if


def _think(node: ThinkNode) -> Step:
    pause = node.pause

    async def think(user: Actor) -> None:
        await user.pause(user.drawer(pause)())

    return think


def _set(node: SetNode) -> Step:
    values = node.values

    async def set_values(user: Actor) -> None:
        scope = user.scope
        for name, evaluate in values:
            scope[name] = evaluated(user, evaluate)

    return set_values


def _header(node: HeaderNode) -> Step:
    values = node.values

    async def set_headers(user: Actor) -> None:
        for name, evaluate in values:
            value = None if evaluate is None else evaluated(user, evaluate)
            for session in user.sessions:
                session.set_header(name, None if value is None else to_text(value))

    return set_headers


def _group(steps: tuple[Step, ...], record: Callable[[int, int, str], None]) -> Step:
    async def group(user: Actor) -> None:
        began_ns, thought_ns = user.moment_ns, user.thought_ns
        before, user.failure = user.failure, ""
        try:
            for step in steps:
                await step(user)
        finally:  # a group that was ended or cancelled inside is a sample too
            took_ns = user.moment_ns - began_ns - (user.thought_ns - thought_ns)
            record(began_ns, took_ns, user.failure)
            user.failure = before or user.failure

    return group


def evaluated(user: Actor, evaluate: Evaluate) -> object:
    """Evaluate an expression of a step that is no request.

    Raises:
        IterationEnded: It has no value; the iteration fails as `extract`.
    """
    try:
        return evaluate(user.scope)
    except EvaluationError as error:
        user.failure = user.failure or FailureKind.EXTRACT.value
        raise IterationEnded(str(error)) from error
