"""A scenario that is the script of another tool: its plan, with what Taurus says on top."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import PurePath
from typing import Final

from planrunner.importers.contract import ImportRequest
from planrunner.importers.draft import DraftParam, DraftPlan
from planrunner.importers.formats.taurus.executions import TaurusExecution
from planrunner.importers.formats.taurus.thinking import pause_of
from planrunner.importers.nodes import SourceEntry, SourceNode
from planrunner.importers.reading.documents import leave_out
from planrunner.importers.reading.neighbours import neighbour
from planrunner.importers.reading.quantities import read_seconds, seconds
from planrunner.importers.sources import SourceFile
from planrunner.importers.templates import identifier, literal
from planrunner.values import dataclass

__all__ = ["TaurusScripts", "await_script", "set_properties"]

_KINDS: Final = {
    ("jmeter", ".jmx"): "jmx",
    ("locust", ".py"): "locust",
    ("k6", ".js"): "k6",
    ("newman", ".json"): "postman",
}
_OF_JMETER: Final = (
    "jmeter.save.",
    "jmeterengine.",
    "summariser.",
    "log_level",
    "jmeter.reportgen",
)
"""Properties of JMeter's own files and windows, which have no effect on the load."""

_LOAD: Final = ("concurrency", "ramp-up", "hold-for", "iterations", "throughput")
_SPLIT: Final = "it is split among the thread groups by their weights, which are equal here"


@dataclass(slots=True)
class TaurusScripts:
    """Reads scripts beside a test.

    Attributes:
        beside: The test.
    """

    request: ImportRequest
    beside: SourceFile

    def read(self, one: TaurusExecution, node: SourceNode, *, is_first: bool) -> DraftPlan | None:
        """Return the plan of a scenario's script; None where it can't be had."""
        entry = node.entry("script")
        assert entry is not None, "the caller has looked"
        name = entry.node.text()
        kind = _KINDS.get((one.executor, PurePath(name).suffix.lower()), "")
        path = neighbour(name, self.beside, self.request.files)
        module = f"planrunner.importers.formats.{kind}"
        if not kind or find_spec(module) is None:
            entry.construct.left_out(f"planrunner can't read `{name}`: `{one.executor}` runs it")
            self._lose(node, f"set it in the plan that `{name}` becomes")
            return None
        if path is None:
            entry.construct.needs_you(f"import it together with `{name}`")
            self._await(node, name)
            return None
        if not is_first:
            entry.construct.left_out(f"import `{name}` by itself: `planrunner import {name}`")
            self._lose(node, f"set it in the plan that `{name}` becomes")
            return None
        entry.construct.translated()
        draft = self._plan(module, SourceFile(path, str(PurePath(self.beside.name).parent / name)))
        self._load(one, draft, kind)
        self._settings(node, draft, kind, name)
        return draft

    def _plan(self, module: str, file: SourceFile) -> DraftPlan:
        reader, _, function = import_module(f"{module}.importer").IMPORTER.reader.partition(":")
        request = ImportRequest((file,), self.request.options, self.request.ledger)
        found: DraftPlan = getattr(import_module(reader), function)(request)
        return found

    def _load(self, one: TaurusExecution, draft: DraftPlan, kind: str) -> None:
        """Let the load of the execution be that of the script, which Taurus changes so."""
        said = [entry for key in _LOAD if (entry := one.node.entry(key)) is not None]
        if not said and kind != "locust":
            return
        one.runs_all = True
        draft.phases = []
        if len(draft.users) > 1 and kind == "jmx" and said[0].key == "concurrency":
            said[0].construct.changed(_SPLIT)

    def _settings(self, node: SourceNode, draft: DraftPlan, kind: str, name: str) -> None:
        for one in node.entries or []:
            read = _SETTINGS.get((kind, one.key))
            if read is not None and one.construct.fate is None:
                one.construct.translated()
                read(one, draft)
        self._lose(node, f"set it in the plan that `{name}` becomes")

    def _lose(self, node: SourceNode, instead: str) -> None:
        for one in node.entries or []:
            if one.construct.fate is None:
                leave_out(one, instead)

    def _await(self, node: SourceNode, name: str) -> None:
        for one in node.unjudged():
            one.construct.needs_you(f"import it together with `{name}`")


def await_script(entry: SourceEntry) -> None:
    """Ask for the script whose properties these are."""
    for one in entry.node.entries or []:
        if one.key.startswith(_OF_JMETER):
            one.construct.translated()
        else:
            one.construct.needs_you("import it together with the script that reads it")


def set_properties(entry: SourceEntry, draft: DraftPlan) -> None:
    """Give the params of a script the values of its properties or variables."""
    for one in entry.node.entries or []:
        if one.key.startswith(_OF_JMETER):
            one.construct.translated()
            continue
        name = identifier(one.key)
        param = draft.params.get(name)
        if param is None:
            one.construct.left_out(f"the script has no param `{name}`: set it where it is read")
            continue
        one.construct.translated()
        value = one.node.scalar
        said = literal(value) if isinstance(value, str) else value
        spec = param.spec
        new = {**spec, "default": said} if isinstance(spec, dict) else said
        draft.params[name] = DraftParam(new, origin=param.origin, notes=param.notes)


def _host(entry: SourceEntry, draft: DraftPlan) -> None:
    """Send to the host that Taurus hands over, not to that of the script."""
    draft.http = {**draft.http, "base_url": literal(entry.node.text()).rstrip("/")}
    for one in draft.users:
        http = one.keys.get("http")
        if isinstance(http, dict):
            http.pop("base_url", None)
            if not http:
                del one.keys["http"]


def _headers(entry: SourceEntry, draft: DraftPlan) -> None:
    known = draft.http.setdefault("headers", {})
    assert isinstance(known, dict), "headers are a mapping"
    for one in entry.node.entries or []:
        one.construct.translated()
        known.setdefault(one.key, literal(one.node.text()))


def _pause(entry: SourceEntry, draft: DraftPlan) -> None:
    found = pause_of(entry)
    if found is not None:
        draft.http["pause"] = found


def _timeout(entry: SourceEntry, draft: DraftPlan) -> None:
    time = read_seconds(entry.node.scalar)
    if time:
        draft.http["timeout"] = seconds(time)


_SETTINGS: Final[dict[tuple[str, str], Callable[[SourceEntry, DraftPlan], None]]] = {
    ("locust", "default-address"): _host,
    ("jmx", "variables"): set_properties,
    ("jmx", "properties"): set_properties,
    ("jmx", "headers"): _headers,
    ("postman", "think-time"): _pause,
    ("postman", "timeout"): _timeout,
}
