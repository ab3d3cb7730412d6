"""Keeps one service: a process of its own that outlives planrunner by as long as stopping takes.

Run as a script, with nothing but the standard library. Its standard input is a pipe of
planrunner's: when that closes, because planrunner is done with the service or was killed, the
service's whole process group is stopped and its scratch directory removed.

It says on standard output, one JSON object a line: `{"started": PID}` or `{"failed": WORDS}`,
then `{"ended": CODE}`, where a negative code is the number of a signal.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress

__all__ = ["main"]

_LOOK_S = 0.05
_MOST_AFTER_KILL_S = 5.0


def main() -> None:
    """Start what the first argument describes, and stop it when standard input closes."""
    job = json.loads(sys.argv[1])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # planrunner decides when the service ends
    try:
        with open(job["log"], "ab", buffering=0) as log:  # noqa: PTH123 - fewer imports
            child = subprocess.Popen(
                job["command"],
                cwd=job["cwd"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_as_usual,  # noqa: PLW1509 - this process has one thread
            )
    except OSError as error:
        _say(failed=error.strerror or str(error))
        return
    _say(started=child.pid)
    code = _until_over(child)
    if code is None:
        code = _stop(child, job["signal"], job["grace_s"])
    else:
        _kill_group(child.pid)  # what it left behind
    if job["scratch"]:
        shutil.rmtree(job["scratch"], ignore_errors=True)
        with suppress(OSError):  # those of other services are still in it
            os.rmdir(os.path.dirname(job["scratch"]))  # noqa: PTH106, PTH120 - fewer imports
    _say(ended=code)


def _as_usual() -> None:
    """Give the service the signals that we don't want."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _say(**words: object) -> None:
    with suppress(OSError):  # nobody listens any more
        os.write(1, json.dumps(words).encode() + b"\n")


def _until_over(child: subprocess.Popen[bytes]) -> int | None:
    """Return the exit code of a service that ended by itself; None when it is to be stopped."""
    watched: list[int] = [0]
    if hasattr(os, "pidfd_open"):
        with suppress(OSError):
            watched.append(os.pidfd_open(child.pid))
    patience = None if len(watched) > 1 else _LOOK_S
    while True:
        ready, _, _ = select.select(watched, [], [], patience)
        if (code := child.poll()) is not None:
            return code
        if 0 in ready and not os.read(0, 4096):
            return None


def _stop(child: subprocess.Popen[bytes], name: str, grace_s: float) -> int:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, getattr(signal, f"SIG{name}"))
    deadline = time.monotonic() + grace_s
    while _group_lives(child) and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
    _kill_group(child.pid)
    with suppress(subprocess.TimeoutExpired):
        child.wait(_MOST_AFTER_KILL_S)
    return -signal.SIGKILL if child.returncode is None else child.returncode


def _group_lives(child: subprocess.Popen[bytes]) -> bool:
    child.poll()  # a child that has ended stays in its group until it is asked for
    try:
        os.killpg(child.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
