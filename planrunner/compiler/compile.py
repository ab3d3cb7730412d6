"""CheckedPlan → RunGraph: every name resolved, every constant folded, every request made ready."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.data.files import PlanFiles, files_read
from planrunner.compiler.data.plan_data import PlanData
from planrunner.compiler.data.sources import (
    check_row_counts,
    references_reached,
    with_columns,
)
from planrunner.compiler.load.chosen_profile import choose_profile
from planrunner.compiler.load.idle import idle_notices
from planrunner.compiler.load.selection import PlanSelection
from planrunner.compiler.masked_findings import masked_findings
from planrunner.compiler.names.known_names import Known
from planrunner.compiler.names.origins import origins_of
from planrunner.compiler.names.params import secrets_of, shown_param, written_param
from planrunner.compiler.names.shared_names import SharedNames
from planrunner.compiler.once import check_hooks, compile_once
from planrunner.compiler.receivers.notifications import compile_notifications
from planrunner.compiler.schedule import PhaseSchedule, compile_schedule
from planrunner.compiler.services import Target, gauges_of
from planrunner.compiler.settings_block import SettingsBlock, SettingsBlocks
from planrunner.compiler.sharing import check_sharing, compile_pools
from planrunner.compiler.steps.expansion import check_expansion
from planrunner.compiler.steps.walk_steps import Flow, Flows
from planrunner.compiler.thresholds.hints import threshold_notices
from planrunner.compiler.thresholds.measures import measures_asked_for
from planrunner.compiler.thresholds.names import KnownTargets, names_of
from planrunner.compiler.thresholds.sent import note_sent
from planrunner.compiler.thresholds.sites import sites_of
from planrunner.compiler.thresholds.statements import Stated, compile_thresholds
from planrunner.compiler.users import compile_users
from planrunner.errors import PackageMissing
from planrunner.formats import METRICS_JSON, partial_words
from planrunner.graph.data import DataNode
from planrunner.graph.notification import NotificationNode
from planrunner.graph.outputs import OutputNode
from planrunner.graph.run_graph import (
    Evaluate,
    PhaseNode,
    ReportSettings,
    RunGraph,
    SearchLoad,
    UserProgram,
)
from planrunner.graph.target import AUTO_PORT
from planrunner.language.diagnostics import Code, Diagnostic, PlanError
from planrunner.language.expressions.builtins.names import ROOT_HELPERS
from planrunner.language.expressions.lowering import bounded_folding
from planrunner.language.fields.text import Text, parse_text
from planrunner.language.files import FileFault
from planrunner.language.hashes import sha256
from planrunner.language.secrets import Masker
from planrunner.metrics.thresholds import Threshold
from planrunner.plan.deprecated import deprecated_keys
from planrunner.plan.format_packages import need_package
from planrunner.plan.loader import CheckedPlan
from planrunner.plan.models.plan import PlanModel
from planrunner.plan.params.environments import param_values
from planrunner.plan.yaml.document import PlanPath
from planrunner.protocols import registry

__all__ = ["compile_plan"]

# Stands for a directory that is made when a plan runs.
_SCRATCH: Final = Path("/tmp/planrunner")


@bounded_folding()
def compile_plan(
    plan: CheckedPlan,
    *,
    seed: int = 0,
    ports: Mapping[str, int] | None = None,
    selection: PlanSelection | None = None,
    scratch: Path | None = None,
    seen: dict[PlanPath, Known] | None = None,
) -> RunGraph:
    """Compile a loaded plan.

    Args:
        plan: Loaded and valid in itself.
        seed: Used when the plan has none.
        ports: The ports of services, by name, when they are going to be started.
        selection: Which part of the plan runs; all of its first profile when None.
        scratch: Where services get a directory of their own while they run.
        seen: Takes the names that are known at each place, also of a plan with faults.

    Raises:
        PlanError: Names that don't exist, values that can't be; all faults at once.
    """
    compiler = _Compiler(plan, seed, ports or {}, scratch or _SCRATCH, seen)
    return compiler.compile(selection or PlanSelection())


class _Compiler:
    def __init__(
        self,
        plan: CheckedPlan,
        seed: int,
        ports: Mapping[str, int],
        scratch: Path,
        seen: dict[PlanPath, Known] | None,
    ) -> None:
        self._plan, bundle = plan, plan.bundle
        self._model: PlanModel = plan.model
        self._seed = seed
        self._scratch = scratch
        self._channels: dict[str, SettingsBlock] = {}
        self._everyone: list[UserProgram] = []
        services = self._model.services or {}
        self._ports = {name: ports.get(name, AUTO_PORT) for name in services}
        params = {name: param.value for name, param in plan.params.items()}
        known = Known(
            params=frozenset(params),
            services=frozenset(services),
            portless=frozenset(
                name
                for name, model in services.items()
                if model.port is None and model.demo is None
            ),
            elsewhere=self._elsewhere(),
        )
        secrets = frozenset(name for name, param in plan.params.items() if param.secret)
        work = Compilation(plan.document, dict(params), known, secrets=secrets, seen=seen)
        self._work = replace(work, arguments=bundle.arguments, is_of_worker=bool(bundle.host))
        self._add_services(params)

    def _elsewhere(self) -> dict[str, str]:
        environments = param_values(self._model.environments or {}, self._model.params or {})
        return {name: block for block, values in environments.items() for name in values}

    def _add_services(self, constants: dict[str, object]) -> None:
        work = self._work
        for name, model in (self._model.services or {}).items():
            if model.port is not None and model.port != "auto":
                where = ("services", name, "port")
                self._ports[name] = work.settle(model.port, where, AUTO_PORT)
        constants["services"] = {
            name: {
                "port": port,
                "url": f"http://127.0.0.1:{port}",
                "address": f"127.0.0.1:{port}",
                "dir": str(self._scratch / name),
            }
            for name, port in self._ports.items()
        }
        self._work = replace(work, constants=constants)

    def compile(self, selection: PlanSelection) -> RunGraph:
        model, work = self._model, self._work
        chosen, why = choose_profile(work, self._plan, selection.profile)
        files, known, shared = self._rows_and_lists()
        blocks = self._blocks(work)
        flows = Flows(model.flows or {})
        self._check_size()
        probes = blocks.of(registry.own_verbs())
        target = Target(work, self._plan, self._ports, probes, self._scratch)
        services, monitors = target.services(), target.monitors()

        check_hooks(work, self._plan)

        def flows_with(work: Compilation, blocks: SettingsBlocks) -> Callable[[Known], Flow]:
            files_at, functions = self._plan.files_at, self._plan.bundle.functions
            return lambda known: Flow(
                work, blocks, files_at, flows, known, shared=shared, functions=functions
            )

        def users_with(constants: Compilation) -> tuple[UserProgram, ...]:
            own = blocks if constants is work else self._blocks(constants)
            return self._users(constants, own, once.known, flows_with(constants, own))

        once = compile_once(self._plan, known, flows_with(work, blocks))
        schedule = compile_schedule(work, self._plan, selection, chosen, users_with, files.of)
        users, phases = schedule.users, tuple(schedule.phases)
        data = self._check_phases(schedule, shared)
        stated = self._stated(schedule)
        names = note_sent(
            names_of(model, flows, chosen, gauges_of(services, monitors)),
            self._everyone,
            (once.setup, once.teardown),
        )
        thresholds = self._thresholds(stated, schedule, names)
        phases = tuple(_with_slo(phase, schedule, names) for phase in phases)
        report, outputs = self._report(), self._outputs(users)
        notifications = compile_notifications(work, model.notify or (), report.formats)
        name, baseline = self._plain(model.name, "name"), self._baseline()
        seed = work.settle(model.seed, ("seed",), self._seed)
        if work.faults:
            raise PlanError(self._masked(list(dict.fromkeys(work.faults)), schedule))
        secrets = self._secrets(schedule, notifications)
        # Whether or not the param that has one is declared to be secret.
        covered = Masker(one.url for one in notifications)
        return RunGraph(
            source=plan_path(self._plan),
            name=name,
            slug=slug_of(name),
            description=self._plain(model.description, "description"),
            plan_hash=self._hash(),
            seed=seed,
            seed_was_drawn=model.seed is None,
            profile=chosen,
            profile_reason=why,
            origins=tuple(
                replace(origin, value=covered(origin.value)) for origin in origins_of(self._plan)
            ),
            params={name: covered(shown_param(param)) for name, param in self._plan.params.items()},
            settings={name: block.settings for name, block in self._channels.items()},
            clients={
                name: block.plugin.client_for(block.settings)
                for name, block in self._channels.items()
            },
            sources=tuple(source for block in self._channels.values() for source in block.sources),
            services=services,
            monitors=monitors,
            preflight=once.preflight,
            setup=once.setup,
            teardown=once.teardown,
            users=users,
            data=data,
            notices=(
                *map(str, deprecated_keys(self._plan.document)),
                *schedule.notices,
                *idle_notices((phase, schedule.programs(phase)) for phase in phases),
                *threshold_notices(thresholds, phases),
                *self._data.notices(),
                *files.notices(work),
                *dict.fromkeys(work.notices),
            ),
            phases=phases,
            thresholds=thresholds,
            report=report,
            default_threshold=not stated,
            secrets=secrets,
            measures=measures_asked_for(thresholds, phases, names.sent),
            pools=tuple(shared.pools.values()),
            files=files.of_blocks(work),
            outputs=outputs,
            baseline=baseline or f"reports/{slug_of(name)}/baseline.json",
            plan_text=Masker(secrets)(self._plan.shown_text),
            notifications=notifications,
        )

    def _rows_and_lists(self) -> tuple[PlanFiles, Known, SharedNames]:
        """Compile what has values for users before any step: data, files of it, and pools."""
        work, model = self._work, self._model
        self._data = PlanData(work, model.data or {}, self._plan.files_at)
        files = PlanFiles(work, model, self._data)
        columns = with_columns(work.constant_names, model.data or {}, self._data.nodes)
        known, shared = compile_pools(work, model.pools or {}, files.known(columns))
        return files, replace(known, is_open=bool(self._plan.bundle.functions)), shared

    def _check_size(self) -> None:
        """Raise what is known so far if compiling what calls stand for would take too long."""
        work = self._work
        check_expansion(work, self._model)
        if any(fault.code is Code.TOO_COMPLEX for fault in work.faults):
            raise PlanError(masked_findings(work.faults, self._plan))

    def _check_phases(self, schedule: PhaseSchedule, shared: SharedNames) -> tuple[DataNode, ...]:
        """Note what the users of the phases can't have together; return what they draw from."""
        pairs = [(phase, schedule.programs(phase)) for phase in schedule.phases]
        programs = (*schedule.users, *(program for _, found in pairs for program in found))
        data = self._data.drawn(key for one in programs for key in (*one.data, *one.rows))
        peaks = [
            (phase.class_of_seats(programs), {program.name: program.data for program in programs})
            for phase, programs in pairs
        ]
        check_row_counts(self._work, data, peaks)
        check_sharing(self._work, shared, self._model, pairs)
        return data

    def _masked(
        self, found: Sequence[Diagnostic], schedule: PhaseSchedule
    ) -> tuple[Diagnostic, ...]:
        return masked_findings(found, self._plan, schedule.params)

    def _secrets(
        self, schedule: PhaseSchedule, notifications: Sequence[NotificationNode]
    ) -> tuple[str, ...]:
        resolved = secrets_of((*self._plan.params.values(), *schedule.params))
        urls = (one.url for one in notifications)
        return tuple(dict.fromkeys(filter(None, (*resolved, *self._plan.secrets, *urls))))

    def _stated(self, schedule: PhaseSchedule) -> list[Stated]:
        """Return the thresholds of the plan, and those of its phases."""
        params = {name: written_param(param) for name, param in self._plan.params.items()}
        return [
            *(
                Stated(self._work, item, ("thresholds", index), params)
                for index, item in enumerate(self._model.thresholds or ())
            ),
            *schedule.thresholds,
        ]

    def _thresholds(
        self, stated: Sequence[Stated], schedule: PhaseSchedule, names: KnownTargets
    ) -> tuple[Threshold, ...]:
        names.everyone, names.sizes = schedule.everyone, schedule.sizes
        names.varied = frozenset(schedule.varied)
        for phase in schedule.phases:
            programs = schedule.programs(phase)
            if phase.load.is_search:
                names.searches.add(phase.name)
            if phase.load.is_foreign:
                names.foreign.add(phase.name)
            if phase.load.has_due_times or any(program.pace_ns for program in programs):
                names.timed.add(phase.name)
            wanted = phase.load.classes_asked_for([program.share for program in programs])
            running = [program for program in programs if program.name in wanted]
            names.running[phase.name] = {
                program.name: frozenset(task.name for task in program.tasks) for program in running
            }
            sites = (site for program in running for site in sites_of(phase.name, program))
            names.sites[phase.name] = tuple(dict.fromkeys(sites))
        compile_thresholds(schedule.unused_thresholds, names)  # what is wrong there is said too
        return compile_thresholds(stated, names)

    def _with_data(
        self, work: Compilation, users: tuple[UserProgram, ...]
    ) -> tuple[UserProgram, ...]:
        """Note for each class which data sources its users draw from, and which files they read."""
        model = self._model
        if not model.data:
            return users
        models, flows = model.users or {}, model.flows or {}
        found = []
        for user in users:
            read = [*references_reached([models[user.name], model.protocols], flows)]
            drawn, whole = self._data.read_by(work, read)
            found.append(replace(user, data=drawn, rows=whole, files=files_read(read)))
        return tuple(found)

    def _blocks(self, work: Compilation) -> SettingsBlocks:
        """Return what requests start from, compiled for what the plan writes."""
        written = self._model.protocols or {}
        blocks = SettingsBlocks(
            work,
            written,
            (),
            files_at=self._plan.files_at,
            on_open=self._channels.setdefault,
        )
        for plugin in (registry.own_verbs(), *map(registry.named, written)):
            blocks.of(plugin)
        return blocks

    def _users(
        self,
        work: Compilation,
        blocks: SettingsBlocks,
        known: Known,
        open_flow: Callable[[Known], Flow],
    ) -> tuple[UserProgram, ...]:
        models = self._model.users or {}
        users = self._with_data(work, compile_users(work, models, known, open_flow, blocks))
        self._everyone += users
        return users

    def _plain(self, text: str | None, key: str) -> str:
        """Return a text of the plan's first level, with the values of params in it."""
        if text is None or "${" not in text:
            return text or ""
        work = self._work
        parsed = work.attempt(lambda: parse_text(text), (key,), None)
        return work.constant_text(parsed, (key,), work.constant_names) or text

    def _baseline(self) -> str:
        text = self._plain(self._model.baseline, "baseline")
        try:
            self._plan.bundle.folders.and_here().locate(text)
        except FileFault as fault:
            message = f"`{text}` {fault.message}"
            self._work.fault(("baseline",), fault.code, message, hint=fault.hint)
        return text

    def _report(self) -> ReportSettings:
        model = self._model.report
        if model is None:
            return ReportSettings()
        default = ReportSettings()
        formats = dict.fromkeys((METRICS_JSON, *(model.formats or default.formats)))
        for index, name in enumerate(model.formats or ()):
            self._need_package(name, index)
        samples = model.samples or default.samples
        if words := partial_words(formats, samples):
            self._work.notice(("report", "samples"), words)
        return ReportSettings(self._directory(model.dir), tuple(formats), samples)

    def _outputs(self, users: tuple[UserProgram, ...]) -> tuple[OutputNode, ...]:
        if not self._model.outputs:
            return ()
        from planrunner.compiler.receivers.outputs import compile_outputs  # noqa: PLC0415 - few plans have any

        return compile_outputs(self._work, self._model.outputs, users)

    def _need_package(self, name: str, index: int) -> None:
        """Refuse a report that can't be written here."""
        try:
            need_package(name)
        except PackageMissing as missing:
            where = ("report", "formats", index)
            self._work.fault(where, Code.NOT_AVAILABLE, missing.message, hint=missing.hint)

    def _directory(self, text: Text | None) -> Evaluate | None:
        """Return `report.dir`, which nothing but the run's id and seed may make unique."""
        if text is None:
            return None
        work, where = self._work, ("report", "dir")
        for reference in text.references:
            if reference.root in ROOT_HELPERS or reference.path == ("dir",):
                work.must_be_constant(where, inside=(reference.offset, len(reference.root)))
                return None
        return work.value(text, where, work.constant_names).evaluate

    def _hash(self) -> str:
        digest = sha256(self._plan.bundle.digest.encode())
        for name, param in sorted(self._plan.params.items()):
            digest.update(f"\0{name}={param.value!r}".encode())
        for option in self._plan.changes.of_load:
            digest.update(f"\0{option}".encode())
        return digest.hexdigest()[:16]


def _with_slo(phase: PhaseNode, schedule: PhaseSchedule, names: KnownTargets) -> PhaseNode:
    """Return the phase with what must hold at each level, if it is a search."""
    if not isinstance(phase.load, SearchLoad):
        return phase
    slo = compile_thresholds(schedule.slo[phase.name], names)
    return replace(phase, load=replace(phase.load, slo=slo))


def plan_path(plan: CheckedPlan) -> str:
    """Return the plan's path as the user gave it."""
    return str(Path(plan.document.file))


def slug_of(name: str) -> str:
    """Return a name as a directory can have it: lower case, letters, digits and hyphens."""
    kept = "".join(letter if letter.isalnum() else "-" for letter in name.lower())
    words = [word for word in kept.split("-") if word]
    return "-".join(words)[:80] or "plan"
