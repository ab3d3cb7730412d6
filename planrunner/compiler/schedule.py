"""What runs when: the phases of the profile, each with its users, params and thresholds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.load.matrix import CombinedPhase, PlanMatrices
from planrunner.compiler.load.meant_phases import PhaseNames
from planrunner.compiler.load.named_phases import NamedPhase, named_phases
from planrunner.compiler.load.phases import compile_phase
from planrunner.compiler.load.selection import (
    PlanSelection,
    choices_in,
    select,
    selection_of_phase,
)
from planrunner.compiler.load.unknown_choice import list_of, unknown_choice
from planrunner.compiler.load.uses import check_uses
from planrunner.compiler.names.params import shown_param, written_param
from planrunner.compiler.names.references import references_in
from planrunner.compiler.thresholds.statements import Stated
from planrunner.graph.data import FileNode
from planrunner.graph.run_graph import PhaseNode, UserProgram
from planrunner.language.diagnostics import Code, suggest
from planrunner.plan.loader import CheckedPlan
from planrunner.plan.models.load.profiles import MOST_USED, PlacedPhase
from planrunner.plan.models.load.workload import PhaseModel
from planrunner.plan.models.thresholds import ThresholdModel
from planrunner.plan.params.resolve import (
    Param,
    ParamSource,
    names_in,
    resolve_value,
    resolve_values,
)
from planrunner.plan.yaml.document import PlanPath
from planrunner.plan.yaml.edits import typed
from planrunner.values import dataclass

__all__ = ["PhaseSchedule", "compile_schedule"]

CompileUsers = Callable[[Compilation], tuple[UserProgram, ...]]
"""Compiles every user class with the constants of a compilation."""

CompileFiles = Callable[[Compilation, Iterable[str]], tuple[FileNode, ...]]
"""Compiles the files with these names, with the constants of a compilation."""


@dataclass(slots=True)
class PhaseSchedule:
    """What runs.

    Attributes:
        everyone: All classes, with all of their tasks.
        users: The classes that are selected, with their selected tasks.
        thresholds: Those of the profile's phases, of those too that aren't selected.
        unused_thresholds: Those of phases in other profiles.
        slo: What must hold at each level of a search, by phase.
        params: Values that only a phase has.
        notices: What the selection leaves out, each a sentence.
        sizes: What differs within its matrix and is a number, of every phase.
        varied: The params that matrices of the profile give values.
    """

    everyone: tuple[UserProgram, ...]
    users: tuple[UserProgram, ...]
    phases: list[PhaseNode] = field(default_factory=list)
    thresholds: list[Stated] = field(default_factory=list)
    unused_thresholds: list[Stated] = field(default_factory=list)
    slo: dict[str, list[Stated]] = field(default_factory=dict)
    params: list[Param] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    sizes: dict[str, Mapping[str, float]] = field(default_factory=dict)
    varied: set[str] = field(default_factory=set)

    def programs(self, phase: PhaseNode) -> tuple[UserProgram, ...]:
        """Return what the classes of a phase do in it."""
        return phase.programs or tuple(
            program for program in self.users if program.name in phase.classes
        )


def compile_schedule(
    work: Compilation,
    plan: CheckedPlan,
    selection: PlanSelection,
    profile: str,
    compile_users: CompileUsers,
    compile_files: CompileFiles,
) -> PhaseSchedule:
    """Compile the users, and all phases of the plan; those of other profiles are only checked."""
    check_uses(work, plan.model.profiles or {})
    everyone = compile_users(work)
    for choice in choices_in(selection, everyone):
        if not choice.is_known:
            work.faults.append(
                unknown_choice(choice.option, choice.kind, choice.name, choice.exists)
            )
    schedule = PhaseSchedule(everyone, select(selection, everyone))
    compiler = _Phases(work, plan, selection, everyone, schedule, compile_users, compile_files)
    compiler.compile(profile)
    for other in plan.model.profile_names():
        if other != profile:
            ignored = PhaseSchedule(everyone, everyone)
            phases = _Phases(
                work,
                plan,
                PlanSelection(),
                everyone,
                ignored,
                compile_users,
                lambda *_: (),
                alone=True,
            )
            phases.compile(other)
            schedule.sizes = {**ignored.sizes, **schedule.sizes}
            schedule.unused_thresholds += ignored.thresholds
            schedule.unused_thresholds += (item for slo in ignored.slo.values() for item in slo)
    return schedule


def _levels(phase: PhaseModel) -> Mapping[str, object]:
    """Return the levels that a phase gives class by class; none when it splits one by weight."""
    if isinstance(phase.users, Mapping):
        return phase.users
    return phase.rate if isinstance(phase.rate, Mapping) else {}


@dataclass(frozen=True, slots=True)
class _Phases:
    """Compiles the phases of one profile into `schedule`.

    Attributes:
        alone: Whether phases that the profile only uses are left to the profile that has them.
    """

    work: Compilation
    plan: CheckedPlan
    selection: PlanSelection
    everyone: tuple[UserProgram, ...]
    schedule: PhaseSchedule
    compile_users: CompileUsers
    compile_files: CompileFiles
    alone: bool = False

    def compile(self, profile: str) -> None:
        phases = named_phases(self.plan.model, profile, own=self.alone)
        if self._are_too_many(phases, profile):
            return
        wanted = self._wanted([phase.place for phase in phases])
        before = len(self.work.faults)
        matrices = PlanMatrices(self.work, self.plan, self.selection)
        matrices.check_cases()
        for phase in phases:
            combined = matrices.of(phase.place)
            self.schedule.sizes[phase.name] = combined.sizes
            runs = combined.is_picked and (wanted is None or phase.name in wanted)
            self._add(phase, combined, profile, runs=runs)
        self.schedule.params.extend(matrices.params())
        if not self.alone:
            self.work.faults.extend(matrices.unmatched())
            self.schedule.notices.extend(matrices.notices())
            self.schedule.varied.update(matrices.varied())
            self._once(self.schedule.varied)
        if self.selection.is_partial:
            self._notice()
        nobody = not self.schedule.phases and self.selection != PlanSelection()
        if nobody and len(self.work.faults) == before == 0:
            self._nothing()

    def _are_too_many(self, phases: Sequence[NamedPhase], profile: str) -> bool:
        """Refuse matrices that together come to more phases than anybody can read."""
        count = sum(phase.place.combination is not None for phase in phases)
        if count <= MOST_USED:
            return False
        where: PlanPath = ("profiles", profile) if profile else ("phases",)
        message = f"the matrices come to {count:,} phases, and may come to {MOST_USED:,} at most"
        hint = "leave out values of axes, or make profiles of the parts"
        self.work.fault(where, Code.TOO_COMPLEX, message, hint=hint, part="key")
        return True

    def _once(self, varied: set[str]) -> None:
        """Say where a run has one value of a param that its phases have several of."""
        model = self.plan.model
        once = {"services": model.services, "setup": model.setup, "teardown": model.teardown}
        for section, piece in {**once, "preflight": model.preflight}.items():
            read = {one.root for _, one in references_in(piece)} & varied if piece else set()
            for name in sorted(read):
                self.schedule.notices.append(
                    f"{self.work.position((section,))}: `{section}` runs once, with `{name}` as it "
                    f"is without the matrix: {shown_param(self.plan.params[name])}"
                )

    def _wanted(self, places: Sequence[PlacedPhase]) -> set[str] | None:
        """Return the phases that `--phase` asks for; None where it is not given."""
        if not self.selection.phases:
            return None
        names = PhaseNames()
        names.add(places)
        for wanted in self.selection.phases:
            if (fault := names.fault_of(wanted)) is not None:
                begin = len("--phase ") + fault.offset
                self.work.faults.append(
                    typed(f"--phase {wanted}").fault(
                        Code.EMPTY_SELECTION,
                        fault.message,
                        at=(begin, begin + fault.length),
                        hint=fault.hint,
                    )
                )
        return {name for wanted in self.selection.phases for name in names.meant_by(wanted)}

    def _add(self, named: NamedPhase, combined: CombinedPhase, profile: str, *, runs: bool) -> None:
        phase, path, name = combined.phase, named.place.path, named.name
        called = (*named.called.values(), named.base)
        params, work, everyone = self._with_params(combined, path)
        written = {
            key: written_param(value) for key, value in {**self.plan.params, **params}.items()
        }
        self.schedule.thresholds += [
            Stated(work, threshold, (*path, "thresholds", index), written, name, called)
            for index, threshold in enumerate(phase.thresholds or ())
        ]
        if phase.search is not None:
            self.schedule.slo[name] = [
                Stated(
                    work,
                    ThresholdModel.model_validate(sentence),
                    (*path, "search", "slo", index),
                    written,
                    name,
                    called,
                )
                for index, sentence in enumerate(phase.search.slo)
            ]
        programs = self._programs(work, phase, path, everyone)
        if not programs and (phase.tool is None or self.selection.is_partial):
            if runs and self.selection.is_partial:
                self.schedule.notices.append(f"phase `{name}` is left out: none of its users run")
            return
        classes = {program.name: program.count for program in programs}
        known = {program.name: program.count for program in everyone}
        node = compile_phase(work, phase, path, name, (classes, known))
        if node is None or not runs:
            return
        same = self.schedule.users
        chosen = tuple(program for program in programs if program.name in node.classes)
        own = () if all(program in same for program in chosen) else chosen
        shown = {key: shown_param(param) for key, param in params.items()}
        origin = "" if named.profile == profile else named.profile
        if origin and node.start_at_ns is not None:
            self.schedule.notices.append(
                f"{work.position((*path, 'start_at'))}: `start_at` counts from the start of the "
                f"run, so phase `{name}` doesn't wait for what `{profile}` runs before `{origin}`"
            )
        read = self.compile_files(work, (name for program in chosen for name in program.files))
        self.schedule.phases.append(
            replace(
                node,
                programs=own,
                params=shown,
                profile=origin,
                files=read,
                matrix=named.base if combined.axes else "",
                axes=combined.axes,
                sizes=combined.sizes,
                size_units=self._units(combined.sizes),
            )
        )

    def _programs(
        self,
        work: Compilation,
        phase: PhaseModel,
        path: PlanPath,
        everyone: tuple[UserProgram, ...],
    ) -> tuple[UserProgram, ...]:
        """Return what is left of the users in a phase; nothing where another tool runs it."""
        if phase.tool is not None:
            return ()
        programs = select(self.selection, self._own_selection(work, phase, path, everyone))
        if levels := _levels(phase):
            programs = tuple(program for program in programs if program.name in levels)
            if not programs and not self._asks_nobody(phase, everyone):
                programs = everyone  # names of no class: that is said where they stand
        return programs

    def _units(self, sizes: Iterable[str]) -> dict[str, str]:
        """Return the types of params that are more than a number."""
        params = self.plan.params
        types = {name: params[name].type or "" for name in sizes if name in params}
        return {name: kind for name, kind in types.items() if kind not in ("", "int", "float")}

    def _asks_nobody(self, phase: PhaseModel, everyone: Sequence[UserProgram]) -> bool:
        """Say whether the classes that the phase names exist, and only aren't selected."""
        levels = _levels(phase)
        return any(program.name in levels for program in everyone)

    def _own_selection(
        self,
        work: Compilation,
        phase: PhaseModel,
        path: PlanPath,
        everyone: tuple[UserProgram, ...],
    ) -> tuple[UserProgram, ...]:
        """Return the users that the phase's own `only` and `skip` leave."""
        own = selection_of_phase(phase.only, phase.skip)
        before = len(work.faults)
        for choice in choices_in(own, everyone):
            if not choice.is_known:
                hint = suggest(choice.name, list(choice.exists)) or list_of(
                    choice.kind, choice.exists
                )
                message = f"no {choice.kind} is called `{choice.name}`"
                work.fault((*path, *choice.place), Code.EMPTY_SELECTION, message, hint=hint)
        selected = select(own, everyone)
        if not selected and len(work.faults) == before:
            key = "only" if phase.only is not None else "skip"
            message = "nothing of the plan is left in this phase"
            hint = list_of("user class", [program.name for program in everyone])
            work.fault((*path, key), Code.EMPTY_SELECTION, message, hint=hint, part="key")
        return selected or everyone

    def _with_params(
        self, combined: CombinedPhase, path: PlanPath
    ) -> tuple[dict[str, Param], Compilation, tuple[UserProgram, ...]]:
        """Return the phase's params, the constants, and the users as they are with them."""
        work, written = self.work, combined.phase.params
        if written is None and not combined.params:
            return {}, work, self.everyone
        place = (*path, "params")
        models = self.plan.model.params or {}
        own, faults = resolve_values(models, written or {}, place, work.document, self.plan.params)
        work.faults.extend(faults)
        self.schedule.params.extend(own.values())
        params = {**own, **combined.params}
        params |= self._derived(params)
        values = {name: param.value for name, param in params.items()}
        work = replace(work, constants={**work.constants, **values})
        # What can't run yet is known from the plan's own params.
        return params, work, self.compile_users(work)

    def _derived(self, given: Mapping[str, Param]) -> dict[str, Param]:
        """Return the params whose defaults read some that the phase changes."""
        models, changed = self.plan.model.params or {}, dict(given)
        found: dict[str, Param] = {}
        for name, model in models.items():
            is_default = self.plan.params[name].source is ParamSource.DEFAULT
            if (
                name in given
                or not is_default
                or changed.keys().isdisjoint(names_in(model.default))
            ):
                continue
            place = ("params", name, "default")
            known = {**self.plan.params, **changed}
            param, faults = resolve_value(
                models, name, model.default, place, self.work.document, known
            )
            self.work.faults.extend(faults)
            found[name] = changed[name] = param
        return found

    def _notice(self) -> None:
        """Say which classes are left out of load that is shared by weight."""
        kept = {program.name for program in self.schedule.users}
        left_out = [program.name for program in self.everyone if program.name not in kept]
        if left_out and kept:
            plural = "es" if len(left_out) > 1 else ""
            names = ", ".join(f"`{name}`" for name in left_out)
            self.schedule.notices.append(
                f"user class{plural} {names} left out: no selected task; "
                "load that is split by weight goes to the others"
            )

    def _nothing(self) -> None:
        """Note that the command line selects nothing at all."""
        options = " ".join(_options(self.selection))
        classes = [program.name for program in self.everyone]
        tasks = [task.name for program in self.everyone for task in program.tasks if task.name]
        hint = list_of("user class", classes) + (f"; {list_of('task', tasks)}" if tasks else "")
        self.work.faults.append(
            typed(options).fault(Code.EMPTY_SELECTION, "the selection leaves nothing", hint=hint)
        )


def _options(selection: PlanSelection) -> Iterator[str]:
    for option, names in (
        ("--phase", selection.phases),
        ("--case", selection.cases),
        ("--user", selection.users),
        ("--task", selection.tasks),
        ("--tag", selection.tags),
        ("--skip-tag", selection.skip_tags),
    ):
        yield from (f"{option} {name}" for name in names)
