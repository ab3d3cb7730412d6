"""Settings of protocols: what requests start from and read, scope by scope.

A plan's settings hold for all of its requests; those of a user class stand over them and may have a
client of their own. A task and a flow say only what requests start from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from typing import Any

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.names.known_names import Known
from planrunner.compiler.names.references import references_in
from planrunner.language.expressions.expression import Reference
from planrunner.language.fields.mapping import PlanMapping
from planrunner.plan.models.requests import Operation
from planrunner.plan.yaml.document import PlanPath
from planrunner.protocols import registry
from planrunner.protocols.lowering import Files
from planrunner.protocols.plugin import Plugin
from planrunner.values import dataclass

__all__ = ["Layer", "SettingsBlock", "SettingsBlocks", "of_http"]


@dataclass(frozen=True, slots=True)
class Layer:
    """What one scope says of all requests in it, as if they wrote it themselves.

    Attributes:
        path: Of the settings.
        model: They; None when the scope only has tags of its own.
        tags: The keys of these, which hold for everything in the scope and hide those around it.
    """

    path: PlanPath
    model: PlanMapping | None
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Read:
    """A name without a value before the run.

    Attributes:
        place: Where it is read.
        keys: The same, below the settings.
    """

    place: PlanPath
    keys: PlanPath
    reference: Reference


@dataclass(slots=True)
class SettingsBlock:
    """What the requests of one protocol start from.

    Attributes:
        settings: What its client opens with.
        defaults: What its requests are compiled over; opaque like the settings.
        channel: The client that sends them.
        layers: What holds for requests as if they wrote it, outermost first.
        is_given: Whether the plan says anything.
        is_aimed: Whether its settings are not those that the client opens with.
        session: What a visitor is, where the plan says so here.
        sources: Addresses that this machine has to have, each with its place.
        reads: Names without a value before the run: each request reads them.
        blamed: Those that some request can't read; one finding each is enough.
    """

    plugin: Plugin
    settings: Any
    defaults: Any
    channel: str
    is_given: bool
    is_aimed: bool = False
    session: str = ""
    sources: tuple[tuple[str, str], ...] = ()
    layers: tuple[Layer, ...] = ()
    reads: tuple[_Read, ...] = ()
    blamed: set[tuple[PlanPath, Reference]] = field(default_factory=set)

    def check(self, work: Compilation, known: Known, request: Operation) -> None:
        """Note a fault for each name that `request`, which stands where `known` holds, can't read.

        What the request says itself it doesn't take from here.
        """
        for read in self.reads:
            reference = read.reference
            if (read.place, reference) in self.blamed or self.plugin.replaces(
                request.spec, read.keys
            ):
                continue
            # A reply that came before is another request's, and isn't kept for this.
            for fault in known.without_reply().check([reference]):
                inside = (fault.offset, fault.length)
                hint = fault.hint or _too_early(reference.root)
                work.fault(read.place, fault.code, fault.message, hint=hint, inside=inside)
                self.blamed.add((read.place, reference))


def of_http(model: PlanMapping | None) -> Mapping[str, PlanMapping]:
    """Return what a task or flow says of HTTP requests, by protocol."""
    return {} if model is None else {registry.own_verbs().name: model}


def _too_early(name: str) -> str:
    return (
        f"a request uses this before `{name}` has a value: set a first value under `state:`, or "
        "write `auth: none` or the header at that request"
    )


class SettingsBlocks:
    """The blocks of a plan, or of a scope in it; each is compiled when first asked for.

    Args:
        models: What is written, by protocol.
        path: Where it is written: `()`, or that of a user class, task or flow.
        files_at: Gives what relative paths are relative to.
        on_open: Called with each channel and its block.
        over: Those of the scope around it.
        tags: Keys of tags that everything in the scope has.
    """

    def __init__(  # noqa: PLR0913 - a scope, and what all of them share
        self,
        work: Compilation,
        models: Mapping[str, PlanMapping] | None,
        path: PlanPath,
        *,
        files_at: Callable[[PlanPath], Files],
        on_open: Callable[[str, SettingsBlock], object],
        over: SettingsBlocks | None = None,
        tags: Iterable[str] = (),
    ) -> None:
        self._work = work
        self._models = models or {}
        self._path = path
        self._files_at = files_at
        self._on_open = on_open
        self._over = over
        self._tags = frozenset(tags)
        self._blocks: dict[str, SettingsBlock] = {}
        self._within: dict[PlanPath, SettingsBlocks] = {}

    def of(self, plugin: Plugin) -> SettingsBlock:
        """Return what requests of a protocol start from here."""
        written = plugin.name in self._models or plugin.builds_on in self._models
        is_bare = self._over is not None and not written
        if self._over is not None and is_bare and not self._tags:
            return self._over.of(plugin)
        block = self._blocks.get(plugin.name)
        if block is None:
            block = self._hiding(plugin) if is_bare else self._compile(plugin)
            self._blocks[plugin.name] = block
        return block

    def names(self) -> tuple[str, ...]:
        """Return the protocols that have settings here."""
        return tuple(
            dict.fromkeys((*(() if self._over is None else self._over.names()), *self._models))
        )

    def reads(self) -> Iterator[tuple[PlanPath, Reference]]:
        """Yield the names that requests may read of any block, with their places."""
        for block in self._blocks.values():
            yield from ((read.place, read.reference) for read in block.reads)
        if self._over is not None:
            yield from self._over.reads()

    def session(self) -> str:
        """Return what a visitor is by these blocks; empty where none says so."""
        words = (self.of(registry.named(name)).session for name in self._models)
        own = next(filter(None, words), "")
        return own or ("" if self._over is None else self._over.session())

    def within(
        self,
        models: Mapping[str, PlanMapping] | None,
        path: PlanPath,
        tags: Iterable[str] | None = None,
    ) -> SettingsBlocks:
        """Return the blocks of a user class, task or flow over these."""
        if not models and not tags:
            return self
        if path not in self._within:
            self._within[path] = SettingsBlocks(
                self._work,
                models,
                path,
                files_at=self._files_at,
                on_open=self._on_open,
                over=self,
                tags=tags or (),
            )
        return self._within[path]

    def _hiding(self, plugin: Plugin) -> SettingsBlock:
        """Return the block of the scope around, without the tags that this one has itself."""
        assert self._over is not None
        block = self._over.of(plugin)
        return replace(block, layers=(*block.layers, Layer(self._path, None, self._tags)))

    def _channel(self, plugin: Plugin, over: SettingsBlock | None) -> str:
        """Return the client of the scope: a user class with settings has one of its own."""
        if over is None:
            return plugin.name
        is_class = len(self._path) == 2 and self._path[0] == "users"
        return f"{plugin.name}:{self._path[1]}" if is_class else over.channel

    def _compile(self, plugin: Plugin) -> SettingsBlock:
        work, model = self._work, self._models.get(plugin.name)
        path = (*self._path, plugin.name)
        over = None if self._over is None else self._over.of(plugin)
        channel = self._channel(plugin, over)
        base = self.of(registry.named(plugin.builds_on)) if plugin.builds_on else None
        inherited = frozenset() if plugin.settings is None else plugin.settings.inherited
        read = [one for one in references_in(model, path) if one[0][len(path)] not in inherited]
        anew = plugin.settings is not None and plugin.settings.per_request
        later = [item for item in read if anew and item[1].root not in work.constants]
        checked = [item for item in read if item not in later]
        before = len(work.faults)
        for where, name in checked:
            work.check([name], where, work.constant_names)
        is_sound = len(work.faults) == before
        compiled = plugin.compile_settings(
            model if is_sound or anew else None,
            constants=work.constants,
            files=self._files_at(path),
            over=None if over is None else over.defaults,
            channel=channel,
            **({} if base is None else {"base": base.defaults}),
        )
        for fault in compiled.faults if is_sound else ():
            work.fault_of_spec(fault, path)
        block = SettingsBlock(
            plugin,
            compiled.settings,
            compiled.defaults,
            channel,
            is_given=model is not None or (over is not None and over.is_given),
            is_aimed=over is not None and channel == over.channel,
            session=compiled.session or ("" if over is None else over.session),
            sources=tuple(
                (address, str(work.span((*path, *where)))) for where, address in compiled.sources
            ),
            layers=(
                *(() if over is None else over.layers),
                *([Layer(path, model, self._tags)] if inherited and model is not None else ()),
            ),
            reads=(
                *(_kept(over, model) if base is None else base.reads),
                *(_Read(place, place[len(path) :], reference) for place, reference in later),
            ),
            blamed=set() if over is None else over.blamed,
        )
        if not block.is_aimed:
            self._on_open(channel, block)
        return block


def _kept(over: SettingsBlock | None, model: PlanMapping | None) -> Iterator[_Read]:
    """Yield what requests still read of the block around when a scope has one too."""
    if over is not None:
        yield from (read for read in over.reads if not over.plugin.replaces(model, read.keys))
