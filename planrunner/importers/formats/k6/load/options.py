"""`options` of a script → phases, thresholds, and settings of requests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Final

from planrunner.importers.draft import DraftPhase, DraftPlan, DraftThreshold, Keys
from planrunner.importers.formats.k6.load.scenarios import NotALoad, ReadScenario, read_scenario
from planrunner.importers.formats.k6.load.thresholds import NotAThreshold, lenient, sentences
from planrunner.importers.formats.k6.state.machine import K6Machine
from planrunner.importers.reading.quantities import read_seconds, seconds
from planrunner.importers.templates import literal
from planrunner.loss.ledger import SourcePlace
from planrunner.values import dataclass

__all__ = ["K6Options"]

_LOAD: Final = frozenset({"scenarios", "stages", "vus", "duration", "iterations", "thresholds"})
_REPORTS: Final = frozenset(
    {
        *("summaryTrendStats", "summaryTimeUnit", "ext", "cloud", "systemTags", "noSummary"),
        *("setupTimeout", "teardownTimeout", "discardResponseBodies", "batch", "userAgent"),
        *("noUsageReport", "throw", "linger", "httpDebug", "rpc"),
    }
)


@dataclass(slots=True)
class K6Options:
    """The options, being read.

    Attributes:
        plain: As the script gives them where no variable of the environment is set.
        place: Of the options.
        scenarios: Those that phases say.
        names: Of all scenarios, those that are left out too.
    """

    plain: Mapping[str, Any]
    place: SourcePlace
    machine: K6Machine
    scenarios: list[ReadScenario] = field(default_factory=list)
    names: dict[str, bool] = field(default_factory=dict)

    def read_load(self) -> None:
        """Read what says how much load there is."""
        listed = self.plain.get("scenarios")
        if isinstance(listed, dict) and listed:
            for name, one in listed.items():
                self._scenario(str(name), one if isinstance(one, dict) else {})
            return
        short = self._short()
        if short is not None:
            self._scenario("default", short)

    def _short(self) -> Keys | None:
        """Return the options of the first level as a scenario."""
        found = {key: self.plain[key] for key in ("stages", "vus", "duration", "iterations")
                 if self.plain.get(key) is not None}  # fmt: skip
        if found.get("stages"):
            return {"executor": "ramping-vus", "stages": found["stages"],
                    "startVUs": found.get("vus", 1)}  # fmt: skip
        if "iterations" in found:
            duration = {"maxDuration": found["duration"]} if "duration" in found else {}
            return {"executor": "shared-iterations", "vus": found.get("vus", 1),
                    "iterations": found["iterations"], **duration}  # fmt: skip
        if "duration" in found:
            return {"executor": "constant-vus", **found}
        return {"executor": "shared-iterations", "vus": found.get("vus", 1), "iterations": 1}

    def _scenario(self, name: str, options: Keys) -> None:
        self.names[name] = False
        try:
            made = read_scenario(name, options)
        except NotALoad as fault:
            self._lose(f"scenarios.{name}", str(fault))
            return
        for key, why in made.losses.items():
            self._lose(f"scenarios.{name}.{key}", why)
        self._environment(name, options, made)
        self.names[name] = True
        self.scenarios.append(made)

    def _environment(self, name: str, options: Keys, made: ReadScenario) -> None:
        environment = options.get("env")
        params: Keys = {}
        for key, value in environment.items() if isinstance(environment, dict) else ():
            known = [one for one, spec in self.machine.params.items() if spec.get("env") == key]
            if known:
                params.update(dict.fromkeys(known, value))
            else:
                self._lose(f"scenarios.{name}.env.{key}", "nothing of the plan reads it")
        if params:
            made.keys["params"] = params
        tags = options.get("tags")
        for key, value in tags.items() if isinstance(tags, dict) else ():
            made.tags[str(key)] = str(value)
            self.machine.scenario_tags.setdefault((str(key), str(value)), []).append(name)

    def _lose(self, words: str, why: str, fate: str = "left_out") -> None:
        self.machine.finding("option", words, self.place, fate, why)

    def keep(self, functions: set[str]) -> None:
        """Keep the scenarios that run one of these functions."""
        for one in self.scenarios:
            self.names[one.name] = one.function in functions
        self.scenarios = [one for one in self.scenarios if one.function in functions]

    def write_phases(self, draft: DraftPlan, classes: Mapping[str, str]) -> None:
        """Write the phases; scenarios begin together unless they say otherwise."""
        are_many = len(self.scenarios) > 1
        are_split = len(classes) > 1
        for one in self.scenarios:
            keys = dict(one.keys)
            if not are_many and one.name == "default":
                del keys["name"]
            if are_many:
                keys.setdefault("start_at", "0s")
            if are_split and one.function in classes:
                keys = _only_for(keys, classes[one.function])
            draft.phases.append(DraftPhase(_ordered(keys), origin=self.place))

    def write_tags(self, draft: DraftPlan, classes: Mapping[str, str]) -> None:
        """Write the tags of scenarios as those of all requests of their classes."""
        for function, name in classes.items():
            users = next(each for each in draft.users if each.name == name)
            mine = [one for one in self.scenarios if one.function == function]
            for key in dict.fromkeys(key for one in mine for key in one.tags):
                http = users.keys.setdefault("http", {})
                assert isinstance(http, dict), "written here"
                http.setdefault("tags", {})[key] = _tag_of_phases(key, mine)

    def write_thresholds(self, draft: DraftPlan) -> None:
        """Write the thresholds; what no sentence says is a finding."""
        listed = self.plain.get("thresholds")
        are_named = len(self.scenarios) > 1 or any(one.name != "default" for one in self.scenarios)
        phases = {name: is_there and are_named for name, is_there in self.names.items()}
        for key, rules in listed.items() if isinstance(listed, dict) else ():
            for rule in rules if isinstance(rules, list) else [rules]:
                self._threshold(str(key), rule, draft, phases)

    def _threshold(
        self, key: str, rule: object, draft: DraftPlan, phases: Mapping[str, bool]
    ) -> None:
        said = rule.get("threshold") if isinstance(rule, dict) else rule
        words = f"{key}: {said}"
        try:
            found = sentences(key, rule, self.machine, phases)
        except NotAThreshold as fault:
            self.machine.finding("threshold", words, self.place, fault.fate, str(fault))
            return
        construct = self.machine.modules.ledger.add("threshold", words, self.place)
        if found.changed:
            construct.changed(found.changed)
        else:
            construct.translated()
        threshold: object = found.text
        if found.may_lack:
            threshold = lenient(found.text)
        if all(one.threshold != threshold for one in draft.thresholds):
            draft.thresholds.append(DraftThreshold(threshold, origin=self.place))

    def write_settings(self, draft: DraftPlan, classes: Mapping[str, Keys]) -> None:  # noqa: C901, PLR0912 - a table
        """Write what is about requests and iterations."""
        for key, value in self.plain.items():
            if key in _LOAD or key in _REPORTS:
                continue
            setting = _SETTINGS.get(key)
            if setting is not None:
                setting(draft, value)
            elif key == "minIterationDuration" and (time := read_seconds(value)):
                for keys in classes.values():
                    keys["pace"] = seconds(time)
            elif key == "rps" and value:
                for phase in draft.phases:
                    phase.keys["throttle"] = f"{value}/s"
            else:
                self._lose(key, f"`{key}` has no counterpart")
        agent = self.plain.get("userAgent")
        if agent:
            draft.http["headers"] = {"User-Agent": str(agent)}


def _tag_of_phases(key: str, scenarios: list[ReadScenario]) -> str:
    """Return the value of a tag: an expression where it depends on the phase."""
    values = [one.tags.get(key, "none") for one in scenarios]
    if len(set(values)) == 1:
        return literal(values[0])
    said = json.dumps(values[-1])
    for one, value in zip(reversed(scenarios[:-1]), reversed(values[:-1]), strict=True):
        said = f"{json.dumps(value)} if phase.name == {json.dumps(one.name)} else {said}"
    return f"${{{said}}}"


def _only_for(keys: Keys, name: str) -> Keys:
    """Give the users of a phase to one class."""
    found = dict(keys)
    for key in ("users", "rate"):
        if key in found:
            found[key] = {name: found[key]}
            return found
    return {**found, "only": {"users": [name]}}


def _ordered(keys: Keys) -> Keys:
    first = ("name", "start_at", "from", "users", "rate")
    return {key: keys[key] for key in (*first, *keys) if key in keys}


def _verify(draft: DraftPlan, value: object) -> None:
    if value:
        draft.http["verify"] = False


def _reuse(draft: DraftPlan, value: object) -> None:
    if value:
        draft.http["pool"] = {"keepalive": False}


def _reuse_of_user(draft: DraftPlan, value: object) -> None:
    if value:
        draft.http["pool"] = {"keepalive": "iteration"}


def _cookies(draft: DraftPlan, value: object) -> None:
    if value:
        draft.http["session"] = "user"


def _redirects(draft: DraftPlan, value: object) -> None:
    if value == 0:
        draft.http["follow_redirects"] = False


def _hosts(draft: DraftPlan, value: object) -> None:
    if isinstance(value, dict):
        draft.http["hosts"] = {str(key): str(one) for key, one in value.items()}


def _tags(draft: DraftPlan, value: object) -> None:
    if isinstance(value, dict):
        draft.http["tags"] = {str(key): str(one) for key, one in value.items()}


def _batch(draft: DraftPlan, value: object) -> None:
    if isinstance(value, int) and value > 0:
        draft.http["pool"] = {"per_user": value}


_SETTINGS: Final[dict[str, Callable[[DraftPlan, object], None]]] = {
    "insecureSkipTLSVerify": _verify,
    "noConnectionReuse": _reuse,
    "noVUConnectionReuse": _reuse_of_user,
    "noCookiesReset": _cookies,
    "maxRedirects": _redirects,
    "hosts": _hosts,
    "tags": _tags,
    "batchPerHost": _batch,
}
