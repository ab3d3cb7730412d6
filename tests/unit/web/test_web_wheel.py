"""What viewers ask of the load of a run, and what they hear when that can't be."""

from __future__ import annotations

import asyncio

import pytest

from planrunner.engine import ChangedLoad, Steering, Stop
from planrunner.errors import UsageError
from planrunner.graph.loads import SetLevel
from planrunner.units import NS_PER_S, Rate
from planrunner.web.feed.messages import LoadAsked, LoadRefused, StopAsked
from planrunner.web.feed.wheel import heed
from planrunner.web.live.live_run import LiveRun
from tests.support.web_pages import facts, second


class Wire:
    """The other end of a page that asks these things, and then is gone."""

    def __init__(self, *asked: object) -> None:
        self._asked = iter(asked)
        self.said: list[object] = []

    async def receive(self) -> object:
        try:
            return next(self._asked)
        except StopIteration:
            raise EOFError from None

    def send(self, message: object) -> None:
        self.said.append(message)


class Wheel(Steering):
    """Notes how it is turned; `busy` has 10 users, `shop` 10/s, and nothing else runs."""

    def __init__(self) -> None:
        super().__init__()
        self.turned: list[object] = []

    def level(self, phase: str) -> SetLevel | None:
        if phase not in ("busy", "shop"):
            raise UsageError(f"phase `{phase}` doesn't run", hint="look again")
        return 10 if phase == "busy" else Rate(10, NS_PER_S)

    def change(self, phase: str, level: SetLevel) -> ChangedLoad:
        self.turned.append(level)
        return ChangedLoad(phase, 0, 10, level)

    def pause(self, phase: str) -> ChangedLoad:
        return self.change(phase, 0)


def asked(*requests: object) -> tuple[Wheel, Stop, list[object]]:
    wire, stop, wheel = Wire(*requests), Stop(), Wheel()
    asyncio.run(heed(wire, stop, wheel))  # type: ignore[arg-type]  # as much of a transport as it uses
    return wheel, stop, wire.said


@pytest.mark.parametrize(
    ("phase", "text", "level"),
    [
        ("busy", " 25 ", 25),
        ("shop", "20", Rate(20, NS_PER_S)),
        ("shop", "0.5/s", Rate(1, 2 * NS_PER_S)),
        ("shop", "600/m", Rate(10, NS_PER_S)),
    ],
)
def test_a_level_is_users_or_a_rate(phase: str, text: str, level: SetLevel) -> None:
    wheel, _, said = asked(LoadAsked(phase, "set", text), LoadAsked(phase, "pause"))

    assert (wheel.turned, said) == ([level, 0], [])


@pytest.mark.parametrize(
    ("phase", "text", "words"),
    [
        ("busy", "-1", "`-1` is not a number of users"),
        ("busy", "٣", "`٣` is not a number of users"),
        ("shop", "fast", "`fast/s` is not a rate"),
        ("other", "3", "phase `other` doesn't run"),
    ],
)
def test_what_can_not_be_is_told_and_the_next_is_heard(phase: str, text: str, words: str) -> None:
    wheel, stop, said = asked(LoadAsked(phase, "set", text), StopAsked(at_once=False))

    (refusal,) = said
    assert isinstance(refusal, LoadRefused)
    assert (refusal.message, bool(refusal.hint)) == (words, True)
    assert (wheel.turned, stop.reason) == ([], "stopped from the live page")


def test_a_change_is_kept_and_what_is_asked_for_follows() -> None:
    run = LiveRun(facts())
    run.take(LoadRefused("no", "try again"))
    changed = run.take(ChangedLoad("main", 3 * NS_PER_S, 10, 4))
    run.take(second(4, {"GET /": [10]}))
    state = run.state()

    assert changed is not None
    assert changed["changes"] == state["changes"]
    assert state["changes"][0]["words"] == "from 10 users to 4 users"
    assert state["status"]["refused"] is None
    assert state["status"]["stages"] == {"main": "changed by hand"}
