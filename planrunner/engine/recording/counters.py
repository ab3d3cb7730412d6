"""What a worker counts beside samples; a value of totals, so those of several workers add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import field
from typing import Final

from planrunner.protocols.telling_clients import CallCost, ClientAccount
from planrunner.values import dataclass

__all__ = ["Counters", "ExpectedOfReply", "TaskKey"]

_MOST_REASONS: Final = 20
OTHER_REASONS: Final = "other reasons"

TaskKey = tuple[str, str, str]
"""Phase, user class, task."""

ExpectedOfReply = tuple[str, tuple[str, ...], tuple[str, ...]]
"""A request's name, and what is expected of its reply beyond the status: hard, then soft."""


@dataclass(slots=True)
class Counters:
    """Totals since the start of the run; only ever grow.

    Attributes:
        started: Users started, by phase and class.
        picks: Iterations begun, by phase, class and task: the achieved mix.
        start_failures: Users that stopped because their `on_start` failed, by phase and class.
        visit_failures: Iterations that did not run because their own `on_start` failed, or their
            state had no value, by phase and class.
        quits: Users that stopped because a request failed, as `on_error` says, by phase and class.
        start_reasons: What was wrong with the first of them, by phase and class.
        stop_failures: Users whose `on_stop` failed or was cut.
        skips: Picks that were refused because `needs` was not met, those of warm-ups left out.
        substitutions: Picks in whose place another task ran; likewise.
        gained: What tasks could expect of others' refusals; likewise.
        ended_early: Iterations that a failed step ended, by reason; the 20 first reasons have
            names, the others are counted together.
        endless: Loops that were ended after their most rounds, by condition.
        retries: Blocks with `on_fail: retry` that were run again.
        rows_ended: Users that found no row of data left, by source.
        overtime: Counted phases that reached their `max_duration`, by name.
        aborted: Iterations cut when the graceful stop was over.
        backoffs: Pauses after a refused connection.
        blocked_ns: How long functions of the plan held up everything else, by name, and
        longest_block_ns: the longest at a time; short calls left out.
        costs: What it costs to do nothing in the way of each measured step, by its name.
        left_running: Calls that nobody waits for any more, but that can't be ended, by name.
        forced: Functions that went on when they were cut, and were ended by force, by name.
        too_late: Requests that functions asked for after their iteration, by name; none was sent.
        soft_failures: Soft expectations that did not hold, by request name; of results alone.
        judged: Replies that were judged by expectations beyond the status; of results alone.
        pool_drops: Values that were pushed to a full pool, by its name.
        surplus_replies: Replies beyond the requests of their connection, by protocol.
        queued_ns: How long requests waited in their client until they left, by protocol, and
        queued_latency_ns: what these requests took in all.
    """

    started: Counter[tuple[str, str]] = field(default_factory=Counter)
    picks: Counter[TaskKey] = field(default_factory=Counter)
    start_failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    visit_failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    quits: Counter[tuple[str, str]] = field(default_factory=Counter)
    start_reasons: dict[tuple[str, str], str] = field(default_factory=dict)
    soft_failures: Counter[str] = field(default_factory=Counter)
    rows_ended: Counter[str] = field(default_factory=Counter)
    skips: Counter[TaskKey] = field(default_factory=Counter)
    substitutions: Counter[TaskKey] = field(default_factory=Counter)
    gained: dict[TaskKey, float] = field(default_factory=dict)
    ended_early: Counter[str] = field(default_factory=Counter)
    endless: Counter[str] = field(default_factory=Counter)
    overtime: Counter[str] = field(default_factory=Counter)
    blocked_ns: Counter[str] = field(default_factory=Counter)
    longest_block_ns: dict[str, int] = field(default_factory=dict)
    costs: dict[str, CallCost] = field(default_factory=dict)
    left_running: Counter[str] = field(default_factory=Counter)
    forced: Counter[str] = field(default_factory=Counter)
    too_late: Counter[str] = field(default_factory=Counter)
    judged: Counter[ExpectedOfReply] = field(default_factory=Counter)
    surplus_replies: Counter[str] = field(default_factory=Counter)
    queued_ns: Counter[str] = field(default_factory=Counter)
    queued_latency_ns: Counter[str] = field(default_factory=Counter)
    pool_drops: Counter[str] = field(default_factory=Counter)
    stop_failures: int = 0
    retries: int = 0
    aborted: int = 0
    backoffs: int = 0

    def failed_starts(self, phase: str) -> int:
        return sum(users for (name, _), users in self.start_failures.items() if name == phase)

    def start_failed(self, phase: str, user_class: str, reason: str) -> None:
        """Count a user whose `on_start` failed for this reason."""
        self.start_failures[phase, user_class] += 1
        self.start_reasons.setdefault((phase, user_class), reason)

    def visit_failed(self, phase: str, user_class: str, reason: str) -> None:
        """Count an iteration whose visitor could not begin for this reason."""
        self.visit_failures[phase, user_class] += 1
        self.start_reasons.setdefault((phase, user_class), reason)

    def start_reason(self, phase: str) -> str:
        """Return why the first `on_start` of a phase failed."""
        reasons = (reason for (name, _), reason in self.start_reasons.items() if name == phase)
        return next(reasons, "")

    def end_early(self, reason: str) -> None:
        """Count an iteration that ended for this reason."""
        known = reason in self.ended_early or len(self.ended_early) < _MOST_REASONS
        self.ended_early[reason if known else OTHER_REASONS] += 1

    def account(self, protocol: str, account: ClientAccount) -> None:
        """Take in what a client says of itself."""
        self.surplus_replies[protocol] += account.surplus_replies
        self.queued_ns[protocol] += account.queued_ns
        self.queued_latency_ns[protocol] += account.latency_ns
        for name, took_ns, longest_ns in account.blocked:
            self.blocked(name, took_ns, longest_ns)
        self.left_running.update(dict(account.left_running))

    def blocked(self, name: str, took_ns: int, longest_ns: int) -> None:
        """Count how long a function held up everything else, and the longest at a time."""
        self.blocked_ns[name] += took_ns
        self.longest_block_ns[name] = max(self.longest_block_ns.get(name, 0), longest_ns)

    def add(self, other: Counters) -> None:
        """Add another worker's totals."""
        self.started += other.started
        self.picks += other.picks
        self.start_failures += other.start_failures
        self.visit_failures += other.visit_failures
        self.quits += other.quits
        self.start_reasons = other.start_reasons | self.start_reasons
        self.soft_failures += other.soft_failures
        self.judged += other.judged
        self.rows_ended += other.rows_ended
        self.stop_failures += other.stop_failures
        self.ended_early += other.ended_early
        self.skips += other.skips
        self.substitutions += other.substitutions
        for key, gained in other.gained.items():
            self.gained[key] = self.gained.get(key, 0.0) + gained
        self.endless += other.endless
        self.overtime += other.overtime
        for name, took_ns in other.blocked_ns.items():
            self.blocked(name, took_ns, other.longest_block_ns[name])
        self.surplus_replies += other.surplus_replies
        self.queued_ns += other.queued_ns
        self.queued_latency_ns += other.queued_latency_ns
        self.pool_drops += other.pool_drops
        self.left_running += other.left_running
        self.forced += other.forced
        self.too_late += other.too_late
        self.costs = other.costs | self.costs
        self.retries += other.retries
        self.aborted += other.aborted
        self.backoffs += other.backoffs
