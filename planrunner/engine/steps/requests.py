"""Sends one request and records its sample: the hot path.

A request is two plain functions: one sends, the other records what came. `measured_request` reads
no label, makes no object and calls nothing but the session and `list.append`; whatever is not a
plain success leaves it. It repeats inline what `Site.reply_row` and `recorder.record` say: each
call would cost a tenth of a microsecond.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from types import coroutine
from typing import Any, Final

from planrunner.engine.recording.plan_values import RecordedValue, keep_values, recorded_values
from planrunner.engine.recording.recorder import Site, StatusKey
from planrunner.engine.steps.failures import FailureRecorder
from planrunner.engine.steps.reply_scope import publish_reply
from planrunner.engine.users.user_context import Actor, PendingStep, Step
from planrunner.graph.run_graph import RequestNode
from planrunner.language.expressions.values import EvaluationError, evaluation_error, to_text
from planrunner.metrics.series import Series, Tags
from planrunner.protocols.base import Check, FailureKind, Reply, Scope
from planrunner.results.files.samples import pack_row
from planrunner.wire_wait import WireWait

__all__ = ["Attempt", "FoundFailure", "measured_request", "request_attempt"]

FoundFailure = tuple[FailureKind, str]

ReplyVerdict = tuple[FoundFailure | None, Tags, Sequence[RecordedValue]]
"""What is wrong with a reply, the tags that come with it, and the values to be recorded."""

_ALL_WELL: Final[ReplyVerdict] = None, (), ()


# One long function: each call would cost every request a tenth of a microsecond.
def measured_request(  # noqa: C901, PLR0915
    node: RequestNode,
    site: Site,
    position: int,
    bound: Any,  # noqa: ANN401 - as `bind` gave
) -> Step:
    """Return the step that sends a request and records its sample."""
    exchange = node.exchange
    failures = FailureRecorder(site, position, node.origin.place)
    judge = _judging(node, site) if _asks(node) else None
    settle = _settling(node, site, failures)
    has_more = bool(site.measures) or exchange.is_streamed is not False
    samples, origin_ns = site.recorder.samples, site.recorder.origin_ns
    append = None if samples is None or has_more else samples.append
    pack = pack_row
    begin_ns = end_ns = 0
    counts = False
    by_status: dict[StatusKey, Series] = {}

    def forget() -> None:
        nonlocal end_ns
        end_ns = 0

    site.recorder.timeline.on_cut(forget)

    def request(user: Actor) -> Awaitable[Reply]:
        try:
            sent: Any = user.sends[position](bound, user.scope)
        except CancelledError:
            failures.aborted(user)
            raise
        except EvaluationError as error:
            raise failures.unsent(user, error) from error
        if type(sent) is WireWait:
            user.wait, user.pending = sent, pending
            return user
        return _in_time(user, sent, conclude, failures)

    def conclude(  # noqa: C901, PLR0912, PLR0915
        user: Actor,
        reply: Any = None,  # noqa: ANN401 - a `Reply`, or the one of the wait
    ) -> Awaitable[Reply] | None:
        nonlocal begin_ns, end_ns, by_status, counts
        if reply is None:
            wait = user.wait
            reply = wait.reply
            if wait.outcome:
                rest = wait.sender.go_on(wait.outcome)
                if rest is not None:
                    return _in_time(user, rest, conclude, failures)
        start_ns = user.due_ns
        if start_ns:
            user.due_ns = 0
        else:
            start_ns = reply.asked_ns
        if not begin_ns <= start_ns < end_ns:
            table = site.table_at(start_ns)
            begin_ns, end_ns, by_status = table.begin_ns, table.end_ns, table.by_status
            counts = table.is_in_time
        if judge is not None:
            verdict = judge(user, reply, counts, None)
            if verdict is not None:
                return settle(user, reply, start_ns, verdict)
        try:
            series: Series | None = by_status[reply.status]
        except KeyError:
            series = None
        if series is None or reply.is_dirty:
            if series is None or reply.failure is not None or reply.spoken is not None:
                series = site.accepted(site.table_at(start_ns), reply)
                if series is None:
                    kind, words = _refused(reply, site.status_text)
                    return failures.failed(user, reply, kind, start_ns, words, ())
            series.connects += reply.connects
            series.retries += reply.retries
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
        elif has_more:
            for write, values in series.writers:
                write(reply, values)
            site.reply_row(series, reply, start_ns, "")
        return None

    pending = PendingStep(conclude, failures.aborted)
    return request


# Not `async`, so that what is sent may be any of what a session returns.
@coroutine
def _in_time(
    user: Actor,
    sent: Any,  # noqa: ANN401 - as a session returns
    conclude: Callable[[Actor, Reply], Awaitable[Reply] | None],
    failures: FailureRecorder,
) -> Generator[Any, None, Reply]:
    """Wait for a reply that takes more than one wait, and record it."""
    try:
        reply: Reply = yield from sent
    except CancelledError:
        failures.aborted(user)
        raise
    except EvaluationError as error:
        raise failures.unsent(user, error) from error
    rest: Any = conclude(user, reply)
    if rest is not None:
        yield from rest
    return reply


SendAttempt = Callable[[Actor, int, Any], Awaitable[Reply]]
JudgeReply = Callable[[Reply, FoundFailure | None], FoundFailure | None]
"""Has the last word on a complete reply and what is wrong with it by itself."""

Attempt = Callable[[Actor, SendAttempt, JudgeReply], Coroutine[Any, Any, None]]
"""A request whose sending and last expectation come from the step that sends it again and again."""


def request_attempt(
    node: RequestNode,
    site: Site,
    position: int,
    bound: Any,  # noqa: ANN401 - as `bind` gave
) -> Attempt:
    """The same for a request that is sent again until it has been answered as hoped for."""
    failures = FailureRecorder(site, position, node.origin.place)
    judge_alone, settle = _judging(node, site), _settling(node, site, failures)

    async def attempt(user: Actor, send: SendAttempt, judge: JudgeReply) -> None:
        try:
            reply = await send(user, position, bound)
        except CancelledError:
            failures.aborted(user)
            raise
        except EvaluationError as error:
            raise failures.unsent(user, error) from error
        start_ns, user.due_ns = user.due_ns or reply.asked_ns, 0
        counts = site.table_at(start_ns).is_in_time
        verdict = judge_alone(user, reply, counts, judge) or _ALL_WELL
        failing = settle(user, reply, start_ns, verdict)
        if failing is not None:
            await failing

    return attempt


_SettleReply = Callable[[Actor, Reply, int, ReplyVerdict], Awaitable[Reply] | None]


def _settling(node: RequestNode, site: Site, failures: FailureRecorder) -> _SettleReply:
    """Return what records a reply that was judged; it gives what is left to do for a failure."""

    def settle(
        user: Actor, reply: Reply, start_ns: int, verdict: ReplyVerdict
    ) -> Awaitable[Reply] | None:
        fault, tags, recorded = verdict
        if fault is not None:
            kind, words = fault
            _seek_secrets(node, reply, user, site)
            return failures.failed(user, reply, kind, start_ns, words, tags)
        table, spoken = site.table_at(start_ns), reply.spoken
        key: StatusKey = reply.status if spoken is None else (reply.status, spoken)
        series = None if tags else table.by_status.get(key)
        if series is None:
            series = site.series(table, status=reply.status, failure="", tags=tags, spoken=spoken)
            if not tags:
                table.by_status[key] = series
        if user.broken:
            series.note_broken(user.broken)
            user.broken = ()
        user.moment_ns = max(user.moment_ns, reply.ended_ns)
        user.refusals = 0
        site.record(series, reply, start_ns)
        if recorded:
            keep_values(series, node.records, recorded, reply.ended_ns)
        site.reply_row(series, reply, start_ns, "", recorded)
        return None

    return settle


def _seek_secrets(node: RequestNode, reply: Reply, user: Actor, site: Site) -> None:
    """Let secrets be known that a failed reply holds: it may not have come to extracting them."""
    if node.exchange.secrets and reply.failure is None:
        site.recorder.seek(node.exchange, reply, user.scope)


_JudgeAlone = Callable[[Actor, Reply, bool, JudgeReply | None], ReplyVerdict | None]


def _asks(node: RequestNode) -> bool:
    """Whether a request asks more of its reply than an accepted status."""
    exchange = node.exchange
    asked = exchange.checks or exchange.soft_checks or exchange.extractors or node.records
    return bool(asked or node.reads_reply or node.reply_tags)


def _judging(node: RequestNode, site: Site) -> _JudgeAlone:  # noqa: C901, PLR0915 - as above
    """Return what judges a reply; None where all is well and nothing comes with it.

    It finds the first thing that is wrong with the reply; later ones would say the same again.
    """
    exchange = node.exchange
    accept, checks, extractors = exchange.accept, exchange.checks, exchange.extractors
    reply_names = exchange.reply_names if node.reads_reply else None
    is_soft, expects = bool(exchange.soft_checks), bool(exchange.checks or exchange.soft_checks)
    judged = (node.template or node.name, exchange.expected[1:], exchange.softly_expected)
    has_marks = bool(node.reply_tags or node.records)

    def judge(  # noqa: C901, PLR0912, PLR0915
        user: Actor,
        reply: Reply,
        counts: bool,  # noqa: FBT001 - a keyword would cost each such request
        last_word: JudgeReply | None,
    ) -> ReplyVerdict | None:
        scope = user.scope
        fault: FoundFailure | None = None
        tags: Tags = ()
        recorded: Sequence[RecordedValue] = ()
        is_broken = False
        try:
            if reply.failure is not None:
                fault = reply.failure, reply.detail
            else:
                if reply_names is not None:
                    publish_reply(reply, scope, reply_names)
                if expects:
                    if counts:
                        user.counters.judged[judged] += 1
                    if is_soft:
                        _judge_softly(node, reply, user, counts=counts)
                    is_broken = True
                if reply.status not in accept:
                    fault = _refused(reply, exchange.status_text)
                else:
                    for check in checks:
                        if (words := check(reply, scope)) is not None:
                            fault = FailureKind.EXPECT, words
                            break
                    else:
                        is_broken = False
                        for extract in extractors:
                            if (words := extract(reply, scope)) is not None:
                                fault = FailureKind.EXTRACT, words
                                break
                if is_broken:
                    is_broken = False
                    _note_broken(node, reply, user)
                if last_word is not None:
                    fault = last_word(reply, fault)
            if has_marks:
                if node.reply_tags:
                    tags = _reply_tags(node, site, user)
                if node.records and fault is None:
                    recorded = recorded_values(node.records, reply, scope)
            elif fault is None and not user.broken:
                return None
        except Exception as error:  # noqa: BLE001 - the boundary: no reply may end the run
            if is_broken:
                _note_broken(node, reply, user)
            fault = FailureKind.EXTRACT, str(evaluation_error(error, "what is read of the reply"))
        return fault, tags, recorded

    return judge


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
