"""`config.environments` of Artillery → environments, params and profiles of a plan."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from planrunner.importers.draft import DraftPhase
from planrunner.importers.formats.artillery.config.load import ArrivalsReader
from planrunner.importers.formats.artillery.script import ArtilleryTest
from planrunner.importers.nodes import SourceEntry
from planrunner.importers.reading.documents import leave_out

__all__ = ["EnvironmentsReader"]

_OTHER: Final = "an environment sets params and a profile: make a param of it, or another plan"
_DEFAULT: Final = "default"
_VERIFY: Final = "verify"
_INERT: Final = frozenset({"metrics-by-endpoint", "ensure"})


class EnvironmentsReader:
    """Reads the environments of a test."""

    def __init__(self, test: ArtilleryTest) -> None:
        self.test = test
        entry = test.config("environments")
        self.entries: list[SourceEntry] = list(entry.node.entries or []) if entry else []
        if entry is not None:
            entry.construct.translated()

    def have(self, key: str) -> bool:
        """Say whether any environment sets this."""
        return any(one.node.entry(key) is not None for one in self.entries)

    def read(self, load: ArrivalsReader, phases: list[DraftPhase]) -> list[DraftPhase]:
        """Add environments, and profiles for their load; returns the phases of the plan itself."""
        if not self.entries:
            return phases
        profiles: dict[str, object] = {_DEFAULT: [one.keys for one in phases]}
        found: dict[str, object] = {}
        for one in self.entries:
            one.construct.translated()
            found[one.key] = self._values(one)
            arrivals = one.node.entry("phases")
            if arrivals is not None:
                profiles[one.key] = [each.keys for each in load.phases(arrivals)]
                found[one.key] = {**self._values(one), "profile": one.key}
        self.test.draft.extra["environments"] = found
        if len(profiles) == 1:
            return phases
        if self.test.config("phases") is None:
            del profiles[_DEFAULT]
        self.test.draft.extra["profiles"] = profiles
        return []

    def _values(self, environment: SourceEntry) -> dict[str, object]:
        values: dict[str, object] = {}
        for one in environment.node.entries or []:
            read = _READ.get(one.key)
            if read is not None:
                one.construct.translated()
                read(self, one, values)
            elif one.key != "phases" and one.construct.fate is None:
                self._other(one)
        params = self.test.names.params
        if "environment" in params and self.test.names.find("$environment") == "environment":
            values["environment"] = environment.key
        return {key: value for key, value in values.items() if key in params}

    def target(self, one: SourceEntry, values: dict[str, object]) -> None:
        if re.match(r"(?:https?|wss?)://[^/\s]+", one.node.text()):
            values["target"] = one.node.text()
        else:
            one.construct.needs_you("write the host that this environment has")

    def variables(self, one: SourceEntry, values: dict[str, object]) -> None:
        for below in one.node.entries or []:
            self._variable(below, values)

    def verify(self, one: SourceEntry, values: dict[str, object]) -> None:
        """Let a param say whether certificates are checked."""
        for below in one.node.entries or []:
            if below.key == "rejectUnauthorized" and isinstance(below.node.scalar, bool):
                below.construct.translated()
                names, http = self.test.names, self.test.draft.http
                name = names.find(_VERIFY)
                if name is None:
                    spec = {"type": "bool", "default": http.get("verify", True)}
                    name = names.param(_VERIFY, spec)
                    http["verify"] = f"${{{name}}}"
                values[name] = below.node.scalar
            elif below.construct.fate is None:
                leave_out(below, _OTHER)

    def plugins(self, one: SourceEntry, values: dict[str, object]) -> None:
        """Judge plug-ins: one without settings that the test has as well changes nothing."""
        for below in one.node.entries or []:
            if below.construct.fate is not None:
                continue
            is_known = self.test.config("plugins", below.key) is not None
            if (is_known or below.key in _INERT) and not below.node.entries:
                below.construct.translated()
            else:
                leave_out(below, _OTHER)

    def _other(self, one: SourceEntry) -> None:
        """Leave out what an environment can't set; a shared pool means nothing here anyway."""
        pool = one.node.entry("pool") if one.key == "http" else None
        if pool is not None:
            one.construct.translated()
            pool.construct.changed("connections belong to a user and are not shared")
        for below in [one] if pool is None else one.node.entries or []:
            if below is not pool:
                leave_out(below, _OTHER)

    def _variable(self, one: SourceEntry, values: dict[str, object]) -> None:
        one.construct.translated()
        names = self.test.names
        value = one.node.plain()
        if names.find(one.key) is None and not isinstance(value, dict | list):
            names.param(one.key, {"type": "str", "default": ""})
        name = names.find(one.key)
        if name not in names.params or isinstance(value, dict | list):
            one.construct.left_out(_OTHER)
            return
        spec = names.params[name].spec
        is_text = isinstance(spec, dict) and spec.get("type") == "str"
        values[name] = str(value) if is_text and value is not None else value


_ReadValues = Callable[[EnvironmentsReader, SourceEntry, dict[str, object]], None]
_READ: Final[dict[str, _ReadValues]] = {
    "target": EnvironmentsReader.target,
    "variables": EnvironmentsReader.variables,
    "tls": EnvironmentsReader.verify,
    "plugins": EnvironmentsReader.plugins,
}
