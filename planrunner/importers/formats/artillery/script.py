"""One Artillery test while it is read: its files, its config, its names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field
from typing import TYPE_CHECKING, Final

from planrunner.importers.contract import ImportRequest
from planrunner.importers.draft import DraftPlan, Keys
from planrunner.importers.nodes import SourceEntry, SourceNode
from planrunner.importers.reading.names import SourceNames
from planrunner.importers.sources import SourceFile
from planrunner.loss.ledger import Construct, SourcePlace
from planrunner.values import dataclass

if TYPE_CHECKING:
    from planrunner.importers.formats.artillery.processor.functions import ProcessorFunctions

__all__ = ["JS_HOOK", "VISIT_ID", "ArtilleryTest"]

VISIT_ID: Final = "visit_uuid"
"""What a plan calls `$uuid`, which is the same all through a visit."""

JS_HOOK: Final = "JavaScript is never run: write it in Python, and call it with a `python:` step"


@dataclass(slots=True)
class ArtilleryTest:
    """What all parts of the reader share.

    Attributes:
        roots: The documents, mains first.
        checks_expect: The test has the plug-in `expect`.
        expects_in: Where it stands: the profile of an environment, or empty for all.
        expects_200: Which expects 200 of requests that expect nothing else.
        fails_visits: Whose failures end the visit.
        unchecked: The keys `expect` that Artillery does not check, as their plug-in is missing.
        expects: The requests that the plug-in checks.
        matches: Those whose reply must match something, with the key `match`.
        default_cookies: What each request sends beside its own.
        cookies: The requests of the scenario that send some, with the names of these.
        processor: The file of functions, as the test names it; empty for none.
        functions: What it has, where it was found.
        request_hooks: Those of the scenario, around each of its requests.
        strict: Whether a capture that finds nothing fails, unless it says otherwise.
    """

    request: ImportRequest
    roots: list[tuple[SourceFile, SourceNode]]
    draft: DraftPlan
    names: SourceNames = field(default_factory=SourceNames)
    processor: str = ""
    checks_expect: bool = False
    expects_in: list[tuple[str, SourcePlace]] = field(default_factory=list)
    expects_200: bool = False
    fails_visits: bool = False
    unchecked: list[Construct] = field(default_factory=list)
    expects: list[Keys] = field(default_factory=list)
    matches: list[tuple[Construct, Keys]] = field(default_factory=list)
    default_cookies: dict[str, str] = field(default_factory=dict)
    cookies: list[tuple[Construct, Keys, frozenset[str]]] = field(default_factory=list)
    strips_query: bool = False
    strict: bool = True
    jitter: str = ""
    functions: ProcessorFunctions | None = None
    request_hooks: dict[str, SourceEntry] = field(default_factory=dict)
    loops: list[tuple[str, str]] = field(default_factory=list)

    def begin_class(self) -> None:
        """Begin a scenario, whose visits know nothing of what others set."""
        self.names.begin_class()
        self.names.assign("$uuid", VISIT_ID)
        self.request_hooks, self.cookies = {}, []
        if self.functions is not None:
            self.functions.begin_class()

    @contextmanager
    def outside_visits(self) -> Iterator[None]:
        """Read what runs before or after all visits."""
        self.names.assign("$uuid", "rand.uuid()")
        if self.functions is not None:
            self.functions.machine.is_visit = False
        yield
        if self.functions is not None:
            self.functions.machine.is_visit = True

    @property
    def main(self) -> SourceFile:
        """The file that names others by paths relative to its own."""
        return self.roots[0][0]

    def configs(self) -> Iterator[SourceNode]:
        """Yield `config` of each document that has one."""
        for _, root in self.roots:
            found = root.take("config")
            if found is not None and found.is_mapping:
                yield found

    def config(self, *path: str) -> SourceEntry | None:
        """Return an entry of `config`, the last document's first, without judging it."""
        for _, root in reversed(self.roots):
            node: SourceNode | None = root.get("config")
            entry = None
            for key in path:
                entry = node.entry(key) if node is not None else None
                node = entry.node if entry is not None else None
            if entry is not None:
                return entry
        return None
