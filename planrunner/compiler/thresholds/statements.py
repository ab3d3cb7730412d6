"""Thresholds: sentences to values, and every name in them checked against the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.thresholds.amounts import Computed, computed_amount, read_filled
from planrunner.compiler.thresholds.expectations import lacking_expectations
from planrunner.compiler.thresholds.measures import lacking_measure
from planrunner.compiler.thresholds.names import KnownTargets
from planrunner.compiler.thresholds.sent import admit_computed
from planrunner.compiler.thresholds.singles import excepts_all, excepts_what_runs, singles_of
from planrunner.compiler.thresholds.sizes import lacking_size, lines_of, too_few_sizes
from planrunner.errors import PlanrunnerError
from planrunner.language.diagnostics import Code, nearest_names, suggest
from planrunner.language.expressions.expression import Expression, ExpressionError
from planrunner.language.fields.text import parse_text
from planrunner.metrics.amounts import Unit
from planrunner.metrics.thresholds import (
    DEFAULT_SENTENCE,
    Metric,
    OnNoData,
    Threshold,
    ThresholdLevel,
    ThresholdScope,
    ThresholdSyntaxError,
    parse_threshold,
)
from planrunner.metrics.thresholds.selector import SelectorKind, Term, quoted
from planrunner.plan.models.thresholds import ThresholdModel
from planrunner.plan.yaml.document import PlanPath
from planrunner.values import dataclass

__all__ = ["Stated", "Unfit", "compile_thresholds", "unfit_for_search"]

_WORDS: Final = {
    SelectorKind.USER: "user class",
    SelectorKind.ITERATION: "user class",
    SelectorKind.ERROR: "failure kind",
    SelectorKind.GENERATOR: "measure of the generator",
}
_GAUGES: Final = {
    SelectorKind.SERVICE: "write `monitor: [cpu, rss]` in the service",
    SelectorKind.MONITOR: "name what to measure in `monitors:`",
}
_EACH_LACKING: Final = {
    SelectorKind.TASK: ("no class of the plan has `tasks`", "write `each request` or `each user`"),
    SelectorKind.GROUP: ("no step of the plan is a `group`", "write `each request`"),
}


@dataclass(frozen=True, slots=True)
class Stated:
    """A threshold as the plan states it.

    Attributes:
        work: Takes the faults, and knows the constants.
        path: Its place.
        params: Their values as a plan writes them: `p95 < ${limit}` needs the unit.
        phase: The phase that it stands in; empty for the whole plan.
        called: What that phase is called where only the profile that has it runs.
    """

    work: Compilation
    model: ThresholdModel
    path: PlanPath
    params: Mapping[str, str]
    phase: str = ""
    called: tuple[str, ...] = ()


def compile_thresholds(stated: Sequence[Stated], names: KnownTargets) -> tuple[Threshold, ...]:
    """Compile the plan's thresholds; the default one when it has none.

    `names` is what they may name.
    """
    found: list[Threshold] = []
    pair = 0
    for item in stated:
        model, path = item.model, item.path
        sentences = list(model.sentences())
        pair += len(sentences) > 1
        for level, key, text in sentences:
            where = (*path, key) if key else path
            sentence = _PlacedSentence(item.work, model, where, text, item.phase, item.called)
            threshold = sentence.compile(names, item.params)
            if threshold is not None:
                found.append(
                    replace(
                        threshold,
                        level=ThresholdLevel(level),
                        pair=pair if len(sentences) > 1 else 0,
                        on_no_data=OnNoData(model.on_no_data or "fail"),
                    )
                )
    if not stated:
        threshold = parse_threshold(DEFAULT_SENTENCE)
        return (replace(threshold, not_applicable=names.why_not(threshold)),)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _PlacedSentence:
    """One condition; of the long form the sentence that says the same.

    Attributes:
        path: Of the sentence; of the long form's mapping.
        phase: What it looks at, when it stands in a phase.
        called: Other names of that phase.
    """

    work: Compilation
    model: ThresholdModel
    path: PlanPath
    text: str
    phase: str = ""
    called: tuple[str, ...] = ()

    def compile(self, names: KnownTargets, params: Mapping[str, str]) -> Threshold | None:
        pieces = self._pieces(names, params)
        if pieces is None:
            return None
        try:
            threshold = read_filled(pieces)
        except ThresholdSyntaxError as error:
            word = (error.offset, error.length) if pieces == [self.text] else None
            self._fault(Code.THRESHOLD_SYNTAX, error, word)
            return None
        exact = pieces == [self.text]
        if self.phase:
            threshold = self._within_phase(threshold, exact=exact)
        threshold = threshold.remeasured(lambda metric: _named_exactly(metric, names))
        for metric in threshold.metrics:
            self._check(metric, names, exact=exact)
            self._check_each(metric, names, exact=exact)
            self._check_size(metric, names, exact=exact)
        for unfit in unfit_for_search(threshold, names):
            word = (unfit.offset, unfit.length) if exact else None
            self._fault(Code.INVALID_VALUE, PlanrunnerError(unfit.message, hint=unfit.hint), word)
        threshold = threshold.rescoped(names.chosen_by)
        why_not = (
            names.why_not(threshold)
            or too_few_sizes(threshold, names)
            or excepts_what_runs(threshold, names)
        )
        threshold = replace(
            threshold,
            place=self.work.position(self.path),
            not_applicable=why_not,
            lines=lines_of(threshold, names),
        )
        singles = (name for metric in threshold.metrics for name in singles_of(metric, names))
        return replace(threshold, singles=tuple(singles))

    def _check_each(self, metric: Metric, names: KnownTargets, *, exact: bool) -> None:
        """Refuse an `each` of what the plan has none of, or that `except` takes away as a whole."""
        if metric.each is None:
            return
        first, last = metric.each.terms[0], metric.each.terms[-1]
        if first.kind in _EACH_LACKING and not any(names.owners.get(first.kind, ())):
            if names.is_open:
                return
            code, term = Code.UNKNOWN_SELECTOR, first
            message, hint = _EACH_LACKING[first.kind]
        elif excepts_all(metric, names):
            code, term = Code.INVALID_VALUE, last
            message, hint = "`except` leaves nothing to judge", "leave out less"
        else:
            return
        word = (term.offset, max(1, term.end - term.offset)) if exact else None
        self._fault(code, PlanrunnerError(message, hint=hint), word)

    def _check_size(self, metric: Metric, names: KnownTargets, *, exact: bool) -> None:
        """Refuse a size that no matrix in scope varies."""
        lacking = lacking_size(metric, names)
        if lacking is not None and metric.size is not None:
            word = (metric.size.offset, metric.size.end - metric.size.offset) if exact else None
            self._fault(Code.UNKNOWN_SELECTOR, lacking, word)

    def _within_phase(self, threshold: Threshold, *, exact: bool) -> Threshold:
        """Return the threshold with its phase as scope; a stage may stand beside it."""
        for term in (term for metric in threshold.metrics for term in metric.scope.terms):
            if term.kind is not SelectorKind.STAGE and term.name not in (self.phase, *self.called):
                inside = (term.offset, max(1, term.end - term.offset)) if exact else None
                message = f"this threshold applies to the phase `{self.phase}` that contains it"
                hint = "move it to `thresholds:` of the plan"
                self.work.fault(self.path, Code.NOT_ALLOWED, message, hint=hint, inside=inside)
        phase = Term(SelectorKind.PHASE, self.phase)
        threshold = threshold.rescoped(lambda scope: ThresholdScope(phase=phase, stage=scope.stage))
        return replace(threshold, text=str(threshold))

    def _pieces(
        self, names: KnownTargets, params: Mapping[str, str]
    ) -> Sequence[str | Computed] | None:
        """Return the sentence with its params filled in; None when that is impossible."""
        work = self.work
        if "${" not in self.text:
            return [self.text]
        text = self.text
        # A request is called as it is written, `${…}` and all.
        for name in names.owners.get(SelectorKind.REQUEST, ()):
            if "${" in name:
                text = text.replace(f'"{name}"', f'"{name.replace("${", "$${")}"')
        parsed = work.attempt(lambda: parse_text(text), self.path, None)
        if parsed is None or not work.check(parsed.references, self.path, work.constant_names):
            return None
        if not self.phase:
            for name in sorted(names.varied.intersection(one.root for one in parsed.references)):
                message = f"`{name}` is as it is without the matrix here: {params[name]}"
                work.notice(self.path, message)
        pieces = [
            part if isinstance(part, str) else self._value(part, offset, params)
            for part, offset in zip(parsed.parts, parsed.offsets, strict=True)
        ]
        return None if None in pieces else [piece for piece in pieces if piece is not None]

    def _value(
        self, part: Expression, offset: int, params: Mapping[str, str]
    ) -> str | Computed | None:
        if (name := part.source.strip()) in params:
            return params[name]
        work = self.work
        try:
            lowered = part.lower(work.constants)
        except ExpressionError as error:
            inside = (offset + error.offset, 1)
            work.fault(self.path, error.code, error.message, hint=error.hint, inside=inside)
            return None
        if lowered.is_constant:
            read = [params[item.root] for item in part.references if item.root in params]
            return computed_amount(lowered.value, read)
        work.must_be_constant(self.path, inside=(offset, len(part.source)))
        return None

    def _check(self, metric: Metric, names: KnownTargets, *, exact: bool) -> None:
        """Hold every name of a metric against the plan, and its measure against the protocols."""
        phase = metric.scope.phase.name if metric.scope.phase is not None else None
        for term in metric.terms:
            admit_computed(names, term)
            if self._check_phase(term, names, exact=exact):
                continue
            choices = names.choices(term, phase)
            if choices is not None and not names.knows(term, choices):
                message, hint = _unknown(term, choices, metric, names)
            elif values := names.unknown_value(term):
                message = f"no sample has the tag `{term.name}={term.shown}`"
                hint = suggest(term.value or "", values) or _listed(f"`{term.name}`", values)
                if values == [""]:
                    hint = f"write `tag:{term.name}`: the plan gives it no value"
            else:
                continue
            word = (term.offset, max(1, term.end - term.offset)) if exact else None
            self._fault(Code.UNKNOWN_SELECTOR, PlanrunnerError(message, hint=hint), word)
        if (lacking := lacking_measure(metric, names)) is not None:
            code = Code.UNKNOWN_SELECTOR if metric.measure.is_own else Code.INVALID_VALUE
            length = len(metric.agg.word if metric.agg.always_of else metric.measure.word)
            begin = 0 if metric.agg.always_of else metric.measure_offset
            self._fault(code, lacking, (begin, length) if exact else None)
        if metric.agg.is_of_expectations:
            self._check_expectations(metric, names, exact=exact)

    def _check_phase(self, term: Term, names: KnownTargets, *, exact: bool) -> bool:
        """Note which axis or value a phase of a matrix lacks, if that is what is wrong."""
        fault = names.phases.fault_of(term.name) if term.kind is SelectorKind.PHASE else None
        if fault is None or not fault.offset:
            return False
        begin = self.text.find(term.name, term.offset) + fault.offset
        word = (begin, fault.length) if exact else None
        self._fault(Code.UNKNOWN_SELECTOR, PlanrunnerError(fault.message, hint=fault.hint), word)
        return True

    def _check_expectations(self, metric: Metric, names: KnownTargets, *, exact: bool) -> None:
        lacking = lacking_expectations(metric, names.requests())
        if lacking is None or names.is_open:
            return
        terms = metric.selector.terms if metric.selector is not None else ()
        word = (terms[0].offset, terms[-1].end - terms[0].offset) if terms and exact else None
        self._fault(Code.INVALID_VALUE, lacking, word)

    def _fault(self, code: Code, error: PlanrunnerError, word: tuple[int, int] | None) -> None:
        """Note a fault at a word of the sentence; at all of it where params were filled in."""
        path, begin = self._piece_at(word[0] if word else 0)
        inside = (word[0] - begin, word[1]) if word else None
        self.work.fault(path, code, error.message, hint=error.hint, inside=inside)

    def _piece_at(self, offset: int) -> tuple[PlanPath, int]:
        """Return where the text at `offset` stands in the plan, and where that piece begins."""
        if self.model.metric is None or offset == 0:
            return self.path, 0
        if self.text.startswith(str(self.model.value), offset):
            return (*self.path, "value"), offset
        for key, before in (("scope", " in "), ("select", " of ")):
            written = getattr(self.model, key) or ""
            piece = written.removeprefix(before.lstrip())
            begin = self.text.find(f"{before}{piece}") if piece else -1
            if 0 <= begin <= offset:
                return (*self.path, key), begin + len(before) - (len(written) - len(piece))
        return (*self.path, "metric"), 0


def _named_exactly(metric: Metric, names: KnownTargets) -> Metric:
    """Return the metric with names that have a `*` in the plan taken as names."""
    selector, among = metric.selector, metric.among
    return replace(
        metric,
        selector=None if selector is None else selector.mapped(names.settled),
        among=None if among is None else among.mapped(names.settled),
    )


def _unknown(
    term: Term, choices: Sequence[str], metric: Metric, names: KnownTargets
) -> tuple[str, str]:
    """Return what is wrong with a name that the plan doesn't have, and a hint."""
    if term.kind in _GAUGES:
        measured = [f"{term.kind}.{name}" for name in choices]
        name = f"{term.kind}.{term.name}"
        hint = suggest(name, measured) or _listed("the plan", measured)
        return f"`{name}` is not measured", hint if measured else _GAUGES[term.kind]
    phase = metric.scope.phase
    of_phase = term.kind is SelectorKind.STAGE and phase is not None
    whose = f"phase `{phase.name}`" if of_phase and phase is not None else "the plan"
    kind = _WORDS.get(term.kind, term.kind)
    if term.form.is_pattern and term.value is None:
        nearest = nearest_names(term.name, choices)
        hint = _named("the nearest are", nearest) if nearest else _listed(whose, choices)
        return f"no {kind} of {whose} fits `{term.shown}`", hint
    meant = _of_another_kind(term, names, in_each=metric.each is not None)
    hint = meant or suggest(term.name, choices) or _listed(whose, choices)
    return f"no {kind} of {whose} is called `{term.name}`", hint


_SELECTED: Final = (
    SelectorKind.REQUEST,
    SelectorKind.TASK,
    SelectorKind.USER,
    SelectorKind.GROUP,
    SelectorKind.TAG,
)
_SCOPES: Final = (SelectorKind.PHASE, SelectorKind.PROFILE, SelectorKind.STAGE)


def _of_another_kind(term: Term, names: KnownTargets, *, in_each: bool) -> str:
    """Return how a threshold names what has this name, where that is something else."""
    for kind in (*_SELECTED, *_SCOPES):
        other = Term(kind, term.name)
        if kind is term.kind or term.name not in (names.choices(other, None) or ()):
            continue
        noun = _WORDS.get(kind, kind)
        if kind in _SCOPES and not (in_each and kind is SelectorKind.PHASE):
            return f"`{term.name}` is a {noun}: write `in {kind} {quoted(term.name)}`"
        if term.kind in _SCOPES:
            return f"`{term.name}` is a {noun}: write `of {other}`"
        if term.kind is SelectorKind.REQUEST:
            return f"write `{other}`"
        return f"`{term.name}` is a {noun}: write `{other}` without `{term.kind}:`"
    return ""


def _listed(owner: str, names: Sequence[str]) -> str:
    return _named(f"{owner} has", names) if names else "it has none"


def _named(begin: str, names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:8]) + (" …" if len(names) > 8 else "")
    return f"{begin} {shown}"


_UNITS: Final[Mapping[str, Unit]] = {"users": Unit.NUMBER, "rate": Unit.RATE}


@dataclass(frozen=True, slots=True)
class Unfit:
    """A word of the sentence, counted in characters, that does not fit."""

    message: str
    hint: str
    offset: int
    length: int


def unfit_for_search(threshold: Threshold, names: KnownTargets) -> Iterator[Unfit]:
    """Find phases that don't search, and a limit in the unit of what is not varied."""
    for metric in threshold.metrics:
        if not metric.agg.is_of_searches:
            continue
        phase = metric.scope.phase
        meant = names.phases.meant_by(phase.name) if phase is not None else ()
        if phase is not None and meant and names.varies.keys().isdisjoint(meant):
            hint = ", ".join(f"`in phase {name}`" for name in names.varies)
            yield Unfit(
                f"phase `{phase.name}` does not search",
                f"write {hint}" if hint else "no phase of the plan has `search:`",
                phase.offset,
                phase.end - phase.offset,
            )
        elif isinstance(threshold.metric, Metric):
            yield from _wrong_unit(threshold, names, meant)


def _wrong_unit(
    threshold: Threshold, names: KnownTargets, phases: Sequence[str]
) -> Iterator[Unfit]:
    value = threshold.value
    searching = phases or list(names.varies)
    varied = {what for name in searching for what in names.varies.get(name, ())}
    if len(varied) != 1 or value.of_baseline or not value.amount:
        return  # either unit is right, or none is needed
    [vary] = varied
    if value.unit is _UNITS[vary]:
        return
    number = value.text.partition("/")[0]
    if vary == "rate":
        what, hint = f"`{value.text}` is a number of users", f"write a rate: `{number}/s`"
    else:
        what, hint = f"`{value.text}` is a rate", f"write a number of users: `{number}`"
    yield Unfit(f"the search varies {vary}, and {what}", hint, value.offset, len(value.text))
