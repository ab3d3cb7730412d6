"""What a task that is a function gets, as types: the engine brings the objects."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeAlias, TypedDict

if TYPE_CHECKING:
    from typing import Unpack

    from planrunner.engine.steps.functions.user import FunctionUser

__all__ = ["ProtocolActions", "SendKeys", "User", "UserReply"]


class SendKeys(TypedDict, total=False):
    """The keys of a request, as a plan has them; all may be left out."""

    name: str
    """The name of its samples. Default verb and URL, of at most 50 URLs."""
    query: Mapping[str, object]
    """Query parameters."""
    headers: Mapping[str, object]
    """Headers of this request; None removes one of the plan's."""
    json: object
    """The body, sent as JSON."""
    form: Mapping[str, object]
    """The body, sent as an HTML form."""
    multipart: Mapping[str, object]
    """The body, sent as multipart/form-data."""
    body: str | bytes
    """The body, sent as it is; bytes want a header `Content-Type` that says what they are."""
    body_file: str
    """A file whose bytes are the body."""
    auth: Mapping[str, object] | str
    """How the user authenticates; `"none"` sends nothing."""
    timeout: float | str | timedelta
    """The time limit; a number is seconds."""
    follow_redirects: bool
    """Follow 3xx replies."""
    expect: Mapping[str, object] | None
    """Which replies are acceptable."""
    pause: float | str | timedelta | None
    """Think time after it, in place of `http.pause`."""
    extract: Mapping[str, object]
    """Variables to take from the reply, which `user.vars` has then."""
    tags: Mapping[str, object] | Sequence[str] | None
    """Tags that split the series."""
    record: Mapping[str, object]
    """Metrics of your own, from the reply."""
    work: object
    """How much the request did, from the reply; `unit` names it."""
    unit: str
    """What `work` counts."""
    measure: bool
    """False: it is sent, but does not count in the results."""
    retry: Mapping[str, object] | int
    """Send again after a failure."""


class UserReply(Protocol):
    """What came back for a request; a function may keep it."""

    @property
    def status(self) -> int:
        """The status; 0 when none arrived."""

    @property
    def ok(self) -> bool:
        """Whether the request counts as a success, its expectations included."""

    @property
    def failure(self) -> str:
        """The kind of failure that it counts as, such as `status` or `timeout`; else empty."""

    @property
    def text(self) -> str:
        """The body as text."""

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON
        """The body as what JSON has; a body that is none raises `ValueError`."""

    @property
    def body(self) -> bytes:
        """The body, decompressed; empty when none came."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers by name; looking one up doesn't mind the case."""

    @property
    def elapsed(self) -> timedelta:
        """How long the request took, from when the function asked for it."""


Sending: TypeAlias = Coroutine[Any, Any, UserReply]
"""A request: it is sent when it is awaited, or made a task."""


class ProtocolActions(Protocol):
    """The actions of a protocol that the plan has settings for: `user.etcd.put(key=…, value=…)`."""

    def __getattr__(self, action: str) -> Callable[..., Sending]: ...


class User(Protocol):
    """The user that runs a task which is an `async def` function.

    Requests take the keys that they have in plans and are measured like those; a failed one is
    counted and raises nothing, unless `on_error` ends the iteration.

    `user.etcd.put(key=…, value=…)` sends what another protocol has.

    Example:
        >>> async def buy(user: planrunner.User) -> None:
        ...     listed = await user.get("/products")
        ...     if not listed.ok:
        ...         user.fail("no products")
        >>> plan = planrunner.Plan(
        ...     http={"base_url": "http://127.0.0.1:8000"},
        ...     users={"Buyer": {"tasks": {"buy": buy}}},
        ...     phases=[{"users": 2, "iterations": 4}],
        ... )
        >>> planrunner.run(plan).requests["GET /products"].count
        4
    """

    def get(self, url: str, **keys: Unpack[SendKeys]) -> Sending:
        """Send a GET."""

    def post(self, url: str, **keys: Unpack[SendKeys]) -> Sending:
        """Send a POST."""

    def put(self, url: str, **keys: Unpack[SendKeys]) -> Sending:
        """Send a PUT."""

    def patch(self, url: str, **keys: Unpack[SendKeys]) -> Sending:
        """Send a PATCH."""

    def delete(self, url: str, **keys: Unpack[SendKeys]) -> Sending:
        """Send a DELETE."""

    def head(self, url: str, **keys: Unpack[SendKeys]) -> Sending:
        """Send a HEAD."""

    def options(self, url: str, **keys: Unpack[SendKeys]) -> Sending:
        """Send an OPTIONS."""

    def __getattr__(self, protocol: str) -> ProtocolActions: ...

    @property
    def vars(self) -> MutableMapping[str, Any]:
        """The names that expressions see: params, rows of data, what was set or extracted.

        What a task sets is forgotten after the iteration, what `on_start` sets stays with the user.
        """

    @property
    def random(self) -> Random:
        """The user's own stream: draws from it are the same in every run with the seed."""

    @property
    def id(self) -> int:
        """The user's number in its phase."""

    def pause(self, length: float | str | timedelta) -> Coroutine[Any, Any, None]:
        """Pause like a person: seconds, or a text as in plans, such as `"1s..3s"`.

        Groups leave it out of their duration.
        """

    def group(self, name: str) -> AbstractAsyncContextManager[None]:
        """Time what stands below `async with` together, under this name."""

    def header(self, name: str, value: str | None) -> None:
        """Send a header with every later request of the user; None takes it away."""

    def log(self, line: object) -> None:
        """Print a line, as the step `log` does."""

    def fail(self, why: str) -> NoReturn:
        """End the iteration; it counts as a failure `error` of the task, with these words."""


if TYPE_CHECKING:

    def _is_user(user: FunctionUser) -> User:
        return user
