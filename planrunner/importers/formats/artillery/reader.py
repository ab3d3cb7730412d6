"""Reads an Artillery test: `config`, `before`, `scenarios`, `after`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import PurePath
from typing import Final

from planrunner.importers.contract import ImportRequest
from planrunner.importers.draft import DraftClass, DraftPlan, DraftStep
from planrunner.importers.formats.artillery.config.ensure import (
    MeasuredNames,
    ensured,
    reported_apdex,
)
from planrunner.importers.formats.artillery.config.environments import EnvironmentsReader
from planrunner.importers.formats.artillery.config.load import ArrivalsReader
from planrunner.importers.formats.artillery.config.settings import ConfigReader
from planrunner.importers.formats.artillery.expressions import ArtilleryExpressions
from planrunner.importers.formats.artillery.failures import say_failures
from planrunner.importers.formats.artillery.script import VISIT_ID, ArtilleryTest
from planrunner.importers.formats.artillery.steps.cookies import judge_cookies
from planrunner.importers.formats.artillery.steps.flows import FlowReader, total_think
from planrunner.importers.formats.artillery.steps.hooks import HooksReader
from planrunner.importers.formats.artillery.steps.socketio import SocketIoReader
from planrunner.importers.formats.artillery.steps.websockets import WebSocketReader
from planrunner.importers.nodes import SourceEntry, SourceNode
from planrunner.importers.reading.comments import keep_comments
from planrunner.importers.reading.documents import (
    leave_out,
    read_document,
    suspect,
    suspect_the_rest,
)
from planrunner.importers.reading.expressions import inline
from planrunner.importers.shaping.requests import all_requests
from planrunner.importers.sources import ImportFault

__all__ = ["read"]

_DOCUMENTS: Final = (".yml", ".yaml", ".json", "")
_OF_CONFIG: Final = frozenset(
    {
        *("target", "phases", "variables", "payload", "environments", "ensure", "plugins"),
        *("processor", "http", "defaults", "tls", "timeout", "engines"),
    }
)
_FLOWLESS: Final = "Artillery reads the steps from `flow`, and fails here; these must be meant"
_NO_LIST: Final = "Artillery reads a list of scenarios, and fails here; these must be meant"
_PLACE: Final = "Artillery reads it under `config`: here it has no effect"
_NO_KEY: Final = "Artillery reads no such key in a scenario"


def read(request: ImportRequest) -> DraftPlan:
    """Make a draft of the files of an Artillery test."""
    files = [one for one in request.files if one.suffix in _DOCUMENTS] or [request.files[0]]
    roots = [(one, read_document(one, request.ledger)) for one in files]
    if not any(root.is_mapping for _, root in roots):
        name = files[0].name
        raise ImportFault(name, "an Artillery test is a mapping with `scenarios`")
    name = PurePath(roots[0][0].name).stem.strip() or "artillery"
    test = ArtilleryTest(request, roots, DraftPlan(name if roots[0][0].path else "artillery"))
    return _ArtilleryReader(test).read()


class _ArtilleryReader:
    def __init__(self, test: ArtilleryTest) -> None:
        self.test, self.draft = test, test.draft

    def read(self) -> DraftPlan:
        settings = ConfigReader(self.test)
        environments = EnvironmentsReader(self.test)
        settings.target(is_param=environments.have("target"))
        settings.read()
        self._hooks_of_test("before", self.draft.setup)
        self.test.names.publish()
        session = self._scenarios()
        self._hooks_of_test("after", self.draft.teardown)
        load = ArrivalsReader(ArtilleryExpressions(self.test), session)
        phases = load.phases(self.test.config("phases"))
        self.draft.phases = environments.read(load, phases)
        self._ensure()
        say_failures(self.test)
        if self.test.functions is not None:
            self.test.functions.judge_the_rest()
            self.draft.ends = list(self.test.functions.machine.ends)
        self._misplaced()
        self.draft.params = self.test.names.params
        keep_comments(self.draft, [file for file, _ in self.test.roots])
        return self.draft

    def _hooks_of_test(self, key: str, steps: list[DraftStep]) -> None:
        for _, root in self.test.roots:
            node = root.take(key)
            flow = node.entry("flow") if node is not None else None
            entry = root.entry(key)
            if node is None or flow is None:
                if entry is not None:
                    suspect(entry, "Artillery reads `flow` of it, and runs nothing else")
                continue
            flow.construct.translated()
            node.take_whole("engine")
            node.take_whole("name")
            self.test.begin_class()
            with self.test.outside_visits():
                steps += FlowReader(self.test).steps(flow.node)
                judge_cookies(self.test, steps)

    def _scenarios(self) -> Fraction:
        """Read the scenarios; returns about how long the longest lasts, in seconds."""
        longest = Fraction(0)
        named = [one for _, root in self.test.roots for one in _listed(root)]
        scenarios = [node for node, _ in named]
        weights = _weights(scenarios)
        for number, (node, weight) in enumerate(zip(scenarios, weights, strict=True), 1):
            flow = _flow_of(node)
            if flow is not None:
                longest = max(longest, total_think(flow.node))
            self._scenario(node, weight, number, named[number - 1][1])
        if not self.draft.users:
            self._no_user(has_scenarios=bool(scenarios))
        return longest

    def _no_user(self, *, has_scenarios: bool) -> None:
        """Add a user where no scenario is one: settings alone are for tests in other files."""
        step, note = DraftStep({"log": "nothing"}), "nothing of the original can be run"
        if not has_scenarios:
            step, note = DraftStep({"get": "/"}), "the original has no scenarios"
            for _, root in self.test.roots:
                config = root.entry("config")
                if config is not None:
                    config.construct.needs_you("import it together with the test it is for")
        notes = [f"TODO import: {note}: write the steps of a user"]
        self.draft.users = [DraftClass("Visitor", steps=[step], notes=notes)]

    def _scenario(self, node: SourceNode, weight: int, number: int, key: str) -> None:
        engine = node.entry("engine")
        kind = engine.node.text() if engine is not None else "http"
        taken = {one.name for one in self.draft.users}
        named = node.take("name")
        name = _class_name(named.text() if named else key, number, taken)
        if weight == 0 or kind not in ("http", "ws", "socketio", "socketio-v3"):
            self._left_out(node, kind, weight)
            return
        if engine is not None:
            engine.construct.translated()
        self.test.begin_class()
        user_class = DraftClass(name, origin=node.place)
        if weight != 1:
            user_class.keys["weight"] = weight
        self._own_variables(node, user_class)
        self._request_hooks(node)
        user_class.steps += self._hook(node, "beforeScenario")
        flow = _flow_of(node)
        if flow is not None:
            if flow.key != "flow":
                flow.construct.suspicious(_FLOWLESS)
            flow.construct.translated()
            user_class.steps += self._flow(node, flow, kind)
        user_class.steps += self._hook(node, "afterScenario")
        for inert in ("id", "description", "tags", "weight"):
            node.take_whole(inert)
        suspect_the_rest(node, _NO_KEY)
        self._keep(user_class)

    def _keep(self, user_class: DraftClass) -> None:
        """Add a class; its visits get an id where something reads it."""
        judge_cookies(self.test, user_class.steps)
        if VISIT_ID in repr(user_class.steps):
            user_class.steps.insert(0, DraftStep({"set": {VISIT_ID: "${rand.uuid()}"}}))
        nothing = DraftStep({"log": "every step of this scenario is left out"})
        user_class.steps = user_class.steps or [nothing]
        self.draft.users.append(user_class)

    def _flow(self, node: SourceNode, flow: SourceEntry, kind: str) -> list[DraftStep]:
        """Return the steps of a flow, by its engine."""
        if kind == "ws":
            return WebSocketReader(self.test).scenario(flow)
        engine = node.entry("engine")
        if kind == "http" or engine is None:
            return FlowReader(self.test).steps(flow.node)
        named = (self.test.config("socketio"), self.test.config(kind))
        found = [one.node for one in (*named, self.test.config("engines", kind)) if one]
        own = node.take("socketio")
        options = [*found, *([own] if own is not None else [])]
        return SocketIoReader(self.test).scenario(flow, options, engine)

    def _own_variables(self, node: SourceNode, user_class: DraftClass) -> None:
        """Set what a scenario calls its own variables, or what all of a visit shares."""
        values: dict[str, object] = {}
        variables = node.take("variables")
        expressions = ArtilleryExpressions(self.test)
        for one in (variables.entries or []) if variables else []:
            one.construct.translated()
            value = expressions.value(one.node, one.construct)
            if isinstance(value, list) and value:
                value = {"$list": value}
            name = self.test.names.assign(one.key)
            values[name] = _drawn(value)
        if values:
            user_class.steps.append(DraftStep({"set": values}, origin=node.place))

    def _request_hooks(self, node: SourceNode) -> None:
        for key in ("beforeRequest", "afterResponse"):
            entry = node.entry(key)
            if entry is not None:
                entry.construct.translated()
                self.test.request_hooks[key] = entry

    def _hook(self, node: SourceNode, key: str) -> list[DraftStep]:
        entry = node.entry(key)
        if entry is None:
            return []
        entry.construct.translated()
        return HooksReader(self.test).steps(entry)

    def _left_out(self, node: SourceNode, kind: str, weight: int) -> None:
        why = f"planrunner has no engine `{kind}`: test what it sends over HTTP"
        for one in node.entries or []:
            if weight == 0:
                suspect(one, "a scenario with weight 0 never runs")
                continue
            leave_out(one, why)
            if one.key in ("testFunction", "flowFunction") and self.test.functions is not None:
                self.test.functions.leave_out(one.node.text(), why)

    def _ensure(self) -> None:
        names = MeasuredNames(_endpoints(self.draft))
        reported = list(reported_apdex(self.test, names))
        found = [self.test.config("ensure"), self.test.config("plugins", "ensure")]
        for entry in found:
            if entry is not None and (entry.node.is_mapping or entry.node.is_list):
                self.draft.thresholds += ensured(entry, names)
        self.draft.thresholds += reported

    def _misplaced(self) -> None:
        for _, root in self.test.roots:
            for one in root.entries or []:
                if one.construct.fate is not None:
                    continue
                if one.key in _OF_CONFIG:
                    suspect(one, _PLACE)
                elif one.key in ("name", "description", "version", "$schema"):
                    one.construct.translated()
                    self._describe(one)
                else:
                    suspect(one, "Artillery has no such key, and reads nothing of it")

    def _describe(self, one: SourceEntry) -> None:
        if one.key == "name" and one.node.text().strip():
            self.draft.name = " ".join(one.node.text().split())
        elif one.key == "description":
            self.draft.description = one.node.text()


def _listed(root: SourceNode) -> Iterator[tuple[SourceNode, str]]:
    """Yield the scenarios of a file; each with its key, where they are a mapping by mistake."""
    entry = root.entry("scenarios")
    if entry is None:
        return
    entry.construct.translated()
    by_name = entry.node.entries or []
    if by_name and all(one.node.is_mapping and _flow_of(one.node) for one in by_name):
        entry.construct.suspicious(_NO_LIST)
        for one in by_name:
            one.construct.translated()
            yield one.node, one.key
        return
    yield from ((one, "") for one in entry.node.each() if one.is_mapping)


def _flow_of(node: SourceNode) -> SourceEntry | None:
    """Return the steps of a scenario, under the name that they have or are meant to have."""
    found = (node.entry(key) for key in ("flow", "requests", "steps"))
    return next((one for one in found if one is not None and one.node.is_list), node.entry("flow"))


def _drawn(value: object) -> object:
    if isinstance(value, dict) and set(value) == {"$list"}:
        return f"${{rand.choice({inline(value['$list'])})}}"
    return value


def _weights(scenarios: list[SourceNode]) -> list[int]:
    """Return whole weights in the proportion of the original's."""
    found = []
    for node in scenarios:
        entry = node.entry("weight")
        text = entry.node.text() if entry is not None else "1"
        is_number = re.fullmatch(r"\d{1,9}(?:\.\d{1,6})?", text)
        if entry is not None and is_number:
            entry.construct.translated()
        found.append(Fraction(text) if is_number else Fraction(1))
    factor = 1
    for one in found:
        factor = factor * one.denominator // _gcd(factor, one.denominator)
    return [int(one * factor) for one in found]


def _gcd(first: int, second: int) -> int:
    while second:
        first, second = second, first % second
    return first


def _class_name(name: str, number: int, taken: set[str]) -> str:
    words = " ".join("".join(one if one.isprintable() else " " for one in name).split())
    found = words = words.replace("${", "$ {")[:100] or f"Scenario {number}"
    again = 1
    while found in taken:
        again += 1
        found = f"{words} {again}"
    return found


def _endpoints(draft: DraftPlan) -> dict[str, str]:
    """Return what `metrics-by-endpoint` calls each request, and its selector."""
    found = {}
    for one in all_requests(draft):
        name = str(one.keys.get("name") or one.url)
        default = name if "name" in one.keys else f"{one.verb.upper()} {name}"
        found[name] = '"' + default.replace('"', '\\"') + '"'
    return found
