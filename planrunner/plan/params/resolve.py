"""The values of a plan's params: `--set`, then the environment's block, variables, defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from planrunner.language.diagnostics import Code, Diagnostic, suggest
from planrunner.language.expressions.builtins.names import ROOT_HELPERS
from planrunner.language.expressions.expression import ExpressionError, Reference, to_text
from planrunner.language.fields.deferred import KINDS, Deferred
from planrunner.language.fields.text import Text, lower_value, parse_value
from planrunner.plan.models.params import ParamModel, ParamType
from planrunner.plan.overrides import Changes
from planrunner.plan.params.values import (
    ParamValueError,
    as_expressions_see,
    from_text,
    from_yaml,
    order_of,
)
from planrunner.plan.yaml.document import Document, KeyOrValue, PlanPath
from planrunner.units import UnitError
from planrunner.values import dataclass

__all__ = [
    "Param",
    "ParamSource",
    "ParamSources",
    "evaluate",
    "has_expression",
    "names_in",
    "resolve_params",
    "resolve_value",
    "resolve_values",
]


class ParamSource(StrEnum):
    """Where a param's value comes from; the first that has one wins."""

    OVERRIDE = "--set"
    ENVIRONMENT = "environments"
    VARIABLE = "environment variable"
    DEFAULT = "default"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Param:
    """A resolved param.

    Attributes:
        value: As expressions see it: seconds, bytes, per second, a fraction.
        exact: As the engine needs it: ns, bytes, `Rate`, a fraction.
        type: None for a name that only an environment has.
    """

    value: object = field(repr=False)
    exact: object = field(repr=False)
    source: ParamSource
    secret: bool = False
    type: ParamType | None = None


@dataclass(frozen=True, slots=True)
class ParamSources:
    """What the command line and the process bring to a plan.

    Attributes:
        overrides: Values of `--set`, by param.
        environment: The block of `environments` that `--env` picks.
        environ: The process's environment variables.
        need_secrets: Whether a secret without a value is a fault: to run, yes; to look, no.
        changes: What the command line changes in the plan itself.
    """

    overrides: Mapping[str, str] = field(default_factory=dict, repr=False)
    environment: str | None = None
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    need_secrets: bool = False
    changes: Changes = field(default_factory=Changes)


def resolve_params(
    params: Mapping[str, ParamModel],
    environments: Mapping[str, Mapping[str, Any]],
    sources: ParamSources,
    document: Document,
) -> tuple[dict[str, Param], list[Diagnostic]]:
    """Return every param's value, and what is wrong with any value that the plan has for one."""
    resolution = _Resolution(params, environments, sources, document)
    resolution.check_names()
    for name, model in params.items():
        resolution.known[name] = resolution.resolve(name, model)
    for name, written in environments.get(sources.environment or "", {}).items():
        if name not in resolution.known:
            resolution.known[name] = resolution.untyped(name, written)
    return resolution.known, resolution.faults


def resolve_values(
    params: Mapping[str, ParamModel],
    values: Mapping[str, Any],
    place: PlanPath,
    document: Document,
    known: Mapping[str, Param],
) -> tuple[dict[str, Param], list[Diagnostic]]:
    """Check values that a mapping at `place` gives to some of the params, `known` without them.

    Faults of the params themselves are found by `resolve_params`.
    """
    resolution = _Resolution(params, {}, ParamSources(), document, dict(known))
    resolved: dict[str, Param] = {}
    faults: list[Diagnostic] = []
    for name, value in values.items():
        path = (*place, name)
        if name not in params:
            hint = suggest(name, list(params)) or _list_of(list(params), "params")
            message = f"no param `{name}`"
            faults.append(
                document.diagnostic(path, Code.UNKNOWN_NAME, message, hint=hint, part="key")
            )
            continue
        resolved[name], found = resolution.given(name, params[name], value, path)
        faults += found
    return resolved, faults


def resolve_value(
    params: Mapping[str, ParamModel],
    name: str,
    value: object,
    place: PlanPath,
    document: Document,
    known: Mapping[str, Param],
) -> tuple[Param, list[Diagnostic]]:
    """Check the value at `place` for one of the params."""
    resolution = _Resolution(params, {}, ParamSources(), document, dict(known))
    return resolution.given(name, params[name], value, place)


@dataclass(slots=True)
class _Resolution:
    params: Mapping[str, ParamModel]
    environments: Mapping[str, Mapping[str, Any]]
    sources: ParamSources
    document: Document
    known: dict[str, Param] = field(default_factory=dict)
    faults: list[Diagnostic] = field(default_factory=list)

    def check_names(self) -> None:
        """Find what is set although the plan doesn't have it, which is always a slip."""
        written = self.document.value(("params",))
        known = list(written) if isinstance(written, dict) else []
        for name in self.sources.overrides:
            if name not in known:
                hint = suggest(name, known) or _list_of(known, "params")
                self._fault(("params",), Code.UNKNOWN_NAME, f"`--set`: no param `{name}`", hint)
        chosen = self.sources.environment
        if chosen is not None and chosen not in self.environments:
            blocks = list(self.environments)
            hint = suggest(chosen, blocks) or _list_of(blocks, "environments")
            message = f"`--env`: no environment `{chosen}`"
            self._fault(("environments",), Code.UNKNOWN_NAME, message, hint)
        for block, values in self.environments.items():
            for name in values:
                if name not in known and (hint := suggest(name, known)):
                    path = ("environments", block, name)
                    self._fault(path, Code.UNKNOWN_NAME, f"no param `{name}`", hint)

    def resolve(self, name: str, model: ParamModel) -> Param:
        """Check every value that is written for the param, and return the one that counts."""
        limits = self._limits(name, model)
        candidates = list(self._candidates(limits))
        if candidates:
            source, exact = candidates[0]
            value = as_expressions_see(exact, model.type)
            return Param(value, exact, source, limits.is_secret, model.type)
        if model.is_required and (self.sources.need_secrets or not model.secret):
            message = f"the param `{name}` has no value"
            ways = [f"the environment variable `{model.env}`"] if model.env else []
            ways += (f"`--env {block}`" for block, own in self.environments.items() if name in own)
            hint = ", or ".join((f"give it one with `--set {name}=…`", *ways[:3]))
            self._fault(("params", name), Code.MISSING_PARAM, message, hint)
        return Param(None, None, ParamSource.MISSING, model.secret, model.type)

    def given(
        self, name: str, model: ParamModel, written: object, place: PlanPath
    ) -> tuple[Param, list[Diagnostic]]:
        """Return a value from `place`, and what is wrong with it alone."""
        limits = self._limits(name, model)
        before = len(self.faults)
        [(source, exact)] = self._checked(limits, ParamSource.ENVIRONMENT, written, place)
        value = as_expressions_see(exact, model.type)
        param = Param(value, exact, source, limits.is_secret, model.type)
        return param, self.faults[before:]

    def untyped(self, name: str, written: object) -> Param:
        """Return a name that only the picked environment has."""
        place = ("environments", self.sources.environment or "", name)
        value, is_secret = self._evaluated(None, written, place)
        return Param(value, value, ParamSource.ENVIRONMENT, is_secret)

    def _candidates(self, limits: _Limits) -> Iterator[tuple[ParamSource, object]]:
        """Yield the values, checked, in the order in which they count."""
        name, model = limits.name, limits.model
        text = self.sources.overrides.get(name)
        if text is not None:
            place: PlanPath = ("params", name)
            yield from self._checked(limits, ParamSource.OVERRIDE, text, place)
        for block, values in self.environments.items():
            if name in values:
                place = ("environments", block, name)
                found = list(self._checked(limits, ParamSource.ENVIRONMENT, values[name], place))
                if block == self.sources.environment:
                    yield from found
        text = self.sources.environ.get(model.env) if model.env else None
        if text:  # an empty variable is an unset one
            yield from self._checked(limits, ParamSource.VARIABLE, text, ("params", name, "env"))
        if not model.is_required:
            place = ("params", name, "default")
            yield from self._checked(limits, ParamSource.DEFAULT, model.default, place)

    def _limits(self, name: str, model: ParamModel) -> _Limits:
        """Return the exact limits; those that aren't of the type are faults and left out."""
        limits = _Limits(name, model)
        for key in ("min", "max"):
            written = getattr(model, key)
            if written is not None:
                exact = self._convert(limits, ParamSource.DEFAULT, written, ("params", name, key))
                if exact is not None:
                    setattr(limits, key, exact)
        for index, written in enumerate(model.choices or ()):
            place = ("params", name, "choices", index)
            limits.choices.append(self._convert(limits, ParamSource.DEFAULT, written, place))
        return limits

    def _checked(
        self, limits: _Limits, source: ParamSource, written: object, place: PlanPath
    ) -> Iterator[tuple[ParamSource, object]]:
        if written is None:
            yield source, None
            return
        exact = self._convert(limits, source, written, place)
        reason = limits.refusal(exact) if exact is not None else ""
        if reason:
            self._refuse(limits, source, place, reason)
        yield source, exact  # a faulty one too: nothing that comes later may take its place

    def _convert(
        self, limits: _Limits, source: ParamSource, written: object, place: PlanPath
    ) -> Any:  # noqa: ANN401 - as the type says
        from_outside = source in (ParamSource.OVERRIDE, ParamSource.VARIABLE)
        if not from_outside and has_expression(written):
            exact, is_secret = self._evaluated(limits, written, place)
            limits.is_secret = limits.is_secret or is_secret
            return exact
        try:
            if from_outside and isinstance(written, str):
                return from_text(limits.model.type, written)
            return from_yaml(limits.model.type, written)
        except ParamValueError as error:
            self._refuse(limits, source, place, error.message, error.hint)
            return None

    def _evaluated(
        self, limits: _Limits | None, written: object, place: PlanPath
    ) -> tuple[Any, bool]:
        """Return what the texts give, None when that is a fault, and whether a secret is in it."""
        is_secret = any(self.known[name].secret for name in names_in(written) if name in self.known)
        kind = None if limits is None else limits.model.type
        try:
            values = {name: param.value for name, param in self.known.items()}
            return evaluate(kind, written, values), is_secret
        except ExpressionError as error:
            where, inside = (*place, *error.path), (error.offset, 1)
            self.faults.append(
                self.document.diagnostic(
                    where, error.code, error.message, hint=error.hint, inside=inside
                )
            )
        except UnitError as error:
            self._fault(place, Code.INVALID_PARAM, error.message, error.hint, is_value=True)
        except ParamValueError as error:
            message = "the value is of the wrong type" if is_secret else error.message
            self._fault(place, Code.INVALID_PARAM, message, "", is_value=True)
        return None, is_secret

    def _refuse(
        self, limits: _Limits, source: ParamSource, place: PlanPath, reason: str, hint: str = ""
    ) -> None:
        if limits.is_secret:
            reason, hint = f"the value is not a valid {limits.model.type}", ""
        origin = ""
        if source is ParamSource.OVERRIDE:
            origin = " from `--set`"
        elif source is ParamSource.VARIABLE:
            origin = f" from the environment variable `{limits.model.env}`"
        message = f"`{limits.name}`{origin}: {reason}"
        self._fault(place, Code.INVALID_PARAM, message, hint, is_value=bool(place[2:]))

    def _fault(
        self, path: PlanPath, code: Code, message: str, hint: str, *, is_value: bool = False
    ) -> None:
        part: KeyOrValue = "value" if is_value else "key"
        self.faults.append(self.document.diagnostic(path, code, message, hint=hint, part=part))


@dataclass(slots=True)
class _Limits:
    """What a param's values are checked against; it is a secret if it may hold one."""

    name: str
    model: ParamModel
    min: Any = None
    max: Any = None
    choices: list[Any] = field(default_factory=list)
    is_secret: bool = False

    def __post_init__(self) -> None:
        self.is_secret = self.model.secret

    def refusal(self, exact: Any) -> str:  # noqa: ANN401 - as the type says
        """Return why the value isn't allowed, an empty text when it is."""
        if self.choices and exact not in self.choices:
            listed = ", ".join(f"`{choice}`" for choice in self.model.choices or ())
            return f"must be one of {listed}"
        if self.min is not None and order_of(exact) < order_of(self.min):
            return f"must be at least `{self.model.min}`"
        if self.max is not None and order_of(exact) > order_of(self.max):
            return f"must be at most `{self.model.max}`"
        return ""


def _list_of(names: list[str], what: str) -> str:
    listed = ", ".join(f"`{name}`" for name in names)
    return f"the plan has {listed}" if names else f"the plan has no `{what}:`"


def has_expression(written: object) -> bool:
    """Say whether a text in what the plan writes is more than a plain one."""
    if isinstance(written, str):
        return "${" in written
    if isinstance(written, dict):
        return any(map(has_expression, written.values()))
    return isinstance(written, list) and any(map(has_expression, written))


def evaluate(kind: ParamType | None, written: object, known: Mapping[str, object]) -> Any:  # noqa: ANN401 - as the type says
    """Return what the plan writes for a param, exactly, with the values of those above it.

    Raises:
        ExpressionError: An expression is broken or reads what has no value yet.
        UnitError: It gives no such unit.
        ParamValueError: It gives a value of another type.
    """
    value = parse_value(written)
    for path, name in _references(value, ()):
        if name.root not in known and name.root not in ROOT_HELPERS:
            message = f"`{name.root}` has no value here"
            hint = suggest(name.root, list(known)) or "a param can read only the params above it"
            raise ExpressionError(
                message, hint=hint, offset=name.offset, code=Code.UNKNOWN_NAME, path=path
            )
    if kind is not None and kind in KINDS and isinstance(value, Text):
        return Deferred(value, kind).resolve(known)
    lowered = lower_value(value, known)
    if not lowered.is_constant:
        message = "the value must be known before the run"
        raise ExpressionError(
            message, hint="use only the params above it", code=Code.EXPRESSION_FAILED
        )
    if kind is None:
        return lowered.value
    return from_yaml(kind, to_text(lowered.value) if kind in ("str", "url") else lowered.value)


def names_in(written: object) -> Iterator[str]:
    """Yield the names that the texts read; nothing for what can't be parsed.

    Which of them are secrets decides what is masked.
    """
    try:
        value = parse_value(written)
    except ExpressionError:
        return
    yield from (name.root for _, name in _references(value, ()))


def _references(
    value: object, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Reference]]:
    if isinstance(value, Text):
        yield from ((path, name) for name in value.references)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _references(item, (*path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _references(item, (*path, index))
