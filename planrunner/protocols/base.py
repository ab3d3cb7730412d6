"""The contract between the engine and a protocol: bind once, then `send(request) -> reply`.

A protocol brings a step model (`spec`), a compile function (`compile`) that turns a step into an
`Exchange`, and clients (`clients/`) that send it. The engine sees only this module, and `received`
for what a reply says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Generator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, runtime_checkable

from planrunner.language.expressions.values import Evaluate, Scope
from planrunner.metrics.arrivals import Arrivals
from planrunner.values import dataclass

if TYPE_CHECKING:  # clock imports asyncio, which a plan that is only checked doesn't need
    from planrunner.clock import Clock

__all__ = [
    "CUT",
    "Check",
    "Client",
    "ClientFactory",
    "Evaluate",
    "Exchange",
    "Extractor",
    "FailureKind",
    "Recalling",
    "Redirect",
    "Reply",
    "Scope",
    "Sent",
    "Session",
    "Tappable",
    "TextParts",
]

CUT: Final = "cut"
"""What a `CancelledError` says that was raised into code which holds up the event loop."""

T = TypeVar("T")

TextParts = tuple[str | Evaluate, ...]
"""A text with its constant pieces and closures in order; empty is the empty text."""


class FailureKind(StrEnum):
    """Why a request has no acceptable reply; counted apart, never mixed."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    RESET = "reset"
    PROTOCOL = "protocol"
    TOO_LARGE = "too_large"
    STATUS = "status"
    UNAVAILABLE = "unavailable"
    PERMISSION = "permission"
    PRECONDITION = "precondition"
    EXPECT = "expect"
    EXTRACT = "extract"
    ERROR = "error"
    ABORTED = "aborted"


class Reply:
    """What came back from one request. A session may reuse one object for all its requests.

    One that is there at once is returned as it is, and awaiting it gives itself.

    Attributes:
        failure: None when a complete reply arrived, whatever its status.
        detail: What failed, in words, without secrets; empty when nothing did.
        status: The status code, 0 when none arrived.
        asked_ns: When the user asked to send (clock time).
        sent_ns: When the first byte was written; equals `asked_ns` on an open connection,
            and when nothing was.
        first_byte_ns: When the first byte of the reply arrived; 0 when none did.
        ended_ns: When the last byte arrived, or the failure was known.
        connect_ns: Time spent on DNS, TCP and TLS for this request; 0 on an open connection.
        received: Bytes of the reply's body as they came over the wire (before decompression).
        sent: Bytes written for this request, head and body.
        connects: Connections opened for this request.
        retries: How often it was sent again; redirects are not retries.
        body: The decoded body when the exchange asked for it, else None.
        head: The raw head of the last reply (status line and headers), empty when none came.
        url: Where the last reply came from; set only where the exchange asks for it.
        cookies: What redirects on the way to it asked to set, in the order they came.
        cover: Takes out of text what was granted for a secret, such as a token.
        arrivals: When the pieces of a streamed reply came; None where it wasn't read so.
        spoken: What went over the wire, where that isn't what its protocol usually speaks:
            `http/2`.
        is_dirty: It may hold more than a quick reply overwrites. Else it is no failure, came over
            an open connection for a request that was sent once, and nothing else was `spoken`.
    """

    __slots__ = (
        "_parsed",
        "_parsed_body",
        "_parsed_head",
        "arrivals",
        "asked_ns",
        "body",
        "connect_ns",
        "connects",
        "cookies",
        "cover",
        "detail",
        "ended_ns",
        "failure",
        "first_byte_ns",
        "head",
        "is_dirty",
        "received",
        "retries",
        "sent",
        "sent_ns",
        "spoken",
        "status",
        "url",
    )

    failure: FailureKind | None
    detail: str
    status: int
    asked_ns: int
    sent_ns: int
    first_byte_ns: int
    ended_ns: int
    connect_ns: int
    received: int
    sent: int
    connects: int
    retries: int
    body: bytes | None
    head: bytes
    cookies: tuple[str, ...]
    cover: Callable[[str], str]
    arrivals: Arrivals | None
    spoken: str | None
    is_dirty: bool

    def __init__(self) -> None:
        self.is_dirty = True
        self.failure = None
        self.detail = self.url = ""
        self.status = self.asked_ns = self.sent_ns = self.first_byte_ns = self.ended_ns = 0
        self.connect_ns = self.received = self.sent = self.connects = self.retries = 0
        self.body = None
        self.head = b""
        self.cookies = ()
        self.cover = str
        self.arrivals = None
        self.spoken = None
        self._parsed: dict[Callable[[Reply], Any], Any] = {}
        self._parsed_body: bytes | None = None
        self._parsed_head = b""

    def __await__(self) -> Generator[Any, None, Any]:
        yield from ()
        return self

    __iter__ = __await__  # for `yield from`

    @property
    def beside(self) -> bytes:
        """What came and is no reply to this request, as people may want to see it."""
        return b""

    @property
    def times(self) -> int:
        """How often the sample did its work; what it measured is of one time."""
        return 1

    @property
    def ends_iteration(self) -> bool:
        """Whether what comes after it in the iteration has nothing to go on with; of a failure."""
        return False

    def parsed(self, parse: Callable[[Reply], T]) -> T:
        """Return what `parse` makes of this reply; a second call for the same reply is a lookup.

        Clients reset nothing: what is kept is valid while body and head are the same objects.
        """
        body, head, known = self.body, self.head, self._parsed
        if self._parsed_body is not body or self._parsed_head is not head:
            self._parsed_body, self._parsed_head = body, head
            known = self._parsed = {}
        elif parse in known:
            return known[parse]  # type: ignore[no-any-return]
        value = known[parse] = parse(self)
        return value


Check = Callable[[Reply, Scope], str | None]
"""An expectation on a complete reply: None when it holds, else what was wrong, in words.

It, and an extractor too, raises `EvaluationError` when an expression in it has no value.
"""

Extractor = Callable[[Reply, Scope], str | None]
"""Writes into the scope what it found in the reply: None when it did, else what was missing."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request step, compiled: what to send, and what makes its reply acceptable.

    Attributes:
        protocol: What sends it: a protocol of the registry, such as `http`, or `http:CLASS` where a
            user class has settings of its own.
        operation: What the protocol's client binds; opaque to the engine.
        method: What results.csv calls the method: `GET`, `put`.
        accept: The statuses that are no failure; looked up once a request, so a range or set.
        checks: The other expectations, cheapest first; all hold for an accepted reply.
        extractors: Run on an accepted reply, in plan order.
        timeout_ns: For the whole exchange, connecting and redirects included.
        soft_checks: Run on a complete reply like `checks`, but what they say is counted as a
            warning and never makes the sample a failure.
        expected: What is expected, in words: of the status, then of each check.
        softly_expected: The same of each soft check.
        states_status: Whether the plan says which status it expects.
        extracted: The names that the extractors write.
        secrets: Those of them whose values must not be shown.
        status_text: A status as people know it.
        reply_names: Names beside `status`, `headers`, `body` and `json` that expressions have after
            the request, each with what reads it.
        counts: What a reply records by itself, unless the plan says it: the word of the measure,
            what is counted, and what gives the number.
        is_step: It does something here and asks nobody: where it fails, the iteration ends.
        has_batches: A sample is several in a row, and its latency the time of one: it has no
            intended start.
        has_process: It runs in a process that the client starts.
        is_streamed: Its reply comes piece by piece, and has `arrivals`; None where only the target
            knows.
        is_apart: That process takes the time by itself: waits of the generator add nothing to it.
    """

    protocol: str
    operation: Any
    method: str
    accept: Container[int]
    checks: tuple[Check, ...]
    extractors: tuple[Extractor, ...]
    timeout_ns: int
    soft_checks: tuple[Check, ...] = ()
    expected: tuple[str, ...] = ()
    softly_expected: tuple[str, ...] = ()
    states_status: bool = False
    extracted: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    status_text: Callable[[int], str] = str
    reply_names: tuple[tuple[str, Callable[[Reply], object]], ...] = ()
    counts: tuple[tuple[str, str, Callable[[Any], float]], ...] = ()
    is_step: bool = False
    has_batches: bool = False
    has_process: bool = False
    is_apart: bool = False
    is_streamed: bool | None = False

    @property
    def expectations(self) -> int:
        """How many expectations the plan states, hard and soft ones, that of the status too."""
        return self.states_status + len(self.checks) + len(self.soft_checks)


@dataclass(frozen=True, slots=True)
class Redirect:
    """A reply that sends its request elsewhere; `location` is as the server wrote it."""

    status: int
    location: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as it left, for people to read.

    Attributes:
        address: Where it went: a URL.
        headers: In the order in which they were sent.
        body: Empty when there is none, and when it was read while it was sent.
        redirect: What it was answered with, where that was followed by a further message.
    """

    method: str
    address: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    redirect: Redirect | None = None


@runtime_checkable
class Tappable(Protocol):
    """A client that can show what it sends."""

    def tap(self, told: Callable[[Sent | Redirect], None]) -> None:
        """Report every message as it leaves, and keep all of each reply; before anything is bound.

        A redirect that is followed is reported after the message that it answers. `told` is called
        in the task that sends.
        """


class Session(Protocol):
    """One virtual user's connections and cookies; one request at a time."""

    def send(self, bound: Any, scope: Scope) -> Awaitable[Reply]:  # noqa: ANN401 - what `bind` gave
        """Send one bound operation and return its reply.

        Failures are data: this raises only `CancelledError`, and `EvaluationError` when an
        expression of the request cannot be evaluated for this scope (nothing was sent then).
        """

    def set_header(self, name: str, value: str | None) -> None:
        """Send `name` with every later request; None takes it away, the plan's own included."""

    def renew(self) -> None:
        """Be another visitor from now on: without cookies, set headers and tokens.

        The connections stay. It holds for all lanes.
        """

    def lanes(self, count: int) -> Sequence[Session]:
        """Return up to `count` sessions of this user for requests side by side; itself is first.

        They share cookies, headers and tokens, and have connections and a reply of their own,
        which end with this session. Fewer come back when the plan allows no more connections.
        """

    async def close(self) -> None:
        """Close the connections; never fails."""


@runtime_checkable
class Recalling(Protocol):
    """A session that can report what it sent last."""

    def recall(self) -> tuple[str, str]:
        """Return the last message that left, and the reply to it, as people read them.

        Head, empty line, body, or only their beginnings; empty for what there was not. Called
        after a failure, before the next request: a session keeps nothing for it but references.
        Whoever shows them takes secrets out.
        """


class Client(Protocol):
    """One protocol's sender in one worker."""

    def bind(self, exchange: Exchange) -> Any:  # noqa: ANN401 - private to the client
        """Prepare an exchange once, before the run: constant bytes, header tables, parsers."""

    def session(self) -> Session:
        """Return a fresh session for a new virtual user; opens nothing yet."""

    def sweep(self, now_ns: int) -> None:
        """Fail the requests whose deadline has passed; the engine calls this ten times a second."""

    async def close(self) -> None: ...


ClientFactory = Callable[[Any, "Clock"], Client]
"""Opens a client from its protocol's settings (`RunGraph.settings[protocol]`)."""
