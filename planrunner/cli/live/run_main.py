"""The process of a run that was started from the page, with the descriptor of its socket.

It ends gracefully when the server is gone.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys

from planrunner.cli.limits import need_descriptors
from planrunner.engine.recording.gc_tuning import keep_collections_short
from planrunner.engine.steering import Steering
from planrunner.engine.stop import Stop
from planrunner.engine.workers.transport import SocketTransport
from planrunner.errors import PlanrunnerError
from planrunner.language.diagnostics import PlanError
from planrunner.results.exit_codes import ExitCode, code_of_error
from planrunner.runner.api import run
from planrunner.runner.event_loop import run_on_fast_loop
from planrunner.runner.reach import client_notices, foreign_hosts
from planrunner.runner.report_files import written_files
from planrunner.runner.request import RunRequest, prepare
from planrunner.web.feed.live_output import LiveOutput
from planrunner.web.feed.messages import RunOpened, RunOver, StopAsked
from planrunner.web.feed.run_facts import run_facts
from planrunner.web.feed.wheel import heed, obey
from planrunner.web.folder.order import RunOrder

__all__ = ["main"]


def main() -> int:
    """Run what is asked for; return the exit code."""
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):  # the server decides when the run ends
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    os.dup2(2, 1)
    return run_on_fast_loop(_main(int(sys.argv[1])))


async def _main(descriptor: int) -> int:
    transport = await SocketTransport.over(socket.socket(fileno=descriptor))
    order = await transport.receive()
    assert isinstance(order, RunOrder)
    stop, steering = Stop(), Steering()
    asking = asyncio.create_task(_obey(transport, stop, steering))
    try:
        over = await _run(order, stop, steering, transport)
    except PlanError as error:
        faults = tuple(one.as_json() for one in error.diagnostics)
        over = RunOver(ExitCode.PLAN_INVALID, message=error.message, faults=faults)
    except PlanrunnerError as error:
        over = RunOver(code_of_error(error), message=error.message, hint=error.hint)
    transport.send(over)
    asking.cancel()
    await transport.close()
    return over.exit_code


async def _run(
    order: RunOrder, stop: Stop, steering: Steering, transport: SocketTransport
) -> RunOver:
    choices = order.choices
    prepared = prepare(
        RunRequest(
            order.checked(),
            selection=choices.selection,
            seed=choices.seed,
            labels=choices.labels,
            workers=choices.workers,
            tolerate=choices.tolerate,
            stop=stop,
            steering=steering,
        )
    )
    keep_collections_short()
    need_descriptors(prepared.compiled.most_connections)
    graph, environ = prepared.graph, prepared.request.variables()
    notes = (*await foreign_hosts(graph), *client_notices(graph, environ))
    transport.send(RunOpened({**run_facts(prepared), "notes": list(notes)}))
    result = await run(prepared, [LiveOutput(transport)])
    files = tuple(path.name for path in written_files(prepared.graph, prepared.directory))
    return RunOver(result.exit_code, str(prepared.directory.absolute()), files)


async def _obey(transport: SocketTransport, stop: Stop, steering: Steering) -> None:
    await heed(transport, stop, steering)
    obey(stop, StopAsked(at_once=False))
