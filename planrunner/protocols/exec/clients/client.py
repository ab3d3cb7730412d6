"""Runs commands for users: each run is a sample, from before it is started to its end."""

from __future__ import annotations

from collections.abc import Sequence

from planrunner.clock import Clock
from planrunner.protocols.base import Exchange, Reply, Scope, Session
from planrunner.protocols.exec.clients.process import run_command
from planrunner.protocols.exec.command import CommandFailedError, command_line, said
from planrunner.protocols.exec.operation import ExecOperation
from planrunner.protocols.telling_clients import CallCost
from planrunner.values import dataclass

__all__ = ["ExecClient", "open"]


@dataclass(frozen=True, slots=True)
class BoundCommand:
    operation: ExecOperation
    timeout_ns: int
    accepts: Exchange


class ExecClient:
    """Everything about a command is its own: nothing is shared, and nothing stays open."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._costs: list[CallCost] | None = None

    def bind(self, exchange: Exchange) -> BoundCommand:
        return BoundCommand(exchange.operation, exchange.timeout_ns, exchange)

    def session(self) -> ExecSession:
        return ExecSession(self._clock)

    def cost_of(self, bound: BoundCommand) -> CallCost | None:
        """Measure what a command costs that does nothing; None where the system has none."""
        from planrunner.protocols.exec.clients.costs import empty_ns  # noqa: PLC0415 - rarely

        del bound
        if self._costs is None:
            taken = empty_ns()
            found = CallCost("as a command", taken or 0, counts_collections=False)
            self._costs = [] if taken is None else [found]
        return self._costs[0] if self._costs else None

    def sweep(self, now_ns: int) -> None:
        """Do nothing: a command that runs too long is killed by who waits for it."""

    async def close(self) -> None:
        """Do nothing: a command ends with the user that waits for it."""


class ExecSession:
    """One user's commands, one at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def send(self, bound: BoundCommand, scope: Scope) -> Reply:
        operation, now = bound.operation, self._clock.now_ns
        arguments, environment = command_line(operation, scope)
        reply = Reply()
        reply.asked_ns = reply.sent_ns = now()
        try:
            ended = await run_command(
                arguments,
                now=now,
                directory=operation.directory,
                timeout_ns=bound.timeout_ns,
                environment=environment,
            )
        except CommandFailedError as failed:
            reply.ended_ns = now()
            reply.failure, reply.detail = failed.kind, f"`{operation.shown}` {failed}"
            return reply
        reply.asked_ns = reply.sent_ns = ended.began_ns
        reply.ended_ns = ended.ended_ns
        reply.status, reply.body, reply.received = ended.status, ended.output, len(ended.output)
        if ended.status not in bound.accepts.accept:
            reply.detail = f"`{operation.shown}` {ended.words}"
        elif operation.target:
            scope[operation.target] = said(ended.output)
        return reply

    def set_header(self, name: str, value: str | None) -> None:
        """Do nothing: a command has no headers."""

    def renew(self) -> None:
        """Do nothing: commands keep nothing of a visitor."""

    def lanes(self, count: int) -> Sequence[Session]:
        return [self, *(ExecSession(self._clock) for _ in range(count - 1))]

    async def close(self) -> None:
        """Do nothing: nothing is open."""


def open(settings: None, clock: Clock) -> ExecClient:  # noqa: A001 - what every protocol calls it
    """Open the client."""
    del settings
    return ExecClient(clock)
