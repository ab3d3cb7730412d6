"""What a plan asks of a tool that sends one request over and over, as fast as replies come."""

from __future__ import annotations

from collections.abc import Sequence

from planrunner.exporters.loads import never_ramps, plateaus
from planrunner.graph.run_graph import (
    PhaseNode,
    RequestNode,
    RunGraph,
    UserProgram,
)
from planrunner.language.named_secrets import is_secret_name
from planrunner.language.secrets import Masker
from planrunner.protocols.base import TextParts
from planrunner.protocols.http.content import ACCEPTED_ENCODINGS
from planrunner.protocols.http.operation import HttpOperation, HttpSettings, StaticBody
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["CanNotSend", "OneRequest", "one_request"]

_DEFAULTS = {"Accept": "*/*", "Accept-Encoding": ACCEPTED_ENCODINGS}
"""What planrunner sends beside what the plan says, and changes how a target answers."""


class CanNotSend(Exception):  # noqa: N818 - reads as the sentence it stands for
    """A tool can't give the load of the plan; the text says why."""


@dataclass(frozen=True, slots=True)
class OneRequest:
    """The request of a plan that has one, and how much of it.

    Attributes:
        headers: All that planrunner sends, but Host, User-Agent and Content-Length.
        users: Each has a connection, and waits for its reply.
        lasting_ns: How long they send; of a number of iterations, at most.
        iterations: Of all users together; 0 where the time decides.
        timeout_s: Of a request.
        keeps_connections: Whether a user keeps its connection.
        has_secret: Whether what is sent is nothing for a command line, which others can read.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    users: int
    lasting_ns: int
    iterations: int
    timeout_s: int
    keeps_connections: bool
    has_secret: bool


def one_request(graph: RunGraph) -> OneRequest:
    """Return the one request of a plan.

    Raises:
        CanNotSend: It has more than that, or another load than users who don't pause.
    """
    if len(graph.phases) > 1:
        raise CanNotSend("the plan has several phases")
    [phase] = graph.phases
    operation, request = _operation(graph, phase)
    settings = graph.settings.get("http")
    if isinstance(settings, HttpSettings):
        _need_plain(settings)
    headers = {
        **_DEFAULTS,
        **{header.name: _constant(header.value, "headers") for header in operation.headers},
    }
    body = operation.body
    if body is not None and not isinstance(body, StaticBody):
        raise CanNotSend("it has a body that is computed or read from a file")
    if body is not None and body.content_type:
        headers.setdefault("Content-Type", body.content_type)
    content = b"" if body is None else body.content
    users, lasting_ns, iterations = _load(phase)
    mask = Masker(graph.secrets)
    said = "\n".join([*headers.values(), content.decode("latin-1")])
    return OneRequest(
        operation.method,
        _url(operation),
        tuple(headers.items()),
        content,
        users,
        lasting_ns,
        iterations,
        max(1, round(request.exchange.timeout_ns / NS_PER_S)),
        operation.keepalive,
        mask(said) != said or any(map(is_secret_name, headers)),
    )


def _operation(graph: RunGraph, phase: PhaseNode) -> tuple[HttpOperation, RequestNode]:
    if graph.setup is not None or graph.preflight:
        raise CanNotSend("the plan sends other requests before its load")
    programs = [one for one in graph.programs_of(phase) if one.name in phase.classes]
    if len(programs) != 1 or len(programs[0].tasks) != 1:
        raise CanNotSend("the plan has several tasks or classes of users")
    [program] = programs
    if program.on_start or program.on_stop:
        raise CanNotSend("users do something before or after their requests")
    return _of_steps(program, program.tasks[0].steps)


def _of_steps(program: UserProgram, steps: Sequence[object]) -> tuple[HttpOperation, RequestNode]:
    step = steps[0] if len(steps) == 1 else None
    if not isinstance(step, RequestNode) or not isinstance(step.exchange.operation, HttpOperation):
        raise CanNotSend("an iteration is more than one request of HTTP")
    if program.wait is not None or program.pace_ns or step.pause is not None:
        raise CanNotSend("users pause between requests")
    if step.when is not None or step.exchange.protocol != "http":
        raise CanNotSend("its request has a condition, or settings of its own")
    operation = step.exchange.operation
    for found, why in (
        (operation.grant or operation.signature, "its requests are signed"),
        (operation.retry, "failed requests are sent again"),
        (operation.stream, "replies are read piece by piece"),
    ):
        if found is not None:
            raise CanNotSend(why)
    return operation, step


def _need_plain(settings: HttpSettings) -> None:
    for found, why in (
        (settings.version == "2", "the plan asks for HTTP/2"),
        (settings.proxy, "the plan sends through a proxy"),
        (settings.cert or settings.ca, "the plan has certificates of its own"),
        (settings.hosts or settings.sources, "the plan says which addresses are used"),
        (settings.per_iteration, "connections end with each iteration"),
    ):
        if found:
            raise CanNotSend(why)


def _url(operation: HttpOperation) -> str:
    origin, parts = operation.url.origin, operation.url.parts
    if origin is None or operation.query:
        raise CanNotSend("its URL is computed for each request")
    return f"{origin}{_constant(parts, 'URL')}"


def _constant(parts: TextParts, what: str) -> str:
    if not all(isinstance(part, str) for part in parts):
        raise CanNotSend(f"its {what} are computed for each request")
    return "".join(map(str, parts))


def _load(phase: PhaseNode) -> tuple[int, int, int]:
    """Return users, ns and iterations."""
    levels = plateaus(phase)
    if not levels:
        raise CanNotSend(f"its users wait for replies, and the load is {phase.load.kind}")
    for loss in never_ramps("it", phase):
        if "warmup" not in loss.keys:
            raise CanNotSend(loss.words)
    if len(levels) != 1:
        raise CanNotSend("the number of users changes")
    [(users, lasting_ns)] = levels
    return users, lasting_ns, getattr(phase.load, "total", 0)
