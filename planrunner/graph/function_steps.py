"""Steps that are Python functions of whoever made the plan: what they send is known later."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import field
from typing import Any, ClassVar, Protocol

from planrunner.graph.described_step import DescribedStep
from planrunner.graph.sending_steps import RequestNode
from planrunner.language.expressions.values import Evaluate
from planrunner.values import dataclass

__all__ = ["ActionWords", "FunctionNode", "LaterRequests"]


@dataclass(frozen=True, slots=True)
class ActionWords:
    """What is known of an action that a function may use.

    Attributes:
        subject: The key of what it acts on, which its requests are named after; empty for none.
        head: How that name begins: `GET`, `etcd.put`.
        open_keys: Keys whose value may be another one each time, without another request; True
            where it is a mapping whose values may.
        is_beside: Its keys stand beside it in a step, and not below it.
    """

    subject: str
    head: str
    open_keys: Mapping[str, bool]
    is_beside: bool


class LaterRequests(Protocol):
    """Compiles the requests of a function."""

    def words(self, action: str) -> ActionWords | None:
        """Return what is known of an action; None where there is no such."""

    def request(self, keys: Mapping[str, object]) -> RequestNode:
        """Return the request that a plan would write with these keys.

        Raises:
            UsageError: They make none.
        """


@dataclass(frozen=True, slots=True)
class FunctionNode(DescribedStep):
    """Call a function with the user; its requests are compiled when it first sends them.

    Attributes:
        function: It.
        name: What it is called.
        requests: Compiles its requests.
        channels: What may send them.
        likely: Stand for what it sends, as far as scopes around it say: a request to their host,
            if they name one, and one to any.
        known: Names that have values before it; what it sets of these lives as long as they do.
        constants: Values that are known before the run: params, services.
        taken: Names that it can't set.
        is_lasting: What it sets lives as long as the visitor, and not only for the iteration.
        compiled: What it has sent so far, one for each kind; it grows while the plan runs.
    """

    action: ClassVar[str] = "python"

    function: Callable[[Any], Coroutine[Any, Any, object]]
    name: str
    requests: LaterRequests
    channels: tuple[str, ...]
    likely: tuple[RequestNode, ...] = ()
    known: frozenset[str] = frozenset()
    constants: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)
    taken: frozenset[str] = frozenset()
    is_lasting: bool = False
    when: Evaluate | None = None
    compiled: list[RequestNode] = field(default_factory=list, compare=False, repr=False)

    @property
    def subject(self) -> str:
        return f"{self.name}(user)"

    @property
    def label(self) -> str:
        return self.name

    @property
    def summary(self) -> str:
        return f"{self.subject}, {self.origin.place}: requests are known when it runs"
