"""The one door for what other packages bring: entry points, loaded and looked at before use.

`importlib.metadata`, which knows them, costs six bare starts of the interpreter: ask for guests
only when a plan has a word that nothing built in explains, or when everything is listed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Protocol, TypeVar

from planrunner.errors import UsageError

__all__ = ["PackageEntry", "installed_guests", "load_guests"]


class PackageEntry(Protocol):
    """An entry point, as far as it is read here."""

    @property
    def name(self) -> str: ...

    def load(self) -> object: ...


class _HasName(Protocol):
    """A record of a registry."""

    @property
    def name(self) -> str: ...


AnyRecord = TypeVar("AnyRecord", bound=_HasName)


def installed_guests(
    group: str,
    record: type[AnyRecord],
    noun: str,
    faults: Callable[[AnyRecord], Iterable[str]],
    taken: Collection[str],
) -> dict[str, AnyRecord]:
    """Return what installed packages bring under an entry-point group, by name.

    Args:
        group: Of the entry points.
        record: What each of them must be.
        noun: What messages call one: `protocol`, `output`.
        faults: Yields what keeps a record from being usable, each a sentence.
        taken: Names that planrunner has already.

    Raises:
        UsageError: One of them can't be loaded, isn't such a record, or has a name that is taken.
    """
    from importlib.metadata import entry_points  # noqa: PLC0415 - costs six bare starts

    found = load_guests(entry_points(group=group), record, noun, faults)
    for name in found.keys() & set(taken):
        raise UsageError(
            f"an installed package brings a {noun} called `{name}`, which planrunner already has",
            hint="uninstall it, or ask its author to rename it",
        )
    return found


def load_guests(
    entries: Iterable[PackageEntry],
    record: type[AnyRecord],
    noun: str,
    faults: Callable[[AnyRecord], Iterable[str]],
) -> dict[str, AnyRecord]:
    """Load records through their entry points, by name.

    Raises:
        UsageError: One of them can't be loaded, or isn't such a record.
    """
    loaded: dict[str, AnyRecord] = {}
    for entry in entries:
        try:
            guest = entry.load()
        except Exception as error:
            raise _broken(entry, noun, f"{type(error).__name__}: {error}") from error
        if not isinstance(guest, record):
            what = f"it is not a `{record.__name__}` but a `{type(guest).__name__}`"
            raise _broken(entry, noun, what)
        for fault in faults(guest):
            raise _broken(entry, noun, fault)
        loaded[guest.name] = guest
    return loaded


def _broken(entry: PackageEntry, noun: str, reason: str) -> UsageError:
    return UsageError(
        f"the installed {noun} `{entry.name}` can't be used: {reason}",
        hint="update or uninstall the package that brings it",
    )
