"""The matrices of phases: what each value of an axis means, and what a combination gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import Final, cast

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.load.selection import PlanSelection
from planrunner.compiler.load.unknown_choice import list_of, unknown_choice
from planrunner.language.diagnostics import Code, Diagnostic, suggest
from planrunner.language.expressions.values import to_text
from planrunner.language.fields.mapping import in_words, invalid
from planrunner.plan.faults.find import diagnose
from planrunner.plan.loader import CheckedPlan
from planrunner.plan.models.load.matrix import CASE, LEVEL_AXES, read_level_axis
from planrunner.plan.models.load.profiles import PlacedPhase
from planrunner.plan.models.load.workload import PhaseModel
from planrunner.plan.params.resolve import Param, ParamSource, resolve_value, resolve_values
from planrunner.plan.yaml.document import KeyOrValue, PlanPath
from planrunner.plan.yaml.edits import typed
from planrunner.units import NS_PER_S, Rate
from planrunner.values import dataclass

__all__ = ["CombinedPhase", "PlanMatrices"]

_ANY_LEVEL: Final = {"users": 1, "rate": Rate(1, NS_PER_S)}
"""In place of one that is wrong, which has been said already."""

_NUMBERS: Final = frozenset({"int", "float", "duration", "size", "rate", "percent"})


@dataclass(frozen=True, slots=True)
class AxisValue:
    """What one value of an axis means.

    Attributes:
        params: The values that it gives params.
        level: The `users` or `rate` that it gives the phase; None where it gives none.
        numbers: What differs among the values of its axis and is a number, params as expressions
            have them.
        is_picked: Whether `--case` and `--set` leave it.
    """

    text: str
    params: Mapping[str, Param]
    level: int | Rate | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    is_picked: bool = True


@dataclass(frozen=True, slots=True)
class CombinedPhase:
    """A phase as a combination of its matrix has it.

    Attributes:
        params: Values that the combination gives to params.
        axes: Each axis with the text of its value.
        sizes: What differs within the matrix and is a number: params, `users`, `rate`.
        is_picked: Whether `--case` and `--set` leave it.
    """

    phase: PhaseModel
    params: Mapping[str, Param]
    axes: Mapping[str, str]
    sizes: Mapping[str, float]
    is_picked: bool = True


class PlanMatrices:
    """The plan's cases and matrices: each value is checked once, and its faults are noted then."""

    def __init__(self, work: Compilation, plan: CheckedPlan, selection: PlanSelection) -> None:
        self._work, self._plan, self._wanted = work, plan, selection.cases
        self._axes: dict[PlanPath, dict[str, list[AxisValue]]] = {}

    @cached_property
    def _cases(self) -> Mapping[str, Mapping[str, Param]]:
        work, plan = self._work, self._plan
        cases: dict[str, Mapping[str, Param]] = {}
        for name, values in (plan.model.cases or {}).items():
            cases[name], faults = resolve_values(
                plan.model.params or {}, values, ("cases", name), work.document, plan.params
            )
            work.faults.extend(faults)
        return cases

    def check_cases(self) -> None:
        """Note what is wrong with the cases, those too that no matrix names."""
        assert self._cases is not None

    def params(self) -> Iterator[Param]:
        """Yield every value that they give a param."""
        for axes in self._axes.values():
            for values in axes.values():
                for value in values:
                    yield from value.params.values()

    def of(self, place: PlacedPhase) -> CombinedPhase:
        """Return a phase as its combination has it; one without matrix as it is."""
        phase, combination = place.phase, place.combination
        if combination is None:
            return CombinedPhase(phase, {}, {}, {})
        axes = self._checked(place)
        chosen = {axis: axes[axis][number] for axis, number in combination.places.items()}
        levels = {
            axis: _ANY_LEVEL[axis] if one.level is None else one.level
            for axis, one in chosen.items()
            if _is_level(axis, phase)
        }
        return CombinedPhase(
            phase=phase.model_copy(update=levels) if levels else phase,
            params={name: param for one in chosen.values() for name, param in one.params.items()},
            axes={axis: one.text for axis, one in chosen.items()},
            sizes={
                name: float(number)
                for one in chosen.values()
                for name, number in one.numbers.items()
            },
            is_picked=all(one.is_picked for one in chosen.values()),
        )

    def unmatched(self) -> Iterator[Diagnostic]:
        """Yield each `--case`, and each `--set` of an axis, that leaves nothing of any matrix."""
        by_axis: dict[str, list[AxisValue]] = {}
        for axes in self._axes.values():
            for axis, values in axes.items():
                by_axis.setdefault(axis, []).extend(values)
        cases = tuple(dict.fromkeys(one.text for one in by_axis.get(CASE, ())))
        for wanted in self._wanted:
            if wanted not in cases:
                yield unknown_choice("--case", "case", wanted, cases)
        for axis, values in by_axis.items():
            if self._is_set(axis) and not any(one.is_picked for one in values):
                option = f"--set {axis}={to_text(self._plan.params[axis].value)}"
                hint = list_of("value", list(dict.fromkeys(one.text for one in values)))
                message = f"no phase's matrix has this value of `{axis}`"
                yield typed(option).fault(Code.EMPTY_SELECTION, message, hint=hint)

    def notices(self) -> Iterator[str]:
        """Yield what `--set` changes in cases, each a sentence."""
        for name in self._plan.params:
            given = (case for case, values in self._cases.items() if name in values)
            if self._is_set(name) and (cases := ", ".join(f"`{case}`" for case in given)):
                yield f"`--set {name}` counts for every case: {cases} would set it too"

    def varied(self) -> set[str]:
        """Return the params that some matrix gives values."""
        return {
            name
            for axes in self._axes.values()
            for values in axes.values()
            for value in values
            for name in value.params
        }

    def _is_set(self, name: str) -> bool:
        param = self._plan.params.get(name)
        return param is not None and param.source is ParamSource.OVERRIDE

    def _checked(self, place: PlacedPhase) -> dict[str, list[AxisValue]]:
        """Return the values of each axis of a phase; the first time, what is wrong is noted."""
        if place.path not in self._axes:
            phase, matrix = place.phase, place.phase.matrix or {}
            self._axes[place.path] = {
                axis: self._axis(phase, axis, values, (*place.path, "matrix", axis))
                for axis, values in matrix.items()
            }
            self._check_overlap(place, self._axes[place.path])
        return self._axes[place.path]

    def _axis(
        self, phase: PhaseModel, axis: str, values: list[object], where: PlanPath
    ) -> list[AxisValue]:
        if axis == CASE and (self._plan.model.cases or axis not in self._plan.params):
            found = [self._case(value, (*where, n)) for n, value in enumerate(values)]
        else:
            self._check_axis(phase, axis, where)
            found = [self._value(phase, axis, value, (*where, n)) for n, value in enumerate(values)]
        self._check_repeats(axis, found, where)
        return self._with_numbers(axis, found)

    def _case(self, written: object, where: PlanPath) -> AxisValue:
        name = to_text(written)
        if name not in self._cases:
            hint = suggest(name, list(self._cases)) or list_of("case", list(self._cases))
            self._work.fault(where, Code.UNKNOWN_NAME, f"no case is called `{name}`", hint=hint)
        given = self._cases.get(name, {})
        params = {param: value for param, value in given.items() if not self._is_set(param)}
        return AxisValue(name, params, is_picked=not self._wanted or name in self._wanted)

    def _check_axis(self, phase: PhaseModel, axis: str, where: PlanPath) -> None:
        models = self._plan.model.params or {}
        if axis in models:
            if self._plan.params[axis].secret:
                message = f"`{axis}` is secret, and phases are called after the values of axes"
                self._work.fault(where, Code.NOT_ALLOWED, message, part="key")
        elif axis not in LEVEL_AXES:
            known = [*models, CASE, *LEVEL_AXES]
            hint = suggest(axis, known) or f"an axis is one of {in_words(known)}"
            message = f"no param is called `{axis}`"
            self._work.fault(where, Code.UNKNOWN_NAME, message, hint=hint, part="key")
        elif not _is_level(axis, phase):
            message = f"the phase has `{axis}` of its own"
            hint = f"leave that out: the matrix sets the `{axis}` of each phase"
            self._work.fault(where, Code.CONFLICTING_KEYS, message, hint=hint, part="key")

    def _value(self, phase: PhaseModel, axis: str, written: object, where: PlanPath) -> AxisValue:
        work, plan = self._work, self._plan
        params: dict[str, Param] = {}
        is_picked = True
        if axis in (models := plan.model.params or {}):
            param, faults = resolve_value(models, axis, written, where, work.document, plan.params)
            work.faults.extend(faults)
            if not faults:
                params[axis] = param
            is_picked = not self._is_set(axis) or param.exact == plan.params[axis].exact
        level = self._level(axis, written, where) if _is_level(axis, phase) else None
        return AxisValue(to_text(written), params, level, is_picked=is_picked)

    def _level(self, axis: str, written: object, where: PlanPath) -> int | Rate | None:
        work = self._work
        try:
            level = read_level_axis(axis, written)
        except invalid() as error:
            work.faults.extend(diagnose(error, work.document, at=where))
            return None
        return cast("int | Rate | None", work.settle(level, where, None))

    def _check_repeats(self, axis: str, found: list[AxisValue], where: PlanPath) -> None:
        seen: set[str] = set()
        for number, one in enumerate(found):
            # `1s` and `1000ms` are one value.
            exact = repr(one.params[axis].exact if axis in one.params else one.level or one.text)
            if exact in seen:
                message = f"`{axis}` has the value `{one.text}` twice"
                hint = "leave it out: each combination runs once"
                self._work.fault((*where, number), Code.DUPLICATE_NAME, message, hint=hint)
            seen.add(exact)

    def _with_numbers(self, axis: str, found: list[AxisValue]) -> list[AxisValue]:
        """Return the values with what differs among them and is a number, or is one size only."""
        cases = self._cases if axis == CASE else {}
        names = dict.fromkeys(
            name for one in found for name in (*one.params, *cases.get(one.text, ()))
        )
        numbers: list[dict[str, float]] = [{} for _ in found]
        for name in (*names, axis):
            column = [self._number(one, axis, name) for one in found]
            is_one = len(found) == 1 or self._is_set(name)
            if None not in column and (is_one or len(set(column)) > 1):
                for known, number in zip(numbers, column, strict=True):
                    known[name] = cast("float", number)
        return [replace(one, numbers=own) for one, own in zip(found, numbers, strict=True)]

    def _number(self, one: AxisValue, axis: str, name: str) -> float | None:
        if name == axis and one.level is not None:
            level = one.level
            return level.count / level.per_ns * NS_PER_S if isinstance(level, Rate) else level
        param = one.params.get(name) or self._plan.params.get(name)
        if param is None or param.secret or param.type not in _NUMBERS:
            return None
        return param.value if isinstance(param.value, int | float) else None

    def _check_overlap(self, place: PlacedPhase, axes: Mapping[str, list[AxisValue]]) -> None:
        """Note each param that a combination would set twice."""
        owners = dict.fromkeys(place.phase.params or (), "`params` of the phase")
        for axis, values in axes.items():
            where: PlanPath = (*place.path, "matrix", axis)
            if axis in owners:
                message = f"the axis `{axis}` sets the param `{axis}`, and so does {owners[axis]}"
                self._fault_twice(where, message, part="key")
            for number, one in enumerate(values):
                for name in one.params:
                    if name in owners and name != axis:
                        message = f"`{axis}: {one.text}` sets the param `{name}`, and so does "
                        self._fault_twice((*where, number), message + owners[name])
            given = {name for one in values for name in one.params}
            owners |= dict.fromkeys(given, f"the axis `{axis}`")

    def _fault_twice(self, where: PlanPath, message: str, part: KeyOrValue = "value") -> None:
        hint = "leave it out in one of them"
        self._work.fault(where, Code.CONFLICTING_KEYS, message, hint=hint, part=part)


def _is_level(axis: str, phase: PhaseModel) -> bool:
    """Say whether the axis sets the load of the phase."""
    return axis in LEVEL_AXES and getattr(phase, axis) is None
