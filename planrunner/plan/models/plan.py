"""What a plan may write at the top level, and in the files that it imports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from planrunner.language.diagnostics import Code, suggest
from planrunner.language.fields.declared import Field
from planrunner.language.fields.mapping import (
    GUESTS,
    Fault,
    GuestBook,
    PlanMapping,
    known_keys,
    later,
)
from planrunner.language.fields.types import Count, VariableName
from planrunner.language.foreign_words import PLAN_WORDS
from planrunner.plan.models.load.counted_users import with_counted_users
from planrunner.plan.models.load.profiles import PlacedPhase, in_combinations, phases_in
from planrunner.plan.models.load.stages import StageList, mixed_stages
from planrunner.plan.models.load.workload import PhaseModel
from planrunner.plan.models.params import ParamModel
from planrunner.plan.models.requests import PLAN_SETTINGS, LoneRequest, PlanGuests, RequestStep
from planrunner.plan.models.steps import BlockModel, FlowModel, StepModel
from planrunner.plan.models.thresholds import ThresholdModel
from planrunner.plan.models.users import UserModel
from planrunner.plan.yaml.document import PlanPath
from planrunner.protocols import registry

if TYPE_CHECKING:
    from planrunner.plan.models.data_sources import DataModel, FileModel
    from planrunner.plan.models.report_settings import NotificationModel, ReportModel
    from planrunner.plan.models.services import MonitorModel, ServiceModel
    from planrunner.plan.models.sharing import ValuePoolModel
    from planrunner.plan.output_kinds.model import OutputEntry
else:  # plans without these don't import what they take
    DataModel = later("planrunner.plan.models.data_sources", "DataModel")
    FileModel = later("planrunner.plan.models.data_sources", "FileModel")
    OutputEntry = later("planrunner.plan.output_kinds.model", "OutputEntry")
    ValuePoolModel = later("planrunner.plan.models.sharing", "ValuePoolModel")
    MonitorModel = later("planrunner.plan.models.services", "MonitorModel")
    NotificationModel = later("planrunner.plan.models.report_settings", "NotificationModel")
    ReportModel = later("planrunner.plan.models.report_settings", "ReportModel")
    ServiceModel = later("planrunner.plan.models.services", "ServiceModel")

__all__ = [
    "ImportModel",
    "OwnKeysMapping",
    "PlanModel",
    "is_extension",
    "requests_of",
    "steps_of",
]

_LOAD_KEYS: Final = ("stages", "phases", "profiles")

NonEmpty = Annotated[str, Field(min_length=1, pattern=r"\S")]


def is_extension(key: object) -> bool:
    """Say whether a root key is the author's own: `x-…`, where anchors live."""
    return isinstance(key, str) and key.startswith("x-")


class OwnKeysMapping(PlanMapping):
    """What files of plans have in common: `x-…` keys are the author's own."""

    @classmethod
    def expand(cls, data: object) -> object:
        if isinstance(data, dict) and any(map(is_extension, data)):
            return {key: value for key, value in data.items() if not is_extension(key)}
        return data


class ImportModel(OwnKeysMapping):
    """An imported file: parts of a plan, without a name. Each part may be empty."""

    nullable: ClassVar[frozenset[str]] = frozenset({"users", "flows", "data", "thresholds"})

    users: dict[str, UserModel] | None = None
    flows: dict[str, FlowModel] | None = None
    data: dict[VariableName, DataModel] | None = None
    thresholds: list[ThresholdModel] | None = None

    @classmethod
    def hint_unknown(cls, word: str) -> str:
        if word in known_keys(PlanModel):
            return (
                f"`{word}` belongs to the plan that imports this file; here only `users`, "
                "`flows`, `data` and `thresholds` are allowed"
            )
        return super().hint_unknown(word)


class PlanModel(OwnKeysMapping):
    """A plan: one performance test, read from top to bottom."""

    guest_book: ClassVar[GuestBook | None] = PLAN_SETTINGS

    synonyms: ClassVar[Mapping[str, str]] = {
        "title": "name",
        "include": "imports",
        "vars": "params",
        "scenarios": "users",
        "execution": "phases",
        "load": "phases",
        "assertions": "thresholds",
        "passfail": "thresholds",
        "reporting": "report",
        "monitoring": "monitors",
        "before": "setup",
        "after": "teardown",
        "feeders": "data",
        "payload": "data",
        "ensure": "thresholds",
        "datasets": "data",
        "user_classes": "users",
        "pass-fail": "thresholds",
        "fail_criteria": "thresholds",
        "checks_thresholds": "thresholds",
        "data_sources": "data",
        "csv": "data",
    }
    elsewhere: ClassVar[Mapping[str, str]] = PLAN_WORDS

    name: NonEmpty = Field(
        description="The name of the test in reports and directories.", examples=["shop stress"]
    )
    planrunner: Literal[1] = Field(
        1, description="The version of the plan language.", examples=["1"]
    )
    description: str | None = Field(
        None,
        description="The question that the test answers.",
        examples=["Does the shop hold 100 users?"],
    )
    imports: list[str] | None = Field(
        None,
        min_length=1,
        description="Files with users, flows, data and thresholds that belong to this plan.",
        examples=["[shared/auth.yaml]"],
    )
    params: dict[VariableName, ParamModel] | None = Field(
        None,
        description="Values that can be set from outside: `--set`, `--env`, environment variables.",
        examples=["{target: {type: url, default: 'http://localhost:8088', env: TARGET}}"],
    )
    environments: dict[str, dict[str, Any]] | None = Field(
        None,
        description="Named sets of param values, selected with `--env NAME`; `profile` picks one.",
        examples=["{staging: {target: 'https://staging.example.com', profile: smoke}}"],
    )
    cases: dict[str, dict[str, Any]] | None = Field(
        None,
        description="Named sets of param values, which the `matrix` of a phase runs through.",
        examples=["{small: {rows: 1000, limit: 1s}, large: {rows: 100000, limit: 30s}}"],
    )
    seed: Count | None = Field(
        None,
        description="Makes every random draw repeatable; when left out, it is drawn and printed.",
        examples=["42"],
    )
    protocols: PlanGuests | None = Field(None, alias=GUESTS)
    services: dict[str, ServiceModel] | None = Field(
        None,
        description="Processes to start before the load and stop after it.",
        examples=["{shop: {demo: shop}}"],
    )
    preflight: list[LoneRequest] | None = Field(
        None,
        description="Requests that must pass before any load is sent.",
        examples=["[{get: /, expect: {status: 2xx}}]"],
    )
    setup: BlockModel | None = Field(
        None,
        description="Steps that run once, before the load; every user can read what they set.",
        examples=["[{post: /reset}]"],
    )
    data: dict[VariableName, DataModel] | None = Field(
        None,
        description="Rows of test data, and how users share them.",
        examples=["{topics: {list: [python, docker], order: random}}"],
    )
    files: dict[VariableName, FileModel] | None = Field(
        None,
        description="Files of test data to write before the load.",
        examples=["{orders: {from: orders, rows: 100000, format: csv}}"],
    )
    pools: dict[VariableName, ValuePoolModel] | None = Field(
        None,
        description="Lists that users share, for the whole run.",
        examples=["{orders: {}}", "{orders: {shared: run}}"],
    )
    flows: dict[str, FlowModel] | None = Field(
        None,
        description="Named lists of steps, run with `call`.",
        examples=["{logout: [{post: /logout}]}"],
    )
    users: dict[str, UserModel] | None = Field(
        None,
        description="Classes of users: how many they are and what they do.",
        examples=["{Visitor: {wait: 1s..3s, tasks: [{get: /}]}}"],
    )
    stages: StageList | None = Field(
        None,
        description="The load, as one phase: levels that are reached in order.",
        examples=["[{duration: 30s, users: 10}, {duration: 1m, users: 10}]"],
    )
    phases: list[PhaseModel] | None = Field(
        None,
        description="The load, as phases that run in order.",
        examples=["[{users: 10, hold: 1m}, {users: 100, hold: 5m}]"],
    )
    profiles: dict[str, list[PhaseModel]] | None = Field(
        None,
        description="Named lists of phases, selected with `--profile`; the first is the default.",
        examples=[
            "{smoke: [{users: 5, hold: 1m}], load: [{users: 100, hold: 10m}], "
            "all: [{use: smoke}, {use: load}]}"
        ],
    )
    monitors: dict[str, MonitorModel] | None = Field(
        None,
        description="What to measure during the load.",
        examples=["{machine: {host: [cpu, net]}}"],
    )
    thresholds: list[ThresholdModel] | None = Field(
        None,
        description="What must be true for the run to pass. Default `error_rate < 1%`.",
        examples=["[p95 < 500ms, error_rate < 1%]"],
    )
    teardown: BlockModel | None = Field(
        None,
        description="Steps that run once, after the load.",
        examples=["[{delete: /kv}]"],
    )
    baseline: str | None = Field(
        None,
        min_length=1,
        description="The file that `N% of baseline` compares with.",
        examples=["reports/baseline.json"],
    )
    outputs: list[OutputEntry] | None = Field(
        None,
        description="Who receives every second of the run while it lasts.",
        examples=['[{jsonl: {file: "${run.dir}/seconds.jsonl"}}]'],
    )
    report: ReportModel | None = Field(
        None,
        description="What to write, and where.",
        examples=["{formats: [metrics.json, report.html]}"],
    )
    notify: list[NotificationModel] | None = Field(
        None,
        description="Services to notify when a run has ended.",
        examples=["[{url: '${notify_url}', on: fail, attach: [report.html]}]"],
    )
    hooks: str | None = Field(
        None,
        min_length=1,
        description="A Python file with the functions that `python` steps call.",
        examples=["hooks.py"],
    )

    @classmethod
    def expand(cls, data: object) -> object:
        data = super().expand(data)
        if isinstance(data, dict):
            _ask_packages(data)
            data = with_counted_users(data)
        return data

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        given = [key for key in data if key in _LOAD_KEYS]
        for key in given[1:]:
            yield Fault(
                Code.CONFLICTING_KEYS,
                f"`{key}` can't be combined with `{given[0]}`",
                "`stages` is short for one phase; put all of them under `phases` or `profiles`",
                key,
            )
        if not given and not _is_misspelt(data, _LOAD_KEYS):
            yield Fault(
                Code.MISSING_KEY,
                "the plan does not say how much load to send",
                "add `stages:` with a list such as `- {duration: 1m, users: 10}`, or `phases:`, "
                "or `profiles:`",
            )
        yield from _empty_load(data)
        yield from _lonely_uses(data)
        if _lacks_users(data):
            yield Fault(
                Code.MISSING_KEY,
                "the plan has no users",
                "add `users:` with a class such as `Visitor: {tasks: [{get: /}]}`",
            )
        yield from mixed_stages(data.get("stages"))

    def profile_names(self) -> tuple[str, ...]:
        """Return the profiles in file order; none when the plan has no `profiles:`."""
        return tuple(self.profiles or ())

    def schedule(self, profile: str | None = None) -> list[PlacedPhase]:
        """Return the phases that run, each with its place in the plan, those of a matrix in order.

        Args:
            profile: The first one when None; the plan must have it.
        """
        if self.stages is not None:
            # Checked already, as part of the plan.
            return [PlacedPhase((), PhaseModel.model_construct(stages=self.stages))]
        if self.phases is not None:
            places = [
                PlacedPhase(("phases", index), phase) for index, phase in enumerate(self.phases)
            ]
            return in_combinations(places)
        profiles = self.profiles or {}
        chosen = next(iter(profiles), "") if profile is None else profile
        return in_combinations(phases_in(profiles, chosen))


def _ask_packages(data: Mapping[Any, Any]) -> None:
    """Look for the protocols of other packages when a key may be the settings of one.

    It may when it is none of ours and a step below begins with it: `echo:` and `echo.send:`.
    """
    known = known_keys(PlanModel)
    unknown = {key for key in data if isinstance(key, str) and key not in known}
    if unknown:
        for name in unknown & set(_beginnings(data)):
            registry.settings_key(name, ask_packages=True)


def _beginnings(data: object) -> Iterator[str]:
    """Yield the first half of each dotted key below."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            if isinstance(key, str) and "." in key:
                yield key.partition(".")[0]
            yield from _beginnings(value)
    elif isinstance(data, list):
        for item in data:
            yield from _beginnings(item)


def _is_misspelt(data: Mapping[str, Any], keys: tuple[str, ...]) -> bool:
    """Say whether an unknown key looks like one of `keys`: it is reported as that."""
    unknown = (str(key) for key in data if key not in known_keys(PlanModel))
    return any(suggest(word, keys) or PlanModel.synonyms.get(word) in keys for word in unknown)


def _empty_load(data: Mapping[str, Any]) -> Iterator[Fault]:
    for key in ("phases", "profiles"):
        if data.get(key) in ([], {}):
            yield Fault(
                Code.NO_LOAD,
                f"`{key}` is empty",
                "add a phase such as `{users: 10, hold: 1m}`",
                key,
            )
    profiles = data.get("profiles")
    for name, phases in profiles.items() if isinstance(profiles, dict) else ():
        if not phases:
            yield Fault(
                Code.NO_LOAD,
                f"profile `{name}` has no phases",
                "add a phase such as `{users: 10, hold: 1m}`",
                str(name),
                ("profiles",),
            )


def _lacks_users(data: Mapping[str, Any]) -> bool:
    """Say whether nobody sends anything: no class of users, and no other tool in all phases."""
    if "users" in data or "imports" in data or _is_misspelt(data, ("users",)):
        return False
    lists = [data.get("phases"), *_values(data.get("profiles"))]
    phases = [phase for one in lists if isinstance(one, list) for phase in one]
    return not phases or not all(
        isinstance(phase, dict) and ("tool" in phase or "use" in phase) for phase in phases
    )


def _values(data: object) -> Iterable[object]:
    return data.values() if isinstance(data, dict) else ()


def _lonely_uses(data: Mapping[str, Any]) -> Iterator[Fault]:
    phases = data.get("phases")
    for index, phase in enumerate(phases if isinstance(phases, list) else ()):
        if isinstance(phase, dict) and "use" in phase:
            yield Fault(
                Code.NOT_ALLOWED,
                "`use` names a profile, and a plan with `phases` has none",
                "put the phases under `profiles:`, which maps names to lists of phases",
                "use",
                ("phases", index),
            )


def steps_of(model: PlanModel) -> Iterator[tuple[PlanPath, StepModel]]:
    """Yield every step of a plan with its place, those inside other steps too."""
    for path, steps in _lists(model):
        yield from _in_steps(steps, path)


def _lists(model: PlanModel) -> Iterator[tuple[PlanPath, Sequence[StepModel]]]:
    """Yield every list of steps, those inside steps excepted."""
    for key, block in (("setup", model.setup), ("teardown", model.teardown)):
        if block is not None:
            yield (key, "do"), block.do
    for name, flow in (model.flows or {}).items():
        yield ("flows", name, "do"), flow.do
    for name, user in (model.users or {}).items():
        path: PlanPath = ("users", name)
        for key, block in (("on_start", user.on_start), ("on_stop", user.on_stop)):
            if block is not None:
                yield (*path, key, "do"), block.do
        yield (*path, "steps"), user.steps or ()
        for index, task in enumerate(user.tasks or ()):
            yield (*path, "tasks", index, "steps"), task.steps


def _in_steps(steps: Sequence[StepModel], path: PlanPath) -> Iterator[tuple[PlanPath, StepModel]]:
    for index, step in enumerate(steps):
        where = (*path, index)
        yield where, step
        for keys, inner in step.inside():
            yield from _in_steps(inner, (*where, *keys))


def requests_of(model: PlanModel) -> Iterator[tuple[PlanPath, RequestStep]]:
    """Yield everything that may be a request, with the place of its step."""
    for path, step in steps_of(model):
        yield path, step
        if step.poll is not None:
            yield path, step.poll
    for index, request in enumerate(model.preflight or ()):
        yield ("preflight", index), request
