"""Reads a Drill test: its settings are one counted phase, its plan is one class's steps."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Final

from planrunner.importers.contract import ImportRequest
from planrunner.importers.draft import DraftClass, DraftPhase, DraftPlan, DraftStep
from planrunner.importers.formats.drill.items import DrillItems
from planrunner.importers.formats.drill.templates import DrillTemplates
from planrunner.importers.nodes import SourceEntry, SourceNode
from planrunner.importers.reading.comments import keep_comments
from planrunner.importers.reading.documents import leave_out, read_document
from planrunner.importers.reading.neighbours import neighbour
from planrunner.importers.reading.quantities import read_seconds, seconds
from planrunner.importers.sources import ImportFault, SourceFile

__all__ = ["read"]

_NO_HOST: Final = "http://localhost:8000"
_MOST_FILES: Final = 100
_NO_RAMP: Final = (
    "Drill divides it by `iterations` into whole seconds: that is 0, so all begin at once"
)
_TEN_MINUTES: Final = 600
"""Seconds, the default of `max_duration`."""


def read(request: ImportRequest) -> DraftPlan:
    """Make a draft of a Drill test."""
    return _DrillReader(request).read()


class _DrillReader:
    def __init__(self, request: ImportRequest) -> None:
        self.request, self.main = request, request.files[0]
        is_named = self.main.path is not None
        self.draft = DraftPlan((PurePath(self.main.name).stem if is_named else "") or "drill")
        self.templates = DrillTemplates()
        self.files: list[SourceFile] = []

    def read(self) -> DraftPlan:
        root = self._document(self.main)
        plan = root.take("plan")
        if plan is None:
            raise ImportFault(self.main.name, "a Drill test is a mapping with `plan`")
        self._settings(root)
        items = self._included(plan, self.main)
        reader = DrillItems(self.templates, self.draft, self.main, self.request.files)
        steps = reader.steps(items) or [DraftStep({"log": "every item is left out"})]
        self.draft.users = [DraftClass("Visitor", steps=steps)]
        self.draft.params = self.templates.names.params
        keep_comments(self.draft, self.files)
        return self.draft

    def _document(self, file: SourceFile) -> SourceNode:
        self.files.append(file)
        return read_document(file, self.request.ledger)

    def _included(self, node: SourceNode, file: SourceFile) -> list[SourceNode]:
        """Return the items of a plan with those of the files that it includes."""
        found: list[SourceNode] = []
        for item in node.each():
            entry = item.entry("include")
            found += [item] if entry is None else self._include(item, entry, file)
        return found

    def _include(self, item: SourceNode, entry: SourceEntry, file: SourceFile) -> list[SourceNode]:
        item.take_whole("name")
        path = neighbour(entry.node.text(), file, self.request.files)
        if path is None:
            entry.construct.needs_you(f"import it together with `{entry.node.text()}`")
            return []
        known = {one.path for one in self.files}
        if path in known or len(self.files) > _MOST_FILES:
            entry.construct.suspicious("it includes itself, or too many files: Drill never ends")
            return []
        entry.construct.translated()
        included = SourceFile(path, str(PurePath(file.name).parent / entry.node.text()))
        return self._included(self._document(included), included)

    def _settings(self, root: SourceNode) -> None:
        base = root.entry("base")
        self.draft.http = {"base_url": self._base(base), "timeout": "10s", "session": "iteration"}
        iterations = self._number(root.entry("iterations"), 1)
        known = root.entry("concurrency") or root.entry("threads")
        users = self._number(known, iterations) if known is not None else iterations
        load: dict[str, object] = {"users": users, "iterations": iterations}
        rampup = root.entry("rampup")
        if rampup is not None:
            rampup.construct.translated()
            time = read_seconds(rampup.node.scalar)
            if time and isinstance(iterations, int) and time < iterations:
                rampup.construct.suspicious(_NO_RAMP)
            elif time:
                load["ramp_up"] = seconds(time)
                load |= {"max_duration": seconds(2 * time)} if time >= _TEN_MINUTES else {}
                if users != iterations:
                    rampup.construct.changed("it spreads the start of users, not of iterations")
        origin = next((one.construct.place for one in root.entries or []), None)
        self.draft.phases = [DraftPhase(load, origin=origin)]
        for one in root.entries or []:
            if one.construct.fate is None:
                leave_out(one, "Drill has no such setting")

    def _base(self, entry: SourceEntry | None) -> str:
        if entry is None:
            self.draft.notes.append("TODO import: the original has no `base`: write `base_url`")
            return _NO_HOST
        entry.construct.translated()
        text = self.templates.text(entry.node.text(), entry.construct, default=_NO_HOST)
        self.templates.names.mean("base", f"'{text}'")
        if not re.match(r"https?://[^/\s]|\$\{", text):
            entry.construct.needs_you("not a URL: write the `base_url`")
            return _NO_HOST
        return text.rstrip("/")

    def _number(self, entry: SourceEntry | None, default: object) -> object:
        if entry is None:
            return default
        entry.construct.translated()
        value = entry.node.scalar
        if isinstance(value, str) and "{{" in value:
            text = self.templates.text(value, entry.construct, default=1)
            entry.construct.needs_you("say what it is when the environment does not")
            return text if re.fullmatch(r"\$\{\w+\}", text) else default
        number = read_seconds(value)
        return int(number) if number and number >= 1 else default
