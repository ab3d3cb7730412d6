"""What a plan may write under `http:`: of the plan, a user class, a task and a flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import Discriminator, Field, Tag
from planrunner.language.fields.mapping import Fault, PlanMapping, error
from planrunner.language.fields.reading import ReadBy
from planrunner.language.fields.types import (
    Duration,
    DurationRange,
    Flag,
    PositiveInt,
    Size,
    TextField,
    ValueField,
)
from planrunner.language.foreign_words import HTTP_WORDS
from planrunner.protocols.http.spec_auth import AuthField
from planrunner.protocols.http.spec_expect import Expect
from planrunner.protocols.json_replies.spec import shape
from planrunner.protocols.operation_model import TagsField

__all__ = ["Certificate", "HttpModel", "HttpScope", "Pool"]


class Certificate(PlanMapping):
    """A client certificate and its key, PEM files."""

    cert: TextField = Field(description="PEM file with the certificate.", examples=["client.pem"])
    key: TextField | None = Field(
        None, description="PEM file with its key, if separate.", examples=["client.key"]
    )
    password: TextField | None = Field(
        None, description="The password of an encrypted key.", examples=["${key_password}"]
    )


CertificateField = Annotated[
    Annotated[Certificate, Tag("<mapping>")] | Annotated[TextField, Tag("<scalar>")],
    Discriminator(shape),
]


def _keepalive_shape(value: object) -> str:
    return "<word>" if isinstance(value, str) and "${" not in value else "<scalar>"


def _read_keepalive(value: object) -> object:
    if value == "iteration":
        return value
    raise error(
        Fault(
            Code.INVALID_VALUE,
            f"`{value}` doesn't say how long connections stay open",
            "write `true`, `false` or `iteration`",
        )
    )


KeepaliveField = Annotated[
    Annotated[Flag, Tag("<scalar>")]
    | Annotated[str, ReadBy(_read_keepalive, {"const": "iteration"}), Tag("<word>")],
    Discriminator(_keepalive_shape),
]


class Pool(PlanMapping):
    """How many connections a user keeps, and for how long."""

    keepalive: KeepaliveField = Field(
        default=True,
        description="Keep connections open between requests: `true` for the user's life, "
        "`iteration` until each iteration ends.",
        examples=["true", "iteration"],
    )
    per_user: PositiveInt | None = Field(
        None,
        description="How many connections to one host a user can have at once. "
        "Default as many as the requests of a `parallel` step, else one.",
        examples=["1"],
    )
    max_age: Duration | None = Field(
        None,
        description="Close a connection after its last reply once it is this old. Default never.",
        examples=["5m"],
    )
    max_idle: Duration | None = Field(
        None,
        description="Close a connection that nothing was sent on for this long. Default never.",
        examples=["30s"],
    )


def _read_version(value: object) -> object:
    version = str(value)  # 1.1 and 2 are numbers to YAML
    if version in ("auto", "1.1", "2"):
        return version
    raise error(
        Fault(
            Code.INVALID_VALUE,
            f"`{value}` is not a version of HTTP",
            "write `auto`, `1.1` or `2`",
        )
    )


VersionField = Annotated[str, ReadBy(_read_version, {"enum": ["auto", 1.1, 2, "1.1", "2"]})]

SourcesField = Annotated[
    Annotated[list[TextField], Tag("<list>")] | Annotated[TextField, Tag("<scalar>")],
    Discriminator(shape),
]


class HttpScope(PlanMapping):
    """What requests below start from; a request's own keys, and a scope nearer to it, say more."""

    nullable: ClassVar[frozenset[str]] = frozenset({"expect", "pause", "tags"})

    base_url: TextField | None = Field(
        None,
        description="The URL that paths starting with `/` are appended to.",
        examples=["http://localhost:8000"],
    )
    headers: dict[str, ValueField] | None = Field(
        None,
        description="Headers of every request; `null` removes one that a scope around gives.",
        examples=["{X-API-Key: '${api_key}'}"],
    )
    timeout: Duration | None = Field(
        None, description="The time limit for a whole request. Default 30s.", examples=["10s"]
    )
    auth: AuthField | None = Field(
        None, description="How users authenticate to the server.", examples=["{bearer: '${token}'}"]
    )
    follow_redirects: Flag | None = Field(
        None, description="Follow 3xx replies. Default true.", examples=["false"]
    )
    expect: Expect | None = Field(
        None,
        description="What every reply must be, beside what its request expects; the nearest says "
        "what a key is, and `null` takes one away.",
        examples=["{status: 200, time: < 1s}"],
    )
    pause: DurationRange | None = Field(
        None,
        description="Think time after each request of a user. Default none.",
        examples=["100ms..300ms"],
    )
    tags: TagsField | None = Field(
        None,
        description="Tags of every request; the nearest says what a key is, and `null` takes one "
        "away.",
        examples=["{team: core}"],
    )

    @classmethod
    def hint_unknown(cls, word: str) -> str:
        if word in HttpModel.model_fields and word not in cls.model_fields:
            return f"`{word}` concerns the client: it belongs to `http:` of the plan or a class"
        return super().hint_unknown(word)


class HttpModel(HttpScope):
    """Settings of all HTTP requests, and of the client; a user class may have its own."""

    synonyms: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("host", "url", "target", "default_address", "server"), "base_url"),
        **dict.fromkeys(("tls_verify", "verify_ssl", "reject_unauthorized"), "verify"),
        **dict.fromkeys(("insecure", "insecure_skip_tls_verify"), "verify"),
        **dict.fromkeys(("max_redirects", "redirects", "allow_redirects"), "follow_redirects"),
        **dict.fromkeys(("network_timeout", "request_timeout", "connect_timeout"), "timeout"),
        **dict.fromkeys(("connections", "max_sockets", "batch_per_host"), "pool"),
        **dict.fromkeys(("http2", "http_version", "protocol"), "version"),
        "proxies": "proxy",
    }
    elsewhere: ClassVar[Mapping[str, str]] = HTTP_WORDS

    verify: Flag | None = Field(
        None, description="Check the server's certificate. Default true.", examples=["false"]
    )
    ca: TextField | None = Field(
        None, description="PEM file with the authorities to trust.", examples=["ca.pem"]
    )
    cert: CertificateField | None = Field(
        None,
        description="Client certificate (PEM).",
        examples=["client.pem", "{cert: client.pem, key: client.key}"],
    )
    session: Literal["user", "iteration"] | None = Field(
        None,
        description="What a visitor is; a class's own `session` says more.",
        examples=["iteration"],
    )
    pool: Pool | None = Field(
        None,
        description="How many connections a user keeps, and for how long.",
        examples=["{keepalive: true, per_user: 1}", "{max_age: 5m, max_idle: 30s}"],
    )
    max_kept: Size | None = Field(
        None,
        description="How much of reply bodies all users of a worker keep at a time; a body beyond "
        "that fails as `too_large`. Default 256MiB.",
        examples=["1GiB"],
    )
    client: Literal["auto", "wire", "httpx"] | None = Field(
        None, description="The HTTP client to use. Default auto.", examples=["wire"]
    )
    version: VersionField | None = Field(
        None,
        description="The version of HTTP: `auto` speaks HTTP/2 where TLS offers it and 1.1 "
        "elsewhere, `2` speaks it over `http://` too. Default auto.",
        examples=["auto", "1.1", "2"],
    )
    streams: PositiveInt | None = Field(
        None,
        description="How many requests of a user run side by side on one connection of HTTP/2. "
        "Default as many as the requests of a `parallel` step, else one.",
        examples=["1"],
    )
    proxy: TextField | None = Field(
        None, description="URL of the proxy. Default none.", examples=["http://proxy:3128"]
    )
    source_addresses: SourcesField | None = Field(
        None,
        description="Addresses of this machine that users connect from, in turn. "
        "Default what the system chooses.",
        examples=["[127.0.0.2, 127.0.0.3]"],
    )
    hosts: dict[str, TextField] | None = Field(
        None,
        description="Addresses to use instead of DNS: `{name: ip}`.",
        examples=["{shop.example.com: 127.0.0.1}"],
    )
