"""A Dask cluster: the one place that knows `distributed`."""

from __future__ import annotations

import asyncio
import importlib
import logging
import shlex
import signal
import sys
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from multiprocessing import resource_tracker
from types import ModuleType
from typing import Any, Final
from urllib.parse import urlsplit

from planrunner.cluster.agent import HostAgent
from planrunner.cluster.link import HostLost
from planrunner.cluster.software import Software, software_fault
from planrunner.cluster.wanted import ClusterWanted, read_hosts
from planrunner.errors import CannotRun
from planrunner.extras import need
from planrunner.values import dataclass

__all__ = ["DaskCluster", "DaskNode", "open_cluster"]

_OWN: Final = "planrunner"
_LOOK_S: Final = 1
_CONNECT_S: Final = 10
_GREET_S: Final = _CONNECT_S + 1  # Dask itself says it better, if it notices
_ALONE_S: Final = 15  # after which a Dask worker ends that sshd can't end
_PLACE_S: Final = 30
_WORKERS_S: Final = 30.0
_REACH_S: Final = 3.0
_LOGGERS: Final = ("distributed", "bokeh", "tornado", "asyncssh")

_PAIR: Final = "--cluster-cert and --cluster-key take a certificate and its own key, in PEM"
_NAMED: Final = "name --cluster-ca, --cluster-cert and --cluster-key"
_REFUSED: Final = "it refuses the certificate that --cluster-cert names"
_HUNG_UP: Final = "if it has TLS, write tls://… and name a certificate of its authority"
_START: Final = "start one with `dask scheduler`, or look at the port"
_NO_DASK: Final = "what listens there is no Dask scheduler"
_REFUSALS: Final = (
    ("ConnectionRefusedError", "nothing listens there", _START),
    ("gaierror", "the name of its host is not known", "look at the address"),
    ("MemoryError", _NO_DASK, "look at the address"),  # its greeting, taken for a length
    ("`ssl_context`", "TLS needs certificates", _NAMED),
    ("encryption required", "it has no TLS, and certificates were named", "write tls://…"),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "its certificate is not one of the authority that --cluster-ca names",
        "name the authority that signed the scheduler's certificate",
    ),
    *((mark, _REFUSED, "name one of its authority") for mark in ("ALERT", "SSLEOFError")),
    ("KEY_VALUES_MISMATCH", "the key is not that of the certificate", _PAIR),
    ("[X509", "a file has no certificate", _PAIR),
    ("PEM lib", "a file has no certificate or no key", _PAIR),
    ("WRONG_VERSION_NUMBER", "what listens there does not speak TLS", "look at the address"),
    ("is not idle", "it does not speak TLS", "write tcp://… for a scheduler without TLS"),
    *((mark, "it hangs up", _HUNG_UP) for mark in ("reset by peer", "Stream is closed")),
    ("Non-websocket", _NO_DASK, "look at the address"),
)
"""What Dask or OpenSSL say of a connection that fails, what that means, and what to do."""


@dataclass(frozen=True, slots=True)
class DaskNode:
    """One Dask worker.

    Attributes:
        address: Where it listens.
        host: The host's name or address, as Dask knows it.
        software: What it has; None if it did not say.
    """

    address: str
    host: str
    software: Software | None

    @property
    def fault(self) -> CannotRun | None:
        """What keeps it from working with this process; None if nothing does."""
        at = f"the Dask worker {self.address}"
        if self.software is None:
            return CannotRun(f"{at} does not say its versions", hint="look at what it logs")
        return software_fault(at, self.software)


class _ActorCalls:
    """Calls an agent through Dask's proxy for it, and says what became of them."""

    def __init__(self, client: Any, proxy: Any) -> None:  # noqa: ANN401 - as below
        self._client = client
        self._proxy = proxy

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as `AgentCalls` has them
        async def call(*arguments: object) -> object:
            try:
                with self._client.as_current():  # where the proxy looks for its way
                    answer = getattr(self._proxy, name)(*arguments)
                return await answer
            except RuntimeError as error:
                raise HostLost("died: its Dask worker has ended") from error
            except KeyError as error:  # it was started again, without the agent
                raise HostLost("died: its Dask worker was started anew") from error

        return call


class DaskCluster:
    """A connection to a scheduler."""

    def __init__(self, client: Any, tell: Callable[[str], None]) -> None:  # noqa: ANN401 - distributed has no types
        self._client = client
        self._tell = tell

    async def addresses(self) -> frozenset[str]:
        """Return the Dask workers that the scheduler has now.

        Raises:
            OSError: It can't be asked.
        """
        found = await self._client.scheduler.identity()
        return frozenset(found["workers"])

    async def nodes(self) -> Sequence[DaskNode]:
        """Return all Dask workers, and what they have.

        Raises:
            CannotRun: There are none, or the scheduler can't work with this process.
        """
        try:
            if not await self.addresses():
                self._tell(f"waiting up to {_WORKERS_S:.0f} s for a Dask worker to come")
            async with asyncio.timeout(_WORKERS_S):
                await self._client.wait_for_workers(1)
            found = await self._client.scheduler.identity()
            said = await self._client.get_versions(packages=[_OWN])
        except TimeoutError as error:
            raise CannotRun(
                f"the cluster has no Dask worker after {_WORKERS_S:.0f} s",
                hint="start some with `dask worker ADDRESS`",
            ) from error
        except OSError as error:
            raise CannotRun(f"the Dask scheduler does not answer any more: {error}") from error
        _check_scheduler(self._client.scheduler.address, said["scheduler"])
        workers = said["workers"]
        nodes = [
            DaskNode(
                address, one["host"], _software(workers[address]) if address in workers else None
            )
            for address, one in sorted(found["workers"].items(), key=lambda item: item[1]["id"])
        ]
        await self._choose_way(nodes)
        return nodes

    async def _choose_way(self, nodes: Sequence[DaskNode]) -> None:
        """Talk to the Dask workers directly if all can be reached, else through the scheduler."""
        reached = (self._client.rpc(node.address).identity() for node in nodes)
        try:
            async with asyncio.timeout(_REACH_S):
                await asyncio.gather(*reached)
        except (TimeoutError, OSError):
            self._client.direct_to_workers = False
        else:
            self._client.direct_to_workers = True

    async def place(self, node: DaskNode, module: str) -> _ActorCalls:
        """Make an agent on a Dask worker.

        Raises:
            CannotRun: It can't be made.
        """
        making: Awaitable[Any] = self._client.submit(
            HostAgent,
            module,
            actor=True,
            workers=[node.address],
            allow_other_workers=False,
            pure=False,
        )
        try:
            async with asyncio.timeout(_PLACE_S):
                return _ActorCalls(self._client, await making)
        except TimeoutError as error:
            raise CannotRun(
                f"the Dask worker {node.address} did not answer in {_PLACE_S} s",
                hint="it may be busy with other work: planrunner needs Dask workers of its own",
            ) from error
        except Exception as error:
            if "connection-lost" in str(error):
                raise CannotRun("the Dask scheduler was lost while workers were placed") from error
            raise CannotRun(
                f"the Dask worker {node.address} can't run planrunner: {error}"
            ) from error


def _check_scheduler(address: str, said: Mapping[str, Any]) -> None:
    """Refuse a scheduler that can't work with this process.

    Raises:
        CannotRun: As it says, it has other software.
    """
    fault = software_fault(f"the Dask scheduler at {address}", _software(said))
    if fault is not None:
        raise fault


def _software(said: Mapping[str, Any]) -> Software:
    packages = said["packages"]
    return Software(
        said["host"]["python"].split(".final")[0],
        packages.get("planrunner") or "",
        packages.get("distributed") or "",
    )


@asynccontextmanager
async def open_cluster(
    wanted: ClusterWanted, tell: Callable[[str], None]
) -> AsyncIterator[DaskCluster]:
    """Connect to a cluster; start it first if it is a local one, or one over SSH.

    Args:
        wanted: Which it is.
        tell: Called with what may take long, a sentence each.

    Raises:
        PackageMissing: The extra `cluster` isn't installed.
        UsageError: The hosts can't be read.
        CannotRun: It can't be reached or started.
    """
    need("distributed", "`--cluster`")
    warnings.filterwarnings("ignore", "Mismatched versions found")  # see `software_fault`
    _hush()
    async with AsyncExitStack() as stack:
        address: Any = wanted.scheduler
        if wanted.local_workers:
            address = await stack.enter_async_context(_local(wanted.local_workers))
        elif wanted.hosts_file is not None:
            tell(f"starting Dask on the hosts in `{wanted.hosts_file}`")
            address = await stack.enter_async_context(_over_ssh(wanted))
        client = await _connected(wanted, address)
        stack.push_async_callback(_closed, client)
        yield DaskCluster(client, tell)


def _hush() -> None:
    """Keep Dask's logs from the terminal: what matters of them is said in planrunner's words."""
    _module()  # sets levels, also of loggers below these
    for name in (*_LOGGERS, *logging.root.manager.loggerDict):
        if name.partition(".")[0] in _LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _module() -> Any:  # noqa: ANN401 - it has no types
    return importlib.import_module("distributed")  # takes a second


async def _closed(client: Any) -> None:  # noqa: ANN401 - as above
    with suppress(Exception):  # a scheduler that is gone
        await client.close(timeout=2)


async def _connected(wanted: ClusterWanted, address: Any) -> Any:  # noqa: ANN401 - as above
    """Return a client that the scheduler has greeted.

    Raises:
        CannotRun: It did not.
    """
    client: Any = None
    try:
        security = _security(wanted)
        if isinstance(address, str):
            await _look(address, security)
        async with asyncio.timeout(_GREET_S):  # some other server may never greet
            client = _module().Client(
                address,
                asynchronous=True,
                timeout=_CONNECT_S,
                security=security,
                set_as_default=False,
                name=_OWN,
            )
            return await client
    except CannotRun:
        raise
    except Exception as error:  # Dask raises what it likes
        if client is not None:
            await _closed(client)
        raise _refusal(wanted, error) from error


async def _look(address: str, security: Any) -> None:  # noqa: ANN401 - as above
    """Ask a scheduler for its versions, before a client of another one stumbles over it.

    Raises:
        CannotRun: It has others.
        OSError: Nobody can be connected with.
    """
    module = _module()
    shown = (security or module.Security()).get_connection_args("client")
    scheduler = module.rpc(address, timeout=_LOOK_S, connection_args=shown)
    try:
        async with asyncio.timeout(_GREET_S):
            said = await scheduler.versions(packages=[_OWN])
    except Exception:  # noqa: BLE001 - a client has more time, and says why it can't
        await _reach(address)
    else:
        _check_scheduler(address, said)
    finally:
        await scheduler.close_rpc()


async def _reach(address: str) -> None:
    """Connect once, as Dask goes on trying where nobody listens.

    Raises:
        OSError: Nobody does, or there is no such host.
    """
    place = urlsplit(address)
    with suppress(TimeoutError):
        async with asyncio.timeout(_LOOK_S):
            _, writer = await asyncio.open_connection(place.hostname, place.port)
            writer.close()


def _chained(error: BaseException | None) -> str:
    """Return what an error says, and those that it comes from."""
    return "" if error is None else f"{type(error).__name__}: {error} {_chained(error.__cause__)}"


def _security(wanted: ClusterWanted) -> Any:  # noqa: ANN401 - as above
    """Return what authenticates: of what wasn't given, what Dask's own configuration says."""
    key = wanted.key or wanted.cert
    given = {"tls_ca_file": wanted.ca, "tls_client_cert": wanted.cert, "tls_client_key": key}
    named = {name: str(path) for name, path in given.items() if path is not None}
    if not named:
        return None
    return _module().Security(require_encryption=True, **named)


def _refusal(wanted: ClusterWanted, error: Exception) -> CannotRun:
    """Say why there is no connection, and what to do."""
    said = _chained(error)
    unknown = (
        str(error) or f"what listens there did not greet in {_GREET_S} s",
        "start one with `dask scheduler`, or look at the port: the dashboard has another",
    )
    why, hint = next(((why, hint) for mark, why, hint in _REFUSALS if mark in said), unknown)
    return CannotRun(f"no Dask scheduler answers at {wanted.address}: {why}", hint=hint)


@contextmanager
def _on_their_own() -> Iterator[None]:
    """Let new processes know neither the caller's script nor the terminal's Ctrl-C.

    They would run the script again, which had to guard its call otherwise; and Ctrl-C is for the
    coordinator, which ends the run gracefully. The mask is inherited, by their threads as well.
    """
    resource_tracker.ensure_running()  # which unblocks signals when it starts
    main, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
    masks = hasattr(signal, "pthread_sigmask")  # not on Windows
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if masks else set()
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        if masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@asynccontextmanager
async def _local(workers: int) -> AsyncIterator[Any]:
    with _on_their_own():
        starting = _module().LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",  # with none it takes 8787, and warns if that is taken
            asynchronous=True,
            security=True,  # of keys made for this run: others on the machine reach the ports too
            silence_logs=logging.CRITICAL,
            memory_limit=0,
        )
        try:
            cluster = await starting
        except Exception as error:
            words = f"can't start Dask workers on this machine: {error}"
            raise CannotRun(
                words, hint="look at its memory and processes, or use --workers"
            ) from error
    async with cluster:
        yield cluster


@asynccontextmanager
async def _over_ssh(wanted: ClusterWanted) -> AsyncIterator[Any]:
    assert wanted.hosts_file is not None
    hosts = read_hosts(wanted.hosts_file)
    patience = {"connect_timeout": _CONNECT_S, "login_timeout": _CONNECT_S}
    options: list[dict[str, object]] = [
        {"port": one.port, **patience, **({"username": one.user} if one.user else {})}
        for one in hosts
    ]
    cluster = _module().SSHCluster(
        [hosts[0].host, *(one.host for one in hosts)],
        connect_options=[options[0], *options],
        worker_options={"nthreads": 1, "death_timeout": _ALONE_S},
        scheduler_options={"dashboard": False, "port": 0},
        remote_python=shlex.quote(sys.executable),
        asynchronous=True,
    )
    try:
        try:
            await cluster
        except Exception as error:  # what asyncssh and the remote Python say
            why = str(error).removeprefix("Cluster failed to start: ") or type(error).__name__
            raise CannotRun(
                f"can't start Dask over SSH: {why}",
                hint=f"look whether each host in `{wanted.hosts_file}` answers without a question: "
                f"ssh HOST {shlex.quote(sys.executable)} -m distributed.cli.dask_spec --help",
            ) from error
        yield cluster
    finally:  # also what has started before a host failed
        with suppress(Exception):
            async with asyncio.timeout(_CONNECT_S):
                await cluster.close()
