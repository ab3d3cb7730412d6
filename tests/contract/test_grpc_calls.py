"""What the gRPC client must do, against a real server: calls, failures, TLS, metadata."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
import uvloop

from planrunner.protocols.over_grpc.network import grpc  # isort: skip  # it settles how gRPC behaves

from planrunner.clock import MonotonicClock
from planrunner.protocols.base import FailureKind, Reply, Sent
from planrunner.protocols.grpc.clients.caller import GrpcCaller
from planrunner.protocols.grpc.operation import GrpcSettings
from planrunner.protocols.received import read_json
from tests.support.etcd_steps import judged
from tests.support.grpc_servers import (
    KitchenServer,
    Send,
    call,
    kitchen,
    serve_kitchen,
    with_caller,
)

SECOND = 1_000_000_000


def seen(reply: Reply) -> tuple[str | None, int]:
    return None if reply.failure is None else reply.failure.value, reply.status


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_all_four_kinds_of_calls(run: Any) -> None:
    """Each is one reply; streams have arrivals, and the message that came last."""

    async def use(server: KitchenServer, send: Send, _: GrpcCaller) -> None:
        scope: dict[str, object] = {"n": 7}
        cooked = await send("Cook", scope, message={"small": "${n}", "text": "soup"})
        assert (seen(cooked), cooked.arrivals, cooked.connects) == ((None, 0), None, 1)
        assert cooked.parsed(read_json)["small"] == 7
        assert cooked.ended_ns >= cooked.first_byte_ns >= cooked.sent_ns >= cooked.asked_ns
        assert cooked.sent == cooked.received == 8

        served = await send("Serve", message={"small": 3})
        assert (seen(served), served.arrivals.count, served.connects) == ((None, 0), 3, 0)
        assert served.parsed(read_json)["big"] == 2
        assert served.sent_ns < served.arrivals.first_ns <= served.arrivals.last_ns

        few = await send("Serve", message={"small": 100, "text": "wait"}, max_messages=2)
        assert (seen(few), few.arrivals.count) == ((None, 0), 2)

        collected = await send("Collect", messages=[{"small": 1}, {"small": 2}])
        assert (seen(collected), collected.parsed(read_json)["small"]) == ((None, 0), 3)

        talked = await send("Talk", {"rows": [{"small": "4"}, {"small": 5}]}, stream_from="rows")
        assert (seen(talked), talked.arrivals.count) == ((None, 0), 2)
        assert [one.small for one in server.dishes] == [4, 5]

    with_caller(use, run)


def test_what_a_status_means() -> None:
    """The kinds of failures; what a plan expects is none, and details say what was wrong."""

    async def use(server: KitchenServer, send: Send, _: GrpcCaller) -> None:
        async def fails(text: str, method: str = "Cook", **keys: Any) -> tuple[str | None, int]:
            reply = await send(method, message={"text": text}, **keys)
            details.append(reply.detail)
            return seen(reply)

        details: list[str] = []
        assert await fails("fail NOT_FOUND") == ("status", 5)
        assert details[-1] == "NOT_FOUND: as asked"
        assert await fails("fail NOT_FOUND", expect={"status": ["OK", "NOT_FOUND"]}) == (None, 5)
        assert await fails("fail PERMISSION_DENIED") == ("permission", 7)
        assert await fails("fail UNAUTHENTICATED") == ("permission", 16)
        assert await fails("fail UNAVAILABLE") == ("unavailable", 14)
        assert await fails("fail INTERNAL") == ("status", 13)
        assert await fails("fail CANCELLED", "Serve") == ("reset", 1)
        assert await fails("fail ABORTED", "Talk") == ("status", 10)
        assert await fails("fail ABORTED", "Collect") == ("status", 10)
        assert await fails("rich") == ("status", 3)
        assert details[-1] == (
            'INVALID_ARGUMENT: as asked; BadRequest {"field_violations": '
            '[{"field": "small", "description": "too small"}]}'
        )
        assert await fails("wait", timeout="50ms") == ("timeout", 4)
        assert details[-1] == "DEADLINE_EXCEEDED: no reply within the timeout"
        assert await fails("wait", "Talk", timeout="50ms") == ("timeout", 4)
        assert await fails("nonsense") == ("protocol", 0)
        assert details[-1] == "a message that is not a `kitchen.Dish`"
        nowhere = await send("Cook", message={"text": "ok"})
        assert seen(nowhere) == (None, 0)

    with_caller(use)


def test_nobody_listens() -> None:
    """Every kind of call says so; nothing counts as sent."""

    async def main() -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            settings = GrpcSettings(
                target=f"127.0.0.1:{unused.getsockname()[1]}", schema=kitchen(), timeout_ns=SECOND
            )
            client = GrpcCaller(settings, MonotonicClock())
            for method in ("Cook", "Serve", "Collect", "Talk"):
                bound = client.bind(call(method, settings=settings))
                reply = await client.session().send(bound, {})
                assert (seen(reply), reply.sent) == (("connect", 14), 0), reply.detail
                assert "refused" in reply.detail.lower()
            await client.close()

    asyncio.run(main())


def test_a_server_that_goes_away_and_comes_back() -> None:
    """Calls fail meanwhile, each in its own way, and then go on."""

    async def main() -> None:
        async with serve_kitchen() as server:
            settings = GrpcSettings(target=server.address, schema=kitchen(), timeout_ns=5 * SECOND)
            client = GrpcCaller(settings, MonotonicClock())
            session, bound = client.session(), client.bind(call(settings=settings))
            waiting = client.bind(call("Serve", settings=settings, message={"text": "wait"}))
            assert seen(await session.send(bound, {})) == (None, 0)
            server.dishes = []
            cut = asyncio.ensure_future(session.send(waiting, {}))
            while not server.dishes:
                await asyncio.sleep(0)
        assert (await cut).failure in (FailureKind.RESET, FailureKind.UNAVAILABLE)
        assert (await session.send(bound, {})).failure is FailureKind.CONNECT
        async with serve_kitchen(port=server.port):
            for _ in range(50):
                reply = await session.send(bound, {})
                if reply.failure is None:
                    break
                await asyncio.sleep(0.02)
            assert seen(reply) == (None, 0)
        await client.close()

    asyncio.run(main())


def test_what_is_no_grpc_is_a_broken_protocol() -> None:
    """A server of HTTP/1.1 answers something else; the call fails in time."""

    async def main() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            await reader.read()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        settings = GrpcSettings(target=address, schema=kitchen(), timeout_ns=SECOND)
        client = GrpcCaller(settings, MonotonicClock())
        reply = await client.session().send(client.bind(call(settings=settings)), {})
        assert reply.failure in (FailureKind.PROTOCOL, FailureKind.CONNECT, FailureKind.TIMEOUT)
        await client.close()
        server.close()

    asyncio.run(main())


def test_metadata_both_ways() -> None:
    """That of the plan and of the step go out, text and bytes; what comes is read as headers."""

    async def use(server: KitchenServer, send: Send, _: GrpcCaller) -> None:
        reply = await send(
            "Cook",
            {"token": "abc"},
            message={"text": "trail"},
            metadata={"Authorization": "Bearer ${token}", "x-own-bin": "AP8=", "x-both": "step"},
            reads="headers",
        )
        assert seen(reply) == (None, 0)
        assert server.metadata["authorization"] == "Bearer abc"
        assert server.metadata["x-own-bin"] == b"\x00\xff"
        assert (server.metadata["x-plan"], server.metadata["x-both"]) == ("1", "step")
        assert b"\r\nx-first: 1\r\n" in reply.head
        assert b"\r\nx-last: 2\r\nx-raw-bin: AP8=" in reply.head

    with_caller(use, metadata=(("x-plan", "1"), ("x-both", "plan")))


def test_a_message_that_is_too_large() -> None:
    """The server refuses it; the limit is its own."""

    async def main() -> None:
        async with serve_kitchen(options={"grpc.max_receive_message_length": 1000}) as server:
            settings = GrpcSettings(target=server.address, schema=kitchen(), timeout_ns=SECOND)
            client = GrpcCaller(settings, MonotonicClock())
            bound = client.bind(call(settings=settings, message={"text": "x" * 2000}))
            reply = await client.session().send(bound, {})
            assert seen(reply) == ("too_large", 8)
            await client.close()

    asyncio.run(main())


def test_tls_and_client_certificates(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Trusted, and known; whatever is wrong with a certificate is a failure of TLS."""
    authority = trustme.CA()
    served, own = authority.issue_cert("localhost"), authority.issue_cert("user@example.org")
    ca, pem = tmp_path / "ca.pem", tmp_path / "own.pem"
    authority.cert_pem.write_to_path(ca)
    own.private_key_and_cert_chain_pem.write_to_path(pem)
    key, chain = served.private_key_pem.bytes(), served.cert_chain_pems[0].bytes()
    credentials = grpc.ssl_server_credentials(
        [(key, chain)], authority.cert_pem.bytes(), require_client_auth=True
    )

    async def main() -> list[FailureKind | None]:
        async with serve_kitchen(credentials=credentials) as server:
            trusting = GrpcSettings(
                target=f"localhost:{server.port}",
                schema=kitchen(),
                timeout_ns=2 * SECOND,
                is_secure=True,
                ca=ca,
                cert=pem,
                key=pem,
            )
            kinds = []
            for settings in (trusting, replace(trusting, cert=None, key=None)):
                client = GrpcCaller(settings, MonotonicClock())
                bound = client.bind(call(settings=settings))
                kinds.append((await client.session().send(bound, {})).failure)
                await client.close()
            return kinds

    trusted, unknown = asyncio.run(main())
    assert trusted is None
    # With TLS 1.3 the server refuses a certificate when the client is done: gRPC's words differ.
    assert unknown in (FailureKind.TLS, FailureKind.CONNECT)
    assert capfd.readouterr().err == ""


def test_a_session_shows_its_last_call() -> None:
    """As JSON, for reports of failures and for `--once`."""

    async def use(_: KitchenServer, __: Send, client: GrpcCaller) -> None:
        told: list[Any] = []
        client.tap(told.append)
        session = client.session()
        bound = client.bind(call(settings=client.settings, message={"small": 1, "text": "a"}))
        reply = await session.send(bound, {})
        [sent] = told
        assert isinstance(sent, Sent)
        assert (sent.method, sent.headers) == ("kitchen.Kitchen/Cook", (("x-plan", "1"),))
        assert b'"small": 1' in sent.body
        assert reply.head == b"OK"
        assert b'"text": "a"' in (reply.body or b"")
        asked, answered = session.recall()
        assert asked.startswith("kitchen.Kitchen/Cook\n\n{")
        assert '"small": 1' in answered
        await session.close()

    with_caller(use, metadata=(("x-plan", "1"),))


def test_expectations_of_values_and_streams() -> None:
    """JSON of the last message, its count, and what is extracted."""

    async def use(_: KitchenServer, send: Send, client: GrpcCaller) -> None:
        async def judge(method: str, **keys: Any) -> str | None:
            step = call(method, settings=client.settings, **keys)
            return judged(step, await client.session().send(client.bind(step), scope), scope)

        scope: dict[str, object] = {}
        message = {"small": 3, "text": "pie"}
        assert await judge("Cook", message=message, expect={"json": {"$.small": 3}}) is None
        assert await judge("Cook", message=message, expect={"json": {"$.small": 4}}) == (
            "`$.small` is 3, expected 4"
        )
        assert await judge("Serve", message=message, expect={"events": {"min": 3}}) is None
        assert await judge("Serve", message=message, expect={"events": 2}) == (
            "3 events came, expected 2"
        )
        assert await judge("Serve", message=message, extract={"last": "$.big"}) is None
        assert scope == {"last": 2}

    with_caller(use)
