"""Programs that a plan starts before the load and stops after it, whatever happens between."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from planrunner.errors import CannotRun
from planrunner.graph.run_graph import ReadyNode, ServiceNode
from planrunner.language.expressions.values import to_text
from planrunner.language.patterns.pattern import MatchTimeoutError
from planrunner.language.patterns.words import took_too_long
from planrunner.language.secrets import MASK, Masker
from planrunner.protocols.base import Exchange, Scope
from planrunner.supervision.supervised import (
    CanNotStart,
    SupervisedJob,
    SupervisedProgram,
    last_lines,
)
from planrunner.target.ports import holder_of, is_taken
from planrunner.units import NS_PER_S, format_duration
from planrunner.values import dataclass

__all__ = [
    "Fetch",
    "RunningService",
    "ServiceContext",
    "make_probe",
    "mask_log",
    "start_services",
]

_PACKAGES: Final[Mapping[str, str]] = dict(
    line.split()
    for line in """
        etcd          etcd-server
        java          default-jre-headless
        nginx         nginx-light
        node          nodejs
        npm           npm
        postgres      postgresql
        redis-server  redis-server
    """.strip().splitlines()
)
"""Where well-known programs come from, on Debian and its like: the program, its package."""


def _install(program: str, otherwise: str) -> str:
    package = _PACKAGES.get(program)
    return otherwise if package is None else f"apt-get install {package}"


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """What services need of the run.

    Attributes:
        directory: Of the run; each service's output goes to NAME.log in it.
        scope: Names that commands and variables may read: `run`.
        environ: The environment that services inherit.
        fetch: Sends the request of `ready.get`.
        masker: Knows the secrets that are kept out of what services print.
    """

    directory: Path
    scope: Scope
    environ: Mapping[str, str]
    fetch: Fetch
    masker: Masker = Masker()


class RunningService:
    """A service that has been started.

    Attributes:
        pid: Of the service, which leads its process group.
    """

    def __init__(self, node: ServiceNode, program: SupervisedProgram, log: Path) -> None:
        self.node = node
        self.pid = program.pid
        self._program = program
        self._log = log
        self._is_stopping = False

    @property
    def ended(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._program.ended

    async def until_it_ends(self) -> str:
        """Return, in words, how the service ended by itself; never returns when it is stopped."""
        await self._program.until_ended()
        if self._is_stopping:
            await asyncio.get_running_loop().create_future()
        how = self._program.how_it_ended()
        return f"service `{self.node.name}` {how} during the run{self._program.last_words()}"

    async def until_ready(self, fetch: Fetch) -> None:
        """Wait until its `ready` holds.

        Raises:
            CannotRun: It ended, or its time was up; the message has its last lines.
        """
        ready = self.node.ready
        if ready is None:
            return
        end = asyncio.ensure_future(self._program.until_ended())
        probe = make_probe(ready, self._log, fetch)
        why: str | None = "it was never probed"
        try:
            async with asyncio.timeout(ready.timeout_ns / NS_PER_S):
                while not end.done() and (why := await probe()) is not None:
                    await asyncio.wait([end], timeout=ready.every_ns / NS_PER_S)
        except TimeoutError:
            pass
        else:
            if not end.done():
                return
        finally:
            is_over = end.done()
            end.cancel()
        printed = last_lines(self._log)
        hint = f"its whole output is in {self._log}" if printed else ""
        timeout = format_duration(ready.timeout_ns)
        words = self._program.how_it_ended() if is_over else f"was not ready within {timeout}"
        reason = "" if is_over else f": {why}"
        message = f"service `{self.node.name}` {words}{reason}{self._program.last_words()}"
        raise CannotRun(message, hint=hint)

    async def stop(self) -> None:
        """Ask the supervisor to stop it, and wait until it is gone."""
        self._is_stopping = True
        is_tidy = await self._program.stop()
        if not is_tidy and self.node.scratch is not None:
            shutil.rmtree(self.node.scratch, ignore_errors=True)
            with suppress(OSError):  # those of other services are still in it
                self.node.scratch.parent.rmdir()


@asynccontextmanager
async def start_services(
    nodes: Sequence[ServiceNode], around: ServiceContext
) -> AsyncIterator[tuple[RunningService, ...]]:
    """Run all services around the block, started in order and stopped in reverse.

    Raises:
        CannotRun: A program is not installed, a port is taken, or a service did not become ready;
            those that were started have been stopped.
    """
    for node in nodes:
        _check(node, around)
    async with AsyncExitStack() as stack:
        running = []
        for node in nodes:
            service = await _start(node, around)
            stack.push_async_callback(service.stop)
            await service.until_ready(around.fetch)
            running.append(service)
        yield tuple(running)


def _check(node: ServiceNode, around: ServiceContext) -> None:
    """Look for what can't work before anything is started."""
    if not os.path.isdir(node.directory):  # noqa: PTH112 - a name that is too long is none
        words = f"service `{node.name}`: there is no directory `{node.directory}`"
        raise CannotRun(words, hint="correct `cwd`")
    _check_program(node, _command(node, around)[0], around.environ.get("PATH"))
    if node.port and is_taken(node.port):
        words = f"port {node.port} of service `{node.name}` is taken by {holder_of(node.port)}"
        raise CannotRun(words, hint="stop that process, or choose another port: `port: auto`")


def _check_program(node: ServiceNode, program: str, path: str | None) -> None:
    file = node.directory / program
    if "/" not in program:
        if shutil.which(program, path=path) is not None:
            return
        words = f"needs the program `{program}`, which is not installed"
        hint = _install(program, f"install `{program}`, or write its whole path in `run:`")
    elif not os.path.isfile(file):  # noqa: PTH113 - a name that is too long is none
        words = f"needs the program `{file}`, which does not exist"
        hint = _install(file.name, "correct `run`")
    elif not os.access(file, os.X_OK):
        words = f"can't be started: `{file}` is not executable"
        hint = f"run `chmod +x {file}`, or put its interpreter in front of it"
    else:
        return
    raise CannotRun(f"service `{node.name}` {words}", hint=hint)


def _command(node: ServiceNode, around: ServiceContext) -> list[str]:
    words = [
        "".join(part if isinstance(part, str) else to_text(part(around.scope)) for part in word)
        for word in node.command
    ]
    # Wherever planrunner was started from, its plans find it.
    return [sys.executable, "-m", "planrunner", *words[1:]] if words[0] == "planrunner" else words


async def _start(node: ServiceNode, around: ServiceContext) -> RunningService:
    log = (around.directory / f"{node.name}.log").absolute()
    own = {name: to_text(evaluate(around.scope)) for name, evaluate in node.environment}
    if node.scratch is not None:
        node.scratch.mkdir(parents=True, mode=0o700, exist_ok=True)
    job = SupervisedJob(
        name=node.name,
        command=tuple(_command(node, around)),
        directory=node.directory,
        log=log,
        environ={**around.environ, **own},
        secrets=around.masker.pattern,
        mask=MASK,
        stop_signal=node.stop_signal,
        grace_s=node.grace_ns / NS_PER_S,
        scratch=node.scratch,
    )
    try:
        program = await SupervisedProgram.start(job)
    except CanNotStart as refused:
        words = f"service `{node.name}` can't be started: {refused}"
        raise CannotRun(words, hint="correct `run`") from refused
    return RunningService(node, program, log)


MOST_SEARCHED: Final = 16_000_000
"""Bytes of a log that is searched at the end: a run must not wait for a minute of that."""


def mask_log(log: Path, mask: Masker) -> bool:
    """Take secrets that were learnt during the run out of what a service has printed.

    Returns False for a log that is too long to be searched, or can't be written.
    """
    try:
        if log.stat().st_size > MOST_SEARCHED:
            return False
        printed = log.read_bytes().decode("utf-8", "surrogateescape")
        masked = mask(printed)
        if masked != printed:
            log.write_bytes(masked.encode("utf-8", "surrogateescape"))
    except FileNotFoundError:  # of a service that wasn't started
        return True
    except OSError:
        return False
    return True


Fetch = Callable[[Exchange], Awaitable[str | None]]
"""Sends one request; None when its reply is acceptable, else what was wrong, in words."""

Probe = Callable[[], Awaitable[str | None]]

_CONNECT_S = 2.0
_MOST_LOG = 1_000_000


def make_probe(ready: ReadyNode, log: Path, fetch: Fetch) -> Probe:
    """Return what looks once: None when the service is ready, else why not."""
    if ready.get is not None:
        exchange = ready.get
        return lambda: fetch(exchange)
    if ready.log is not None:
        pattern = ready.log

        async def look() -> str | None:
            try:
                found = pattern.is_in(_printed(log))
            except MatchTimeoutError:
                return took_too_long(pattern.source)
            return None if found else f"nothing matches `{pattern.source}`"

        return look
    if ready.grpc:
        return _health_probe(*ready.grpc.split("/", 1))
    host, _, port = ready.tcp.rpartition(":")
    return lambda: _connect(host.strip("[]"), int(port))


def _health_probe(address: str, service: str = "") -> Probe:
    from planrunner.protocols.over_grpc.health import check_health  # noqa: PLC0415 - it imports gRPC

    return lambda: check_health(address, service)


def _printed(log: Path) -> str:
    with suppress(OSError), log.open("rb") as file:
        return file.read(_MOST_LOG).decode("utf-8", "replace")
    return ""


async def _connect(host: str, port: int) -> str | None:
    try:
        async with asyncio.timeout(_CONNECT_S):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return f"{host}:{port} does not answer"
    except OSError as error:
        return f"{host}:{port}: {error.strerror or error}"
    writer.close()
    return None
