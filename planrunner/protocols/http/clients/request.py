"""Requests as bytes: what is constant is encoded when it is bound, the rest by small closures."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Final

from planrunner import __version__
from planrunner.errors import PlanrunnerError
from planrunner.language.expressions.values import EvaluationError, evaluation_error, to_text
from planrunner.language.files import MAX_READ, read_file
from planrunner.protocols.base import Exchange, Scope
from planrunner.protocols.http.clients.pieces import BytesPiece, RenderBytes, compose
from planrunner.protocols.http.clients.rewrite import halves
from planrunner.protocols.http.clients.signing.signer import MessageSigner, signer_of
from planrunner.protocols.http.clients.streams.reading import StreamReading
from planrunner.protocols.http.clients.upload import Upload, open_upload
from planrunner.protocols.http.content import ACCEPTED_ENCODINGS
from planrunner.protocols.http.headers import FRAMING, asks_to_close
from planrunner.protocols.http.operation import (
    AwsCredentials,
    DigestCredentials,
    DynamicBody,
    Evaluate,
    FileBody,
    Header,
    HttpOperation,
    QueryItem,
    Retry,
    StreamBody,
    StreamPlan,
    TextParts,
)
from planrunner.protocols.http.url import Location, Origin, UrlError, quote_query, quote_target
from planrunner.protocols.http.url import split_url as split
from planrunner.values import dataclass

__all__ = [
    "DEFAULT_NAMES",
    "LARGE",
    "BoundGrant",
    "Outbound",
    "WireRequest",
    "bind_request",
    "header_line",
]

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
SAYS_EMPTY: Final = frozenset({"POST", "PUT", "PATCH"})
DEFAULTS: Final = (
    ("User-Agent", f"planrunner/{__version__}"),
    ("Accept", "*/*"),
    ("Accept-Encoding", ACCEPTED_ENCODINGS),
)
DEFAULT_NAMES: Final = frozenset({"host", "content-type", *(name.lower() for name, _ in DEFAULTS)})
"""What a request may say without the plan naming it, lower case."""

TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
PLAIN: Final = re.compile(r"[\w./~-]*", re.ASCII)
LARGE: Final = 64 * 1024
"""From here on a request is written under flow control (a transport's default high-water mark)."""

SHORT: Final = 64
"""Of a value in a path: longer ones are not kept."""

SMALL: Final = 1024

STREAMED: Final = 1024 * 1024
"""From here on a file that is a whole body is read each time it is sent, and not kept."""


@dataclass(frozen=True, slots=True)
class Outbound:
    """A request, rendered: where it goes and what is written.

    Attributes:
        data: Head and body; only the head when the body is an `upload`.
        signer: Puts credentials into each message of it; None when `data` has all there is.
        reading: Takes the reply piece by piece; None where it is taken as a whole.
    """

    origin: Origin
    data: bytes
    upload: Upload | None = None
    signer: MessageSigner | None = None
    reading: StreamReading | None = None


@dataclass(frozen=True, slots=True)
class BoundGrant:
    """Where tokens come from; equal keys share a user's token."""

    key: tuple[str, ...]
    request: WireRequest


@dataclass(frozen=True, slots=True)
class WireRequest:
    """An exchange, bound: as much of it as possible is bytes.

    Attributes:
        key: Names the origin in a session's connections; None when the scope decides, and of what
            needs care.
        data: The whole request when it is constant …
        render: … else what makes it: the whole, or without a constant origin what follows Host.
        locate: Without a constant origin, where to send it.
        needs_care: Not for the hot path: HEAD, a body that is written piece by piece, more than
            one try, a connection that ends with it, a reply whose URL somebody reads.
        halves: A constant request before and behind where further header lines are put.
        names: The header names it sends, lower case.
        own_names: Those of which the step itself says what is sent.
        stream: A body that is read while it is sent; `render` has no end then.
        signature: What each message is signed with; None when `data` has all there is.
        keepalive: False closes the connection after the reply.
        pieces: How the reply is read piece by piece; None takes it as a whole.
    """

    key: str | None
    origin: Origin | None
    data: bytes | None
    render: RenderBytes
    locate: Callable[[Scope], Location] | None
    method: str
    timeout_ns: int
    needs_care: bool
    wants_body: bool
    is_idempotent: bool
    follows: bool
    max_redirects: int
    names: frozenset[str]
    halves: tuple[bytes, bytes] | None = None
    own_names: frozenset[str] = frozenset()
    stream: StreamBody | None = None
    retry: Retry | None = None
    grant: BoundGrant | None = None
    signature: DigestCredentials | AwsCredentials | None = None
    keepalive: bool = True
    pieces: StreamPlan | None = None

    @property
    def may_repeat(self) -> bool:
        """True when one try may not be all, or is more than to send."""
        parts = (self.retry, self.grant, self.signature, self.pieces)
        return any(part is not None for part in parts)

    def prepare(self, scope: Scope) -> Outbound:
        """Return where to send which bytes.

        Raises:
            EvaluationError: A value cannot be had, or cannot stand where it is written.
        """
        try:
            origin, data = self._render(scope)
            sign = self.signature
            signer = None if sign is None else signer_of(sign, origin, scope)
            if self.stream is None:
                return Outbound(origin, data, None, signer)
            upload = open_upload(self.stream, scope)
        except (PlanrunnerError, OSError):
            raise
        except Exception as error:
            raise evaluation_error(error, "a value of the request") from error
        return Outbound(origin, data + b"Content-Length: %d\r\n\r\n" % upload.size, upload, signer)

    def _render(self, scope: Scope) -> tuple[Origin, bytes]:
        if self.origin is not None:
            return self.origin, self.data or self.render(scope)
        assert self.locate is not None  # `bind_request` sets one of the two
        location = self.locate(scope)
        start = f"{self.method} {location.target} HTTP/1.1\r\n"
        if "host" not in self.names:
            start += f"Host: {location.origin.authority}\r\n"
        if location.authorization and "authorization" not in self.names:
            start += f"Authorization: {location.authorization}\r\n"
        return location.origin, start.encode("ascii") + self.render(scope)


def bind_request(exchange: Exchange) -> WireRequest:
    """Encode an exchange as far as it is constant."""
    operation: HttpOperation = exchange.operation
    origin = operation.url.origin
    stream = _stream(operation)
    rest = [*_headers(operation), *(() if stream else _body(operation))]
    if origin is None:
        pieces = rest
    else:
        pieces = [
            f"{operation.method} ".encode("ascii"),
            *_target(operation.url.parts, operation.query),
            b" HTTP/1.1\r\n",
            *_host(operation, origin),
            *rest,
        ]
    data, render = compose(pieces)
    needs_care = (
        operation.method == "HEAD"
        or len(data or b"") > LARGE
        or operation.needs_url
        or bool(stream or operation.retry or operation.grant or operation.signature)
        or operation.stream is not None
        or _may_close(operation)
    )
    return WireRequest(
        key=None if origin is None or needs_care else str(origin),
        origin=origin,
        data=data if origin is not None else None,
        render=render,
        locate=_locator(operation) if origin is None else None,
        method=operation.method,
        timeout_ns=exchange.timeout_ns,
        needs_care=needs_care,
        wants_body=operation.needs_body,
        is_idempotent=operation.method in IDEMPOTENT,
        follows=operation.follow_redirects,
        max_redirects=operation.max_redirects,
        names=_names(operation),
        halves=halves(data) if origin is not None and data else None,
        own_names=operation.own_names,
        stream=stream,
        retry=operation.retry,
        grant=_bind_grant(operation),
        signature=operation.signature,
        keepalive=operation.keepalive,
        pieces=operation.stream,
    )


def _may_close(operation: HttpOperation) -> bool:
    """Say whether the connection may have to end with the reply."""
    return not operation.keepalive or any(
        header.name.lower() == "connection"
        and any(not isinstance(part, str) or asks_to_close(part) for part in header.value)
        for header in operation.headers
    )


def _names(operation: HttpOperation) -> frozenset[str]:
    names = {header.name.lower() for header in operation.headers}
    if operation.grant is not None or operation.signature is not None:
        names.add("authorization")
    return frozenset(names)


def _bind_grant(operation: HttpOperation) -> BoundGrant | None:
    grant = operation.grant
    return None if grant is None else BoundGrant(grant.key, bind_request(grant.exchange))


def _stream(operation: HttpOperation) -> StreamBody | None:
    body = operation.body
    if isinstance(body, FileBody) and body.path.stat().st_size >= STREAMED:
        return StreamBody((body.path,), body.content_type)
    return body if isinstance(body, StreamBody) else None


def header_line(name: str, value: str) -> bytes:
    """Encode one header.

    Raises:
        EvaluationError: The name is no header name, or the value would end the line.
    """
    if not TOKEN.fullmatch(name):
        raise EvaluationError(f"`{name}` is not a header name")
    return f"{name}: ".encode("ascii") + _header_value(name, value) + b"\r\n"


# -- pieces ------------------------------------------------------------------------------
def _target(parts: TextParts, query: tuple[QueryItem, ...]) -> list[BytesPiece]:
    pieces: list[BytesPiece] = []
    if not (parts and isinstance(parts[0], str) and parts[0].startswith("/")):
        # A target begins with a slash, whatever the variable in front holds.
        parts, first = parts[1:], parts[0] if parts else "/"
        pieces.append(_rooted(first))
    for part in parts:
        if isinstance(part, str):
            pieces.append(quote_target(part).encode("ascii"))
        else:
            pieces.append(_quoted(part))
    return _with_query(pieces, query)


def _rooted(part: str | Evaluate) -> BytesPiece:
    if isinstance(part, str):
        return quote_target(part if part.startswith("/") else f"/{part}").encode("ascii")
    make = _quoted(part)

    def rooted(scope: Scope) -> bytes:
        data = make(scope)
        return data if data.startswith(b"/") else b"/" + data

    return rooted


def _quoted(evaluate: Evaluate) -> RenderBytes:
    known = _known_target

    def quoted(scope: Scope) -> bytes:
        value = evaluate(scope)
        text = value if type(value) is str else to_text(value)
        return known(text) if len(text) <= SHORT else _target_bytes(text)

    return quoted


def _target_bytes(text: str) -> bytes:
    return (text if PLAIN.fullmatch(text) else quote_target(text)).encode("ascii")


_known_target = lru_cache(maxsize=4096)(_target_bytes)
"""Values come again, and looking one up takes a third of making it."""


def _with_query(target: list[BytesPiece], query: tuple[QueryItem, ...]) -> list[BytesPiece]:
    """Append the query behind `?`, or behind `&` where the target has one already."""
    if not query:
        return target
    known = b"".join(piece for piece in target if isinstance(piece, bytes))
    is_constant = all(isinstance(piece, bytes) for piece in target)
    if is_constant or (b"?" in known and isinstance(target[-1], bytes)):
        tail = known if is_constant else b"?" + known
        if not any(_is_dynamic(item) for item in query):
            return [*target, _query_bytes(query, {}, tail)]
        return [*target, lambda scope: _query_bytes(query, scope, tail)]
    _, render = compose(target)

    def whole(scope: Scope) -> bytes:
        # What a variable holds may begin the query.
        start = render(scope)
        return start + _query_bytes(query, scope, start)

    return [whole]


def _is_dynamic(item: QueryItem) -> bool:
    return not isinstance(item.value, str) or any(not isinstance(part, str) for part in item.name)


def _query_bytes(query: tuple[QueryItem, ...], scope: Scope, target: bytes) -> bytes:
    """Return what joins the query to a target; nothing when there is none."""
    pairs = []
    for item in query:
        value = item.value if isinstance(item.value, str) else item.value(scope)
        if value is None:
            continue
        name = quote_query(_text(item.name, scope))
        values = value if isinstance(value, list | tuple) else (value,)
        pairs += [f"{name}={quote_query(to_text(each))}" for each in values]
    if not pairs:
        return b""
    return _joint(target) + "&".join(pairs).encode("ascii")


def _joint(target: bytes) -> bytes:
    if b"?" not in target:
        return b"?"
    return b"" if target.endswith((b"?", b"&")) else b"&"


def _text(parts: TextParts, scope: Scope) -> str:
    return "".join(part if isinstance(part, str) else to_text(part(scope)) for part in parts)


def _host(operation: HttpOperation, origin: Origin) -> list[BytesPiece]:
    if any(header.name.lower() == "host" for header in operation.headers):
        return []
    return [f"Host: {origin.authority}\r\n".encode("ascii")]


def _headers(operation: HttpOperation) -> list[BytesPiece]:
    """Return the header lines without the framing; a Host of the plan's is first."""
    own = {header.name.lower() for header in operation.headers}
    pieces: list[BytesPiece] = []
    for header in sorted(operation.headers, key=lambda header: header.name.lower() != "host"):
        if header.name.lower() not in FRAMING:
            pieces += _header(header)
    pieces += [header_line(name, value) for name, value in DEFAULTS if name.lower() not in own]
    if not operation.keepalive and "connection" not in own:
        pieces.append(header_line("Connection", "close"))
    content_type = "" if operation.body is None else operation.body.content_type
    if content_type and "content-type" not in own:
        pieces.append(header_line("Content-Type", content_type))
    return pieces


def _header(header: Header) -> list[BytesPiece]:
    if all(isinstance(part, str) for part in header.value):
        return [header_line(header.name, _text(header.value, {}))]
    line = header_line(header.name, "").removesuffix(b"\r\n")
    return [line, lambda scope: _header_value(header.name, _text(header.value, scope)), b"\r\n"]


def _header_value(name: str, value: str) -> bytes:
    if CONTROL.search(value):
        raise EvaluationError(
            f"the header `{name}` cannot hold this value",
            hint="a header's value must be one line without control characters",
        )
    try:
        return value.strip(" \t").encode("utf-8")
    except UnicodeEncodeError as fault:
        raise evaluation_error(fault, f"the value of the header `{name}`") from fault


def _body(operation: HttpOperation) -> list[BytesPiece]:
    body = operation.body
    assert not isinstance(body, StreamBody)  # `prepare` ends the head of such a request
    if isinstance(body, DynamicBody):
        evaluate = body.evaluate

        lines = _length_lines()

        def framed(scope: Scope) -> bytes:
            content = evaluate(scope)
            size = len(content)
            return (lines[size] if size < SMALL else _length_line(size)) + content

        return [framed]
    if body is None:
        return [b"Content-Length: 0\r\n\r\n" if operation.method in SAYS_EMPTY else b"\r\n"]
    content = read_file(body.path, most=MAX_READ) if isinstance(body, FileBody) else body.content
    return [_length_line(len(content)), content]


@cache
def _length_lines() -> list[bytes]:
    """Return those of small bodies: writing the number takes longer than all else there."""
    return [_length_line(size) for size in range(SMALL)]


def _length_line(size: int) -> bytes:
    """Return the end of a head, of a body with so many bytes."""
    return b"Content-Length: %d\r\n\r\n" % size


def _locator(operation: HttpOperation) -> Callable[[Scope], Location]:
    query = operation.query

    def locate(scope: Scope) -> Location:
        text = _text(operation.url.parts, scope)
        try:
            location = split(text)
        except UrlError as fault:
            raise EvaluationError(fault.message, hint=fault.hint) from fault
        extra = _query_bytes(query, scope, location.target.encode("ascii")).decode("ascii")
        return Location(location.origin, location.target + extra, location.authorization)

    return locate
