"""Hosts of a cluster on one machine: network namespaces with clocks and names of their own.

Each host is a network namespace at a bridge, and whatever runs there sees another monotonic clock,
another host name, and an empty folder in the place of `hidden`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
import pytest

__all__ = ["NetHosts", "needs_hosts", "net_hosts", "wait_until"]

_PORT = 8786
_SHIFT_S = 1000
"""How far apart the clocks of two hosts are."""

BIN = Path(sys.executable).parent


def _can_make_hosts() -> bool:
    if sys.platform != "linux" or shutil.which("ip") is None or shutil.which("unshare") is None:
        return False
    tried = subprocess.run(
        ["unshare", "--net", "--mount", "--uts", "--time", "true"], capture_output=True, check=False
    )
    return tried.returncode == 0 and os.geteuid() == 0


needs_hosts = pytest.mark.skipif(
    not _can_make_hosts(), reason="needs the rights to make network and time namespaces"
)


def wait_until(what: Callable[[], object], seconds: float = 20) -> float:
    """Wait until something is true; return how long it took."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < seconds, f"still not so after {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - began


class NetHosts:
    """Some hosts with a Dask worker on each, the scheduler here, and nginx on the last one.

    Attributes:
        scheduler: Its address.
        target: The URL of nginx.
        names: Of the hosts with Dask workers.
    """

    def __init__(self, folder: Path, count: int, hidden: Path) -> None:
        self._folder = folder
        self._hidden = hidden
        self._tag = f"p{os.getpid() % 100_000}"
        self._net = f"10.{os.getpid() % 200 + 20}.{os.getpid() // 200 % 250}"
        self._spaces = [f"{self._tag}n{number}" for number in range(count + 1)]
        self.names = [f"host{number + 1}" for number in range(count)]
        self.scheduler = f"tcp://{self._net}.254:{_PORT}"
        self.target = f"http://{self._net}.{count + 1}"
        self._scheduler: subprocess.Popen[bytes] | None = None
        self._workers: dict[int, subprocess.Popen[bytes]] = {}

    def _ip(self, *words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def make(self) -> None:
        bridge = f"{self._tag}b"
        self._ip("link", "add", bridge, "type", "bridge")
        self._ip("addr", "add", f"{self._net}.254/24", "dev", bridge)
        self._ip("link", "set", bridge, "up")
        for number, space in enumerate(self._spaces):
            wire = f"{self._tag}v{number}"
            self._ip("netns", "add", space)
            self._ip("link", "add", wire, "type", "veth", "peer", "name", "eth0", "netns", space)
            self._ip("link", "set", wire, "master", bridge, "up")
            self._ip("-n", space, "addr", "add", f"{self._net}.{number + 1}/24", "dev", "eth0")
            self._ip("-n", space, "link", "set", "eth0", "up")
            self._ip("-n", space, "link", "set", "lo", "up")

    def unmake(self) -> None:
        for space in self._spaces:
            with suppress(subprocess.CalledProcessError):
                self._ip("netns", "del", space)
        with suppress(subprocess.CalledProcessError):
            self._ip("link", "del", f"{self._tag}b")

    def cut(self, number: int) -> None:
        """Take a host off the network."""
        self._ip("link", "set", f"{self._tag}v{number}", "down")

    def mend(self, number: int) -> None:
        """Give it back."""
        self._ip("link", "set", f"{self._tag}v{number}", "up")

    def start_scheduler(self) -> None:
        host, _, port = self.scheduler.removeprefix("tcp://").partition(":")
        self._scheduler = self._run(
            "scheduler", [str(BIN / "dask"), "scheduler", "--host", host, "--port", port]
        )

    def start_worker(self, number: int) -> None:
        """Start the Dask worker of a host, in the place of one that may be there."""
        if number in self._workers:
            self._workers[number].kill()
            self._workers[number].wait()
        folder = self._folder / self.names[number]
        folder.mkdir(exist_ok=True)
        inner = (
            f"hostname {self.names[number]} && mount -t tmpfs none '{self._hidden}' && exec "
            f"'{BIN / 'dask'}' worker {self.scheduler} --nthreads 1 --no-nanny --no-dashboard "
            f"--local-directory '{folder}'"
        )
        shift = ["unshare", "--time", "--monotonic", str((number + 1) * _SHIFT_S)]
        spaces = ["--mount", "--uts", "--fork", "--kill-child", "sh", "-c", inner]
        command = ["ip", "netns", "exec", self._spaces[number], *shift, *spaces]
        self._workers[number] = self._run(self.names[number], command)

    def start_target(self) -> subprocess.Popen[bytes]:
        """Run nginx on the last host."""
        config = self._folder / "nginx.conf"
        config.write_text(
            f"daemon off; worker_processes 1; pid '{self._folder}/nginx.pid'; error_log stderr;\n"
            "events { worker_connections 4096; }\n"
            "http { access_log off; keepalive_requests 1000000; server { listen 80;"
            " location / { return 200 'hello'; } } }\n"
        )
        nginx = ["nginx", "-c", str(config), "-e", "stderr"]
        return self._run("nginx", ["ip", "netns", "exec", self._spaces[-1], *nginx])

    def _run(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        with (self._folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder)

    def wait_for_worker(self, number: int) -> None:
        """Return when the Dask worker of a host has found the scheduler."""
        log = self._folder / f"{self.names[number]}.log"
        wait_until(lambda: b"Registered to" in log.read_bytes(), 60)

    def restart_worker(self, number: int) -> None:
        """Start a Dask worker anew, and wait for it: Dask gives up what was cut off for long."""
        self.start_worker(number)
        self.wait_for_worker(number)

    def kill_scheduler(self) -> None:
        assert self._scheduler is not None
        self._scheduler.kill()
        self._scheduler.wait()

    def restart(self) -> None:
        """Start the scheduler, and all Dask workers anew."""
        self.stop()
        self.start()

    def start(self) -> None:
        """Start the scheduler and all Dask workers."""
        self.start_scheduler()
        for number in range(len(self.names)):
            self.start_worker(number)
        for number in range(len(self.names)):
            self.wait_for_worker(number)

    def dask_worker(self, number: int) -> psutil.Process:
        """Return the process of a Dask worker."""
        [found] = [
            one
            for one in psutil.Process(self._workers[number].pid).children(recursive=True)
            if "dask" in " ".join(one.cmdline())
            and "worker_main" not in " ".join(one.cmdline())
            and not one.name().startswith("sh")
        ]
        return found

    def generators(self, number: int | None = None) -> list[psutil.Process]:
        """Return the workers of planrunner on a host, or on all."""
        workers = self._workers if number is None else {number: self._workers[number]}
        found = []
        for worker in workers.values():
            with suppress(psutil.Error):
                found += [
                    one
                    for one in psutil.Process(worker.pid).children(recursive=True)
                    if any("worker_main" in word for word in one.cmdline())
                ]
        return found

    def stop(self) -> None:
        processes = [*self._workers.values(), *filter(None, [self._scheduler])]
        for process in processes:
            process.send_signal(signal.SIGKILL)
        for process in processes:
            process.wait()


@contextmanager
def net_hosts(folder: Path, count: int, hidden: Path) -> Iterator[NetHosts]:
    """Make hosts whose Dask workers don't see what is in `hidden`, until the block ends."""
    hidden.mkdir(parents=True, exist_ok=True)
    hosts = NetHosts(folder, count, hidden)
    with ExitStack() as stack:
        stack.callback(hosts.unmake)
        hosts.make()
        target = hosts.start_target()
        stack.callback(target.wait)
        stack.callback(target.terminate)
        stack.callback(hosts.stop)
        hosts.start()
        yield hosts
