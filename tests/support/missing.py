"""Hides packages from `import`, as on a machine where they are not installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

__all__ = ["WINDOWS", "hidden", "write_hiding_site"]

WINDOWS = """
# As far as it can be had elsewhere: what its Python lacks is gone, and its event loop refuses what
# it refuses there. The standard library is loaded before, in its form for this system.
import asyncio, asyncio.subprocess, ctypes, os, select, signal, socket, subprocess, sys, tempfile
import click, concurrent.futures, grpc.aio, httpx, multiprocessing, pathlib, psutil, rich.live
import multiprocessing.connection, shutil, zoneinfo

def refuse(*_, **__):
    raise NotImplementedError

for loop in (asyncio.SelectorEventLoop, asyncio.BaseEventLoop):
    for name in ("add_reader", "add_signal_handler", "remove_reader", "remove_signal_handler"):
        setattr(loop, name, refuse)
signal.SIGBREAK = 21
POSIX = {
    os: ("fork", "forkpty", "getpgid", "killpg", "setsid", "geteuid", "getuid", "getgid", "chown",
         "fstatvfs", "statvfs", "pidfd_open", "posix_fallocate", "posix_spawn", "sched_getaffinity",
         "timerfd_create", "uname", "getloadavg", "nice", "O_CLOEXEC", "O_NONBLOCK",
         "O_NOCTTY", "O_NOFOLLOW", "O_DIRECTORY", "O_SYNC", "mkfifo", "wait3", "wait4", "getpgrp"),
    signal: ("SIGHUP", "SIGKILL", "SIGALRM", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGPIPE",
             "setitimer", "getitimer", "alarm", "pause", "pthread_sigmask", "sigwait"),
    select: ("poll", "epoll", "kqueue"),
    socket: ("SO_REUSEPORT",),
}
for module, names in POSIX.items():
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
subprocess.Popen.kill = lambda self: self.send_signal(9)
sys.platform = "win32"
"""

_SITE = """\
import sys

class Missing:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing)
for name in {names!r}:
    sys.modules.pop(name, None)
"""


class _Missing(MetaPathFinder):
    """A finder that knows better than those behind it."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname.partition(".")[0] in self._names:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None


@contextmanager
def hidden(*names: str) -> Iterator[None]:
    """Hide top-level modules from this process; those imported before come back at the end."""
    finder = _Missing(names)
    away = {
        name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in names
    }
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        sys.modules.update(away)


def write_hiding_site(folder: Path, *names: str, before: str = "") -> str:
    """Write a `sitecustomize` that hides modules from any process with `folder` in PYTHONPATH.

    Args:
        folder: Where to write it; made if it is not there.
        names: The top-level modules.
        before: Code that the process runs before they are hidden.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(before + _SITE.format(names=names), encoding="utf-8")
    return str(folder)
