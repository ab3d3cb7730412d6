"""The elements of a thread group → steps: samplers and controllers, in JMeter's order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Final

from planrunner.importers.draft import DraftStep, Keys
from planrunner.importers.formats.jmx.configs import iteration_sets, settings_of
from planrunner.importers.formats.jmx.controllers import CONTROLLERS, JmxController
from planrunner.importers.formats.jmx.elements import JmxElement
from planrunner.importers.formats.jmx.samplers.assertions import expect_of
from planrunner.importers.formats.jmx.samplers.extractors import (
    EXTRACTORS,
    extract_expected,
    extract_of,
    status_name,
)
from planrunner.importers.formats.jmx.samplers.http_samplers import JmxHttpReader, is_http
from planrunner.importers.formats.jmx.samplers.other_samplers import OTHER_SAMPLERS, other_sampler
from planrunner.importers.formats.jmx.samplers.scripts import JmxHooks, is_script
from planrunner.importers.formats.jmx.samplers.timers import milliseconds, pauses
from planrunner.importers.formats.jmx.scope import JmxScope, is_rate, is_scoped
from planrunner.importers.formats.jmx.texts.functions import JmxResolver
from planrunner.importers.reading.kept_files import KeptFiles
from planrunner.values import dataclass

__all__ = ["JmxStepReader"]

_LISTENERS: Final = frozenset(
    {
        *("ResultCollector", "CorrectedResultCollector", "Summariser", "DebugPostProcessor"),
        *("PropertyControl", "MirrorServer", "ProxyControl", "HttpMirrorControl"),
        *("PerfMonCollector", "ResultSaver", "DbMonCollector", "JMXMonCollector"),
        *("LoadosophiaUploader", "FlexibleFileWriter", "ConsoleStatusLogger", "WorkBench"),
    }
)
"""They show or keep results, record, or belong to JMeter's windows: a plan's reports do that."""


@dataclass(slots=True)
class JmxStepReader:
    """Reads the elements of one thread group.

    Attributes:
        modules: Finds the element that a Module or an Include Controller means.
    """

    resolver: JmxResolver
    files: KeptFiles
    hooks: JmxHooks
    modules: Callable[[JmxElement], list[JmxElement]]
    class_keys: Keys
    notes: list[str] = field(default_factory=list)
    _inside: list[int] = field(default_factory=list)

    def steps(self, children: Sequence[JmxElement], scope: JmxScope) -> list[DraftStep]:
        """Return the steps of elements that stand beside each other."""
        scope = scope.within(children)
        found: list[DraftStep] = []
        for child in children:
            if not child.is_enabled:
                child.drop()
                self.notes.append(f"disabled in the original: {child.name or child.kind}")
                continue
            found += [
                self._noted(DraftStep({"set": values}, origin=child.construct.place))
                for values in iteration_sets(child, self.resolver)
            ]
        for child in children:
            if child.is_enabled:
                found += [self._noted(step) for step in self._element(child, scope)]
        return found

    def _noted(self, step: DraftStep) -> DraftStep:
        step.notes[:0] = self.notes
        self.notes.clear()
        return step

    def _element(self, element: JmxElement, scope: JmxScope) -> list[DraftStep]:
        if is_scoped(element):
            return []
        if element.kind in CONTROLLERS:
            return self._controller(element, scope)
        if element.kind in ("ModuleController", "IncludeController"):
            return self._module(element, scope)
        if element.kind in _LISTENERS or element.kind.endswith(("Visualizer", "Gui")):
            element.whole()
            self._keep_results(element)
            return self._below(element, scope)
        if settings_of(element, self.resolver, self.class_keys, self.hooks.draft, self.files):
            return self._below(element, scope)
        return self._sampler(element, scope.within(element.children))

    def _keep_results(self, listener: JmxElement) -> None:
        """A listener that writes a file: the run writes a JTL too."""
        if listener.kind == "ResultCollector" and listener.peek("filename").strip():
            formats = ["metrics.json", "results.csv", "report.html", "jtl"]
            self.hooks.draft.extra["report"] = {"formats": formats}

    def _below(self, element: JmxElement, scope: JmxScope) -> list[DraftStep]:
        return self.steps(element.children, scope) if element.children else []

    def _sampler(self, sampler: JmxElement, scope: JmxScope) -> list[DraftStep]:
        """Return a sampler with what JMeter does before it and after it."""
        inner = [
            DraftStep({"set": values}, origin=child.construct.place)
            for child in sampler.children
            if child.is_enabled
            for values in iteration_sets(child, self.resolver)
        ]
        before = [*inner, *self._before(scope), *pauses(scope, self.resolver)]
        if is_http(sampler):
            own, after = self._request(sampler, scope)
        elif is_script(sampler):
            own, after = self.hooks.steps(sampler, self.resolver, after_reply=False), []
        else:
            own, after = other_sampler(sampler, self.resolver), []
            if sampler.kind not in OTHER_SAMPLERS:
                before = []
        if drawn := self.resolver.variables.drawn():
            before.append(DraftStep({"set": drawn}, origin=sampler.construct.place))
        if not is_http(sampler):
            self._unused(sampler)
        rest = [one for one in sampler.children if one.is_enabled and not is_scoped(one)]
        for one in sampler.children:
            if not one.is_enabled:
                one.drop()
        return [*before, *own, *after, *self._children_of_sampler(rest, scope)]

    def _children_of_sampler(self, rest: list[JmxElement], scope: JmxScope) -> list[DraftStep]:
        """Judge what stands below a sampler and isn't in its scope: listeners, config elements."""
        found: list[DraftStep] = []
        for one in rest:
            if not list(iteration_sets(one, self.resolver)):
                found += self._element(one, scope)
        return found

    def _unused(self, sampler: JmxElement) -> None:
        """Judge what stands below a sampler that has no expectations or extractions."""
        for one in sampler.children:
            is_idle = is_scoped(one) and not is_rate(one) and one.construct.fate is None
            if one.is_enabled and is_idle:
                one.leave_out("only requests have expectations and extractions")

    def _before(self, scope: JmxScope) -> list[DraftStep]:
        found: list[DraftStep] = []
        for one in scope.pre:
            if is_script(one):
                found += self.hooks.steps(one, self.resolver, after_reply=False)
            elif one.kind == "SampleTimeout":
                one.settle()
            elif one.kind != "UserParameters":
                one.leave_out(
                    "nothing changes a request before it is sent: write its URL, or `set`"
                )
        return found

    def _request(
        self, sampler: JmxElement, scope: JmxScope
    ) -> tuple[list[DraftStep], list[DraftStep]]:
        """Return a request, and the steps that scripts after it become."""
        step = JmxHttpReader(self.resolver, self.files).request(sampler, scope)
        for one in scope.pre:
            if one.kind == "SampleTimeout":
                limit = one.take("InterruptTimer.timeout").strip()
                if limit.isdigit() and int(limit):
                    step.body["timeout"] = milliseconds(int(limit))
        self.resolver.variables.has_reply = True
        expect: Keys = {}
        extract: Keys = {}
        for one in scope.assertions:
            if not is_script(one) and not extract_expected(one, extract, self.resolver):
                expect_of(one, expect, self.resolver)
        after = [each for one in scope.post for each in self._after(one, extract)]
        judges = [one for one in scope.assertions if is_script(one)]
        after += [
            each
            for one in judges
            for each in self.hooks.steps(one, self.resolver, after_reply=True)
        ]
        if expect:
            step.body["expect"] = expect
        if extract:
            step.body["extract"] = extract
        return [step], after

    def _after(self, element: JmxElement, extract: Keys) -> list[DraftStep]:
        """Add what a post-processor takes from the reply; return the steps of a script."""
        if name := status_name(element):
            element.whole()
            values: Keys = {self.resolver.variables.set(name): "${status | string}"}
            return [DraftStep({"set": values}, origin=element.construct.place)]
        if element.kind in EXTRACTORS:
            extract_of(element, extract, self.resolver)
        elif is_script(element):
            return self.hooks.steps(element, self.resolver, after_reply=True)
        elif element.kind == "ResultAction":
            self._on_error(element)
        elif element.kind == "DebugPostProcessor":
            element.whole()
        else:
            element.leave_out("nothing reads a reply but `extract`, and a function of `python`")
        return []

    def _on_error(self, element: JmxElement) -> None:
        element.settle()
        action = element.take("OnError.action", "0").strip()
        fate = {"1": "stop_user", "4": "stop_iteration", "5": "stop_iteration"}.get(action)
        if fate:
            self.class_keys["on_error"] = fate
        elif action != "0":
            element.judge("OnError.action", "write a threshold: `errors == 0, abort`")

    def _controller(self, element: JmxElement, scope: JmxScope) -> list[DraftStep]:
        element.settle()
        return CONTROLLERS[element.kind](self._nested(element, scope))

    def _nested(self, element: JmxElement, scope: JmxScope) -> JmxController:
        inner = scope.within(element.children)

        def options() -> list[list[DraftStep]]:
            """Return the steps of each child that does something."""
            found = (self.steps([one], inner) for one in element.children if not is_scoped(one))
            return [steps for steps in found if steps]

        return JmxController(element, self.resolver, lambda: self._below(element, scope), options)

    def _module(self, element: JmxElement, scope: JmxScope) -> list[DraftStep]:
        element.whole()
        found = self.modules(element)
        if not found:
            for name in ("ModuleController.node_path", "IncludeController.includepath"):
                if name in element.properties:
                    element.properties[name].construct.needs_you(
                        "what it means isn't in the files that were given: add it"
                    )
            return []
        if id(element) in self._inside or len(self._inside) > 12:
            element.construct.left_out("modules run in a circle")
            return []
        self._inside.append(id(element))
        steps = self.steps(found, scope)
        self._inside.pop()
        return steps
