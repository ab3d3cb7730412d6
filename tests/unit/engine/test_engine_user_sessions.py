"""What clients give to users by their number, and what ends with an iteration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from planrunner.clock import Clock
from planrunner.engine.users.sessions import Sessions
from planrunner.graph.run_graph import PhaseNode, SessionLife
from planrunner.protocols.base import Client, Session
from tests.support.graphs import (
    FakeClient,
    FakeSession,
    FakeTarget,
    closed,
    make_graph,
    request,
    run_graph,
    task,
    user_class,
)
from tests.support.loads import counted, open_phase


class NumberingTarget(FakeTarget):
    """Notes for which users sessions were opened, and when iterations ended."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: list[int] = []
        self.events: list[str] = []

    def open(self, settings: Mapping[str, Any], clock: Clock) -> Client:
        return _Client(self, clock)


class _Client(FakeClient):
    ends_iterations = True

    def session_of(self, number: int) -> Session:
        assert isinstance(self.target, NumberingTarget)
        self.target.numbers.append(number)
        return _Session(self)


class _Session(FakeSession):
    async def send(self, bound: Any, scope: Any) -> Any:
        self._target.events.append("sent")
        return await super().send(bound, scope)

    async def end_iteration(self) -> None:
        self._target.events.append("ended")

    @property
    def _target(self) -> NumberingTarget:
        target = self._client.target
        assert isinstance(target, NumberingTarget)
        return target


def test_users_of_all_classes_are_numbered_in_turn() -> None:
    """Each class begins one further on, so that ten classes of one user don't share a number."""
    target = NumberingTarget()
    classes = [user_class(task("get", request()), name=name, count=2) for name in ("A", "B", "C")]
    phase = replace(counted(6, iterations=6), classes=("A", "B", "C"))
    run_graph(make_graph(classes, phase), target=target)

    assert sorted(target.numbers) == [0, 1, 1, 2, 2, 3]


@pytest.mark.parametrize("session", [None, SessionLife.USER, SessionLife.ITERATION])
@pytest.mark.parametrize("phase", [counted(1, iterations=2), open_phase(2, 1), closed(1, 2)])
def test_every_iteration_ends(phase: PhaseNode, session: SessionLife | None) -> None:
    """In every model of load and whatever a visitor is, once and behind its last request."""
    target = NumberingTarget()
    program = user_class(
        task("get", request(), request()), session=session, on_stop=(request("bye"),)
    )
    run_graph(make_graph(program, phase), target=target)

    events = " ".join(target.events)
    assert "ended ended" not in events
    last = "sent sent sent ended" if session is SessionLife.ITERATION else "sent sent ended sent"
    assert events.startswith("sent sent")
    assert events.endswith(last)


def test_clients_that_know_nothing_of_it_are_asked_for_nothing() -> None:
    """A plan without the feature runs as before."""
    client = FakeClient(FakeTarget(), None)  # type: ignore[arg-type]
    sessions = Sessions({"fake": client})

    assert sessions.ends(sessions.open(3)) == []


class TwoWays(NumberingTarget):
    """Its sessions have a method that sends nothing but requests."""

    def open(self, settings: Mapping[str, Any], clock: Clock) -> Client:
        return _ClientWithWays(self, clock)


class _ClientWithWays(_Client):
    ways = ("send", "send_request")

    def session_of(self, number: int) -> Session:
        return _SessionWithWays(self)

    def way_of(self, bound: Any) -> str:
        return "send_request"


class _SessionWithWays(_Session):
    ways = _ClientWithWays.ways

    async def send_request(self, bound: Any, scope: Any) -> Any:
        self._target.events.append("by its own method")
        return await super().send(bound, scope)


def test_a_request_is_sent_by_the_method_that_its_client_names() -> None:
    """So a session need not look at what it sends."""
    target = TwoWays()
    program = user_class(task("get", request()), count=1)
    run_graph(make_graph([program], counted(1, iterations=1)), target=target)

    assert target.events == ["by its own method", "sent", "ended"]
