"""What thresholds may name, and which of it this run selects."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from fnmatch import fnmatchcase
from typing import Final

from planrunner.compiler.load.meant_phases import PhaseNames
from planrunner.compiler.load.named_phases import (
    NamedPhase,
    named_phases,
    phase_names,
    stage_names,
)
from planrunner.compiler.steps.walk_steps import Flows
from planrunner.compiler.thresholds.expectations import requests_measured, senders_asked
from planrunner.compiler.thresholds.meant_names import meant_of
from planrunner.graph.run_graph import UserProgram
from planrunner.graph.steps import Naming
from planrunner.language.expressions.expression import ExpressionError, to_text
from planrunner.language.fields.text import lower_value
from planrunner.metrics.name_patterns import NameForm
from planrunner.metrics.series import Labels
from planrunner.metrics.thresholds import Metric, Threshold, ThresholdScope
from planrunner.metrics.thresholds.selector import (
    AllOf,
    AnyOf,
    Matcher,
    NotTerm,
    SelectorKind,
    Term,
)
from planrunner.plan.models.load.workload import PhaseModel
from planrunner.plan.models.plan import PlanModel
from planrunner.plan.models.requests import Operation, written_name
from planrunner.plan.models.steps import BlockModel, StepModel
from planrunner.plan.models.users import TaskModel, UserModel
from planrunner.protocols.base import FailureKind
from planrunner.values import dataclass

__all__ = ["KnownTargets", "names_of"]

_OF_GENERATOR: Final = ("generator.loop_lag", "generator.cpu")
_HELD_BY_CLASSES: Final = frozenset(
    {
        SelectorKind.REQUEST,
        SelectorKind.TASK,
        SelectorKind.USER,
        SelectorKind.GROUP,
        SelectorKind.TAG,
        SelectorKind.ITERATION,
    }
)

_GIVEN_BY_FUNCTIONS: Final = frozenset({SelectorKind.REQUEST, SelectorKind.GROUP, SelectorKind.TAG})

OwnerOfTask = tuple[str, str]
"""A user class and one of its tasks; no task for what all users of the class do."""

Running = Mapping[str, frozenset[str]]
"""User classes that are meant to have users, each with its tasks."""


@dataclass(slots=True)
class KnownTargets:
    """Everything in the plan that a threshold may name, and what of it runs.

    Attributes:
        profile: The profile that runs; empty when the plan has none.
        owners: By kind and name, the tasks that it belongs to; none for setup and teardown.
        statuses: Names of statuses that the plan's protocols have.
        methods: Actions that a bare name takes as a whole, such as `etcd.put`, with their tasks.
        senders: The protocols of the requests of a request name or action, task or user class.
        sent: The protocols of all requests of user classes.
        templates: Names that only users give values, as they are written.
        values: The values of each tag; None when one is only known while the run goes on.
        stages: The stages of each phase, those of all profiles included.
        phases: What the phases are called, those of all profiles included.
        profiles: The phases of each profile.
        brought: Of each profile that the one that runs uses, what its phases are called in this
            run, by the names that they have when it runs alone.
        varies: What each phase that searches varies, `users` or `rate`, in all profiles.
        sizes: What differs within its matrix and is a number, of each phase in all profiles.
        varied: The params that matrices give values.
        gauges: What is measured of services and by monitors.
        running: The phases of this run, each with the classes that are meant to have users in it.
        sites: What the classes that are meant to have users may send in each phase of this run.
        searches: Which of them search for a level; only thresholds that name one judge it.
        timed: In which of them iterations have a due time, from a rate or a pace.
        everyone: All user classes, compiled, with all of their tasks.
        is_open: Functions or other tools may send requests that the plan doesn't name.
        has_tools: Other tools run phases, and `foreign` are those of this run.
    """

    profile: str = ""
    owners: dict[SelectorKind, dict[str, set[OwnerOfTask]]] = field(default_factory=dict)
    statuses: dict[str, None] = field(default_factory=dict)
    methods: dict[str, set[OwnerOfTask]] = field(default_factory=dict)
    senders: dict[SelectorKind, dict[str, set[str]]] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    templates: dict[str, Naming] = field(default_factory=dict)
    values: dict[str, set[str] | None] = field(default_factory=dict)
    stages: dict[str, set[str]] = field(default_factory=dict)
    phases: PhaseNames = field(default_factory=PhaseNames)
    profiles: dict[str, list[str]] = field(default_factory=dict)
    brought: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    varies: dict[str, set[str]] = field(default_factory=dict)
    sizes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    varied: frozenset[str] = frozenset()
    gauges: tuple[str, ...] = ()
    running: dict[str, Running] = field(default_factory=dict)
    sites: dict[str, Sequence[Labels]] = field(default_factory=dict)
    searches: set[str] = field(default_factory=set)
    timed: set[str] = field(default_factory=set)
    everyone: tuple[UserProgram, ...] = ()
    is_open: bool = False
    has_tools: bool = False
    foreign: set[str] = field(default_factory=set)
    _requests: tuple[Labels, ...] | None = None

    def requests(self) -> tuple[Labels, ...]:
        """Return the requests of user classes that are results, as their samples are labelled."""
        if self._requests is None:
            self._requests = requests_measured(self.everyone)
        return self._requests

    def choices(self, term: Term, phase: str | None) -> list[str] | None:
        """Return what the term may name; None when any name will do.

        Args:
            term: One name of a threshold.
            phase: The phase that the threshold looks at, which a stage must belong to.
        """
        match term.kind:
            case _ if term.form is NameForm.ANY:
                return None
            case SelectorKind.STATUS:
                is_open = any(fnmatchcase(term.name, one) for one in self.statuses if "*" in one)
                return None if is_open or term.name[0].isdigit() else list(self.statuses)
            case SelectorKind.SERVICE | SelectorKind.MONITOR | SelectorKind.GENERATOR:
                prefix = f"{term.kind}."
                found = [
                    name.removeprefix(prefix) for name in self.gauges if name.startswith(prefix)
                ]
            case SelectorKind.STAGE:
                found = self._stages(phase)
            case SelectorKind.ERROR:
                found = [kind.value for kind in FailureKind]
            case SelectorKind.PROFILE:
                found = list(self.profiles)
            case SelectorKind.PHASE:
                found = list(self.phases.bases)
            case kind:
                found = list(self.owners.get(_holder(kind), ()))
        return found

    def knows(self, term: Term, choices: Sequence[str]) -> bool:
        if term.kind is SelectorKind.PHASE and self.phases.meant_by(term.name):
            return True
        is_action = term.form is NameForm.ACTION and term.name in self.methods
        is_known = is_action or bool(meant_of(term, choices)) or self._may_come(term)
        is_known |= self.has_tools and term.kind is SelectorKind.USER  # a scenario's name
        return is_known or (self.is_open and term.kind in _GIVEN_BY_FUNCTIONS)

    def _may_come(self, term: Term) -> bool:
        """Whether a pattern may mean names that only users give."""
        if term.kind is not SelectorKind.REQUEST or not term.form.is_pattern:
            return False
        is_glob = term.form is NameForm.GLOB
        return any(not is_glob or naming.may_fit(term.name) for naming in self.templates.values())

    def settled(self, term: Term) -> Matcher:
        """Return what a term means in this plan.

        A name that has a `*` in the plan is that name, and one of a matrix all of its phases.
        """
        if term.kind is SelectorKind.PHASE:
            meant = self.phases.meant_by(term.name)
            return AnyOf(tuple(replace(term, name=one) for one in meant)) if meant[1:] else term
        if term.form is not NameForm.GLOB:
            return term
        name = term.name if term.value is None else term.value
        known = (
            self.choices(term, None) if term.value is None else self.values.get(term.name)
        ) or ()
        return replace(term, form=NameForm.NAME) if name in known else term

    def unknown_value(self, term: Term) -> list[str]:
        """Return the values that a tag has when the term asks for another one, else nothing."""
        values = self.values.get(term.name)
        if (
            term.kind is not SelectorKind.TAG
            or term.value is None
            or not values
            or any(map(term.means, values))
            or self.is_open
        ):
            return []
        return sorted(values)

    def note_phase(self, name: str, phase: PhaseModel) -> None:
        """Note what a phase has, of whatever profile."""
        self.stages.setdefault(name, set()).update(stage_names(phase))
        if phase.tool is not None:
            self.is_open = self.has_tools = True
        if phase.search is not None:
            self.varies.setdefault(name, set()).add(phase.search.vary)

    def note_origin(self, phase: NamedPhase) -> None:
        """Note which profiles bring a phase of this run."""
        for profile, name in phase.called.items():
            if profile != self.profile:
                self.brought.setdefault(profile, {}).setdefault(name, set()).add(phase.name)

    def chosen_by(self, scope: ThresholdScope) -> ThresholdScope:
        """Return a scope that knows which phases it means, where their names don't say it.

        They come from a used profile, or are several combinations of a matrix.
        """
        wanted = None if scope.phase is None else self.phases.meant_by(scope.phase.name)
        if scope.profile is not None and scope.profile.name in self.brought:
            by_name = self.brought[scope.profile.name]
            chosen = (by_name.get(name, set()) for name in (by_name if wanted is None else wanted))
            return replace(scope, chosen=frozenset().union(*chosen))
        if scope.phase is None or not wanted or wanted == (scope.phase.name,):
            return scope
        return replace(scope, chosen=frozenset(wanted))

    def why_not(self, threshold: Threshold) -> str:
        """Return why this run doesn't select what the threshold looks at; empty when it does."""
        reasons = (self._why_not(metric) for metric in threshold.metrics)
        return next((reason for reason in reasons if reason), "")

    def sites_in(self, metric: Metric) -> Iterator[Labels]:
        """Yield what may be sent in the phases of this run that the metric looks at."""
        for phase, sites in self.sites.items():
            is_apart = phase in self.searches and metric.scope.phase is None
            if metric.scope.takes(phase) and not is_apart:
                yield from (one for one in sites if one.kind == metric.population)

    def _stages(self, phase: str | None) -> list[str]:
        named = self.phases.meant_by(phase or "")
        phases = [self.stages[name] for name in named or self.stages]
        return list(dict.fromkeys(name for stages in phases for name in sorted(stages)))

    def _why_not(self, metric: Metric) -> str:
        scope = metric.scope
        known = (self.profile, *self.brought)
        if scope.profile is not None and scope.profile.name not in known:
            return f"profile {scope.profile.name} does not run"
        phases = [name for name in self.running if scope.takes(name)]
        if not phases and scope.phase is not None:
            return f"phase {scope.phase.name} does not run"
        if not phases and scope.profile is not None and scope.chosen is not None:
            return f"no phase of profile {scope.profile.name} runs"
        if scope.stage is not None:
            phases = [name for name in phases if scope.stage.name in self.stages.get(name, ())]
            if not phases:
                return f"stage {scope.stage.name} does not run"
        why = self._without_load(metric, phases)
        return why if why or self.foreign & {*phases} else self._without_senders(metric, phases)

    def _without_load(self, metric: Metric, phases: Sequence[str]) -> str:
        """Return why the load of these phases has no such metric."""
        searches = self.searches.intersection(phases)
        if metric.agg.is_of_searches:
            return "" if searches or not self.running else "no search runs"
        judged = set(phases) - searches if metric.scope.phase is None else set(phases)
        if searches and not judged:
            return "only searches run, and this doesn't name one (`in phase NAME`)"
        if metric.agg.is_of_arrivals and judged and not judged & self.timed:
            return "no phase has a rate or a pace"
        return ""

    def _without_senders(self, metric: Metric, phases: Sequence[str]) -> str:
        """Return why no user of these phases sends what the metric picks."""
        scope = metric.scope
        running: dict[str, frozenset[str]] = {}
        for name in phases:
            for user, tasks in self.running[name].items():
                running[user] = running.get(user, frozenset()) | tasks
        roots = tuple(selector.root for selector in metric.selectors)
        reason = self._unselected(AllOf(roots), running)
        if not reason and (metric.agg.is_of_expectations or metric.measure.is_recorded):
            reason = _not_running(senders_asked(metric, self.requests()), running)
        return f"{reason} in phase {scope.phase.name}" if reason and scope.phase else reason

    def _unselected(self, selection: Matcher, running: Running) -> str:
        """Return why nothing that these users send can match; empty when something may."""
        match selection:
            case Term():
                return self._unselected_term(selection, running)
            case NotTerm():
                return ""
            case AllOf(parts):
                reasons = [self._unselected(part, running) for part in parts]
                return next((reason for reason in reasons if reason), "")
            case AnyOf(parts):
                reasons = [self._unselected(part, running) for part in parts]
                return reasons[0] if all(reasons) else ""

    def _unselected_term(self, term: Term, running: Running) -> str:
        if term.kind not in _HELD_BY_CLASSES or term.form is NameForm.ANY:
            return ""
        known = self.owners.get(_holder(term.kind), {})
        owners = set[OwnerOfTask]().union(*(known[name] for name in meant_of(term, known)))
        if term.form is NameForm.ACTION:
            owners |= self.methods.get(term.name, set())
        return _not_running(owners, running)


def _not_running(owners: Collection[OwnerOfTask], running: Running) -> str:
    """Return why none of these tasks runs; empty where one does, and where there are none."""
    if not owners or any(
        user in running and (not task or task in running[user]) for user, task in owners
    ):
        return ""
    if tasks := sorted({task for user, task in owners if task and user in running}):
        return f"task{'s' if len(tasks) > 1 else ''} {', '.join(tasks)} not selected"
    classes = sorted({user for user, _ in owners})
    return f"class{'es' if len(classes) > 1 else ''} {', '.join(classes)} not selected"


def _holder(kind: SelectorKind) -> SelectorKind:
    """Return whose names these are: iterations go by their user class."""
    return SelectorKind.USER if kind is SelectorKind.ITERATION else kind


def names_of(
    model: PlanModel, flows: Flows, profile: str, gauges: Sequence[str] = ()
) -> KnownTargets:
    """Return what the plan's thresholds may name; nothing runs yet."""
    names = KnownTargets(profile=profile, gauges=(*gauges, *_OF_GENERATOR))
    for name, user in (model.users or {}).items():
        _RequestOwner(names, name, flows).add(user)
    for block in (model.setup, model.teardown):
        _RequestOwner(names, "", flows).add_block(block)
    for name in model.profile_names() or ("",):
        places = model.schedule(name or None)
        names.phases.add(places)
        called = phase_names(places)
        if name:
            names.profiles[name] = called
        for place, phase_name in zip(places, called, strict=True):
            names.note_phase(phase_name, place.phase)
    for phase in named_phases(model, profile):
        names.note_origin(phase)
    return names


@dataclass(frozen=True, slots=True)
class _RequestOwner:
    """Takes in what one user class sends and is called; setup and teardown have no class."""

    names: KnownTargets
    name: str
    flows: Flows
    task: str = ""

    def add(self, user: UserModel) -> None:
        self._own(SelectorKind.USER, self.name)
        self._add_tags(user.tags)
        for task in user.tasks or ():
            _RequestOwner(self.names, self.name, self.flows, task.name).add_task(task)
        self._add_steps(user.steps or ())
        for block in (user.on_start, user.on_stop):
            self.add_block(block)

    def add_block(self, block: BlockModel | None) -> None:
        self._add_steps(block.do if block is not None else ())

    def add_task(self, task: TaskModel) -> None:
        self._own(SelectorKind.TASK, task.name)
        self._add_tags(task.tags)
        self._add_steps(task.steps)

    def _own(self, kind: SelectorKind, name: str) -> None:
        self._note(self.names.owners.setdefault(kind, {}), name)

    def _note(self, owners: dict[str, set[OwnerOfTask]], name: str) -> None:
        found = owners.setdefault(name, set())
        if self.name:
            found.add((self.name, self.task))

    def _add_steps(self, steps: Sequence[StepModel]) -> None:
        for step in _walk(steps, self.flows, ()):
            if step.group is not None:
                self._own(SelectorKind.GROUP, step.group)
            elif step.protocol_group is not None:
                word, group = step.protocol_group
                self._own(SelectorKind.GROUP, group.name or word)
            elif (request := step.operation) is not None:
                if request.is_silent:
                    continue  # what it fails of is counted, and nothing else
                self._own(SelectorKind.REQUEST, request.name)
                self._note(self.names.methods, request.action)
                self._add_request(request, request.name, request.action)
            elif step.poll is not None and step.poll.operation is not None:
                request = step.poll.operation
                name = written_name(step.name) or request.name
                self._own(SelectorKind.REQUEST, name)
                self._own(SelectorKind.GROUP, name)
                self._add_request(request, name)

    def _add_request(self, request: Operation, *called: str) -> None:
        self.names.statuses.update(dict.fromkeys(request.plugin.statuses))
        self._note_sender(request, *called)

    def _note_sender(self, request: Operation, *called: str) -> None:
        if not self.name:
            return  # setup and teardown are no result
        owners = [(SelectorKind.USER, self.name), (SelectorKind.TASK, self.task)]
        for kind, name in (*((SelectorKind.REQUEST, name) for name in called), *owners):
            known = self.names.senders.setdefault(kind, {})
            known.setdefault(name, set()).add(request.plugin.name)
        self.names.sent.add(request.plugin.name)

    def _add_tags(self, tags: Iterable[str] | Mapping[str, object] | None) -> None:
        for key in tags or ():
            self._own(SelectorKind.TAG, key)
            value = _constant(tags[key]) if isinstance(tags, Mapping) else ""
            known = self.names.values.setdefault(key, set())
            if value is None or known is None:
                self.names.values[key] = None
            else:
                known.add(value)


def _constant(value: object) -> str | None:
    """Return a tag's value as a label has it; None when the text alone does not decide it."""
    try:
        lowered = lower_value(value, {})
    except ExpressionError:
        return None
    return to_text(lowered.value) if lowered.is_constant else None


def _walk(
    steps: Sequence[StepModel], flows: Flows, calling: tuple[str, ...]
) -> Iterator[StepModel]:
    """Yield every step, those inside others and in called flows included."""
    for step in steps:
        yield step
        for _, inner in step.inside():
            yield from _walk(inner, flows, calling)
        flow = flows.models.get(step.called)
        if flow is not None and step.called not in calling:
            yield from _walk(flow.do, flows, (*calling, step.called))
