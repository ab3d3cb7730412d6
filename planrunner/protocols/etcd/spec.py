"""What a plan may write about etcd: the `etcd:` block and the `etcd.*` steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import Discriminator, Field, Tag
from planrunner.language.fields.mapping import Fault, PlanMapping
from planrunner.language.fields.types import Count, Duration, PositiveInt, TextField, ValueField
from planrunner.protocols.operation_model import Extractions, OperationModel

__all__ = [
    "EtcdCompare",
    "EtcdDelete",
    "EtcdExpect",
    "EtcdGet",
    "EtcdLease",
    "EtcdModel",
    "EtcdPut",
    "EtcdRequest",
    "EtcdTxn",
    "EtcdWatch",
    "TxnOperation",
]


class EtcdModel(PlanMapping):
    """The address of etcd and how to connect to it."""

    endpoints: list[TextField] = Field(
        min_length=1,
        description="Addresses of the members; when one fails, the next is used.",
        examples=['["127.0.0.1:2379"]'],
    )
    transport: Literal["auto", "grpc"] | None = Field(
        None,
        description="The protocol to speak. Default auto, which is gRPC.",
        examples=["auto"],
    )
    connections: PositiveInt | None = Field(
        None,
        description="Connections that all users share. Default one for each user.",
        examples=["4"],
    )
    timeout: Duration | None = Field(
        None, description="The time limit for one operation. Default 30s.", examples=["5s"]
    )
    username: TextField | None = Field(None, description="User name.", examples=["root"])
    password: TextField | None = Field(None, description="Password.", examples=["${etcd_password}"])
    ca: TextField | None = Field(
        None,
        description="PEM file with the authorities to trust; turns TLS on.",
        examples=["ca.pem"],
    )
    cert: TextField | None = Field(
        None, description="PEM file with the client certificate.", examples=["client.pem"]
    )
    key: TextField | None = Field(
        None, description="PEM file with the client certificate's key.", examples=["client.key"]
    )


def _rule_shape(value: object) -> str:
    return "<rule>" if isinstance(value, dict) else "<literal>"


class EtcdRule(PlanMapping):
    """What a value must be; all parts of the rule must hold."""

    is_: ValueField | None = Field(
        None, alias="is", description="The value itself.", examples=["ready"]
    )
    min: ValueField | None = Field(
        None, description="The smallest accepted number.", examples=["1"]
    )
    max: ValueField | None = Field(
        None, description="The largest accepted number.", examples=["100"]
    )
    in_: list[ValueField] | None = Field(
        None, alias="in", min_length=1, description="The accepted values.", examples=["[a, b]"]
    )
    matches: TextField | None = Field(
        None, description="A regular expression to find in the value.", examples=["^v[0-9]+"]
    )


EtcdRuleField = Annotated[
    Annotated[EtcdRule, Tag("<rule>")] | Annotated[ValueField, Tag("<literal>")],
    Discriminator(_rule_shape),
]


class EtcdExpect(PlanMapping):
    """Which replies are acceptable; by default, any reply that is not an error."""

    found: bool | None = Field(None, description="Whether the key must exist.", examples=["true"])
    value: EtcdRuleField | None = Field(
        None, description="The value, or a rule it must meet.", examples=["${expected}"]
    )
    count: EtcdRuleField | None = Field(
        None, description="How many keys there are, or a rule.", examples=["{min: 1}"]
    )
    revision: EtcdRuleField | None = Field(
        None, description="The store's revision, or a rule.", examples=["{min: 1}"]
    )
    succeeded: bool | None = Field(
        None, description="Of a transaction: whether `compare` must hold.", examples=["true"]
    )
    time: TextField | None = Field(
        None,
        description="The accepted latency.",
        examples=["< 10ms"],
        json_schema_extra={
            "pattern": r"^<=?\s*(\d.*|\$\{.*)$",
            "patternErrorMessage": "write a limit such as `< 10ms`",
        },
    )
    soft: bool | None = Field(
        None, description="True: a failure is only a warning.", examples=["true"]
    )


class EtcdRequest(OperationModel):
    """What every etcd step can say."""

    expect: EtcdExpect | None = Field(
        None, description="Which replies are acceptable.", examples=["{found: true}"]
    )
    extract: Extractions | None = Field(
        None,
        description="Variables to take from the reply, by JSONPath.",
        examples=[
            "{value: '$.kvs[0].value'}",
            "{lease: {jsonpath: $.ID, secret: true}}",
        ],
    )

    def default_name(self, action: str) -> str:
        """Return the action, and its key as written."""
        key = getattr(self, "key", None)
        return action if key is None else f"{action} {key.source}"


class EtcdPut(EtcdRequest):
    """Store a value."""

    key: TextField = Field(description="The key.", examples=["/perf/${iteration}"])
    value: TextField = Field(description="The value.", examples=["${rand.text(100)}"])
    lease: ValueField | None = Field(
        None, description="The lease that the key belongs to.", examples=["${lease_id}"]
    )


class EtcdGet(EtcdRequest):
    """Read a key, or all keys with a prefix."""

    key: TextField = Field(description="The key.", examples=["/perf/${iteration}"])
    prefix: bool | None = Field(
        None, description="True: all keys that start with `key`.", examples=["true"]
    )
    limit: Count | None = Field(
        None, description="The most keys to return. Default all.", examples=["10"]
    )
    serializable: bool | None = Field(
        None,
        description="True: the member replies from its own store, without asking the others.",
        examples=["true"],
    )


class EtcdDelete(EtcdRequest):
    """Delete a key, or all keys with a prefix."""

    key: TextField = Field(description="The key.", examples=["/perf/${iteration}"])
    prefix: bool | None = Field(
        None, description="True: all keys that start with `key`.", examples=["true"]
    )


class EtcdCompare(PlanMapping):
    """One condition of a transaction."""

    key: TextField = Field(description="The key.", examples=["/lock"])
    target: Literal["value", "version", "create", "mod", "lease"] = Field(
        "value", description="The property of the key that is compared.", examples=["version"]
    )
    op: Literal["=", "==", "!=", "<", ">"] = Field(
        "=", description="How it is compared.", examples=['"="']
    )
    value: ValueField = Field(description="What it is compared with.", examples=["0"])


class TxnOperation(PlanMapping):
    """One operation inside a transaction: exactly one of the three."""

    put: EtcdPut | None = Field(
        None, description="Store a value.", examples=["{key: /lock, value: me}"]
    )
    get: EtcdGet | None = Field(None, description="Read a key.", examples=["{key: /lock}"])
    delete: EtcdDelete | None = Field(None, description="Delete a key.", examples=["{key: /lock}"])

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        words = list(data)
        if len(words) > 1:
            yield Fault(
                Code.ONE_ACTION,
                f"an operation is one thing, but this has `{words[0]}` and `{words[1]}`",
                "write a separate operation",
                words[1],
            )
        elif not words:
            yield Fault(
                Code.ONE_ACTION, "nothing says what to do", "write `put:`, `get:` or `delete:`"
            )


class EtcdTxn(EtcdRequest):
    """Compare, then do one of two lists of operations, in one transaction."""

    compare: list[EtcdCompare] | None = Field(
        None,
        description="The conditions; all of them must hold.",
        examples=["[{key: /lock, target: version, value: 0}]"],
    )
    success: list[TxnOperation] | None = Field(
        None, description="Done when they hold.", examples=["[{put: {key: /lock, value: me}}]"]
    )
    failure: list[TxnOperation] | None = Field(
        None, description="Done when one does not.", examples=["[{get: {key: /lock}}]"]
    )


class EtcdLease(EtcdRequest):
    """Take a lease; extract its id with `$.ID`."""

    ttl: Duration = Field(description="How long the lease lives.", examples=["30s"])


class EtcdWatch(EtcdRequest):
    """Wait for a change of a key; the time it takes is the latency."""

    key: TextField = Field(description="The key.", examples=["/perf/signal"])
    until: TextField | None = Field(
        None,
        description="The value to wait for; when left out, any change.",
        examples=["${expected}"],
    )
