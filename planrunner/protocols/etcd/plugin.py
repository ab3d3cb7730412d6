"""etcd v3 as a protocol: reads, writes, transactions, leases and watches over gRPC."""

from __future__ import annotations

from typing import Final

from planrunner.metrics.measures import CONNECT, SIZE
from planrunner.protocols.base import FailureKind
from planrunner.protocols.over_grpc.codes import CODES, code_name
from planrunner.protocols.plugin import Action, Plugin, Settings, lazily

__all__ = ["PLUGIN"]

_SPEC: Final = "planrunner.protocols.etcd.spec"

PLUGIN: Final = Plugin(
    name="etcd",
    title="etcd",
    actions={
        "etcd.put": Action(f"{_SPEC}:EtcdPut", "etcd: store a value.", "{key: /a, value: '1'}"),
        "etcd.get": Action(
            f"{_SPEC}:EtcdGet", "etcd: read a key.", "{key: /a, expect: {found: true}}"
        ),
        "etcd.delete": Action(
            f"{_SPEC}:EtcdDelete", "etcd: delete a key.", "{key: /a, prefix: true}"
        ),
        "etcd.txn": Action(
            f"{_SPEC}:EtcdTxn",
            "etcd: compare, then act, in one transaction.",
            "{compare: [{key: /a, value: '1'}], success: [{put: {key: /a, value: '2'}}]}",
        ),
        "etcd.lease": Action(
            f"{_SPEC}:EtcdLease", "etcd: take a lease.", "{ttl: 30s, extract: {lease_id: $.ID}}"
        ),
        "etcd.watch": Action(
            f"{_SPEC}:EtcdWatch", "etcd: wait for a change.", "{key: /a, timeout: 5s}"
        ),
    },
    settings=Settings(
        model=f"{_SPEC}:EtcdModel",
        description="The address of etcd, for `etcd.*` steps.",
        example="{endpoints: ['127.0.0.1:2379']}",
        class_description="The address of etcd for this class; it overrides the plan's.",
        missing="the plan does not say where etcd is",
        missing_hint="add `etcd: {endpoints: ['127.0.0.1:2379']}`",
    ),
    compile_settings=lazily("planrunner.protocols.etcd.compile:compile_settings"),
    compile_request=lazily("planrunner.protocols.etcd.compile:compile_exchange"),
    clients={"grpc": "planrunner.protocols.etcd.clients.grpc_aio:open"},
    choose_client=lazily("planrunner.protocols.etcd.target:choose_client"),
    hosts=lazily("planrunner.protocols.etcd.target:hosts"),
    reach=lazily("planrunner.protocols.etcd.target:reach"),
    transport=lazily("planrunner.protocols.etcd.stubs:describe_transport"),
    status_text=code_name,
    statuses=CODES,
    failures={
        FailureKind.DNS: "the name of a member doesn't resolve",
        FailureKind.CONNECT: "no connection to a member",
        FailureKind.TLS: "the handshake failed, or the certificate isn't trusted",
        FailureKind.TIMEOUT: "no reply within the timeout (`DEADLINE_EXCEEDED`)",
        FailureKind.RESET: "the connection broke before the reply arrived",
        FailureKind.PROTOCOL: "a reply that is not valid (`INTERNAL`, `UNIMPLEMENTED`)",
        FailureKind.UNAVAILABLE: "the member can't serve now (`UNAVAILABLE`)",
        FailureKind.PERMISSION: "`PERMISSION_DENIED`, `UNAUTHENTICATED`",
        FailureKind.PRECONDITION: "`FAILED_PRECONDITION`, or a revision or lease that is gone",
        FailureKind.STATUS: "any code other than `OK`",
        FailureKind.EXPECT: "an expectation does not hold",
        FailureKind.EXTRACT: "a required value isn't in the reply",
    },
    # No time to the first byte: gRPC hands over whole messages.
    measures={measure.word: measure for measure in (CONNECT, SIZE)},
)
