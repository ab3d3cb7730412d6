"""What an empty function costs, called as the plan's functions are: shown, and never subtracted."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import threading
import time
from collections.abc import Coroutine
from typing import Any, Final

from planrunner.protocols.base import Reply
from planrunner.protocols.python.clients.call import BoundFunction, How
from planrunner.protocols.python.clients.isolated import FRAME, child_command
from planrunner.protocols.python.clients.session import CallRoom, PythonSession
from planrunner.protocols.python.clients.thread_call import ThreadCall
from planrunner.protocols.python.operation import PythonOperation
from planrunner.timing.overhead import CallKind, empty_call, empty_call_ns, empty_coroutine
from planrunner.timing.spread import median

__all__ = ["empty_ns"]

_SAMPLES: Final = 201
_ROUNDS: Final = 31
"""Of what takes longer: threads, and a process."""

_MODULE: Final = "planrunner.timing.overhead"
_TIMEOUT_NS: Final = 10_000_000_000


def empty_ns(room: CallRoom, how: How, *, in_batches: bool) -> int:
    """Return the median latency of an empty function; nothing else runs meanwhile.

    Args:
        room: Of the client that will call.
        how: Where the function is called.
        in_batches: A sample is the time per call of many.
    """
    if in_batches:
        kind = CallKind.COROUTINE if how is How.ASYNC else CallKind.PLAIN
        return round(empty_call_ns(kind))
    match how:
        case How.THREAD:
            return _in_thread(room)
        case How.PROCESS:
            return _in_process()
        case _:
            return _in_loop(room, how)


def _in_loop(room: CallRoom, how: How) -> int:
    """Send as users do; what has nothing to wait for comes back at once."""
    function = empty_coroutine if how is How.ASYNC else empty_call
    bound = BoundFunction(PythonOperation("empty", (), is_inline=True), function, _TIMEOUT_NS)
    session = PythonSession(room)
    replies = (_at_once(session.send(bound, {})) for _ in range(_SAMPLES))
    return round(median([reply.ended_ns - reply.asked_ns for reply in replies]))


def _at_once(sending: Coroutine[Any, Any, Reply]) -> Reply:
    try:
        sending.send(None)
    except StopIteration as end:
        reply: Reply = end.value
        return reply
    raise AssertionError("an empty function waits for something")


def _in_thread(room: CallRoom) -> int:
    taken: list[float] = []
    loop = asyncio.get_running_loop()
    for _ in range(_ROUNDS):
        call = ThreadCall(empty_call, {}, 1, loop=loop, now=room.now, count=room.count)
        ended = threading.Event()

        def job(call: ThreadCall = call, ended: threading.Event = ended) -> None:
            call()
            ended.set()

        room.threads.run(job)
        ended.wait()
        taken.append(call.done.ended_ns - call.done.asked_ns)
    return round(median(taken))


def _in_process() -> int:
    operation = PythonOperation(f"{_MODULE}:empty_call", ())
    message = pickle.dumps((operation, {}, 1))
    framed = len(message).to_bytes(FRAME, "big") + message
    pipe = subprocess.PIPE
    with subprocess.Popen(child_command(), stdin=pipe, stdout=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        taken: list[float] = []
        for _ in range(_ROUNDS):
            asked_ns = time.perf_counter_ns()
            process.stdin.write(framed)
            process.stdin.flush()
            size = int.from_bytes(process.stdout.read(FRAME), "big")
            answer = pickle.loads(process.stdout.read(size))
            taken.append(answer[3] - asked_ns)
        process.stdin.close()
    return round(median(taken[1:]))
