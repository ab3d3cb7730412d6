"""etcd steps to exchanges: names, faults, messages."""

from __future__ import annotations

from contextlib import suppress

import grpc
import pytest
from hypothesis import given, settings

from planrunner.language.expressions.values import EvaluationError
from planrunner.protocols.etcd.clients.faults import map_failure
from planrunner.protocols.etcd.clients.messages import message_builder, prefix_end
from planrunner.protocols.etcd.compile import compile_settings
from planrunner.protocols.etcd.reply import EtcdReply
from planrunner.protocols.etcd.spec import EtcdLease, EtcdModel, EtcdPut
from planrunner.protocols.etcd.stubs import load_stubs
from tests.support.etcd_steps import NoFiles, compiled, exchange
from tests.support.hostile import HOSTILE


def settings_of(**keys: object):
    return compile_settings(EtcdModel.model_validate(keys), constants={"p": 2379}, files=NoFiles())


def message_of(action: str, scope: dict[str, object] | None = None, **keys: object):
    operation = exchange(action, **keys).operation
    return message_builder(load_stubs(), operation.action)(scope or {})


@pytest.mark.parametrize(
    ("written", "endpoint", "secure"),
    [
        ("127.0.0.1:2379", "127.0.0.1:2379", False),
        ("http://etcd.local:1", "etcd.local:1", False),
        ("https://[::1]:2379/", "[::1]:2379", True),
        ("localhost:${p}", "localhost:2379", False),
    ],
)
def test_an_endpoint_is_host_and_port(written: str, endpoint: str, secure: object) -> None:
    """A scheme says whether TLS is wanted."""
    compiled_settings = settings_of(endpoints=[written])

    assert not compiled_settings.faults
    assert compiled_settings.settings.endpoints == (endpoint,)
    assert compiled_settings.settings.is_secure is secure


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ({"endpoints": ["etcd.local"]}, ("endpoints", 0)),
        ({"endpoints": ["http://a:1", "https://b:2"]}, ("endpoints",)),
        ({"endpoints": ["a:1"], "username": "root"}, ("username",)),
        ({"endpoints": ["a:1"], "ca": "missing.pem"}, ("ca",)),
        ({"endpoints": ["a:1"], "timeout": "0s"}, ("timeout",)),
        ({"endpoints": ["a:1"], "connections": 10**9}, ("connections",)),
    ],
)
def test_settings_that_cannot_be_are_faults(
    keys: dict[str, object], where: tuple[str | int, ...]
) -> None:
    """Each points at the key that is wrong."""
    assert [fault.path for fault in settings_of(**keys).faults] == [where]


def test_the_default_name_is_the_action_and_the_key_as_written() -> None:
    """A template is not rendered, so that the number of series is small."""
    put = EtcdPut.model_validate({"key": "/a/${x}", "value": "1"})

    assert put.default_name("etcd.put") == "etcd.put /a/${x}"
    assert EtcdLease.model_validate({"ttl": "3s"}).default_name("etcd.lease") == "etcd.lease"


@pytest.mark.parametrize(
    ("action", "keys", "path"),
    [
        ("put", {"key": "a", "value": "b", "expect": {"found": True}}, ("expect", "found")),
        ("get", {"key": "a", "expect": {"succeeded": True}}, ("expect", "succeeded")),
        ("lease", {"ttl": "500ms"}, ("ttl",)),
        ("put", {"key": "a", "value": "b", "lease": "abc"}, ("lease",)),
        ("put", {"key": "a", "value": "b", "lease": 2**63}, ("lease",)),
        ("get", {"key": "a", "limit": 2**63}, ("limit",)),
        (
            "txn",
            {"compare": [{"key": "a", "target": "version", "value": 1.5}]},
            ("compare", 0, "value"),
        ),
        (
            "get",
            {"key": "a", "expect": {"value": {"matches": "("}}},
            ("expect", "value", "matches"),
        ),
        ("get", {"key": "a", "extract": {"x": "kvs"}}, ("extract", "x")),
        (
            "txn",
            {"success": [{"put": {"key": "a", "value": "b", "name": "n"}}]},
            ("success", 0, "put", "name"),
        ),
    ],
)
def test_a_step_that_cannot_be_is_a_fault(
    action: str, keys: dict[str, object], path: tuple[str | int, ...]
) -> None:
    """The path leads to the word that is wrong."""
    assert [fault.path for fault in compiled(action, **keys).faults] == [path]


def test_texts_are_rendered_as_the_plan_language_says() -> None:
    """Numbers and truths as JSON has them, text as UTF-8."""
    message = message_of("put", {"n": True, "k": "é"}, key="/${k}/${n}", value="${n}")

    assert (message.key, message.value) == ("/é/true".encode(), b"true")


def test_a_prefix_is_a_range_to_the_next_key() -> None:
    """The last byte that can be raised is; the empty prefix is all keys."""
    assert message_of("get", key="/a", prefix=True).range_end == b"/b"
    everything = message_of("delete", key="", prefix=True)
    assert (everything.key, everything.range_end) == (b"\0", b"\0")
    assert prefix_end(b"a\xff\xff") == b"b"
    assert prefix_end(b"\xff") == b"\0"


def test_a_transaction_has_all_its_parts() -> None:
    """Conditions by target, and operations of three kinds."""
    message = message_of(
        "txn",
        compare=[
            {"key": "a", "target": "version", "op": "!=", "value": 0},
            {"key": "b", "value": 1},
        ],
        success=[{"put": {"key": "a", "value": "x", "lease": "${7}"}}, {"get": {"key": "a"}}],
        failure=[{"delete": {"key": "a", "prefix": True}}],
    )

    assert (message.compare[0].version, message.compare[0].result) == (0, 3)
    assert message.compare[1].value == b"1"
    assert message.success[0].request_put.lease == 7
    assert message.success[1].request_range.key == b"a"
    assert message.failure[0].request_delete_range.range_end == b"b"


@pytest.mark.parametrize("lease", ["none", 10**400, "1" * 5000, -(2**63) - 1, 1.5, None])
def test_a_lease_that_is_no_number_is_not_sent(lease: object) -> None:
    """The request fails as `extract`, with words."""
    with pytest.raises(EvaluationError, match="the lease is not a whole number"):
        message_of("put", {"id": lease}, key="a", value="b", lease="${id}")


@settings(max_examples=100, derandomize=True, deadline=None)
@given(HOSTILE)
def test_no_value_of_a_reply_raises_anything_else(value: object) -> None:
    """What protobuf refuses is a failure of that request too."""
    for action, keys in (
        ("put", {"key": "${v}", "value": "${v}", "lease": "${v}"}),
        ("get", {"key": "${v}", "prefix": True}),
        ("txn", {"compare": [{"key": "a", "target": "version", "value": "${v}"}]}),
    ):
        with suppress(EvaluationError):
            message_of(action, {"v": value}, **keys)


@pytest.mark.parametrize(
    ("code", "words", "kind"),
    [
        ("DEADLINE_EXCEEDED", "", "timeout"),
        ("UNAVAILABLE", "failed to connect to all addresses; last error: refused", "connect"),
        ("UNAVAILABLE", "DNS resolution failed for nowhere:1", "dns"),
        ("UNAVAILABLE", "failed to connect; Ssl handshake failed: CERTIFICATE_VERIFY", "tls"),
        ("UNAVAILABLE", "Custom verification check failed: Hostname Verification Check", "tls"),
        ("UNAVAILABLE", "failed to connect: Unwrap failed (TSI_DATA_CORRUPTED)", "tls"),
        ("UNAVAILABLE", "recvmsg:Connection reset by peer", "reset"),
        ("UNAVAILABLE", "etcdserver: no leader", "unavailable"),
        ("PERMISSION_DENIED", "etcdserver: permission denied", "permission"),
        ("INVALID_ARGUMENT", "etcdserver: user name is empty", "permission"),
        ("INVALID_ARGUMENT", "etcdserver: key is not provided", "status"),
        ("OUT_OF_RANGE", "required revision has been compacted", "precondition"),
        ("NOT_FOUND", "etcdserver: requested lease not found", "precondition"),
        ("INTERNAL", "", "protocol"),
    ],
)
def test_an_error_of_grpc_has_a_kind(code: str, words: str, kind: str) -> None:
    """Code and words together tell what happened."""
    error = grpc.aio.AioRpcError(
        grpc.StatusCode[code], grpc.aio.Metadata(), grpc.aio.Metadata(), details=words
    )

    found, number, said = map_failure(error)

    assert found.value == kind
    assert number == grpc.StatusCode[code].value[0]
    assert said.startswith(code)


@pytest.mark.parametrize(
    ("code", "words", "said"),
    [
        (
            "UNAVAILABLE",
            "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Failed to "
            "connect to remote host: Connection refused",
            "127.0.0.1:1: Failed to connect to remote host: Connection refused",
        ),
        ("DEADLINE_EXCEEDED", "Stream removed (Deadline Exceeded)", "no reply within the timeout"),
        ("DEADLINE_EXCEEDED", "context deadline exceeded", "no reply within the timeout"),
        ("UNAVAILABLE", "Stream removed (Socket closed)", "Socket closed"),
        ("INTERNAL", "", "no message"),
    ],
)
def test_an_error_of_grpc_is_said_briefly(code: str, words: str, said: str) -> None:
    """Without what gRPC says of its own insides, and in the same words for the same thing."""
    error = grpc.aio.AioRpcError(
        grpc.StatusCode[code], grpc.aio.Metadata(), grpc.aio.Metadata(), details=words
    )

    assert map_failure(error)[2] == f"{code}: {said}"


def test_an_extraction_can_be_secret() -> None:
    """The long form says so, and finds the same as the short one."""
    extract = {"id": {"jsonpath": "$.ID", "secret": True}, "ttl": "$.TTL"}
    reply, scope = EtcdReply(), {}
    reply.message = load_stubs().LeaseGrantResponse(ID=77, TTL=5)

    made = exchange("lease", ttl="5s", extract=extract)
    found = [take(reply, scope) for take in made.extractors]

    assert (made.extracted, made.secrets) == (("id", "ttl"), ("id",))
    assert (found, scope) == ([None, None], {"id": 77, "ttl": 5})
