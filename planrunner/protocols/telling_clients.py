"""What clients and sessions may do beside sending: tell how they fared, know users, end things."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol, runtime_checkable

from planrunner.protocols.base import Session
from planrunner.values import dataclass

__all__ = [
    "Accompanying",
    "Accountable",
    "CallCost",
    "ClientAccount",
    "Costing",
    "IterationBound",
    "IterationSession",
    "ManyWays",
    "Numbering",
    "Talking",
    "ways_of",
]

_ONE_WAY: Final = ("send",)


@dataclass(frozen=True, slots=True)
class ClientAccount:
    """What a client knows of itself that makes its numbers differ from its target's; totals.

    Attributes:
        surplus_replies: Replies on a connection beyond its requests: they, and others before them,
            may have been taken for replies to other requests.
        queued_ns: How long requests waited in the client until they left, connecting left out.
        latency_ns: What these requests took, the waiting included.
        blocked: What held up everything else: a name, how long in all, and the longest at a time.
        left_running: What goes on though nobody waits for it any more, with how often.
    """

    surplus_replies: int = 0
    queued_ns: int = 0
    latency_ns: int = 0
    blocked: tuple[tuple[str, int, int], ...] = ()
    left_running: tuple[tuple[str, int], ...] = ()


@runtime_checkable
class Accountable(Protocol):
    """A client that can say so; it is asked once a second, and never for each request."""

    def account(self) -> ClientAccount: ...


@runtime_checkable
class Talking(Protocol):
    """A client whose requests may print lines, as the step `log` does."""

    def listen(self, tell: Callable[[str, Mapping[str, object]], None]) -> None:
        """Have lines printed by `tell`, which gets the scope of the user too; before the load."""


@dataclass(frozen=True, slots=True)
class CallCost:
    """What something costs that does nothing, sent in the same way.

    Attributes:
        how: The way, in a word: `inline`, `thread`.
        empty_ns: Its latency; with batches, the time per call.
        counts_collections: Whether garbage collections during it are known.
    """

    how: str
    empty_ns: int
    counts_collections: bool = True


@runtime_checkable
class Costing(Protocol):
    """A client that can say what the way costs that its requests take."""

    def cost_of(self, bound: Any) -> CallCost | None:  # noqa: ANN401 - what `bind` gave
        """Measure what an empty request costs; once for each way, and before the load.

        None where there is no empty one.
        """


@runtime_checkable
class Numbering(Protocol):
    """A client that gives its users different things, such as addresses to connect from."""

    def session_of(self, number: int) -> Session:
        """Return a fresh session for a new virtual user.

        Args:
            number: The same for the same user on any number of workers; counted from 0.
        """


@runtime_checkable
class IterationBound(Protocol):
    """A client whose sessions may end something with each iteration.

    Attributes:
        ends_iterations: They do; each is an `IterationSession` then.
    """

    @property
    def ends_iterations(self) -> bool: ...


class IterationSession(Session, Protocol):
    """A session with something that lasts for one iteration of its user."""

    async def end_iteration(self) -> None:
        """End it; never fails. It holds for all lanes."""


@runtime_checkable
class Accompanying(Protocol):
    """A session that says who its user is as another protocol's session does (`builds_on`)."""

    def accompany(self, session: Any) -> None:  # noqa: ANN401 - of that protocol
        """Send with the cookies, headers and tokens of that session; before anything is sent."""


class ManyWays(Protocol):
    """A client, and each of its sessions, that sends different things by different methods.

    Each of them is as `Session.send`, which sends anything, and saves the look at what it is.

    Attributes:
        ways: Names of methods of a session; `send` is the first.
    """

    ways: Sequence[str]

    def way_of(self, bound: Any) -> str:  # noqa: ANN401 - what `bind` gave
        """Return the one that sends this; a client's, not a session's."""


def ways_of(one: object) -> Sequence[str]:
    """Return the names of the methods by which a session, or those of a client, sends."""
    ways: Sequence[str] = getattr(one, "ways", _ONE_WAY)
    return ways
