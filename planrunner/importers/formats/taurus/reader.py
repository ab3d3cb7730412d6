"""Reads a Taurus test: executions are phases, scenarios are user classes."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Final

from planrunner.importers.contract import ImportRequest
from planrunner.importers.draft import DraftClass, DraftPhase, DraftPlan, DraftStep
from planrunner.importers.formats.taurus.criteria import thresholds_of
from planrunner.importers.formats.taurus.executions import TaurusExecution, phase_keys
from planrunner.importers.formats.taurus.scenarios import TaurusScenarios
from planrunner.importers.formats.taurus.scripts import TaurusScripts, await_script, set_properties
from planrunner.importers.formats.taurus.services import read_services
from planrunner.importers.formats.taurus.templates import TaurusTemplates
from planrunner.importers.nodes import SourceEntry, SourceNode
from planrunner.importers.reading.comments import keep_comments
from planrunner.importers.reading.documents import leave_out, read_document, suspect
from planrunner.importers.shaping.requests import all_requests
from planrunner.importers.sources import ImportFault
from planrunner.importers.templates import literal
from planrunner.loss.ledger import Fate

__all__ = ["read"]

_MISPLACED: Final = "Taurus looks for it under `scenarios`, and fails here; it must be meant"
_NO_HOST: Final = "http://localhost:8000"
_DOCUMENTS: Final = (".yml", ".yaml", ".json", "")
_SHOWN: Final = frozenset({"final-stats", "console", "final_status", "final-status"})
_INSTALLED: Final = frozenset(
    {
        *("path", "version", "download-link", "detect-plugins", "plugins", "memory-xmx", "gui"),
        *("class", "fix-log4j", "fix-jars", "plugins-manager", "command-runner", "shutdown-wait"),
        *("csv-jtl-flags", "xml-jtl-flags", "write-xml-jtl"),
    }
)
"""Settings of a tool about where it is, and which files it writes: no load comes of them."""

_OF_SETTINGS: Final = frozenset({"artifacts-dir", "check-interval", "default-executor"})
_WITHOUT_EFFECT: Final = frozenset(
    {"settings", "cli", "cli-aliases", "version", "install-id", "aggregator", "local-bzt-version"}
)
_BROWSERS: Final = frozenset({"selenium", "webdriver", "nose", "robot", "mocha", "junit", "wdio"})


def read(request: ImportRequest) -> DraftPlan:
    """Make a draft of a Taurus test."""
    return _TaurusReader(request).read()


class _TaurusReader:
    def __init__(self, request: ImportRequest) -> None:
        self.request = request
        documents = [one for one in request.files if one.suffix in _DOCUMENTS] or [request.files[0]]
        self.roots = [read_document(one, request.ledger) for one in documents]
        if not any(one.get("execution") for one in self.roots):
            name = documents[0].name
            raise ImportFault(name, "a Taurus test is a mapping with `execution`")
        self.documents = documents
        main = documents[0]
        self.draft = DraftPlan((PurePath(main.name).stem if main.path else "") or "taurus")
        self.scripts = TaurusScripts(request, main)
        self.is_cloud = any(
            (found := root.get("provisioning")) is not None and found.text() == "cloud"
            for root in self.roots
        )
        self.templates = TaurusTemplates()
        self.scenarios: dict[str, SourceEntry] = {}

    def read(self) -> DraftPlan:
        for root in self.roots:
            for one in self._below(root, "scenarios"):
                self.scenarios[one.key] = one
        self._variables()
        named = {key: one.node for key, one in self.scenarios.items()}
        scenarios = TaurusScenarios(self.templates, self.draft, self.request.files, named)
        default = self._default_executor()
        executions = [
            TaurusExecution(node, default, is_cloud=self.is_cloud)
            for root in self.roots
            for node in self._executions(root)
        ]
        self.executors = {one.executor for one in executions}
        self._classes(executions, scenarios)
        self._phases(executions)
        self.draft.params = {**self.draft.params, **self.templates.names.params}
        self._rest(scenarios.requests.labels)
        self._unused()
        keep_comments(self.draft, self.documents)
        return self.draft

    def _variables(self) -> None:
        """Declare what `settings.env` sets: it is known in every text of the file."""
        for root in self.roots:
            settings = root.get("settings")
            variables = settings.take("env") if settings is not None else None
            for one in (variables.entries or []) if variables is not None else []:
                one.construct.translated()
                spec = {"type": "str", "default": literal(one.node.text()), "env": one.key}
                if not re.fullmatch(r"[A-Za-z_]\w*", one.key):
                    del spec["env"]
                self.templates.names.param(one.key, spec)

    def _default_executor(self) -> str:
        for root in self.roots:
            settings = root.get("settings")
            found = settings.get("default-executor") if settings is not None else None
            if found is not None and found.text():
                return found.text()
        return "jmeter"

    def _below(self, root: SourceNode, key: str) -> list[SourceEntry]:
        found = root.take(key)
        return (found.entries or []) if found is not None else []

    def _executions(self, root: SourceNode) -> list[SourceNode]:
        found = root.take("execution")
        return [one for one in found.each() if one.is_mapping] if found is not None else []

    def _classes(self, executions: list[TaurusExecution], scenarios: TaurusScenarios) -> None:
        made: dict[int, str] = {}
        for number, one in enumerate(executions, 1):
            node, name = self._scenario(one, number)
            if node is None:
                continue
            if id(node) in made:
                one.user_class = made[id(node)]
                continue
            if self._script(one, node):
                continue
            user_class = self._class(one, name, node, scenarios)
            if user_class is not None:
                made[id(node)] = one.user_class = user_class.name
                self.draft.users.append(user_class)
        if not self.draft.users:
            note = ["TODO import: nothing of the original can be run: write the steps of a user"]
            steps = [DraftStep({"log": "nothing"})]
            self.draft.users = [DraftClass("Visitor", steps=steps, notes=note)]
        elif len(self.draft.users) == 1 and "http" in self.draft.users[0].keys:
            http = self.draft.users[0].keys.pop("http")
            assert isinstance(http, dict)
            self.draft.http = {**http, **self.draft.http}
        self._give_host()

    def _give_host(self) -> None:
        """Write a host where paths have none."""
        has_one = "base_url" in self.draft.http
        for one in self.draft.users:
            http = one.keys.get("http")
            knows = has_one or (isinstance(http, dict) and "base_url" in http)
            paths = [
                url
                for each in all_requests(DraftPlan("", users=[one]))
                if (url := each.url).startswith(("/", "${"))
            ]
            if paths and not knows:
                self.draft.notes.append("TODO import: the original has no host: write `base_url`")
                self.draft.http = {"base_url": _NO_HOST, **self.draft.http}
                return

    def _class(
        self, one: TaurusExecution, name: str, node: SourceNode, scenarios: TaurusScenarios
    ) -> DraftClass | None:
        if one.executor in _BROWSERS or node.get("browser") is not None:
            for below in node.entries or []:
                leave_out(below, "planrunner drives no browser: test what the pages send")
            return None
        taken = {each.name for each in self.draft.users}
        words = " ".join(name.split()).replace("${", "$ {") or "Visitor"
        return scenarios.user_class(words if words not in taken else f"{words} 2", node)

    def _scenario(self, one: TaurusExecution, number: int) -> tuple[SourceNode | None, str]:
        entry = one.node.entry("scenario")
        if entry is None:
            has_script = one.node.entry("script") or one.node.entry("requests")
            return (one.node, f"Execution {number}") if has_script else (None, "")
        entry.construct.translated()
        if entry.node.is_mapping:
            return entry.node, "Visitor" if number == 1 else f"Visitor {number}"
        name = entry.node.text()
        found = self.scenarios.get(name)
        misplaced = one.node.entry(name)
        if found is None and misplaced is not None and misplaced.node.is_mapping:
            misplaced.construct.suspicious(_MISPLACED)
            return misplaced.node, name
        if found is None:
            entry.construct.needs_you(f"the scenario `{name}` is not in the file")
            return None, name
        found.construct.translated()
        return found.node, name

    def _script(self, one: TaurusExecution, node: SourceNode) -> bool:
        """Import the script of a scenario where it lies beside; say whether it has one."""
        if node.entry("script") is None:
            return False
        found = self.scripts.read(one, node, is_first=not self.draft.users)
        if found is not None:
            found.name = self.draft.name
            self.draft = found
        return True

    def _phases(self, executions: list[TaurusExecution]) -> None:
        runs = [one for one in executions if one.user_class or one.runs_all]
        one_by_one = any(self._local(root) for root in self.roots)
        phases = []
        for one in runs or executions:
            keys = phase_keys(one)
            if len(self.draft.users) > 1 and one.user_class:
                keys["only"] = {"users": [one.user_class]}
            if len(runs) > 1 and not one_by_one:
                keys.setdefault("start_at", "0s")
            phases.append(DraftPhase(keys, origin=one.node.place))
        for phase, one in zip(phases, runs or executions, strict=True):
            if len(phases) > 1:
                phase.keys = {"name": self._phase_name(one, phases), **phase.keys}
        for one in executions:
            phase_keys(one)
        if runs or not self.draft.phases:
            self.draft.phases = phases

    def _phase_name(self, one: TaurusExecution, phases: list[DraftPhase]) -> str:
        taken = {phase.keys.get("name") for phase in phases}
        base = one.user_class or "execution"
        number = 1
        name = base
        while name in taken:
            number += 1
            name = f"{base} {number}"
        return name

    def _local(self, root: SourceNode) -> bool:
        """Say whether executions run one after the other."""
        modules = root.get("modules")
        local = modules.get("local") if modules is not None else None
        found = local.get("sequential") if local is not None else None
        return found is not None and found.scalar is True

    def _rest(self, labels: set[str]) -> None:
        for root in self.roots:
            for one in root.entries or []:
                if one.key == "reporting":
                    self._reporting(one, labels)
                elif one.key == "modules":
                    self._modules(one)
                elif one.key == "services":
                    read_services(one, self.draft)
                else:
                    self._setting(one)

    def _setting(self, one: SourceEntry) -> None:
        is_local = one.key == "provisioning" and one.node.text() == "local"
        if is_local or one.key in _WITHOUT_EFFECT:
            one.construct.translated()
            one.node.whole()
        elif one.key in _OF_SETTINGS:
            suspect(one, "Taurus reads it under `settings`: here it has no effect")
        elif one.construct.fate is None:
            leave_out(one, "planrunner has nothing like it")

    @property
    def used(self) -> set[str]:
        """The modules whose settings say something about this run."""
        found = {*self.executors, *(["cloud", "blazemeter"] if self.is_cloud else [])}
        for root in self.roots:
            for key in ("services", "reporting"):
                node = root.get(key)
                for one in node.each() if node is not None else []:
                    module = one.get("module") if one.is_mapping else one
                    found.add(module.text() if module is not None else "")
        return found - _SHOWN

    @property
    def awaits(self) -> bool:
        """Whether a script of an execution isn't there."""
        constructs = self.request.ledger.constructs
        return any(
            one.fate is Fate.NEEDS_YOU and one.words.endswith("script") for one in constructs
        )

    def _reporting(self, entry: SourceEntry, labels: set[str]) -> None:
        entry.construct.translated()
        for node in entry.node.each():
            module = node.take("module") if node.is_mapping else node
            kind = module.text() if module is not None else ""
            criteria = node.entry("criteria")
            if kind in ("passfail", "pass-fail") and criteria is not None:
                self.draft.thresholds += thresholds_of(criteria, labels)
            elif kind == "junit-xml":
                self.draft.extra["report"] = {
                    "formats": ["metrics.json", "report.html", "junit.xml"]
                }
                node.whole()
            elif kind in _SHOWN:
                node.whole()
            else:
                for below in node.entries or []:
                    leave_out(
                        below, f"planrunner has no report `{kind}`: see `outputs:`, `notify:`"
                    )
        for one in entry.node.unjudged():
            if one.key == "run-at" and one.node.text() == "local":
                one.construct.translated()
                continue
            one.construct.left_out("planrunner's reports need no such setting")

    def _modules(self, entry: SourceEntry) -> None:
        entry.construct.translated()
        for module in entry.node.entries or []:
            module.construct.translated()
            is_used = module.key in self.used
            for one in module.node.entries or []:
                if one.key in _INSTALLED or not is_used:
                    one.construct.translated()
                    one.node.whole()
                elif one.key == "properties" and module.key == "jmeter":
                    one.construct.translated()
                    self._properties(one)
                elif one.construct.fate is None:
                    leave_out(one, f"a setting of `{module.key}`: say what it did in the plan")

    def _properties(self, one: SourceEntry) -> None:
        """Give params the values of JMeter's properties; of a script that isn't there, later."""
        if self.awaits:
            await_script(one)
        else:
            set_properties(one, self.draft)

    def _unused(self) -> None:
        for name, one in self.scenarios.items():
            is_read = any(below.construct.fate is not None for below in one.node.below())
            if one.construct.fate is None and is_read:
                one.construct.translated()
            elif one.construct.fate is None:
                suspect(one, f"no execution runs the scenario `{name}`")
