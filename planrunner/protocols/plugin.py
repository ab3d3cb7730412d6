"""A protocol as one object: what plans may say about it, what that compiles to, what sends it.

The protocols in this folder and those of other packages are made of the same record, `Plugin`. A
built-in one is found in its `plugin` module, another package's through the entry-point group
`planrunner.protocols`. Everything in a record that takes an import is named by text and imported
when a plan needs it, so that looking at a record costs nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import field
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, Protocol

from planrunner.errors import Misuse
from planrunner.metrics.measures import Measure
from planrunner.protocols.base import Exchange, FailureKind, Reply
from planrunner.protocols.lowering import Files, SpecFault, SpecNotice, SpecPath
from planrunner.values import dataclass

__all__ = [
    "Action",
    "ClientChoice",
    "CompileRequest",
    "CompileSettings",
    "CompiledRequest",
    "CompiledSettings",
    "Examine",
    "GroupAction",
    "Plugin",
    "Reach",
    "Settings",
    "TargetHost",
    "lazily",
    "resolve",
]

GROUP: Final = "planrunner.protocols"
"""The entry-point group through which other packages bring protocols."""


def resolve(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    """Import what a name such as `package.module:attribute` stands for.

    Raises:
        Misuse: It is written for nothing.
    """
    module, colon, attribute = name.partition(":")
    if not (colon and module and attribute):
        raise Misuse(f"`{name}` is not a name to import", hint="write `package.module:attribute`")
    found = getattr(import_module(module), attribute, None)
    if found is None:
        raise Misuse(f"`{module}` has no `{attribute}`")
    return found


def lazily(name: str) -> Any:  # noqa: ANN401 - stands for a function of any type
    """Return a function that imports the one called `package.module:function` when it is called."""
    found: list[Any] = []

    def call(*arguments: object, **named: object) -> Any:  # noqa: ANN401 - as that function
        if not found:
            found.append(resolve(name))
        return found[0](*arguments, **named)

    return call


@dataclass(frozen=True, slots=True)
class Action:
    """One kind of step.

    Attributes:
        model: `package.module:Class` of what a plan writes below the action: an `OperationModel`.
        description: One sentence, for editors and the reference page.
        example: A value of the action, in YAML's flow style.
        connection: What it does with a connection that has a name, its model's `on`: `opens` it,
            `uses` it or `ends` it; empty where no step needs one that another opened.
        is_step: It does something and waits for no answer: it is a sample only where the plan
            says so. Its exchanges say so too.
        head: How the names of its requests begin, before what they act on; empty for the action.
    """

    model: str
    description: str
    example: str
    connection: Literal["", "opens", "uses", "ends"] = ""
    is_step: bool = False
    head: str = ""


@dataclass(frozen=True, slots=True)
class GroupAction:
    """A group of steps with something to send before and after them.

    Attributes:
        description: One sentence, for editors and the reference page.
        example: A value of the action, in YAML's flow style.
        compile: Given the defaults of the settings, returns what is sent before the steps, what
            after them, and what instead of that when a step fails, or when they are stopped or cut.
    """

    description: str
    example: str
    compile: Callable[[Any], Iterable[Exchange]] = field(compare=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """The key under which a plan, and a user class over it, says how to reach a protocol's target.

    Attributes:
        model: `package.module:Class` of what stands below the key: a `PlanMapping`.
        description: One sentence on the key of a plan.
        example: A value of the key, in YAML's flow style.
        class_description: One sentence on the key of a user class.
        class_example: A value of that.
        missing: What a plan with steps of the protocol and without this key lacks, as a sentence;
            empty when the protocol can do without.
        missing_hint: What to add.
        per_request: Values may read names of the user: each request reads them anew. Otherwise
            they must be known before the run.
        inherited: Keys below it that hold for every request as if it wrote them: `expect`, whose
            model can be `folded`, `tags` and `pause`.
        host_key: The key below it that `--host` sets; empty where no URL says it all.
    """

    model: str
    description: str
    example: str
    class_description: str = ""
    class_example: str = ""
    missing: str = ""
    missing_hint: str = ""
    per_request: bool = False
    inherited: frozenset[str] = frozenset()
    host_key: str = ""


@dataclass(frozen=True, slots=True)
class CompiledSettings:
    """Settings, compiled; paths of the faults begin below the key.

    Attributes:
        settings: What the client opens with; opaque to everybody else.
        defaults: What requests start from; opaque too, and handed to `compile_request`.
        session: What a visitor is: `user` or `iteration`; empty where the settings don't say.
        sources: Addresses that this machine has to have, each with its place below the key.
    """

    settings: Any
    defaults: Any
    faults: tuple[SpecFault, ...] = ()
    session: str = ""
    sources: tuple[tuple[SpecPath, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CompiledRequest:
    """An exchange that may be sent when it has no faults.

    The paths of faults and notices begin below the model.
    """

    exchange: Exchange
    faults: tuple[SpecFault, ...] = ()
    notices: tuple[SpecNotice, ...] = ()


class CompileSettings(Protocol):
    """Compiles the settings of a plan, or of a user class over those of the plan."""

    def __call__(
        self,
        model: Any,  # noqa: ANN401 - the protocol's own model
        *,
        constants: Mapping[str, object],
        files: Files,
        over: Any,  # noqa: ANN401 - the protocol's own defaults
        channel: str,
    ) -> CompiledSettings:
        """Compile.

        Args:
            model: What stands below the key; None when there is none.
            constants: Names with a value that is known before the run.
            files: What relative paths are relative to.
            over: The plan's defaults when the model is a user class's, else None.
            channel: What exchanges name as their `protocol`.
        """


class CompileRequest(Protocol):
    """Compiles one step to an exchange."""

    def __call__(
        self,
        spec: Any,  # noqa: ANN401 - the action's own model
        *,
        action: str,
        constants: Mapping[str, object],
        defaults: Any,  # noqa: ANN401 - the protocol's own
        files: Files,
        reads: frozenset[str],
    ) -> CompiledRequest:
        """Compile.

        Args:
            spec: What the plan says below the action.
            action: The word of the action.
            constants: Names with a value that is known before the run.
            defaults: Of the settings; names the channel.
            files: What relative paths are relative to.
            reads: Names of the reply that later expressions read: `json`, `body`, …
        """


Examine = Callable[[Any, Sequence[Exchange]], Awaitable[Sequence[tuple[Exchange, SpecFault]]]]
"""Given settings and the exchanges of their channel; paths of the faults begin below the model."""


class ClientChoice(NamedTuple):
    """Which client sends, and the reason in words."""

    name: str
    reason: str


class TargetHost(NamedTuple):
    """A host that a request goes to, and the name or address that is looked up for it.

    Both are empty of a host that only the run knows.
    """

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Reach:
    """The addresses of which one must accept a TCP connection before any load.

    Attributes:
        addresses: Host and port, in the order in which they are tried.
        shown: The addresses as the plan writes them, for messages.
        nobody: Begins the message when none answers: `nothing`, `no etcd`.
        hint: What to do then.
        unresolved_hint: What to do when the name of a single address doesn't resolve.
        sources: What the load connects from; empty where the system chooses.
    """

    addresses: tuple[tuple[str, int], ...]
    shown: str
    nobody: str
    hint: str
    unresolved_hint: str = ""
    sources: tuple[str, ...] = ()


def _no_hosts(exchange: Exchange, settings: Any) -> Iterable[TargetHost]:  # noqa: ANN401 - opaque
    del exchange, settings
    return ()


def _no_reach(settings: Any) -> Iterable[Reach]:  # noqa: ANN401 - opaque
    del settings
    return ()


def _nothing_ignored(settings: Any, environ: Mapping[str, str]) -> str:  # noqa: ANN401 - opaque
    del settings, environ
    return ""


def _no_caveat(settings: Any) -> str:  # noqa: ANN401 - opaque
    del settings
    return ""


def _never(spec: Any, keys: tuple[str | int, ...]) -> bool:  # noqa: ANN401 - opaque
    del spec, keys
    return False


@dataclass(frozen=True, slots=True)
class Plugin:
    """Everything that the rest of planrunner knows about a protocol.

    Attributes:
        name: A word in lower case: the key of its settings, and the first half of its actions.
        title: What people call it.
        actions: By the word that plans write: `NAME.action`.
        groups: Groups of steps, by the word that plans write: `NAME.group`.
        settings: None when there is nothing to set.
        compile_settings: See `CompileSettings`.
        compile_request: See `CompileRequest`.
        clients: `package.module:function` of each `ClientFactory`, by name; the first is the
            default.
        choose_client: Which client can do what settings ask for, and why it.
        is_beside: The keys of a step stand beside the action and not below it. Only words of the
            language itself do that.
        replaces: Whether a request, or a user class's settings, says itself what stands at these
            keys of the settings; for `Settings.per_request`.
        compile_probe: Compiles a lone request that is no load: a service's `ready`, a monitor's
            query. Only the language's own verbs do that.
        hosts: The hosts that an exchange goes to, as far as they are known before the run.
        reach: The addresses of which one must answer before any load.
        examine: Asks the target, before any load, what only it knows of the requests; returns what
            is wrong with them. None when there is nothing to ask.
        try_out: The same for `validate --online` alone: what it finds may be right once `setup` has
            run, or costs too much for each run.
        ignored: What of the process's environment is ignored with these settings, as a sentence;
            empty for nothing.
        caveat: What the client that is chosen does to the numbers, as a sentence; empty for
            nothing.
        transport: What requests go through, with versions; None when it makes no difference.
        status_text: A status as people know it.
        statuses: The words of `status_text`, for the reference; empty when they are numbers.
        failures: What each failure kind means here; a request fails in no other way.
        reply_names: Names beside `status`, `headers`, `body` and `json` that a reply gives to
            later expressions, each with what reads it.
        gives_names: Whether a request, given what the plan says of it, has a reply with these
            names; None where all have one.
        piece_names: What `until` of such a request may read besides: of the piece of a reply that
            came last.
        reply_words: What each of these names is, one phrase each, for the reference.
        measures: What its samples have beside latency and service time, by the word that
            thresholds name it by: records of `metrics.measures`, and the protocol's own.
        streaming: How a step gets a reply piece by piece, as a hint; empty where none does.
        is_component: Its requests run something here: reports say whether their times are stable.
        fixed_headers: Headers, in lower case, that a `header` step cannot set, each with what to
            do instead.
        builds_on: The protocol whose settings its own stand on: `compile_settings` gets its
            defaults as `base`, and sessions the user's session of it (`Accompanying`).
        spoken: What goes over the wire, as files of samples call it: `http/1.1`; empty where that
            is the name.
    """

    name: str
    title: str
    actions: Mapping[str, Action]
    compile_settings: CompileSettings
    compile_request: CompileRequest
    clients: Mapping[str, str]
    groups: Mapping[str, GroupAction] = field(default_factory=lambda: MappingProxyType({}))
    settings: Settings | None = None
    choose_client: Callable[[Any], tuple[str, str]] | None = None
    is_beside: bool = False
    replaces: Callable[[Any, tuple[str | int, ...]], bool] = _never
    compile_probe: Callable[..., CompiledRequest] | None = None
    hosts: Callable[[Exchange, Any], Iterable[TargetHost]] = _no_hosts
    reach: Callable[[Any], Iterable[Reach]] = _no_reach
    examine: Examine | None = None
    try_out: Examine | None = None
    ignored: Callable[[Any, Mapping[str, str]], str] = _nothing_ignored
    caveat: Callable[[Any], str] = _no_caveat
    transport: Callable[[], str] | None = None
    status_text: Callable[[int], str] = str
    statuses: tuple[str, ...] = ()
    failures: Mapping[FailureKind, str] = field(default_factory=lambda: MappingProxyType({}))
    reply_names: Mapping[str, Callable[[Reply], object]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    gives_names: Callable[[Any], bool] | None = None
    piece_names: frozenset[str] = frozenset()
    reply_words: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    measures: Mapping[str, Measure] = field(default_factory=lambda: MappingProxyType({}))
    streaming: str = ""
    is_component: bool = False
    fixed_headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    builds_on: str = ""
    spoken: str = ""

    def client_for(self, settings: Any) -> tuple[str, str]:  # noqa: ANN401 - opaque
        """Return the name of the client that sends with these settings, and why it."""
        if self.choose_client is not None:
            return self.choose_client(settings)
        return next(iter(self.clients)), "there is no other"
