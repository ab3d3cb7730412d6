"""Whether the target answers, by one connection and no request."""

from __future__ import annotations

import asyncio

import pytest

from planrunner.errors import CannotRun
from planrunner.protocols.etcd.operation import EtcdSettings
from planrunner.protocols.http.operation import HttpSettings
from planrunner.protocols.plugin import Reach
from planrunner.protocols.registry import named
from planrunner.target import check_own, check_reachable, free_port


def at(url: str) -> Reach:
    (reach,) = named("http").reach(HttpSettings(base_url=(url,)))
    return reach


def members(*endpoints: str) -> Reach:
    (reach,) = named("etcd").reach(EtcdSettings(endpoints=endpoints))
    return reach


def test_nothing_listening_is_said_before_the_load() -> None:
    """A target that refuses the connection ends the run before anything is sent."""
    url = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(CannotRun, match=r"nothing answers at .*: connection refused"):
        asyncio.run(check_reachable(at(url)))


def test_host_that_does_not_resolve_is_said() -> None:
    """A name nobody knows is told apart from a refused connection."""
    with pytest.raises(CannotRun, match="cannot resolve the host"):
        asyncio.run(check_reachable(at("http://no-such-host.invalid:80")))


def test_an_address_that_is_not_ours_is_said() -> None:
    """With its place in the plan; those of this machine pass."""
    check_own("127.0.0.1", "plan.yaml:3:21")

    words = "plan.yaml:3:21: the address `192.0.2.7` isn't one of this machine"
    with pytest.raises(CannotRun, match=words):
        check_own("192.0.2.7", "plan.yaml:3:21")


@pytest.mark.parametrize(
    ("sources", "outcome"),
    [
        (("127.0.0.7", "127.0.0.8"), "127.0.0.7"),
        (("::1", "127.0.0.8"), "127.0.0.8"),
        (("::1",), "none of the addresses to connect from is of its family"),
    ],
)
def test_the_check_connects_from_where_the_load_will(
    sources: tuple[str, ...], outcome: str
) -> None:
    """A target may let in nobody else."""

    async def listen() -> str:
        seen: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def client(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.set_result(writer.get_extra_info("peername")[0])
            writer.close()

        server = await asyncio.start_server(client, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        settings = HttpSettings(base_url=(url,), sources=sources)
        (reach,) = named("http").reach(settings)
        try:
            await check_reachable(reach)
            return await seen
        except CannotRun as error:
            return error.message.partition(": ")[2]
        finally:
            server.close()

    assert asyncio.run(listen()) == outcome


def test_listening_target_passes() -> None:
    """One accepted connection is enough, and nothing is sent over it."""

    async def listen() -> bytes:
        seen: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.set_result(await reader.read())
            writer.close()

        server = await asyncio.start_server(client, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        await check_reachable(at(f"http://127.0.0.1:{port}"))
        sent = await seen
        server.close()
        return sent

    assert asyncio.run(listen()) == b""


def test_one_member_of_a_cluster_that_answers_is_enough() -> None:
    """Failover finds it; when none answers, all are named."""

    async def listen() -> None:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        await check_reachable(members(f"127.0.0.1:{free_port()}", f"127.0.0.1:{port}"))
        server.close()

    asyncio.run(listen())
    with pytest.raises(CannotRun, match=r"no etcd answers at `127.0.0.1:1`, `127.0.0.1:2`"):
        asyncio.run(check_reachable(members("127.0.0.1:1", "127.0.0.1:2")))
