"""Keeps one program: a process of its own that outlives planrunner by as long as stopping takes.

Run as a script, with nothing but the standard library. Its standard input is a pipe of
planrunner's, which says what to do as a line of JSON. When it closes, because planrunner is done
with the service or was killed, the service's whole process group is stopped and its scratch
directory removed.

A service writes its output to a file itself, which costs nothing. Only when there are secrets, or
the file may not grow without end, it goes through a pipe: it is masked before it is written down,
and of more than the file may hold its begin and its end are kept, whatever becomes of planrunner.

It says on standard output, one JSON object a line: `{"started": PID}` or `{"failed": WORDS}`,
then `{"ended": CODE, "cpu_s": SECONDS}`, where a negative code is the number of a signal, and the
seconds are those of processors that it took, with all that it waited for; null on Windows.
"""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import subprocess
import threading
import time
from contextlib import suppress
from typing import Any, BinaryIO

__all__ = ["OWN_GROUP", "kill_group", "main"]

OWN_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
"""What `start_new_session` is on Windows, for `creationflags`."""

_HAS_GROUPS = hasattr(os, "killpg")  # Windows has neither these nor signals to other processes
_KILLED = -9
_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]

_LOOK_S = 0.05
_MOST_AFTER_KILL_S = 5.0
_MOST_LAST_WORDS_S = 2.0
_MOST_OF_A_LINE = 1 << 20


def main() -> None:
    """Start what standard input describes, and stop it when that closes."""
    job = _job()
    if job is None:
        return
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # planrunner decides when the service ends
    try:
        with open(job["log"], "ab", buffering=0) as log:  # noqa: PTH123 - fewer imports
            is_copied = job["secrets"] or job["most"] or job["copy"]
            child = _start(job, subprocess.PIPE if is_copied else log)
    except OSError as error:
        _say(failed=error.strerror or str(error))
        return
    copying = _start_copying(child, job)
    _say(started=child.pid)
    code = _until_over(child)
    if code is None:
        code = _stop(child, job["signal"], job["grace_s"])
    else:
        kill_group(child.pid)  # what it left behind
    if copying is not None:  # whoever left the process group may hold the pipe for ever
        copying.end()
    if job["scratch"]:
        shutil.rmtree(job["scratch"], ignore_errors=True)
        with suppress(OSError):  # those of other services are still in it
            os.rmdir(os.path.dirname(job["scratch"]))  # noqa: PTH106, PTH120 - fewer imports
    _say(ended=code, cpu_s=_taken_s())


def _job() -> dict[str, Any] | None:
    """Return what to do; None when planrunner was killed before it said so."""
    said = bytearray()
    while not said.endswith(b"\n"):
        if not (more := os.read(0, 1 << 16)):
            return None
        said += more
    job: dict[str, Any] = json.loads(said)
    return job


def _start(job: dict[str, Any], output: BinaryIO | int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        job["command"],
        cwd=job["cwd"],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        creationflags=OWN_GROUP,
        # This process has one thread so far.
        preexec_fn=_as_usual if _HAS_GROUPS else None,  # noqa: PLW1509
    )


def _as_usual() -> None:
    """Give the service the signals that we don't want."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)


def _start_copying(child: subprocess.Popen[bytes], job: dict[str, Any]) -> _Copying | None:
    return None if child.stdout is None else _Copying(child.stdout.fileno(), job)


class _Copying:
    """Writes down what comes through a pipe, whole lines at a time, without the secrets."""

    def __init__(self, pipe: int, job: dict[str, Any]) -> None:
        self._pipe = pipe
        self._secrets = re.compile(job["secrets"], re.IGNORECASE) if job["secrets"] else None
        self._mask = job["mask"]
        self._log = _Log(job["log"], job["most"])
        # Whoever reads all of it gets a file of its own.
        self._copy = _Log(job["copy"], 0) if job["copy"] else None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Write down the last of it."""
        self._thread.join(_MOST_LAST_WORDS_S)
        self._log.end()

    def _run(self) -> None:
        begun = b""
        while data := os.read(self._pipe, 1 << 16):
            lines, end, rest = data.rpartition(b"\n")
            if end or len(begun) > _MOST_OF_A_LINE:
                self._write(begun + lines + end)
                begun = b""
            begun += rest
        self._write(begun)

    def _write(self, printed: bytes) -> None:
        if self._secrets is not None:
            # Bytes that are no UTF-8 come out as they went in.
            text = self._secrets.sub(self._mask, printed.decode("utf-8", "surrogateescape"))
            printed = text.encode("utf-8", "surrogateescape")
        self._log.write(printed)
        if self._copy is not None:
            self._copy.write(printed)


class _Log:
    """A file that takes so many bytes at most: of more, the first half and the last; 0 for all."""

    def __init__(self, path: str, most: int) -> None:
        self._file = open(path, "ab", buffering=0)  # noqa: PTH123, SIM115 - open until the end
        self._half = most // 2
        self._room = self._half
        self._last = bytearray()
        self._left_out = 0
        self._lock = threading.Lock()

    def write(self, printed: bytes) -> None:
        if not self._half:
            self._put(printed)
            return
        with self._lock:
            first, rest = printed[: self._room], printed[self._room :]
            if first:
                self._put(first)
                self._room -= len(first)
            self._last += rest
            if len(self._last) > 2 * self._half:
                self._shorten()

    def end(self) -> None:
        """Write the last half, once it is known."""
        with self._lock:
            self._shorten()
            if self._left_out:
                self._put(f"\n[… {self._left_out:,} bytes left out …]\n".encode())
            self._put(bytes(self._last))
            self._last.clear()

    def _shorten(self) -> None:
        if (surplus := len(self._last) - self._half) > 0:
            del self._last[:surplus]
            self._left_out += surplus

    def _put(self, printed: bytes) -> None:
        with suppress(OSError):  # a full disk is no reason to let the service wait
            self._file.write(printed)


def _taken_s() -> float | None:
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return None
    taken = resource.getrusage(resource.RUSAGE_CHILDREN)
    return taken.ru_utime + taken.ru_stime


def _say(**words: object) -> None:
    with suppress(OSError):  # nothing listens any more
        os.write(1, json.dumps(words).encode() + b"\n")


def _until_over(child: subprocess.Popen[bytes]) -> int | None:
    """Return the exit code of a service that ended by itself; None when it is to be stopped."""
    if not _HAS_GROUPS:
        return _until_seen(child)
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


def _until_seen(child: subprocess.Popen[bytes]) -> int | None:
    """Do the same on Windows, where no pipe can be waited for beside anything else."""
    is_closed = threading.Event()

    def read() -> None:
        while os.read(0, 4096):
            pass
        is_closed.set()

    threading.Thread(target=read, daemon=True).start()
    while (code := child.poll()) is None and not is_closed.wait(_LOOK_S):
        pass
    return code


def _stop(child: subprocess.Popen[bytes], name: str, grace_s: float) -> int:
    if _HAS_GROUPS:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, getattr(signal, f"SIG{name}"))
    else:  # nothing but its end can be asked for
        grace_s = 0.0
    deadline = time.monotonic() + grace_s
    while time.monotonic() < deadline and _group_lives(child):
        time.sleep(_LOOK_S)
    kill_group(child.pid)
    with suppress(subprocess.TimeoutExpired):
        child.wait(_MOST_AFTER_KILL_S)
    return _KILLED if child.returncode is None else child.returncode


def _group_lives(child: subprocess.Popen[bytes]) -> bool:
    child.poll()  # a child that has ended stays in its group until it is asked for
    try:
        os.killpg(child.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def kill_group(pid: int) -> None:
    """Kill a service and all that it started, unless they have ended."""
    if _HAS_GROUPS:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        return
    with suppress(OSError):
        command = ["taskkill", "/F", "/T", "/PID", str(pid)]
        subprocess.run(command, capture_output=True, check=False)


if __name__ == "__main__":
    main()
