"""Settings of protocols, a plan's and its user classes': what requests start from, and read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
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

__all__ = ["SettingsBlock", "SettingsBlocks"]


@dataclass(slots=True)
class SettingsBlock:
    """What the requests of one protocol start from.

    Attributes:
        settings: What its client opens with.
        defaults: What its requests are compiled over; opaque like the settings.
        is_given: Whether the plan says anything.
        session: What a visitor is, where the plan says so here.
        sources: Addresses that this machine has to have, each with its place.
        reads: Names without a value before the run, with their places: each request reads them.
        blamed: Those that some request can't read; one finding each is enough.
    """

    plugin: Plugin
    settings: Any
    defaults: Any
    is_given: bool
    session: str = ""
    sources: tuple[tuple[str, str], ...] = ()
    reads: tuple[tuple[PlanPath, Reference], ...] = ()
    blamed: set[tuple[PlanPath, Reference]] = field(default_factory=set)

    def check(self, work: Compilation, known: Known, request: Operation) -> None:
        """Note a fault for each name that `request`, which stands where `known` holds, can't read.

        What the request says itself it doesn't take from here.
        """
        for read in self.reads:
            place, reference = read
            if read in self.blamed or self.plugin.replaces(request.spec, _below_key(place)):
                continue
            # A reply that came before is another request's, and isn't kept for this.
            for fault in known.without_reply().check([reference]):
                inside = (fault.offset, fault.length)
                hint = fault.hint or _too_early(reference.root)
                work.fault(place, fault.code, fault.message, hint=hint, inside=inside)
                self.blamed.add(read)


def _too_early(name: str) -> str:
    return (
        f"a request uses this before `{name}` has a value: set a first value under `state:`, or "
        "write `auth: none` or the header at that request"
    )


def _below_key(place: PlanPath) -> PlanPath:
    """Return the keys below the block, the plan's or a class's."""
    return place[3:] if place[0] == "users" else place[1:]


class SettingsBlocks:
    """The blocks of a plan, or of a user class over them; each is compiled when first asked for.

    Args:
        models: What is written, by protocol.
        path: Where it is written: `()`, or that of a user class.
        files_at: Gives what relative paths are relative to.
        on_open: Called with each channel and its block.
        over: The plan's blocks, when these are a user class's.
    """

    def __init__(
        self,
        work: Compilation,
        models: Mapping[str, PlanMapping] | None,
        path: PlanPath,
        *,
        files_at: Callable[[PlanPath], Files],
        on_open: Callable[[str, SettingsBlock], object],
        over: SettingsBlocks | None = None,
    ) -> None:
        self._work = work
        self._models = models or {}
        self._path = path
        self._files_at = files_at
        self._on_open = on_open
        self._over = over
        self._blocks: dict[str, SettingsBlock] = {}

    def of(self, plugin: Plugin) -> SettingsBlock:
        """Return what requests of a protocol start from here."""
        if self._over is not None and plugin.name not in self._models:
            return self._over.of(plugin)
        block = self._blocks.get(plugin.name)
        if block is None:
            block = self._blocks[plugin.name] = self._compile(plugin)
        return block

    def reads(self) -> Iterator[tuple[PlanPath, Reference]]:
        """Yield the names that requests may read of any block, with their places."""
        for block in self._blocks.values():
            yield from block.reads
        if self._over is not None:
            yield from self._over.reads()

    def session(self) -> str:
        """Return what a visitor is by these blocks; empty where none says so."""
        words = (self.of(registry.named(name)).session for name in self._models)
        own = next(filter(None, words), "")
        return own or ("" if self._over is None else self._over.session())

    def of_class(self, models: Mapping[str, PlanMapping] | None, path: PlanPath) -> SettingsBlocks:
        """Return the blocks of a user class over these."""
        return SettingsBlocks(
            self._work, models, path, files_at=self._files_at, on_open=self._on_open, over=self
        )

    def _compile(self, plugin: Plugin) -> SettingsBlock:
        work, model = self._work, self._models.get(plugin.name)
        path = (*self._path, plugin.name)
        over = None if self._over is None else self._over.of(plugin)
        channel = plugin.name if over is None else f"{plugin.name}:{self._path[1]}"
        read = references_in(model, path)
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
        )
        for fault in compiled.faults if is_sound else ():
            work.fault_of_spec(fault, path)
        block = SettingsBlock(
            plugin,
            compiled.settings,
            compiled.defaults,
            is_given=model is not None or (over is not None and over.is_given),
            session=compiled.session or ("" if over is None else over.session),
            sources=tuple(
                (address, str(work.span((*path, *where)))) for where, address in compiled.sources
            ),
            reads=(*_kept(over, model), *later),
            blamed=set() if over is None else over.blamed,
        )
        self._on_open(channel, block)
        return block


def _kept(
    over: SettingsBlock | None, model: PlanMapping | None
) -> Iterator[tuple[PlanPath, Reference]]:
    """Yield what requests still read of the plan's block when a user class has one too."""
    if over is not None:
        for place, reference in over.reads:
            if not over.plugin.replaces(model, _below_key(place)):
                yield place, reference
