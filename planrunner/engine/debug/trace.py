"""What one user does, step by step, for debugging a plan: `--once`.

Requests are seen at three places: the tap of the client reports what leaves, the session keeps the
reply, and the step around both knows what became of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, Final, cast

from planrunner.engine.debug.trace_events import (
    MISSING,
    Answer,
    TracedExpectation,
    TracedRequest,
    TracedStep,
    TraceEvent,
    TraceSection,
)
from planrunner.engine.steps.reply_scope import publish_reply
from planrunner.engine.steps.requests import Attempt, JudgeReply, SendAttempt
from planrunner.engine.users.sessions import opener
from planrunner.engine.users.user_context import Actor, IterationEnded, Step
from planrunner.graph.run_graph import (
    BarrierNode,
    ForeachNode,
    FunctionNode,
    ParallelNode,
    PollNode,
    PushNode,
    RepeatNode,
    RequestNode,
    SetNode,
    StepNode,
    WhileNode,
    nested_steps,
)
from planrunner.language.expressions.builtins.names import pool_in
from planrunner.language.expressions.values import evaluation_error
from planrunner.protocols.base import (
    Check,
    Client,
    Exchange,
    Redirect,
    Reply,
    Scope,
    Sent,
    Session,
    Tappable,
)
from planrunner.protocols.telling_clients import IterationBound, IterationSession, Talking

__all__ = ["Trace", "TracedClient"]

_LOOPS: Final = (ForeachNode, PollNode, RepeatNode, WhileNode)
_BESIDE: Final = b"no reply; what came last:"
_ALONE: Final = " (open: there is one user)"

_messages: ContextVar[list[Sent] | None] = ContextVar("messages", default=None)


def _keep_message(message: Sent | Redirect) -> None:
    messages = _messages.get()
    if messages is None:
        return
    if isinstance(message, Sent):
        messages.append(message)
    else:
        messages[-1] = replace(messages[-1], redirect=message)


class TracedClient:
    """A client whose sessions remember their last exchange."""

    def __init__(self, client: Client) -> None:
        self._client = client
        if isinstance(client, Tappable):
            client.tap(_keep_message)

    def bind(self, exchange: Exchange) -> Any:  # noqa: ANN401 - private to the client
        return self._client.bind(exchange)

    def session(self) -> Session:
        return TracedSession(self._client.session())

    def session_of(self, number: int) -> Session:
        return TracedSession(opener(self._client)(number))

    @property
    def ends_iterations(self) -> bool:
        return isinstance(self._client, IterationBound) and self._client.ends_iterations

    def sweep(self, now_ns: int) -> None:
        self._client.sweep(now_ns)

    def listen(self, tell: Callable[[str, Mapping[str, object]], None]) -> None:
        if isinstance(self._client, Talking):
            self._client.listen(tell)

    async def close(self) -> None:
        await self._client.close()


class TracedSession:
    """A session that remembers.

    Attributes:
        sent: The messages of the last request.
        reply: Its reply; None when there is none.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.sent: list[Sent] = []
        self.reply: Reply | None = None

    async def send(self, bound: Any, scope: Scope) -> Reply:  # noqa: ANN401 - as `bind` gave
        self.sent, self.reply = [], None
        before = _messages.set(self.sent)
        try:
            self.reply = await self._session.send(bound, scope)
        finally:
            _messages.reset(before)
        return self.reply

    def set_header(self, name: str, value: str | None) -> None:
        self._session.set_header(name, value)

    def renew(self) -> None:
        self._session.renew()

    def accompany(self, session: TracedSession) -> None:
        cast("Any", self._session).accompany(session._session)

    async def end_iteration(self) -> None:
        await cast("IterationSession", self._session).end_iteration()

    def lanes(self, count: int) -> Sequence[Session]:
        return (self, *map(TracedSession, self._session.lanes(count)[1:]))

    async def close(self) -> None:
        await self._session.close()


class Trace:
    """Wraps bound steps so that they report what they do.

    Args:
        report: Gets the events.
        look_at: Told whose step an event is about, before `report` is.

    Attributes:
        failures: Requests and steps that failed so far.
    """

    def __init__(
        self,
        report: Callable[[TraceEvent], None],
        look_at: Callable[[Scope], None] = lambda _: None,
    ) -> None:
        self._report = report
        self._look_at = look_at
        self._depth = 0
        self.requests = 0
        self.failures = 0
        self._counted: IterationEnded | None = None

    def section(self, kind: str, name: str = "", skipped: str = "", phase: str = "") -> None:
        self._depth = 0
        self._report(TraceSection(kind, name, skipped, phase))

    def say(self, words: str, *, failed: str = "") -> None:
        self.failures += bool(failed)
        self._report(TracedStep(words, self._depth, failed=failed))

    def has_counted(self, ended: IterationEnded) -> bool:
        """Whether the step that ended an iteration was reported as a failure."""
        return ended is self._counted

    def guarded(self, node: StepNode, step: Step) -> Step:
        """Return the step so that what no other report shows is reported: a condition, a loop."""

        async def guard(user: Actor) -> Reply | None:
            try:
                rest = step(user)
                return None if rest is None else await rest
            except IterationEnded as ended:
                if not self.has_counted(ended):
                    self._counted = ended
                    self.say(node.summary, failed=str(ended) or user.words)
                raise

        return guard

    def step(self, node: StepNode, step: Step) -> Step:
        """Return the step so that it is reported."""
        if isinstance(node, RequestNode) and not node.runs_here:
            return self._request(node, step)
        if nested_steps(node) or isinstance(node, FunctionNode | ParallelNode | PollNode):
            return self._outer(node, step)

        async def traced(user: Actor) -> None:
            failed = ""
            try:
                if (rest := step(user)) is not None:
                    await rest
            except IterationEnded as ended:
                self._counted = ended
                failed = str(ended) or user.words
                raise
            finally:
                self.failures += bool(failed)
                self._look_at(user.scope)
                values = tuple((name, _value(user.scope, name)) for name in _written(node))
                words = node.summary + (_ALONE if isinstance(node, BarrierNode) else "")
                self._report(TracedStep(words, self._depth, values, failed, id(node)))

        return traced

    def _outer(self, node: StepNode, step: Step) -> Step:
        async def traced(user: Actor) -> None:
            is_loop = isinstance(node, _LOOPS)
            self._report(TracedStep(node.summary, self._depth, key=id(node), is_loop=is_loop))
            before = self._depth
            self._depth = before + 1
            try:
                if (rest := step(user)) is not None:
                    await rest
            finally:
                self._depth = before

        return traced

    def _request(self, node: RequestNode, step: Step) -> Step:
        async def traced(user: Actor) -> Reply | None:
            before, user.failure = user.failure, ""
            try:
                rest = step(user)
                return None if rest is None else await rest
            except IterationEnded as ended:
                self._counted = ended
                raise
            finally:
                self._conclude(node, user)
                user.failure = before or user.failure

        return traced

    def attempt(self, node: RequestNode, attempt: Attempt) -> Attempt:
        """Return an attempt of a poll so that it is reported."""

        async def traced(user: Actor, send: SendAttempt, judge: JudgeReply) -> None:
            before, user.failure = user.failure, ""
            try:
                await attempt(user, send, judge)
            except IterationEnded as ended:
                self._counted = ended
                raise
            finally:
                self._conclude(node, user)
                user.failure = before or user.failure

        return traced

    def _conclude(self, node: RequestNode, user: Actor) -> None:
        session = _session_of(user)
        self.requests += not node.is_silent
        self.failures += bool(user.failure)
        exchange, reply = node.exchange, session.reply
        self._look_at(user.scope)
        self._report(
            TracedRequest(
                name=node.name,
                depth=self._depth,
                sent=tuple(session.sent),
                answer=None if reply is None else _copy(reply, exchange),
                verdicts=_verdicts(exchange, reply, user.scope),
                extracted=_taken(node, reply, user),
                failed=user.words if user.failure else "",
                cover=str if reply is None else reply.cover,
                key=id(node),
            )
        )
        session.sent, session.reply = [], None


def _taken(node: RequestNode, reply: Reply | None, user: Actor) -> tuple[tuple[str, object], ...]:
    """Return what was extracted from a reply, and what was recorded of it if it succeeded."""
    if reply is None or reply.failure is not None:
        return ()
    extracted = [(name, user.scope.get(name, MISSING)) for name in node.exchange.extracted]
    records = () if user.failure else node.records
    return (*extracted, *((one.word, one.value(reply, user.scope)) for one in records))


def _session_of(user: Actor) -> TracedSession:
    """Return the session that the user's last request used."""
    sessions = [session for session in user.sessions if isinstance(session, TracedSession)]
    used = [session for session in sessions if session.sent or session.reply is not None]
    return (used or sessions)[0]


def _written(node: StepNode) -> Sequence[str]:
    match node:
        case SetNode() | PushNode():
            return [name for name, _ in node.values]
        case _:
            target = getattr(node, "target", "")
            return [target] if target else []


def _value(scope: Scope, name: str) -> object:
    """Return what a name stands for; of a pool, its elements."""
    pools: Any = scope.get("pool")
    return list(pools[pool]) if (pool := pool_in(name)) else scope.get(name, MISSING)


def _copy(reply: Reply, exchange: Exchange) -> Answer:
    return Answer(
        status=reply.status,
        status_text=exchange.status_text(reply.status),
        head=_BESIDE if reply.beside else reply.head,
        body=(reply.arrivals.text if reply.arrivals else b"") or reply.body or reply.beside,
        received=reply.received,
        took_ns=reply.ended_ns - reply.asked_ns,
        connect_ns=reply.connect_ns,
        retries=reply.retries,
        failure=reply.failure.value if reply.failure is not None else "",
        detail=reply.detail,
        sent_ns=reply.sent_ns,
        arrivals=reply.arrivals,
    )


def _verdicts(
    exchange: Exchange, reply: Reply | None, scope: Scope
) -> tuple[TracedExpectation, ...]:
    """Judge each expectation for itself; a sample has only the first that doesn't hold."""
    if reply is None or reply.failure is not None:
        return ()
    seen = dict(scope)
    publish_reply(reply, seen, exchange.reply_names)
    wanted, *expected = exchange.expected or ("",)
    status = exchange.status_text(reply.status)
    wrong = "" if reply.status in exchange.accept else f"it is {status}"
    return (
        TracedExpectation(wanted, wrong),
        *(
            TracedExpectation(words, _wrong(check, reply, seen))
            for words, check in zip(expected, exchange.checks, strict=False)
        ),
        *(
            TracedExpectation(words, _wrong(check, reply, seen), is_soft=True)
            for words, check in zip(exchange.softly_expected, exchange.soft_checks, strict=False)
        ),
    )


def _wrong(check: Check, reply: Reply, scope: Scope) -> str:
    try:
        return check(reply, scope) or ""
    except Exception as error:  # noqa: BLE001 - the same boundary as under load
        return str(evaluation_error(error, "what is read of the reply"))
