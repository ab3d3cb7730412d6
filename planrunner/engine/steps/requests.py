"""Sends one request and records its sample: the hot path.

`plain_request` reads no label, makes no object and calls nothing but the session and
`list.append`; whatever is not a plain success leaves it through `FailureRecorder`. It repeats
inline what `Site.reply_row` and `recorder.record` say: each call would cost a tenth of a
microsecond.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from types import coroutine
from typing import Any

from planrunner.engine.recording.plan_values import RecordedValue, keep_values, recorded_values
from planrunner.engine.recording.recorder import Site, StatusKey, record
from planrunner.engine.steps.failures import FailureRecorder
from planrunner.engine.steps.reply_scope import publish_reply
from planrunner.engine.users.user_context import Actor, Step
from planrunner.graph.run_graph import RequestNode
from planrunner.language.expressions.values import EvaluationError, evaluation_error, to_text
from planrunner.metrics.series import Series, Tags
from planrunner.protocols.base import Check, FailureKind, Reply, Scope
from planrunner.results.files.samples import pack_row
from planrunner.wire_wait import WireWait

__all__ = [
    "Attempt",
    "FoundFailure",
    "demanding_request",
    "measured_request",
    "plain_request",
    "request_attempt",
]

FoundFailure = tuple[FailureKind, str]


# One long function: each call would cost every request a tenth of a microsecond.
def plain_request(  # noqa: C901, PLR0915
    site: Site,
    position: int,
    bound: Any,  # noqa: ANN401 - as `bind` gave
    origin: str = "",
) -> Step:
    """A request that asks of its reply no more than an accepted status."""
    failures = FailureRecorder(site, position, origin)
    samples, origin_ns = site.recorder.samples, site.recorder.origin_ns
    append = None if samples is None else samples.append
    pack = pack_row
    begin_ns = end_ns = 0
    by_status: dict[StatusKey, Series] = {}

    def forget() -> None:
        nonlocal end_ns
        end_ns = 0

    site.recorder.timeline.on_cut(forget)

    # Not `async`, so that it can yield a wait itself, as the wait's `__await__` would.
    @coroutine
    def request(user: Actor) -> Generator[Any, None, Reply]:  # noqa: C901, PLR0912, PLR0915
        nonlocal begin_ns, end_ns, by_status
        try:
            sent: Any = user.sends[position](bound, user.scope)
            if type(sent) is WireWait:
                try:
                    yield sent
                except BaseException:
                    sent.abandon()
                    raise
                reply: Reply = sent.reply
                if sent.outcome:
                    rest = sent.sender.go_on(sent.outcome)
                    reply = reply if rest is None else (yield from rest)
            else:
                reply = yield from sent
        except CancelledError:
            failures.aborted(user)
            raise
        except EvaluationError as error:
            raise failures.unsent(user, error) from error
        start_ns = user.due_ns
        if start_ns:
            user.due_ns = 0
        else:
            start_ns = reply.asked_ns
        if not begin_ns <= start_ns < end_ns:
            table = site.table_at(start_ns)
            begin_ns, end_ns, by_status = table.begin_ns, table.end_ns, table.by_status
        try:
            series: Series | None = by_status[reply.status]
        except KeyError:
            series = None
        if series is None or reply.failure is not None or reply.spoken is not None:
            series = site.accepted(site.table_at(start_ns), reply)
            if series is None:
                kind, words = _refused(reply, site.status_text)
                yield from failures.failed(user, reply, kind, start_ns, words, ())
                return reply
        ended_ns = reply.ended_ns
        # What it waited for may have come before; `max` would be a call.
        if ended_ns > user.moment_ns:  # noqa: PLR1730
            user.moment_ns = ended_ns
        latency_ns = service_ns = ended_ns - start_ns
        sent_ns = reply.sent_ns
        if start_ns == sent_ns:
            series.same_ns.append(latency_ns)
        else:
            service_ns = ended_ns - sent_ns
            series.latency_ns.append(latency_ns)
            series.service_ns.append(service_ns)
        series.received += reply.received
        series.sent += reply.sent
        if reply.connects:
            series.connects += reply.connects
        if reply.retries:
            series.retries += reply.retries
        if user.refusals:
            user.refusals = 0
        if append is not None:
            first_ns = reply.first_byte_ns
            append(
                pack(
                    series.index,
                    start_ns - origin_ns,
                    latency_ns,
                    service_ns,
                    first_ns - sent_ns if first_ns else 0,
                    reply.connect_ns,
                    reply.received,
                    0,
                )
            )
        return reply

    return request


# One function too, for the same reason; `record` is called, as what is measured may cost a little.
def measured_request(  # noqa: C901, PLR0915
    site: Site,
    position: int,
    bound: Any,  # noqa: ANN401 - as `bind` gave
    origin: str = "",
) -> Step:
    """As `plain_request`, of a place whose samples have measures that somebody asks for."""
    failures = FailureRecorder(site, position, origin)
    has_rows = site.recorder.samples is not None
    begin_ns = end_ns = 0
    by_status: dict[StatusKey, Series] = {}

    def forget() -> None:
        nonlocal end_ns
        end_ns = 0

    site.recorder.timeline.on_cut(forget)

    async def request(user: Actor) -> Reply:
        nonlocal begin_ns, end_ns, by_status
        try:
            reply = await user.sends[position](bound, user.scope)
        except CancelledError:
            failures.aborted(user)
            raise
        except EvaluationError as error:
            raise failures.unsent(user, error) from error
        start_ns, user.due_ns = user.due_ns or reply.asked_ns, 0
        if not begin_ns <= start_ns < end_ns:
            table = site.table_at(start_ns)
            begin_ns, end_ns, by_status = table.begin_ns, table.end_ns, table.by_status
        series = by_status.get(reply.status)
        if series is None or reply.failure is not None or reply.spoken is not None:
            series = site.accepted(site.table_at(start_ns), reply)
            if series is None:
                kind, words = _refused(reply, site.status_text)
                await failures.failed(user, reply, kind, start_ns, words, ())
                return reply
        user.moment_ns = max(user.moment_ns, reply.ended_ns)
        user.refusals = 0
        record(series, reply, start_ns)
        for write, values in series.writers:
            write(reply, values)
        if has_rows:
            site.reply_row(series, reply, start_ns, "")
        return reply

    return request


SendAttempt = Callable[[Actor, int, Any], Awaitable[Reply]]
JudgeReply = Callable[[Reply, FoundFailure | None], FoundFailure | None]
"""Has the last word on a complete reply and what is wrong with it by itself."""

Attempt = Callable[[Actor, SendAttempt, JudgeReply], Coroutine[Any, Any, None]]
"""A request whose sending and last expectation come from the step that sends it again and again."""


def demanding_request(
    node: RequestNode,
    site: Site,
    position: int,
    bound: Any,  # noqa: ANN401 - as `bind` gave
) -> Step:
    """A request with expectations beyond the status, extractions, or names and tags to set."""
    failures = FailureRecorder(site, position, node.origin.place)

    @coroutine  # as `plain_request`
    def request(user: Actor) -> Generator[Any, None, Reply]:
        try:
            sent: Any = user.sends[position](bound, user.scope)
            if type(sent) is WireWait:
                try:
                    yield sent
                except BaseException:
                    sent.abandon()
                    raise
                reply: Reply = sent.reply
                if sent.outcome:
                    rest = sent.sender.go_on(sent.outcome)
                    reply = reply if rest is None else (yield from rest)
            else:
                reply = yield from sent
        except CancelledError:
            failures.aborted(user)
            raise
        except EvaluationError as error:
            raise failures.unsent(user, error) from error
        if (failing := _conclude(user, reply, node, site, failures)) is not None:
            yield from failing.__await__()
        return reply

    return request


def request_attempt(
    node: RequestNode,
    site: Site,
    position: int,
    bound: Any,  # noqa: ANN401 - as `bind` gave
) -> Attempt:
    """The same for a request that is sent again until it has been answered as hoped for."""
    failures = FailureRecorder(site, position, node.origin.place)

    async def attempt(user: Actor, send: SendAttempt, judge: JudgeReply) -> None:
        try:
            reply = await send(user, position, bound)
        except CancelledError:
            failures.aborted(user)
            raise
        except EvaluationError as error:
            raise failures.unsent(user, error) from error
        if (failing := _conclude(user, reply, node, site, failures, judge)) is not None:
            await failing

    return attempt


def _conclude(  # noqa: C901, PLR0912, PLR0915 - one call more would cost every such request
    user: Actor,
    reply: Reply,
    node: RequestNode,
    site: Site,
    failures: FailureRecorder,
    judge: JudgeReply | None = None,
) -> Awaitable[None] | None:
    """Judge a reply and record it; returns what is left to do for one that is a failure."""
    start_ns, user.due_ns = user.due_ns or reply.asked_ns, 0
    table = site.table_at(start_ns)
    tags: Tags = ()
    recorded: Sequence[RecordedValue] = ()
    try:
        fault = _judge(node, reply, user, counts=table.is_in_time)
        if judge is not None and reply.failure is None:
            fault = judge(reply, fault)
        if node.reply_tags:
            tags = _reply_tags(node, site, user)
        if node.records and fault is None:
            recorded = recorded_values(node.records, reply, user.scope)
    except Exception as error:  # noqa: BLE001 - the boundary: no reply may end the run
        fault = FailureKind.EXTRACT, str(evaluation_error(error, "what is read of the reply"))
    if fault is not None:
        kind, words = fault
        _seek_secrets(node, reply, user, site)
        return failures.failed(user, reply, kind, start_ns, words, tags)
    spoken = reply.spoken
    key: StatusKey = reply.status if spoken is None else (reply.status, spoken)
    series = None if tags else table.by_status.get(key)
    if series is None:
        series = site.series(table, status=reply.status, failure="", tags=tags, spoken=spoken)
        if not tags:
            table.by_status[key] = series
    if user.broken:
        series.note_broken(user.broken)
        user.broken = ()
    if reply.ended_ns > user.moment_ns:  # noqa: PLR1730 - without a call, as above
        user.moment_ns = reply.ended_ns
    user.refusals = 0
    site.record(series, reply, start_ns)
    if recorded:
        keep_values(series, node.records, recorded, reply.ended_ns)
    if site.recorder.samples is not None:
        site.reply_row(series, reply, start_ns, "", recorded)
    return None


def _seek_secrets(node: RequestNode, reply: Reply, user: Actor, site: Site) -> None:
    """Let secrets be known that a failed reply holds: it may not have come to extracting them."""
    if node.exchange.secrets and reply.failure is None:
        site.recorder.seek(node.exchange, reply, user.scope)


def _judge(node: RequestNode, reply: Reply, user: Actor, *, counts: bool) -> FoundFailure | None:
    """Return the first thing that is wrong with the reply; later ones would say the same again.

    Args:
        node: What was sent.
        reply: What came back.
        user: Whose request it is.
        counts: Whether the sample is a result.

    Raises:
        EvaluationError: An expectation or extraction reads a name that has no value.
    """
    if reply.failure is not None:
        return _refused(reply, node.exchange.status_text)
    exchange, scope = node.exchange, user.scope
    if node.reads_reply:
        publish_reply(reply, scope, exchange.reply_names)
    if exchange.checks or exchange.soft_checks:
        found = _expected(node, reply, user, counts=counts)
        if found is not None:
            return found
    elif reply.status not in exchange.accept:
        return _refused(reply, exchange.status_text)
    if (words := _first_fault(exchange.extractors, reply, scope)) is not None:
        return FailureKind.EXTRACT, words
    return None


def _expected(node: RequestNode, reply: Reply, user: Actor, *, counts: bool) -> FoundFailure | None:
    """Return the first expectation that does not hold, and count all of them."""
    exchange, scope = node.exchange, user.scope
    holds = False
    if counts:
        judged = (node.template or node.name, exchange.expected[1:], exchange.softly_expected)
        user.counters.judged[judged] += 1
    if exchange.soft_checks:
        _judge_softly(node, reply, user, counts=counts)
    try:
        if reply.status not in exchange.accept:
            return _refused(reply, exchange.status_text)
        for check in exchange.checks:
            if (words := check(reply, scope)) is not None:
                return FailureKind.EXPECT, words
        holds = True
    finally:
        if not holds:
            _note_broken(node, reply, user)
    return None


def _judge_softly(node: RequestNode, reply: Reply, user: Actor, *, counts: bool) -> None:
    """Count each soft expectation that does not hold, and the reply once."""
    exchange = node.exchange
    broken = _broken(exchange.soft_checks, reply, user.scope)
    if broken:
        user.broken = [(_words(exchange.softly_expected, n), True) for n in broken]
        if counts:
            user.counters.soft_failures[node.template or node.name] += 1


def _note_broken(node: RequestNode, reply: Reply, user: Actor) -> None:
    """Note each expectation that does not hold of a reply whose sample has only the first."""
    exchange = node.exchange
    broken = _broken(exchange.checks, reply, user.scope)
    user.broken = [*user.broken, *((_words(exchange.expected, n + 1), False) for n in broken)]


def _broken(checks: Sequence[Check], reply: Reply, scope: Scope) -> list[int]:
    try:
        return [n for n, check in enumerate(checks) if check(reply, scope) is not None]
    except Exception:  # noqa: BLE001 - the boundary: no reply may end the run
        return [n for n, check in enumerate(checks) if _is_broken(check, reply, scope)]


def _words(expected: Sequence[str], n: int) -> str:
    # A protocol need not say what it expects.
    return expected[n] if n < len(expected) else f"expectation {n + 1}"


def _is_broken(check: Check, reply: Reply, scope: Scope) -> bool:
    try:
        return check(reply, scope) is not None
    except Exception:  # noqa: BLE001 - the boundary: no reply may end the run
        return True


def _first_fault(tests: tuple[Check, ...], reply: Reply, scope: Scope) -> str | None:
    for test in tests:
        if (words := test(reply, scope)) is not None:
            return words
    return None


def _reply_tags(node: RequestNode, site: Site, user: Actor) -> Tags:
    value_of, scope = site.recorder.book.tag_value, user.scope
    return tuple(
        (key, value_of(key, to_text(evaluate(scope)))) for key, evaluate in node.reply_tags
    )


def _refused(reply: Reply, status_text: Callable[[int], str]) -> FoundFailure:
    """Why a reply that the fast path didn't take is a failure."""
    if reply.failure is not None:
        return reply.failure, reply.detail
    return FailureKind.STATUS, reply.detail or f"status {status_text(reply.status)}"
