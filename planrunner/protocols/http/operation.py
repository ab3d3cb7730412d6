"""One compiled HTTP request, and its settings: what `compile` makes and both clients bind.

A text is `Parts`: constant pieces and closures over the scope, in order; neighbouring constants
are merged, so a text of one piece is constant. A client renders a closure's value with
`language.expressions.to_text`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import field
from pathlib import Path
from typing import Final

from planrunner.extras import is_installed
from planrunner.protocols.base import Evaluate, Exchange, FailureKind, Reply, Scope, TextParts
from planrunner.protocols.http.url import Origin
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = [
    "HTTP2",
    "AwsCredentials",
    "Body",
    "DigestCredentials",
    "DynamicBody",
    "Evaluate",
    "FileBody",
    "Grant",
    "Header",
    "HttpOperation",
    "HttpSettings",
    "QueryItem",
    "Retry",
    "StaticBody",
    "StreamBody",
    "StreamPlan",
    "TextParts",
    "UrlParts",
]


@dataclass(frozen=True, slots=True)
class UrlParts:
    """Where a request goes.

    Attributes:
        origin: Known when it doesn't depend on the scope (the usual case, base_url included);
            then `parts` is the request target: path and query, without a fragment.
        parts: With `origin` None the whole URL; the client renders, splits and connects per
            request (slow path).
    """

    origin: Origin | None
    parts: TextParts


@dataclass(frozen=True, slots=True)
class QueryItem:
    """One entry of `query`: appended to the URL, percent-encoded to the last reserved character.

    Attributes:
        value: A list or tuple gives one `name=value` for each item; None leaves the entry out.
    """

    name: TextParts
    value: str | Evaluate


@dataclass(frozen=True, slots=True)
class Header:
    name: str
    value: TextParts


@dataclass(frozen=True, slots=True)
class StaticBody:
    """A body that is the same in every request; `content_type` is empty for none."""

    content: bytes
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class DynamicBody:
    """A body made for each request; `evaluate` gives the encoded bytes."""

    evaluate: Callable[[Scope], bytes]
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class FileBody:
    """A file sent as it is; the client reads it once, when it binds."""

    path: Path
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class StreamBody:
    """A body with files in it, which are read while it is sent.

    Attributes:
        pieces: In order; a path stands for what is in the file. A closure that cannot name its
            file raises `EvaluationError`.
    """

    pieces: tuple[bytes | Path | Callable[[Scope], bytes | Path], ...]
    content_type: str = ""


HTTP2: Final = "http/2"
"""What files of samples call it."""

Body = StaticBody | DynamicBody | FileBody | StreamBody


@dataclass(frozen=True, slots=True)
class Retry:
    """When a request is sent again; each try has the whole timeout.

    Attributes:
        wait_ns: Before each further try.
    """

    times: int
    wait_ns: int
    kinds: frozenset[FailureKind]
    statuses: Container[int]

    def wants(self, reply: Reply) -> bool:
        """Say whether this reply is a reason to send again."""
        if reply.failure is not None:
            return reply.failure in self.kinds
        return reply.status in self.statuses


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """How a reply is read piece by piece.

    Attributes:
        kind: `events`, `lines` or `json`.
        until: When enough has come; None reads to the end.
        reads_json: `until` reads the name `json`.
        keeps_json: Something reads the last piece that was JSON.
        is_shown: Somebody looks at the beginning of what comes.
        reconnects: How often a stream that ended too early is gone on with.
    """

    kind: str
    until: Evaluate | None = None
    reads_json: bool = False
    keeps_json: bool = False
    is_shown: bool = False
    reconnects: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """OAuth2 client credentials.

    Attributes:
        key: What the plan writes; equal grants share a user's token.
        exchange: The token request; its reply's body is kept.
    """

    key: tuple[str, ...]
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class DigestCredentials:
    """Answers a server's challenges (RFC 7616); the values are read for each request."""

    username: Evaluate
    password: Evaluate


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """Sign each message with AWS Signature Version 4; the values are read for each request.

    Attributes:
        session_token: Of temporary credentials; None, or one that is empty, sends none.
    """

    access_key: Evaluate
    secret_key: Evaluate
    session_token: Evaluate | None
    region: Evaluate
    service: Evaluate


@dataclass(frozen=True, slots=True)
class HttpOperation:
    """One request step, compiled.

    The client adds Host, User-Agent, Accept, Accept-Encoding and the body's Content-Type where
    `headers` doesn't name them, and Content-Length always.

    Attributes:
        method: Upper case.
        headers: The plan's and the step's together, each name once (case-insensitively).
        own_names: Headers, in lower case, of which the step itself says what is sent, if anything:
            what a user has set for all of its requests doesn't count then.
        body: None sends none; POST, PUT and PATCH then say `Content-Length: 0`.
        max_redirects: More in one exchange fail as `protocol`.
        needs_body: Something reads the reply's body: it is collected and decoded.
        needs_head: Something reads the reply's headers.
        needs_url: Something reads where the reply came from.
        retry: None sends once.
        grant: Where the bearer token comes from; None when `headers` has all there is.
        signature: What credentials are made of for each message; None likewise.
        keepalive: False ends the connection after each reply.
        stream: How the reply is read piece by piece; None takes it as a whole.
    """

    method: str
    url: UrlParts
    query: tuple[QueryItem, ...] = ()
    headers: tuple[Header, ...] = ()
    own_names: frozenset[str] = frozenset()
    body: Body | None = None
    follow_redirects: bool = True
    max_redirects: int = 20
    needs_body: bool = False
    needs_head: bool = False
    needs_url: bool = False
    retry: Retry | None = None
    grant: Grant | None = None
    signature: DigestCredentials | AwsCredentials | None = None
    keepalive: bool = True
    stream: StreamPlan | None = None


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """The plan's `http:` block, resolved; `RunGraph.settings["http"]`.

    Attributes:
        base_url: Already in front of every relative URL; kept for the check before load.
        headers: Already merged into every operation; kept for people.
        auth: The scheme of the credentials that requests inherit, likewise; empty for none.
        verify: False accepts every certificate.
        ca: A file of PEM certificates to trust instead of the system's.
        cert: A PEM file with the client certificate, and the key unless `key` names it.
        key_password: Of an encrypted key; empty for none.
        keepalive: Already in every operation; kept for people.
        per_iteration: Connections end with the iteration that they were opened in.
        max_age_ns: How old a connection may be when a request is sent on it; 0 for any age.
        max_idle_ns: How long ago its last reply may have ended; 0 for any time.
        per_user: Connections to one host that a user may have at once; 0 leaves it to the plan's
            steps: one, and one for each request of `parallel`.
        client: `auto`, `wire` or `httpx`.
        version: `auto`, `1.1` or `2`: of HTTP.
        streams: Requests of one user side by side on a connection of HTTP/2; 0 leaves it to the
            plan's steps, as `per_user` does.
        proxy: Empty for none; proxies of the environment are never used.
        hosts: Host name to address; the name still goes into Host and SNI.
        sources: Addresses of this machine that users connect from, in turn; empty leaves it to the
            system.
        max_head: Bytes of a reply's status line and headers; more fail as `too_large`.
        max_body: Bytes of a reply's body, as received and as decoded, when something reads it;
            more fail as `too_large`. A body that nothing reads is counted and let go.
        max_kept: Bytes of the bodies that all users of a worker keep at a time.
    """

    base_url: TextParts = ()
    headers: tuple[Header, ...] = ()
    auth: str = ""
    timeout_ns: int = 30 * NS_PER_S
    verify: bool = True
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    key_password: str = field(default="", repr=False)
    keepalive: bool = True
    per_iteration: bool = False
    per_user: int = 0
    max_age_ns: int = 0
    max_idle_ns: int = 0
    follow_redirects: bool = True
    client: str = "auto"
    version: str = "auto"
    streams: int = 0
    proxy: str = field(default="", repr=False)  # it may hold a password
    hosts: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    max_head: int = 64 * 1024
    max_body: int = 64 * 1024 * 1024
    max_kept: int = 256 * 1024 * 1024

    @property
    def may_speak_http2(self) -> bool:
        """Whether the wire client may: where the plan says so, or leaves it to the server."""
        return self.version == "2" or (self.version == "auto" and is_installed("http2"))
