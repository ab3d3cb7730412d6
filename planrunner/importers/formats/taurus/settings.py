"""Keys that say the same of one request and of all requests of a scenario."""

from __future__ import annotations

from planrunner.importers.draft import Keys
from planrunner.importers.formats.taurus.templates import TaurusTemplates
from planrunner.importers.formats.taurus.thinking import pause_of
from planrunner.importers.nodes import SourceEntry
from planrunner.importers.reading.headers import sendable
from planrunner.importers.reading.quantities import read_seconds, seconds

__all__ = ["TaurusSettings"]


class TaurusSettings:
    """Reads keys into the mapping of a request, or of `http:`."""

    def __init__(self, templates: TaurusTemplates) -> None:
        self.templates = templates

    def headers(self, one: SourceEntry, keys: Keys) -> None:
        values = self.templates.value(one.node, one.construct)
        if isinstance(values, dict) and values:
            keys["headers"] = {
                key: "" if each is None else str(each)
                for key, each in sendable(values, one.construct).items()
            }

    def pause(self, one: SourceEntry, keys: Keys) -> None:
        found = pause_of(one)
        if found is not None:
            keys["pause"] = found

    def timeout(self, one: SourceEntry, keys: Keys) -> None:
        time = read_seconds(one.node.scalar)
        if time:
            keys["timeout"] = seconds(time)

    def redirects(self, one: SourceEntry, keys: Keys) -> None:
        if one.node.scalar is False:
            keys["follow_redirects"] = False
