"""The process of one worker, started by `execute` with the descriptor of its socket.

It lives as long as its socket does. The system closes that when the coordinator ends in whatever
way, and on Linux kills the worker besides; so none is ever left behind.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from planrunner.clock import MonotonicClock, ShiftedClock
from planrunner.engine.recording.gc_tuning import keep_collections_short
from planrunner.engine.workers.local import Worker, channels_of
from planrunner.engine.workers.messages import Asked, Assignment, Broken, StillHere
from planrunner.engine.workers.remote_worker import RelayedStop, RemoteWorker
from planrunner.engine.workers.transport import SocketTransport
from planrunner.errors import PlanrunnerError, UsageError
from planrunner.language.diagnostics import PlanError
from planrunner.plan.host_files import HostFiles
from planrunner.protocols.base import Client
from planrunner.results.exit_codes import ExitCode
from planrunner.runner.event_loop import client_factories, run_on_fast_loop
from planrunner.runner.masked_traceback import masked_traceback
from planrunner.timing.run_queue import RunQueue
from planrunner.units import format_count

__all__ = ["main"]

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> int:
    """Work until the coordinator has nothing more to do, or is gone; return the exit code."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # the coordinator decides when the run ends
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    _die_with_parent()
    os.dup2(2, 1)  # what functions print is no result
    _open_what_may_be()
    return run_on_fast_loop(_work(int(sys.argv[1])))


def _die_with_parent() -> None:
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415 - nothing else needs it

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _open_what_may_be() -> None:
    """Raise the limit of open files: on another host nobody has looked at it."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft not in (resource.RLIM_INFINITY, hard):
        with suppress(ValueError, OSError):  # macOS has a limit of its own below the hard one
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class _Lifeline(SocketTransport):
    """Ends the process, whatever it does, when the coordinator is gone."""

    _has_heard = False

    async def receive(self) -> object:
        try:
            while isinstance(message := await super().receive(), StillHere):
                self._has_heard = True
        except EOFError:
            os._exit(ExitCode.CANNOT_RUN)
        self._has_heard = True
        return message

    async def keep(self, lease_s: int) -> None:
        """End the process as well when nothing was heard for so long.

        Seconds are counted as they are noticed: while a step of the plan hangs, nothing can be
        heard, and what waits is read before the next second is over.
        """
        silent_s = 0
        while silent_s < lease_s:
            await asyncio.sleep(1)
            silent_s = 0 if self._has_heard else silent_s + 1
            self._has_heard = False
        os._exit(ExitCode.CANNOT_RUN)


async def _work(descriptor: int) -> int:
    transport = await _Lifeline.over(socket.socket(fileno=descriptor))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(transport.close)
        assignment = await transport.receive()
        assert isinstance(assignment, Assignment)
        if assignment.lease_s:
            keeping = asyncio.create_task(transport.keep(assignment.lease_s))
            stack.callback(keeping.cancel)
        return await _carry_out(assignment, transport)


async def _carry_out(assignment: Assignment, transport: SocketTransport) -> int:
    try:
        await _serve(assignment, transport)
    except PlanrunnerError as error:
        is_asked, host = isinstance(error, UsageError), assignment.source.bundle.host
        words, hint = _told(error)
        words = words if host is None else host.shown(words)
        transport.send(Broken(words, hint, is_asked=is_asked))
        return ExitCode.CANNOT_RUN
    except Exception as error:  # noqa: BLE001 - the coordinator must know, whatever it is
        source = assignment.source
        with suppress(OSError):  # a full disk is not what there is to say
            sys.stderr.write(masked_traceback(error, [source.bundle], source.sources))
        transport.send(Broken(f"{type(error).__name__}: {error} (a bug in planrunner)"))
        return ExitCode.INTERNAL_ERROR
    return ExitCode.OK


def _told(error: PlanrunnerError) -> tuple[str, str]:
    """Return what is wrong and what to do about it; of a plan's errors, which are of one kind.

    The coordinator has found none in the plan: what is missing here is not where that is.
    """
    if not isinstance(error, PlanError):
        return error.message, error.hint
    first, *others = error.diagnostics
    more = f" (and {format_count(len(others), 'more error')})" if others else ""
    return f"{first.argument or first.span}: {first.message}{more}", first.hint


def _in_words_of(
    host: HostFiles | None, send: Callable[[object], None]
) -> Callable[[object], None]:
    """Return what sends reasons with paths as the coordinator has them."""
    if host is None:
        return send
    shown = host.shown

    def send_asked(asked: object) -> None:
        assert isinstance(asked, Asked)
        send(replace(asked, reason=shown(asked.reason)))

    return send_asked


async def _serve(assignment: Assignment, transport: SocketTransport) -> None:
    host: HostFiles | None = assignment.source.bundle.host
    if host is not None:
        os.chdir(host.working_directory)
    graph, offset_ns = assignment.source.compile(), assignment.clock_offset_ns
    clock = MonotonicClock() if offset_ns is None else ShiftedClock(offset_ns)
    keep_collections_short()
    stop = RelayedStop(_in_words_of(host, transport.send))
    async with AsyncExitStack() as stack:
        factories = client_factories(graph)
        opened: dict[str, Client] = {}
        for protocol in channels_of(graph):
            settings = cast("Any", graph.settings.get(protocol, {}))
            opened[protocol] = factories[protocol](settings, clock)
            stack.push_async_callback(opened[protocol].close)
        worker = Worker(
            graph,
            clients=opened,
            clock=clock,
            samples=None,
            stop=stop,
            scope={
                **graph.scope,
                "run": dict(assignment.names),
                "now": lambda: datetime.now(UTC).timestamp(),
            },
            share=assignment.share,
            waits=stack.enter_context(closing(RunQueue())).read,
        )
        stack.callback(worker.close)
        with worker.mask.errors():
            await RemoteWorker(
                graph, worker=worker, transport=transport, clock=clock, stop=stop
            ).serve()
