"""The one door for what other packages bring: entry points, loaded and looked at before use.

`importlib.metadata`, which knows them, costs six bare starts of the interpreter: ask for guests
only when a plan has a word that nothing built in explains, or when everything is listed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from importlib import import_module
from typing import Generic, Protocol, TypeVar

from planrunner.errors import UsageError
from planrunner.values import dataclass

__all__ = ["OwnEntry", "PackageEntry", "Registry", "installed_guests", "load_guests"]


class PackageEntry(Protocol):
    """An entry point, as far as it is read here."""

    @property
    def name(self) -> str: ...

    def load(self) -> object: ...


@dataclass(frozen=True, slots=True)
class OwnEntry:
    """The entry point of a built-in record, which no installation has to know of."""

    name: str
    module: str
    attribute: str

    def load(self) -> object:
        return getattr(import_module(self.module), self.attribute)


class _HasName(Protocol):
    """A record of a registry."""

    @property
    def name(self) -> str: ...


AnyRecord = TypeVar("AnyRecord", bound=_HasName)


class Registry(Generic[AnyRecord]):
    """Records by name: the built-in ones, each loaded when it is asked for, and those of packages.

    Args:
        group: Of the entry points that packages have.
        record: What each of them must be.
        noun: What messages call one.
        faults: Yields what keeps a record from being usable, each a sentence.
        own: The built-in ones; called once.
    """

    def __init__(
        self,
        group: str,
        record: type[AnyRecord],
        noun: str,
        faults: Callable[[AnyRecord], Iterable[str]],
        own: Callable[[], Iterable[OwnEntry]],
    ) -> None:
        self._group, self._record, self._noun, self._faults = group, record, noun, faults
        self._find_own = own
        self._entries: dict[str, OwnEntry] | None = None
        self._loaded: dict[str, AnyRecord] = {}
        self._foreign: dict[str, AnyRecord] | None = None

    @property
    def own_names(self) -> Collection[str]:
        """The names of the built-in ones; loads none of them."""
        return self._own_entries().keys()

    def all(self) -> Mapping[str, AnyRecord]:
        """Return every record; asks all installed packages.

        Raises:
            UsageError: One of an installed package can't be used.
        """
        return {**self._own(), **self._of_packages()}

    def known(self) -> Mapping[str, AnyRecord]:
        """Return the records that have been found so far; asks no other package."""
        return self._own() if self._foreign is None else self.all()

    def find(self, name: str) -> AnyRecord | None:
        """Return a record by name; installed packages are asked for what is not built in.

        Raises:
            UsageError: One of an installed package can't be used.
        """
        if name in self._own_entries():
            return self._own_record(name)
        return self._of_packages().get(name)

    def forget_packages(self) -> None:
        """Look again at installed packages when next asked; one may have come or gone since."""
        self._foreign = None

    def _own_entries(self) -> dict[str, OwnEntry]:
        if self._entries is None:
            self._entries = {entry.name: entry for entry in self._find_own()}
        return self._entries

    def _own_record(self, name: str) -> AnyRecord:
        if name not in self._loaded:
            entry = self._own_entries()[name]
            self._loaded |= load_guests([entry], self._record, self._noun, self._faults)
        return self._loaded[name]

    def _own(self) -> dict[str, AnyRecord]:
        return {name: self._own_record(name) for name in self._own_entries()}

    def _of_packages(self) -> dict[str, AnyRecord]:
        if self._foreign is None:
            self._foreign = installed_guests(
                self._group, self._record, self._noun, self._faults, self.own_names
            )
        return self._foreign


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
