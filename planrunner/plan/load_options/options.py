"""`--users`, `--rate`, `--hold`, `--spawn-rate` and `--stages`: another load for the same users.

A level that an option gives is the highest of a phase, and a time is how long its level or all of
its stages last: the shape of the load stays. Only `--stages` replaces it. See
docs/adr/0046-load-options-keep-the-shape.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import ceil
from typing import Any, Final

from planrunner.errors import PlanrunnerError
from planrunner.language.diagnostics import Code, PlanError
from planrunner.plan.load_options.levels import (
    MOST_USERS,
    LevelKind,
    as_written,
    in_proportion,
    read_number,
    scaled,
    stretched,
)
from planrunner.plan.load_options.phase_keys import PhaseKeys
from planrunner.plan.models.load.matrix import level_axes
from planrunner.plan.models.load.stages import expand_stages, level_key
from planrunner.plan.yaml.document import PlanPath
from planrunner.plan.yaml.edits import Option
from planrunner.plan.yaml.nodes import YamlNode
from planrunner.values import dataclass

__all__ = ["LOAD_OPTIONS"]

_LEVEL_KEYS: Final = ("users", "rate", "from", "ramp_up", "spawn_rate", "hold")


def _refusal(option: Option, message: str, hint: str) -> PlanError:
    return PlanError([option.fault(Code.NOT_ALLOWED, message, hint=hint)])


def _name_of(path: PlanPath) -> str:
    return ".".join(map(str, path))


def _is_counted(phase: Mapping[str, Any]) -> bool:
    return "iterations" in phase or "iterations_per_user" in phase


@dataclass(frozen=True, slots=True)
class _Applied:
    """An option as it is applied to phases.

    Attributes:
        start: Where its value begins, in characters of the option.
        node: Its value.
    """

    schedule: PhaseKeys
    option: Option
    start: int
    node: YamlNode

    @classmethod
    def of(cls, schedule: PhaseKeys, option: Option, start: int) -> _Applied:
        return cls(schedule, option, start, option.value(start))

    @property
    def name(self) -> str:
        return self.option.text[: self.start - 1]

    def number(self, key: str) -> Fraction:
        """Return the value as a number.

        Raises:
            PlanError: It isn't one.
        """
        try:
            return read_number(key, self.node.data, self.schedule.constants(()))
        except PlanrunnerError as error:
            code = Code.INVALID_VALUE if key == "users" else Code.INVALID_UNIT
            place = (self.start, len(self.option.text))
            fault = self.option.fault(code, error.message, at=place, hint=error.hint)
            raise PlanError([fault]) from error

    def level(self, key: LevelKind, without_load: str, hint: str) -> Fraction:
        """Return the highest level of a load.

        Raises:
            PlanError: It isn't a number, or it is 0: no load has that as its highest level.
        """
        if level := self.number(key):
            return level
        place = (self.start, len(self.option.text))
        raise PlanError([self.option.fault(Code.NO_LOAD, without_load, at=place, hint=hint)])

    def put(self, path: PlanPath, value: object) -> None:
        """Write a value that follows from the option."""
        node = self.option.node(value, (self.start, len(self.option.text)))
        self.schedule.edits.set(path, node)

    def known(self, key: str, written: Sequence[object], path: PlanPath) -> list[Fraction] | None:
        """Return numbers of the plan; None where a fault says what is wrong, or soon will."""
        constants = self.schedule.constants(path)
        try:
            return [read_number(key, value, constants) for value in written]
        except PlanrunnerError as error:
            if any(isinstance(value, str) and "${" in value for value in written):
                edits = self.schedule.edits
                message = f"`{self.name}` needs a number here: {error.message}"
                place = edits.document.nearest(path)
                fault = edits.document.diagnostic(place, Code.NOT_ALLOWED, message, hint=error.hint)
                edits.faults.append(fault)
            return None

    def stages_at(self, path: PlanPath) -> list[dict[str, Any]]:
        """Return the stages at `path`, which are written as a list from now on."""
        edits = self.schedule.edits
        written = edits.document.value(path)
        try:
            stages = expand_stages(written)
        except ValueError:  # what is wrong with them is said when the plan is checked
            return []
        if not isinstance(stages, list) or not all(isinstance(stage, dict) for stage in stages):
            return []
        if stages and not isinstance(written, list):
            self.put(path, stages)
        return stages

    def change_stages(
        self, path: PlanPath, key: str, change: Callable[[list[Fraction]], list[Fraction]]
    ) -> None:
        """Change the levels, or the times, of stages in proportion."""
        written = [stage.get(key) for stage in self.stages_at(path)]
        numbers = self.known(key, written, path)
        if numbers and any(numbers):
            for index, number in enumerate(change(numbers)):
                self.put((*path, index, key), as_written(key, number))


def _set_users(schedule: PhaseKeys, option: Option, start: int) -> None:
    applied = _Applied.of(schedule, option, start)
    if not isinstance(applied.node.data, int | str) or isinstance(applied.node.data, bool):
        message = f"`{option.text[start:]}` is not a number of users"
        raise PlanError([option.fault(Code.INVALID_VALUE, message)])
    wanted = applied.level("users", "no user ever starts", "write at least `1`")
    if wanted > MOST_USERS:
        message = f"{int(wanted):,} users are more than a machine can run"
        hint = f"write at most {MOST_USERS:,}"
        raise PlanError([option.fault(Code.INVALID_VALUE, message, hint=hint)])
    if not _set_levels(applied, "users", wanted):
        hint = "they have arrivals in place of users: use `--rate`"
        raise _refusal(option, "no phase that runs has users", hint)


def _set_rate(schedule: PhaseKeys, option: Option, start: int) -> None:
    applied = _Applied.of(schedule, option, start)
    wanted = applied.level("rate", "no iteration ever starts", "write at least `1/h`")
    if not _set_levels(applied, "rate", wanted):
        hint = "a closed model takes `--users`"
        message = "no phase that runs has a rate: `--rate` is for open models"
        raise _refusal(option, message, hint)


def _refuse_matrix(option: Option, kind: str, path: PlanPath, phase: Mapping[str, Any]) -> None:
    """Refuse to change a load that the phase's matrix sets.

    Raises:
        PlanError: It does.
    """
    if kind in level_axes(phase):
        message = f"the matrix of `{_name_of(path)}` sets `{kind}`"
        hint = f'pick from it with `--phase "NAME[{kind}=…]"`, or leave out the option'
        raise _refusal(option, message, hint)


def _set_levels(applied: _Applied, kind: LevelKind, wanted: Fraction) -> bool:
    """Let each phase reach a level; say whether any has one of this kind."""
    schedule, changed = applied.schedule, False
    for path, phase in schedule.running():
        _refuse_matrix(applied.option, kind, path, phase)
        written = schedule.users_of(path, phase) if kind == "users" else phase.get(kind)
        search = phase.get("search")
        if isinstance(search, dict):
            if search.get("vary") != kind:
                continue
            schedule.edits.set((*path, "search", "to"), applied.node)
        elif level_key(phase.get("stages")) == kind:
            _scale(applied, path, kind, wanted)
        elif isinstance(written, dict):
            _split(applied, path, kind, wanted, written)
        elif kind in phase and "from" in phase:
            _scale(applied, path, kind, wanted)
        elif kind in phase:
            schedule.edits.set((*path, kind), applied.node)
        else:
            continue
        changed = True
    return changed


def _scale(applied: _Applied, path: PlanPath, kind: LevelKind, wanted: Fraction) -> None:
    """Scale the levels of a phase, those included that it begins at."""
    places: list[PlanPath] = []
    for index, stage in enumerate(applied.stages_at((*path, "stages"))):
        places += ((*path, "stages", index, key) for key in (kind, "from") if key in stage)
    places += [(*path, key) for key in (kind, "from") if path and _has(applied, (*path, key))]
    document = applied.schedule.edits.document
    numbers = applied.known(kind, [document.value(place) for place in places], path)
    if numbers and any(numbers):
        for place, number in zip(places, scaled(numbers, wanted), strict=True):
            applied.put(place, as_written(kind, number))


def _has(applied: _Applied, path: PlanPath) -> bool:
    return applied.schedule.edits.document.has(path)


def _split(
    applied: _Applied,
    path: PlanPath,
    kind: LevelKind,
    wanted: Fraction,
    written: Mapping[str, object],
) -> None:
    """Give each class its part of a level, in the proportion that the plan has."""
    place, document = (*path, kind), applied.schedule.edits.document
    begin = [document.value((*path, "from"))] if _has(applied, (*path, "from")) else []
    numbers = applied.known(kind, [*written.values(), *begin], path)
    if not numbers or not any(numbers):
        return
    parts = dict(zip(written, numbers, strict=False))
    whole, *first = scaled([sum(parts.values(), Fraction(0)), *numbers[len(parts) :]], wanted)
    if whole:  # else the phase only goes down from where it begins
        whole = whole if kind == "rate" else Fraction(ceil(whole))
        parts = in_proportion(kind, parts, whole)
    split = {name: as_written(kind, part) for name, part in parts.items()}
    if not isinstance(document.value(place), dict):
        applied.put(place, split)
    else:
        for name, value in split.items():
            applied.put((*place, name), value)
    for level in first:
        applied.put((*path, "from"), as_written(kind, level))


def _set_hold(schedule: PhaseKeys, option: Option, start: int) -> None:
    applied, changed = _Applied.of(schedule, option, start), False
    wanted = applied.number("duration")
    for path, phase in schedule.running():
        search = phase.get("search")
        if "hold" in phase:
            schedule.edits.set((*path, "hold"), applied.node)
        elif isinstance(search, dict):
            schedule.edits.set((*path, "search", "hold"), applied.node)
        elif "stages" in phase:
            applied.change_stages(
                (*path, "stages"), "duration", lambda times: stretched(times, wanted)
            )
        else:
            continue
        changed = True
    if not changed:
        where = next((_name_of(path) for path, _ in schedule.running()), "phases.0")
        hint = f"a counted phase ends with its iterations: use `--override {where}.iterations=100`"
        raise _refusal(option, "no phase that runs lasts for a given time", hint)


def _set_spawn_rate(schedule: PhaseKeys, option: Option, start: int) -> None:
    applied, changed = _Applied.of(schedule, option, start), False
    value = applied.node
    if isinstance(value.data, int | float):  # users a second, as other tools have it
        value = option.node(f"{value.data}/s", (start, len(option.text)))
    for path, phase in schedule.running():
        if {"search", "stages", "rate"} & phase.keys():
            continue
        changed = True
        schedule.edits.drop((*path, "ramp_up"))
        schedule.edits.set((*path, "spawn_rate"), value)
    if not changed:
        message = "no phase that runs starts users one after the other"
        hint = (
            "it needs a phase with `users`; stages say how long each ramp takes, and `--stages` "
            "replaces them"
        )
        raise _refusal(option, message, hint)


def _set_stages(schedule: PhaseKeys, option: Option, start: int) -> None:
    """Replace the load of the phases that have the same kind of level, whatever its shape was."""
    applied, changed = _Applied.of(schedule, option, start), False
    kind = level_key(applied.node.data)
    for path, phase in schedule.running():
        if "search" in phase or _is_counted(phase):
            continue
        _refuse_matrix(option, kind or "", path, phase)
        levels = schedule.users_of(path, phase) if kind == "users" else phase.get(kind)
        if levels is None and level_key(phase.get("stages")) != kind:
            continue
        changed = True
        if isinstance(phase.get(kind), dict):
            message = f"`{_name_of((*path, kind))}` has a number for each class"
            hint = f"use `--{kind}`, which keeps their proportion"
            raise _refusal(option, message, hint)
        for key in _LEVEL_KEYS if path else ():  # beside `stages` of the plan are its classes
            schedule.edits.drop((*path, key))
        schedule.edits.set((*path, "stages"), applied.node)
    if not changed:
        message = f"no phase that runs has `{kind or 'users'}` and a given time"
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
