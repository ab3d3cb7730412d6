"""Thread groups → user classes with phases, and the steps around the load."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field

from planrunner.importers.draft import (
    DraftClass,
    DraftPhase,
    DraftPlan,
    DraftStep,
    DraftThreshold,
    Keys,
)
from planrunner.importers.formats.jmx.configs import add_data, auth_of
from planrunner.importers.formats.jmx.elements import JmxElement, parse_jmx
from planrunner.importers.formats.jmx.load.rates import shape_rate
from planrunner.importers.formats.jmx.load.threads import load_of
from planrunner.importers.formats.jmx.samplers.extractors import names_set
from planrunner.importers.formats.jmx.samplers.http_samplers import is_http
from planrunner.importers.formats.jmx.samplers.scripts import JmxHooks, script_names
from planrunner.importers.formats.jmx.scope import JmxScope, is_scoped
from planrunner.importers.formats.jmx.steps import JmxStepReader
from planrunner.importers.formats.jmx.texts.calls import resolver_of
from planrunner.importers.formats.jmx.texts.functions import JmxResolver, references
from planrunner.importers.formats.jmx.texts.variables import JmxParams, JmxValue, JmxVariables
from planrunner.importers.reading.kept_files import KeptFiles
from planrunner.importers.shaping.requests import measure
from planrunner.loss.ledger import Ledger
from planrunner.values import dataclass

__all__ = ["JmxGroupReader", "JmxPlan"]

_SENT = ("get", "post", "put", "patch", "delete", "head", "options", "sql.query", "ws.receive")


@dataclass(slots=True)
class JmxPlan:
    """A test plan while it is read."""

    draft: DraftPlan
    files: KeptFiles
    hooks: JmxHooks
    params: JmxParams
    ledger: Ledger
    roots: list[JmxElement]
    _included: dict[str, list[JmxElement]] = field(default_factory=dict)

    def module(self, element: JmxElement) -> list[JmxElement]:
        """Return the elements that a Module or an Include Controller runs."""
        if element.kind == "IncludeController":
            return self._include(element)
        path = [one.text for one in element.entries("ModuleController.node_path")]
        for one in element.properties.values():
            for each in one.everything():
                each.construct.translated()
        candidates = [one for root in self.roots for one in (root, *_all(root))]
        matching = [one for one in candidates if path and one.name == path[-1].strip()]
        if len(matching) > 1 and len(path) > 1:
            parents = [one for one in candidates if one.name == path[-2].strip()]
            inside = [one for one in matching if any(one in parent.children for parent in parents)]
            matching = inside or matching
        return matching[:1]

    def _include(self, element: JmxElement) -> list[JmxElement]:
        name = element.take("IncludeController.includepath").strip()
        if name not in self._included:
            file = self.files.find(name) if name and "${" not in name else None
            roots = parse_jmx(file, self.ledger) if file is not None else []
            for root in roots:
                root.settle()
            fragments = [one for root in roots for one in (root, *_all(root))]
            found = [one for one in fragments if one.kind == "TestFragmentController"]
            self._included[name] = found[:1]
            for one in fragments:
                if one.construct.fate is None and not found:
                    one.drop()
        return self._included[name]


@dataclass(slots=True)
class JmxGroupReader:
    """Reads thread groups with what stands beside them in the test plan."""

    plan: JmxPlan
    around: list[JmxElement]
    in_order: bool
    _names: set[str] = field(default_factory=set)

    def read(self, group: JmxElement, *, is_alone: bool) -> None:
        """Add a thread group as a user class and a phase."""
        variables = self._variables(group)
        resolver = resolver_of(variables)
        one = DraftClass(self._name(group.name or group.kind), origin=group.construct.place)
        load = load_of(group, resolver, sum(is_http(each) for each in group.everything()))
        one.keys = load.user_class
        steps = self._steps(group, resolver, one.keys, one.notes)
        if variables.state:
            one.keys["state"] = variables.state
        if not steps:
            one.notes.append("it sends nothing")
            steps = [DraftStep({"think": "1s"}, origin=group.construct.place)]
        one.steps = steps
        _keep_session(group, (*self.around, *group.everything()), one.keys)
        self.plan.draft.users.append(one)
        sent = sum(_requests(step) for step in steps)
        phase: Keys = {"name": one.name}
        if not is_alone and not self.in_order:
            phase["start_at"] = load.phase.pop("start_at", "0s")
        if load.users is not None:
            phase["users"] = {one.name: load.users} if not is_alone else load.users
        phase |= load.phase
        rates = [each for each in (*self.around, *group.everything()) if each.is_enabled]
        shape_rate(
            rates, phase, one.keys, resolver, requests=_between(group, sent), is_alone=is_alone
        )
        if not is_alone and not isinstance(phase.get("users"), dict):
            phase["only"] = {"users": [one.name]}
        self.plan.draft.phases.append(DraftPhase(phase, origin=group.construct.place))
        if load.aborts:
            self._abort()

    def read_loose(self, elements: list[JmxElement]) -> None:
        """Add one user for what has no thread group: a fragment that others include."""
        variables = JmxVariables(self.plan.params, "")
        fragments = [one for one in elements if one.kind == "TestFragmentController"]
        one = DraftClass("Fragment", origin=self.plan.draft.origin)
        one.notes.append("no enabled thread group: JMeter would run nothing by itself")
        for each in fragments:
            for element in (each, *each.everything()):
                _add_setters(element, variables)
        for each in fragments:
            each.settle()
            each.construct.suspicious("it has no thread group: here one user runs it once")
            reader = JmxStepReader(
                resolver_of(variables), self.plan.files, self.plan.hooks, self.plan.module, one.keys
            )
            one.steps += reader.steps(each.children, JmxScope())
        if variables.state:
            one.keys["state"] = variables.state
        one.steps = one.steps or [DraftStep({"think": "1s"})]
        self.plan.draft.users.append(one)
        self.plan.draft.phases.append(DraftPhase({"users": 1, "iterations_per_user": 1}))

    def read_once(self, group: JmxElement, into: list[DraftStep]) -> None:
        """Add a thread group that runs before or after the load."""
        variables = self._variables(group)
        variables.is_setup = True
        resolver = resolver_of(variables)
        load = load_of(group, resolver, 1)
        for name in ("ThreadGroup.num_threads", "ThreadGroup.ramp_time"):
            if group.peek(name).strip() not in ("", "0", "1"):
                group.judge(name, "its steps run once, by one user")
        keys: Keys = {}
        notes: list[str] = []
        steps = self._steps(group, resolver, keys, notes) if load.loops != 0 else []
        if not steps:
            return
        if variables.state:
            into.append(DraftStep({"set": dict(variables.state)}, origin=group.construct.place))
        shared = sorted(raw for raw in variables.known if raw.startswith("property "))
        self.plan.params.shared |= {raw: variables.set(raw) for raw in shared}
        http = keys.get("http")
        measure(steps)
        for step in steps:
            _give_headers(step, http if isinstance(http, dict) else {})
        steps[0].notes[:0] = [group.name, *notes] if group.name else notes
        if load.loops not in (None, 1):
            steps = [DraftStep({"repeat": load.loops, "do": steps}, origin=group.construct.place)]
        into += steps

    def _steps(
        self, group: JmxElement, resolver: JmxResolver, keys: Keys, notes: list[str]
    ) -> list[DraftStep]:
        plan = self.plan
        reader = JmxStepReader(resolver, plan.files, plan.hooks, plan.module, keys)
        here = [one for one in self.around if one.kind != "TestFragmentController"]
        scope = JmxScope().within(here)
        steps = reader.steps([one for one in here if not is_scoped(one)], scope)
        self._auth(group, resolver, keys)
        steps += reader.steps(group.children, scope)
        notes += reader.notes
        return steps

    def _auth(self, group: JmxElement, resolver: JmxResolver, keys: Keys) -> None:
        for one in (*self.around, *group.everything()):
            if one.kind == "AuthManager" and one.is_enabled:
                auth = auth_of(one, resolver)
                if auth:
                    http = keys.setdefault("http", {})
                    assert isinstance(http, dict)
                    http["auth"] = auth

    def _variables(self, group: JmxElement) -> JmxVariables:
        """Return what a group knows: what its elements set, and what its files give."""
        variables = JmxVariables(self.plan.params, group.name)
        elements = [*self._everything(group)]
        for one in elements:
            _add_setters(one, variables)
        files = [one for one in elements if one.kind == "CSVDataSet"]
        for one in elements:
            if one.kind in ("LoopController", "WhileController", "ForeachController"):
                _judge_rounds(one)
        is_unnamed = any(not one.peek("variableNames").strip() for one in files)
        wanted = _wanted(elements, variables) if is_unnamed else set()
        for one in files:
            add_data(one, variables, self.plan.draft, self.plan.files, wanted)
        for one in elements:
            if one.kind == "UserParameters":
                _user_parameters(one, variables, self.plan.draft)
        return variables

    def _everything(self, group: JmxElement) -> Iterator[JmxElement]:
        """Yield all that is enabled in a group or holds for it, what modules bring too."""
        waiting = [*(one for one in self.around if one.kind != "TestFragmentController"), group]
        seen: set[int] = set()
        while waiting:
            one = waiting.pop(0)
            if not one.is_enabled or id(one) in seen:
                continue
            seen.add(id(one))
            yield one
            waiting += one.children
            if one.kind in ("ModuleController", "IncludeController"):
                waiting += self.plan.module(one)

    def _abort(self) -> None:
        sentence = "errors == 0, abort"
        if all(one.threshold != sentence for one in self.plan.draft.thresholds):
            self.plan.draft.thresholds.append(DraftThreshold(sentence))

    def _name(self, wish: str) -> str:
        name, number = wish, 1
        while name in self._names:
            number += 1
            name = f"{wish} {number}"
        self._names.add(name)
        return name


def _between(group: JmxElement, sent: int) -> Callable[[JmxElement], int]:
    """Return how many requests an iteration sends for each time a timer of a group waits."""
    samplers = (one for one in group.everything() if not one.kind.endswith("Controller"))
    below = {id(one) for sampler in samplers for one in sampler.children}
    return lambda timer: 1 if id(timer) in below else sent


def _keep_session(group: JmxElement, elements: Iterable[JmxElement], keys: Keys) -> None:
    """Let a session last as long as the user where its variables have to."""
    if "state" not in keys or keys.pop("session", None) is None:
        return
    why = "cookies last as long as the user here, as its variables do"
    group_says = "ThreadGroup.same_user_on_next_iteration"
    if group.peek(group_says).strip().lower() == "false":
        group.judge(group_says, why)
    for one in elements:
        if one.kind == "CookieManager" and one.peek("CookieManager.clearEachIteration") == "true":
            one.judge("CookieManager.clearEachIteration", why)


def _all(element: JmxElement) -> Iterator[JmxElement]:
    """Yield all elements below one; a Module Controller may mean a disabled one."""
    for one in element.children:
        yield one
        yield from _all(one)


def _judge_rounds(loop: JmxElement) -> None:
    """Judge what JMeter draws anew in each round of a loop, and a plan once an iteration."""
    for one in loop.everything():
        if one.kind == "CSVDataSet":
            one.construct.changed("a row is drawn for each iteration, not for each round of a loop")
        elif one.kind == "CounterConfig":
            one.construct.changed("it counts iterations, not the rounds of a loop")


def _add_setters(element: JmxElement, variables: JmxVariables) -> None:
    for name, is_list in names_set(element):
        variables.setters.add(name)
        if is_list:
            variables.lists.add(name)
    variables.setters.update(_names(element))


def _names(element: JmxElement) -> Iterator[str]:
    """Yield what an element other than an extractor sets."""
    yield from script_names(element)
    for name in ("CounterConfig.name", "variableName"):
        if element.peek(name).strip():
            yield element.peek(name).strip()
    if element.kind == "JDBCSampler":
        yield from (
            one.strip() for one in element.peek("variableNames").split(",")[:1] if one.strip()
        )


def _wanted(elements: list[JmxElement], variables: JmxVariables) -> set[str]:
    """Return the names that are read and that nothing is known to set: a file's columns."""
    found: set[str] = set()
    for one in elements:
        for prop in one.properties.values():
            for each in prop.everything():
                if "${" in each.text:
                    found.update(ref.name for ref in references(each.text) if ref.arguments is None)
    return {
        name
        for name in found
        if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII)
        and not name.startswith("__")
        and variables.find(name) is None
    }


def _user_parameters(element: JmxElement, variables: JmxVariables, draft: DraftPlan) -> None:
    element.settle()
    element.flag("UserParameters.per_iteration")
    names = [one.read().strip() for one in element.entries("UserParameters.names")]
    rows = []
    for one in element.entries("UserParameters.thread_values"):
        one.construct.translated()
        resolver = resolver_of(variables)
        rows.append([resolver.text(each.read(), each.construct) for each in one.items])
    rows = [row for row in rows if len(row) >= len(names)]
    if not names or not rows:
        return
    if any("${" in value.replace("$${", "") for row in rows for value in row):
        element.judge("UserParameters.thread_values", "the values are those of the first user")
        for name, value in zip(names, rows[0], strict=False):
            variables.columns[name] = JmxValue(_code(value), "text")
        return
    source = variables.plan.names.new("user_parameters")
    listed = [dict(zip(names, row, strict=False)) for row in rows]
    draft.data[source] = {"list": listed, "per": "user"}
    for name in names:
        variables.columns[name] = JmxValue(f"{source}[{name!r}]", "text")


def _code(text: str) -> str:
    alone = re.fullmatch(r"\$\{([^{}]*)\}", text)
    return f"({alone[1]})" if alone else repr(text)


def _requests(step: DraftStep) -> int:
    """Return how many requests a step sends, as far as its text says."""
    total = int(any(key in step.body for key in _SENT))
    for value in step.body.values():
        for one in value if isinstance(value, list) else ():
            if isinstance(one, DraftStep):
                total += _requests(one)
    return total


def _give_headers(step: DraftStep, http: Keys) -> None:
    """Give a request of `setup` what a class would say."""
    headers = http.get("headers")
    if any(key in step.body for key in _SENT[:7]):
        if isinstance(headers, dict):
            own = step.body.get("headers")
            step.body["headers"] = {**headers, **(own if isinstance(own, dict) else {})}
        if "auth" in http:
            step.body.setdefault("auth", http["auth"])
    for value in step.body.values():
        for one in value if isinstance(value, list) else ():
            if isinstance(one, DraftStep):
                _give_headers(one, http)
