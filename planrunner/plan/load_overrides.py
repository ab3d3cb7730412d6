"""`--users`, `--rate`, `--hold`, `--spawn-rate` and `--stages`: another load for the same users."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from planrunner.errors import PlanrunnerError
from planrunner.language.diagnostics import Code, PlanError
from planrunner.load.population import Share, seats
from planrunner.plan.models.load.profiles import unfold, unique_names
from planrunner.plan.models.load.stages import expand_stages, level_key
from planrunner.plan.yaml.document import PlanPath
from planrunner.plan.yaml.edits import Edits, Option
from planrunner.plan.yaml.nodes import YamlNode
from planrunner.values import dataclass

__all__ = ["LOAD_OPTIONS", "PhaseKeys"]


@dataclass(frozen=True, slots=True)
class PhaseKeys:
    """The phases of a plan that hasn't been checked yet.

    Attributes:
        profile: The profile that runs; None for the first.
        phases: The phases that run, by name; empty for all.
    """

    edits: Edits
    profile: str | None = None
    phases: tuple[str, ...] = ()

    def names_at(self, path: PlanPath) -> list[str]:
        """Return what the entries of the list at `path` are called; none if it has no phases."""
        value = self.edits.document.value(path)
        is_phases = path == ("phases",) or (len(path) == 2 and path[0] == "profiles")
        if not is_phases or not isinstance(value, list):
            return []
        base = str(path[1]) if len(path) == 2 else "main"
        return unique_names(_used_by(item) or _wanted_name(item, base) for item in value)

    def running(self) -> Iterator[tuple[PlanPath, Mapping[str, Any]]]:
        """Yield the phases that run, each with its place; `stages:` of the plan is one too."""
        document = self.edits.document
        if document.has(("stages",)):
            yield (), {"stages": document.value(("stages",))}
            return
        places = self._places()
        names = unique_names(_wanted_name(document.value(path), base) for path, base in places)
        wanted = (path for (path, _), name in zip(places, names, strict=True) if self._runs(name))
        for path in dict.fromkeys(wanted):
            if isinstance(phase := document.value(path), dict):
                yield path, phase

    def _runs(self, name: str) -> bool:
        return not self.phases or name in self.phases

    def _places(self) -> list[tuple[PlanPath, str]]:
        """Return the place of each phase of the profile, and the name of one without its own."""
        profiles = self.edits.document.value(("profiles",))
        if not isinstance(profiles, dict) or not profiles:
            phases = self.edits.document.value(("phases",))
            count = len(phases) if isinstance(phases, list) else 0
            return [(("phases", index), "main") for index in range(count)]
        lists = {name: found if isinstance(found, list) else [] for name, found in profiles.items()}
        chosen = next(iter(lists)) if self.profile not in lists else str(self.profile)
        return [
            (("profiles", via[-1], index), via[-1])
            for via, index, _ in unfold(lists, chosen, _used_by)
        ]


def _used_by(entry: object) -> str | None:
    used = entry.get("use") if isinstance(entry, dict) else None
    return used if isinstance(used, str) else None


def _wanted_name(phase: object, base: str) -> str:
    own = phase.get("name") if isinstance(phase, dict) else None
    return own if isinstance(own, str) else base


def _refusal(option: Option, message: str, hint: str) -> PlanError:
    return PlanError([option.fault(Code.NOT_ALLOWED, message, hint=hint)])


def _set_users(schedule: PhaseKeys, option: Option, start: int) -> None:
    value = option.value(start)
    if not isinstance(value.data, int) or isinstance(value.data, bool):
        message = f"`{option.text[start:]}` is not a number of users"
        raise PlanError([option.fault(Code.INVALID_VALUE, message)])
    changed = False
    for path, phase in schedule.running():
        if "search" in phase:
            continue
        users, stages = phase.get("users"), phase.get("stages")
        if isinstance(users, dict):
            changed = True
            _split_users(schedule.edits, (*path, "users"), users, value)
        elif users is not None:
            changed = True
            schedule.edits.set((*path, "users"), value)
        elif level_key(stages) == "users":
            changed = True
            _scale(schedule.edits, (*path, "stages"), option, value)
    if not changed:
        hint = "an open model takes `--rate`"
        raise _refusal(option, "no phase that runs has users", hint)


def _split_users(
    edits: Edits, path: PlanPath, users: Mapping[str, object], wanted: YamlNode
) -> None:
    """Give each class its share of the users, in the proportion that the plan has."""
    counts = {name: count for name, count in users.items() if isinstance(count, int) and count > 0}
    if len(counts) < sum(count != 0 for count in users.values()):
        _not_a_number(edits, path)
        return
    order = list(counts)
    shares = [Share(name, weight=counts[name]) for name in order]
    taken = Counter(seats(shares, max(0, wanted.data))) if shares else Counter()
    for position, name in enumerate(order):
        node = YamlNode(wanted.source, wanted.start, wanted.end, taken[position])
        edits.set((*path, name), node)


def _scale(edits: Edits, path: PlanPath, option: Option, wanted: YamlNode) -> None:
    """Scale the stages at `path` so that the highest has as many users as wanted."""
    written = edits.document.value(path)
    try:
        stages = expand_stages(written)
    except (PlanrunnerError, ValueError):
        return  # what is wrong with it is said when the plan is checked
    if not isinstance(stages, list):
        return
    written_levels = [stage.get("users") for stage in stages if isinstance(stage, dict)]
    levels = [level for level in written_levels if isinstance(level, int)]
    if len(levels) < len(stages):
        _not_a_number(edits, path)
        return
    highest = max(levels, default=0)
    if not highest:
        return
    start, end = wanted.start - option.start, wanted.end - option.start
    if not isinstance(written, list):
        edits.set(path, option.node(stages, (start, end)))
    for index, level in enumerate(levels):
        users = -(-level * wanted.data // highest)  # rounded up: no stage with users loses all
        edits.set((*path, index, "users"), YamlNode(wanted.source, wanted.start, wanted.end, users))


def _not_a_number(edits: Edits, path: PlanPath) -> None:
    edits.faults.append(
        edits.document.diagnostic(
            path,
            Code.NOT_ALLOWED,
            "`--users` can't replace a number of users that is an expression",
            hint="set its params with `--set`",
        )
    )


def _set_rate(schedule: PhaseKeys, option: Option, start: int) -> None:
    value, changed = option.value(start), False
    for path, phase in schedule.running():
        if "rate" in phase:
            changed = True
            schedule.edits.set((*path, "rate"), value)
        elif level_key(phase.get("stages")) == "rate":
            message = f"`{'.'.join(map(str, (*path, 'stages')))}` has a rate for each stage"
            hint = "use `--override` with the path of each, or params in the plan"
            raise _refusal(option, message, hint)
    if not changed:
        message = "no phase that runs has a rate: `--rate` is for open models"
        hint = "a closed model takes `--users`"
        raise _refusal(option, message, hint)


def _set_hold(schedule: PhaseKeys, option: Option, start: int) -> None:
    value, changed = option.value(start), False
    for path, phase in schedule.running():
        if "hold" in phase:
            changed = True
            schedule.edits.set((*path, "hold"), value)
    if not changed:
        message = "no phase that runs has `hold`"
        hint = "each stage has its own `duration`: use `--override` with its path"
        raise _refusal(option, message, hint)


def _set_spawn_rate(schedule: PhaseKeys, option: Option, start: int) -> None:
    value, changed = option.value(start), False
    if isinstance(value.data, int | float):  # users a second, as other tools have it
        value = option.node(f"{value.data}/s", (start, len(option.text)))
    for path, phase in schedule.running():
        if "users" in phase and "search" not in phase:
            changed = True
            schedule.edits.drop((*path, "ramp_up"))
            schedule.edits.set((*path, "spawn_rate"), value)
    if not changed:
        message = "no phase that runs starts users one after the other"
        hint = "it needs a phase with `users`; stages say how long each ramp takes"
        raise _refusal(option, message, hint)


def _set_stages(schedule: PhaseKeys, option: Option, start: int) -> None:
    """Replace the load of the phases that have the same kind of level, whatever its shape was."""
    value, changed = option.value(start), False
    kind = level_key(value.data)
    for path, phase in schedule.running():
        if "search" in phase or not (kind in phase or level_key(phase.get("stages")) == kind):
            continue
        changed = True
        if isinstance(phase.get(kind), dict):
            message = f"`{'.'.join(map(str, (*path, kind)))}` has a number for each class"
            hint = "use `--users` or `--rate`, which keep their proportion"
            raise _refusal(option, message, hint)
        for key in ("users", "rate", "ramp_up", "spawn_rate", "hold"):
            schedule.edits.drop((*path, key))
        schedule.edits.set((*path, "stages"), value)
    if not changed:
        message = f"no phase that runs has `{kind or 'users'}`"
        hint = "levels are users, `2m:200`, or rates, `2m:200/s`, as in the phase they replace"
        raise _refusal(option, message, hint)


# The others change the load that this one may have put there.
LOAD_OPTIONS: Final[Mapping[str, Callable[[PhaseKeys, Option, int], None]]] = {
    "--stages": _set_stages,
    "--users": _set_users,
    "--rate": _set_rate,
    "--hold": _set_hold,
    "--spawn-rate": _set_spawn_rate,
}
