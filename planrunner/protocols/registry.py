"""Which protocols there are: those of this folder, and those that other packages bring.

The built-in ones are found by a look into the folder. `importlib.metadata`, which knows those of
other packages, costs six bare starts of the interpreter: it is asked when a plan has a key that no
built-in protocol explains, and by commands that list everything.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from planrunner.errors import Misuse
from planrunner.guests import PackageEntry, installed_guests, load_guests
from planrunner.late_pattern import late_pattern
from planrunner.metrics.aggregations.table import AGGREGATIONS
from planrunner.metrics.measures import MEASURES, Measure
from planrunner.protocols.base import ClientFactory
from planrunner.protocols.plugin import GROUP, Action, GroupAction, Plugin, resolve

if TYPE_CHECKING:
    from planrunner.protocols.plugin import Settings

__all__ = [
    "action",
    "action_words",
    "all_plugins",
    "base_of",
    "builtin",
    "channel_plugin",
    "client_factory",
    "client_names",
    "foreign",
    "forget_packages",
    "group",
    "group_words",
    "is_component",
    "known",
    "load_entries",
    "measures",
    "named",
    "opening_words",
    "own_verbs",
    "reply_names",
    "settings_key",
    "spoken",
]

_NAME: Final = late_pattern(r"[a-z][a-z0-9_]*")
_TAKEN: Final = frozenset({"exec", "metric", "pool", "python", "service", "monitor", "generator"})
"""Words that begin other dotted names of the language."""

_NO_MEASURES: Final = frozenset(
    {*AGGREGATIONS, *("ratio", "of", "in", "over", "for", "and", "or", "not", "abort")}
)
"""Words that mean something else behind an aggregation, or would seem to."""


@cache
def builtin() -> Mapping[str, Plugin]:
    """Return the protocols of this folder by name: the language's own verbs, then by alphabet."""
    folder = Path(__file__).parent
    names = sorted(path.parent.name for path in folder.glob("*/plugin.py"))
    found = [
        cast("Plugin", import_module(f"planrunner.protocols.{name}.plugin").PLUGIN)
        for name in names
    ]
    return {plugin.name: plugin for plugin in sorted(found, key=lambda one: not _has_verbs(one))}


def _has_verbs(plugin: Plugin) -> bool:
    return plugin.compile_probe is not None


@cache
def foreign() -> Mapping[str, Plugin]:
    """Return the protocols that other installed packages bring, by name.

    Raises:
        UsageError: One of them can't be loaded, or isn't a protocol.
    """
    return installed_guests(GROUP, Plugin, "protocol", _faults, builtin())


def load_entries(entries: Iterable[PackageEntry]) -> dict[str, Plugin]:
    """Load protocols through their entry points, by name.

    Raises:
        UsageError: One of them can't be loaded, or isn't a protocol.
    """
    return load_guests(entries, Plugin, "protocol", _faults)


def _faults(plugin: Plugin) -> Iterator[str]:
    """Yield what keeps a record from being usable, each a sentence."""
    if not _NAME.fullmatch(plugin.name) or plugin.name in _TAKEN:
        yield f"`{plugin.name}` can't be the name of a protocol"
    if not plugin.clients:
        yield "it has no client"
    if not plugin.actions:
        yield "it has no action"
    for word in () if plugin.is_beside else (*plugin.actions, *plugin.groups):
        protocol, _, rest = word.partition(".")
        if protocol != plugin.name or not _NAME.fullmatch(rest):
            yield f"`{word}` can't be an action of it: write `{plugin.name}.word`"
    yield from _faulty_measures(plugin.measures)


def _faulty_measures(found: Mapping[str, Measure]) -> Iterator[str]:
    for word, measure in found.items():
        if word != measure.word or not _NAME.fullmatch(word) or word in _NO_MEASURES:
            yield f"`{word}` can't be the name of a measure"
        elif MEASURES.get(word, measure) is not measure:
            yield f"its measure `{word}` is not the one that other protocols have"


def all_plugins() -> Mapping[str, Plugin]:
    """Return every protocol that can be used here; asks all installed packages."""
    return {**builtin(), **foreign()}


@cache
def _known(_foreign_are_known: bool) -> Mapping[str, Plugin]:  # noqa: FBT001 - a key of the cache
    return all_plugins() if _foreign_are_known else builtin()


def known() -> Mapping[str, Plugin]:
    """Return the protocols that have been found so far; asks no other package."""
    return _known(foreign.cache_info().currsize > 0)


def forget_packages() -> None:
    """Look again at installed packages when next asked; one may have come or gone since."""
    for cached in (foreign, _known, _dotted):
        cached.cache_clear()


def named(name: str) -> Plugin:
    """Return a protocol by name.

    Raises:
        Misuse: There is none.
    """
    plugin = builtin().get(name) or foreign().get(name)
    if plugin is None:
        raise Misuse(f"there is no protocol `{name}`")
    return plugin


def channel_plugin(channel: str) -> Plugin:
    """Return the protocol of what an exchange names: `http`, or `http:CLASS` of a user class."""
    return named(channel.partition(":")[0])


def base_of(channel: str, channels: Container[str]) -> str:
    """Return which of `channels` another one builds on; empty where it builds on none of them.

    Settings of a user class stand on those of the same class, where it has any.
    """
    name, colon, user = channel.partition(":")
    plugin = known().get(name)
    if plugin is None or not plugin.builds_on:
        return ""
    places = (f"{plugin.builds_on}{colon}{user}", plugin.builds_on)
    return next((place for place in places if place in channels), "")


def is_component(channel: str) -> bool:
    """Whether requests of a channel run something here, so that their times may be stable."""
    plugin = known().get(channel.partition(":")[0])
    return plugin is not None and plugin.is_component


def spoken(name: str) -> str:
    """Return what usually goes over the wire of a protocol; its name itself where that says it."""
    plugin = known().get(name)
    return (plugin is not None and plugin.spoken) or name


@cache
def own_verbs() -> Plugin:
    """Return the protocol whose actions are the language's own verbs."""
    return next(filter(_has_verbs, builtin().values()))


def action(word: str) -> tuple[Plugin, Action] | None:
    """Return the protocol and the action that a key such as `etcd.put` means; None for neither.

    Installed packages are asked for the first part of a dotted key that no built-in protocol has.
    """
    plugin = _plugin_of(word)
    found = None if plugin is None else plugin.actions.get(word)
    return None if plugin is None or found is None else (plugin, found)


def group(word: str) -> tuple[Plugin, GroupAction] | None:
    """Return the protocol and the group that a key such as `sql.transaction` means."""
    plugin = _plugin_of(word)
    found = None if plugin is None else plugin.groups.get(word)
    return None if plugin is None or found is None else (plugin, found)


def _plugin_of(word: str) -> Plugin | None:
    """Return the protocol of a dotted key."""
    name, dot, _ = word.partition(".")
    if not dot:
        return None
    plugin = builtin().get(name)
    if plugin is None and _NAME.fullmatch(name) and name not in _TAKEN:
        plugin = foreign().get(name)
    return plugin


def action_words() -> tuple[str, ...]:
    """Return the dotted actions of the protocols that have been found so far."""
    return _dotted(foreign.cache_info().currsize > 0)


@cache
def _dotted(foreign_are_known: bool) -> tuple[str, ...]:  # noqa: FBT001 - a key of the cache
    plugins = (plugin for plugin in _known(foreign_are_known).values() if not plugin.is_beside)
    return tuple(word for plugin in plugins for word in plugin.actions)


def group_words() -> tuple[str, ...]:
    """Return the groups of the protocols that have been found so far."""
    return tuple(word for plugin in known().values() for word in plugin.groups)


def opening_words() -> tuple[str, ...]:
    """Return the actions that open connections for other steps, of the protocols found so far."""
    plugins = known().values()
    return tuple(
        word
        for plugin in plugins
        for word, action in plugin.actions.items()
        if action.connection == "opens"
    )


def settings_key(word: str, *, ask_packages: bool = False) -> Settings | None:
    """Return what the key `word` sets, if it is a protocol's."""
    plugin = known().get(word)
    if plugin is None and ask_packages and _NAME.fullmatch(word):
        plugin = foreign().get(word)
    return None if plugin is None else plugin.settings


def reply_names() -> frozenset[str]:
    """Return the names that replies give to expressions, of the protocols found so far."""
    return frozenset(name for plugin in known().values() for name in plugin.reply_names)


def measures(*, ask_packages: bool = False) -> Mapping[str, Measure]:
    """Return the measures that thresholds may name, of the protocols found so far, by word."""
    plugins = all_plugins() if ask_packages else known()
    found = dict(MEASURES)
    for plugin in plugins.values():
        for word, measure in plugin.measures.items():
            found.setdefault(word, measure)
    return found


def client_names(protocol: str) -> tuple[str, ...]:
    """Return the clients of a protocol, its default first."""
    return tuple(named(protocol).clients)


def client_factory(channel: str, client: str = "") -> ClientFactory:
    """Import what opens a client of a channel; its protocol's default when none is named."""
    plugin = channel_plugin(channel)
    factory = resolve(plugin.clients[client] if client else next(iter(plugin.clients.values())))
    return cast("ClientFactory", factory)
