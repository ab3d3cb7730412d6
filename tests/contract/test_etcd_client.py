"""What every etcd client must do, against real servers: replies, failures, failover, TLS, users."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import trustme
import uvloop

from planrunner.protocols.base import Sent
from planrunner.protocols.etcd.clients.grpc_aio import GrpcClient
from planrunner.protocols.etcd.operation import EtcdSettings
from planrunner.protocols.etcd.stubs import load_stubs
from tests.support.etcd_servers import Cluster, Member, cluster, needs_etcd
from tests.support.etcd_steps import exchange, judged, with_client

pytestmark = [pytest.mark.slow, needs_etcd]

SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Member]:
    with cluster(tmp_path_factory.mktemp("etcd")) as started:
        yield started.members[0]


def settings_of(*endpoints: str, **more: object) -> EtcdSettings:
    return replace(EtcdSettings(endpoints=endpoints, timeout_ns=5 * SECOND), **more)


def connections_to(member: Member) -> int:
    return sum(
        connection.raddr.port == member.client_port and connection.status == "ESTABLISHED"
        for connection in psutil.Process().net_connections("tcp")
        if connection.raddr
    )


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_each_action_answers_in_the_words_of_etcd(etcd: Member, run) -> None:
    """Values, counts, revisions, leases and transactions, as data for expressions."""

    async def use(client: GrpcClient) -> None:
        session = client.session()

        async def send(action: str, **keys: object) -> dict:
            step = exchange(action, **keys)
            reply = await session.send(client.bind(step), scope)
            assert reply.failure is None, reply.detail
            assert judged(step, reply, scope) is None
            assert reply.status == 0
            assert reply.ended_ns >= reply.sent_ns >= reply.asked_ns
            return json.loads(reply.body)

        scope: dict[str, object] = {"n": 7}
        await send("delete", key="/t", prefix=True)
        lease = await send("lease", ttl="30s", extract={"id": "$.ID"})
        assert scope["id"] == lease["ID"] > 0
        await send("put", key="/t/a", value="${n}", lease="${id}")
        found = await send(
            "get",
            key="/t/a",
            expect={
                "found": True,
                "value": "7",
                "count": 1,
                "revision": {"min": 2},
                "time": "< 4s",
            },
            extract={"v": "$.kvs[0].value"},
        )
        assert scope["v"] == "7"
        assert found["kvs"][0]["lease"] == lease["ID"]
        done = await send(
            "txn",
            compare=[{"key": "/t/a", "target": "version", "value": 1}],
            success=[{"put": {"key": "/t/b", "value": "x"}}, {"get": {"key": "/t/a"}}],
            expect={"succeeded": True},
        )
        assert done["responses"][1]["response_range"]["kvs"][0]["value"] == "7"
        assert (await send("get", key="/t/", prefix=True, limit=1))["more"] is True
        assert (await send("get", key="/t/a", serializable=True))["count"] == 1
        assert (await send("watch", key="/t/b", until="x"))["kvs"][0]["value"] == "x"
        assert (await send("delete", key="/t/", prefix=True, expect={"count": 2}))["deleted"] == 2
        await send("get", key="/t/a", expect={"found": False})
        await session.close()

    with_client(settings_of(etcd.endpoint), use, run)


def test_expectations_that_do_not_hold_say_why(etcd: Member) -> None:
    """One sentence each."""

    async def use(client: GrpcClient) -> None:
        session = client.session()

        async def words(action: str, **keys: object) -> str | None:
            step = exchange(action, **keys)
            return judged(step, await session.send(client.bind(step), {}), {})

        await words("put", key="/e", value="1")
        assert await words("get", key="/none", expect={"found": True}) == "the key does not exist"
        assert await words("get", key="/e", expect={"value": "2"}) == ('value is "1", expected "2"')
        assert await words("get", key="/none", expect={"value": "2"}) == "there is no value"
        assert "count is 1, expected" in (await words("get", key="/e", expect={"count": 3}) or "")
        assert await words("get", key="/none", extract={"v": "$.kvs[0].value"}) == (
            "`v`: nothing at `$.kvs[0].value` in the reply"
        )

    with_client(settings_of(etcd.endpoint), use)


def test_a_session_tells_its_last_call(etcd: Member) -> None:
    """In the words of etcd's API, with texts instead of bytes."""

    async def use(client: GrpcClient) -> None:
        session = client.session()
        assert session.recall() == ("", "")
        await session.send(client.bind(exchange("put", key="/told", value="größe")), {})

        sent, received = session.recall()

        assert sent.startswith("put\n")
        assert '"key": "/told"' in sent
        assert '"value": "größe"' in sent
        assert '"revision"' in received

    with_client(settings_of(etcd.endpoint), use)


def test_a_tapped_client_tells_what_it_sends(etcd: Member) -> None:
    """For `--once`: each message with the member it went to, and all of the reply."""
    told: list[Sent] = []

    async def use(client: GrpcClient) -> None:
        client.tap(told.append)
        session = client.session()
        seen = await session.send(client.bind(exchange("put", key="/tap", value="v")), {})
        assert seen.head == b"OK"
        assert json.loads(seen.body)["header"]["revision"] > 0
        late = exchange("watch", key="/tap", timeout="50ms")
        failed = await session.send(client.bind(late), {})
        assert failed.head == b"DEADLINE_EXCEEDED"
        assert failed.connect_ns == 0

    with_client(settings_of("127.0.0.1:1", etcd.endpoint), use)

    assert [(sent.method, sent.address) for sent in told] == [
        ("put", etcd.endpoint),
        ("watch", etcd.endpoint),
    ]
    assert json.loads(told[0].body) == {"key": "/tap", "value": "v"}


def test_expectations_and_extractions_are_told_in_words() -> None:
    """As the plan writes them."""
    step = exchange(
        "get",
        key="k",
        expect={"found": True, "count": {"min": 1}, "value": {"in": ["a", "${b}"]}, "time": "< 1s"},
        extract={"v": "$.kvs[0].value"},
    )

    assert step.expected == (
        "status OK",
        "found: true",
        "time < 1s",
        "count: min 1",
        "value: in [a, ${b}]",
    )
    assert step.extracted == ("v",)


def test_a_watch_sees_a_change_and_ends_in_its_time(etcd: Member) -> None:
    """Both the change and its absence are timed."""

    async def use(client: GrpcClient) -> None:
        watching, writing = client.session(), client.session()
        watch = client.bind(exchange("watch", key="/w"))
        waiting = asyncio.ensure_future(watching.send(watch, {}))
        for _ in range(50):
            await writing.send(client.bind(exchange("put", key="/w", value="now")), {})
            done, _ = await asyncio.wait([waiting], timeout=0.1)
            if done:
                break
        reply = await waiting
        assert reply.data()["events"][0]["kv"]["value"] == "now"
        short = client.bind(exchange("watch", key="/silent", timeout="200ms"))
        late = await watching.send(short, {})
        assert (late.failure, late.status) == ("timeout", 4)
        assert 0.15 * SECOND < late.ended_ns - late.asked_ns < 3 * SECOND

    with_client(settings_of(etcd.endpoint), use)


def test_each_user_has_a_connection_unless_they_share(etcd: Member) -> None:
    """gRPC would share one among all channels if it were not told otherwise."""

    async def use(client: GrpcClient) -> None:
        sessions = [client.session() for _ in range(6)]
        get = client.bind(exchange("get", key="/c"))
        replies = [await session.send(get, {}) for session in sessions]
        opened.append((connections_to(etcd), sum(reply.connects for reply in replies)))
        for session in sessions:
            await session.close()

    opened: list[tuple[int, int]] = []
    with_client(settings_of(etcd.endpoint), use)
    with_client(settings_of(etcd.endpoint, connections=2), use)

    assert opened == [(6, 6), (2, 2)]


def test_nobody_there_is_a_refused_connection() -> None:
    """Of the same kind as with HTTP, so that the run ends when it lasts."""

    async def use(client: GrpcClient) -> None:
        session = client.session()
        reply = await session.send(client.bind(exchange("get", key="/a")), {})
        assert reply.failure == "connect", reply.detail
        assert session.recall() == ("", "")
        assert reply.ended_ns - reply.asked_ns < 2 * SECOND

    with_client(settings_of("127.0.0.1:1"), use)


def test_a_member_that_is_killed_is_left_and_found_again(tmp_path: Path) -> None:
    """A request fails over to the next member; a single one is used again when it is back."""

    async def use(client: GrpcClient) -> None:
        session = client.session()
        put = client.bind(exchange("put", key="/a", value="1", timeout="2s"))
        assert (await session.send(put, {})).failure is None
        await asyncio.to_thread(member.kill)
        kinds = {str((await session.send(put, {})).failure) for _ in range(5)}
        assert kinds <= {"connect", "reset", "unavailable"}, kinds
        member.start()
        await asyncio.to_thread(member.wait)
        for _ in range(100):
            if (reply := await session.send(put, {})).failure is None:
                break
            await asyncio.sleep(0.05)
        assert reply.failure is None, reply.detail

    with cluster(tmp_path) as started:
        member = started.members[0]
        with_client(settings_of(member.endpoint), use)


def test_a_cluster_without_a_leader_answers_late_or_not(tmp_path: Path) -> None:
    """Of three members two are stopped: writes fail, and serializable reads go on."""

    async def use(client: GrpcClient) -> None:
        session = client.session()
        put = client.bind(exchange("put", key="/a", value="1", timeout="3s"))
        assert (await session.send(put, {})).failure is None
        for member in started.members[1:]:
            await asyncio.to_thread(member.kill)
        reply = await session.send(put, {})
        assert reply.failure in ("timeout", "unavailable"), (reply.failure, reply.detail)
        for _ in range(4):
            read = exchange("get", key="/a", serializable=True)
            reply = await session.send(client.bind(read), {})
            if reply.failure is None:
                break
        assert reply.failure is None, reply.detail

    started: Cluster
    with cluster(tmp_path, 3) as started:
        with_client(settings_of(*started.endpoints), use)


def test_a_dead_first_endpoint_costs_one_try(etcd: Member) -> None:
    """The next one is asked within the same request."""

    async def use(client: GrpcClient) -> None:
        session = client.session()
        reply = await session.send(client.bind(exchange("get", key="/a")), {})
        assert (reply.failure, reply.retries, reply.connects) == (None, 1, 1)

    with_client(settings_of("127.0.0.1:1", etcd.endpoint), use)


def test_tls_with_a_client_certificate(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Trusted, and known; whatever is wrong with a certificate is a failure of TLS."""
    authority = trustme.CA()
    server = authority.issue_cert("localhost", "127.0.0.1")
    own, foreign = authority.issue_cert("user@example.org"), trustme.CA().issue_cert("a@b.org")
    names = ("ca.pem", "cert.pem", "key.pem", "foreign.pem", "foreign.key")
    ca, cert, key, foreign_cert, foreign_key = (tmp_path / name for name in names)
    foreign.cert_chain_pems[0].write_to_path(foreign_cert)
    foreign.private_key_pem.write_to_path(foreign_key)
    authority.cert_pem.write_to_path(ca)
    own.cert_chain_pems[0].write_to_path(cert)
    own.private_key_pem.write_to_path(key)
    server.cert_chain_pems[0].write_to_path(tmp_path / "server.pem")
    server.private_key_pem.write_to_path(tmp_path / "server.key")
    options = (
        "--cert-file", str(tmp_path / "server.pem"), "--key-file", str(tmp_path / "server.key"),
        "--trusted-ca-file", str(ca), "--client-cert-auth",
    )  # fmt: skip

    async def use(client: GrpcClient) -> None:
        get = client.bind(exchange("get", key="/a", timeout="2s"))
        kinds.append((await client.session().send(get, {})).failure)

    kinds: list[object] = []
    with cluster(tmp_path, options=options, scheme="https") as started:
        endpoint = started.members[0].endpoint
        trusting = settings_of(endpoint, is_secure=True, ca=ca, cert=cert, key=key)
        with_client(trusting, use)
        with_client(replace(trusting, ca=None), use)
        with_client(replace(trusting, cert=None, key=None), use)
        with_client(replace(trusting, cert=foreign_cert, key=foreign_key), use)

    assert kinds == [None, "tls", "tls", "tls"]
    assert capfd.readouterr().err == ""


def test_users_have_tokens_that_are_renewed(tmp_path: Path) -> None:
    """A token that has expired costs a retry and no failure; a wrong password is `permission`."""
    stubs = load_stubs()

    async def make_users(client: GrpcClient) -> None:
        line = client.access.channel(endpoint)
        auth = stubs.AuthStub(line)
        await auth.UserAdd(stubs.AuthUserAddRequest(name="root", password="pw"))
        await auth.RoleAdd(stubs.AuthRoleAddRequest(name="root"))
        await auth.UserGrantRole(stubs.AuthUserGrantRoleRequest(user="root", role="root"))
        await auth.AuthEnable(stubs.AuthEnableRequest())
        await line.close()

    async def use(client: GrpcClient) -> None:
        session = client.session()
        put = client.bind(exchange("put", key="/a", value="1"))
        first = await session.send(put, {})
        assert (first.failure, first.retries) == (None, 0), first.detail
        client.access.metadata = (("token", "expired.1"),)
        second = await session.send(put, {})
        assert (second.failure, second.retries) == (None, 1), second.detail

    async def refused(client: GrpcClient) -> None:
        reply = await client.session().send(client.bind(exchange("get", key="/a")), {})
        assert reply.failure == "permission", reply.detail

    with cluster(tmp_path) as started:
        endpoint = started.members[0].endpoint
        with_client(settings_of(endpoint), make_users)
        known = settings_of(endpoint, username="root", password="pw")
        with_client(known, use)
        with_client(replace(known, password="wrong"), refused)
        with_client(settings_of(endpoint), refused)
