"""The user that a function gets: requests like those of steps, and the rest of what steps do."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncIterator,
    Callable,
    Coroutine,
    Generator,
)
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from datetime import timedelta
from functools import lru_cache
from math import inf
from random import Random
from types import coroutine
from typing import Any, Final, NoReturn

from planrunner.engine.steps.flow import timed_together
from planrunner.engine.steps.functions.lanes import Lanes
from planrunner.engine.steps.functions.patience import Patience
from planrunner.engine.steps.functions.places import FunctionPlace
from planrunner.engine.steps.functions.replies import FunctionReply
from planrunner.engine.steps.functions.shapes import VALUES
from planrunner.engine.steps.functions.variables import UserVars
from planrunner.engine.users.user_context import Actor, IterationEnded, NeverBegun, StepsStopped
from planrunner.language.fields.pauses import parse_pause
from planrunner.schedule.pauses import Pause, PauseKind
from planrunner.units import NS_PER_MS, NS_PER_S

__all__ = ["EVENTS", "CallOver", "FunctionUser", "TaskFailed"]

EVENTS: Final = (IterationEnded, StepsStopped, NeverBegun)
"""What ends an iteration from within."""

_SHORT_NS: Final = 5 * NS_PER_MS  # what a call may take before others notice

_place: ContextVar[FunctionPlace] = ContextVar("place")
"""Where the running part of a function is: parts that run side by side have groups of their own."""


class CallOver(Exception):  # noqa: N818 - an event, not an error of ours
    """A call has returned, and what it has left behind may go on."""


class TaskFailed(Exception):  # noqa: N818 - reads as the sentence it stands for
    """A function says that its task has failed."""


class FunctionUser:
    """One call's view of a virtual user; see `planrunner.User`.

    Attributes:
        event: What ended the call or its iteration, if something did; nothing more is sent then.
        asked: Requests that the function has asked for …
        begun: … and those that it let begin.
        lanes: Those beside each other, if there were any.
        patience: With the function, once it was cancelled.
    """

    __slots__ = (
        "_actor",
        "_is_busy",
        "_is_driving",
        "_place",
        "_vars",
        "asked",
        "begun",
        "event",
        "lanes",
        "patience",
    )

    def __init__(self, actor: Actor, place: FunctionPlace) -> None:
        self._actor = actor
        self._place = place
        self._is_busy = self._is_driving = False
        self.lanes: Lanes | None = None
        self.patience: Patience | None = None
        self._vars: UserVars | None = None
        self.event: BaseException | None = None
        self.asked = self.begun = 0

    # -- requests --------------------------------------------------------------------------------

    def get(self, url: str, **keys: Any) -> Coroutine[Any, Any, FunctionReply]:  # noqa: ANN401 - as plans have them
        self.asked += 1
        return self._send("get", url, keys)

    def post(self, url: str, **keys: Any) -> Coroutine[Any, Any, FunctionReply]:  # noqa: ANN401 - as above
        self.asked += 1
        return self._send("post", url, keys)

    def put(self, url: str, **keys: Any) -> Coroutine[Any, Any, FunctionReply]:  # noqa: ANN401 - as above
        self.asked += 1
        return self._send("put", url, keys)

    def patch(self, url: str, **keys: Any) -> Coroutine[Any, Any, FunctionReply]:  # noqa: ANN401 - as above
        self.asked += 1
        return self._send("patch", url, keys)

    def delete(self, url: str, **keys: Any) -> Coroutine[Any, Any, FunctionReply]:  # noqa: ANN401 - as above
        self.asked += 1
        return self._send("delete", url, keys)

    def head(self, url: str, **keys: Any) -> Coroutine[Any, Any, FunctionReply]:  # noqa: ANN401 - as above
        self.asked += 1
        return self._send("head", url, keys)

    def options(self, url: str, **keys: Any) -> Coroutine[Any, Any, FunctionReply]:  # noqa: ANN401 - as above
        self.asked += 1
        return self._send("options", url, keys)

    def act(self, action: str, **keys: Any) -> Coroutine[Any, Any, FunctionReply]:  # noqa: ANN401 - as above
        self.asked += 1
        return self._send(action, "", keys)

    def __getattr__(self, name: str) -> _Actions:
        if name.startswith("_"):
            raise AttributeError(name)
        return _Actions(self, name)

    async def _send(self, action: str, subject: str, keys: dict[str, Any]) -> FunctionReply:
        """Send a request; the fast way is for one at a time, from the function itself."""
        self.begun += 1
        if not self._is_driving or self._is_busy or self.event is not None:
            return await self._send_beside(action, subject, keys)
        shapes, values = self._place.shapes, None
        call = None if keys else shapes.plain.get((action, subject))
        if call is None:
            call, values = shapes.of(action, subject, keys)
        actor = self._actor
        if values is not None:
            actor.scope[VALUES] = values
        before, actor.failure = actor.failure, ""
        self._is_busy = True
        try:
            rest = call.step(actor)
            reply = actor.reply if rest is None else await rest
            assert reply is not None  # a request gives one
            failure = actor.failure
            if call.is_plain:
                return FunctionReply(reply, failure, call.name)
            return await call.concluded(reply, failure, actor)
        except EVENTS as event:
            self.event = event
            raise
        finally:
            self._is_busy = False
            if before:
                actor.failure = before
            if self.lanes is not None:
                self.lanes.give_back(actor)

    async def _send_beside(self, action: str, subject: str, keys: dict[str, Any]) -> FunctionReply:
        """Send a request from a task that the function has made, or beside another one."""
        await self._may_send()
        call, values = _place.get(self._place).shapes.of(action, subject, keys)
        lanes = self.lanes = self.lanes or Lanes(self._actor)
        async with lanes.one(is_first_free=not self._is_busy) as actor:
            await self._may_send()
            actor.scope[VALUES] = values
            try:
                rest = call.step(actor)
                reply = actor.reply if rest is None else await rest
                assert reply is not None  # a request gives one
                return await call.concluded(reply, actor.failure, actor)
            except EVENTS as event:
                if self.event is None:
                    self.event = event
                raise
            finally:
                lanes.join(actor, call.extracted)

    async def _may_send(self) -> None:
        """Return unless nothing more is sent."""
        event = self.event
        if event is None:
            return
        await asyncio.sleep(0)  # or a function that tries for ever would be alone in the loop
        if isinstance(event, CallOver):
            self._actor.counters.too_late[self._place.shared.node.name] += 1
            raise asyncio.CancelledError  # which a task that nobody awaits ends with in silence
        raise event

    async def finish(self, *, cut: bool = False) -> None:
        """Let what is under way end; cut it if the user itself was cut."""
        if self.patience is not None:
            self.patience.end()
        if not cut:
            await asyncio.sleep(0)  # tasks that were created just now begin
        if self.lanes is not None:
            await self.lanes.emptied(cut=cut)

    @coroutine
    def drive(self, work: Coroutine[Any, Any, object]) -> Generator[Any, Any, None]:
        """Await the function's own coroutine, and note how long it held up everything else."""
        now = self._actor.clock.now_ns
        given: BaseException | None = None
        while True:
            began_ns = now()
            self._is_driving = True
            try:
                future = work.send(None) if given is None else work.throw(given)
            except StopIteration:
                return
            finally:
                self._is_driving = False
                if (took_ns := now() - began_ns) > _SHORT_NS:
                    name = self._place.shared.node.name
                    self._actor.counters.blocked(name, took_ns, took_ns)
            given = None
            try:
                yield future
            except asyncio.CancelledError as error:
                given = error
                if self._is_ended(work, error):
                    raise
            except BaseException as error:  # noqa: BLE001 - whatever was awaited: it is the work's
                given = error

    def _is_ended(self, work: Coroutine[Any, Any, object], error: BaseException) -> bool:
        """Say whether the function has been cancelled, and has gone on for too long since."""
        actor = self._actor
        if actor.is_cut or (actor.limit is not None and actor.limit.expired()):
            self.event = self.event or error
        self.patience = self.patience or Patience()
        if not self.patience.is_over():
            return False
        actor.counters.forced[self._place.shared.node.name] += 1
        with suppress(BaseException):  # the last that it says
            work.close()
        return True

    # -- the user itself -------------------------------------------------------------------------

    @property
    def vars(self) -> UserVars:
        if self._vars is None:
            self._vars = UserVars(self._actor, self._place)
        return self._vars

    @property
    def random(self) -> Random:
        return self._actor.rng

    @property
    def id(self) -> Any:  # noqa: ANN401 - a number
        identity: Any = self._actor.scope.get("user", {})
        return identity.get("id", 0)

    async def pause(self, length: float | str | timedelta) -> None:
        draw = self._actor.drawer(_pause_of(length))
        await self._actor.pause(draw(), soundly=True)

    @asynccontextmanager
    async def group(self, name: str) -> AsyncIterator[None]:
        around = _place.get(self._place)
        place = around.inside(name)
        is_own, token = self._is_driving, _place.set(place)
        if is_own:
            self._place = place
        try:
            with timed_together(self._actor, place.record):
                yield
                self._actor.moment_ns = self._actor.clock.now_ns()
        finally:
            _place.reset(token)
            if is_own:
                self._place = around

    def header(self, name: str, value: str | None) -> None:
        for session in self._actor.sessions:
            session.set_header(name, value)

    def log(self, line: object) -> None:
        self._place.shared.log.write(str(line), self._actor.scope)

    def fail(self, why: str) -> NoReturn:
        raise TaskFailed(why)

    def __repr__(self) -> str:
        return f"<User {self.id} of {self._place.shared.user_class}>"


class _Actions:
    """The actions of a protocol: `user.etcd.put(…)`."""

    __slots__ = ("_protocol", "_user")

    def __init__(self, user: FunctionUser, protocol: str) -> None:
        self._user = user
        self._protocol = protocol

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, FunctionReply]]:
        action = f"{self._protocol}.{name}"

        def act(*subjects: object, **keys: Any) -> Coroutine[Any, Any, FunctionReply]:  # noqa: ANN401 - as plans have them
            if subjects:
                raise TypeError(
                    f"`user.{action}` takes what a plan writes below `{action}`, each by its name; "
                    "requests over HTTP are `user.get(url)`, `user.post(url)` and so on"
                )
            return self._user.act(action, **keys)

        return act


@lru_cache(maxsize=256)
def _pause_of(length: float | str | timedelta) -> Pause:
    """Return a pause; the same object for the same words, as drawers are kept by pause."""
    if isinstance(length, str):
        read = parse_pause(length)
        return Pause(PauseKind(read.kind), read.first, read.second)
    seconds = length.total_seconds() if isinstance(length, timedelta) else length
    if not 0 <= seconds < inf:
        raise ValueError(f"a pause can't take {seconds:g} seconds")
    return Pause(PauseKind.CONSTANT, round(seconds * NS_PER_S))
