"""Run one command as a whole process, pinned, and read what the operating system says of it."""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

# With this switch every start compiles every module again, which no user's start does.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Outcome:
    """One finished process: seconds, peak resident bytes and what it printed to each stream.

    Attributes:
        waited: The share of the time in which it wanted to run that it waited for others to leave
            it the processor; 0 where the system doesn't say.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    exit_code: int
    output: str
    errors: str
    waited: float = 0.0


def pinned(command: Sequence[str], cpu: int | None) -> list[str]:
    """Return the command bound to one processor, where that is possible."""
    if cpu is None or not shutil.which("taskset") or (os.cpu_count() or 1) < 2:
        return list(command)
    return ["taskset", "-c", str(cpu), *command]


def run(command: Sequence[str], *, cpu: int | None = None, cwd: Path | None = None) -> Outcome:
    """Run `command` to its end."""
    with tempfile.TemporaryFile() as sink, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            pinned(command, cpu), stdout=sink, stderr=errors, cwd=cwd, env=ENVIRONMENT
        )
        waited = _waited_until_end(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        sink.seek(0)
        output = sink.read().decode(errors="replace")
        errors.seek(0)
        complaints = errors.read().decode(errors="replace")
    return Outcome(
        wall_s,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss * 1024,
        process.returncode,
        output,
        complaints,
        waited,
    )


def _waited_until_end(process: int) -> float:
    """Wait until a process ends; returns `Outcome.waited`."""
    if not hasattr(os, "pidfd_open") or not Path(f"/proc/{process}/schedstat").exists():
        return 0.0
    times: dict[str, tuple[int, int]] = {}
    end = os.pidfd_open(process)
    try:
        is_over = False
        while not is_over:
            # A thread's times go with it, so they are read again and again, and at last as it ends.
            is_over = bool(select.select([end], [], [], _LOOK_S)[0])
            for path in Path(f"/proc/{process}/task").glob("*/schedstat"):
                with suppress(OSError, ValueError):  # it has ended meanwhile
                    ran_ns, waited_ns, _ = map(int, path.read_text().split())
                    times[path.parent.name] = ran_ns, waited_ns
    finally:
        os.close(end)
    waited_ns = sum(waited for _, waited in times.values())
    return waited_ns / max(1, waited_ns + sum(ran for ran, _ in times.values()))


def thread_times(process: int) -> tuple[int, int]:
    """Return how long the threads of a process that live have run, and waited for others, in ns."""
    tasks = Path(f"/proc/{process}/task").glob("*/schedstat")
    times = [task.read_text().split() for task in tasks]
    return sum(int(ran) for ran, *_ in times), sum(int(waited) for _, waited, _ in times)


def wait_for_quiet(idle: float = 0.7, at_most_s: float = 10) -> float:
    """Wait until others leave the processors idle; returns the idle share of the last second.

    Without /proc, which tells it, at once and with -1.
    """
    share, deadline = -1.0, time.monotonic() + at_most_s
    while Path("/proc/stat").exists():
        before = _ticks()
        time.sleep(1)
        passed = [now - then for now, then in zip(_ticks(), before, strict=True)]
        share = round(passed[3] / max(1, sum(passed)), 2)
        if share >= idle or time.monotonic() > deadline:
            break
    return share


def _ticks() -> list[int]:
    return [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


_NGINX = """\
worker_processes 1;
worker_rlimit_nofile 16384;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  keepalive_timeout 300s;
  keepalive_requests 100000000;
  default_type application/json;
  server {{
    listen 127.0.0.1:{port} backlog=8192;
    location / {{ return 200 '{{"key":"k","value":"0123456789abcdef","cached":false}}'; }}
  }}
}}
"""


@contextmanager
def nginx(*, cpu: int | None, config: str = _NGINX) -> Iterator[int]:
    """Serve a 51-byte JSON reply from one pinned nginx worker; yields the port.

    Another `config` may name `{folder}/server.pem`: a certificate of this machine, and its key.
    """
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        if "server.pem" in config:
            import trustme  # noqa: PLC0415 - for those who need it

            made = trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem
            made.write_to_path(Path(folder) / "server.pem")
        path = Path(folder) / "nginx.conf"
        path.write_text(config.format(folder=folder, port=port))
        process = subprocess.Popen(
            pinned(["nginx", "-p", folder, "-c", str(path)], cpu), stderr=subprocess.DEVNULL
        )
        try:
            wait_for_port(port)
            yield port
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait()


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"nothing listens on port {port}")
